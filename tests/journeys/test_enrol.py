"""A family registers its child on a phone: registers that answer, one that does not know, two devices."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.journeys.conftest import PHONE, Site, come_in
from tests.journeys.test_every_page import violations
from tests.season import child_id

MUM = child_id(931, dt.date(1991, 5, 5))
NAMES = {"child": "林小满", "mum": "林晓岚"}


@pytest.fixture
def windows(browser: Browser, site: Site) -> Iterator[list[BrowserContext]]:
    """Browsers of families, closed in the end."""
    made: list[BrowserContext] = []
    yield made
    for context in made:
        context.close()


def window(browser: Browser, site: Site, windows: list, number: str) -> Page:
    """A family's own window, signed in."""
    context = browser.new_context(viewport=PHONE, base_url=site.url, locale="zh-CN")
    context.set_default_timeout(15_000)
    windows.append(context)
    page = context.new_page()
    page.goto("/enrol/")
    assert "先登记后登记机会一样" in page.inner_text("main")
    come_in(page, number)
    return page


def go_on(page: Page) -> None:
    """The button that stays at the bottom."""
    page.locator(".fam-foot .button--primary").click()


def whole(page: Page) -> None:
    """What every page promises."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.locator("h1").count() == 1


def family(site: Site) -> tuple[int, str, str]:
    """The open season, a birth day that is of age in it, a community of the district."""
    season, year, level = site.query(
        "SELECT id, year, level FROM admissions_season WHERE state = 'open'"
        " AND now() BETWEEN opens_at AND closes_at ORDER BY level LIMIT 1"
    )[0]
    age = {"kindergarten": 3, "primary": 6}.get(level, 12)
    community = site.query("SELECT code FROM registry_community ORDER BY code LIMIT 1")[0][0]
    return season, child_id(77, dt.date(year - age, 3, 5)), community


def register_says(site: Site, register: str, number: str, name: str, facts: dict) -> None:
    """Write an entry of a register that reads files."""
    path = Path(site.env["XUEZHENG_DATA_DIR"]) / "registers" / register
    path.mkdir(parents=True, exist_ok=True)
    entry = json.dumps({"name": name, "guardians": [MUM], "facts": facts})
    (path / f"{number}.json").write_text(entry, encoding="utf-8")


def begin(page: Page, season: int) -> None:
    """Guide, consent, the list of tasks, the first page."""
    page.goto(f"/my/admissions/new/{season}/")
    for name in ("agreed", "guardian", "lookups"):
        page.locator(f"label[for={name}]").click()
    whole(page)
    go_on(page)
    page.wait_for_url("**/drafts/*/")
    whole(page)
    go_on(page)
    page.wait_for_url("**/child/")


def child_and_guardian(page: Page, number: str) -> None:
    page.locator("[name=child_name]").fill(NAMES["child"])
    page.locator("[name=id_number]").fill(number)
    page.locator("[name=id_number]").blur()
    page.locator("[data-saved]", has_text=re.compile(r"已自动保存 \d\d:\d\d")).wait_for()
    whole(page)
    go_on(page)
    page.wait_for_url("**/guardian/")
    page.locator("[name=guardian_name]").fill(NAMES["mum"])
    page.locator("[name=guardian_id]").fill(MUM)
    page.locator("[name=relation]").select_option("52")
    whole(page)
    go_on(page)
    page.wait_for_url("**/register/")


def to_the_check(page: Page) -> None:
    """Through the pages that need nothing."""
    while "/check/" not in page.url:
        before = page.url
        go_on(page)
        page.wait_for_url(lambda url, before=before: url != before)


def test_a_verified_child_needs_no_paper_and_two_taps_give_one_reference(
    browser: Browser, site: Site, windows: list
) -> None:
    season, number, community = family(site)
    home = {"community": community, "road": "测试路", "number": 9, "building": "2", "room": "301"}
    police = {"register": home, "register_date": "2020-06-01"}
    owned = {"home": home, "owner": "parent", "share": 100, "title": "deed",
             "title_date": "2019-01-01"}  # fmt: skip
    register_says(site, "police", number, NAMES["child"], police)
    register_says(site, "civil", number, NAMES["child"], {"custody": "both"})
    register_says(site, "property", MUM, NAMES["mum"], owned)
    page = window(browser, site, windows, "10033330001")
    begin(page, season)
    child_and_guardian(page, number)
    assert "已核验，不用上传材料" in page.inner_text("main")
    assert "301" not in page.inner_text("main")
    whole(page)
    # Another telephone goes on with the same draft; what the first one then sends is not overwritten.
    other = window(browser, site, windows, "10033330001")
    other.locator("a[href*='/drafts/']").first.click()
    assert NAMES["child"] in other.inner_text("header")
    go_on(other)
    page.goto(page.url.replace("/register/", "/more/"))
    other.goto(page.url)
    other.locator("[name=sibling_id]").fill("X1")
    other.locator("[name=sibling_id]").blur()
    other.locator("[data-saved]", has_text=re.compile(r"已自动保存 \d\d:\d\d")).wait_for()
    page.locator("[name=sibling_id]").fill("X2")
    page.locator("[name=sibling_id]").blur()
    page.locator("[data-conflict]").wait_for(state="visible")
    whole(page)
    page.goto(page.url.replace("/more/", "/home/"))
    page.get_by_text("父母或孩子名下住房").wait_for()
    whole(page)
    to_the_check(page)
    whole(page)
    other.goto(page.url)
    page.locator(".fam-foot .button--primary").dblclick()
    page.wait_for_url("**/sent/")
    reference = page.locator(".fam-number").inner_text()
    assert reference.startswith("RX")
    whole(page)
    go_on(other)
    other.wait_for_url("**/sent/")
    assert other.locator(".fam-number").inner_text() == reference
    assert site.query(
        "SELECT count(*), bool_or(papers_needed) FROM admissions_application a"
        " JOIN cases_case c ON c.id = a.case_id WHERE c.number = %s", reference,
    ) == [(1, False)]  # fmt: skip
    go_on(page)
    page.wait_for_url(f"**/{reference}/")
    whole(page)
    page.goto("/my/admissions/")
    assert NAMES["child"] in page.inner_text("main")
    whole(page)


def test_what_a_register_does_not_know_is_photographed_and_a_second_guardian_sees_nothing(
    browser: Browser, site: Site, windows: list, tmp_path: Path
) -> None:
    from PIL import Image

    season, number, community = family(site)
    picture = tmp_path / "page.jpg"
    Image.new("RGB", (600, 400), "white").save(picture)

    def registered(page: Page) -> str:
        begin(page, season)
        child_and_guardian(page, number)
        page.get_by_text("是", exact=True).click()
        page.locator("[name=register__community]").select_option(community)
        page.locator("[name=register__road]").fill("测试路")
        page.locator("[name=register__number]").fill("9")
        page.locator("[name=register_date]").fill("2020-06-01")
        whole(page)
        go_on(page)
        page.wait_for_url("**/home/")
        page.get_by_text("租房（已备案）").click()
        page.get_by_text("在", exact=True).click()
        whole(page)
        go_on(page)
        page.wait_for_url("**/more/")
        go_on(page)
        page.wait_for_url(lambda url: "/more/" not in url)
        if "/choices/" in page.url:
            go_on(page)
        page.wait_for_url("**/papers/")
        page.locator("input[name=register]").set_input_files(str(picture))
        page.locator(".uploads-item").first.wait_for()
        whole(page)
        go_on(page)
        page.wait_for_url("**/check/")
        go_on(page)
        page.wait_for_url("**/sent/")
        return page.locator(".fam-number").inner_text()

    mum = window(browser, site, windows, "10033330002")
    reference = registered(mum)
    dad = window(browser, site, windows, "10033330003")
    assert registered(dad) == reference
    assert "监护关系核实中" in dad.inner_text("main")
    assert NAMES["child"] not in dad.inner_text("body")
    whole(dad)
    mum.goto(f"/my/admissions/{reference}/")
    assert "另一位监护人也登记了这个孩子" in mum.inner_text("main")
    whole(mum)
    assert site.query("SELECT count(*) FROM admissions_paper") != [(0,)]
    assert site.query(
        "SELECT count(*) FROM admissions_party WHERE NOT confirmed AND user_id IS NOT NULL"
    )[0][0] >= 1  # fmt: skip

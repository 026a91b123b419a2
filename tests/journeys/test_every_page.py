"""One crawler for what every page promises: no accessibility violation, no overflow, no complaint."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page

from tests.journeys.conftest import AXE, DESK, PHONE, come_in

#: Links that differ only in these are the same page.
NUMBER = re.compile(r"\d{2,}|(?<=/)\d+|[0-9a-f]{8}-[0-9a-f-]+")
PEOPLE = [
    "director",
    "deputy-basic",
    "plan",
    "safety",
    "school",
    "island",
    "auditor",
    "operator",
    "office-basic",
    "registrar",
    "admissions",
    "town",
]
TAGS = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']"


def shape(url: str) -> str:
    path, _, query = url.partition("?")
    keys = ",".join(sorted(part.split("=")[0] for part in query.split("&") if part))
    return NUMBER.sub("#", path) + ("?" + keys if keys else "")


def violations(page: Page) -> list[str]:
    # Injected by the browser's debugger: the content policy rightly blocks a script tag.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run({{runOnly: {TAGS}}}).then(r => r.violations)")
    return [
        f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0].get('failureSummary', '')[:160]}"
        for v in found
    ]


def crawl(page: Page, start: str, *, limit: int) -> tuple[int, list[str]]:
    waiting, seen, wrong, visited = [start], set(), [], 0
    while waiting and visited < limit:
        url = waiting.pop(0)
        if shape(url) in seen:
            continue
        seen.add(shape(url))
        try:
            response = page.goto(url)
        except Error as error:
            if "Download is starting" in str(error):
                continue
            raise
        if response is None or response.status != 200:
            wrong.append(f"{url}: {response.status if response else 'no answer'}")
            continue
        visited += 1
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wrong.append(f"{url}: {over} px too wide")
        if page.locator("h1").count() != 1:
            wrong.append(f"{url}: {page.locator('h1').count()} h1")
        wrong += [f"{url}: {text}" for text in violations(page)]
        for href in page.eval_on_selector_all(
            "a[href]", "as => as.map(a => a.getAttribute('href'))"
        ):
            if href.startswith("?"):
                href = url.partition("?")[0] + href
            download = "export=" in href or "/files/" in href or "/template/" in href
            if href.startswith("/") and not download:
                waiting.append(href)
    return visited, wrong


@pytest.mark.parametrize("who", PEOPLE)
def test_pages_of(who: str, site, sign_in: Callable[..., Page]) -> None:
    desk = sign_in(who, DESK)
    visited, wrong = crawl(desk, "/", limit=60)
    assert not wrong, "\n".join(wrong)
    assert visited >= 4
    phone = sign_in(who, PHONE)
    _visited, wrong = crawl(phone, "/", limit=25)
    assert not wrong, "\n".join(wrong)


def test_pages_of_a_family(site, browser, demo_folder: Path) -> None:
    """On a phone: the public pages, then a family's own, which has a result and a child in a draft."""
    signins = json.loads((demo_folder / "demo-signins.json").read_text(encoding="utf-8"))
    phone = next(row[0] for row in signins if row[0].isdigit())
    context = browser.new_context(viewport=PHONE, base_url=site.url, locale="zh-CN")
    context.set_default_timeout(15_000)
    page = context.new_page()
    _visited, wrong = crawl(page, "/enrol/", limit=20)
    come_in(page, phone)
    visited, own = crawl(page, "/my/admissions/", limit=30)
    assert not wrong + own, "\n".join(wrong + own)
    assert visited >= 12
    context.close()


def test_english_large_text_and_keyboard(site, sign_in: Callable[..., Page]) -> None:
    page = sign_in("director", PHONE, locale="en-GB")
    assert page.locator("html").get_attribute("lang") == "en"
    _visited, wrong = crawl(page, "/board/", limit=12)
    assert not wrong, "\n".join(wrong)
    left = page.goto("/board/") and page.inner_text("main")
    # Names and the plan's own wording stay Chinese; the program's words do not.
    for word in ("总体进展", "需要您定的事", "任务清单", "亮灯规则", "落后序时"):
        assert word not in left
    desk = sign_in("director", DESK)
    desk.goto("/board/")
    desk.keyboard.press("Tab")
    assert desk.evaluate("document.activeElement.className") == "skip"
    desk.keyboard.press("Enter")
    assert desk.evaluate("document.activeElement.id") == "main"
    before = desk.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    desk.locator("[data-large-text]").first.click()
    desk.locator("html.elder").wait_for()
    after = desk.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert after == pytest.approx(before * 1.25)
    desk.reload()
    desk.locator("html.elder").wait_for()


def test_the_board_prints_on_a4(site, sign_in: Callable[..., Page]) -> None:
    import io

    import pypdfium2

    page = sign_in("director")
    page.goto("/board/")
    document = pypdfium2.PdfDocument(io.BytesIO(page.pdf(format="A4", print_background=True)))
    assert 1 <= len(document) <= 4
    text = document[0].get_textpage().get_text_bounded()
    assert "%" in text

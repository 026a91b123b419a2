"""A school reports a hazard from a phone; the figure on the leader's board moves."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.district import photo
from tests.journeys.conftest import PHONE, command


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo().read())
    return str(path)


def figure(site) -> tuple[int, int]:
    return site.query(
        "SELECT numerator, denominator FROM indicators_reading r JOIN access_organisation o"
        " ON o.id = r.organisation_id WHERE indicator = 'hazard_rectified_in_time'"
        " AND o.code = 'XL' ORDER BY as_of DESC LIMIT 1"
    )[0]


def look_for(page: Page, words: str) -> None:
    """By the search box of the top bar, which on a phone lies in the menu."""
    menu = page.get_by_role("button", name="菜单")
    if menu.is_visible():
        menu.click()
    page.get_by_role("searchbox", name="搜索").fill(words)
    page.get_by_role("searchbox", name="搜索").press("Enter")
    page.wait_for_url(lambda address: words not in address or "/hazards/" in address)


def test_from_a_photo_to_the_board(site, sign_in, picture: str) -> None:
    command(site.env, "indicators", "compute")
    before = figure(site)

    school = sign_in("school", PHONE)
    school.goto("/hazards/report/")
    school.get_by_label("哪一类隐患").select_option("fire")
    school.get_by_label("在哪里").fill("教学楼三楼走廊")
    school.get_by_role("button", name="提交上报").click()
    expect(school.locator("main")).to_contain_text("请填写")  # nothing is lost, all faults at once
    expect(school.get_by_label("在哪里")).to_have_value("教学楼三楼走廊")
    school.get_by_label("什么情况").fill("疏散指示灯不亮")
    school.locator("input[type=file]").set_input_files(picture)
    school.get_by_role("button", name="提交上报").click()
    school.wait_for_url(re.compile(r"/hazards/YH"))
    number = school.url.rstrip("/").rpartition("/")[2]
    expect(school.locator("main img").first).to_be_visible()

    safety = sign_in("safety")
    safety.goto("/inbox/")
    safety.get_by_role("link", name="教学楼三楼走廊").click()
    safety.get_by_label("一般隐患").check(force=True)
    today = site.query("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date::text")[0][0]
    safety.get_by_label("整改期限").fill(today)
    safety.get_by_role("button", name="定级并交办").click()
    expect(safety.locator("main")).to_contain_text("整改中")

    school.goto("/inbox/")
    school.get_by_role("link", name="教学楼三楼走廊").click()
    school.get_by_label("怎么整改的").fill("已更换两盏")
    school.locator("input[type=file]").set_input_files(picture)
    school.get_by_role("button", name="报告已整改").click()
    expect(school.locator("main")).to_contain_text("待复查")

    inspector = sign_in("inspector", PHONE)
    inspector.goto(f"/hazards/{number}/")
    inspector.locator("input[name=passed][value=yes]").check(force=True)
    inspector.get_by_role("button", name="记录复查结论").click()
    expect(inspector.locator("main")).to_contain_text("已销号")

    command(site.env, "indicators", "compute")
    assert figure(site) == (before[0] + 1, before[1] + 1)
    leader = sign_in("deputy-support")
    leader.goto("/board/")
    leader.get_by_role("link", name="隐患按期整改率").first.click()
    expect(leader.locator("main")).to_contain_text(f"{before[0] + 1} / {before[1] + 1}")
    leader.goto(f"{leader.url}?page=18")
    look_for(leader, number)
    expect(leader.locator("h1")).to_contain_text("教学楼三楼走廊")
    assert command(site.env, "audit", "verify").startswith("封存")


def test_a_neighbour_does_not_find_it(site, sign_in) -> None:
    number = site.query(
        "SELECT c.number FROM cases_case c JOIN access_organisation o ON o.id = c.organisation_id"
        " WHERE c.kind = 'hazard' AND o.code <> '997001' LIMIT 1"
    )[0][0]
    page = sign_in("kindergarten", PHONE)
    assert page.goto(f"/hazards/{number}/").status == 404
    assert page.goto("/audit/").status == 403
    page.goto("/")
    look_for(page, number)
    expect(page.locator("main")).to_contain_text("没有找到")


def test_a_stale_form_ends_on_the_conflict_page(site, sign_in) -> None:
    number = site.query("SELECT number FROM cases_case WHERE state = 'reported' LIMIT 1")[0][0]
    first, second = sign_in("safety"), sign_in("safety2")
    for page in (first, second):
        page.goto(f"/hazards/{number}/")
    first.get_by_label("一般隐患").check(force=True)
    first.get_by_role("button", name="定级并交办").click()
    expect(first.locator("main")).to_contain_text("整改中")
    second.locator("summary", has_text="不予立案").click()
    second.get_by_label("不予立案的理由").fill("我看不是隐患，理由写了很长")
    with second.expect_response(lambda r: r.request.method == "POST") as answer:
        second.get_by_role("button", name="不予立案").click()
    assert answer.value.status == 409
    expect(second.locator("textarea").first).to_have_value("我看不是隐患，理由写了很长")

"""What ends a season, by the people whose duty it is, for journeys that need a published result."""

import re

from playwright.sync_api import Page, expect


def close(site, officer: Page, season: int) -> None:
    """The days of registration pass; the officer ends it."""
    site.query(
        "UPDATE admissions_season SET closes_at = now() - interval '1 hour' WHERE id = %s"
        " RETURNING id",
        season,
    )
    officer.goto(f"/admissions/seasons/{season}/")
    officer.get_by_role("button", name="转入核验").click()
    officer.wait_for_load_state()


def give_places(officer: Page, leader: Page, season: int) -> None:
    """Freeze, draw, allocate; another person publishes."""
    results = f"/admissions/seasons/{season}/results/"
    officer.goto(results)
    officer.get_by_role("link", name="封存名册").click()
    reason = officer.get_by_label("理由")
    if reason.is_visible():
        reason.fill("补正期已过，未核验的另行处理")
    officer.get_by_role("button", name="封存名册").click()
    officer.wait_for_url(re.compile(r"/freezes/"))
    officer.goto(results)
    officer.get_by_role("link", name="准备抽签").click()
    officer.get_by_label("公开值来源").fill("次日上证指数收盘")
    officer.get_by_role("button", name="生成承诺值").click()
    officer.wait_for_url(re.compile(r"/draws/\d+/$"))
    for digit in "271828":
        left = officer.locator(".stage-digit:not(.stage-digit--open)").count()
        expect(officer.get_by_label(f"第 {left + 1} 位")).to_be_focused()
        officer.keyboard.type(digit)
        officer.keyboard.press("Tab")
        officer.keyboard.type("3号座位")
        officer.keyboard.press("Tab")
        if not officer.locator("#id_witnesses").input_value():
            officer.keyboard.type("公证员")
        officer.keyboard.press("Enter")
        expect(officer.locator(".stage-digit:not(.stage-digit--open)")).to_have_count(left + 1)
    officer.get_by_label("次日上证指数收盘").fill("3121.40")
    officer.get_by_label("次日上证指数收盘").press("Enter")
    officer.get_by_role("button", name="打开密值").click()
    expect(officer.locator(".stage-seed")).to_have_text(re.compile(r"^[0-9a-f]{64}$"))
    officer.goto(results)
    officer.get_by_role("button", name="分配").click()
    officer.wait_for_url(re.compile(r"/allocations/\d+/$"))
    leader.goto(f"{officer.url}publish/")
    leader.get_by_role("button", name="公布").click()
    expect(leader.locator("main h1")).to_have_text("抽签和分配")

"""The season officer copies last season, sees the difference, tries the rules and opens registration."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.test_every_page import violations


def whole(page: Page) -> None:
    """What every page promises."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_season_is_copied_compared_and_opened(site, sign_in) -> None:
    last, year = site.query(
        "SELECT id, year FROM admissions_season WHERE level = 'junior' ORDER BY year DESC LIMIT 1"
    )[0]
    officer = sign_in("admissions")
    officer.goto(f"/admissions/seasons/{last}/copy/")
    expect(officer.get_by_label("年份")).to_have_value(str(year + 1))
    officer.get_by_role("button", name="复制").click()
    officer.wait_for_url(re.compile(r"/difference/$"))
    whole(officer)
    season = int(officer.url.split("/")[-3])

    # A changed day stands in the comparison.
    officer.goto(f"/admissions/seasons/{season}/edit/")
    officer.get_by_label("咨询电话").fill("0000-7654321")
    officer.get_by_role("button", name="保存").click()
    officer.goto(f"/admissions/seasons/{season}/difference/")
    expect(officer.locator("main")).to_contain_text("0000-7654321")

    # The rules, tried on the roll of the season before.
    officer.goto(f"/admissions/seasons/{season}/")
    whole(officer)
    officer.get_by_role("navigation").get_by_role("link", name="服务区", exact=True).click()
    whole(officer)
    rules = site.query("SELECT rule_set_id FROM admissions_season WHERE id = %s", season)[0][0]
    officer.goto(f"/admissions/rules/{rules}/try/{last}/")
    expect(officer.locator("main")).to_contain_text("没有顺位")
    whole(officer)

    officer.goto(f"/admissions/seasons/{season}/open/")
    whole(officer)
    why = officer.get_by_label("有例外仍要开放的理由")
    why.fill("新建小区的门牌下月公布")
    officer.get_by_role("main").get_by_role("button", name="开放登记").click()
    expect(officer.locator(".stages .is-now")).to_have_text("登记中")

    # A school's secretary has no season desk; the deputy reads it and changes nothing.
    assert sign_in("school").goto(f"/admissions/seasons/{season}/").status == 403
    deputy = sign_in("deputy-basic")
    deputy.goto(f"/admissions/seasons/{season}/")
    whole(deputy)
    expect(deputy.get_by_role("link", name="日程和指南")).to_have_count(0)

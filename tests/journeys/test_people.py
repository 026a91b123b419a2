"""The registrar finds a child entered twice and merges; a secretary looks a pupil up on a phone."""

import re

from playwright.sync_api import expect

from tests.journeys.conftest import PHONE
from tests.journeys.test_every_page import violations


def test_a_child_entered_twice_becomes_one(site, sign_in) -> None:
    live = "SELECT count(*) FROM registry_pupil WHERE merged_into_id IS NULL"
    before = site.query(live)[0][0]
    page = sign_in("registrar")
    page.goto("/registry/duplicates/")
    page.get_by_role("button", name="现在查找").click()
    expect(page.locator(".messages")).to_contain_text("查找完毕")
    page.goto("/registry/duplicates/?kind=pupil")
    page.locator("a.row-link").first.click()
    expect(page.locator("h1")).to_have_text("比对：学生")
    page.get_by_role("button", name="是同一人，合并").click()
    expect(page.locator(".error-summary")).to_contain_text("理由")
    assert site.query(live)[0][0] == before
    page.get_by_label("理由").fill("核对户口簿，是同一名学生")
    page.get_by_role("button", name="是同一人，合并").click()
    page.wait_for_url(re.compile("/registry/merges/"))
    assert site.query(live)[0][0] == before - 1
    # The one that stayed has the history of both.
    page.locator("a.row-link").first.click()
    assert page.locator(".timeline-entry").count() >= 2
    page.goto("/registry/merges/")
    page.get_by_role("link", name="撤销合并").first.click()
    page.get_by_label("理由").fill("认错了人")
    page.get_by_role("button", name="撤销合并").click()
    expect(page.locator(".messages")).to_contain_text("已撤销合并")
    assert site.query(live)[0][0] == before


def test_a_secretary_looks_a_pupil_up_on_a_phone(site, sign_in) -> None:
    page = sign_in("school", PHONE)
    page.goto("/registry/pupils/")
    over = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(over) <= 0
    name = page.locator("a.row-link").first.inner_text()
    page.get_by_role("searchbox", name="姓名、拼音首字母").fill(name)
    page.get_by_role("button", name="查找").click()
    page.locator("a.row-link").first.click()
    expect(page.locator("h1")).to_have_text(name)
    assert page.evaluate(over) <= 0
    page.locator(".registry-reveal summary").first.click()
    assert page.evaluate(over) <= 0
    assert not violations(page)
    page.get_by_label("查看理由").first.fill("家长来校核对")
    page.get_by_role("button", name="显示").first.click()
    expect(page.locator(".registry-number")).to_have_text(re.compile(r"\d{17}[\dX]"))
    # Coming back to the page shows it masked again.
    page.goto(page.url.replace("reveal/", ""))
    assert page.locator(".registry-number").count() == 0
    noted = site.query("SELECT reason FROM audit_entry WHERE action = 'pupil.reveal'")
    assert noted == [("家长来校核对",)]

"""A new auditor: account opened, first password, second factor, out, and in again with a code.

A family: no account before, a code by SMS, its own page.
"""

import re
import time

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import DESK, PHONE
from tests.journeys.test_every_page import crawl, violations

OWN = "Erster-Tag-2026"


def check(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.locator("h1").count() == 1
    assert not violations(page)


def press(page: Page) -> None:
    staff_door = page.locator("main form:has([name=password]) button[type=submit]")
    buttons = staff_door if staff_door.count() else page.locator("main form button[type=submit]")
    buttons.first.click()


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"[name={name}]").fill(value)


def opened(officer: Page) -> str:
    """The security officer opens the account; returns its one-time password."""
    officer.goto("/accounts/")
    check(officer)
    officer.get_by_role("link", name="开通账号").click()
    fill(officer, username="new-auditor", name="钟新", reason="任命文件 8 号")
    officer.locator("[name=organisation]").select_option(label="办公室")
    officer.locator("[name=role]").select_option("auditor")
    press(officer)
    expect(officer.locator("h1")).to_have_text("账号已开通")
    check(officer)
    return officer.locator("[data-one-time]").inner_text()


def test_from_a_one_time_password_to_a_code(site, sign_in, browser: Browser) -> None:
    officer = sign_in("security", DESK)
    one_time = opened(officer)

    context = browser.new_context(viewport=PHONE, base_url=site.url, locale="zh-CN")
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto("/audit/")
    check(page)
    fill(page, username="new-auditor", password=one_time)
    press(page)
    page.wait_for_url("**/password/")
    check(page)
    fill(page, new_password1="short", new_password2="short")
    press(page)
    expect(page.locator("main")).to_contain_text("至少 10 位")
    fill(page, new_password1=OWN, new_password2=OWN)
    press(page)

    page.wait_for_url("**/second-factor/enrol/")
    check(page)
    picture = page.locator("img.enrol-picture")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    page.locator("summary").click()
    generator = pyotp.TOTP(page.locator("details code").inner_text().replace(" ", ""))
    fill(page, code="000000")
    press(page)
    expect(page.locator("main")).to_contain_text("验证码不对")
    fill(page, code=generator.now())
    press(page)
    expect(page.locator("h1")).to_contain_text("已绑定")
    check(page)
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="我已收好").click()
    page.goto("/account/")
    check(page)
    expect(page.locator("main")).to_contain_text("看全部审计记录")
    page.goto("/audit/")
    expect(page.locator("h1")).to_have_text("审计记录")

    page.context.request.post(
        "/sign-out/",
        headers={"X-CSRFToken": token(page), "Referer": site.url},
    )
    page.goto("/audit/")
    page.wait_for_url("**/sign-in/**")
    fill(page, username="new-auditor", password=OWN)
    press(page)
    page.wait_for_url("**/second-factor/")
    check(page)
    # The code that enrolled is spent; the next one, a step early, will do.
    fill(page, code=generator.at(int(time.time()) + 30))
    press(page)
    page.wait_for_url("**/audit/")
    expect(page.locator("h1")).to_have_text("审计记录")
    context.close()


def token(page: Page) -> str:
    return next(c["value"] for c in page.context.cookies() if c["name"] == "csrftoken")


def test_pages_of_the_security_officer(sign_in) -> None:
    for viewport in (DESK, PHONE):
        page = sign_in("security", viewport)
        for url in ("/accounts/", "/accounts/new/", "/accounts/locks/", "/account/", "/password/"):
            page.goto(url)
            check(page)
        page.goto("/accounts/?role=auditor")
        page.locator(".row-link").first.click()
        page.wait_for_url(re.compile(r"/accounts/\d+/"))
        check(page)
        page.get_by_role("link", name="重置密码").click()
        check(page)


def test_a_family_comes_in_with_its_telephone(site, browser: Browser) -> None:
    for number, size in (("10012345671", PHONE), ("10012345672", DESK)):
        context = browser.new_context(viewport=size, base_url=site.url, locale="zh-CN")
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.goto("/sign-in/")
        check(page)
        fill(page, number=number)
        page.get_by_role("button", name="获取验证码").click()
        page.wait_for_url("**/sign-in/sms/return/")
        check(page)
        fill(page, code=page.locator("[data-sample-code]").inner_text())
        press(page)
        page.wait_for_url("**/my/")
        fill(page, name="王小雨")
        page.get_by_role("button", name="保存姓名").click()
        expect(page.locator("h1")).to_have_text("王小雨")
        _visited, wrong = crawl(page, "/", limit=25)
        _again, also_wrong = crawl(page, "/again/?next=/my/", limit=1)
        assert not wrong + also_wrong
        context.close()

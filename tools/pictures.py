"""Take the README's pictures from a running demo district.

xuezheng run --demo        (prints the password, and the telephones of two families)
python tools/pictures.py http://127.0.0.1:8000 PASSWORD TELEPHONE
"""

import os
import sys
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
DESK: ViewportSize = {"width": 1360, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
#: name -> (who, window, path, language)
PICTURES = {
    "board.zh": ("director", DESK, "/board/", "zh-CN"),
    "board.en": ("director", DESK, "/board/", "en-GB"),
    "commitment.zh": ("deputy-support", DESK, "/plans/1/2.2-06/", "zh-CN"),
    "hazard-phone.zh": ("school", PHONE, "/hazards/report/", "zh-CN"),
    "allocation.zh": ("admissions", DESK, "/admissions/seasons/3/results/", "zh-CN"),
    "allocation.en": ("admissions", DESK, "/admissions/seasons/3/results/", "en-GB"),
}
#: name -> language, of the tasks of a family on its own telephone.
TASKS = {"enrol-phone.zh": "zh-CN", "enrol-phone.en": "en-GB"}


def enter(page: Page, who: str, password: str) -> None:
    """Sign in by password; the demo tells the second factor of posts that need one."""
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill(who)
    page.locator("input[name=password]").fill(password)
    page.locator("main form:has([name=password]) button[type=submit]").click()
    page.wait_for_load_state("networkidle")
    if "/second-factor/" in page.url:
        give_code(page)


def give_code(page: Page) -> None:
    """Type the code that the demo's page tells."""
    page.locator("input[name=code]").fill(page.locator("[data-sample-code]").inner_text())
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state("networkidle")


def tasks_of_a_family(page: Page, telephone: str) -> None:
    """Come in by a code; begin a registration unless one is begun; go to its tasks."""
    page.goto("/enrol/")
    page.locator(".fam-foot .button--primary").click()
    page.locator("input[name=number]").fill(telephone)
    page.locator("form[action*=sms] button[type=submit]").click()
    give_code(page)
    begun = page.locator("main a[href*='/drafts/']")
    if begun.count():
        begun.first.click()
    else:
        page.locator("main a[href*='/new/']").first.click()
        for box in page.locator("main input[type=checkbox]").all():
            box.check()
        page.locator(".fam-foot button[type=submit]").click()
    page.wait_for_load_state("networkidle")


def main(address: str, password: str, telephone: str) -> None:
    """Keep the first screen of each page, as the person whose page it is."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )

        def window(size: ViewportSize, locale: str) -> Page:
            return browser.new_context(viewport=size, locale=locale, base_url=address).new_page()

        for name, (who, size, path, locale) in PICTURES.items():
            page = window(size, locale)
            enter(page, who, password)
            page.goto(path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{name}.png")
        for name, locale in TASKS.items():
            page = window(PHONE, locale)
            tasks_of_a_family(page, telephone)
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:4])

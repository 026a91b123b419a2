"""Take the README's pictures from a running demo district.

xuezheng run --demo        (prints the password)
python tools/pictures.py http://127.0.0.1:8000 PASSWORD
"""

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
DESK, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
#: name -> (who, window, path, language)
PICTURES = {
    "board.zh": ("director", DESK, "/board/", "zh-CN"),
    "board.en": ("director", DESK, "/board/", "en-GB"),
    "commitment.zh": ("deputy-support", DESK, "/plans/1/2.2-06/", "zh-CN"),
    "hazard-phone.zh": ("school", PHONE, "/hazards/report/", "zh-CN"),
}


def main(address: str, password: str) -> None:
    """Sign in as each person and keep the first screen of each page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        for name, (who, window, path, locale) in PICTURES.items():
            page = browser.new_context(viewport=window, locale=locale, base_url=address).new_page()
            page.goto("/sign-in/")
            page.locator("input[name=username]").fill(who)
            page.locator("input[name=password]").fill(password)
            page.locator("main form:has([name=password]) button[type=submit]").click()
            page.goto(path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])

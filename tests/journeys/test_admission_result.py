"""From the frozen roll to a result that a stranger checks with the published script and files alone."""

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

NAMES = ("draw.json", "roll.txt", "allocation.json", "result.json", "replay.py")


def test_freeze_draw_allocate_publish_and_replay(site, sign_in, browser, tmp_path: Path) -> None:
    season = site.query("SELECT id FROM admissions_season WHERE state = 'checking'")[0][0]
    officer = sign_in("admissions")
    officer.goto(f"/admissions/seasons/{season}/results/")
    officer.get_by_role("link", name="封存名册").click()
    reason = officer.get_by_label("理由")
    if reason.is_visible():
        reason.fill("补正期已过，未核验的另行处理")
    officer.get_by_role("button", name="封存名册").click()
    officer.wait_for_url(re.compile(r"/freezes/"))
    officer.goto(f"/admissions/seasons/{season}/results/")
    officer.get_by_role("link", name="准备抽签").click()
    officer.get_by_label("公开值来源").fill("次日上证指数收盘")
    officer.get_by_role("button", name="生成承诺值").click()
    officer.wait_for_url(re.compile(r"/draws/\d+/$"))

    # On stage by keyboard alone: the box for the digit has the focus after each.
    for digit in "314159":
        count = officer.locator(".stage-digit:not(.stage-digit--open)").count()
        expect(officer.get_by_label(f"第 {count + 1} 位")).to_be_focused()
        officer.keyboard.type(digit)
        officer.keyboard.press("Tab")
        officer.keyboard.type("7号座位")
        officer.keyboard.press("Tab")
        if not officer.locator("#id_witnesses").input_value():
            officer.keyboard.type("公证员")
        officer.keyboard.press("Enter")
        expect(officer.locator(".stage-digit:not(.stage-digit--open)")).to_have_count(count + 1)
    officer.get_by_label("次日上证指数收盘").fill("3121.40")
    officer.get_by_label("次日上证指数收盘").press("Enter")
    officer.get_by_role("button", name="打开密值").click()
    expect(officer.locator(".stage-seed")).to_have_text(re.compile(r"^[0-9a-f]{64}$"))

    officer.goto(f"/admissions/seasons/{season}/results/")
    officer.get_by_role("button", name="分配").click()
    officer.wait_for_url(re.compile(r"/allocations/\d+/$"))
    run = officer.url
    officer.goto(f"/admissions/seasons/{season}/what-if/")
    officer.get_by_label("假设名称").fill("志愿优先")
    officer.get_by_label("分配方式").select_option("immediate_acceptance")
    officer.get_by_role("button", name="试算").click()
    expect(officer.locator("main")).to_contain_text("正式分配")

    leader = sign_in("director")
    leader.goto(f"{run}publish/")
    leader.get_by_role("button", name="公布").click()
    expect(leader.locator("main h1")).to_have_text("抽签和分配")
    offers = site.query(
        "SELECT count(*) FROM admissions_offer o JOIN admissions_allocation a"
        " ON a.id = o.allocation_id WHERE a.season_id = %s",
        season,
    )
    assert offers[0][0] > 0

    visitor = browser.new_context(base_url=site.url, locale="zh-CN").new_page()
    visitor.goto(f"/enrol/proof/{season}/")
    for name in NAMES:
        with visitor.expect_download() as download:
            visitor.get_by_role("link", name=name, exact=True).click()
        download.value.save_as(tmp_path / name)
    command = [sys.executable, "-I", "replay.py", *NAMES[:4]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{offers[0][0]} children, 0 problems" in done.stdout
    result = (tmp_path / "result.json").read_text(encoding="utf-8")
    first, second = sorted(set(re.findall(r'": "([^"]+)",\n', result)))[:2]
    (tmp_path / "result.json").write_text(result.replace(f'": "{first}"', f'": "{second}"', 1))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1

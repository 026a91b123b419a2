"""The plan office's week: minutes into the plan, a sheet out and back, a bulletin with its figures."""

import datetime as dt
import re
from pathlib import Path

import docx
from playwright.sync_api import expect

from tests.journeys.conftest import PHONE


def test_minutes_sheet_bulletin(site, sign_in, tmp_path: Path) -> None:
    source = site.query("SELECT id FROM workplan_source WHERE kind = 'minutes'")[0][0]
    office = sign_in("plan")
    office.goto(f"/sources/{source}/")
    office.get_by_role("button", name="从纪要识别任务").click()
    office.wait_for_url(re.compile(r"/review/$"))
    while office.get_by_role("button", name="核清").count():
        office.locator("input[name=resolution]").first.fill("已核对")
        office.get_by_role("button", name="核清").first.click()
        office.wait_for_load_state()
    for box in office.locator("input[name=commitment]").all():
        box.check()
    office.get_by_label("牵头科室").select_option(label="基础教育科")
    office.get_by_label("完成期限").fill(f"{dt.date.today().year}-12-31")
    office.get_by_role("button", name="设置勾选的任务").click()
    office.get_by_role("link", name="回到会议纪要").click()
    office.get_by_label("修改理由").fill("专题会议定")
    office.get_by_role("button", name="并入年度计划").click()
    expect(office.locator("main")).to_contain_text("基础教育科")

    office.locator("main table a").first.click()
    office.get_by_role("link", name="签发督办单").click()
    office.get_by_label("督办事由").fill("会议定了时间，还没有方案。")
    office.get_by_label("办理要求").fill("三天内报方案。")
    office.get_by_role("button", name="签发").click()
    expect(office.locator("main")).to_contain_text("待签收")
    address = office.url
    head = sign_in("office-basic", PHONE)
    head.goto("/inbox/?kind=supervision")
    expect(head.locator("main")).to_contain_text("督办单")
    head.goto(address)
    head.get_by_role("button", name="签收").click()
    expect(head.locator("main")).to_contain_text("办理中")
    head.get_by_label("办理情况").fill("方案已报，责任到人。")
    head.get_by_role("button", name="回复办理情况").click()
    expect(head.locator("main")).to_contain_text("待审核")
    office.goto(address)
    office.locator("label", has_text="同意办结").click()
    office.get_by_role("button", name="提交审核结论").click()
    expect(office.locator("main")).to_contain_text("已办结")

    office.goto("/drafts/add/")
    office.locator("label", has_text="督查通报").click()
    office.get_by_role("button", name="起草").click()
    office.wait_for_url(re.compile(r"/drafts/\d+/$"))
    total = office.locator("tr", has_text="任务总数").locator(".figure").inner_text()
    with office.expect_download() as download:
        office.get_by_role("link", name="Word 文件").click()
    kept = tmp_path / "bulletin.docx"
    download.value.save_as(kept)
    words = "".join(paragraph.text for paragraph in docx.Document(str(kept)).paragraphs)
    assert f"任务共{total}项" in words
    office.goto("/board/")
    expect(office.locator("main")).to_contain_text(f"{total} 项任务")

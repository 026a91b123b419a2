"""A plan goes in, is settled, adopted, carried out; leaders decide; every light opens on its rows."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.district import photo
from tests.journeys.conftest import PHONE

PLAN = """汐澜区教育局{year}年工作要点
一、保障
（一）条件
1.改善校舍。新建幼儿园2所，力争年底前启用。（牵头单位：计财基建科；配合单位：学前教育科）
2.守住安全。学校隐患整改率不低于95%。（牵头单位：安全管理科）
（二）规章
1.修订制度。印发食堂管理办法。（牵头单位：办公室）
"""


def test_from_paste_to_adoption(site, sign_in) -> None:
    year = int(site.query("SELECT max(year) FROM workplan_plan")[0][0]) + 1
    page = sign_in("plan")
    page.goto("/plans/import/")
    page.get_by_role("button", name="导入并审核").click()
    expect(page.locator("main")).to_contain_text("二选一")
    page.get_by_label("或粘贴全文").fill(PLAN.format(year=year))
    page.get_by_role("button", name="导入并审核").click()
    page.wait_for_url(re.compile(r"/review/"))
    expect(page.locator("h1")).to_contain_text(str(year))
    expect(page.locator("main")).to_contain_text("2所")
    expect(page.locator("main")).to_contain_text("安全管理科")
    while page.get_by_role("button", name="核清").count():
        page.locator("input[name=resolution]").first.fill("已核对")
        page.get_by_role("button", name="核清").first.click()
        page.wait_for_load_state()
    page.get_by_label("会议纪要编号").fill("局务会〔1〕号")
    page.get_by_role("button", name="印发并交办").click()
    expect(page.locator("main")).to_contain_text("未定期限")  # the desk says what stands in the way

    for box in page.locator("input[name=commitment]").all():
        box.check()
    page.get_by_label("开始日").fill(f"{year}-01-10")
    page.get_by_label("完成期限").fill(f"{year}-12-20")
    page.get_by_label("分管领导").select_option(index=1)
    page.get_by_role("button", name="设置勾选的任务").click()
    expect(page.locator("main")).not_to_contain_text("未定期限")
    page.get_by_label("会议纪要编号").fill("局务会〔1〕号")
    page.get_by_role("button", name="印发并交办").click()
    page.wait_for_url(re.compile(r"/plans/\d+/$"))
    expect(page.locator("main")).to_contain_text("新建幼儿园2所")
    page.goto(page.url + "versions/")
    expect(page.locator("main")).to_contain_text("局务会〔1〕号")


def test_report_check_and_more_time(site, sign_in, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.jpg"
    evidence.write_bytes(photo().read())
    number = site.query(
        "SELECT c.number FROM cases_case c JOIN access_organisation o ON o.id = c.organisation_id"
        " WHERE c.kind = 'milestone' AND c.state = 'planned' AND o.code = 'XL-JJ'"
        " AND c.due > now() ORDER BY c.due, c.id LIMIT 1"
    )[0][0]
    office = sign_in("office-basic")
    office.goto(f"/milestones/{number}/")
    office.get_by_label("完成情况").fill("已按方案完成")
    office.locator("input[type=file]").first.set_input_files(str(evidence))
    office.get_by_role("button", name="报告完成").click()
    expect(office.locator("main")).to_contain_text("待核验")

    plan = sign_in("plan")
    plan.goto("/inbox/")
    expect(plan.locator("main")).to_contain_text(number)
    plan.goto(f"/milestones/{number}/")
    plan.get_by_role("button", name="核验通过").click()
    expect(plan.locator("main")).to_contain_text("已完成")

    leader = sign_in("deputy-support", PHONE)
    leader.goto("/board/")
    leader.locator(".board-decisions a").first.wait_for()
    leader.goto("/inbox/?kind=extension")
    leader.locator("td a").first.click()
    leader.locator("input[name=granted][value=yes]").check(force=True)
    leader.get_by_role("button", name="提交审批意见").click()
    expect(leader.locator("main")).to_contain_text("已同意")


def test_each_light_drills_to_the_rows(site, sign_in) -> None:
    leader = sign_in("director")
    leader.goto("/board/")
    leader.locator(".board-tile").filter(has_text="滞后").click()
    expect(leader.locator("main")).to_contain_text("落后序时")
    leader.goto("/board/")
    leader.get_by_role("link", name="全部任务").click()
    leader.goto(leader.url + "?q=隐患按期整改")
    leader.locator("td.cell-title a").first.click()
    leader.locator("a:has(.figure)").first.click()
    leader.get_by_role("link", name="未计入分子").click()
    leader.locator("td.cell-main a").first.click()
    expect(leader.locator("main")).to_contain_text("办理经过")


def test_an_override_shows_as_one(site, sign_in) -> None:
    page = sign_in("plan")
    page.goto("/board/")
    page.locator("td.cell-title a").first.click()
    page.locator("summary", has_text="人工调整亮灯").click()
    page.get_by_label("正常").check(force=True)
    page.get_by_label("理由").fill("现场已核实")
    today = site.query("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date::text")[0][0]
    page.get_by_label("有效至").fill(today)
    page.get_by_role("button", name="调整", exact=True).click()
    expect(page.locator("main")).to_contain_text("按规则应为")
    expect(page.locator("main")).to_contain_text("现场已核实")

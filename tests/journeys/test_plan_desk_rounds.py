"""A round of reports from office to plan office, an outside unit by its link, a change in mid-year."""

import datetime as dt
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.district import photo
from tests.journeys.conftest import PHONE

#: An open report of the office of basic education: number, plan, code, title, leader's account.
OPEN_REPORT = (
    "SELECT c.number, cm.plan_id, cm.code, cm.title, u.username"
    " FROM workplan_roundreport rr JOIN cases_case c ON c.id = rr.case_id"
    " JOIN workplan_commitment cm ON cm.id = rr.commitment_id"
    " JOIN access_organisation o ON o.id = c.organisation_id"
    " JOIN access_user u ON u.id = cm.leader_id"
    " WHERE rr.state = 'filling' AND o.code = 'XL-JJ' ORDER BY c.id LIMIT 1"
)
#: A task with nothing open: plan, code, accounts of the office's head and of its leader.
READY = (
    "SELECT cm.plan_id, cm.code, h.username, u.username FROM workplan_commitment cm"
    " JOIN access_post p ON p.organisation_id = cm.lead_office_id AND p.role = 'office_head'"
    " JOIN access_user h ON h.id = p.user_id JOIN access_user u ON u.id = cm.leader_id"
    " JOIN workplan_plan pl ON pl.id = cm.plan_id"
    " WHERE pl.status = 'adopted' AND cm.accepted_on IS NULL AND NOT cm.withdrawn"
    " AND NOT EXISTS (SELECT 1 FROM workplan_milestone m WHERE m.commitment_id = cm.id"
    "  AND m.state NOT IN ('accepted', 'withdrawn'))"
    " AND NOT EXISTS (SELECT 1 FROM workplan_closing x WHERE x.commitment_id = cm.id"
    "  AND x.state IN ('applied', 'checked'))"
    " ORDER BY cm.id LIMIT 1"
)


def test_a_report_is_returned_mended_and_taken_in(site, sign_in) -> None:
    number, *_rest, title, leader_name = site.query(OPEN_REPORT)[0]
    address = f"/rounds/reports/{number}/"
    head, leader = sign_in("office-basic", PHONE), sign_in(leader_name, PHONE)
    plan = sign_in("plan")

    def tell(text: str) -> None:
        head.goto(address)
        head.get_by_label("本期进展").fill(text)
        head.get_by_role("button", name="报出", exact=True).click()
        expect(head.locator("main")).to_contain_text("待分管领导签字")
        leader.goto("/inbox/?kind=round_report")
        expect(leader.locator("main")).to_contain_text(title)
        leader.goto(address)
        leader.get_by_role("button", name="签字", exact=True).click()
        expect(leader.locator("main")).to_contain_text("待办公室审核")

    tell("正在推进。")
    plan.goto(address)
    plan.locator("summary", has_text="退回").click()
    form = plan.locator("form[action*='/return/']")
    form.get_by_label("理由").fill("没有数字，请补充完成几所。")
    form.locator("button[type=submit]").click()
    expect(plan.locator("main")).to_contain_text("待填报")
    head.goto("/rounds/mine/")
    expect(head.locator("main")).to_contain_text("被退回过")
    head.goto(address)
    expect(head.locator("main")).to_contain_text("没有数字，请补充完成几所。")
    tell("已完成三所，余下两所下月开工。")
    plan.goto(address)
    plan.get_by_role("button", name="收下", exact=True).click()
    expect(plan.locator("main")).to_contain_text("已收")
    expect(plan.locator("main")).to_contain_text("退回 1 次")


def test_an_outside_unit_answers_once_by_its_link(site, sign_in, browser) -> None:
    number, *_rest, title, _leader = site.query(OPEN_REPORT)[0]
    head = sign_in("office-basic")
    head.goto(f"/rounds/reports/{number}/")
    head.locator("summary", has_text="请局外单位说明").click()
    head.get_by_label("局外单位", exact=True).fill("汐澜区卫生健康局")
    head.get_by_label("请说明什么").fill("联合检查安排在哪一周？")
    head.get_by_role("button", name="生成一次性链接").click()
    link = head.get_by_label("汐澜区卫生健康局").input_value()
    assert "/outside/" in link

    context = browser.new_context(viewport=PHONE, locale="zh-CN")
    unit = context.new_page()
    unit.goto(link)
    expect(unit.locator("main")).to_contain_text(title)
    expect(unit.locator("main")).to_contain_text("联合检查安排在哪一周？")
    assert unit.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    unit.get_by_role("button", name="提交答复").click()
    expect(unit.get_by_role("alert")).to_be_visible()
    unit.get_by_label("答复", exact=True).fill("安排在十二月第一周，两家一起去。")
    unit.get_by_role("button", name="提交答复").click()
    expect(unit.locator("main")).to_contain_text("答复已收到")
    assert unit.goto(link).status == 410
    assert "/sign-in/" in (unit.goto(f"{site.url}/rounds/reports/{number}/") and unit.url)
    context.close()

    head.goto(f"/rounds/reports/{number}/")
    expect(head.locator("main")).to_contain_text("安排在十二月第一周，两家一起去。")


def test_a_change_in_mid_year_is_seen_in_the_table_and_the_history(site, sign_in) -> None:
    _number, plan_id, code, _title, _leader = site.query(OPEN_REPORT)[0]
    due = dt.date(dt.date.today().year, 12, 30)
    office = sign_in("plan")
    office.goto(f"/plans/{plan_id}/{code}/edit/")
    office.get_by_label("完成期限").fill(due.isoformat())
    office.get_by_role("button", name="保存", exact=True).click()
    # Without a reason nothing is kept, and what was typed stands.
    expect(office.locator("[aria-invalid=true]").first).to_be_visible()
    expect(office.get_by_label("完成期限")).to_have_value(due.isoformat())
    office.get_by_label("修改理由").fill("汛期停工三十天")
    office.get_by_label("会议纪要编号").fill("局务会〔9〕号")
    office.get_by_role("button", name="保存", exact=True).click()
    expect(office.get_by_text("已保存")).to_be_visible()
    office.goto(f"/plans/{plan_id}/{code}/")
    expect(office.locator("main")).to_contain_text("12月30日")
    office.goto(f"/plans/{plan_id}/versions/")
    expect(office.locator("main")).to_contain_text("汛期停工三十天")
    expect(office.locator("main")).to_contain_text("局务会〔9〕号")
    office.goto(f"/plans/{plan_id}/?q={code}")
    expect(office.locator("main table")).to_contain_text(due.isoformat())


def test_what_is_done_is_closed_by_two_others(site, sign_in, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.jpg"
    evidence.write_bytes(photo().read())
    # A task whose milestones are all done, of whatever office: its head's account is made from it.
    plan_id, code, head_name, leader_name = site.query(READY)[0]
    head = sign_in(head_name, PHONE)
    head.goto(f"/plans/{plan_id}/{code}/close/")
    head.get_by_label("完成情况").fill("各项已完成，见附件。")
    head.locator("input[type=file]").first.set_input_files(str(evidence))
    head.locator("main form button[type=submit]").last.click()
    head.wait_for_url(re.compile(r"/closings/[^/]+/$"))
    address = head.url
    plan, leader = sign_in("plan"), sign_in(leader_name, PHONE)
    plan.goto(address)
    plan.get_by_role("button", name="核查通过", exact=True).click()
    expect(plan.locator("main")).to_contain_text("待批准")
    leader.goto(address)
    leader.get_by_role("button", name="批准销号", exact=True).click()
    expect(leader.locator("main")).to_contain_text("已销号")

"""A school on the day of arrival: roll call, registry, pupil-status file, balanced classes."""

import io
import json
import re

import openpyxl
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PHONE
from tests.journeys.test_every_page import violations

#: The secretary of the demo's primary school that has the most to do.
DESK_PAGE = "/admissions/school/"
PLACED = (
    "SELECT c.state, count(*) FROM admissions_application a JOIN cases_case c ON c.id = a.case_id"
    " JOIN access_organisation o ON o.id = c.organisation_id"
    " WHERE a.season_id = %s AND o.code = %s GROUP BY 1"
)


def whole(page: Page) -> None:
    """What every page promises."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_new_children_from_the_gate_to_their_classes(site, sign_in, browser) -> None:
    # On the gate, on a phone: who came, then who did not.
    gate = sign_in("school", PHONE)
    gate.goto(DESK_PAGE)
    gate.get_by_role("link", name="报到登记").first.click()
    gate.wait_for_url(re.compile(r"/call/$"))
    season, code = re.search(r"/school/(\d+)/(\w+)/call/", gate.url).groups()

    def states() -> dict[str, int]:
        return dict(site.query(PLACED, int(season), code))

    total = states()["placed"]
    assert total >= 3
    whole(gate)
    gate.get_by_label("全选").check()
    gate.locator(".school-call input").first.uncheck()
    missing = gate.locator(".school-call-name").first.inner_text()
    gate.get_by_role("button", name="到了").click()
    expect(gate.locator("body")).to_contain_text(f"{total - 1}人已报到")
    expect(gate.locator(".school-call-name")).to_have_text([missing])
    gate.locator(".school-call input").check()
    gate.get_by_role("button", name="没来，转镇街追踪").click()
    expect(gate.locator("main")).to_contain_text("全部登记完了")
    assert states() == {"arrived": total - 1, "absent": 1}
    whole(gate)

    # At the desk: the file for the national system, with whole numbers against a reason.
    desk = sign_in("school")
    desk.goto(DESK_PAGE)
    whole(desk)
    desk.get_by_role("link", name="学籍导入文件").first.click()
    whole(desk)
    leave_out = desk.get_by_label("有问题的先不放进文件")
    if leave_out.count():
        leave_out.check()
    desk.get_by_label("用途").fill("新生注册导入全国学籍系统")
    with desk.expect_download() as download:
        desk.get_by_role("main").get_by_role("button").last.click()
    content = download.value.path().read_bytes()
    rows = list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))
    numbers = [
        cell for row in rows for cell in row if re.fullmatch(r"999900\d{11}[\dX]", str(cell))
    ]
    assert len(set(numbers)) >= total - 1

    # Balanced classes: list and promise, digits, classes; the registry has them.
    desk.goto(DESK_PAGE)
    desk.get_by_role("link", name="阳光分班").first.click()
    whole(desk)
    desk.get_by_label("班数").fill("2")
    desk.get_by_role("button", name="封存名单，生成承诺").click()
    desk.get_by_label("现场摸出的数字").fill("271828")
    desk.get_by_label("见证人").fill("家长代表3人、责任督学")
    whole(desk)
    desk.get_by_role("button", name="开启密值，分班").click()
    expect(desk.locator(".school-classes section")).to_have_count(2)
    sizes = [
        section.locator("li").count() for section in desk.locator(".school-classes section").all()
    ]
    assert sum(sizes) == total - 1
    assert max(sizes) - min(sizes) <= 1
    whole(desk)
    desk.get_by_role("button", name="按结果建班").click()
    expect(desk.locator("body")).to_contain_text(re.compile(r"新建\d+人，由前一学段转接\d+人"))
    placed = site.query(
        "SELECT k.number, count(*) FROM admissions_application a"
        " JOIN admissions_rollentry e ON e.id = a.entry_id"
        " JOIN registry_pupil p ON p.id = e.pupil_id"
        " JOIN registry_schoolclass k ON k.id = p.school_class_id"
        " JOIN admissions_season s ON s.id = a.season_id AND k.entry_year = s.year"
        " JOIN access_organisation o ON o.id = k.organisation_id"
        " WHERE a.season_id = %s AND o.code = %s AND a.state = 'arrived' GROUP BY 1 ORDER BY 1",
        int(season), code,
    )  # fmt: skip
    assert [count for _number, count in placed] == sizes

    # Said twice, nothing doubles.
    desk.goto(DESK_PAGE)
    desk.get_by_role("button", name="已报到的录入学籍").first.click()
    expect(desk.locator("body")).to_contain_text(f"已在册{total - 1}人")

    # A stranger reads the draw, and finds no name.
    draw = site.query("SELECT id FROM admissions_classdraw WHERE season_id = %s", int(season))[0][0]
    stranger = browser.new_context(base_url=site.url, locale="zh-CN").new_page()
    stranger.goto(f"/enrol/classes/{draw}/")
    whole(stranger)
    answer = stranger.request.get(f"{site.url}/enrol/classes/{draw}/proof.json")
    assert sorted(json.loads(answer.text())["classes"].values()).count(1) == sizes[0]
    assert missing not in answer.text()

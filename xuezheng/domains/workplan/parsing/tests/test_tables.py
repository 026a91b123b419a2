"""Task tables in .xlsx and .docx."""

import io

import docx
import openpyxl
import pytest

from xuezheng.domains.workplan.parsing import parse_file

HEADER = [
    "序号",
    "重点任务",
    "工作举措及目标",
    "完成时限",
    "责任领导",
    "牵头科室",
    "配合科室",
    "责任人",
    "进展情况",
]
ROWS = [
    [1, "扩充学位", "1.新建小学2所，新增学位1800个。\n2.普惠率达92%以上。", "2025年12月", "甲", "规划科", "人事科、计财科", "乙", "开工"],
    [None, None, "改造幼儿园3所", "9月底", None, None, None, None, None],
    [2, "充实队伍", "招聘教师120名", None, "丙", "人事科", None, None, None],
    ["校园安全", None, None, None, None, None, None, None, None],
    [3, "应急演练", "每学期开展演练不少于2次；落实值守制度", "全年", None, "安稳科", "各学校", None, None],
]  # fmt: skip


@pytest.fixture(scope="module")
def plan():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "分解表"
    sheet.append(["云岭县教育局2025年重点任务分解表"])
    sheet.append(HEADER)
    for row in ROWS:
        sheet.append(row)
    sheet.merge_cells("A1:I1")
    sheet.merge_cells("A3:A4")
    sheet.merge_cells("B3:B4")
    sheet.merge_cells("F3:F4")
    sheet.merge_cells("A6:I6")
    buffer = io.BytesIO()
    book.save(buffer)
    return parse_file(buffer.getvalue(), "table.xlsx")


def test_head(plan):
    assert (plan.title, plan.issuer, plan.year) == (
        "云岭县教育局2025年重点任务分解表",
        "云岭县教育局",
        2025,
    )


def test_groups_and_tasks_are_sections(plan):
    assert [(h.number, h.title, h.level) for h in plan.sections] == [
        ("1", "扩充学位", 1),
        ("2", "充实队伍", 1),
        ("", "校园安全", 1),
    ]
    (drill,) = plan.sections[2].children
    assert (drill.number, drill.title, drill.path) == ("3", "应急演练", "校园安全/3")


def test_cells_become_commitments_at_their_place(plan):
    assert [(c.section, c.text) for c in plan.commitments] == [
        ("1", "新建小学2所，新增学位1800个。"),
        ("1", "普惠率达92%以上。"),
        ("1", "改造幼儿园3所"),
        ("2", "招聘教师120名"),
        ("校园安全/3", "每学期开展演练不少于2次；"),
        ("校园安全/3", "落实值守制度"),
    ]
    for item in (*plan.commitments, *plan.targets):
        assert plan.text[item.start : item.end] == item.text


def test_the_date_of_a_row_is_the_period_of_its_targets(plan):
    assert [(t.value, t.unit, t.period) for t in plan.targets] == [
        (2, "所", "2025年12月"),
        (1800, "个", "2025年12月"),
        (92, "%", "2025年12月"),
        (3, "所", "9月底"),
        (120, "名", None),
        (2, "次", "每学期"),
    ]


def test_units_and_rows(plan):
    units = {u.section: (u.lead, u.support) for u in plan.responsible_units}
    assert units["1"] == (["规划科"], ["人事科", "计财科"])
    assert units["校园安全/3"] == (["安稳科"], ["各学校"])
    rows = plan.as_json()["rows"]
    assert [row["row"] for row in rows] == [3, 4, 5, 7]
    assert rows[1]["task"] == "扩充学位" and rows[1]["no"] == "1"
    assert rows[0]["leader"] == "甲" and rows[0]["progress"] == "开工"


def test_table_in_a_word_file_with_other_headers():
    document = docx.Document()
    document.add_paragraph("东港镇2026年民生项目任务分解表")
    table = document.add_table(rows=0, cols=5)
    for cells in (
        ["项目", "具体措施", "完成时间", "责任单位", "协办单位"],
        ["供水", "铺设管网12公里", "6月", "水利站", "财政所"],
        ["", "新建泵站1座", "8月", "", ""],
        ["道路", "硬化村道8公里以上", "年底前", "交通站 城建办", ""],
    ):
        for cell, text in zip(table.add_row().cells, cells, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    plan = parse_file(buffer.getvalue(), "x.docx")
    assert [h.title for h in plan.sections] == ["供水", "道路"]
    assert [(t.value, t.unit, t.comparator) for t in plan.targets] == [
        (12, "公里", "="),
        (1, "座", "="),
        (8, "公里", ">="),
    ]
    assert plan.responsible_units[0].support == ["财政所"]
    assert plan.responsible_units[1].lead == ["交通站", "城建办"]

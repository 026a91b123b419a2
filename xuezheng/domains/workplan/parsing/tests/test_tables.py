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


def sheet_bytes(rows: list[list], merged: tuple[str, ...] = ()) -> bytes:
    """A workbook of one sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for area in merged:
        book.active.merge_cells(area)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_list_of_duties_with_a_header_of_two_rows():
    data = sheet_bytes(
        [
            ["附件1"],
            ["岚河县2026年民生实事责任清单"],
            ["序号", "实事名称", "建设内容及规模", "总投资", "完成时限", "责任分工", None],
            [None, None, None, None, None, "牵头单位", "配合单位"],
            ["一", "教育类"],
            [1, "学校食堂提升", "改造学校食堂24个", 1200, "10月底", "县教育局", "县市场监管局、各乡镇"],
            [2, "校园饮水", "安装直饮水设备180台", 360, "9月底", "县教育局", None],
            ["二", "卫健类"],
            [3, "村卫生室", "新建村卫生室15所；改造22所", 900, "11月底", "县卫健局", None],
            ["合计", None, None, 2460],
        ],
        ("A1:G1", "A2:G2", "F3:G3", "A3:A4", "B3:B4", "C3:C4", "D3:D4", "E3:E4"),
    )  # fmt: skip
    plan = parse_file(data, "清单.xlsx")
    assert (plan.title, plan.year) == ("岚河县2026年民生实事责任清单", 2026)
    assert [(h.path, [c.path for c in h.children]) for h in plan.sections] == [
        ("一", ["一/1", "一/2"]),
        ("二", ["二/3"]),
    ]
    assert [(t.section, t.value, t.unit, t.period) for t in plan.targets] == [
        ("一/1", 24, "个", "10月底"),
        ("一/2", 180, "台", "9月底"),
        ("二/3", 15, "所", "11月底"),
        ("二/3", 22, "所", "11月底"),
    ]
    assert plan.responsible_units[0].support == ["县市场监管局", "各乡镇"]


def test_indicators_with_unit_and_value_in_cells_of_their_own():
    data = sheet_bytes(
        [
            ["滨湖区教育局2026年教育发展指标任务分解表"],
            ["序号", "指标名称", "单位", "2025年实际", "2026年目标", "责任单位"],
            [1, "学前三年毛入园率", "%", 95.2, 96, "学前科"],
            [2, "新增学位", "个", None, "≥3000", "计财科"],
            [3, "校园安全责任事故", "起", 0, 0, "安稳科"],
        ]
    )
    plan = parse_file(data, "指标.xlsx")
    assert [(t.section, t.value, t.unit, t.comparator) for t in plan.targets] == [
        ("1", 96, "%", "="),
        ("2", 3000, "个", ">="),
        ("3", 0, "起", "="),
    ]
    assert [c.text for c in plan.commitments] == [
        "学前三年毛入园率\t96",
        "新增学位\t≥3000",
        "校园安全责任事故\t0",
    ]
    for item in (*plan.commitments, *plan.targets):
        assert plan.text[item.start : item.end] == item.text

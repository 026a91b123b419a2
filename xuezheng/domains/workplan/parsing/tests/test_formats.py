"""One small plan in every format gives one parse; what cannot be read is refused in Chinese."""

import io
import re
import time
import zipfile
from typing import Any

import docx
import openpyxl
import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from xuezheng.domains.workplan.parsing import Plan, PlanError, parse_file, parse_text

LINES = [
    "柏林镇中心幼儿园2026年工作计划",
    "一、改善园舍",
    "（一）完成2间活动室防水维修，更换小床60张。（责任部门：后勤组）",
    "（二）力争户外活动场地达标率达95%以上。",
    "二、家园联系",
    "每学期召开家长会不少于2次，家访率100%。",
]
TEXT = "\n".join(LINES)


def essence(plan: Plan) -> Any:
    """What must be the same in every format."""
    return (
        plan.title,
        plan.issuer,
        plan.year,
        [(h.path, [c.path for c in h.children]) for h in plan.sections],
        [(t.section, t.value, t.unit, t.comparator, t.hedged) for t in plan.targets],
        [(u.section, u.lead) for u in plan.responsible_units],
    )


ESSENCE = (
    "柏林镇中心幼儿园2026年工作计划",
    "柏林镇中心幼儿园",
    2026,
    [("一", ["一/（一）", "一/（二）"]), ("二", [])],
    [
        ("一/（一）", 2, "间", "=", False),
        ("一/（一）", 60, "张", "=", False),
        ("一/（二）", 95, "%", ">=", True),
        ("二", 2, "次", ">=", False),
        ("二", 100, "%", "=", False),
    ],
    [("一/（一）", ["后勤组"])],
)


def packed(document: Any) -> bytes:
    """A Word file or workbook as bytes."""
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def word(*, table: bool = False) -> bytes:
    """The plan as .docx, perhaps with a task table below it."""
    document = docx.Document()
    for line in LINES:
        document.add_paragraph(line)
    if table:
        grid = document.add_table(rows=2, cols=3)
        for cell, words in zip(grid.rows[0].cells, ("任务", "具体措施", "责任部门"), strict=True):
            cell.text = words
        for cell, words in zip(grid.rows[1].cells, ("园舍", "维修活动室", "后勤组"), strict=True):
            cell.text = words
    return packed(document)


def pdf() -> bytes:
    """The plan as a PDF with a text layer."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    page.setFont("STSong-Light", 11)
    for number, line in enumerate(LINES):
        page.drawString(60, 780 - 20 * number, line)
    page.save()
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (TEXT.encode(), "计划.txt"),
        (TEXT.encode("utf-8-sig"), "计划.txt"),
        (TEXT.encode("gb18030"), "计划.txt"),
        (TEXT.encode("utf-16"), "计划.TXT"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "计划.txt"),
        (TEXT.replace("\n", "\r\n").encode(), "计划.txt"),
        (word(), "计划.docx"),
        (pdf(), "计划.pdf"),
    ],
    ids=["utf-8", "bom", "gb18030", "utf-16", "utf-16-be", "crlf", "docx", "pdf"],
)
def test_every_format_gives_the_same_plan(data: bytes, name: str) -> None:
    """Sections, targets and units do not depend on the file."""
    assert essence(parse_file(data, name)) == ESSENCE


def test_pasted_text() -> None:
    """So does text from the clipboard, with its blank lines and wide blanks."""
    assert essence(parse_text("\r\n\r\n　　" + TEXT.replace("\n", "\r\n\r\n　　"))) == ESSENCE


def test_a_short_word_plan_with_a_table_gives_rows() -> None:
    """A task table inside a Word file is read."""
    plan = parse_file(word(table=True), "计划.docx")
    assert [(row["task"], row["lead"]) for row in plan.rows] == [("园舍", ["后勤组"])]
    assert plan.year == 2026


def test_a_word_file_with_a_table_that_is_no_task_table() -> None:
    """Its cells are text of the plan and take nothing away from it."""
    document = docx.Document()
    for line in LINES:
        document.add_paragraph(line)
    grid = document.add_table(rows=1, cols=2)
    grid.rows[0].cells[0].text, grid.rows[0].cells[1].text = "电话", "已登记"
    assert essence(parse_file(packed(document), "计划.docx")) == ESSENCE


def _zip(name: str, size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"0" * size)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "计划.txt"),
        (b" \r\n\t", "计划.txt"),
        ("。！；".encode(), "计划.txt"),
        (word()[:900], "计划.docx"),
        (pdf()[:300], "计划.pdf"),
        (_zip("note.txt", 10), "计划.docx"),
        (_zip("note.txt", 10), "计划.xlsx"),
        (_zip("note.txt", 10), "计划.zip"),
        (_zip("word/document.xml", 210 * 1024 * 1024), "计划.docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "计划.doc"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "加密.docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "计划.xls"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "扫描.png"),
        (b"\x00\x01\x02" * 50, "计划.txt"),
        (b"a" * (20 * 1024 * 1024 + 1), "计划.txt"),
        (b"a" * 1_000_001, "计划.txt"),
        ("春眠不觉晓，处处闻啼鸟。".encode(), "诗.txt"),
        (packed(openpyxl.Workbook()), "空.xlsx"),
        (packed(docx.Document()), "空.docx"),
    ],
)
def test_refused_in_chinese(data: bytes, name: str) -> None:
    """Whatever is no plan is refused with a sentence for the officer."""
    with pytest.raises(PlanError) as refusal:
        parse_file(data, name)
    assert re.search(r"[\u4e00-\u9fff]{4}", str(refusal.value))


HEADER = ["序号", "重点任务", "具体措施", "完成时限", "牵头科室", "配合科室"]


def workbook() -> bytes:
    """Two sheets with title rows, merged and continued cells, and group rows."""
    book = openpyxl.Workbook()
    first = book.active
    first.title = "供水"
    for row in (
        ["临溪县水利局2026年重点任务分解表"],
        HEADER,
        ["（一）城区供水"],
        [1, "改造管网", "更换老旧管道12公里", "9月底", "供水科", "财务科、办公室"],
        [None, None, "新装智能水表3000块以上", "10月底", None, None],
        ["（二）农村供水"],
        [2, "建设水厂", "新建水厂2座", "年底前", "建设科", None],
        [3, "检测水质", "合格率达98%以上", None, "水质科", None],
    ):
        first.append(row)
    first.merge_cells("A1:F1")
    first.merge_cells("A3:F3")
    first.merge_cells("A6:F6")
    for column in "ABEF":
        first.merge_cells(f"{column}4:{column}5")
    second = book.create_sheet("排水")
    second.append(HEADER)
    second.append([1, "清淤", "清淤沟渠30公里", "汛期前", "排水科", None])
    return packed(book)


def test_task_table_of_two_sheets() -> None:
    """Groups, continued rows and both sheets."""
    plan = parse_file(workbook(), "分解表.xlsx")
    assert (plan.title, plan.year) == ("临溪县水利局2026年重点任务分解表", 2026)
    assert plan.issuer == "临溪县水利局"
    assert [(row["sheet"], row["task"]) for row in plan.rows] == [
        ("供水", "改造管网"),
        ("供水", "改造管网"),
        ("供水", "建设水厂"),
        ("供水", "检测水质"),
        ("排水", "清淤"),
    ]
    assert plan.rows[0]["lead"] == plan.rows[1]["lead"] == ["供水科"]
    assert plan.rows[1]["support"] == ["财务科", "办公室"]
    assert [(t.value, t.unit, t.comparator) for t in plan.targets] == [
        (12, "公里", "="),
        (3000, "块", ">="),
        (2, "座", "="),
        (98, "%", ">="),
        (30, "公里", "="),
    ]
    assert [h.title for h in plan.sections[:2]] == ["城区供水", "农村供水"]
    for item in (*plan.commitments, *plan.targets):
        assert plan.text[item.start : item.end] == item.text


def test_three_hundred_rows_within_two_seconds() -> None:
    """A long table does not keep the officer waiting."""
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    for number in range(1, 301):
        book.active.append(
            [number, f"任务{number}号线", f"维修道路{number}公里", "年底前", "养护科", "财务科"]
        )
    data = packed(book)
    begun = time.perf_counter()
    plan = parse_file(data, "分解表.xlsx")
    assert time.perf_counter() - begun < 2
    assert len(plan.rows) == len(plan.commitments) == len(plan.targets) == 300


def test_headings_by_word_style_alone() -> None:
    """Heading 1 and 2 without any number nest by their level; numbered lines below them too."""
    document = docx.Document()
    for style, words in (
        ("Title", "青禾县教育局2026年工作要点"),
        ("Heading 1", "办好家门口的学校"),
        ("Heading 2", "扩充学位"),
        ("Normal", "新建小学2所。"),
        ("Heading 2", "改善食堂"),
        ("Normal", "1.改造食堂18个。"),
        ("Normal", "2.配备厨师30名。"),
        ("Heading 1", "守住安全底线"),
        ("Normal", "每学期开展演练不少于2次。"),
    ):
        document.add_paragraph(words, style=style)
    plan = parse_file(packed(document), "计划.docx")
    assert plan.title == "青禾县教育局2026年工作要点"
    schools, safety = plan.sections
    assert [child.title for child in schools.children] == ["扩充学位", "改善食堂"]
    assert [child.number for child in schools.children[1].children] == ["1.", "2."]
    assert [(t.section, t.value, t.unit) for t in plan.targets] == [
        ("办好家门口的学校/扩充学位", 2, "所"),
        ("办好家门口的学校/改善食堂/1.", 18, "个"),
        ("办好家门口的学校/改善食堂/2.", 30, "名"),
        ("守住安全底线", 2, "次"),
    ]
    assert safety.level == 1


def test_numbered_headings_that_also_have_a_style() -> None:
    """A style on some of the numbered headings does not tear the tree."""
    document = docx.Document()
    for style, words in (
        ("Normal", "青禾县教育局2026年工作要点"),
        ("Heading 1", "一、资源"),
        ("Normal", "（一）学位。新建小学2所。"),
        ("Heading 2", "（二）食堂"),
        ("Normal", "改造食堂18个。"),
        ("Normal", "二、安全"),
        ("Heading 2", "（一）演练"),
        ("Normal", "开展演练4次。"),
    ):
        document.add_paragraph(words, style=style)
    plan = parse_file(packed(document), "计划.docx")
    assert [(h.path, [c.path for c in h.children]) for h in plan.sections] == [
        ("一", ["一/（一）", "一/（二）"]),
        ("二", ["二/（一）"]),
    ]

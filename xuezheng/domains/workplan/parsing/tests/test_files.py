"""Reading .txt, .docx, .pdf and .xlsx, and the sentences for files that cannot be read."""

import io
import zipfile

import docx
import openpyxl
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from xuezheng.domains.workplan.parsing import PlanError, parse_file

LINES = [
    "松溪区教育局2025年工作要点",
    "一、扩充学位供给",
    "1.加快校舍建设。年内新建小学2所，改造幼儿园5所，力争新增学位三千个，让片区里的孩子都能就近走进明亮的教室，"
    "并同步做好周边道路、绿化与安全设施的配套。",
    "2.均衡师资配置。交流轮岗教师比例达到12%以上。（牵头单位：人事科）",
    "二、守护校园安全",
    "3.常态开展演练。每学期开展演练不少于2次。",
]
TEXT = "\n".join(LINES)


def figures(plan) -> list[tuple]:
    return [(t.section, t.value, t.unit, t.comparator) for t in plan.targets]


EXPECTED = [
    ("一/1.", 2, "所", "="),
    ("一/1.", 5, "所", "="),
    ("一/1.", 3000, "个", "="),
    ("一/2.", 12, "%", ">="),
    ("二/3.", 2, "次", ">="),
]


def docx_bytes(document) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_in_every_encoding(encoding):
    plan = parse_file(TEXT.encode(encoding), "计划.txt")
    assert plan.text == TEXT
    assert figures(plan) == EXPECTED


def test_path_and_windows_line_ends(tmp_path):
    path = tmp_path / "plan.txt"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    plan = parse_file(path, path.name)
    assert plan.text == TEXT
    assert figures(plan) == EXPECTED


def test_word():
    document = docx.Document()
    for line in LINES:
        document.add_paragraph(line)
    plan = parse_file(docx_bytes(document), "plan.docx")
    assert figures(plan) == EXPECTED
    assert plan.responsible_units[0].lead == ["人事科"]


def test_numbers_that_word_writes_itself():
    document = docx.Document()
    numbering = document.part.numbering_part.element
    levels = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for depth, form, text in ((0, "chineseCounting", "%1、"), (1, "decimal", "%2."))
    )
    numbering.insert(
        0,
        parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{levels}</w:abstractNum>'),
    )
    numbering.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>')
    )
    document.add_paragraph(LINES[0])
    for depth, words in (
        (0, "扩充供给"),
        (1, "建设学校。新建小学2所。"),
        (1, "培训教师"),
        (0, "安全"),
    ):
        paragraph = document.add_paragraph(words)
        paragraph._p.get_or_add_pPr().append(
            parse_xml(
                f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{depth}"/><w:numId w:val="77"/></w:numPr>'
            )
        )
    plan = parse_file(docx_bytes(document), "plan.docx")
    first, second = plan.sections
    assert [first.number, second.number] == ["一、", "二、"]
    assert [child.number for child in first.children] == ["1.", "2."]


def pdf_bytes(lines: list[str], width: int = 30) -> bytes:
    """A PDF whose lines break after `width` characters, as a printed page does."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer, pagesize=A4)
    page.setFont("STSong-Light", 14)
    height = 780
    for line in lines:
        for at in range(0, len(line), width):
            page.drawString(60, height, line[at : at + width])
            height -= 22
    page.drawString(280, 30, "- 1 -")
    page.showPage()
    page.save()
    return buffer.getvalue()


def test_pdf_joins_broken_lines():
    plan = parse_file(pdf_bytes(LINES), "plan.pdf")
    assert figures(plan) == EXPECTED
    assert plan.text.split("\n")[:3] == LINES[:3]
    assert "- 1 -" not in plan.text


def test_pdf_without_text():
    with pytest.raises(PlanError, match="扫描"):
        parse_file(pdf_bytes([]), "scan.pdf")


def test_workbook_without_task_table():
    book = openpyxl.Workbook()
    book.active.append(["学校", "人数"])
    book.active.append(["某校", 300])
    buffer = io.BytesIO()
    book.save(buffer)
    with pytest.raises(PlanError, match="表头"):
        parse_file(buffer.getvalue(), "x.xlsx")


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"word/{number}.xml", b"0" * (80 * 1024 * 1024))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.txt", "空"),
        (b"  \n ", "a.docx", "空"),
        (b"\n\xe3\x80\x82\n", "a.txt", "没有文字"),
        (b"PK\x03\x04broken", "a.docx", "损坏"),
        (b"%PDF-1.4 broken", "a.pdf", "损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.docx", "另存为"),
        (b"hello", "a.exe", "只接受"),
        (b"x" * (20 * 1024 * 1024 + 1), "a.txt", "20 MB"),
        (("计" * 1_000_001).encode(), "a.txt", "一百万"),
        (b"\xff\xff\xff\x00\x81", "a.txt", "编码"),
        ("今天天气很好，我们去公园散步。".encode(), "a.txt", "工作计划"),
    ],
)
def test_files_that_are_no_plan(data, name, words):
    with pytest.raises(PlanError, match=words):
        parse_file(data, name)


def test_archive_that_unpacks_to_too_much():
    with pytest.raises(PlanError, match="过大"):
        parse_file(bomb(), "a.docx")


def test_pdf_joins_no_paragraphs():
    """A short last line ends a paragraph, and a number cut by the line's end is whole again."""
    paragraphs = [
        "长桥区教育局2026年工作计划",
        "一、任务",
        "全区普惠性幼儿园覆盖率按照年度计划安排稳步扩大并确保达到92.5%以上，生均用房面积逐年增加",
        "学校食堂检查不少于4次。",
    ]
    plan = parse_file(pdf_bytes(paragraphs, width=28), "plan.pdf")
    assert plan.text.split("\n") == paragraphs
    assert [(t.value, t.unit, t.comparator) for t in plan.targets] == [
        (92.5, "%", ">="),
        (4, "次", ">="),
    ]

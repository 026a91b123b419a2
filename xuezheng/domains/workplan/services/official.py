"""Documents as Word files in the layout of GB/T 9704-2012: page, fonts, line grid, page number.

Fonts are named, not embedded: whoever opens the file has them, as every office does, or the program
takes the next one.  Sizes: 二号 22 pt, 三号 16 pt, 四号 14 pt; 22 lines of 28 characters a page.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph
from docx.text.run import Run

#: Fonts of title, body and headings by the names that Word knows in every language.
TITLE_FONT, BODY_FONT, HEADING_FONT = "FZXiaoBiaoSong-B05S", "FangSong_GB2312", "SimHei"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: 版心 156 x 225 mm: margins of an A4 page (top, right, bottom, left).
MARGINS = (37, 26, 35, 28)
LINE = Pt(28.5)


@dataclass(frozen=True)
class Heading:
    """A heading of the first level."""

    text: str


@dataclass(frozen=True)
class Words:
    """A paragraph of the body; `source` says in smaller letters where its figures are from."""

    text: str
    source: str = ""


@dataclass(frozen=True)
class Grid:
    """A table: heading cells, then rows of text."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = Heading | Words | Grid


def write(title: str, blocks: Sequence[Block], *, signed: str = "", dated: str = "") -> bytes:
    """A .docx: title, blocks in order, and, right-aligned at the end, who signs and the date."""
    document = _page()
    _line(document, title, TITLE_FONT, 22, align=WD_ALIGN_PARAGRAPH.CENTER, indent=False)
    _line(document, "", BODY_FONT, 16)
    for block in blocks:
        match block:
            case Heading(text):
                _line(document, text, HEADING_FONT, 16)
            case Words(text, source):
                paragraph = _line(document, text, BODY_FONT, 16)
                if source:
                    _font(paragraph.add_run(source), BODY_FONT, 12)
            case Grid(head, rows):
                _table(document, head, rows)
    if signed or dated:
        _line(document, "", BODY_FONT, 16)
    for text in filter(None, (signed, dated)):
        _line(document, text, BODY_FONT, 16, align=WD_ALIGN_PARAGRAPH.RIGHT, indent=False)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _page() -> Document:
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    top, right, bottom, left = MARGINS
    section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
    section.left_margin, section.right_margin = Mm(left), Mm(right)
    # 一字线 beside the number, outside the text: 7 mm below it.
    section.footer_distance = Mm(bottom - 7)
    document.settings.odd_and_even_pages_header_footer = True
    for footer, side in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        paragraph = footer.paragraphs[0]
        paragraph.alignment = side
        _font(paragraph.add_run("— "), "SimSun", 14)
        _page_number(paragraph)
        _font(paragraph.add_run(" —"), "SimSun", 14)
    return document


def _page_number(paragraph: Paragraph) -> None:
    run = paragraph.add_run()
    _font(run, "SimSun", 14)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.text = text
        run._r.append(element)


def _font(run: Run, name: str, size: float) -> None:
    run.font.name, run.font.size = name, Pt(size)
    fonts = run._r.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:eastAsia", "w:hAnsi", "w:cs"):
        fonts.set(qn(script), name)


def _line(
    document: Document,
    text: str,
    font: str,
    size: float,
    *,
    align: WD_ALIGN_PARAGRAPH | None = None,
    indent: bool = True,
) -> Paragraph:
    paragraph = document.add_paragraph()
    shape = paragraph.paragraph_format
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, LINE
    shape.space_before = shape.space_after = Pt(0)
    if indent:
        # Two characters of the body.
        shape.first_line_indent = Pt(2 * size)
    if align is not None:
        paragraph.alignment = align
    if text:
        _font(paragraph.add_run(text), font, size)
    return paragraph


def _table(document: Document, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = document.add_table(rows=0, cols=len(rows[0]) if rows else len(head), style="Table Grid")
    lines = [(head, HEADING_FONT)] if head else []
    for cells, font in [*lines, *((row, BODY_FONT) for row in rows)]:
        for cell, text in zip(table.add_row().cells, cells, strict=True):
            _font(cell.paragraphs[0].add_run(str(text)), font, 12)

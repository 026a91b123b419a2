"""Documents as Word files in the layout of GB/T 9704-2012: page, fonts, line grid, page number.

Fonts are named, not embedded: whoever opens the file has them, as every office does, or the program
takes the next one.  Sizes: 二号 22 pt, 三号 16 pt, 四号 14 pt; 22 lines of 28 characters a page.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import docx
from docx.document import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
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
#: Millimetres: the width of the text, and the tallest picture that leaves room for its caption.
TEXT_WIDTH, TALLEST = 156, 190
#: Cells of so many characters stand in the middle of their column.
SHORT = 6


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
    """A table: heading cells, then rows of text; `heights`: least millimetres of each row of a form."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    heights: Sequence[float] = ()


@dataclass(frozen=True)
class Picture:
    """A picture as wide as the text: PNG, what it shows in words, and the line under it."""

    content: bytes
    alt: str
    caption: str


Block = Heading | Words | Grid | Picture


def write(title: str, blocks: Sequence[Block], *, signed: str = "", dated: str = "") -> bytes:
    """A .docx: title, blocks in order, and, right-aligned at the end, who signs and the date."""
    document = _page()
    _line(document, title, TITLE_FONT, 22, align=WD_ALIGN_PARAGRAPH.CENTER, indent=False)
    _line(document, "", BODY_FONT, 16)
    for block in blocks:
        match block:
            case Heading(text):
                heading = _line(document, text, HEADING_FONT, 16)
                heading.paragraph_format.keep_with_next = True
            case Words(text, source):
                paragraph = _line(document, text, BODY_FONT, 16)
                if source:
                    _font(paragraph.add_run(source), BODY_FONT, 12)
            case Grid():
                _table(document, block)
            case Picture():
                _picture(document, block)
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
    if size == 16:
        # 28 characters of 三号 in 156 mm: a quarter of a point less each.
        spacing = OxmlElement("w:spacing")
        spacing.set(qn("w:val"), "-5")
        run._r.get_or_add_rPr().append(spacing)
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


def _table(document: Document, grid: Grid) -> None:
    """Columns as wide as their texts ask, the head on every page, no row over two pages."""
    lines = [grid.head, *grid.rows] if grid.head else list(grid.rows)
    if not lines:
        return
    table = document.add_table(rows=0, cols=len(lines[0]), style="Table Grid")
    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.CENTER
    widths = _widths(lines, 14 if grid.heights else 12)
    short = [all(len(str(text)) <= SHORT for text in column) for column in zip(*lines, strict=True)]
    heights = grid.heights or [0] * len(lines)
    for cells, height in zip(lines, heights, strict=True):
        row, is_head = table.add_row(), cells is grid.head
        shape = row._tr.get_or_add_trPr()
        shape.append(OxmlElement("w:cantSplit"))
        if height:
            row.height = Mm(height)
        if is_head:
            shape.append(OxmlElement("w:tblHeader"))
        for cell, text, width, middle in zip(row.cells, cells, widths, short, strict=True):
            cell.width, cell.vertical_alignment = Mm(width), WD_CELL_VERTICAL_ALIGNMENT.CENTER
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_before = Pt(3)
            paragraph.paragraph_format.space_after = Pt(3)
            if is_head or middle:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            font = HEADING_FONT if is_head else BODY_FONT
            _font(paragraph.add_run(str(text)), font, 14 if grid.heights else 12)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)


def _widths(lines: Sequence[Sequence[str]], size: float) -> list[float]:
    """Millimetres of each column: whole words of the short ones, the rest by their longest text."""
    longest = [max(len(str(text)) for text in column) for column in zip(*lines, strict=True)]
    # A character of `size` points, and the space at both sides of a cell.
    needs = [min(max(n, 3), 24) * size * 0.353 + 7 for n in longest]
    fixed = sum(need for need, n in zip(needs, longest, strict=True) if n <= SHORT)
    free = sum(need for need, n in zip(needs, longest, strict=True) if n > SHORT)
    if not free or fixed > TEXT_WIDTH * 0.75:
        return [TEXT_WIDTH * need / sum(needs) for need in needs]
    room = (TEXT_WIDTH - fixed) / free
    return [need if n <= SHORT else need * room for need, n in zip(needs, longest, strict=True)]


def _picture(document: Document, block: Picture) -> None:
    """The picture with its words for who cannot see it, and its caption on the same page."""
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(6)
    shape = paragraph.add_run().add_picture(io.BytesIO(block.content), width=Mm(TEXT_WIDTH))
    if shape.height > Mm(TALLEST):
        shape.width, shape.height = (
            round(shape.width * Mm(TALLEST) / shape.height),
            Mm(TALLEST),
        )
    shape._inline.docPr.set("descr", block.alt)
    _line(document, block.caption, BODY_FONT, 10.5, align=WD_ALIGN_PARAGRAPH.CENTER, indent=False)

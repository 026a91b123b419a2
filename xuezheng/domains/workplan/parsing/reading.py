"""Reading files: .txt, .docx, text .pdf, .xlsx.  Raises PlanError with a sentence for the user."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pypdfium2
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph

from xuezheng.domains.workplan.parsing.model import PlanError
from xuezheng.domains.workplan.parsing.outline import KEYWORDS, number_of
from xuezheng.domains.workplan.parsing.word_numbers import ListNumbers, heading_level
from xuezheng.domains.workplan.parsing.wording import shadow

MAX_BYTES = 20 * 1024 * 1024
MAX_CHARACTERS = 1_000_000
MAX_UNPACKED = 200 * 1024 * 1024
MAX_ROWS = 20_000

#: A table: sheet name and rows of cell texts, merged cells filled.
Grid = tuple[str, list[list[str]]]


def read(data: bytes, filename: str) -> tuple[str, list[Grid], dict[int, int]]:
    """(prose, tables, line -> level of its heading style) of a file.  Raises PlanError."""
    if not data.strip():
        raise PlanError("文件是空的，请重新选择 / the file is empty")
    if len(data) > MAX_BYTES:
        raise PlanError("文件超过 20 MB，请只上传计划正文 / the file is larger than 20 MB")
    suffix = Path(filename).suffix.lower()
    if data.startswith(b"%PDF-"):
        return _pdf(data), [], {}
    if data.startswith(b"PK"):
        _check_archive(data)
        if suffix == ".xlsx":
            return "", _xlsx(data), {}
        if suffix == ".docx":
            return _docx(data)
        raise PlanError("只接受 .docx、.xlsx、.txt 和文字版 PDF / this kind of file is not read")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise PlanError(
            "这是旧版或加密的 Office 文件，请另存为 .docx 或 .xlsx 后再传 / "
            "old or encrypted Office file: save it as .docx or .xlsx"
        )
    if suffix not in {".txt", ".md", ""}:
        raise PlanError("只接受 .docx、.xlsx、.txt 和文字版 PDF / this kind of file is not read")
    return normalise(decode(data)), [], {}


def decode(data: bytes) -> str:
    """Text in UTF-8, UTF-16 with mark, or GB18030.  Raises PlanError for anything else."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise PlanError("认不出文字编码，请另存为 UTF-8 文本 / unknown encoding: save as UTF-8 text")


def normalise(text: str) -> str:
    """One kind of line end and no byte order mark; nothing else, so that places stay the file's own.

    Raises PlanError when the text is empty or too long.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_CHARACTERS:
        raise PlanError("文字超过一百万字，不像一份计划 / more than a million characters")
    if not is_text(text):
        raise PlanError("文件里没有文字 / there is no text in the file")
    return text


def is_text(text: str) -> bool:
    """Whether there is a letter or a digit in it."""
    return bool(re.search(r"\w", text))


def _check_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise PlanError("文件解开后过大 / the file is too large when unpacked")
    except zipfile.BadZipFile as error:
        raise PlanError("文件已损坏，无法打开 / the file is broken") from error


def _docx(data: bytes) -> tuple[str, list[Grid], dict[int, int]]:
    try:
        document = docx.Document(io.BytesIO(data))
    except Exception as error:  # the library raises many kinds for a broken package
        raise PlanError(
            "无法打开 Word 文件，可能已损坏 / the Word file cannot be opened"
        ) from error
    lines: list[str] = []
    grids: list[Grid] = []
    levels: dict[int, int] = {}
    numbers = ListNumbers(document)
    for block in document.iter_inner_content():
        if isinstance(block, Paragraph):
            words = re.sub(r"\r\n?", "\n", numbers.text_of(block))
            if level := heading_level(block):
                levels[len(lines)] = level
            lines += words.split("\n")
        elif isinstance(block, WordTable):
            rows = [[cell.text.strip() for cell in row.cells] for row in block.rows[:MAX_ROWS]]
            grids.append((f"表{len(grids) + 1}", rows))
    text = "\n".join(lines)
    if not is_text(text) and not any(any(row) for _name, rows in grids for row in rows):
        raise PlanError("文件里没有文字 / there is no text in the file")
    return (normalise(text) if is_text(text) else ""), grids, levels


def _pdf(data: bytes) -> str:
    try:
        document = pypdfium2.PdfDocument(data)
        pages = [page.get_textpage().get_text_bounded() for page in document]
    except pypdfium2.PdfiumError as error:
        raise PlanError("无法打开 PDF，可能已损坏或加密 / the PDF cannot be opened") from error
    text = "\n".join(pages)
    if len(re.findall(r"[\u4e00-\u9fff]", text)) < 10:
        raise PlanError(
            "PDF 里没有文字层，像是扫描件，请上传 Word 或文本 / no text in the PDF, it seems scanned"
        )
    return normalise(_join_lines(text))


def _join_lines(text: str) -> str:
    """Join lines that a PDF has broken in the middle of a sentence."""
    raw = [line for line in text.replace("\r", "").split("\n") if line.strip()]
    raw = [line for line in raw if not re.fullmatch(r"[-—\s]*\d{1,3}[-—\s]*", line)]
    longest = max((len(line.strip()) for line in raw), default=0)
    out: list[str] = []
    last = ""
    for line in raw:
        words = line.strip()
        full = len(last) >= longest * 0.8 and not re.search(r"[。；！？：]$", last)
        if full and not line.startswith("\u3000\u3000") and not _starts_heading(words):
            out[-1] += words
        else:
            out.append(words)
        last = words
    return "\n".join(out)


def _starts_heading(line: str) -> bool:
    seen = shadow(line)
    return number_of(seen) is not None or bool(KEYWORDS.match(seen))


def _xlsx(data: bytes) -> list[Grid]:
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except Exception as error:  # the library raises many kinds for a broken package
        raise PlanError(
            "无法打开 Excel 文件，可能已损坏 / the Excel file cannot be opened"
        ) from error
    grids = [(sheet.title, list(_sheet_rows(sheet))) for sheet in book.worksheets]
    if not any(any(row) for _name, rows in grids for row in rows):
        raise PlanError("表格是空的 / the workbook is empty")
    return grids


def _sheet_rows(sheet: Any) -> Iterator[list[str]]:
    merged: dict[tuple[int, int], Any] = {}
    for area in sheet.merged_cells.ranges:
        value = sheet.cell(area.min_row, area.min_col).value
        for row in range(area.min_row, area.max_row + 1):
            for column in range(area.min_col, area.max_col + 1):
                merged[row, column] = value
    for number, row in enumerate(sheet.iter_rows(max_row=min(sheet.max_row, MAX_ROWS)), start=1):
        yield [_cell(merged.get((number, at), cell.value)) for at, cell in enumerate(row, start=1)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()

"""A workbook as rows: .xlsx, .xls and what WPS saves; the heading row is found, not assumed."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import python_calamine as calamine
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.exchange.cells import Absent, Bad, compact, reader
from xuezheng.kernel.exchange.table import (
    INSTRUCTIONS,
    LISTS,
    REASON_HEADINGS,
    Problem,
    Row,
    Table,
    words,
)

MAX_BYTES = 30 * 1024 * 1024
MAX_ROWS = 100_000
#: What the parts of an .xlsx may come to when unpacked; 100,000 full rows need about half.
MAX_UNPACKED = 600 * 1024 * 1024
HEADING_WITHIN = 10
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_VERSION = re.compile(r"\b(\d{4}\.\d{1,2})\b")


class Unreadable(ValueError):
    """The file as a whole cannot be taken; the text says why and what to do, for the user."""


@dataclass
class _Sheet:
    name: str
    rows: Iterator[list[Any]]
    line: int
    #: For each column of the file the index of its field, None for a column that is not taken.
    columns: list[int | None]


class Book:
    """An opened workbook: `notices` for the reader, `height` at most so many rows, `rows()` once."""

    def __init__(self, data: bytes, table: Table, by: Actor):
        """Raises Unreadable."""
        self.table = table
        self.notices: list[str] = []
        self._readers = [reader(field, by) for field in table.fields]
        self._book = open_workbook(data)
        self._sheets = self._find_sheets()
        self.height = sum(
            self._book.get_sheet_by_name(sheet.name).total_height for sheet in self._sheets
        )
        self.samples_skipped = 0

    def _find_sheets(self) -> list[_Sheet]:
        known = _headings(self.table)
        found, hidden, foreign = [], [], []
        ours = words(INSTRUCTIONS)
        for meta in self._book.sheets_metadata:
            if meta.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            if meta.visible != calamine.SheetVisibleEnum.Visible:
                hidden.append(meta.name)
                continue
            sheet = self._with_heading(meta.name, known)
            if sheet is None:
                if meta.name not in ours:
                    foreign.append(meta.name)
            else:
                found.append(sheet)
        if hidden and hidden != [LISTS]:
            self.notices.append(_("隐藏的工作表没有读取：%s。") % _listed(hidden))
        if not found:
            raise Unreadable(
                _("前 10 行里没有找到表头。表头应有这些列：%s。请用模板填写。")
                % _listed([str(field.heading) for field in self.table.template_fields])
            )
        if foreign:
            self.notices.append(_("没有表头的工作表没有读取：%s。") % _listed(foreign))
        return found

    def _with_heading(self, name: str, known: dict[str, int]) -> _Sheet | None:
        sheet = self._guarded(lambda: self._book.get_sheet_by_name(name))
        rows = self._guarded(sheet.iter_rows)
        best: tuple[int, int, list[Any]] | None = None
        head: list[list[Any]] = []
        for at in range(HEADING_WITHIN):
            row = self._guarded(lambda: next(rows, None))
            if row is None:
                break
            head.append(row)
            count = len({known[h] for cell in row if (h := _heading(cell)) in known})
            if count >= min(2, len(self.table.fields)) and (best is None or count > best[0]):
                best = (count, at, row)
        if best is None:
            return None
        _count, at, row = best
        columns = self._columns(name, row, known)
        self._say_version(head[:at])
        merged = [area for area in sheet.merged_cell_ranges or () if area[1][0] > at]
        if merged:
            self.notices.append(
                _("工作表“%s”的数据里有合并单元格，只有左上角一格有内容；请取消合并、逐行填写。")
                % name
            )
        rest = head[at + 1 :]

        def data() -> Iterator[list[Any]]:
            yield from rest
            yield from rows

        return _Sheet(name, data(), at + 2, columns)

    def _columns(self, name: str, row: list[Any], known: dict[str, int]) -> list[int | None]:
        columns: list[int | None] = []
        ignored, doubled = [], []
        for cell in row:
            index = known.get(_heading(cell))
            if index is None:
                if isinstance(cell, str) and cell.strip() and not _is_ours(cell):
                    ignored.append(cell.strip())
            elif index in columns:
                doubled.append(str(cell).strip())
                index = None
            columns.append(index)
        if ignored:
            self.notices.append(_("不认识的列没有读取：%s。") % _listed(ignored))
        if doubled:
            self.notices.append(_("重复的列只读第一列：%s。") % _listed(doubled))
        present = {self.table.fields[index].key for index in columns if index is not None}
        if not present & set(self.table.identity):
            raise Unreadable(
                _("工作表“%(sheet)s”缺少用来辨认每一行的列：%(columns)s。")
                % {
                    "sheet": name,
                    "columns": _listed(
                        [str(self.table.field(key).heading) for key in self.table.identity]
                    ),
                }
            )
        return columns

    def _say_version(self, head: list[list[Any]]) -> None:
        for row in head:
            for cell in row:
                found = _VERSION.search(cell) if isinstance(cell, str) else None
                if found and found[1] != self.table.version:
                    self.notices.append(
                        _("文件用的是 %(old)s 版模板，现在是 %(new)s 版；列名对得上，照常读取。")
                        % {"old": found[1], "new": self.table.version}
                    )
                    return

    def _guarded(self, call: Any) -> Any:
        """A calamine call; whatever it raises, also its panics, is a broken file."""
        try:
            return call()
        except Exception as error:
            raise Unreadable(_broken()) from error
        except BaseException as error:
            if type(error).__name__ == "PanicException":
                raise Unreadable(_broken()) from error
            raise

    def rows(self) -> Iterator[Row]:
        """Each filled line.  Raises Unreadable when there are none, or more than MAX_ROWS."""
        count = 0
        for sheet in self._sheets:
            line = sheet.line - 1
            pairs = [(at, index) for at, index in enumerate(sheet.columns) if index is not None]
            while (cells := self._guarded(lambda rows=sheet.rows: next(rows, None))) is not None:
                line += 1
                row = self._row(sheet.name, line, cells, pairs)
                if row is None:
                    continue
                count += 1
                if count > MAX_ROWS:
                    raise Unreadable(_("超过 10 万行，请拆成几个文件。"))
                yield row
        if not count:
            raise Unreadable(_("表头下面没有数据。"))

    def _row(
        self, sheet: str, line: int, cells: list[Any], pairs: list[tuple[int, int]]
    ) -> Row | None:
        width = len(cells)
        given = [(index, cells[at]) for at, index in pairs if at < width and cells[at] != ""]
        if not given:
            return None
        fields, readers = self.table.fields, self._readers
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for index, raw in given:
            try:
                values[fields[index].key] = readers[index](raw)
            except Absent:
                continue
            except Bad as bad:
                problems.append(Problem(fields[index].key, str(bad), bad.advice, of_file=True))
        if not values and not problems:
            return None
        if self._is_sample(given):
            self.samples_skipped += 1
            return None
        raw_cells: list[Any] = [None] * len(fields)
        for index, raw in given:
            raw_cells[index] = raw
        return Row(sheet, line, values, problems=problems, raw=raw_cells)

    def _is_sample(self, given: list[tuple[int, Any]]) -> bool:
        """Whether every cell is the sample's: the template's sample row was left in the file."""
        for index, raw in given:
            sample = self.table.fields[index].sample
            if not sample:
                return False
            text = raw.isoformat()[:10] if isinstance(raw, dt.date) else compact(str(raw))
            if text != compact(str(sample)):
                return False
        return True


def open_workbook(data: bytes) -> Any:
    """A calamine workbook of uploaded bytes.  Raises Unreadable with words for the user."""
    if not data:
        raise Unreadable(_("文件是空的，请重新选择。"))
    if len(data) > MAX_BYTES:
        raise Unreadable(_("文件超过 30 MB，请拆成几个文件。"))
    if data.startswith(b"PK"):
        _check_archive(data)
    elif data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Unreadable(_protected())
    elif (
        data.lstrip()[:200].lower().startswith((b"<html", b"<!doc", b"<?xml", b"<table", b"<meta"))
    ):
        raise Unreadable(
            _(
                "这个文件其实是网页，不是 Excel 工作簿。请用 WPS 或 Excel 打开，另存为 .xlsx 再上传。"
            )
        )
    else:
        raise Unreadable(_("只接受 .xlsx 和 .xls 文件。"))
    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except Exception as error:
        if "password" in str(error).lower():
            raise Unreadable(_protected()) from error
        raise Unreadable(_broken()) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise Unreadable(_broken()) from error
        raise


def _check_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except Exception as error:
        raise Unreadable(_broken()) from error
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Unreadable(_("文件展开后过大，请只保留要导入的数据，另存后再传。"))
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        raise Unreadable(_("只接受 .xlsx 和 .xls 文件。"))


def _broken() -> str:
    return _("文件已损坏，读不出来。请用 WPS 或 Excel 打开，另存为 .xlsx 再上传。")


def _protected() -> str:
    return _("文件有密码保护，读不出来。请去掉密码，另存后再上传。")


def _heading(cell: Any) -> str:
    """A heading as it is compared: compact, without the mark of required columns and line breaks."""
    return compact(cell).strip("*").upper() if isinstance(cell, str) else ""


def _headings(table: Table) -> dict[str, int]:
    known: dict[str, int] = {}
    for index, field in enumerate(table.fields):
        for word in (*field.synonyms, *words(field.heading)):
            known.setdefault(_heading(word), index)
    for index, field in enumerate(table.fields):
        for word in words(field.heading):
            known[_heading(word)] = index
    return known


def _is_ours(cell: str) -> bool:
    return any(cell.strip() in words(heading) for heading in REASON_HEADINGS)


def _listed(names: list[str]) -> str:
    """At most twelve names, in the order given."""
    shown = [name[:30] for name in names[:12]]
    return _("、").join(shown) + (_("等 %d 个") % len(names) if len(names) > 12 else "")

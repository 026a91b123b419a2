"""Workbooks that go out to be filled in: the template of a table, and the wrong rows of a batch."""

import datetime as dt
import io
from collections.abc import Iterable
from typing import Any

import xlsxwriter
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from xlsxwriter.utility import xl_col_to_name

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.exchange.cells import CLEAR, NO, YES
from xuezheng.kernel.exchange.table import (
    AS_TEXT,
    INSTRUCTIONS,
    LISTS,
    REASON_HEADINGS,
    Field,
    Kind,
    Row,
    Table,
)

#: Excel's own limit for choices written into a validation; longer lists stand on a hidden sheet.
LIST_LIMIT = 255
#: Lines that get drop-downs; further lines are read just the same.
PREPARED = 20_000
HEADING_LINE = 1


class Sheets:
    """A workbook being written, with the formats that its columns use."""

    def __init__(self, out: Any, **options: Any):
        self.book = xlsxwriter.Workbook(
            out, {"strings_to_formulas": False, "strings_to_urls": False, **options}
        )
        make = self.book.add_format
        self.title = make({"bold": True, "font_size": 14})
        self.heading = make({"bold": True, "bg_color": "#DCE8FA", "border": 1, "text_wrap": True})
        self.needed = make(
            {"bold": True, "bg_color": "#DCE8FA", "border": 1, "font_color": "#B42318"}
        )
        self.text = make({"num_format": "@", "valign": "top"})
        self.wrapped = make({"text_wrap": True, "valign": "top"})
        self.day = make({"num_format": "yyyy-mm-dd", "valign": "top"})
        self.number = make({"num_format": "0", "valign": "top"})
        self.sample_text = make({"num_format": "@", "italic": True, "font_color": "#667085"})
        self.sample_day = make(
            {"num_format": "yyyy-mm-dd", "italic": True, "font_color": "#667085"}
        )

    def format_of(self, field: Field) -> Any:
        """The format of a field's column: text wherever Excel could lose digits."""
        if field.kind == Kind.DATE:
            return self.day
        if field.kind == Kind.INTEGER:
            return self.number
        return self.text

    def write(self, sheet: Any, line: int, at: int, value: Any, field: Field | None = None) -> None:
        """A cell; every text is written as text, never as a formula."""
        if value is None or value == "":
            return
        if isinstance(value, dt.date):
            sheet.write_datetime(line, at, value, self.day)
        elif isinstance(value, bool):
            sheet.write_string(line, at, force_str(YES if value else NO), self.text)
        elif isinstance(value, int | float) and not (field and field.kind in AS_TEXT):
            sheet.write_number(line, at, value)
        else:
            sheet.write_string(line, at, force_str(value), self.text)


def write_template(table: Table, by: Actor) -> bytes:
    """The template: title and version, headings, a sample row, drop-downs, instructions."""
    out = io.BytesIO()
    sheets = Sheets(out, in_memory=True)
    with sheets.book as book:
        fields = table.template_fields
        sheet = book.add_worksheet(_sheet_name(force_str(table.title)))
        title = _("%(title)s导入模板　版本 %(version)s") % {
            "title": force_str(table.title),
            "version": table.version,
        }
        sheet.write_string(0, 0, title, sheets.title)
        lists = _Lists(book)
        for at, field in enumerate(fields):
            sheet.set_column(at, at, field.width, sheets.format_of(field))
            write_heading(sheets, sheet, HEADING_LINE, at, field)
            _sample(sheets, sheet, HEADING_LINE + 1, at, field)
            _validation(sheet, at, field, by, lists)
        sheet.freeze_panes(HEADING_LINE + 1, 0)
        _instructions(sheets, table, by)
        sheet.activate()
    return out.getvalue()


def write_heading(sheets: Sheets, sheet: Any, line: int, at: int, field: Field) -> None:
    """A heading; what a new row must have is red and starred."""
    text = force_str(field.heading)
    if field.required:
        sheet.write_string(line, at, f"*{text}", sheets.needed)
    else:
        sheet.write_string(line, at, text, sheets.heading)


def _sample(sheets: Sheets, sheet: Any, line: int, at: int, field: Field) -> None:
    if not field.sample:
        return
    if field.kind == Kind.DATE:
        sheet.write_datetime(line, at, dt.date.fromisoformat(field.sample), sheets.sample_day)
    else:
        sheet.write_string(line, at, force_str(field.sample), sheets.sample_text)


class _Lists:
    """Choices that are too long for a cell, on a hidden sheet made when first needed."""

    def __init__(self, book: Any):
        self._book = book
        self._sheet: Any = None
        self._next = 0

    def put(self, labels: list[str]) -> str:
        """Write the labels; the formula that names them."""
        if self._sheet is None:
            self._sheet = self._book.add_worksheet(LISTS)
            self._sheet.hide()
        at, self._next = self._next, self._next + 1
        for line, label in enumerate(labels):
            self._sheet.write_string(line, at, label)
        column = xl_col_to_name(at, col_abs=True)
        return f"={LISTS}!{column}$1:{column}${len(labels)}"


def _validation(sheet: Any, at: int, field: Field, by: Actor, lists: _Lists) -> None:
    first, last = HEADING_LINE + 1, HEADING_LINE + PREPARED
    if field.kind in {Kind.CHOICE, Kind.BOOL}:
        labels = [force_str(YES), force_str(NO)]
        if field.kind == Kind.CHOICE:
            labels = list(field.options(by).values())
        if not labels:
            return
        plain = len(",".join(labels)) <= LIST_LIMIT and not any("," in label for label in labels)
        rule: dict[str, Any] = {
            "validate": "list",
            "source": labels if plain else lists.put(labels),
            "error_type": "warning",
            "error_title": force_str(field.heading)[:32],
            "error_message": _("请从下拉列表里选。"),
        }
    elif field.kind == Kind.DATE:
        rule = {
            "validate": "date",
            "criteria": ">",
            "value": dt.date(1900, 1, 1),
            "error_type": "warning",
            "error_title": force_str(field.heading)[:32],
            "error_message": _("写成 2015-09-01 这样的日期。"),
        }
    else:
        return
    sheet.data_validation(first, at, last, at, rule)


def _instructions(sheets: Sheets, table: Table, by: Actor) -> None:
    sheet = sheets.book.add_worksheet(_sheet_name(force_str(INSTRUCTIONS)))
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 2, 12)
    sheet.set_column(3, 3, 80)
    lines = [
        _("标 * 的列，新增一行时必填。列的先后可以变，不用的列可以删。"),
        _("灰色斜体的示例行不会被读取，留着或删掉都可以。"),
        _("已有的记录：留空的格不改原来的内容；要清空，就写“%s”。") % force_str(CLEAR),
        _("证件号、学籍号、电话等列已设为“文本”格式。从别处粘贴时请选“只粘贴数值”，以免丢失数字。"),
        *(force_str(text) for text in table.instructions),
    ]
    for line, text in enumerate(lines):
        sheet.write_string(line, 0, f"{line + 1}. {text}")
    start = len(lines) + 1
    for at, heading in enumerate((_("列"), _("必填"), _("格式"), _("怎么填"))):
        sheet.write_string(start, at, heading, sheets.heading)
    kinds = {
        Kind.TEXT: _("文字"),
        Kind.ID: _("文本"),
        Kind.CODE: _("文本"),
        Kind.PHONE: _("文本"),
        Kind.DATE: _("日期"),
        Kind.CHOICE: _("选一项"),
        Kind.INTEGER: _("整数"),
        Kind.BOOL: _("是或否"),
    }
    for line, field in enumerate(table.template_fields, start=start + 1):
        help_text = force_str(field.help)
        if field.kind == Kind.CHOICE and not callable(field.choices):
            listed = _("、").join(field.options(by).values())
            help_text = f"{help_text} {_('可填：')}{listed}".strip()
        sheet.write_string(line, 0, force_str(field.heading), sheets.wrapped)
        sheet.write_string(line, 1, force_str(YES if field.required else NO), sheets.wrapped)
        sheet.write_string(line, 2, kinds[field.kind], sheets.wrapped)
        sheet.write_string(line, 3, help_text, sheets.wrapped)


def write_wrong_rows(table: Table, rows: Iterable[Row], by: Actor) -> bytes:
    """The wrong rows as they were given, each with what is wrong and what to do; to be sent again.

    Of a row that was first taken for sound only its values are kept: their codes become words again.
    """
    labels = {field.key: field.options(by) for field in table.fields if field.kind == Kind.CHOICE}
    out = io.BytesIO()
    sheets = Sheets(out, in_memory=True)
    with sheets.book as book:
        sheet = book.add_worksheet(_sheet_name(_("错误行")))
        sheet.write_string(0, 0, _("改正后把这个文件再传一次；后四列不会被读取。"), sheets.title)
        width = len(table.fields)
        for at, field in enumerate(table.fields):
            sheet.set_column(at, at, field.width, sheets.format_of(field))
            write_heading(sheets, sheet, HEADING_LINE, at, field)
        for at, heading in enumerate(REASON_HEADINGS, start=width):
            sheet.set_column(at, at, 12 if at < width + 2 else 50)
            sheet.write_string(HEADING_LINE, at, force_str(heading), sheets.heading)
        for line, row in enumerate(rows, start=HEADING_LINE + 1):
            for at, field in enumerate(table.fields):
                value = row.raw[at] if at < len(row.raw) else row.values.get(field.key)
                if isinstance(value, str):
                    value = labels.get(field.key, {}).get(value, value)
                sheets.write(sheet, line, at, value, field)
            names = {field.key: force_str(field.heading) for field in table.fields}
            reasons = [
                (f"{names[p.field]}{_('：')}" if p.field in names else "") + p.text
                for p in row.problems
            ]
            advice = list(dict.fromkeys(p.advice for p in row.problems if p.advice))
            sheet.write_string(line, width, row.sheet, sheets.text)
            sheet.write_number(line, width + 1, row.line)
            sheet.write_string(line, width + 2, "\n".join(reasons), sheets.wrapped)
            sheet.write_string(line, width + 3, "\n".join(advice), sheets.wrapped)
        sheet.freeze_panes(HEADING_LINE + 1, 0)
    return out.getvalue()


def write_handout(title: str, headings: Iterable[Any], lines: Iterable[Iterable[Any]]) -> bytes:
    """A small list of texts under headings."""
    out = io.BytesIO()
    sheets = Sheets(out, in_memory=True)
    with sheets.book as book:
        sheet = book.add_worksheet(_sheet_name(title))
        for at, heading in enumerate(headings):
            sheet.set_column(at, at, 24)
            sheet.write_string(0, at, force_str(heading), sheets.heading)
        for line, values in enumerate(lines, start=1):
            for at, value in enumerate(values):
                sheets.write(sheet, line, at, value)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


def _sheet_name(title: str) -> str:
    return "".join(char for char in title if char not in "[]:*?/\\'")[:31]

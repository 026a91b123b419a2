"""Writing a list as .xlsx: what is filtered is what is exported."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.encoding import force_str
from django.utils.translation import gettext as _

from xuezheng.kernel.access.words import kept_words

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_ROWS = 100_000


@dataclass(frozen=True)
class Column:
    """A column: heading, width in characters."""

    heading: str
    width: int = 14


def write_list(
    title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], *, note: str
) -> bytes:
    """A workbook with one sheet: title, note (filters, time, exporter), headings, rows.

    Dates become date cells and numbers number cells; every text is written as text, so that a value
    beginning with = + - @ is never a formula, and long codes are not turned into numbers.
    """
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(_safe_sheet_name(title))
        heading = book.add_format({"bold": True, "bg_color": "#DCE8FA", "border": 1})
        large = book.add_format({"bold": True, "font_size": 14})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        date = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"})
        sheet.write_string(0, 0, title, large)
        sheet.write_string(1, 0, note)
        for at, column in enumerate(columns):
            sheet.write_string(2, at, force_str(column.heading), heading)
            sheet.set_column(at, at, column.width)
        count = 0
        for line, row in enumerate(rows, start=3):
            count += 1
            if count > MAX_ROWS:
                raise ValueError("too many rows for one export")
            for at, value in enumerate(row):
                _write_cell(sheet, line, at, value, text, date)
        sheet.freeze_panes(3, 0)
        sheet.autofilter(2, 0, 2 + count, len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2)
        sheet.set_footer("&C&P / &N")
    return out.getvalue()


def _write_cell(sheet: Any, line: int, at: int, value: Any, text: Any, date: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, dt.date):
        sheet.write_datetime(line, at, value, date)
    elif isinstance(value, bool):
        sheet.write_string(line, at, _("是") if value else _("否"), text)
    elif isinstance(value, int | float):
        sheet.write_number(line, at, value)
    else:
        sheet.write_string(line, at, force_str(value), text)


def _safe_sheet_name(title: str) -> str:
    return "".join(char for char in title if char not in "[]:*?/\\'")[:31]


def list_response(
    request: HttpRequest, title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]
) -> HttpResponse:
    """The workbook as a download; its note says who exported what, when."""
    now = timezone.localtime()
    note = _("导出人：%(who)s；时间：%(when)s；条件：%(filters)s") % {
        "who": request.actor.name,
        "when": now.strftime("%Y-%m-%d %H:%M"),
        "filters": _filters(request) or _("全部"),
    }
    response = HttpResponse(write_list(title, columns, rows, note=note), content_type=MEDIA_TYPE)
    response.headers["Content-Disposition"] = (
        f'attachment; filename="export-{now:%Y%m%d-%H%M}.xlsx"'
    )
    return response


def _filters(request: HttpRequest) -> str:
    return "，".join(
        f"{name}={kept_words(request, value) or value}"
        for name, value in request.GET.items()
        if value and name != "page"
    )

"""A list as a workbook with the headings of its template, so that it can be read again.

What is filtered is what is exported.  Numbers are masked; whoever may see them whole says why, and
that stands in the trail.  A masked cell that is read again changes nothing.
"""

import tempfile
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.audit.trail import record, record_read
from xuezheng.kernel.exchange.table import Kind, Run, Table
from xuezheng.kernel.exchange.template import Sheets, write_heading
from xuezheng.kernel.exchange.workbook import MEDIA_TYPE

MAX_ROWS = 100_000
HEADING_LINE = 2
#: Query keys that narrow nothing.
PLUMBING = {"page", "per_page", "export", "csrfmiddlewaretoken"}


class RevealForm(forms.Form):
    """Why whole numbers are needed."""

    reason = forms.CharField(
        label=gettext_lazy("为什么需要完整号码"),
        min_length=4,
        max_length=200,
        help_text=gettext_lazy("写明用途，不写个人姓名；这句话会留在审计记录里。"),
    )


def export_list(
    request: HttpRequest, table: Table, rows: QuerySet, *, may_reveal: bool
) -> HttpResponse:
    """The answer to `?export=…` of a list view whose filtered, visible rows are `rows`.

    GET `export=xlsx` gives the masked workbook at once.  With `may_reveal`, GET `export=reveal` asks
    for a reason and POST to the same address gives the whole numbers; so the view takes GET and POST.
    Both are noted in the trail with the names of the filters and the number of rows.
    """
    if rows.count() > MAX_ROWS:
        messages.warning(request, _("超过 10 万行，一个工作簿放不下；请先筛选再导出。"))
        return redirect(request.path)
    if request.method == "POST" or request.GET.get("export") == "reveal":
        if not may_reveal:
            raise PermissionDenied
        form = RevealForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            context = {
                "form": form,
                "title": _("导出%s（完整号码）") % force_str(table.title),
                "submit": _("导出 Excel"),
                "count": rows.count(),
                "cancel_url": request.path,
            }
            status = 422 if form.is_bound else 200
            return render(request, "exchange/reveal.html", context, status=status)
        handle, count = _written(request, table, rows, whole=True)
        record(
            "list.reveal",
            by=request.actor,
            object_type=table.key,
            reason=form.cleaned_data["reason"],
            detail={"rows": count, "filters": narrowed(request)},
        )
        return _download(handle, table)
    handle, count = _written(request, table, rows, whole=False)
    detail = {"rows": count, "filters": narrowed(request)}
    record_read(request, "list.export", object_type=table.key, detail=detail)
    return _download(handle, table)


def narrowed(request: HttpRequest) -> list[str]:
    """Names of the filters in use; their values may be somebody's name and are not copied."""
    return sorted(name for name, value in request.GET.items() if value and name not in PLUMBING)


def _written(request: HttpRequest, table: Table, rows: QuerySet, *, whole: bool) -> tuple[Any, int]:
    """A temporary file with the workbook and its number of rows; flat in memory."""
    # Closed by whoever sends it.
    handle = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115
    sheets = Sheets(handle, constant_memory=True)
    count = 0
    with sheets.book as book:
        sheet = book.add_worksheet(force_str(table.title)[:31])
        for at, field in enumerate(table.fields):
            sheet.set_column(at, at, field.width, sheets.format_of(field))
        sheet.freeze_panes(HEADING_LINE + 1, 0)
        sheet.write_string(0, 0, force_str(table.title), sheets.title)
        sheet.write_string(1, 0, _note(request, whole=whole))
        for at, field in enumerate(table.fields):
            write_heading(sheets, sheet, HEADING_LINE, at, field)
        labels = {
            at: field.options(request.actor)
            for at, field in enumerate(table.fields)
            if field.kind == Kind.CHOICE
        }
        run = Run(request.actor)
        for values in table.keeper.export(rows, run):
            count += 1
            for at, field in enumerate(table.fields):
                value = values.get(field.key)
                if value in (None, ""):
                    continue
                if field.mask and not whole:
                    value = field.mask(str(value))
                elif at in labels:
                    value = labels[at].get(value, value)
                sheets.write(sheet, HEADING_LINE + count, at, value, field)
    return handle, count


def _note(request: HttpRequest, *, whole: bool) -> str:
    return _("导出人：%(who)s；时间：%(when)s；%(numbers)s") % {
        "who": request.actor.name,
        "when": timezone.localtime().strftime("%Y-%m-%d %H:%M"),
        "numbers": _("号码完整，注意保密，用后删除") if whole else _("号码已遮盖"),
    }


def _download(handle: Any, table: Table) -> StreamingHttpResponse:
    """The file in pieces; it closes itself after the last, or when the reader goes away."""

    def pieces() -> Iterator[bytes]:
        with handle:
            while piece := handle.read(64 * 1024):
                yield piece

    name = f"{table.key}-{timezone.localtime():%Y%m%d-%H%M}.xlsx"
    response = StreamingHttpResponse(pieces(), content_type=MEDIA_TYPE)
    response.headers["Content-Length"] = handle.seek(0, 2)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    handle.seek(0)
    return response

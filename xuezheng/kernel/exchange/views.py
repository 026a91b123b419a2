"""Pages of imports: list, upload, one batch with its rows, and the steps with it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange import services, staging
from xuezheng.kernel.exchange.access import Permission
from xuezheng.kernel.exchange.cells import EXACT, NO, YES
from xuezheng.kernel.exchange.filters import BatchFilter
from xuezheng.kernel.exchange.forms import ConfirmForm, UploadForm
from xuezheng.kernel.exchange.models import Batch, State
from xuezheng.kernel.exchange.table import Kind, Row, Table, tables
from xuezheng.kernel.exchange.template import write_handout, write_template, write_wrong_rows
from xuezheng.kernel.exchange.workbook import MEDIA_TYPE
from xuezheng.kernel.ui.lists import list_context

TABS = ("error", "changed", "new", "unchanged", "left")
PER_PAGE = 50


@require_GET
@requires(Permission.USE)
def batch_list(request: HttpRequest) -> HttpResponse:
    """Imports of the reader's own unit, newest first."""
    rows = Batch.objects.visible_to(request.actor).select_related("user", "organisation")
    filterset = BatchFilter(request.GET, queryset=rows, request=request)
    context = list_context(request, filterset, title=_("导入与导出"))
    context |= {
        "may_import": _importable(request),
        "chips": [
            ("", _("全部")),
            (State.READY.value, State.READY.label),
            (State.APPLIED.value, State.APPLIED.label),
            (State.UNDONE.value, State.UNDONE.label),
        ],
        "empty_title": _("还没有导入过"),
        "empty_text": _("下载模板，填好后上传；确认之前什么都不会写入。"),
    }
    return render(request, "exchange/batch_list.html", context)


def _importable(request: HttpRequest) -> list[Table]:
    return [table for table in tables().values() if request.actor.can(table.permission)]


@require_http_methods(["GET", "POST"])
@requires(Permission.USE)
def upload(request: HttpRequest) -> HttpResponse:
    """Choose a list, download its template, send a file."""
    initial = {
        "table": request.GET.get("table", ""),
        "opening": bool(request.GET.get("opening")),
    }
    form = UploadForm(
        request.POST or None,
        request.FILES or None,
        actor=request.actor,
        initial=initial,
    )
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(form.save())
        except services.Refused as refused:
            form.add_error("file", refused)
    context = {
        "form": form,
        "title": _("导入 Excel"),
        "submit": _("上传并比对"),
        "cancel_url": reverse("batch_list"),
        "tables": _importable(request),
        "chosen": initial["table"],
    }
    status = 422 if form.is_bound else 200
    return render(request, "exchange/upload.html", context, status=status)


@require_GET
@requires(Permission.USE)
def template(request: HttpRequest, table: str) -> HttpResponse:
    """The template of a list, with the choices that the reader has."""
    spec = tables().get(table)
    if spec is None:
        raise Http404
    if not request.actor.can(spec.permission):
        raise PermissionDenied
    return _workbook(write_template(spec, request.actor), f"{table}-{spec.version}")


def _workbook(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=MEDIA_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return response


def _visible(request: HttpRequest, pk: str) -> Batch:
    rows = Batch.objects.visible_to(request.actor).select_related("user", "organisation")
    return get_object_or_404(rows, pk=pk)


@require_GET
@requires(Permission.USE)
def batch_detail(request: HttpRequest, pk: str) -> HttpResponse:
    """One batch: counts, what is to be decided, rows by outcome."""
    return _detail(request, _visible(request, pk))


def _detail(request: HttpRequest, batch: Batch, *, refused: str = "") -> HttpResponse:
    outcome = request.GET.get("rows", "")
    if outcome not in TABS:
        outcome = next((name for name in TABS if getattr(batch, name)), "new")
    page = None
    if not batch.purged_at and not batch.busy and batch.total:
        pager = Paginator(staging.Rows(batch, outcome), PER_PAGE)
        page = pager.get_page(request.GET.get("page"))
        shown = _Shown(batch.spec, request.actor)
        page.object_list = [shown.row(row, outcome) for row in page.object_list]
        if request.method == "GET":
            record_read(
                request,
                "import.read",
                object_type="import",
                object_id=batch.pk,
                organisation_id=batch.organisation_id,
                detail={"rows": outcome},
            )
    until = services.undo_until(batch)
    context = {
        "batch": batch,
        "table": batch.spec,
        "outcome": outcome,
        "page": page,
        "tabs": _tabs(batch, outcome),
        "counts": [(label, getattr(batch, name)) for name, label in _labels().items()],
        "form": ConfirmForm(batch=batch) if batch.state == State.READY else None,
        "undo_until": until if until and until > timezone.now() else None,
        "match_url": reverse(batch.spec.match_url)
        if batch.unmatched and batch.spec.match_url
        else "",
        "percent": min(100 * batch.total // batch.expected, 99) if batch.expected else 0,
        "refused": refused,
    }
    return render(request, "exchange/batch_detail.html", context, status=409 if refused else 200)


def _labels() -> dict[str, str]:
    return {
        "new": pgettext("rows", "新增"),
        "changed": pgettext("rows", "更改"),
        "unchanged": pgettext("rows", "不变"),
        "error": pgettext("rows", "错误"),
    }


def _tabs(batch: Batch, outcome: str) -> list[dict[str, Any]]:
    labels = _labels() | ({"left": pgettext("rows", "未能撤销")} if batch.left else {})
    return [
        {
            "label": labels[name],
            "url": f"?rows={name}",
            "current": name == outcome,
            "count": getattr(batch, name),
        }
        for name in TABS
        if name in labels
    ]


class _Shown:
    """Rows as the page shows them: numbers masked, choices as words."""

    def __init__(self, table: Table, by: Actor):
        self.fields = {field.key: field for field in table.fields}
        self.labels = {
            key: field.options(by)
            for key, field in self.fields.items()
            if field.kind == Kind.CHOICE
        }

    def cell(self, key: str, value: Any) -> str:
        """A value in words; an en dash for none."""
        if value is None or value == "":
            return "–"
        if isinstance(value, bool):
            return force_str(YES if value else NO)
        if isinstance(value, dt.date):
            return value.isoformat()
        if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
            # Spreadsheets keep every number with a fraction; people wrote 12, not 12.0.
            value = int(value)
        if mask := self.fields[key].mask:
            return mask(str(value))
        return self.labels.get(key, {}).get(str(value), str(value))

    def heading(self, key: str) -> str:
        """A column's words; empty for a problem of the whole row."""
        return force_str(self.fields[key].heading) if key in self.fields else ""

    def row(self, row: Row, outcome: str) -> dict[str, Any]:
        """What the table of an outcome needs of a row."""
        given = row.values or dict(zip(self.fields, row.raw, strict=False))
        words = [
            self.cell(key, given.get(key))
            for key, field in self.fields.items()
            if field.in_template and given.get(key) not in (None, "")
        ]
        raw = dict(zip(self.fields, row.raw, strict=False))
        return {
            "sheet": row.sheet,
            "line": row.line,
            "left": row.left,
            "words": words[:6],
            "problems": [
                {
                    "heading": self.heading(problem.field),
                    "value": self.cell(problem.field, raw.get(problem.field))
                    if problem.field in self.fields
                    else "–",
                    "text": problem.text,
                    "advice": problem.advice,
                }
                for problem in row.problems
            ],
            "changes": [
                {
                    "heading": self.heading(key),
                    "old": self.cell(key, old),
                    "new": self.cell(key, row.values.get(key)),
                }
                for key, old in row.old.items()
            ],
        }


@require_GET
@requires(Permission.USE)
def progress(request: HttpRequest, pk: str) -> HttpResponse:
    """How far a long batch is, for the page's own asking; when it is done the page loads itself anew."""
    batch = _visible(request, pk)
    if not batch.busy:
        return HttpResponse(headers={"HX-Refresh": "true"})
    percent = min(100 * batch.total // batch.expected, 99) if batch.expected else 0
    context = {"batch": batch, "percent": percent}
    return render(request, "exchange/progress.html", context)


@require_GET
@requires(Permission.USE)
def wrong_rows(request: HttpRequest, pk: str) -> HttpResponse:
    """A workbook of only the wrong rows, to be put right and sent again."""
    batch = _visible(request, pk)
    if batch.purged_at or not batch.error:
        raise Http404
    rows = (row for _number, part in staging.parts(batch) for row in part if row.outcome == "error")
    data = write_wrong_rows(batch.spec, rows, request.actor)
    record_read(
        request,
        "import.wrong_rows",
        object_type="import",
        object_id=batch.pk,
        organisation_id=batch.organisation_id,
        detail={"rows": batch.error},
    )
    return _workbook(data, f"wrong-rows-{timezone.localtime():%Y%m%d-%H%M}")


def _step(
    request: HttpRequest, pk: str, step: Callable[[Batch], Any], done: Callable[[], str]
) -> HttpResponse:
    batch = _visible(request, pk)
    try:
        step(batch)
    except services.Refused as refused:
        return _detail(request, _visible(request, pk), refused=" ".join(refused.messages))
    batch.refresh_from_db()
    if not batch.busy:
        messages.success(request, done())
    return redirect(batch)


@require_POST
@requires(Permission.USE)
def confirm(request: HttpRequest, pk: str) -> HttpResponse:
    """Write it."""
    mode = request.POST.get("mode", "")
    batch = _visible(request, pk)
    try:
        batch = services.confirm(batch, mode=mode, by=request.actor)
    except services.Refused as refused:
        return _detail(request, _visible(request, pk), refused=" ".join(refused.messages))
    if batch.state == State.APPLIED:
        messages.success(
            request,
            _("已写入：新增 %(new)d 行，更改 %(changed)d 行。")
            % {
                "new": batch.new,
                "changed": batch.changed,
            },
        )
    return redirect(batch)


@require_POST
@requires(Permission.USE)
def compare_again(request: HttpRequest, pk: str) -> HttpResponse:
    """Compare with what is stored now."""
    return _step(
        request,
        pk,
        lambda batch: services.compare_again(batch, by=request.actor),
        lambda: _("已重新比对。"),
    )


@require_POST
@requires(Permission.USE)
def give_up(request: HttpRequest, pk: str) -> HttpResponse:
    """Do not write it."""
    return _step(
        request,
        pk,
        lambda batch: services.give_up(batch, by=request.actor),
        lambda: _("已放弃，没有写入。"),
    )


@require_POST
@requires(Permission.USE)
def undo(request: HttpRequest, pk: str) -> HttpResponse:
    """Take it back."""
    return _step(
        request,
        pk,
        lambda batch: services.undo(batch, by=request.actor),
        lambda: _("已撤销。"),
    )


@require_POST
@requires(Permission.USE)
def handout(request: HttpRequest, pk: str) -> HttpResponse:
    """The workbook that goes with an applied batch, made anew each time."""
    batch = _visible(request, pk)
    try:
        headings, lines = services.hand_out(batch, by=request.actor)
    except services.Refused as refused:
        return _detail(request, _visible(request, pk), refused=" ".join(refused.messages))
    title = force_str(batch.spec.handout.label)
    return _workbook(write_handout(title, headings, lines), f"{batch.table}-handout")

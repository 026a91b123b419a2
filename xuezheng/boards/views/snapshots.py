"""Snapshots: what is kept, making one, and any figure as of one with the rows behind it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import django_filters as filters
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.indicators.access import Permission
from xuezheng.kernel.indicators.compute import Pair
from xuezheng.kernel.indicators.definitions import INDICATORS, Indicator
from xuezheng.kernel.indicators.library import folder_of, order_snapshot
from xuezheng.kernel.indicators.models import Snapshot
from xuezheng.kernel.indicators.proof import row_words
from xuezheng.kernel.indicators.snapshot import OpenSnapshot, SnapshotRefused, open_snapshot
from xuezheng.kernel.ui.forms import DateInput, SearchInput
from xuezheng.kernel.ui.lists import export_url, list_context

PER_PAGE = 50


class SnapshotFilter(filters.FilterSet):
    """By plan year and by the day on which the data were read."""

    year = filters.NumberFilter(label=gettext_lazy("年度"))
    since = filters.DateFilter(
        label=gettext_lazy("取数日起"), field_name="taken_on", lookup_expr="gte", widget=DateInput
    )
    until = filters.DateFilter(
        label=gettext_lazy("取数日止"), field_name="taken_on", lookup_expr="lte", widget=DateInput
    )

    class Meta:
        model = Snapshot
        fields = ()


class FigureForm(forms.Form):
    """Which figure of a snapshot, as of which day, for which organisations."""

    indicator = forms.ChoiceField(label=gettext_lazy("指标"), required=False)
    as_of = forms.DateField(label=gettext_lazy("截至"), required=False, widget=DateInput)
    q = forms.CharField(
        label=gettext_lazy("单位"), required=False, max_length=40, widget=SearchInput
    )

    def __init__(self, *args: Any, indicators: list[Indicator], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["indicator"].choices = [("", "")] + [(i.key, i.label) for i in indicators]


def _may_make(request: HttpRequest) -> bool:
    return request.actor.can(Permission.MAKE)


@require_GET
@requires(Permission.SEE)
def snapshot_list(request: HttpRequest) -> HttpResponse:
    """Every snapshot of this installation, the newest first."""
    rows = Snapshot.objects.visible_to(request.actor).select_related("made_by")
    filterset = SnapshotFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        columns = [
            Column(_("取数日"), 12),
            Column(_("年度"), 8),
            Column(_("截至"), 12),
            Column(_("行数"), 12),
            Column(_("摘要"), 70),
            Column(_("生成人"), 14),
        ]
        cells = (
            (row.taken_on, row.year, row.as_of, row.rows, row.digest, _maker(row))
            for row in filterset.qs
        )
        record_read(request, "snapshot.export", object_type="snapshot")
        return list_response(request, _("数据快照"), columns, cells)
    context = list_context(request, filterset, title=_("数据快照"))
    context |= {
        "lead": _("把业务数据连同单位关系冻结下来，以后任何时候都能按当时的数据重算任何指标。"),
        "may_make": _may_make(request),
        "export_url": export_url(request),
        "empty_title": "" if context["active_filters"] else _("还没有数据快照"),
    }
    return render(request, "boards/snapshot_list.html", context)


def _maker(row: Snapshot) -> str:
    return str(row.made_by) if row.made_by else _("系统")


@require_POST
@requires(Permission.MAKE)
def snapshot_make(request: HttpRequest) -> HttpResponse:
    """Have one made in the background."""
    try:
        order_snapshot(day=timezone.localdate(), by=request.actor)
    except SnapshotRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("已交后台生成，完成后出现在下面的列表里。"))
    return redirect("snapshot_list")


def _snapshot(request: HttpRequest, snapshot_id: int) -> Snapshot:
    return get_object_or_404(Snapshot.objects.visible_to(request.actor), id=snapshot_id)


def _scope(request: HttpRequest, indicator: Indicator) -> dict[str, Organisation]:
    """Code -> organisation whose figure the reader may see; 404 when there is none."""
    seen = request.actor.scope(indicator.permission).organisations
    if not seen:
        raise Http404
    return {row.code: row for row in Organisation.objects.filter(id__in=seen)}


def _refused(request: HttpRequest, snapshot: Snapshot, refused: SnapshotRefused) -> HttpResponse:
    """A snapshot that cannot answer: its files were altered or it lacks what the figure needs."""
    context = {"title": _("数据快照"), "snapshot": snapshot, "reason": str(refused)}
    return render(request, "boards/snapshot_refused.html", context, status=409)


@require_GET
@requires(Permission.SEE)
def snapshot_detail(request: HttpRequest, snapshot_id: int) -> HttpResponse:
    """One indicator of a snapshot for every organisation in scope, by the organisations' order."""
    snapshot = _snapshot(request, snapshot_id)
    known = [i for i in INDICATORS.values() if request.actor.can(i.permission)]
    form = FigureForm(request.GET, indicators=known)
    chosen = form.cleaned_data if form.is_valid() else {}
    indicator = INDICATORS.get(chosen.get("indicator") or "", known[0] if known else None)
    if indicator is None or not request.actor.can(indicator.permission):
        raise Http404
    organisations = _scope(request, indicator)
    try:
        with open_snapshot(folder_of(snapshot), digest=snapshot.digest) as opened:
            as_of = opened.day(chosen.get("as_of"))
            figures = opened.figures(indicator, as_of)
            frozen_version = opened.manifest.content["indicators"].get(indicator.key)
    except SnapshotRefused as refused:
        return _refused(request, snapshot, refused)
    words = chosen.get("q", "")
    rows = [
        _row(indicator, organisation, figures[code])
        for code, organisation in organisations.items()
        if code in figures and (not words or words in organisation.name or words == code)
    ]
    if request.GET.get("export"):
        return _export(request, snapshot, indicator, as_of, rows)
    context = {
        "title": indicator.label,
        "snapshot": snapshot,
        "indicator": indicator,
        "as_of": as_of,
        "filters": form,
        "active_filters": [name for name in ("as_of", "q") if request.GET.get(name)],
        "chips": [(i.key if n else "", i.label) for n, i in enumerate(known)],
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "export_url": export_url(request),
        "frozen_version": frozen_version,
        "changed": frozen_version != indicator.version,
    }
    return render(request, "boards/snapshot_detail.html", context)


def _row(indicator: Indicator, organisation: Organisation, figure: Pair) -> dict[str, Any]:
    num, den = figure
    suppressed = (num if den is None else den) < indicator.min_cell
    value = indicator.value(num, den)
    return {
        "organisation": organisation,
        "numerator": num,
        "denominator": den,
        "suppressed": suppressed,
        "shown": None if suppressed or value is None else round(value, indicator.decimals),
    }


def _export(
    request: HttpRequest,
    snapshot: Snapshot,
    indicator: Indicator,
    as_of: dt.date,
    rows: list[dict[str, Any]],
) -> HttpResponse:
    columns = [
        Column(_("单位"), 30),
        Column(_("截至"), 12),
        Column(_("分子"), 10),
        Column(_("分母"), 10),
        Column(f"{_('数值')} ({indicator.unit})", 12),
        Column(_("快照摘要"), 70),
    ]

    def cells() -> Iterator[tuple]:
        for row in rows:
            told = (None, None) if row["suppressed"] else (row["numerator"], row["denominator"])
            yield str(row["organisation"]), as_of, *told, row["shown"], snapshot.digest

    record_read(request, "indicator.export", object_type="indicator", object_id=indicator.key)
    return list_response(request, str(indicator.label), columns, cells())


@require_GET
@requires(Permission.SEE)
def snapshot_proof(request: HttpRequest, snapshot_id: int, key: str, code: str) -> HttpResponse:
    """The frozen rows behind a figure; those that still exist and are visible open their record.

    A row that the reader could not open today is counted and keeps its reason, but not its number:
    where rows are persons, the organisation's figures may be seen by more people than they.
    """
    snapshot = _snapshot(request, snapshot_id)
    indicator = INDICATORS.get(key)
    if indicator is None:
        raise Http404
    organisations = _scope(request, indicator)
    organisation = organisations.get(code)
    if organisation is None:
        raise Http404
    form = FigureForm(request.GET, indicators=[])
    asked = form.cleaned_data.get("as_of") if form.is_valid() else None
    number = request.GET.get("page", "1")
    page = max(1, int(number)) if number.isdigit() and len(number) < 8 else 1
    try:
        with open_snapshot(folder_of(snapshot), digest=snapshot.digest) as opened:
            as_of = opened.day(asked)
            figure = opened.figures(indicator, as_of).get(code)
            if figure is None or _row(indicator, organisation, figure)["suppressed"]:
                raise Http404
            proof = _proof(request, opened, indicator, code, figure, as_of, page, organisations)
    except SnapshotRefused as refused:
        return _refused(request, snapshot, refused)
    words = row_words(indicator, proof.rows, request.actor)
    rows = [
        {
            "name": words.of(row.row_id),
            "organisation": organisations[row.org],
            "counted": row.counted,
            "reason": indicator.reasons.get(row.reason, row.reason),
            "url": reverse(indicator.row_url, args=[row.row_id])
            if row.row_id in words.live
            else "",
        }
        for row in proof.rows
    ]
    record_read(
        request,
        "indicator.proof",
        object_type="indicator",
        object_id=indicator.key,
        organisation_id=organisation.id,
        detail={"snapshot": snapshot.digest[:12], "as_of": as_of.isoformat()},
    )
    context = {
        "title": indicator.label,
        "snapshot": snapshot,
        "indicator": indicator,
        "organisation": organisation,
        "figure": _row(indicator, organisation, figure),
        "as_of": as_of,
        "proof": proof,
        "rows": rows,
        # The rows are already cut by the engine; the paginator only numbers the pages.
        "page": Paginator(range(proof.visible), PER_PAGE).get_page(page),
        "chips": [("", _("全部")), ("yes", _("计入分子")), ("no", _("未计入分子"))],
    }
    return render(request, "boards/snapshot_proof.html", context)


def _proof(
    request: HttpRequest,
    opened: OpenSnapshot,
    indicator: Indicator,
    code: str,
    figure: Pair,
    as_of: dt.date,
    page: int,
    organisations: dict[str, Organisation],
) -> Any:
    return opened.prove(
        indicator,
        code,
        figure,
        as_of,
        visible=frozenset(organisations),
        limit=PER_PAGE,
        offset=(page - 1) * PER_PAGE,
        counted={"yes": True, "no": False}.get(request.GET.get("counted", "")),
    )

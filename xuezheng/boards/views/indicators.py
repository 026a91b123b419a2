"""Indicators: catalogue with newest readings, one with trend and sites, the rows behind a figure."""

import datetime as dt

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from xuezheng.boards.access import Permission
from xuezheng.boards.context import bureau
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.indicators.access import Permission as SnapshotPermission
from xuezheng.kernel.indicators.definitions import INDICATORS, Indicator
from xuezheng.kernel.indicators.models import Reading
from xuezheng.kernel.indicators.proof import prove, row_words

PER_PAGE = 50


def _indicator(key: str) -> Indicator:
    try:
        return INDICATORS[key]
    except KeyError:
        raise Http404 from None


def _organisations(request: HttpRequest, indicator: Indicator) -> frozenset[int]:
    """Organisations whose readings the reader may see; 404 when there is none."""
    seen = request.actor.scope(indicator.permission).organisations
    if not seen:
        raise Http404
    return seen


@require_GET
@requires(Permission.INDICATORS)
def indicator_list(request: HttpRequest) -> HttpResponse:
    """Every indicator with the bureau's newest reading of this year and its definition."""
    top = bureau()
    year = dt.date(timezone.localdate().year, 1, 1)
    readings = Reading.objects.newest(top.id, year) if top else {}
    rows = [
        {
            "indicator": indicator,
            "reading": readings.get(key),
            # The district's figure is for every reader; its rows only for whom the district is in scope.
            "may_open": top and top.id in request.actor.scope(indicator.permission).organisations,
        }
        for key, indicator in INDICATORS.items()
        if request.actor.can(indicator.permission)
    ]
    context = {"rows": rows, "may_snapshot": request.actor.can(SnapshotPermission.SEE)}
    return render(request, "boards/indicator_list.html", context)


@require_GET
@requires(Permission.INDICATORS)
def indicator_detail(request: HttpRequest, key: str) -> HttpResponse:
    """Trend over the years, the newest reading of each organisation below, the definition.

    Organisations are listed by name: this page ranks nobody.
    """
    indicator = _indicator(key)
    seen = _organisations(request, indicator)
    top = bureau()
    history = list(
        Reading.objects.filter(indicator=key, organisation=top).order_by("as_of")
        if top and top.id in seen
        else []
    )
    year = dt.date(timezone.localdate().year, 1, 1)
    newest = (
        Reading.objects.filter(indicator=key, period_from=year)
        .order_by("-as_of")
        .values_list("as_of", flat=True)
        .first()
    )
    below = (
        Reading.objects.filter(indicator=key, period_from=year, as_of=newest, organisation__in=seen)
        .exclude(organisation=top)
        .select_related("organisation")
        .order_by("organisation__order", "organisation__code")
    )
    if request.GET.get("export"):
        return _export(request, indicator, below)
    shown = [r for r in history if r.shown is not None]
    context = {
        "indicator": indicator,
        "latest": history[-1] if history else None,
        "page": Paginator(below, PER_PAGE).get_page(request.GET.get("page")),
        "trend": {
            "labels": [r.as_of.isoformat() for r in shown],
            "actual": [r.shown for r in shown],
            "plan": [],
            "target": None,
            "unit": indicator.unit,
            "decimals": indicator.decimals,
            "summary": ngettext("共 %d 次读数。", "共 %d 次读数。", len(shown)) % len(shown),
        },
    }
    return render(request, "boards/indicator_detail.html", context)


def _export(request: HttpRequest, indicator: Indicator, rows: list[Reading]) -> HttpResponse:
    columns = [
        Column(_("单位"), 30),
        Column(_("期初"), 12),
        Column(_("截至"), 12),
        Column(_("分子"), 10),
        Column(_("分母"), 10),
        Column(f"{_('数值')} ({indicator.unit})", 12),
    ]
    cells = (
        (
            str(row.organisation),
            row.period_from,
            row.as_of,
            None if row.suppressed else row.numerator,
            None if row.suppressed else row.denominator,
            row.shown,
        )
        for row in rows
    )
    record_read(request, "indicator.export", object_type="indicator", object_id=indicator.key)
    return list_response(request, str(indicator.label), columns, cells)


@require_GET
@requires(Permission.INDICATORS)
def indicator_proof(request: HttpRequest, reading_id: int) -> HttpResponse:
    """The rows behind one reading: which counted, which not, why.

    A row that the reader may open does so by its name.  Of the others only the reason is shown, and a
    pseudonym where there is one: where rows are persons, more people may see the figure than them.
    """
    reading = get_object_or_404(
        Reading.objects.select_related("organisation"),
        id=reading_id,
        indicator__in=list(INDICATORS),
    )
    indicator = reading.definition
    if reading.organisation_id not in _organisations(request, indicator):
        raise Http404
    if reading.suppressed:
        raise Http404
    counted = {"yes": True, "no": False}.get(request.GET.get("counted", ""))
    number = request.GET.get("page", "1")
    page_number = max(1, int(number)) if number.isdigit() else 1
    proof = prove(
        reading,
        request.actor,
        limit=PER_PAGE,
        offset=(page_number - 1) * PER_PAGE,
        counted=counted,
    )
    names = Organisation.objects.in_bulk({row.org for row in proof.rows}, field_name="code")
    words = row_words(indicator, proof.rows, request.actor)
    rows = [
        {
            "name": words.of(row.row_id),
            "organisation": names[row.org],
            "counted": row.counted,
            "reason": indicator.reasons.get(row.reason, row.reason),
            "url": reverse(indicator.row_url, args=[row.row_id])
            if row.row_id in words.live
            else "",
        }
        for row in proof.rows
    ]
    # The rows are already cut by the database; the paginator only numbers the pages.
    paginator = Paginator(range(proof.visible), PER_PAGE)
    record_read(
        request,
        "indicator.proof",
        object_type="indicator",
        object_id=indicator.key,
        organisation_id=reading.organisation_id,
    )
    context = {
        "title": indicator.label,
        "indicator": indicator,
        "reading": reading,
        "proof": proof,
        "rows": rows,
        "page": paginator.get_page(page_number),
        "chips": [("", _("全部")), ("yes", _("计入分子")), ("no", _("未计入分子"))],
    }
    return render(request, "boards/indicator_proof.html", context)

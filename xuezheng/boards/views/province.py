"""A province looks at its districts: each district's figures, as its newest bundle told them."""

import datetime as dt
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import below
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.indicators.access import Permission
from xuezheng.kernel.indicators.definitions import INDICATORS, Indicator
from xuezheng.kernel.indicators.models import Bundle, Reading
from xuezheng.kernel.ui.forms import SearchInput
from xuezheng.kernel.ui.lists import PAGE_SIZES, export_url
from xuezheng.registry.organisations import OrganisationKind

#: A bundle older than this is marked: bundles are sent monthly.
STALE = dt.timedelta(days=35)
YEARS_BACK = 5


class ProvinceForm(forms.Form):
    """Which year, which districts, in which order."""

    q = forms.CharField(
        label=gettext_lazy("区县名称或代码"), required=False, max_length=40, widget=SearchInput
    )
    year = forms.TypedChoiceField(label=gettext_lazy("年度"), required=False, coerce=int)
    state = forms.ChoiceField(
        label=gettext_lazy("数据包"),
        required=False,
        choices=[
            ("", ""),
            ("fresh", gettext_lazy("按时报送")),
            ("stale", gettext_lazy("逾期未报")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        this = timezone.localdate().year
        years = [(str(y), str(y)) for y in range(this, this - YEARS_BACK, -1)]
        self.fields["year"].choices = [("", ""), *years]


def _districts(request: HttpRequest) -> Any:
    """Districts in the reader's scope."""
    seen = request.actor.scope(Permission.SEE_PROVINCE).organisations
    return Organisation.objects.filter(id__within=seen, kind=OrganisationKind.DISTRICT)


def _readings(organisations: list[int], year: int) -> dict[tuple[int, str], Reading]:
    """(organisation, indicator) -> newest reading of the plan year (one query)."""
    rows = (
        Reading.objects.filter(
            organisation__in=organisations,
            period_from=dt.date(year, 1, 1),
            indicator__in=list(INDICATORS),
        )
        .order_by("organisation_id", "indicator", "-as_of")
        .distinct("organisation_id", "indicator")
    )
    return {(row.organisation_id, row.indicator): row for row in rows}


def _newest_bundles(districts: list[int]) -> dict[int, Bundle]:
    rows = Bundle.objects.filter(organisation__in=districts).defer("facts")
    newest = rows.order_by("organisation_id", "-serial").distinct("organisation_id")
    return {row.organisation_id: row for row in newest}


def _sorted(rows: list[dict], order: str) -> list[dict]:
    """By a ranked indicator's value, districts without one last; by name otherwise."""
    key = order.removeprefix("-")
    if key not in INDICATORS or not INDICATORS[key].ranked:
        return rows

    def value(row: dict) -> float | None:
        reading = row["readings"].get(key)
        return None if reading is None else reading.shown

    known = [row for row in rows if value(row) is not None]
    known.sort(key=value, reverse=order.startswith("-"))
    return known + [row for row in rows if value(row) is None]


def _columns(indicators: list[Indicator], order: str) -> list[dict[str, Any]]:
    """Head cells: where a click sorts, and which way it is sorted now.  None for unranked ones."""
    columns = []
    for indicator in indicators:
        best_first = f"-{indicator.key}" if indicator.higher_is_better else indicator.key
        other = best_first.removeprefix("-") if best_first[0] == "-" else f"-{best_first}"
        columns.append(
            {
                "indicator": indicator,
                "next": other if order == best_first else best_first,
                "sorted": {indicator.key: "ascending", f"-{indicator.key}": "descending"}.get(
                    order, ""
                ),
            }
        )
    return columns


def _orders(indicators: list[Indicator]) -> list[tuple[str, str]]:
    """The same orders as chips: on a telephone the head of the table is not there."""
    return [(f"-{i.key}" if i.higher_is_better else i.key, i.label) for i in indicators if i.ranked]


@require_GET
@requires(Permission.SEE_PROVINCE)
def province_board(request: HttpRequest) -> HttpResponse:
    """Districts with each indicator's newest figure of the year.  Five queries."""
    today = timezone.localdate()
    form = ProvinceForm(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    year = chosen.get("year") or today.year
    found = _districts(request)
    if words := chosen.get("q"):
        found = found.filter(
            Q(name__icontains=words) | Q(name_en__icontains=words) | Q(code__startswith=words)
        )
    districts = list(found.order_by("order", "code"))
    ids = [row.id for row in districts]
    readings, bundles = _readings(ids, year), _newest_bundles(ids)
    told = {key for _district, key in readings}
    indicators = [indicator for key, indicator in INDICATORS.items() if key in told]
    rows = []
    for district in districts:
        bundle = bundles.get(district.id)
        stale = bundle is None or bundle.as_of < today - STALE
        if chosen.get("state") and stale != (chosen["state"] == "stale"):
            continue
        own = {i.key: readings.get((district.id, i.key)) for i in indicators}
        rows.append({"district": district, "bundle": bundle, "stale": stale, "readings": own})
    order = request.GET.get("sort", "")
    rows = _sorted(rows, order)
    if request.GET.get("export"):
        return _export(request, rows, indicators, year)
    for row in rows:
        row["cells"] = [(i, row["readings"][i.key]) for i in indicators]
    size = request.GET.get("per_page", "")
    per_page = int(size) if size.isdigit() and int(size) in PAGE_SIZES else PAGE_SIZES[1]
    context = {
        "title": _("各区县指标"),
        "lead": _("%(year)s 年，取自各区县签名报送的数据包。") % {"year": year},
        "filters": form,
        "active_filters": [name for name in ("q", "year", "state") if request.GET.get(name)],
        "page": Paginator(rows, per_page).get_page(request.GET.get("page")),
        "page_sizes": PAGE_SIZES,
        "columns": _columns(indicators, order),
        "chips": [("", _("按代码")), *_orders(indicators)],
        "export_url": export_url(request),
        "stale_count": sum(row["stale"] for row in rows),
    }
    return render(request, "boards/province_board.html", context)


def _export(
    request: HttpRequest, rows: list[dict], indicators: list[Indicator], year: int
) -> HttpResponse:
    columns = [Column(_("代码"), 10), Column(_("区县"), 24), Column(_("数据截至"), 12)]
    columns += [Column(f"{i.label} ({i.unit})", 18) for i in indicators]
    cells = (
        (
            row["district"].code,
            str(row["district"]),
            row["bundle"].as_of if row["bundle"] else None,
            *(row["readings"][i.key] and row["readings"][i.key].shown for i in indicators),
        )
        for row in rows
    )
    record_read(request, "province.export", object_type="province", detail={"year": year})
    return list_response(request, _("各区县指标"), columns, cells)


@require_GET
@requires(Permission.SEE_PROVINCE)
def province_district(request: HttpRequest, code: str) -> HttpResponse:
    """One district: its units' figures of the year, the bundles taken, sums of its records."""
    district = get_object_or_404(_districts(request), code=code)
    today = timezone.localdate()
    inside = below({district.id}, today)[district.id]
    units = list(Organisation.objects.filter(id__in=inside).order_by("order", "code"))
    units.sort(key=lambda row: row.id != district.id)
    readings = _readings([row.id for row in units], today.year)
    told = {key for _unit, key in readings}
    indicators = [indicator for key, indicator in INDICATORS.items() if key in told]
    bundles = Bundle.objects.visible_to(request.actor).filter(organisation=district)
    newest = bundles.select_related("key").first()
    context = {
        "title": str(district),
        "district": district,
        "indicators": indicators,
        "rows": [
            {"unit": unit, "cells": [(i, readings.get((unit.id, i.key))) for i in indicators]}
            for unit in units
        ],
        "newest": newest,
        "bundles": list(bundles.defer("facts")[:12]),
        "sums": [row for row in newest.facts if row["org"] == district.code] if newest else [],
    }
    return render(request, "boards/province_district.html", context)

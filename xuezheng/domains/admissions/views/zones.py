"""Service areas: list, page of an area, map, survey."""

import django_filters as filters
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.exchange.zones import ZONES
from xuezheng.domains.admissions.forms import zones as forms
from xuezheng.domains.admissions.models import Season, Zone, ZonePart
from xuezheng.domains.admissions.services import zoning
from xuezheng.domains.admissions.views.mapping import zone_map_of
from xuezheng.domains.admissions.views.planning import READS, page, season_of, trail
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.export import export_list
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.lists import export_url, list_context
from xuezheng.kernel.ui.steps import attempt


class ZoneFilter(filters.FilterSet):
    """Areas by school and community."""

    schools = filters.ModelChoiceFilter(
        label=gettext_lazy("学校"), queryset=Organisation.objects.none()
    )
    q = filters.CharFilter(label=gettext_lazy("编号或名称"), method="by_words")

    class Meta:
        model = Zone
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        held = self.queryset.order_by().values("schools")
        self.filters["schools"].queryset = Organisation.objects.filter(id__in=held)

    def by_words(self, rows, _name, words):
        """Code or name."""
        for word in words.split():
            rows = rows.filter(code__icontains=word) | rows.filter(name__icontains=word)
        return rows


@require_GET
@requires(*READS)
def zone_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Areas of a season with their schools and lines; its export has one line a row."""
    season = season_of(request, pk)
    rows = Zone.objects.filter(season=season).order_by("code")
    filterset = ZoneFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        parts = ZonePart.objects.filter(zone__in=filterset.qs).order_by(
            "zone__code", "community__code", "road", "first", "id"
        )
        return export_list(request, ZONES, parts, may_reveal=False)
    context = list_context(request, filterset, title=_("%s：服务区") % season.title)
    shown = list(context["page"].object_list)
    keys = [zone.pk for zone in shown]
    loaded = Zone.objects.filter(pk__in=keys).prefetch_related("schools", "parts__community")
    by_key = {zone.pk: zone for zone in loaded}
    context["page"].object_list = [by_key[key] for key in keys]
    for zone in context["page"].object_list:
        zone.words = [
            zoning.part_words(part.as_part("", part.community.code), part.community.name)
            for part in zone.parts.all()
        ]
    sets = request.actor.can(Permission.ZONES)
    context |= {
        "export_url": export_url(request),
        "may_edit": sets and season.state in zoning.CHANGEABLE,
        "may_survey": sets,
        "empty_text": _("复制上一批次，或从 Excel 导入服务区。"),
    }
    return page(request, "zone_list", context, season=season, current="zones")


def _zone_page(request: HttpRequest, season: Season, zone: Zone | None) -> HttpResponse:
    form = forms.ZoneForm(request.POST or None, season=season, zone=zone)
    communities = forms.community_choices()
    initial = [
        {
            "community": part.community_id,
            "road": part.road,
            "side": part.side,
            "first": part.first,
            "last": part.last,
            "buildings": "、".join(part.buildings),
        }
        for part in (zone.parts.all() if zone else ())
    ]
    table = forms.LineTable(
        request.POST or None, initial=initial, prefix="line",
        form_kwargs={"communities": communities},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid() and table.is_valid():
        lines = [
            each.line
            for each in table.forms
            if each.cleaned_data and not each.cleaned_data.get("DELETE")
        ]
        attempt(
            form,
            lambda: zoning.save_zone(
                season,
                zone,
                code=form.cleaned_data["code"],
                name=form.cleaned_data["name"],
                schools=[school.id for school in form.cleaned_data["schools"]],
                lines=lines,
                version=form.cleaned_data["version"],
                reason=form.why,
                by=request.actor,
            ),
        )
        if not form.errors:
            messages.success(request, _("已保存。"))
            return redirect("zone_list", season.pk)
    context = {
        "title": zone.name if zone else _("新建服务区"),
        "form": form,
        "table": table,
        "zone": zone,
        "season": season,
        "may_remove": zone is not None and season.state == Season.State.PREPARING,
        "trail": [*trail(season), (reverse("zone_list", args=[season.pk]), _("服务区"))],
    }
    return render(
        request, "admissions/zone_edit.html", context, status=422 if form.is_bound else 200
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.ZONES)
def zone_add(request: HttpRequest, pk: int) -> HttpResponse:
    """A new area."""
    return _zone_page(request, season_of(request, pk), None)


@require_http_methods(["GET", "POST"])
@requires(Permission.ZONES)
def zone_edit(request: HttpRequest, pk: int, zone: int) -> HttpResponse:
    """An area with all its lines."""
    season = season_of(request, pk)
    return _zone_page(request, season, get_object_or_404(Zone, pk=zone, season=season))


@require_POST
@requires(Permission.ZONES)
def zone_remove(request: HttpRequest, pk: int, zone: int) -> HttpResponse:
    """Take an area away."""
    season = season_of(request, pk)
    row = get_object_or_404(Zone.objects.select_related("season"), pk=zone, season=season)
    try:
        zoning.remove_zone(row, by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
        return redirect("zone_edit", pk, zone)
    messages.success(request, _("已删除。"))
    return redirect("zone_list", pk)


@require_GET
@requires(*READS)
def zone_map(request: HttpRequest, pk: int) -> HttpResponse:
    """Communities by town, coloured by area, with the list beside it."""
    season = season_of(request, pk)
    towns = zoning.tiles_of(season)
    zones = Zone.objects.filter(season=season).prefetch_related("schools")
    counted = dict(
        ZonePart.objects.filter(zone__season=season)
        .values_list("zone")
        .annotate(n=Count("community", distinct=True))
    )
    context = {
        "title": _("%s：服务区图") % season.title,
        "towns": [(town, zone_map_of(tiles, season)) for town, tiles in towns],
        "legend": [(at % 12, zone, counted.get(zone.pk, 0)) for at, zone in enumerate(zones)],
        "bare": [tile.community for _town, tiles in towns for tile in tiles if not tile.areas],
    }
    return page(request, "zone_map", context, season=season, current="zones")


@require_GET
@requires(Permission.ZONES)
def zone_survey(request: HttpRequest, pk: int) -> HttpResponse:
    """Gaps, overlaps, changes against the season before, with dwellings and children."""
    season = season_of(request, pk)
    if season.organisation_id not in request.actor.scope(Permission.ZONES):
        raise PermissionDenied
    found = zoning.survey_areas(season, by=request.actor)
    parts = [
        ("gaps", _("漏划"), _("没有服务区的地址"), found.gaps),
        ("overlaps", _("重划"), _("同时在几个服务区里的地址"), found.overlaps),
        ("changes", _("变化"), _("与上一批次比，学校变了的地址"), found.changes),
    ]
    if request.GET.get("export"):
        columns = [
            Column(_("情况"), 10), Column(_("地址"), 40), Column(_("上一批次"), 30),
            Column(_("本批次"), 30), Column(_("住户")), Column(_("适龄儿童")),
        ]  # fmt: skip
        lines = (
            (label, each.words, "、".join(each.before), "、".join(each.what), each.dwellings,
             each.children)
            for _key, label, _note, findings in parts
            for each in findings
        )  # fmt: skip
        return list_response(request, _("服务区检查"), columns, lines)
    context = {
        "title": _("%s：服务区检查") % season.title,
        "found": found,
        "parts": [
            (key, label, note, findings[:200], len(findings), found.sums(findings))
            for key, label, note, findings in parts
        ],
        "export_url": "?export=xlsx",
    }
    return page(request, "zone_survey", context, season=season, current="zones")

"""The season desk: list, page of a season, its days, places, redirections, opening, forecast, lists."""

import django_filters as filters
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.exchange.intakes import INTAKES
from xuezheng.domains.admissions.exchange.reserved import RESERVED
from xuezheng.domains.admissions.forms import seasons as forms
from xuezheng.domains.admissions.models import DwellingLock, Intake, ReservedEntry, Season
from xuezheng.domains.admissions.models.seasons import LEVELS
from xuezheng.domains.admissions.rules.ages import Level
from xuezheng.domains.admissions.selectors import admission_settings
from xuezheng.domains.admissions.services import seasons
from xuezheng.domains.admissions.services.forecasting import forecast
from xuezheng.domains.admissions.services.ladder_words import LIST_WORDS, ladder_sentences
from xuezheng.domains.admissions.services.zoning import earlier_season
from xuezheng.domains.admissions.views.planning import (
    READS,
    form_page,
    page,
    season_of,
    trail,
)
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.export import export_list
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.lists import export_url, list_context
from xuezheng.kernel.ui.steps import attempt
from xuezheng.registry.codes import masked
from xuezheng.registry.organisations import OrganisationKind

#: Kinds of sites that may take part in a season of a level.
KINDS = {
    Level.KINDERGARTEN: (OrganisationKind.KINDERGARTEN,),
    Level.PRIMARY: (OrganisationKind.PRIMARY, OrganisationKind.NINE_YEAR),
    Level.JUNIOR: (OrganisationKind.JUNIOR, OrganisationKind.NINE_YEAR),
}


ZONES = (Permission.ZONES, Permission.ZONES_REPLY, Permission.PUBLISH)


class SeasonFilter(filters.FilterSet):
    """Seasons by level, stage, year."""

    level = filters.ChoiceFilter(label=gettext_lazy("学段"), choices=LEVELS)
    state = filters.ChoiceFilter(label=gettext_lazy("阶段"), choices=Season.State.choices)
    year = filters.NumberFilter(label=gettext_lazy("年份"))

    class Meta:
        model = Season
        fields = ()


@require_GET
@requires(*READS)
def season_list(request: HttpRequest) -> HttpResponse:
    """Every season, the newest first."""
    reached = set().union(*(request.actor.scope(p).organisations for p in READS))
    rows = Season.objects.filter(organisation__within=reached).select_related("rule_set")
    filterset = SeasonFilter(request.GET, queryset=rows.order_by("-year", "level"), request=request)
    if request.GET.get("export"):
        columns = [
            Column(_("名称"), 28), Column(_("年份")), Column(_("学段")), Column(_("阶段")),
            Column(_("开始登记"), 18), Column(_("截止登记"), 18), Column(_("公布结果")),
        ]  # fmt: skip
        lines = (
            (row.title, row.year, row.get_level_display(), row.get_state_display(),
             *(f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""
               for at in (row.opens_at, row.closes_at)), row.result_on)
            for row in filterset.qs
        )  # fmt: skip
        return list_response(request, _("招生批次"), columns, lines)
    context = list_context(request, filterset, title=_("招生批次"))
    context |= {
        "chips": [("", _("全部")), *LEVELS],
        "export_url": export_url(request),
        "empty_text": _("新建一个批次，或等演示数据载入。"),
    }
    return page(request, "season_list", context, current="seasons")


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def season_add(request: HttpRequest) -> HttpResponse:
    """A season from nothing."""
    form = forms.SeasonAddForm(
        request.POST or None, initial={"year": timezone.localdate().year + 1}
    )
    return form_page(
        request,
        form,
        lambda: seasons.create_season(**form.cleaned_data, by=request.actor),
        title=_("新建批次"),
        done=lambda made: reverse("season_edit", args=[made.pk]),
        back=reverse("season_list"),
        trail=trail(),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def season_copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Next year's season from an earlier one."""
    source = season_of(request, pk)
    year = source.year + 1
    title = source.title.replace(str(source.year), str(year))
    form = forms.SeasonCopyForm(request.POST or None, initial={"year": year, "title": title})
    return form_page(
        request,
        form,
        lambda: seasons.copy_season(source, **form.cleaned_data, by=request.actor),
        title=_("复制为新批次"),
        lead=_("招生计划、分流顺序、服务区、录取规则照搬，日程顺延整年；复制后逐项改。"),
        submit=_("复制"),
        done=lambda made: reverse("season_difference", args=[made.pk]),
        back=reverse("season_detail", args=[source.pk]),
        trail=trail(source),
    )


@require_GET
@requires(*READS)
def season_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A season: days in their order, rules in sentences, what is missing before it opens."""
    season = season_of(request, pk)
    sets = request.actor.can(Permission.SEASON)
    preparing = season.state == Season.State.PREPARING
    steps = [(value, label) for value, label in Season.State.choices]
    at = [value for value, _label in steps].index(season.state)
    intakes = list(season.intakes.all())
    context = {
        "title": season.title,
        "days": [
            (Season._meta.get_field(name).verbose_name, getattr(season, name))
            for name in (*seasons.DAYS, "register_by")
        ],
        "steps": [
            (label, "done" if n < at else "now" if n == at else "") for n, (_v, label) in
            enumerate(steps)
        ],
        "points": seasons.opening_points(season, by=request.actor)
        if preparing and request.actor.can(Permission.ZONES)
        else [],
        "sentences": ladder_sentences(season.rule_set.data) if season.rule_set else [],
        "schools": len(intakes),
        "places": sum(row.places for row in intakes),
        "classes": sum(row.classes for row in intakes),
        "areas": season.zones.count(),
        "desks": _desks(request, season),
        "preparing": preparing,
        "may_open": sets and preparing,
        "may_close": sets and season.state == Season.State.OPEN,
        "may_edit": sets and season.state in ("preparing", "open", "checking"),
    }  # fmt: skip
    return page(request, "season_detail", context, season=season, current="season")


def _desks(request: HttpRequest, season: Season) -> list[tuple[str, str]]:
    """(address, words) of the desks where a season's work is done, that the reader may open."""
    zoning = [
        (row.case.get_absolute_url(), _("服务区征求意见 %s") % row.case.number)
        for row in season.consultations.select_related("case").order_by("pk")
    ]
    of_season = f"?season={season.pk}"
    desks = [
        (ZONES, zoning),
        (Permission.ROLL, [(reverse("roll", args=[season.pk]), _("适龄儿童名册"))]),
        (Permission.SEE, [(reverse("application_list") + of_season, _("登记核验"))]),
        (Permission.FOLLOW_UP, [(reverse("follow_up_list"), _("未入学追踪"))]),
        (Permission.PATHS, [(reverse("path_list"), _("特殊入学申请"))]),
        (Permission.SEASON, [(reverse("dwelling_lock_list"), _("住房锁定"))]),
        (Permission.SEASON, [(reverse("rule_set_list"), _("录取规则"))]),
    ]
    return [
        link
        for needed, links in desks
        if any(request.actor.can(p) for p in (needed if isinstance(needed, tuple) else [needed]))
        for link in links
    ]


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def season_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Days, mechanism, guide, telephone."""
    season = season_of(request, pk)
    form = forms.SeasonForm(request.POST or None, instance=season)

    def save() -> Season:
        return seasons.edit_season(
            season_of(request, pk), version=form.cleaned_data["version"], reason=form.why,
            by=request.actor, **form.values,
        )  # fmt: skip

    back = reverse("season_detail", args=[pk])
    return form_page(
        request, form, save, title=_("日程和指南"), done=lambda _made: back, back=back,
        trail=trail(season),
    )  # fmt: skip


@require_GET
@requires(*READS)
def season_difference(request: HttpRequest, pk: int) -> HttpResponse:
    """What a season changes against the one before, or another that the reader names."""
    season = season_of(request, pk)
    others = Season.objects.filter(organisation=season.organisation, level=season.level).exclude(
        pk=season.pk
    )
    wanted = request.GET.get("with", "")
    old = others.filter(pk=int(wanted)).first() if wanted.isdigit() and len(wanted) < 10 else None
    old = old or season.copied_from or earlier_season(season)
    found = seasons.differences(season, old) if old else {}
    context = {
        "title": _("%s：与上一批次比较") % season.title,
        "old": old,
        "others": others,
        "sections": [(seasons.SECTIONS[key], changes) for key, changes in found.items()],
    }
    return page(request, "season_difference", context, season=season, current="difference")


@require_http_methods(["GET", "POST"])
@requires(*READS)
def season_intakes(request: HttpRequest, pk: int) -> HttpResponse:
    """Places of all schools in one table, editable for who sets the season; as Excel and back."""
    season = season_of(request, pk)
    rows = season.intakes.select_related("school").order_by("school__order", "school_id")
    if request.GET.get("export"):
        return export_list(request, INTAKES, rows, may_reveal=False)
    sets = request.actor.can(Permission.SEASON)
    if request.method == "POST" and not sets:
        raise PermissionDenied
    schools = list(
        Organisation.objects.filter(kind__in=KINDS[season.level], closed__isnull=True).order_by(
            "order", "id"
        )
    )
    initial = [
        {name: getattr(row, name) for name in seasons.PLAN} | {"school": row.school_id}
        for row in rows
    ]
    table = forms.IntakeTable(
        request.POST or None, initial=initial, prefix="plan", form_kwargs={"schools": schools}
    )
    head = forms.TableReasonForm(request.POST or None, season=season)
    if request.method == "POST" and table.is_valid() and head.is_valid():
        attempt(
            head,
            lambda: seasons.save_intakes(
                season_of(request, pk), table.lines(), version=head.cleaned_data["version"],
                reason=head.why, by=request.actor,
            ),
        )  # fmt: skip
        if not head.errors:
            messages.success(request, _("已保存。"))
            return redirect("season_intakes", pk)
    redirections: dict[int, list[str]] = {}
    for intake in rows.prefetch_related("redirections__target__school"):
        redirections[intake.id] = [str(r.target.school) for r in intake.redirections.all()]
    context = {
        "title": _("%s：招生计划") % season.title,
        "table": table,
        "head": head,
        "rows": [(row, redirections[row.id]) for row in rows],
        "export_url": "?export=xlsx",
        "issues": request.actor.can(Permission.ROLL)
        and season.state in (Season.State.PUBLISHED, Season.State.FINISHED),
        "may_edit": sets and season.state in ("preparing", "open", "checking"),
        "total": sum(row.places for row in rows),
    }
    bad = request.method == "POST"
    return page(
        request, "season_intakes", context, season=season, current="intakes",
        status=422 if bad else 200,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def season_redirections(request: HttpRequest, pk: int, intake: int) -> HttpResponse:
    """Where a full school sends on whom it cannot take, in order."""
    season = season_of(request, pk)
    row = get_object_or_404(
        Intake.objects.select_related("school", "season"), pk=intake, season=season
    )
    form = forms.RedirectionForm(request.POST or None, intake=row)
    back = reverse("season_intakes", args=[pk])
    return form_page(
        request,
        form,
        lambda: seasons.save_redirections(row, form.targets, reason=form.why, by=request.actor),
        title=_("%s的分流去向") % row.school,
        lead=_("学位满了以后，依次分流到这些学校；那里先招本片区的孩子。"),
        done=lambda _made: back,
        back=back,
        trail=trail(season),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def season_rules(request: HttpRequest, pk: int) -> HttpResponse:
    """Which adopted rule set the season uses."""
    season = season_of(request, pk)
    form = forms.ChooseRulesForm(request.POST or None, season=season)
    back = reverse("season_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: seasons.choose_rule_set(season, form.cleaned_data["rule_set"], by=request.actor),
        title=_("选用录取规则"),
        done=lambda _made: back,
        back=back,
        trail=trail(season),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def season_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a season after its checks."""
    season = season_of(request, pk)
    form = forms.OpenForm(request.POST or None)
    back = reverse("season_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: seasons.open_season(season, reason=form.cleaned_data["reason"], by=request.actor),
        title=_("开放登记"),
        lead=_("开放后录取规则和分配方式不能再改，日程、计划、服务区修改要写理由。"),
        submit=_("开放登记"),
        message=_("已开放。"),
        done=lambda _made: back,
        back=back,
        trail=trail(season),
        template="season_open",
        points=seasons.opening_points(season, by=request.actor),
    )


@require_POST
@requires(Permission.SEASON)
def season_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Registration is over: on to checking."""
    season = season_of(request, pk)
    try:
        seasons.close_registration(season, by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已转入核验。"))
    return redirect("season_detail", pk)


@require_GET
@requires(*READS)
def season_forecast(request: HttpRequest, pk: int) -> HttpResponse:
    """How full each school will be, before and after publication."""
    season = season_of(request, pk)
    today = timezone.localdate()
    settings = admission_settings(today, request.actor.authority_code)
    context = {
        "title": _("%s：学位预警") % season.title,
        "rows": forecast(season, today),
        "settings": [settings["warning_yellow"], settings["warning_red"]],
        "public_url": reverse("enrol_forecast"),
        "announced": season.state != Season.State.PREPARING,
    }
    return page(request, "season_forecast", context, season=season, current="forecast")


class ReservedFilter(filters.FilterSet):
    """Entries by list and department."""

    list_code = filters.ChoiceFilter(
        label=gettext_lazy("照顾类别"), choices=list(LIST_WORDS.items())
    )
    department = filters.ModelChoiceFilter(
        label=gettext_lazy("报送部门"), queryset=Organisation.objects.none()
    )

    class Meta:
        model = ReservedEntry
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        held = self.queryset.values("department")
        self.filters["department"].queryset = Organisation.objects.filter(id__in=held)


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def reserved_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Children whom departments handed in; numbers masked."""
    season = season_of(request, pk)
    rows = ReservedEntry.objects.filter(season=season).select_related("department")
    filterset = ReservedFilter(
        request.GET, queryset=rows.order_by("list_code", "name", "id"), request=request
    )
    if request.GET.get("export") or request.method == "POST":
        return export_list(request, RESERVED, filterset.qs, may_reveal=True)
    context = list_context(request, filterset, title=_("%s：照顾名单") % season.title)
    for row in context["page"].object_list:
        row.id_masked = masked(row.id_number)
        row.list_words = LIST_WORDS.get(row.list_code, row.list_code)
    context |= {
        "export_url": export_url(request),
        "empty_text": _("由主管部门报送名单，在“导入”里选“政策照顾名单”。"),
    }
    record_read(
        request, "admissions.reserved_list", object_type="season", object_id=season.pk,
        organisation_id=season.organisation_id,
    )  # fmt: skip
    return page(request, "reserved_list", context, season=season, current="reserved")


class LockFilter(filters.FilterSet):
    """Locks by school and the year in which they end."""

    school = filters.ModelChoiceFilter(
        label=gettext_lazy("学校"), queryset=Organisation.objects.none()
    )
    until_year = filters.NumberFilter(label=gettext_lazy("解锁年"))

    class Meta:
        model = DwellingLock
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["school"].queryset = Organisation.objects.filter(
            id__in=self.queryset.order_by().values("school")
        )


@require_GET
@requires(Permission.SEASON)
def lock_list(request: HttpRequest) -> HttpResponse:
    """Dwellings that have given a place: school and years, no child."""
    reached = request.actor.scope(Permission.SEASON).organisations
    rows = (
        DwellingLock.objects.filter(
            school__within=reached, until_year__gt=timezone.localdate().year
        )
        .select_related("dwelling__community", "school")
        .order_by("until_year", "dwelling__community__code", "dwelling_id", "id")
    )
    filterset = LockFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        columns = [
            Column(_("住址"), 40), Column(_("学校"), 28), Column(_("起始年")), Column(_("解锁年")),
        ]  # fmt: skip
        lines = (
            (str(row.dwelling), str(row.school), row.from_year, row.until_year)
            for row in filterset.qs
        )
        record_read(request, "admissions.locks_export", object_type="dwelling_lock")
        return list_response(request, _("住房学位锁定"), columns, lines)
    settings = admission_settings(timezone.localdate(), request.actor.authority_code)
    context = list_context(request, filterset, title=_("住房学位锁定"))
    context |= {
        "export_url": export_url(request),
        "empty_text": _("孩子报到后，录取所用的住房会列在这里。"),
        "years": [
            settings[f"lock_years_{level}"] for level in ("kindergarten", "primary", "junior")
        ],
    }
    return page(request, "lock_list", context, current="seasons")

"""Rule sets: list, beginning one, its page in sentences, editing, trying, adopting."""

import json

import django_filters as filters
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.forms.rules import (
    condition_choices,
    ladder_view,
    posted_ladder,
    pressed,
)
from xuezheng.domains.admissions.forms.seasons import AdoptForm, RuleSetStartForm
from xuezheng.domains.admissions.models import RuleSet, Season
from xuezheng.domains.admissions.models.seasons import LEVELS
from xuezheng.domains.admissions.services import rule_sets
from xuezheng.domains.admissions.services.ladder_words import ladder_problems, ladder_sentences
from xuezheng.domains.admissions.views.planning import form_page, page, trail
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.lists import export_url, list_context

#: A ladder pasted as JSON may be this long.
LONGEST = 40_000


class RuleSetFilter(filters.FilterSet):
    """Rule sets by level and whether they are adopted."""

    level = filters.ChoiceFilter(label=gettext_lazy("学段"), choices=LEVELS)
    adopted = filters.BooleanFilter(
        label=gettext_lazy("已通过"), field_name="adopted_on", lookup_expr="isnull", exclude=True
    )

    class Meta:
        model = RuleSet
        fields = ()


def _visible(request: HttpRequest) -> QuerySet[RuleSet]:
    reached = request.actor.scope(Permission.SEASON).organisations
    return RuleSet.objects.filter(organisation__within=reached)


def _one(request: HttpRequest, pk: int) -> RuleSet:
    return get_object_or_404(_visible(request), pk=pk)


def _trail(row: RuleSet | None = None) -> list[tuple[str, str]]:
    way = [*trail(), (reverse("rule_set_list"), _("录取规则"))]
    if row:
        way.append((reverse("rule_set_detail", args=[row.pk]), str(row)))
    return way


@require_GET
@requires(Permission.SEASON)
def rule_set_list(request: HttpRequest) -> HttpResponse:
    """Every rule set with its versions."""
    rows = _visible(request).order_by("level", "name", "-number")
    filterset = RuleSetFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        columns = [
            Column(_("规则名称"), 24), Column(_("版本")), Column(_("学段")), Column(_("会议编号"), 22),
            Column(_("通过日")), Column(_("顺位"), 100),
        ]  # fmt: skip
        lines = (
            (row.name, row.number, row.get_level_display(), row.meeting_number, row.adopted_on,
             "\n".join(ladder_sentences(row.data)))
            for row in filterset.qs
        )  # fmt: skip
        return list_response(request, _("录取规则"), columns, lines)
    context = list_context(request, filterset, title=_("录取规则"))
    context |= {"export_url": export_url(request), "chips": [("", _("全部")), *LEVELS]}
    return page(request, "rule_set_list", context, current="seasons")


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def rule_set_add(request: HttpRequest) -> HttpResponse:
    """A new rule set or version, from a shipped ladder or an earlier set."""
    shipped = rule_sets.shipped_ladders()
    earlier = {str(row.pk): row for row in _visible(request).order_by("level", "name", "-number")}
    starts = [
        (_("已有的规则"), [(key, str(row)) for key, row in earlier.items()]),
        (_("各地的做法"), [(key, str(data["note"])) for key, data in shipped.items()]),
    ]
    given = earlier.get(request.GET.get("from", ""))
    initial = {"name": given.name, "level": given.level, "start": str(given.pk)} if given else {}
    form = RuleSetStartForm(request.POST or None, starts=starts, initial=initial)

    def make() -> RuleSet:
        start = form.cleaned_data["start"]
        data = earlier[start].data if start in earlier else {"tiers": shipped[start]["tiers"]}
        return rule_sets.create_rule_set(
            name=form.cleaned_data["name"], level=form.cleaned_data["level"], data=data,
            by=request.actor,
        )  # fmt: skip

    return form_page(
        request,
        form,
        make,
        title=_("新建规则版本"),
        lead=_("已经通过的规则不能改；要改就做一个新版本，试算后再提交会议。"),
        submit=_("开始编辑"),
        done=lambda made: reverse("rule_set_edit", args=[made.pk]),
        back=reverse("rule_set_list"),
        trail=_trail(),
    )


@require_GET
@requires(Permission.SEASON)
def rule_set_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A rule set in sentences."""
    row = _one(request, pk)
    context = {
        "title": str(row),
        "row": row,
        "sentences": ladder_sentences(row.data),
        "problems": ladder_problems(row.data),
        "seasons": row.seasons.order_by("-year"),
        "tryable": Season.objects.filter(
            organisation=row.organisation, level=row.level
        ).exclude(state=Season.State.PREPARING),
        "raw": json.dumps(row.data, ensure_ascii=False, indent=1),
        "trail": _trail(),
    }  # fmt: skip
    return page(request, "rule_set_detail", context, current="seasons")


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def rule_set_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit a draft: buttons change its shape, `save` writes it."""
    row = _one(request, pk)
    if row.adopted_on:
        messages.warning(request, _("已经通过的规则不能改，请做一个新版本。"))
        return redirect("rule_set_detail", pk)
    data, note, problems, status = row.data, row.note, [], 200
    if request.method == "POST":
        note = request.POST.get("note", "")[:300]
        data = _sent(request)
        problems = [_("JSON 读不懂，请检查括号和引号。")] if data is None else []
        data = data if data is not None else row.data
        if request.POST.get("do") in {"save", "raw"} and not problems:
            problems = ladder_problems(data)
            if not problems and _saved(request, row, data, note, problems):
                messages.success(request, _("已保存。"))
                return redirect("rule_set_detail", pk)
        elif not problems:
            data = pressed(data, request.POST)
        status = 422 if problems else 200
    context = {
        "title": _("编辑%s") % row,
        "row": row,
        "tiers": ladder_view(data),
        "count": len(data.get("tiers", [])),
        "note": note,
        "version": request.POST.get("version", row.version),
        "problems": problems,
        "conditions": condition_choices(),
        "raw": json.dumps(data, ensure_ascii=False, indent=1),
        "trail": _trail(row),
    }
    return render(request, "admissions/rule_set_edit.html", context, status=status)


def _sent(request: HttpRequest) -> dict | None:
    """The ladder that was sent: by the fields, or as raw JSON; None for JSON that cannot be read."""
    if request.POST.get("do") != "raw":
        return posted_ladder(request.POST)
    try:
        data = json.loads(request.POST.get("raw", "")[:LONGEST])
    except ValueError:
        return None
    good = isinstance(data, dict) and isinstance(data.get("tiers"), list)
    tiers = data["tiers"] if good else []
    whole = all(
        isinstance(tier, dict)
        and isinstance(tier.get("all", []), list)
        and all(isinstance(each, dict) for each in tier.get("all", []))
        and isinstance(tier.get("order", []), list)
        for tier in tiers
    )
    return {"tiers": tiers} if good and whole else None


def _saved(request: HttpRequest, row: RuleSet, data: dict, note: str, problems: list[str]) -> bool:
    version = request.POST.get("version", "")
    try:
        rule_sets.edit_rule_set(
            row, data=data, note=note, version=int(version) if version.isdigit() else -1,
            by=request.actor,
        )  # fmt: skip
    except StepRefused as refused:
        problems.append(str(refused))
    return not problems


@require_http_methods(["GET", "POST"])
@requires(Permission.SEASON)
def rule_set_adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """Note the meeting that adopted it."""
    row = _one(request, pk)
    form = AdoptForm(request.POST or None, initial={"version": row.version})
    back = reverse("rule_set_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: rule_sets.adopt_rule_set(row, **form.cleaned_data, by=request.actor),
        title=_("登记通过：%s") % row,
        lead=_("登记以后这一版就不能再改。"),
        submit=_("登记通过"),
        done=lambda _made: back,
        back=back,
        trail=_trail(row),
    )


@require_POST
@requires(Permission.SEASON)
def rule_set_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away."""
    row = _one(request, pk)
    try:
        rule_sets.remove_rule_set(row, by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
        return redirect("rule_set_detail", pk)
    messages.success(request, _("已删除。"))
    return redirect("rule_set_list")


@require_GET
@requires(Permission.SEASON)
def rule_set_try(request: HttpRequest, pk: int, season: int) -> HttpResponse:
    """The rule set on the families of a season, beside the season's own.  Nothing is written."""
    row = _one(request, pk)
    families = get_object_or_404(
        Season.objects.select_related("rule_set"),
        pk=season, organisation=row.organisation, level=row.level,
    )  # fmt: skip
    try:
        tried, present, moved = rule_sets.try_rule_set(row, families, by=request.actor)
    except StepRefused as refused:
        raise Http404(str(refused)) from None
    lines = [
        {
            "now": now,
            "tiers": sorted(now.tiers.items()),
            "before": present.schools[code] if present else None,
        }
        for code, now in tried.schools.items()
    ]
    context = {
        "title": _("%(rules)s 试算：%(season)s") % {"rules": row, "season": families.title},
        "row": row,
        "season": families,
        "tried": tried,
        "present": present,
        "moved": moved,
        "lines": lines,
        "trail": _trail(row),
    }
    return render(request, "admissions/rule_set_try.html", context)

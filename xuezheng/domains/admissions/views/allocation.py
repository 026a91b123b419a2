"""The allocation desk of a season: freeze, allocate, ask why, compare, publish."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.forms.allocation import (
    LeafFilter,
    ReasonForm,
    WhatIfForm,
    children_of,
)
from xuezheng.domains.admissions.models import Allocation, Freeze, Season
from xuezheng.domains.admissions.services import publishing
from xuezheng.domains.admissions.services.allocating import (
    Reasons,
    allocate_season,
    by_school,
    figures,
    round_of,
    try_what_if,
    what_is_wrong,
)
from xuezheng.domains.admissions.services.drawing import draw_of
from xuezheng.domains.admissions.services.explaining import Words, sentence
from xuezheng.domains.admissions.services.freezing import (
    freeze,
    freeze_of,
    unfinished,
    void_freeze,
)
from xuezheng.domains.admissions.services.reviews import to_carry_out
from xuezheng.domains.admissions.views.planning import season_tabs
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.lists import export_url, list_context, narrowed_by
from xuezheng.kernel.ui.steps import attempt

#: Who allocates sees children by code; who publishes, numbers and codes.
DESK = (Permission.ALLOCATE, Permission.PUBLISH)
#: A what-if is compared with the real run beside at most so many others.
COMPARED = 8


def _season(request: HttpRequest, pk: int) -> Season:
    """A season whose authority the reader allocates or publishes for; else 404."""
    season = get_object_or_404(Season.objects.visible_to(request.actor), pk=pk)
    if not _reaches(request.actor, season):
        raise Http404
    return season


def _reaches(actor: Actor, season: Season) -> bool:
    return any(season.organisation_id in actor.scope(p).organisations for p in DESK)


def _allocation(request: HttpRequest, pk: int) -> Allocation:
    rows = Allocation.objects.select_related("season__rule_set", "freeze", "draw", "made_by")
    allocation = get_object_or_404(rows, pk=pk)
    if not _reaches(request.actor, allocation.season):
        raise Http404
    return allocation


@require_GET
@requires(*DESK)
def allocation_home(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a season stands on its way from the roll to the result, and the next act."""
    season = _season(request, pk)
    frozen = freeze_of(season)
    draw = draw_of(frozen) if frozen else None
    runs = season.allocations.select_related("made_by", "published_by").defer("given", "result")
    real = [run for run in runs if not run.what_if]
    number = round_of(season)
    context = {
        "season": season,
        "tabs": season_tabs(season, "results"),
        "frozen": frozen,
        "draw": draw,
        "rehearsals": frozen.draws.filter(rehearsal=True).count() if frozen else 0,
        "voided": Freeze.objects.filter(season=season).exclude(void_reason=""),
        "runs": real,
        "current": next((run for run in real if run.round == number), None),
        "round": number,
        "what_ifs": sum(1 for run in runs if run.what_if),
        "unfinished": unfinished(season) if request.actor.can(Permission.SEE) else 0,
        "may_allocate": request.actor.can(Permission.ALLOCATE),
        "may_publish": request.actor.can(Permission.PUBLISH),
        "ready": draw is not None and draw.state == draw.State.DRAWN,
        "to_carry_out": to_carry_out(season, by=request.actor)
        if request.actor.can(Permission.REVIEW)
        else [],
    }
    return render(request, "admissions/allocation_home.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ALLOCATE)
def roll_freeze(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm, then freeze the roll."""
    season = _season(request, pk)
    left_out = unfinished(season)
    form = ReasonForm(request.POST if request.method == "POST" else None, needed=bool(left_out))
    if request.method == "POST" and form.is_valid():
        made = attempt(
            form, lambda: freeze(season, reason=form.cleaned_data["reason"], by=request.actor)
        )
        if made:
            messages.success(request, _("名册已封存，共 %d 人。") % made.count)
            return redirect("freeze_detail", made.pk)
    effects = [
        _("已核验的孩子各成一行，封存值可以公布；此后改不动。"),
        _("每个家庭可以下载自己那一行，核对是否在内。"),
    ]
    if left_out:
        effects.append(_("还有 %d 件登记没有核验完，它们不进这份名册，须写明理由。") % left_out)
    return _confirm(
        request,
        form,
        title=_("封存“%s”的名册？") % season.title,
        submit=_("封存名册"),
        back=reverse("allocation_home", args=[season.pk]),
        effects=effects,
        show_form=bool(left_out),
    )


def _confirm(
    request: HttpRequest,
    form: Any,
    *,
    title: str,
    submit: str,
    back: str,
    effects: list[str],
    danger: bool = False,
    show_form: bool = True,
) -> HttpResponse:
    context = {
        "title": title,
        "submit": submit,
        "cancel_url": back,
        "effects": effects,
        "form": form if show_form or form.errors else None,
        "danger": danger,
    }
    return render(request, "ui/confirm.html", context, status=422 if form.errors else 200)


def _freeze(request: HttpRequest, pk: int) -> Freeze:
    frozen = get_object_or_404(Freeze.objects.select_related("season", "frozen_by"), pk=pk)
    if not _reaches(request.actor, frozen.season):
        raise Http404
    return frozen


@require_GET
@requires(*DESK)
def freeze_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Root, count and time of a frozen roll, to be printed and hung out."""
    frozen = _freeze(request, pk)
    address = request.build_absolute_uri(reverse("proof", args=[frozen.season_id]))
    context = {
        "frozen": frozen,
        "season": frozen.season,
        "proof_url": address,
        "may_void": request.actor.can(Permission.ALLOCATE)
        and not frozen.void_reason
        and frozen.season.state in ("frozen", "drawn", "allocated"),
    }
    return render(request, "admissions/freeze_detail.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ALLOCATE)
def freeze_void(request: HttpRequest, pk: int) -> HttpResponse:
    """A wrong roll: void it, with the reason that everybody will read."""
    frozen = _freeze(request, pk)
    form = ReasonForm(request.POST or None)

    def void() -> bool:
        void_freeze(frozen, reason=form.cleaned_data["reason"], by=request.actor)
        return True

    if request.method == "POST" and form.is_valid() and attempt(form, void):
        messages.warning(request, _("名册已作废，批次退回核验。"))
        return redirect("allocation_home", frozen.season_id)
    return _confirm(
        request,
        form,
        title=_("作废这份名册？"),
        submit=_("作废名册"),
        back=reverse("freeze_detail", args=[frozen.pk]),
        effects=[
            _("批次退回核验，名册可以更正后重新封存。"),
            _("这份名册的抽签一并作废，须重新抽签。"),
            _("作废的名册和理由留在公示页上，任何人可见。"),
        ],
        danger=True,
    )


@require_POST
@requires(Permission.ALLOCATE)
def allocation_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the allocation of the present round."""
    season = _season(request, pk)
    try:
        made = allocate_season(season, by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
        return redirect("allocation_home", season.pk)
    messages.success(request, _("已分配，结果已封存；公布须由另一人办理。"))
    return redirect("allocation_detail", made.pk)


def _school_rows(allocation: Allocation, words: Words) -> list[dict[str, Any]]:
    return [
        row
        | {
            "name": words.schools.get(row["code"], row["code"]),
            "words": words.cutoff(row["cutoff"], row["tier"], row["width"]),
        }
        for row in by_school(allocation)
    ]


@require_GET
@requires(*DESK)
def allocation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: its seal, its figures, each school's cut-off, and its children by code."""
    allocation = _allocation(request, pk)
    words = Words(allocation.season)
    filterset = LeafFilter(
        request.GET,
        queryset=children_of(allocation),
        request=request,
        allocation=allocation,
        names=words.schools,
    )
    if request.GET.get("export"):
        return _export(request, allocation, filterset, words)
    context = list_context(request, filterset, title=_("第 %d 轮分配结果") % allocation.round)
    assigned = allocation.result["assignments"]
    keys = {child["code"]: child for child in allocation.given["children"]}
    context |= {
        "allocation": allocation,
        "season": allocation.season,
        "figures": figures(allocation),
        "schools": _school_rows(allocation, words),
        "children": [
            {
                "code": leaf.code,
                "school": words.schools.get(assigned[leaf.code] or "", ""),
                "first": words.schools.get(next(iter(keys[leaf.code]["preferences"]), ""), ""),
            }
            for leaf in context["page"]
        ],
        "export_url": export_url(request),
        "may_publish": request.actor.can(Permission.PUBLISH)
        and not allocation.what_if
        and not allocation.published_at,
    }
    if allocation.what_if:
        context["title"] = _("假设：%s") % allocation.what_if
    return render(request, "admissions/allocation_detail.html", context)


def _export(
    request: HttpRequest, allocation: Allocation, filterset: LeafFilter, words: Words
) -> HttpResponse:
    assigned = allocation.result["assignments"]
    reasons = Reasons(allocation)
    columns = [Column(_("登记代码"), 14), Column(_("结果"), 24), Column(_("理由"), 80)]
    rows = (
        (
            leaf.code,
            words.schools.get(assigned[leaf.code] or "", _("本轮未录取")),
            sentence(reasons.of(leaf.code), words),
        )
        for leaf in filterset.qs
    )
    record_read(
        request,
        "admissions.result_export",
        object_type="allocation",
        object_id=allocation.pk,
        detail=narrowed_by(filterset),
    )
    return list_response(request, _("分配结果"), columns, rows)


@require_GET
@requires(*DESK)
def allocation_child(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Why one child is where it is: each school of its list, its key against the cut-off."""
    allocation = _allocation(request, pk)
    words = Words(allocation.season)
    try:
        reason = Reasons(allocation).of(code)
    except KeyError:
        raise Http404 from None
    steps = [
        step
        | {
            "name": words.schools.get(step["school"], step["school"]),
            "own": words.cutoff(
                [step["tier"], *step["order"], reason["draw"]], step["code"], len(step["order"])
            ),
            "limit": words.cutoff(
                step["cutoff"],
                step["code"] if step["cutoff"] and step["cutoff"][0] == step["tier"] else "",
                len(step["order"]),
            ),
        }
        for step in reason["list"]
    ]
    record_read(
        request, "admissions.why", object_type="allocation", object_id=f"{allocation.pk}/{code}"
    )
    context = {
        "allocation": allocation,
        "season": allocation.season,
        "code": code,
        "steps": steps,
        "draw": reason["draw"],
        "placed": reason["school"],
        "sentence": sentence(reason, words),
    }
    return render(request, "admissions/allocation_child.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ALLOCATE)
def what_if_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask what would be if."""
    season = _season(request, pk)
    form = WhatIfForm(request.POST or None, season=season)
    if request.method == "POST" and form.is_valid():
        made = attempt(form, lambda: try_what_if(season, form.what_if(), by=request.actor))
        if made:
            return redirect("what_if_compare", season.pk)
    context = {"season": season, "form": form}
    status = 422 if form.errors else 200
    return render(request, "admissions/what_if.html", context, status=status)


@require_GET
@requires(*DESK)
def what_if_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """The real run and the newest what-ifs side by side."""
    season = _season(request, pk)
    base = season.allocations.filter(what_if="").order_by("round", "-made_at").first()
    tried = list(season.allocations.exclude(what_if="").order_by("-made_at")[:COMPARED])
    runs = ([base] if base else []) + tried
    schools = Words(season).schools
    rows = [
        {"run": run, "figures": figures(run, base), "places": _places(run, schools)} for run in runs
    ]
    context = {"season": season, "rows": rows, "may_add": request.actor.can(Permission.ALLOCATE)}
    return render(request, "admissions/what_if_compare.html", context)


def _places(run: Allocation, schools: dict[str, str]) -> list[tuple[str, int, int]]:
    return [
        (schools.get(row["code"], row["code"]), row["admitted"], row["places"])
        for row in by_school(run)
    ]


@require_GET
@requires(*DESK, Permission.FIGURES)
def allocation_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check a run anew now; who only sees figures (the auditor), the published ones."""
    rows = Allocation.objects.select_related("season", "freeze", "draw")
    allocation = get_object_or_404(rows, pk=pk)
    if not _reaches(request.actor, allocation.season) and (
        not allocation.published_at
        or allocation.season.organisation_id
        not in request.actor.scope(Permission.FIGURES).organisations
    ):
        raise Http404
    wrong = what_is_wrong(allocation)
    context = {"allocation": allocation, "season": allocation.season, "wrong": wrong[:50]}
    return render(request, "admissions/allocation_check.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.PUBLISH)
def allocation_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """One page that says what will happen; then it happens, once."""
    allocation = _allocation(request, pk)
    if request.method == "POST":
        try:
            count = publishing.publish(allocation, by=request.actor)
        except StepRefused as refused:
            messages.error(request, str(refused))
            return redirect("allocation_publish", allocation.pk)
        words = _("已公布 %d 人的结果，并通知了家长。") if count else _("这份结果已经公布过。")
        messages.success(request, words % count if count else words)
        return redirect("allocation_home", allocation.season_id)
    context = {
        "allocation": allocation,
        "season": allocation.season,
        "found": publishing.preview(allocation, by=request.actor),
    }
    return render(request, "admissions/allocation_publish.html", context)

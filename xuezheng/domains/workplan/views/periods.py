"""Planning periods: the list, a period with its goals by year, a goal with its history, forms."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.desk_forms import bureaus
from xuezheng.domains.workplan.models.periods import PeriodGoal, PlanPeriod
from xuezheng.domains.workplan.period_forms import FigureForm, GoalForm, PeriodForm
from xuezheng.domains.workplan.period_rules import Point, reached, segments
from xuezheng.domains.workplan.services import periods
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.steps import attempt

PERIODS_A_PAGE = 50


@require_GET
@requires(Permission.SEE)
def period_list(request: HttpRequest) -> HttpResponse:
    """The periods, newest first."""
    rows = (
        PlanPeriod.objects.visible_to(request.actor)
        .annotate(goal_count=Count("goals"))
        .order_by("-first_year", "-id")
    )
    context = {
        "page": Paginator(rows, PERIODS_A_PAGE).get_page(request.GET.get("page")),
        "may_edit": request.actor.can(Permission.SUPERVISE),
    }
    return render(request, "workplan/period_list.html", context)


def _period(request: HttpRequest, period_id: int) -> PlanPeriod:
    rows = PlanPeriod.objects.visible_to(request.actor).select_related("organisation")
    return get_object_or_404(rows, id=period_id)


def _verdict(goal: PeriodGoal, point: Point) -> str:
    done = reached(point, higher_is_better=goal.higher_is_better)
    return {True: _("达到"), False: _("未达到"), None: ""}[done]


def _line(goal: PeriodGoal, points: list[Point]) -> dict[str, Any]:
    return {
        "goal": goal,
        "years": [{"point": point, "verdict": _verdict(goal, point)} for point in points],
        "runs": [[point.actual for point in run] for run in segments(points) if len(run) > 1],
        "broken": [point for point in points if point.broken],
    }


@require_GET
@requires(Permission.SEE)
def period_detail(request: HttpRequest, period_id: int) -> HttpResponse:
    """One line per goal, target and actual by year; as a workbook with `export`."""
    period = _period(request, period_id)
    goals = list(period.goals.all())
    points = periods.series(period, goals)
    may_export = request.actor.can(Permission.EXPORT)
    if request.GET.get("export"):
        if not may_export:
            raise PermissionDenied
        record_read(request, "plan_period.export", object_type="plan_period", object_id=period.id)
        heads = [_("规划目标"), _("单位"), _("年份"), _("年度目标值"), _("实际值")]
        heads += [_("来源"), _("口径变化说明")]
        lines = (
            (goal.title, goal.unit, p.year, p.target, p.actual, p.origin, p.broken)
            for goal in goals
            for p in points[goal.id]
        )
        return list_response(request, period.title, [Column(head, 16) for head in heads], lines)
    context = {
        "period": period,
        "years": range(period.first_year - 1, period.last_year + 1),
        "lines": [_line(goal, points[goal.id]) for goal in goals],
        "may_edit": period.organisation_id in request.actor.scope(Permission.SUPERVISE),
        "may_export": may_export,
    }
    return render(request, "workplan/period_detail.html", context)


@require_GET
@requires(Permission.SEE)
def period_goal_detail(request: HttpRequest, goal_id: int) -> HttpResponse:
    """A goal year by year with sources, and all that was ever entered for it."""
    goal = get_object_or_404(
        PeriodGoal.objects.visible_to(request.actor).select_related("period"), id=goal_id
    )
    context = {
        "goal": goal,
        "line": _line(goal, periods.series(goal.period, [goal])[goal.id]),
        "figures": goal.figures.select_related("set_by").order_by("-id"),
        "may_edit": goal.period.organisation_id in request.actor.scope(Permission.SUPERVISE),
    }
    return render(request, "workplan/period_goal.html", context)


def _form_page(request: HttpRequest, form: Any, title: str, back: str) -> HttpResponse:
    if request.method == "POST" and form.is_valid() and attempt(form, form.save):
        messages.success(request, _("已保存。"))
        return redirect(back)
    context = {"form": form, "title": title, "submit": _("保存"), "cancel_url": back}
    return render(request, "workplan/desk_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires(Permission.SUPERVISE)
def period_add(request: HttpRequest) -> HttpResponse:
    """Begin a period."""
    bureau = bureaus(request.actor, Permission.SUPERVISE).first()
    if bureau is None:
        raise Http404
    form = PeriodForm(request.POST or None, organisation=bureau, actor=request.actor)
    return _form_page(request, form, _("规划期"), reverse("period_list"))


@require_http_methods(["GET", "POST"])
@requires(Permission.SUPERVISE)
def period_goal_add(request: HttpRequest, period_id: int) -> HttpResponse:
    """Give a period a goal."""
    period = _period(request, period_id)
    form = GoalForm(request.POST or None, period=period, actor=request.actor)
    return _form_page(request, form, _("规划目标"), reverse("period_detail", args=[period.id]))


@require_http_methods(["GET", "POST"])
@requires(Permission.SUPERVISE)
def period_figure_add(request: HttpRequest, goal_id: int) -> HttpResponse:
    """Enter a target or an actual."""
    goal = get_object_or_404(
        PeriodGoal.objects.visible_to(request.actor).select_related("period"), id=goal_id
    )
    form = FigureForm(request.POST or None, goal=goal, actor=request.actor)
    return _form_page(request, form, _("规划数值"), reverse("period_goal_detail", args=[goal.id]))

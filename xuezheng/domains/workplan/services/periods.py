"""Planning periods: set one, give it goals, enter targets and actuals by year."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models.periods import (
    FigureKind,
    GoalFigure,
    PeriodGoal,
    PlanPeriod,
)
from xuezheng.domains.workplan.period_rules import Point
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.models import Reading

#: A period is five years as a rule; outlooks go further.
MOST_YEARS = 20


def series(period: PlanPeriod, goals: Iterable[PeriodGoal]) -> dict[int, list[Point]]:
    """Goal id -> its years, the base year first.  Two queries, however many goals.

    A reading taken on or after the last day of the year stands before what was entered by hand;
    an earlier one is shown only where nothing was entered, and says so.
    """
    goals = list(goals)
    figures = {
        (row.goal_id, row.year, row.kind): row
        for row in GoalFigure.objects.filter(goal__in=goals).order_by("id")
    }
    readings: dict[tuple[str, int], Reading] = {}
    for row in Reading.objects.filter(
        indicator__in={goal.indicator for goal in goals if goal.indicator},
        organisation=period.organisation_id,
        period_from__in=[date(year, 1, 1) for year in (period.first_year - 1, *_years(period))],
        period_to__month=12,
        period_to__day=31,
    ).order_by("as_of"):
        if row.period_to.year == row.period_from.year:
            readings[row.indicator, row.period_from.year] = row
    made: dict[int, list[Point]] = defaultdict(list)
    for goal in goals:
        before: str = ""
        if goal.base_value is not None:
            # A base that was read from the system goes on without a break.
            reading = readings.get((goal.indicator, period.first_year - 1))
            read = reading is not None and reading.shown == goal.base_value
            before = f"v{reading.definition_version}" if read else "hand"
        made[goal.id].append(Point(period.first_year - 1, None, goal.base_value, goal.base_source))
        for year in _years(period):
            target = figures.get((goal.id, year, FigureKind.TARGET))
            entered = figures.get((goal.id, year, FigureKind.ACTUAL))
            reading = readings.get((goal.indicator, year))
            value, origin, broken, kind = None, "", "", before
            final = reading is not None and reading.as_of >= reading.period_to
            if reading is not None and (final or entered is None):
                value, kind = reading.shown, f"v{reading.definition_version}"
                origin = _("系统读数，截至 %s") % reading.as_of.isoformat()
                if before and before != kind:
                    broken = _("口径或数据来源有变化")
            elif entered is not None:
                value, origin, broken, kind = (
                    entered.value,
                    entered.source,
                    entered.break_note,
                    "hand",
                )
                if before and before != kind and not broken:
                    broken = _("口径或数据来源有变化")
            before = kind
            made[goal.id].append(
                Point(year, target.value if target else None, value, origin, broken)
            )
    return made


def _years(period: PlanPeriod) -> range:
    return range(period.first_year, period.last_year + 1)


def set_period(
    *,
    organisation: Organisation,
    title: str,
    first_year: int,
    last_year: int,
    copy_from: PlanPeriod | None = None,
    by: Actor,
) -> PlanPeriod:
    """Begin a period; with `copy_from` its goals come along, their last actual as the base.

    Raises PermissionDenied, OutOfScope (of the copied period, too), StepRefused for years that are
    not in order or taken.
    """
    post = by.post_for(Permission.SUPERVISE, organisation.id)
    if copy_from is not None:
        by.post_for(Permission.SUPERVISE, copy_from.organisation_id)
    if not title.strip() or not first_year <= last_year < first_year + MOST_YEARS:
        raise StepRefused(_("请填写名称，起止年份须依次，且不超过 %d 年。") % MOST_YEARS)
    known = PlanPeriod.objects.filter(organisation=organisation, first_year=first_year)
    if known.exists():
        raise StepRefused(_("这一年起的规划期已经登记。"))
    period = PlanPeriod.objects.create(
        organisation=organisation,
        title=title.strip()[:60],
        first_year=first_year,
        last_year=last_year,
    )
    goals = list(copy_from.goals.all()) if copy_from else []
    past = series(copy_from, goals) if copy_from else {}
    for goal in goals:
        last = next((p for p in reversed(past[goal.id]) if p.actual is not None), None)
        PeriodGoal.objects.create(
            period=period,
            title=goal.title,
            unit=goal.unit,
            indicator=goal.indicator,
            higher_is_better=goal.higher_is_better,
            base_value=last.actual if last else None,
            base_source=_("%d 年实际值") % last.year if last else "",
        )
    record(
        "plan_period.set",
        by=by,
        post=post,
        organisation_id=organisation.id,
        object_type="plan_period",
        object_id=period.id,
        detail={"from": first_year, "to": last_year, "goals": len(goals)},
    )
    return period


def add_goal(
    *,
    period: PlanPeriod,
    title: str,
    unit: str,
    indicator: str = "",
    higher_is_better: bool = True,
    base_value: float | None = None,
    base_source: str = "",
    by: Actor,
) -> PeriodGoal:
    """Give a period a goal.  Raises PermissionDenied, OutOfScope, StepRefused.

    What is harmed by counting (an indicator that may not be ranked) gets no goal and so no target.
    """
    post = by.post_for(Permission.SUPERVISE, period.organisation_id)
    if indicator and (indicator not in INDICATORS or not INDICATORS[indicator].ranked):
        raise StepRefused(_("这项指标一设目标就会被瞒报或应付，不得下达目标值。"))
    if base_value is not None and not base_source.strip():
        raise StepRefused(_("基期值须注明来源。"))
    goal = PeriodGoal.objects.create(
        period=period,
        title=title.strip()[:120],
        unit=unit.strip()[:20],
        indicator=indicator,
        higher_is_better=higher_is_better,
        base_value=base_value,
        base_source=base_source.strip()[:200],
    )
    record(
        "plan_period.goal",
        by=by,
        post=post,
        organisation_id=period.organisation_id,
        object_type="period_goal",
        object_id=goal.id,
        detail={"indicator": indicator},
    )
    return goal


def enter_figure(
    *,
    goal: PeriodGoal,
    year: int,
    kind: FigureKind,
    value: float,
    source: str,
    break_note: str = "",
    by: Actor,
) -> GoalFigure:
    """Enter a target or an actual of one year; an earlier one stays as history.

    Raises PermissionDenied, OutOfScope, StepRefused outside the period or without source or reason,
    and for an actual of a year that is not over.
    """
    post = by.post_for(Permission.SUPERVISE, goal.period.organisation_id)
    if year not in _years(goal.period):
        raise StepRefused(_("年份不在规划期内。"))
    if not source.strip():
        raise StepRefused(_("请注明来源或调整理由。"))
    if kind == FigureKind.ACTUAL and year >= timezone.localdate().year:
        raise StepRefused(_("这一年还没有结束，不能填实际值。"))
    row = GoalFigure.objects.create(
        goal=goal,
        year=year,
        kind=kind,
        value=value,
        source=source.strip()[:200],
        break_note=break_note.strip()[:200] if kind == FigureKind.ACTUAL else "",
        set_by=by.user,
        set_at=timezone.now(),
    )
    record(
        "plan_period.figure",
        by=by,
        post=post,
        organisation_id=goal.period.organisation_id,
        object_type="period_goal",
        object_id=goal.id,
        detail={"year": year, "kind": str(kind), "value": value},
    )
    return row

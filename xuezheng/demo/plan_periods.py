"""Two planning periods of the demo district: one that is over, one that runs."""

import datetime as dt
from typing import Any

from django.utils import timezone

from xuezheng.domains.workplan.models import FigureKind, GoalFigure, PeriodGoal, Plan
from xuezheng.domains.workplan.services.periods import add_goal, set_period
from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import User

YEARS = 5


def load_periods(plan: Plan, people: dict[str, User], spec: dict[str, Any], today: dt.date) -> None:
    """The years of a period end with a five or a nought, as plans do here.

    Figures are written as they would have been entered: targets when the period began, an actual in the
    January after its year.
    """
    officer = StaffActor(people["plan"])
    first = today.year - (today.year - 1) % YEARS
    past = set_period(
        organisation=plan.organisation, title=f"{first - YEARS}—{first - 1}年教育事业发展规划",
        first_year=first - YEARS, last_year=first - 1, by=officer,
    )  # fmt: skip
    rows: list[GoalFigure] = []
    for told in spec["goals"]:
        goal = add_goal(
            period=past, title=told["title"], unit=told["unit"],
            indicator=told.get("indicator", ""), higher_is_better=not told.get("falls"),
            base_value=told["base"], base_source="教育事业统计年报", by=officer,
        )  # fmt: skip
        rows += _targets(goal, past.first_year, told["targets"], people["plan"])
        broken, note = told.get("broken", (None, ""))
        for at, value in enumerate(told["actuals"]):
            year = past.first_year + at
            rows.append(
                GoalFigure(
                    goal=goal, year=year, kind=FigureKind.ACTUAL, value=value,
                    source="教育事业统计年报", break_note=note if at == broken else "",
                    set_by=people["plan"], set_at=_at(year + 1, 1, 20),
                )
            )  # fmt: skip
    GoalFigure.objects.bulk_create(rows)
    present = set_period(
        organisation=plan.organisation, title=f"{first}—{first + YEARS - 1}年教育事业发展规划",
        first_year=first, last_year=first + YEARS - 1, copy_from=past, by=officer,
    )  # fmt: skip
    goals = zip(present.goals.order_by("id"), spec["goals"], strict=True)
    GoalFigure.objects.bulk_create(
        row for goal, told in goals for row in _targets(goal, first, told["next"], people["plan"])
    )


def _targets(goal: PeriodGoal, first: int, values: list[float], by: User) -> list[GoalFigure]:
    return [
        GoalFigure(
            goal=goal, year=first + at, kind=FigureKind.TARGET, value=value, source="规划文本",
            set_by=by, set_at=_at(first, 3, 1),
        )
        for at, value in enumerate(values)
    ]  # fmt: skip


def _at(year: int, month: int, day: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime(year, month, day, 10))

"""The access matrix of planning periods: one period with one goal."""

from collections.abc import Callable
from typing import Any

from tests.access_supervision import PLAN_OFFICE, SEES
from tests.district import District
from xuezheng.domains.workplan.services import periods

TABLES = ("workplan_planperiod", "workplan_periodgoal", "workplan_goalfigure")


def periods_world(district: District) -> dict[str, Any]:
    """A period of the bureau."""
    by = district.actor("plan")
    period = periods.set_period(
        organisation=district.orgs["B"], title="x", first_year=2021, last_year=2025, by=by
    )
    goal = periods.add_goal(period=period, title="x", unit="x", by=by)
    return {"plan_period": period.id, "period_goal": goal.id}


def periods_addresses(ids: dict[str, Any], address: Callable) -> list:
    """The entries of the matrix."""
    period, goal = (ids["plan_period"],), (ids["period_goal"],)
    return [
        address("period_list", may=SEES),
        address("period_add", may=PLAN_OFFICE),
        address("period_detail", period, SEES),
        address("period_goal_add", period, PLAN_OFFICE),
        address("period_goal_detail", goal, SEES),
        address("period_figure_add", goal, PLAN_OFFICE),
    ]

"""The access matrix of the plan desk: rounds and what belongs to them, on one and the same rows."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from tests.district import District
from xuezheng.domains.workplan.models import Plan, RoundReport
from xuezheng.domains.workplan.services import acting, rounds, sheets

SEES = frozenset(
    {
        "plan", "director", "deputy", "base", "safety_office", "safety", "safety_head", "inspector",
        "auditor", "statistician",
    }
)  # fmt: skip
EDITOR = frozenset({"plan"})
LEADERS = frozenset({"director", "deputy"})
OFFICES = frozenset({"base", "safety_office"})
TABLES = (
    "workplan_round",
    "workplan_roundreport",
    "workplan_sheetreturn",
    "workplan_standin",
)


def desk_world(district: District, plan: Plan) -> dict[str, Any]:
    """An open round of the adopted plan, one to come, and a stand-in."""
    by, today = district.actor("plan"), timezone.localdate()
    year = today.replace(month=1, day=1)
    made = rounds.plan_rounds(plan, months=1, since=year, by=by)
    rounds.open_round(made[-2], by=by)
    stand_in = acting.set_stand_in(
        district.orgs["B"],
        absent=district.users["director"],
        deputy=district.users["deputy"],
        starts_on=today,
        ends_on=today,
        by=by,
    )
    cells = {cells["code"]: cells for cells in sheets.sheet_rows(plan)}
    edited = [("1.1-01", cells["1.1-01"] | {"title": "x"})]
    sheet = sheets.keep_return(plan, base=cells, returned=edited, by=by)
    report = RoundReport.objects.get(round=made[-2], commitment__code="1.2-01")
    return {
        "round": made[-2].pk,
        "round_to_come": made[0].pk,
        "round_report": report.case.number,
        "stand_in": stand_in.pk,
        "sheet": sheet.pk,
    }


def desk_addresses(plan: int, ids: dict[str, Any], district: District, address: Callable) -> list:
    """The entries of the matrix."""
    row, report, today = (ids["round"],), (ids["round_report"],), timezone.localdate().isoformat()
    standing_in = {
        "organisation": district.orgs["B"].id,
        "absent": district.users["deputy"].id,
        "deputy": district.users["director"].id,
        "starts_on": today,
        "ends_on": today,
    }
    parts = OFFICES | LEADERS | EDITOR
    return [
        address("round_list", (plan,), SEES),
        address("closing_apply", (plan, "1.1-02"), OFFICES),
        address("sheet_export", (plan,), SEES - {"safety", "inspector", "statistician"}),
        address("sheet_back", (plan,), OFFICES | EDITOR),
        address("sheet_preview", (plan, ids["sheet"]), EDITOR, OFFICES),
        address("round_detail", row, SEES),
        address("round_reports", row, SEES),
        address("round_report", report, SEES),
        address("my_rounds", may=parts),
        address("stand_in_add", (plan,), EDITOR, data=standing_in, post=True),
        address("stand_in_end", (plan, ids["stand_in"]), EDITOR, post=True),
        address("round_urge", row, EDITOR | LEADERS, post=True),
        address("my_rounds_together", ("sign",), parts, post=True),
        address(
            "round_quick",
            report,
            frozenset({"base"}),
            data={"action": "save", "text": "x", "version": 1},
            post=True,
        ),
        address(
            "round_report_step",
            (*report, "fill"),
            frozenset({"base"}),
            data={"version": 1, "text": "x"},
            post=True,
        ),
        address("round_open", (ids["round_to_come"],), EDITOR, post=True),
        address("rounds_plan", (plan,), EDITOR, data={"months": 3}, post=True),
    ]


#: With their own tests: workplan/tests/test_rounds.py and test_closing.py.
ELSEWHERE = {"round_file", "outside_ask", "outside_behalf", "outside_answer", "closing_file"} | {
    "closing_detail",
    "closing_step",
}

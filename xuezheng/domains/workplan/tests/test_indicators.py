"""plan_milestones_on_time: boundary days and what is left out."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.district import District
from xuezheng.domains.workplan.models import Commitment, Milestone, Plan, Section
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.indicators.compute import run
from xuezheng.kernel.indicators.definitions import INDICATORS

YEAR = (dt.date(2025, 1, 1), dt.date(2025, 12, 31))


@pytest.mark.parametrize(
    ("state", "due", "done", "expected"),
    [
        ("accepted", "2025-03-10", "2025-03-10", (1, 1)),
        ("reported", "2025-03-10", "2025-03-10", (1, 1)),
        ("accepted", "2025-03-10", "2025-03-11", (0, 1)),
        ("planned", "2025-03-10", None, (0, 1)),
        ("planned", "2025-07-01", None, None),  # the term has not ended by the as-of day
        ("withdrawn", "2025-03-10", None, None),
        ("draft", "2025-03-10", None, None),
    ],
)
def test_boundary_days(
    district: District, state: str, due: str, done: str | None, expected: tuple | None
) -> None:
    plan = Plan.objects.create(
        organisation=district.orgs["B"], year=2025, title="x", imported_at=timezone.now()
    )
    section = Section.objects.create(
        plan=plan, title="x", path="x", level=1, order=1, start=0, end=0
    )
    commitment = Commitment.objects.create(
        plan=plan, section=section, code="1-01", title="x", wording="x", order=1
    )
    case = Case.objects.create(
        number="JD2025-000001",
        kind="milestone",
        title="x",
        organisation=district.orgs["B-BASE"],
        state=state,
        phase="acting",
        opened_at=timezone.now(),
    )
    Milestone.objects.create(
        case=case,
        commitment=commitment,
        state=state,
        title="x",
        due_on=dt.date.fromisoformat(due),
        done_on=dt.date.fromisoformat(done) if done else None,
    )
    indicator = INDICATORS["plan_milestones_on_time"]
    result = run(indicator, period=YEAR, as_of=dt.date(2025, 6, 30))
    assert result == ({} if expected is None else {"B-BASE": expected})

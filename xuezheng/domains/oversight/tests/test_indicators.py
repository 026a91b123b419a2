"""Figures of hazards: boundary days, roll-up, proof, as-of."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.district import District
from xuezheng.domains.oversight.models import Hazard
from xuezheng.kernel.access.models import User
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.indicators.compute import compute, roll_up
from xuezheng.kernel.indicators.models import Reading
from xuezheng.kernel.indicators.proof import prove

YEAR = (dt.date(2025, 1, 1), dt.date(2025, 12, 31))


def d(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def hazard(
    district: District,
    org: str,
    due: str | None,
    rectified: str | None = None,
    closed: str | None = None,
    checker: str = "inspector",
    state: str = "rectifying",
) -> Hazard:
    """A hazard as the services would have left it."""
    count = Case.objects.count()
    case = Case.objects.create(
        number=f"YH2025-{count:06d}",
        kind="hazard",
        title="x",
        organisation=district.orgs[org],
        state=state,
        phase="closed" if closed else "acting",
        opened_at=timezone.now(),
    )
    row = Hazard.objects.create(
        case=case,
        state="closed" if closed else state,
        category="fire",
        place="x",
        description="x",
        reported_on=d("2025-01-02"),
        grade="" if state == "dismissed" else "general",
        due_on=d(due) if due else None,
        rectified_on=d(rectified) if rectified else None,
        closed_on=d(closed) if closed else None,
    )
    if closed:
        for step, who, day in (("rectify", "sec1", rectified), ("pass", checker, closed)):
            Move.objects.create(
                case=case,
                at=dt.datetime.fromisoformat(day + "T09:00+08:00"),
                step=step,
                user=User.objects.get(username=who),
            )
    return row


def reading(district: District, org: str, key: str, as_of: str) -> Reading | None:
    compute(period=YEAR, as_of=d(as_of), keys=[key])
    return Reading.objects.filter(
        indicator=key, organisation=district.orgs[org], as_of=d(as_of)
    ).first()


IN_TIME = "hazard_rectified_in_time"


@pytest.mark.parametrize(
    ("due", "rectified", "as_of", "expected"),
    [
        ("2025-03-10", "2025-03-10", "2025-03-31", (1, 1)),  # the due day is in time
        ("2025-03-10", "2025-03-11", "2025-03-31", (0, 1)),
        ("2025-03-10", None, "2025-03-10", (0, 1)),
        ("2025-03-11", None, "2025-03-10", None),  # the term has not ended yet
        ("2025-03-10", "2025-03-09", "2025-03-08", None),
        ("2024-12-31", "2024-12-30", "2025-03-31", None),  # before the period
        ("2026-01-01", "2025-12-30", "2026-03-31", None),  # after the period
    ],
)
def test_in_time_on_the_boundary_days(
    district: District, due: str, rectified: str | None, as_of: str, expected: tuple | None
) -> None:
    hazard(district, "S1", due, rectified)
    row = reading(district, "S1", IN_TIME, as_of)
    assert (None if row is None else (row.numerator, row.denominator)) == expected


def test_a_late_correction_is_not_yet_known_at_an_earlier_as_of(district: District) -> None:
    hazard(district, "S1", "2025-03-10", "2025-03-20")
    row = reading(district, "S1", IN_TIME, "2025-03-15")
    proof = prove(row, district.actor("safety"))
    assert [(r.counted, r.reason) for r in proof.rows] == [(False, "not_yet")]


def test_dismissed_reports_do_not_count(district: District) -> None:
    hazard(district, "S1", None, state="dismissed")
    assert reading(district, "S1", IN_TIME, "2025-12-31") is None


def test_roll_up_adds_and_counts_a_site_once(district: District) -> None:
    """A school stands below the town and below the bureau, the town below the bureau."""
    hazard(district, "S1", "2025-03-10", "2025-03-10")
    hazard(district, "S1", "2025-03-10", "2025-03-11")
    hazard(district, "K1", "2025-03-10", "2025-03-10")
    hazard(district, "S2", "2025-03-10", "2025-03-12")
    compute(period=YEAR, as_of=d("2025-06-30"), keys=[IN_TIME])
    values = {
        row.organisation.code: (row.numerator, row.denominator, row.shown)
        for row in Reading.objects.select_related("organisation")
    }
    assert values["B"] == (2, 4, 50.0)
    assert values["T1"] == (2, 3, 66.7)
    assert values["T2"] == (0, 1, 0.0)
    assert values["S1"] == (1, 2, 50.0)


def test_no_rows_is_no_value_not_zero(district: District) -> None:
    row = reading(district, "B", IN_TIME, "2025-06-30")
    assert (row.denominator, row.value, row.shown) == (0, None, None)


def test_proof_shows_the_actors_rows_and_counts_the_others(district: District) -> None:
    hazard(district, "S1", "2025-03-10", "2025-03-10")
    hazard(district, "S2", "2025-03-10", "2025-03-12")
    row = reading(district, "B", IN_TIME, "2025-06-30")
    whole = prove(row, district.actor("safety"))
    assert (len(whole.rows), whole.hidden, whole.counted, whole.agrees) == (2, 0, 1, True)
    town = prove(row, district.actor("town1"))
    assert (len(town.rows), town.hidden, town.counted) == (1, 1, 1)
    assert town.rows[0].org == "S1"
    only = prove(row, district.actor("safety"), counted=False)
    assert [r.reason for r in only.rows] == ["late"]


def test_proof_says_when_records_have_changed_since(district: District) -> None:
    row = hazard(district, "S1", "2025-03-10")
    taken = reading(district, "B", IN_TIME, "2025-06-30")
    Hazard.objects.filter(pk=row.pk).update(rectified_on=d("2025-03-10"))
    assert not prove(taken, district.actor("safety")).agrees


def test_rechecked_by_other(district: District) -> None:
    key = "hazard_rechecked_by_other"
    hazard(district, "S1", "2025-03-10", "2025-03-10", "2025-03-12")
    hazard(district, "S1", "2025-03-10", "2025-03-10", "2025-03-12", checker="sec1")
    row = reading(district, "B", key, "2025-03-12")
    assert (row.numerator, row.denominator) == (1, 2)
    assert reading(district, "B", key, "2025-03-11").denominator == 0
    reasons = {r.reason for r in prove(row, district.actor("safety")).rows}
    assert reasons == {"other_person", "same_person"}


def test_roll_up_never_averages() -> None:
    own = {1: (1, 1), 2: (0, 99)}
    assert roll_up(own, {9: frozenset({1, 2, 9})}) == {9: (1, 100)}

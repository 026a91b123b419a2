"""The light rule as a table, with the boundary days."""

import datetime as dt

import pytest

from xuezheng.domains.workplan.rules import (
    Assessment,
    Cause,
    CommitmentFact,
    Kind,
    Light,
    MilestoneFact,
    TargetFact,
    Thresholds,
    assess,
    meets,
    overall,
    planned_share,
    shortfall,
)

RULE = Thresholds(red_points=10, soon_days=7, target_points=10)
START, DUE = dt.date(2026, 1, 1), dt.date(2026, 12, 31)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat("2026-" + text)


def project(*milestones: tuple[str, int, str | None], **more) -> CommitmentFact:
    return CommitmentFact(
        kind=more.pop("kind", Kind.PROJECT),
        start_on=START,
        due_on=DUE,
        accepted_on=more.pop("accepted_on", None),
        milestones=[
            MilestoneFact(day(due), weight, day(done) if done else None)
            for due, weight, done in milestones
        ],
        **more,
    )


@pytest.mark.parametrize(
    ("today", "light", "cause"),
    [
        ("05-23", Light.GREEN, Cause.ON_PLAN),  # eight days before the due day
        ("05-24", Light.YELLOW, Cause.DUE_SOON),  # seven days before
        ("05-31", Light.YELLOW, Cause.DUE_SOON),  # the due day itself is not late
        ("06-01", Light.RED, Cause.OVERDUE),
    ],
)
def test_days_around_a_milestone(today: str, light: Light, cause: Cause) -> None:
    fact = project(("03-31", 1, "03-30"), ("05-31", 1, None), ("11-30", 2, None))
    result = assess(fact, day(today), RULE)
    assert (result.light, result.cause) == (light, cause)


def test_a_report_that_waits_is_not_held_against_the_office() -> None:
    fact = CommitmentFact(
        Kind.PROJECT, START, DUE, None, [MilestoneFact(day("05-31"), 1, None, reported=True)]
    )
    assert assess(fact, day("06-20"), RULE).light == Light.GREEN


def test_ahead_and_done_and_accepted() -> None:
    fact = project(("05-31", 1, "03-01"), ("11-30", 1, None))
    result = assess(fact, day("04-01"), RULE)
    assert (result.progress, result.planned, result.light) == (50.0, 0.0, Light.GREEN)
    accepted = project(("05-31", 1, "05-30"), accepted_on=day("06-01"))
    assert assess(accepted, day("06-02"), RULE) == Assessment(
        Light.BLUE, Cause.ACCEPTED, 100.0, 100.0
    )


def test_not_started_and_not_measured_are_grey_for_different_reasons() -> None:
    waiting = CommitmentFact(
        Kind.PROJECT, day("09-01"), DUE, None, [MilestoneFact(day("11-30"), 1, None)]
    )
    assert assess(waiting, day("08-31"), RULE).cause == Cause.NOT_STARTED
    assert assess(waiting, day("09-01"), RULE).cause == Cause.ON_PLAN
    nothing = CommitmentFact(Kind.QUANTITY, START, DUE, None)
    assert assess(nothing, day("08-31"), RULE).cause == Cause.NOT_MEASURED


def test_standing_work_has_no_percentage() -> None:
    fact = project(("03-31", 1, "03-30"), ("11-30", 1, None), kind=Kind.STANDING)
    result = assess(fact, day("06-01"), RULE)
    assert (result.light, result.progress, result.planned) == (Light.GREEN, None, None)
    assert assess(fact, day("12-01"), RULE).cause == Cause.OVERDUE


def rate(actual: float | None, comparator: str = ">=", value: float = 95, **more) -> CommitmentFact:
    target = TargetFact(comparator, value, actual, **more)
    return CommitmentFact(Kind.QUANTITY, START, DUE, None, targets=[target])


@pytest.mark.parametrize(
    ("actual", "light", "cause"),
    [
        (95.0, Light.GREEN, Cause.TARGET_MET),
        (94.9, Light.YELLOW, Cause.TARGET_NEAR),
        (85.0, Light.YELLOW, Cause.TARGET_NEAR),  # ten points below: not yet red
        (84.9, Light.RED, Cause.TARGET_MISSED),
        (None, Light.GREY, Cause.NOT_MEASURED),
    ],
)
def test_rate_against_target(actual: float | None, light: Light, cause: Cause) -> None:
    result = assess(rate(actual), day("06-01"), RULE)
    assert (result.light, result.cause, result.progress) == (light, cause, None)


@pytest.mark.parametrize(
    ("actual", "light"),
    [(6.0, Light.GREEN), (4.9, Light.YELLOW), (3.0, Light.RED)],
)
def test_cumulative_quantity_runs_on_a_straight_line(actual: float, light: Light) -> None:
    fact = rate(actual, value=12, cumulative=True)
    assert planned_share(fact, day("07-02")) == pytest.approx(50, abs=0.2)
    assert assess(fact, day("07-02"), RULE).light == light


def test_a_set_monthly_plan_wins_over_milestones() -> None:
    fact = project(("05-31", 1, None), monthly_plan={3: 10.0, 6: 60.0})
    assert [planned_share(fact, day(d)) for d in ("02-28", "03-01", "06-30")] == [0.0, 10.0, 60.0]


@pytest.mark.parametrize(
    ("comparator", "value", "actual", "more", "met", "short"),
    [
        (">=", 80, 80, {}, True, 0),
        (">=", 80, 80, {"strict": True}, False, 0),
        (">=", 80, 80.1, {"strict": True}, True, 0),
        ("<=", 5, 5, {}, True, 0),
        ("<=", 5, 6, {}, False, 1),
        ("-", 1, 49, {"baseline": 50}, True, 0),
        ("-", 1, 49.5, {"baseline": 50}, False, 0.5),
        ("+", 2, 51, {"baseline": 50}, False, 1),
        ("-", 1, 49, {}, False, 48),
        ("range", 3, 5, {"high": 5}, True, 0),
        ("range", 3, 6, {"high": 5}, False, 1),
        ("~", 100, 95, {}, True, 0),
        ("~", 100, 94, {}, False, 6),
        ("=", 0, 0, {}, True, 0),
    ],
)
def test_comparators(
    comparator: str, value: float, actual: float, more: dict, met: bool, short: float
) -> None:
    target = TargetFact(comparator, value, actual, **more)
    assert meets(target) is met
    assert shortfall(target) == pytest.approx(short)


def test_overall_weighs_and_leaves_out_what_has_no_percentage() -> None:
    def a(progress: float | None, planned: float | None) -> Assessment:
        return Assessment(Light.GREEN, Cause.ON_PLAN, progress, planned)

    result = overall([(3, a(100, 50)), (1, a(0, 50)), (5, a(None, None))])
    assert (result.progress, result.planned, result.counted, result.outside) == (75, 50, 2, 1)
    assert result.behind == -25
    assert overall([]).progress is None

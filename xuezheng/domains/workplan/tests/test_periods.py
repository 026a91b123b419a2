"""Planning periods: breaks, year boundaries, history of targets, harmless goals, the next period."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import District
from xuezheng.domains.workplan.models.periods import FigureKind, GoalFigure, PeriodGoal, PlanPeriod
from xuezheng.domains.workplan.period_rules import Point, reached, segments
from xuezheng.domains.workplan.services import periods
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.models import Reading

THIS = timezone.localdate().year


def test_a_line_never_crosses_a_break_or_a_gap() -> None:
    points = [
        Point(1, actual=1.0),
        Point(2, actual=2.0),
        Point(3, actual=3.0, broken="x"),
        Point(4),
        Point(5, actual=5.0),
    ]
    assert [[p.year for p in run] for run in segments(points)] == [[1, 2], [3], [5]]


@pytest.mark.parametrize(
    ("actual", "target", "higher", "done"),
    [
        (90.0, 90.0, True, True),
        (89.9, 90.0, True, False),
        (90.0, 90.0, False, True),
        (90.1, 90.0, False, False),
        (None, 90.0, True, None),
        (90.0, None, True, None),
    ],
)
def test_reached(actual: float | None, target: float | None, higher: bool, done: object) -> None:
    assert reached(Point(1, target, actual), higher_is_better=higher) is done


@pytest.fixture
def period(district: District) -> PlanPeriod:
    return periods.set_period(
        organisation=district.orgs["B"],
        title="规划",
        first_year=THIS - 3,
        last_year=THIS + 1,
        by=district.actor("plan"),
    )


def goal_of(district: District, period: PlanPeriod, **more: object) -> PeriodGoal:
    values = {"title": "普惠率", "unit": "%"} | more
    return periods.add_goal(period=period, by=district.actor("plan"), **values)


def enter(district: District, goal: PeriodGoal, year: int, **more: object) -> GoalFigure:
    values = {"kind": FigureKind.TARGET, "value": 90.0, "source": "规划文本"} | more
    return periods.enter_figure(goal=goal, year=year, by=district.actor("plan"), **values)


def test_a_changed_target_keeps_its_history(district: District, period: PlanPeriod) -> None:
    goal = goal_of(district, period)
    enter(district, goal, THIS)
    enter(district, goal, THIS, value=85.0, source="中期调整")
    point = next(p for p in periods.series(period, [goal])[goal.id] if p.year == THIS)
    assert point.target == 85.0
    assert [row.value for row in goal.figures.all()] == [90.0, 85.0]


@pytest.mark.parametrize(
    ("years", "kind", "source"),
    [
        (-4, FigureKind.TARGET, "x"),
        (2, FigureKind.TARGET, "x"),
        (0, FigureKind.ACTUAL, "x"),
        (-1, FigureKind.ACTUAL, " "),
    ],
)
def test_figures_that_are_refused(
    district: District, period: PlanPeriod, years: int, kind: FigureKind, source: str
) -> None:
    goal = goal_of(district, period)
    with pytest.raises(StepRefused):
        enter(district, goal, THIS + years, kind=kind, source=source)
    assert not GoalFigure.objects.exists()


def read(district: District, key: str, year: int, version: int, as_of: dt.date) -> None:
    """A reading of the bureau over a year."""
    Reading.objects.create(
        indicator=key,
        definition_version=version,
        organisation=district.orgs["B"],
        period_from=dt.date(year, 1, 1),
        period_to=dt.date(year, 12, 31),
        as_of=as_of,
        numerator=1,
        denominator=2,
        value=50.0,
        computed_at=timezone.now(),
    )


@pytest.mark.parametrize(("base", "broken"), [(50.0, []), (49.0, [THIS - 3])])
def test_a_base_that_was_read_goes_on_without_a_break(
    district: District, period: PlanPeriod, base: float, broken: list[int]
) -> None:
    key = next(key for key, row in INDICATORS.items() if row.ranked and not row.min_cell)
    goal = goal_of(district, period, indicator=key, base_value=base, base_source="上一规划期")
    for year in (THIS - 4, THIS - 3):
        read(district, key, year, 1, dt.date(year, 12, 31))
    points = periods.series(period, [goal])[goal.id]
    assert [p.year for p in points if p.broken] == broken


def test_readings_of_another_version_break_the_series(
    district: District, period: PlanPeriod
) -> None:
    key = next(key for key, row in INDICATORS.items() if row.ranked and not row.min_cell)
    goal = goal_of(district, period, indicator=key)
    for year, version, as_of in [
        (THIS - 3, 1, dt.date(THIS - 3, 12, 31)),
        (THIS - 2, 1, dt.date(THIS - 2, 12, 31)),
        (THIS - 1, 2, dt.date(THIS - 1, 12, 31)),
        (THIS - 1, 1, dt.date(THIS - 1, 6, 30)),
    ]:
        read(district, key, year, version, as_of)
    enter(district, goal, THIS - 1, kind=FigureKind.ACTUAL, value=1.0)
    points = periods.series(period, [goal])[goal.id]
    assert [p.year for p in points if p.broken] == [THIS - 1]
    assert [p.actual for p in points] == [None, 50.0, 50.0, 50.0, None, None]


def test_what_is_harmed_by_counting_gets_no_target(district: District, period: PlanPeriod) -> None:
    key = next(key for key, row in INDICATORS.items() if not row.ranked)
    with pytest.raises(StepRefused):
        goal_of(district, period, indicator=key)


def test_the_next_period_begins_at_the_last_actual(district: District, period: PlanPeriod) -> None:
    first, empty = goal_of(district, period), goal_of(district, period, title="无数据")
    enter(district, first, THIS - 1, kind=FigureKind.ACTUAL, value=88.0)
    following = periods.set_period(
        organisation=district.orgs["B"],
        title="下一规划",
        first_year=THIS + 2,
        last_year=THIS + 6,
        copy_from=period,
        by=district.actor("plan"),
    )
    based = {goal.title: goal.base_value for goal in following.goals.all()}
    assert based == {first.title: 88.0, empty.title: None}
    assert not GoalFigure.objects.filter(goal__period=following).exists()


def test_only_the_plan_office_writes(district: District, period: PlanPeriod) -> None:
    with pytest.raises(PermissionDenied):
        periods.add_goal(period=period, title="x", unit="x", by=district.actor("director"))


def test_pages_show_targets_breaks_and_history(district: District, period: PlanPeriod) -> None:
    client = Client()
    client.force_login(district.users["plan"])
    add = reverse("period_goal_add", args=[period.id])
    sent = {"title": "普惠率", "unit": "%", "indicator": "", "higher_is_better": "on"}
    assert client.post(add, sent | {"base_value": "80"}).status_code == 422
    assert client.post(add, sent | {"base_value": "80", "base_source": "年报"}).status_code == 302
    goal = PeriodGoal.objects.get()
    figure = {
        "kind": "actual",
        "year": THIS - 1,
        "value": 91,
        "source": "年报",
        "break_note": "新口径",
    }
    added = client.post(reverse("period_figure_add", args=[goal.id]), figure)
    assert added.status_code == 302
    for name, key in (("period_detail", period.id), ("period_goal_detail", goal.id)):
        page = client.get(reverse(name, args=[key])).content.decode()
        assert "新口径" in page and "91" in page
    assert "规划" in client.get(reverse("period_list")).content.decode()
    export = client.get(reverse("period_detail", args=[period.id]), {"export": "xlsx"})
    assert export.content[:2] == b"PK"

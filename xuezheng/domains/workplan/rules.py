"""Progress and lights.  Pure: thresholds come in as arguments, dates are local days.

The lights are computed, never typed.  Behind means behind the commitment's own planned curve: the
weights of milestones due, a monthly plan that was set, or, for cumulative quantities only, a straight
line.  Standing work and what nothing measures stay outside the overall figure; only their number is
printed.  Thresholds are parameters workplan.light.* (house rule of the bureau, no law).
"""

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """How a commitment is carried out, which decides how it is measured."""

    QUANTITY = "quantity"
    PROJECT = "project"
    DOCUMENT = "document"
    STANDING = "standing"
    OUTSIDE = "outside"


class Light(StrEnum):
    """Worst first, as lists are sorted."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    GREY = "grey"


#: Sort order of lights in lists: worst first.
SEVERITY = {light: order for order, light in enumerate(Light)}


class Cause(StrEnum):
    """Why a light is what it is; each has a sentence on the screen."""

    ACCEPTED = "accepted"
    NOT_STARTED = "not_started"
    NOT_MEASURED = "not_measured"
    OVERDUE = "overdue"
    FAR_BEHIND = "far_behind"
    BEHIND = "behind"
    DUE_SOON = "due_soon"
    ON_PLAN = "on_plan"
    TARGET_MISSED = "target_missed"
    TARGET_NEAR = "target_near"
    TARGET_MET = "target_met"


@dataclass(frozen=True)
class Thresholds:
    """Parameters workplan.light.*: points behind, calendar days before a due date."""

    red_points: float
    soon_days: int
    target_points: float


@dataclass(frozen=True)
class MilestoneFact:
    """What the rule needs of a milestone."""

    due_on: dt.date
    weight: int
    done_on: dt.date | None
    reported: bool = False


@dataclass(frozen=True)
class TargetFact:
    """What the rule needs of a target with an indicator.

    `actual` is the reading's value; `cumulative` marks a count that grows over the year.
    """

    comparator: str
    value: float
    actual: float | None
    strict: bool = False
    high: float | None = None
    cumulative: bool = False
    baseline: float | None = None


@dataclass(frozen=True)
class CommitmentFact:
    """Everything the rule needs of a commitment."""

    kind: Kind
    start_on: dt.date | None
    due_on: dt.date | None
    accepted_on: dt.date | None
    milestones: Sequence[MilestoneFact] = ()
    targets: Sequence[TargetFact] = ()
    monthly_plan: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Assessment:
    """The computed light, its cause, and progress against plan in per cent (None: no percentage)."""

    light: Light
    cause: Cause
    progress: float | None
    planned: float | None

    @property
    def behind(self) -> float:
        """Points behind the planned curve; 0 when ahead or not measured in per cent."""
        if self.progress is None or self.planned is None:
            return 0.0
        return max(0.0, round(self.planned - self.progress, 1))


def meets(target: TargetFact) -> bool:
    """Whether the actual value reaches the target.  A missing value does not.

    ">=" with strict means more than; "+" and "-" compare the change from the baseline.
    """
    actual = target.actual
    if actual is None:
        return False
    match target.comparator:
        case ">=":
            return actual > target.value if target.strict else actual >= target.value
        case "<=":
            return actual < target.value if target.strict else actual <= target.value
        case "+" | "-" if target.baseline is None:
            return False
        case "+":
            return actual - target.baseline >= target.value
        case "-":
            return target.baseline - actual >= target.value
        case "range":
            return target.value <= actual <= (target.high or target.value)
        case "~":
            return abs(actual - target.value) <= abs(target.value) * 0.05
        case _:
            return actual >= target.value


def shortfall(target: TargetFact) -> float:
    """How far the actual value is from the target, in the target's unit; 0 when it is met."""
    if target.actual is None or meets(target):
        return 0.0
    if target.comparator in "+-" and target.baseline is not None:
        change = target.actual - target.baseline
        return target.value - (change if target.comparator == "+" else -change)
    if target.comparator == "range" and target.high is not None and target.actual > target.high:
        return target.actual - target.high
    return abs(target.actual - target.value)


def planned_share(fact: CommitmentFact, today: dt.date) -> float | None:
    """Per cent that should be done before `today`; None where no curve applies."""
    if fact.monthly_plan:
        months = [month for month in fact.monthly_plan if month <= today.month]
        return fact.monthly_plan[max(months)] if months else 0.0
    if fact.milestones:
        # The due day itself still belongs to the office, and a report that waits for the plan office
        # is not held against whoever reported.
        ended = [m for m in fact.milestones if m.due_on < today and not m.reported]
        total = sum(m.weight for m in fact.milestones)
        return 100 * sum(m.weight for m in ended) / total
    if any(t.cumulative for t in fact.targets) and fact.start_on and fact.due_on:
        span = (fact.due_on - fact.start_on).days or 1
        return min(100.0, max(0.0, 100 * (today - fact.start_on).days / span))
    return None


def done_share(fact: CommitmentFact) -> float | None:
    """Per cent done: weights of accepted milestones, or cumulative quantity over target."""
    if fact.milestones:
        total = sum(m.weight for m in fact.milestones)
        return 100 * sum(m.weight for m in fact.milestones if m.done_on) / total
    cumulative = [t for t in fact.targets if t.cumulative and t.value]
    if cumulative:
        shares = [min(100.0, 100 * (t.actual or 0.0) / t.value) for t in cumulative]
        return sum(shares) / len(shares)
    return None


def measured(fact: CommitmentFact) -> bool:
    """Whether anything tells how it stands: milestones, or a target with an indicator's reading."""
    return bool(fact.milestones) or any(t.actual is not None for t in fact.targets)


def assess(fact: CommitmentFact, today: dt.date, thresholds: Thresholds) -> Assessment:
    """The light of a commitment by rule.

    Order: accepted; not measured; not started; overdue; behind by more than the red threshold or
    target missed; behind, target nearly met, or due within `soon_days` and not done; on plan.
    """
    standing = fact.kind == Kind.STANDING
    progress = None if standing else done_share(fact)
    planned = None if standing else planned_share(fact, today)

    def result(light: Light, cause: Cause) -> Assessment:
        return Assessment(light, cause, progress, planned)

    if fact.accepted_on:
        return Assessment(Light.BLUE, Cause.ACCEPTED, None if standing else 100.0, planned)
    if not measured(fact):
        return result(Light.GREY, Cause.NOT_MEASURED)
    if fact.start_on and today < fact.start_on and not any(m.done_on for m in fact.milestones):
        return result(Light.GREY, Cause.NOT_STARTED)
    waiting = [m for m in fact.milestones if not m.done_on and not m.reported]
    past = fact.due_on is not None and fact.due_on < today
    unfinished = any(not m.done_on for m in fact.milestones)
    if any(m.due_on < today for m in waiting) or (past and unfinished):
        return result(Light.RED, Cause.OVERDUE)
    rates = [t for t in fact.targets if not t.cumulative and t.actual is not None]
    short = max((shortfall(t) for t in rates), default=0.0)
    missed = any(not meets(t) for t in rates)
    behind = max(0.0, (planned or 0.0) - progress) if progress is not None else 0.0
    if behind > thresholds.red_points:
        return result(Light.RED, Cause.FAR_BEHIND)
    if missed and short > thresholds.target_points:
        return result(Light.RED, Cause.TARGET_MISSED)
    if behind > 0:
        return result(Light.YELLOW, Cause.BEHIND)
    if missed:
        return result(Light.YELLOW, Cause.TARGET_NEAR)
    soon = today + dt.timedelta(days=thresholds.soon_days)
    if any(m.due_on <= soon for m in waiting):
        return result(Light.YELLOW, Cause.DUE_SOON)
    return result(Light.GREEN, Cause.TARGET_MET if rates else Cause.ON_PLAN)


@dataclass(frozen=True)
class Overall:
    """Weighted progress and plan over the commitments that have a percentage."""

    progress: float | None
    planned: float | None
    counted: int
    outside: int

    @property
    def behind(self) -> float:
        """Points behind plan; negative when ahead."""
        return round((self.planned or 0.0) - (self.progress or 0.0), 1)


def overall(assessed: Sequence[tuple[int, Assessment]]) -> Overall:
    """Weighted means over (weight, assessment); those without a percentage are only counted."""
    inside = [(w, a) for w, a in assessed if a.progress is not None and a.planned is not None]
    outside = len(assessed) - len(inside)
    total = sum(w for w, _a in inside)
    if not total:
        return Overall(None, None, 0, outside)
    return Overall(
        sum(w * a.progress for w, a in inside) / total,
        sum(w * a.planned for w, a in inside) / total,
        len(inside),
        outside,
    )


class Level(IntEnum):
    """Who answers for a supervision sheet: the ladder of the plan office."""

    OFFICE = 1
    LEADER = 2
    DIRECTOR = 3


@dataclass(frozen=True)
class Ladder:
    """Parameters workplan.supervision.*: working days late until a sheet rises; what starts high."""

    leader_after: int
    director_after: int
    high_weight: int


def first_level(weight: int, ladder: Ladder) -> Level:
    """Where a sheet begins: heavy commitments begin with the leader in charge."""
    return Level.LEADER if weight >= ladder.high_weight else Level.OFFICE


def level_after(level: Level, days_late: int, ladder: Ladder) -> Level:
    """Where a sheet stands after so many working days beyond its due day.  It never comes down."""
    if days_late >= ladder.director_after:
        return Level.DIRECTOR
    return max(level, Level.LEADER if days_late >= ladder.leader_after else Level.OFFICE)


class Every(StrEnum):
    """How often a recurring report is owed."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    YEAR = "year"


MONTHS_OF = {Every.MONTH: 1, Every.QUARTER: 3, Every.HALF: 6, Every.YEAR: 12}


def due_days(every: Every, month: int, day: int, year: int) -> list[dt.date]:
    """Due days of a recurring report within a year.

    `month` is the month of each period (1 the first), clipped to its length; `day` the day of the
    month, the last one where the month is shorter.
    """
    length = MONTHS_OF[every]
    found = []
    for first in range(1, 13, length):
        at = first + min(month, length) - 1
        found.append(dt.date(year, at, min(day, calendar.monthrange(year, at)[1])))
    return found

"""The quarterly score of offices: which kinds of event count, and how points add up.  Pure.

Source: a house rule of the bureau (parameters workplan.score.*), no law.  The list of kinds is closed:
figures where counting would teach offices to hide things (petitions, incidents, hazards) are no kind.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class PointKind(StrEnum):
    """What a point may come from; every kind but `hand` follows from records alone."""

    MILESTONE_LATE = "milestone_late"
    REPORT_LATE = "report_late"
    RETURNED = "returned"
    RAISED = "raised"
    AHEAD = "ahead"
    CLOSED = "closed"
    HAND = "hand"


@dataclass(frozen=True)
class Rule:
    """Points of one event (negative takes away), and how much the kind moves a score at most."""

    points: int
    cap: int


def quarter_days(year: int, quarter: int) -> tuple[dt.date, dt.date]:
    """First and last day of a quarter (1..4)."""
    first = dt.date(year, 3 * quarter - 2, 1)
    following = dt.date(year + quarter // 4, 3 * quarter % 12 + 1, 1)
    return first, following - dt.timedelta(days=1)


def quarter_before(day: dt.date) -> tuple[int, int]:
    """(year, quarter) of the last quarter that has ended before the day."""
    quarter = (day.month + 2) // 3 - 1
    return (day.year, quarter) if quarter else (day.year - 1, 4)


def is_late(due: dt.date, done: dt.date | None) -> bool:
    """Done after the due day, or, once that day has passed, not at all."""
    return done is None or done > due


def is_ahead(due: dt.date, done: dt.date, days: int) -> bool:
    """Done at least so many days before the due day."""
    return (due - done).days >= days


def sums(events: Iterable[tuple[str, int]], rules: Mapping[str, Rule]) -> dict[str, int]:
    """Kind -> its points after the cap, from (kind, points) of the events that stand."""
    raw: dict[str, int] = defaultdict(int)
    for kind, points in events:
        raw[kind] += points
    return {kind: max(-rules[kind].cap, min(rules[kind].cap, n)) for kind, n in raw.items()}


def score(base: int, events: Iterable[tuple[str, int]], rules: Mapping[str, Rule]) -> int:
    """The score of an office: the base and the capped points of each kind."""
    return base + sum(sums(events, rules).values())

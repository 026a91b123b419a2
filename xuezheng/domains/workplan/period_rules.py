"""Series over years: where they may be joined by a line, and whether a target was reached."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One year of a goal.  `broken` tells why it cannot be compared with the year before."""

    year: int
    target: float | None = None
    actual: float | None = None
    origin: str = ""
    broken: str = ""


def segments(points: Iterable[Point]) -> list[list[Point]]:
    """Runs of years that may be joined: a break or a year without an actual ends a run."""
    runs: list[list[Point]] = []
    joined = False
    for point in points:
        if point.actual is None:
            joined = False
            continue
        if joined and not point.broken:
            runs[-1].append(point)
        else:
            runs.append([point])
        joined = True
    return runs


def reached(point: Point, *, higher_is_better: bool) -> bool | None:
    """Whether the year's target was reached; None while either figure is missing."""
    if point.actual is None or point.target is None:
        return None
    if higher_is_better:
        return point.actual >= point.target
    return point.actual <= point.target

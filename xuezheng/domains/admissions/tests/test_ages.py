"""Who is of age: boundary days; yellow and red at their limits."""

import datetime as dt

import pytest

from xuezheng.domains.admissions.rules.ages import Level, birth_span, of_age
from xuezheng.domains.admissions.rules.forecast import Warning, warning


@pytest.mark.parametrize(
    ("level", "born", "expected"),
    [
        (Level.PRIMARY, dt.date(2020, 8, 31), True),
        (Level.PRIMARY, dt.date(2020, 9, 1), False),
        (Level.PRIMARY, dt.date(2019, 8, 31), True),
        (Level.KINDERGARTEN, dt.date(2023, 8, 31), True),
        (Level.KINDERGARTEN, dt.date(2023, 9, 1), False),
        (Level.JUNIOR, dt.date(2020, 9, 1), True),
    ],
)
def test_of_age_in_2026(level: Level, born: dt.date, expected: bool) -> None:
    assert of_age(level, 2026, born) is expected


def test_span_of_one_year() -> None:
    assert birth_span(Level.PRIMARY, 2026) == (dt.date(2019, 9, 1), dt.date(2020, 8, 31))
    assert birth_span(Level.JUNIOR, 2026) is None


@pytest.mark.parametrize(
    ("children", "places", "expected"),
    [
        (89, 100, Warning.NONE),
        (90, 100, Warning.YELLOW),
        (99, 100, Warning.YELLOW),
        (100, 100, Warning.RED),
        (1, 0, Warning.RED),
        (0, 0, Warning.NONE),
    ],
)
def test_warning_limits(children: int, places: int, expected: Warning) -> None:
    assert warning(children, places, yellow=90, red=100) == expected

"""Working days with their boundary days, and dated parameters."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xuezheng.kernel.reference.calendar import (
    add_working_days,
    calendar_for,
    due_after,
    is_working_day,
    known_years,
    seed_calendar,
)
from xuezheng.kernel.reference.models import CalendarDay, Certainty, Parameter
from xuezheng.kernel.reference.parameters import MissingParameter, setting


def d(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


#: National Day 2025: 1 to 8 October off, 28 September and 11 October worked.
AUTUMN = {d(f"2025-10-0{n}"): False for n in range(1, 9)} | {
    d("2025-09-28"): True,
    d("2025-10-11"): True,
}


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2025-09-26", 0, "2025-09-26"),
        ("2025-09-26", 1, "2025-09-28"),  # a worked Sunday
        ("2025-09-30", 1, "2025-10-09"),  # over the holiday
        ("2025-10-10", 1, "2025-10-11"),  # a worked Saturday
        ("2025-10-11", 1, "2025-10-13"),
        ("2025-09-26", 6, "2025-10-11"),
        ("2025-09-26", 7, "2025-10-13"),
    ],
)
def test_terms_over_the_national_day(start: str, days: int, due: str) -> None:
    assert add_working_days(d(start), days, AUTUMN) == d(due)


def test_negative_term_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_days(d("2025-09-26"), -1, {})


@given(
    st.dates(d("2020-01-01"), d("2030-01-01")),
    st.integers(1, 60),
    st.dictionaries(st.dates(d("2020-01-01"), d("2030-06-01")), st.booleans(), max_size=40),
)
def test_a_term_ends_on_a_working_day_with_exactly_its_days(
    start: dt.date, days: int, exceptions: dict[dt.date, bool]
) -> None:
    due = add_working_days(start, days, exceptions)
    between = [start + dt.timedelta(days=n) for n in range(1, (due - start).days + 1)]
    assert is_working_day(due, exceptions)
    assert sum(is_working_day(day, exceptions) for day in between) == days


def test_unknown_year_is_provisional_and_known_year_is_not() -> None:
    unknown = max(known_years()) + 1
    assert all(day.provisional for day in calendar_for(unknown))
    assert not any(day.provisional for day in calendar_for(2025))
    differing = {day: works for day, works in AUTUMN.items() if works != (day.weekday() < 5)}
    assert {day.day: day.working for day in calendar_for(2025)}.items() >= differing.items()


def test_seeding_again_keeps_an_edited_day(db) -> None:
    CalendarDay.objects.update_or_create(
        day=d("2025-03-03"), defaults={"working": False, "name": "台风", "source": "区政府通知"}
    )
    seed_calendar(2025, 2025)
    assert due_after(d("2025-03-02"), 1) == d("2025-03-04")


@pytest.fixture
def rows(db) -> None:
    def add(owner: str, value: int, since: str, until: str | None) -> None:
        Parameter.objects.create(
            key="test.days",
            owner=owner,
            value=value,
            label="天数",
            label_en="Days",
            valid_from=d(since),
            valid_to=d(until) if until else None,
            source="测试",
            certainty=Certainty.CONFIRMED,
        )

    add("", 7, "2020-01-01", None)
    add("B", 5, "2024-01-01", "2024-12-31")


@pytest.mark.parametrize(
    ("day", "owner", "value"),
    [
        ("2023-12-31", "B", 7),
        ("2024-01-01", "B", 5),
        ("2024-12-31", "B", 5),
        ("2025-01-01", "B", 7),
        ("2024-06-01", "", 7),
        ("2024-06-01", "C", 7),
    ],
)
def test_the_bureaus_own_value_wins_while_it_is_in_force(
    rows: None, day: str, owner: str, value: int
) -> None:
    assert setting("test.days", d(day), owner).value == value


def test_no_value_in_force_is_an_error(rows: None) -> None:
    with pytest.raises(MissingParameter):
        setting("test.days", d("2019-12-31"), "")

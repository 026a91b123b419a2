"""Identity codes: valid ones, each kind of mistake, boundary days of grades."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xuezheng.registry import codes


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("11010519491231002X", ""),
        ("440524188001010014", ""),
        ("330902200501150010", ""),
        ("330902200501150029", ""),
        ("330902200501150011", "check"),
        ("11010519491231002x", "shape"),
        ("330902200502300013", "date"),
        ("33090220050115001", "shape"),
        ("", "shape"),
    ],
)
def test_citizen_number(number: str, problem: str) -> None:
    assert codes.citizen_id_problem(number) == problem


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(place: int, step: int) -> None:
    good = "330902200501150010"
    digit = str((int(good[place]) + step) % 10)
    assert codes.citizen_id_problem(good[:place] + digit + good[place + 1 :]) != ""


def test_parts_of_a_citizen_number() -> None:
    assert codes.citizen_birth("330902200501150010") == dt.date(2005, 1, 15)
    assert codes.citizen_sex("330902200501150010") == "1"
    assert codes.citizen_sex("330902200501150029") == "2"


def test_fifteen_digits_become_eighteen() -> None:
    completed = codes.complete_citizen_id("110105491231002")
    assert completed == "11010519491231002X"
    assert codes.complete_citizen_id("A123") == "A123"


@pytest.mark.parametrize(
    ("code", "problem"),
    [("12100000400010275N", ""), ("12100000400010275M", "check"), ("1210000040001027", "shape")],
)
def test_credit_code(code: str, problem: str) -> None:
    assert codes.credit_code_problem(code) == problem


@pytest.mark.parametrize(
    ("code", "problem"),
    [("2133000123", ""), ("1133000001", ""), ("6133000123", "shape"), ("213300012", "shape")],
)
def test_school_code(code: str, problem: str) -> None:
    assert codes.school_code_problem(code) == problem


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("G330902200501150010", ""),
        ("G330902200501150011", "check"),
        ("J330902200501150011", ""),
        ("L330902200501150011", ""),
        ("X330902200501150010", "shape"),
        ("G33090220050115001", "shape"),
    ],
)
def test_student_number(number: str, problem: str) -> None:
    assert codes.student_number_problem(number) == problem


@pytest.mark.parametrize(
    ("day", "grade"),
    [
        (dt.date(2026, 8, 31), 0),
        (dt.date(2026, 9, 1), 1),
        (dt.date(2027, 8, 31), 1),
        (dt.date(2027, 9, 1), 2),
        (dt.date(2031, 9, 1), 6),
    ],
)
def test_grade_turns_on_the_first_of_september(day: dt.date, grade: int) -> None:
    assert codes.grade_of("primary", 2026, day) == grade


def test_masks_hide_the_middle() -> None:
    assert codes.masked("330902200501150010") == "330902**********10"
    assert codes.masked("H1234567") == "********"
    assert codes.masked_phone("13800001234") == "138****1234"

"""What a 完成时限 cell means; what can be read in two ways is left to a person."""

import datetime as dt

import pytest

from xuezheng.domains.workplan.parsing.due import due_day


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("6月底前", "2026-06-30"),
        ("2月底", "2026-02-28"),
        ("2028年2月", "2028-02-29"),
        ("9月上旬", "2026-09-10"),
        ("9月中旬", "2026-09-20"),
        ("9月下旬", "2026-09-30"),
        ("11月份", "2026-11-30"),
        ("12月31日前", "2026-12-31"),
        ("2027年3月15日", "2027-03-15"),
        ("2026-10-08", "2026-10-08"),
        ("2026.9", "2026-09-30"),
        ("2026.9-2027.6", "2027-06-30"),
        ("1-12月", "2026-12-31"),
        ("3月启动，6月底完成", "2026-06-30"),
        ("第三季度", "2026-09-30"),
        ("4季度", "2026-12-31"),
        ("上半年", "2026-06-30"),
        ("2027年上半年", "2027-06-30"),
        ("年底前", "2026-12-31"),
        ("全年", "2026-12-31"),
        ("2027年底", "2027-12-31"),
    ],
)
def test_day(words: str, day: str) -> None:
    assert due_day(words, 2026) == dt.date.fromisoformat(day)


@pytest.mark.parametrize("words", ["长期坚持", "", "6月前", "2月30日", "13月", "即时"])
def test_left_to_a_person(words: str) -> None:
    assert due_day(words, 2026) is None


def test_no_year_known() -> None:
    assert due_day("6月底", None) is None
    assert due_day("2026年6月底", None) == dt.date(2026, 6, 30)

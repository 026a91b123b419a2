"""One cell: tables of what people write, and what becomes of it."""

import datetime as dt
from typing import Any

import pytest

from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.exchange.cells import Absent, Bad, reader
from xuezheng.kernel.exchange.table import Field, Kind

BY = JobActor("test")
DAY = dt.date(2015, 9, 1)


def read(field: Field, raw: Any) -> Any:
    return reader(field, BY)(raw)


@pytest.mark.parametrize(
    "raw",
    [
        DAY,
        dt.datetime(2015, 9, 1, 8, 30),
        "2015-9-1",
        "2015-09-01",
        "2015/09/01",
        "2015.9.1",
        "2015年9月1日",
        " 2015年 9月 1日 ",
        "2015－09－01",
        "２０１５-９-１",
        "20150901",
        20150901,
        20150901.0,
        42248,
        42248.0,
        "2015-09-01 00:00:00",
        "2015-9-1 8:30",
    ],
)
def test_days(raw: Any) -> None:
    assert read(Field("x", "x", Kind.DATE), raw) == DAY


@pytest.mark.parametrize(
    "raw",
    [
        "2015-13-01",
        "2015-02-30",
        "去年",
        "15-9-1",
        "2015-09",
        True,
        float("nan"),
        float("inf"),
        -5,
        1e300,
        "1800-01-01",
        "#N/A",
        99_999_999,
    ],
)
def test_no_days(raw: Any) -> None:
    with pytest.raises(Bad) as bad:
        read(Field("x", "x", Kind.DATE), raw)
    assert bad.value.advice


@pytest.mark.parametrize("raw", ["201509", 201509, "2015-09", "2015年9月", "2015/9"])
def test_months_where_a_month_is_enough(raw: Any) -> None:
    assert read(Field("x", "x", Kind.DATE, month=True), raw) == DAY


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("999900201605120018", "999900201605120018"),
        (" 99990020160512001x ", "99990020160512001X"),
        ("９９９９００２０１６０５１２００１Ｘ", "99990020160512001X"),
        ("9999 0020 1605 1200 18", "999900201605120018"),
        ("\u200b999900201605120018\ufeff", "999900201605120018"),
        (123456, "123456"),
        (999_999_999_999_999, "999999999999999"),
    ],
)
def test_numbers_as_text(raw: Any, value: str) -> None:
    assert read(Field("x", "x", Kind.ID), raw) == value


@pytest.mark.parametrize(
    "raw",
    [10**15, 999900201605120018, 9.99900201605120e17, "9.999E+17", "3.30902E17", 12.5, -1, 1e300],
)
def test_lost_digits_are_refused(raw: Any) -> None:
    with pytest.raises(Bad) as bad:
        read(Field("x", "x", Kind.ID), raw)
    assert "已经丢失" in str(bad.value)
    assert "文本" in bad.value.advice


@pytest.mark.parametrize("raw", [True, dt.date(2015, 1, 1), float("nan"), float("inf")])
def test_what_is_no_number_at_all(raw: Any) -> None:
    with pytest.raises(Bad):
        read(Field("x", "x", Kind.ID), raw)


@pytest.mark.parametrize(
    ("raw", "code"),
    [("男", "1"), (" 男 ", "1"), ("1", "1"), (1, "1"), (1.0, "1"), ("1-男", "1"), ("男(1)", "1"),
     ("男性", "1"), ("女", "2"), ("2女", "2")],
)  # fmt: skip
def test_choices(raw: Any, code: str) -> None:
    field = Field("x", "x", Kind.CHOICE, choices={"1": "男", "2": "女"}, spellings={"男性": "1"})
    assert read(field, raw) == code


def test_a_choice_that_is_none_and_one_that_is_open() -> None:
    closed = Field("x", "x", Kind.CHOICE, choices={"01": "在读"})
    assert read(closed, 1) == "01"
    with pytest.raises(Bad):
        read(closed, "离校")
    assert read(Field("x", "x", Kind.CHOICE, choices={"a": "甲"}, open=True), "乙校") == "乙校"


@pytest.mark.parametrize(
    ("raw", "value"),
    [("是", True), ("否", False), ("Y", True), ("no", False), (1, True), (0, False), (True, True),
     (False, False), ("Yes", True), ("TRUE", True)],
)  # fmt: skip
def test_yes_and_no(raw: Any, value: bool) -> None:
    assert read(Field("x", "x", Kind.BOOL), raw) is value


@pytest.mark.parametrize("raw", ["大概", 2, "是的"])
def test_neither_yes_nor_no(raw: Any) -> None:
    with pytest.raises(Bad):
        read(Field("x", "x", Kind.BOOL), raw)


@pytest.mark.parametrize(("raw", "value"), [(5, 5), ("5", 5), (5.0, 5), ("５", 5), ("5.0", 5)])
def test_integers(raw: Any, value: int) -> None:
    assert read(Field("x", "x", Kind.INTEGER, minimum=1, maximum=5), raw) == value


@pytest.mark.parametrize("raw", [0, 6, "五", 1.5, "-1", "1e3", ""])
def test_no_integers(raw: Any) -> None:
    with pytest.raises((Bad, Absent)):
        read(Field("x", "x", Kind.INTEGER, minimum=1, maximum=5), raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("13800000001", "13800000001"),
        (13800000001, "13800000001"),
        ("138 0000 0001", "13800000001"),
        ("+8613800000001", "13800000001"),
        ("0580-8888888", "0580-8888888"),
        ("8888888", "8888888"),
    ],
)
def test_telephones(raw: Any, value: str) -> None:
    assert read(Field("x", "x", Kind.PHONE), raw) == value


@pytest.mark.parametrize("raw", ["1380000000", "电话同上", "13800000001、13900000001"])
def test_no_telephones(raw: Any) -> None:
    with pytest.raises(Bad):
        read(Field("x", "x", Kind.PHONE), raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [("  甲\u3000乙 \n", "甲 乙"), (12, "12"), (12.0, "12"), (1.5, "1.5"), ("=1+1", "=1+1")],
)
def test_texts(raw: Any, value: str) -> None:
    assert read(Field("x", "x"), raw) == value


def test_texts_that_are_too_long_or_errors() -> None:
    for raw in ("一二三四", "#REF!", "\x00"):
        with pytest.raises(Bad):
            read(Field("x", "x", max_length=3), raw)


@pytest.mark.parametrize("raw", [None, "", "  ", "\u3000", "999900****12"])
def test_what_says_nothing(raw: Any) -> None:
    with pytest.raises(Absent):
        read(Field("x", "x", Kind.ID, mask=str), raw)


def test_clearing() -> None:
    assert read(Field("x", "x", Kind.DATE), " 清空 ") == ""
    with pytest.raises(Bad):
        read(Field("x", "x", required=True), "清空")

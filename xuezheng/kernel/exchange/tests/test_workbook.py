"""A list that goes out as Excel comes back cell by cell."""

import datetime as dt
import io

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from xuezheng.kernel.exchange.workbook import Column, write_list

COLUMNS = [Column("编号"), Column("数"), Column("日期"), Column("文字")]


def read(data: bytes) -> list[tuple]:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=4)]


def test_types_survive() -> None:
    row = ("330106201905011234", 95.5, dt.date(2026, 3, 5), "第一行\n第二行")
    data = write_list("台账", COLUMNS, [row], note="x")
    assert read(data) == [(row[0], 95.5, dt.datetime(2026, 3, 5), row[3])]
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert [cell.value for cell in sheet[3]] == ["编号", "数", "日期", "文字"]


def test_nothing_becomes_a_formula() -> None:
    nasty = ["=1+1", "+1", "-1", "@SUM(A1)", "http://x.invalid", "\t=1"]
    data = write_list("台账", COLUMNS[:1], [(text,) for text in nasty], note="x")
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert [row[0] for row in read(data)] == nasty


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=60
).filter(lambda text: text.strip() == text and "_x" not in text)


@settings(max_examples=40)
@given(st.lists(st.tuples(TEXT, st.integers(-(10**9), 10**9)), min_size=1, max_size=10))
def test_any_text_and_number_come_back(rows: list[tuple[str, int]]) -> None:
    assert read(write_list("台账", COLUMNS[:2], rows, note="x")) == rows

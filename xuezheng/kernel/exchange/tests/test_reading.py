"""Whole files: sheets, headings, broken ones; and any bytes at all."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.exchange import reading
from xuezheng.kernel.exchange.reading import Book, Unreadable
from xuezheng.kernel.exchange.table import Field, Keeper, Kind, Table
from xuezheng.kernel.exchange.template import write_template, write_wrong_rows

BY = JobActor("test")
TABLE = Table(
    key="things",
    title="物品",
    version="2026.1",
    fields=(
        Field("code", "编号", Kind.CODE, required=True, sample="示例1"),
        Field("name", "名称", synonyms=("品名",), sample="示例"),
        Field("count", "数量", Kind.INTEGER, sample="1"),
        Field("day", "购入日", Kind.DATE, sample="2020-01-01"),
        Field("kept", "在库", Kind.BOOL, sample="是"),
        Field("kind", "类别", Kind.CHOICE, choices={str(n): f"类别{n}" for n in range(60)}),
    ),
    permission="things.edit",
    keeper=Keeper(),
    identity=("code",),
)


def xlsx(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_of(*rows: list[Any]) -> Callable[[openpyxl.Workbook], None]:
    def fill(book: openpyxl.Workbook) -> None:
        for row in rows:
            book.active.append(row)

    return fill


def read(data: bytes) -> tuple[list[tuple[str, int, dict]], list[str]]:
    book = Book(data, TABLE, BY)
    return [(row.sheet, row.line, row.values) for row in book.rows()], book.notices


def test_headings_are_found_in_any_order_under_a_title() -> None:
    data = xlsx(
        sheet_of(
            ["2025年物品表"], [], ["序号", "品名", "*编号", "备注"], [1, "灯", "A1", "x"], [], ["", "", "", "y"],
            [2, "椅", "A2", ""], ["", "", "", ""],
        )
    )  # fmt: skip
    rows, notices = read(data)
    assert rows == [
        ("Sheet", 4, {"code": "A1", "name": "灯"}),
        ("Sheet", 7, {"code": "A2", "name": "椅"}),
    ]
    assert notices == ["不认识的列没有读取：序号、备注。"]


def test_several_sheets_and_hidden_ones() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        sheet_of(["编号", "名称"], ["A1", "灯"])(book)
        second = book.create_sheet("二")
        second.append(["名称", "编号"])
        second.append(["椅", "A2"])
        hidden = book.create_sheet("藏")
        hidden.append(["编号", "名称"])
        hidden.append(["A3", "桌"])
        hidden.sheet_state = "hidden"
        book.create_sheet("说明").append(["随便写的"])

    rows, notices = read(xlsx(fill))
    assert [(sheet, values["code"]) for sheet, _line, values in rows] == [
        ("Sheet", "A1"),
        ("二", "A2"),
    ]
    assert any("隐藏" in notice and "藏" in notice for notice in notices)
    assert any("没有表头" in notice for notice in notices)


def test_merged_cells_doubled_columns_old_version() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        sheet_of(
            ["物品导入模板 版本 2024.1"], ["编号", "名称", "名称"], ["A1", "灯", "灯2"], ["A2"]
        )(book)
        book.active.merge_cells("B3:B4")

    rows, notices = read(xlsx(fill))
    assert [values for _s, _l, values in rows] == [{"code": "A1", "name": "灯"}, {"code": "A2"}]
    assert any("合并单元格" in notice for notice in notices)
    assert any("重复的列" in notice for notice in notices)
    assert any("2024.1" in notice and "2026.1" in notice for notice in notices)


def test_xls() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("一")
    for line, row in enumerate((["编号", "名称", "数量"], ["A1", "灯", 3])):
        for at, value in enumerate(row):
            sheet.write(line, at, value)
    out = io.BytesIO()
    book.save(out)
    rows, _notices = read(out.getvalue())
    assert rows == [("一", 2, {"code": "A1", "name": "灯", "count": 3})]


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry:
            for _ in range(700):
                entry.write(b"\0" * 1024 * 1024)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空的"),
        (b"PK\x03\x04 nonsense", "已损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "已损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "密码"),
        (b"%PDF-1.7", "只接受"),
        (b"  <!DOCTYPE html><table>", "其实是网页"),
        (b"x" * (reading.MAX_BYTES + 1), "30 MB"),
        (xlsx(sheet_of(["姓氏", "别的"], ["x", "y"])), "没有找到表头"),
        (xlsx(sheet_of(["名称", "数量"], ["灯", 1])), "缺少用来辨认"),
        (xlsx(sheet_of(["编号", "名称"])), "没有数据"),
        (xlsx(sheet_of(["编号", "名称"], ["A1", "灯"]))[:2000], "已损坏"),
    ],
)
def test_one_clear_sentence(data: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(data)


def test_a_bomb_is_not_unpacked() -> None:
    data = _bomb()
    assert len(data) < 2 * 1024 * 1024
    with pytest.raises(Unreadable, match="过大"):
        read(data)


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    data = xlsx(sheet_of(["编号", "名称"], *(["A", "x"] for _ in range(4))))
    with pytest.raises(Unreadable, match="10 万行"):
        read(data)


def test_the_template_is_read_and_its_sample_skipped() -> None:
    data = write_template(TABLE, BY)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert [sheet.sheet_state for sheet in book.worksheets].count("hidden") == 1, "60 choices"
    sheet = book.worksheets[0]
    sheet.append(["A1", "灯", 2, "2020-02-03", "否", "类别7"])
    out = io.BytesIO()
    book.save(out)
    taken = Book(out.getvalue(), TABLE, BY)
    (row,) = taken.rows()
    assert (row.values["kind"], row.values["kept"], taken.samples_skipped) == ("7", False, 1)


def test_wrong_rows_keep_what_was_written() -> None:
    data = xlsx(sheet_of(["编号", "数量", "名称"], ["A1", "三个", "=cmd|' /C calc'!A0"]))
    (row,) = Book(data, TABLE, BY).rows()
    assert row.problems
    out = openpyxl.load_workbook(io.BytesIO(write_wrong_rows(TABLE, [row], BY)))
    cells = {cell.value: cell for line in out.worksheets[0].iter_rows() for cell in line}
    assert "三个" in cells
    again = next(Book(write_wrong_rows(TABLE, [row], BY), TABLE, BY).rows())
    assert again.raw == row.raw


def test_of_a_row_found_wrong_late_the_words_are_written_not_the_codes() -> None:
    data = xlsx(sheet_of(["编号", "类别"], ["A1", "类别7"]))
    (row,) = Book(data, TABLE, BY).rows()
    row.raw = []  # a second row of the file said the same: of the first only its values are kept
    row.wrong("", "重复")
    out = openpyxl.load_workbook(io.BytesIO(write_wrong_rows(TABLE, [row], BY)))
    words = {cell.value for line in out.worksheets[0].iter_rows(min_row=3) for cell in line}
    assert {"A1", "类别7"} <= words
    assert "7" not in words


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
)
def test_any_bytes_are_refused_or_read(data: bytes, magic: bytes) -> None:
    with pytest.raises(Unreadable):
        read(magic + data)


GOOD = xlsx(sheet_of(["编号", "名称", "数量"], *([f"A{n}", "灯", n] for n in range(30))))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.integers(0, len(GOOD)))
def test_damaged_files_never_crash(at: int, byte: int, cut: int) -> None:
    broken = bytearray(GOOD)
    broken[at] = byte
    for data in (bytes(broken), bytes(broken[:cut])):
        try:
            read(data)
        except Unreadable as reason:
            assert str(reason)


def _inner(mangle: Callable[[bytes], bytes]) -> bytes:
    """The good file with its sheet's XML changed, in a sound archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, mangle(data) if name.endswith("sheet1.xml") else data)
    return out.getvalue()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=12))
def test_damaged_sheets_never_crash(at: int, junk: bytes) -> None:
    try:
        read(_inner(lambda xml: xml[:at] + junk + xml[at + len(junk) :]))
    except Unreadable as reason:
        assert str(reason)


text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn", "Zl", "Zp")),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**6).map(lambda n: f"N{n}"), text, st.integers(0, 10**9),
            st.dates(min_value=__import__("datetime").date(1901, 1, 1), max_value=__import__("datetime").date(2999, 12, 30)), st.booleans(),
        ),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_what_is_written_is_read(rows: list[tuple]) -> None:
    from xuezheng.kernel.exchange.cells import CLEAR, plain
    from xuezheng.kernel.exchange.template import Sheets

    out = io.BytesIO()
    sheets = Sheets(out, in_memory=True)
    with sheets.book as book:
        sheet = book.add_worksheet("x")
        for at, field in enumerate(TABLE.fields[:5]):
            sheet.write_string(0, at, str(field.heading))
        for line, row in enumerate(rows, start=1):
            for at, field in enumerate(TABLE.fields[:5]):
                sheets.write(sheet, line, at, row[at], field)
    found = [values for _s, _l, values in read(out.getvalue())[0]]
    for (code, name, count, day, kept), values in zip(rows, found, strict=True):
        expected = {"code": code, "count": count, "day": day, "kept": kept}
        if plain(name) and plain(name) != str(CLEAR) and not plain(name).startswith("#"):
            expected["name"] = plain(name)
        else:
            values.pop("name", None)
        assert values == expected

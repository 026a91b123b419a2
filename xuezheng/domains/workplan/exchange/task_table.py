"""Writing the task table for A3 and reading it back: merged cells, continued rows, added headings."""

import datetime as dt
import io
from dataclasses import dataclass, field
from typing import Any

import python_calamine as calamine
import xlsxwriter
from django.utils import timezone
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from xuezheng.domains.workplan.models import Plan
from xuezheng.domains.workplan.services.sheets import COLUMNS, plain, sheet_rows
from xuezheng.kernel.exchange.reading import Unreadable, open_workbook

#: Heading and width in characters of each column; together they fill an A3 page across.
HEADINGS = {
    "code": (gettext_lazy("编号"), 9),
    "section": (gettext_lazy("章节"), 14),
    "title": (gettext_lazy("任务"), 24),
    "wording": (gettext_lazy("举措与目标"), 46),
    "due": (gettext_lazy("完成时限"), 12),
    "leader": (gettext_lazy("责任领导"), 10),
    "lead": (gettext_lazy("牵头科室"), 14),
    "support": (gettext_lazy("配合科室"), 20),
    "handler": (gettext_lazy("责任人"), 10),
    "progress": (gettext_lazy("进展"), 40),
    "state": (gettext_lazy("节点状态"), 22),
}
#: Sheet with the values as exported, hidden; its first cell tells what it is.
BASE_SHEET, BASE_MARK = "_base", "xuezheng-task-table-1"
#: Rows of the visible sheet above the first task: title, note, headings.
ABOVE = 3
HEADING_WITHIN = 12
#: Height of a line of 11 points.
LINE_POINTS = 15.5
MAX_TASKS = 5000


def write_table(plan: Plan) -> bytes:
    """The workbook: A3 landscape, title, sections merged, headings on every page, page numbers.

    Always in Chinese, as it is filed, whatever the language of the reader.
    """
    with override("zh-hans"):
        rows = sheet_rows(plan)
        out = io.BytesIO()
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(out, options) as book:
            _write_sheet(book, plan, rows)
            _write_base(book, plan, rows)
        return out.getvalue()


def _write_sheet(book: Any, plan: Plan, rows: list[dict[str, str]]) -> None:
    sheet = book.add_worksheet(_("任务表"))
    cell = {
        "font_name": "FangSong",
        "font_size": 11,
        "text_wrap": True,
        "valign": "vcenter",
        "border": 1,
    }
    text = book.add_format(cell | {"num_format": "@"})
    middle = book.add_format(cell | {"num_format": "@", "align": "center"})
    heading = book.add_format(
        cell | {"font_name": "SimHei", "bold": True, "align": "center", "bg_color": "#F2F2F2"}
    )
    title = book.add_format(
        {
            "font_name": "FZXiaoBiaoSong-B05S",
            "font_size": 22,
            "align": "center",
            "valign": "vcenter",
        }
    )
    last = len(COLUMNS) - 1
    sheet.merge_range(0, 0, 0, last, _("%s任务分解表") % plan.title, title)
    sheet.set_row(0, 36)
    today = timezone.localdate().isoformat()
    sheet.write_string(
        1, 0, _("导出日：%s。可离线修改后传回：编号不要改，章节和节点状态不回传。") % today
    )
    for at, column in enumerate(COLUMNS):
        words, width = HEADINGS[column]
        sheet.write_string(2, at, force_str(words), heading)
        sheet.set_column(at, at, width)
    sheet.set_default_row(LINE_POINTS)
    centred = {"code", "section", "due", "leader", "lead", "handler"}
    for line, row in enumerate(rows, start=ABOVE):
        sheet.set_row(line, _height(row))
        for at, column in enumerate(COLUMNS):
            if column != "section":
                style = middle if column in centred else text
                sheet.write_string(line, at, row[column], style)
    at, first = COLUMNS.index("section"), 0
    for line in range(1, len(rows) + 1):
        if line < len(rows) and rows[line]["section"] == rows[first]["section"]:
            continue
        words = rows[first]["section"]
        if line - first > 1:
            sheet.merge_range(ABOVE + first, at, ABOVE + line - 1, at, words, middle)
        else:
            sheet.write_string(ABOVE + first, at, words, middle)
        first = line
    sheet.freeze_panes(ABOVE, 3)
    sheet.set_landscape()
    sheet.set_paper(8)  # A3
    sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(ABOVE - 1)
    sheet.print_area(0, 0, ABOVE + len(rows) - 1, last)
    sheet.set_footer("&C" + _("第 &P 页 共 &N 页"))


def _height(row: dict[str, str]) -> float:
    """Points of a row that shows its longest cell whole; 409 is the most that a workbook may say.

    Programs do not fit rows by themselves when a sheet is opened to be printed.
    """
    lines = 1
    for column, (_words, width) in HEADINGS.items():
        if column != "section":
            # A Chinese character is two of the columns' units wide; some room is left for
            # other fonts and for words that do not break.
            room = max(int(width * 0.92), 2)
            lines = max(
                lines, sum(-(-_units(text) // room) or 1 for text in row[column].split("\n"))
            )
    return min(lines * LINE_POINTS + 8, 409)


def _units(text: str) -> int:
    return sum(2 if ord(char) > 0x2E80 else 1 for char in text)


def _write_base(book: Any, plan: Plan, rows: list[dict[str, str]]) -> None:
    sheet = book.add_worksheet(BASE_SHEET)
    sheet.write_string(0, 0, BASE_MARK)
    sheet.write_string(0, 1, str(plan.id))
    sheet.write_string(0, 2, timezone.localtime().isoformat())
    for at, column in enumerate(COLUMNS):
        sheet.write_string(1, at, column)
    for line, row in enumerate(rows, start=2):
        for at, column in enumerate(COLUMNS):
            sheet.write_string(line, at, row[column])
    sheet.hide()


@dataclass
class Returned:
    """What a returned table says: as exported (code -> cells), as it is now, and remarks."""

    base: dict[str, dict[str, str]]
    rows: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_table(data: bytes, plan: Plan) -> Returned:
    """Read a returned task table.

    Columns are found by their headings, rows by the number of the task.  A merged cell counts for
    every row that it covers; rows under a task without a number of their own continue it, line by
    line; headings across the table are passed over.  Raises Unreadable with words for the user.
    """
    book = open_workbook(data)
    names = [meta.name for meta in book.sheets_metadata]
    if BASE_SHEET not in names:
        raise Unreadable(_("这不是从系统导出的任务表，或隐藏的底稿页被删了。请重新导出后再改。"))
    base = _read_base(_grid(book.get_sheet_by_name(BASE_SHEET)), plan)
    for name in names:
        if name == BASE_SHEET:
            continue
        sheet = book.get_sheet_by_name(name)
        if sheet.total_height > MAX_TASKS * 4:
            raise Unreadable(_("表太长。"))
        grid = _grid(sheet)
        heading = _find_heading(grid)
        if heading is not None:
            found = Returned(base)
            _read_rows(sheet, grid, *heading, found)
            return found
    raise Unreadable(_("没有找到任务表：表头须有“编号”和“任务”两列。"))


def _grid(sheet: calamine.CalamineSheet) -> list[list[str]]:
    return [[_text(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return plain(str(value))


def _read_base(grid: list[list[str]], plan: Plan) -> dict[str, dict[str, str]]:
    if len(grid) < 2 or grid[0][0] != BASE_MARK:
        raise Unreadable(_("隐藏的底稿页被改过，请重新导出后再改。"))
    if grid[0][1] != str(plan.id):
        raise Unreadable(_("这张表是另一份计划的。"))
    columns = grid[1]
    return {
        row[0]: {name: value for name, value in zip(columns, row, strict=False) if name}
        for row in grid[2:]
        if row[0]
    }


def _find_heading(grid: list[list[str]]) -> tuple[int, dict[str, int]] | None:
    """(row, column key -> place) of the heading row, if this sheet has one."""
    with override("zh-hans"):
        known = {force_str(words): column for column, (words, _width) in HEADINGS.items()}
    for line, row in enumerate(grid[:HEADING_WITHIN]):
        places = {}
        for at, words in enumerate(row):
            column = known.get("".join(words.split()))
            if column and column not in places:
                places[column] = at
        if {"code", "title"} <= set(places):
            return line, places
    return None


def _read_rows(
    sheet: calamine.CalamineSheet,
    grid: list[list[str]],
    heading: int,
    places: dict[str, int],
    found: Returned,
) -> None:
    covered: set[tuple[int, int]] = set()
    across: set[int] = set()
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        if right > left:
            across.update(range(top, bottom + 1))
        for line in range(top, min(bottom + 1, len(grid))):
            for at in range(left, min(right + 1, len(grid[line]))):
                if (line, at) != (top, left):
                    covered.add((line, at))
                    grid[line][at] = grid[top][left]
    missing = [str(HEADINGS[c][0]) for c in COLUMNS if c not in places]
    if missing:
        found.remarks.append(_("表中没有这些列，当作未改：%s") % "、".join(missing))
    current: dict[str, str] | None = None
    for line in range(heading + 1, len(grid)):
        cells = {column: grid[line][at] for column, at in places.items() if at < len(grid[line])}
        code = "".join(cells.get("code", "").split())
        continued = not code or (line, places["code"]) in covered
        if line in across and (not code or code not in found.base):
            continue  # a heading that the office put across the table
        if not any(cells.values()):
            continue
        if not continued:
            current = dict(found.base.get(code, {})) | cells | {"code": code}
            found.rows.append((code, current))
        elif current is None:
            found.remarks.append(_("第 %d 行没有编号，没有取。") % (line + 1))
        else:
            for column, value in cells.items():
                if column != "code" and value and (line, places[column]) not in covered:
                    current[column] = plain(f"{current[column]}\n{value}")

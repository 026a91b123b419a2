"""Task tables (任务分解表): an .xlsx sheet or a table of a .docx as rows, sections and plain text."""

import re
from dataclasses import dataclass, field
from typing import Any

from xuezheng.domains.workplan.parsing.reading import Grid
from xuezheng.domains.workplan.parsing.units import split_names

#: Column -> what its header may say.  The first that matches a header cell wins.
HEADERS = [
    ("unit", r"(?:计量|指标)?单位"),
    ("no", r"序号|编号|号|No\.?"),
    ("support", r"(?:配合|协同|协办|参与|协助)(?:科室|单位|部门|处室|股室)?"),
    ("lead", r"(?:牵头|责任|主办|承办|主责|负责|落实)(?:科室|单位|部门|处室|股室|科|主体)|牵头|责任(?:科室)?（?单位）?|责任主体"),
    ("leader", r"(?:责任|分管|牵头|包保|挂钩|挂联|联系)(?:局)?领导|领导"),
    ("handler", r"(?:责任|经办|承办|具体负责|具体责任|联系|负责|落实)人(?:员)?|责任人|经办"),
    ("due", r"(?:计划)?(?:完成|办结|推进|实施|工作)?(?:时限|时间|日期|期限|节点|时间节点|进度安排)(?:要求)?|完成时间及?节点"),
    ("progress", r"(?:工作|目前|完成|落实|推进|月度)?(?:进展|进度|完成)(?:情况)?|落实情况|完成情况|备注进展"),
    ("group", r"(?:任务)?类别|类型|板块|领域|大项|一级(?:任务|指标|目标)|方面|工作类别"),
    ("measure", r"20\d\d年度?(?:目标|计划)值?|(?:主要)?建设(?:内容|规模)(?:[及和与]?(?:建设)?(?:内容|规模))?|(?:具体|主要|工作|推进|实施)?(?:举措|措施|内容|做法|任务分解|目标举措)|举措[/／、]?目标|(?:工作|年度|具体|预期|量化)?(?:目标|任务目标|指标|目标要求|目标值|成效)|具体(?:任务|要求|工作)|工作(?:内容|要求|举措)(?:及目标)?|目标任务|主要(?:内容|任务)|二级(?:任务|指标)"),
    ("task", r"(?:重点|工作|主要|年度|目标|民生|改革|创建|整治)?(?:任务|项目|工作|事项|实事)(?:名称)?|指标名称|指标|任务名称|重点(?:项目|工作)"),
]  # fmt: skip
_COMPILED = [(name, re.compile(pattern)) for name, pattern in HEADERS]
_GROUP_NUMBER = re.compile(r"[一二三四五六七八九十]{1,3}、?")
_NEEDED = {"task", "measure"}


@dataclass
class TableRow:
    """A row of a task table; `measure_at` is the place of its measure in the generated text."""

    sheet: str
    row: int
    no: str = ""
    group: str = ""
    task: str = ""
    measure: str = ""
    unit: str = ""
    due: str = ""
    leader: str = ""
    lead: list[str] = field(default_factory=list)
    support: list[str] = field(default_factory=list)
    handler: str = ""
    progress: str = ""

    def as_json(self) -> dict[str, Any]:
        """The row as the officer sees it."""
        names = ("sheet", "row", "no", "task", "measure", "due", "leader", "lead", "support")
        return {name: getattr(self, name) for name in (*names, "handler", "progress")}


@dataclass
class TaskTable:
    """The task table of a sheet: lines above its header, and its rows."""

    sheet: str
    above: list[str]
    rows: list[TableRow]


def find_task_table(grid: Grid) -> TaskTable | None:
    """The task table of a grid, or None when no row of it looks like a task table's header."""
    sheet, cells = grid
    header_at, columns = _header(cells)
    if not columns:
        return None
    above = [line for row in cells[:header_at] if (line := _joined(row))]
    rows: list[TableRow] = []
    group = ""
    for number, row in enumerate(cells[header_at + 1 :], start=header_at + 2):
        values = {name: _value(row, at) for name, at in columns.items()}
        filled = list(dict.fromkeys(cell for cell in row if cell))
        if not filled or _header_score(row) >= 3:
            continue
        if len(filled) == 1 and len(columns) > 2:
            # One text across the row names a group; a lone note below the table is none.
            if not re.match(r"注|备注|说明|填表", filled[0]) and number < header_at + 1 + len(
                cells
            ):
                group = filled[0]
            continue
        if re.match(r"(?:注|备注|说明|填表)", filled[0]) and len(filled) <= 2:
            continue
        if len(filled) == 2 and len(columns) > 3 and _GROUP_NUMBER.fullmatch(filled[0]):
            # 一 | 教育类: a number and a name, and nothing to do.
            group = f"{filled[0].rstrip('、')}、{filled[1]}"
            continue
        found = _row(sheet, number, values, group, rows[-1] if rows else None)
        if re.match(r"(?:合\s*计|总\s*计|小\s*计)", filled[0]):
            continue
        # A row that names nothing to do holds only totals, signatures or the like.
        if re.search(r"\w", found.task + found.measure):
            rows.append(found)
    return TaskTable(sheet, above, rows) if rows else None


def _joined(row: list[str]) -> str:
    return " ".join(dict.fromkeys(cell.replace("\n", " ") for cell in row if cell))


def _value(row: list[str], at: int) -> str:
    return re.sub(r"\s*\n\s*", " ", row[at]).strip() if at < len(row) else ""


def _column(cell: str) -> str | None:
    words = re.sub(r"[\s（）()：:/／]", "", cell)
    if not words or len(words) > 14:
        return None
    return next((name for name, pattern in _COMPILED if pattern.fullmatch(words)), None)


def _header_score(row: list[str]) -> int:
    return len({_column(cell) for cell in row} - {None})


def _header(cells: list[list[str]]) -> tuple[int, dict[str, int]]:
    """(row, column -> place) of the header: the row among the first 15 that names most columns."""
    best = max(range(min(len(cells), 15)), key=lambda at: _header_score(cells[at]), default=0)
    if not cells or _header_score(cells[best]) < 2:
        return 0, {}
    columns: dict[str, int] = {}
    second = cells[best + 1] if best + 1 < len(cells) else []
    for at, cell in enumerate(cells[best]):
        name = _column(cell)
        # A header of two rows: 责任分工 over 牵头科室 and 配合科室.
        if name is None and at < len(second):
            name = _column(second[at])
        if name == "group" and "task" not in columns and "group" in columns:
            name = "task"
        if name:
            columns.setdefault(name, at)
    if not _NEEDED & set(columns):
        return 0, {}
    return best, columns


def _row(
    sheet: str, number: int, values: dict[str, str], group: str, before: TableRow | None
) -> TableRow:
    """A row; an empty or merged cell of number, group or task continues the row above."""
    row = TableRow(sheet, number)
    row.group = values.get("group") or ("" if group else (before.group if before else "")) or group
    row.no, row.task = values.get("no", ""), values.get("task", "")
    row.measure, row.unit = values.get("measure", ""), values.get("unit", "")
    continued = before is not None and not row.task and row.group == before.group
    if continued and "task" in values:
        row.task = before.task
        row.no = row.no or before.no
    same_task = before is not None and row.task == before.task and row.group == before.group
    for name in ("due", "leader", "handler", "progress"):
        setattr(row, name, values.get(name, ""))
    row.lead = split_names(values.get("lead", ""))
    row.support = split_names(values.get("support", ""))
    if same_task and continued:
        row.due, row.leader = row.due or before.due, row.leader or before.leader
        if not row.lead and not row.support:
            row.lead, row.support = list(before.lead), list(before.support)
        row.handler = row.handler or before.handler
    return row

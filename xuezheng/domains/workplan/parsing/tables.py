"""Task tables (任务分解表): each row a commitment, with who answers and until when."""

import re
from typing import Any

from xuezheng.domains.workplan.parsing import kinds
from xuezheng.domains.workplan.parsing.model import Heading, ParsedPlan, Promise, Units
from xuezheng.domains.workplan.parsing.reading import Grid
from xuezheng.domains.workplan.parsing.targets import contradictions, find_targets
from xuezheng.domains.workplan.parsing.units import names

#: Field -> headings under which tables have it.
HEADERS = {
    "no": r"序号|编号|项次|序",
    "group": r"类别|板块|领域|工作类别|一级任务|任务类别|工作大类|责任领域|方面",
    "task": r"(?:重点|工作|主要|年度|目标)?(?:任务|项目|事项)(?:名称)?|任务名称|工作要点|二级任务|重点工作",
    "measure": r"(?:具体|工作|主要|任务|目标)?(?:举措|措施|内容|要求|目标|任务要求|做法)(?:及要求|（目标）|/目标|及目标|和措施)?|举措|目标举措|具体任务|细化任务|三级任务|任务内容|工作目标",
    "due": r"(?:完成|办结|时间|截止|时间安排)?(?:时限|时间|期限|节点|进度安排)|时间要求|完成时间节点|完成日期",
    "leader": r"(?:责任|分管|牵头|包抓|挂帅)?(?:局)?领导",
    "lead": r"(?:牵头|责任|主办|承办|负责)(?:科室|单位|部门|处室|股室)(?:（牵头）)?|牵头",
    "support": r"(?:配合|协办|协同|参与|协助)(?:科室|单位|部门|处室|股室)?",
    "handler": r"(?:责任|经办|具体负责|联络|承办|落实)人(?:员)?|联系人",
    "progress": r"(?:工作)?(?:进展|完成)(?:情况|度)?|进度|备注进展|落实情况",
}
PATTERNS = {field: re.compile(rf"(?:{pattern})") for field, pattern in HEADERS.items()}


def _header(row: list[str]) -> dict[str, int]:
    """Field -> column, when the row looks like the head of a task table."""
    found: dict[str, int] = {}
    for column, cell in enumerate(row):
        words = re.sub(r"[\s（）()：:]", "", cell)
        for field, pattern in PATTERNS.items():
            if field not in found and words and pattern.fullmatch(words):
                found[field] = column
                break
    if "task" not in found and "measure" in found:
        found["task"] = found["measure"]
    main = {"task", "measure"} & set(found)
    return found if main and len(found) >= 3 else {}


def parse_tables(grids: list[Grid], stem: str) -> ParsedPlan | None:
    """The plan in the tables, or None when none of them is a task table."""
    collected: list[dict[str, Any]] = []
    title: str | None = None
    for name, rows in grids:
        for at, row in enumerate(rows[:15]):
            columns = _header(row)
            if columns:
                title = title or _title(rows[:at])
                collected += _rows(name, rows, at + 1, columns)
                break
    if not collected:
        return None
    return _build(collected, title or stem)


def _title(above: list[list[str]]) -> str | None:
    for row in above:
        words = next((cell for cell in row if cell), "")
        if len(words) >= 6:
            return re.sub(r"\s+", "", words)
    return None


def _rows(
    sheet: str, rows: list[list[str]], first: int, columns: dict[str, int]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    group = ""
    last: dict[str, str] = {}
    for number, row in enumerate(rows[first:], start=first + 1):
        distinct = {cell for cell in row if cell}
        if not distinct or _header(row):
            continue
        if (
            len(distinct) == 1
            and len(next(iter(distinct))) <= 60
            and not _is_own_task(row, columns)
        ):
            group = next(iter(distinct))
            last = {}
            continue
        values = {
            field: row[column] if column < len(row) else "" for field, column in columns.items()
        }
        if columns.get("measure") == columns.get("task"):
            values["measure"] = ""
        carried = not values.get("task") and bool(last)
        for field in ("no", "group", "task", "leader", "lead", "support", "handler", "due"):
            # A continued row leaves the cells of its group empty.
            if carried and not values.get(field) and field in columns:
                values[field] = last.get(field, "")
        if not values.get("task") and not values.get("measure"):
            continue
        last = values
        found.append(
            {"sheet": sheet, "row": number, "heading": values.get("group") or group} | values
        )
    return found


def _is_own_task(row: list[str], columns: dict[str, int]) -> bool:
    """A row with a single filled cell that is not the first is a task without details."""
    filled = [column for column, cell in enumerate(row) if cell]
    return len(filled) == 1 and filled[0] == columns["task"] and columns["task"] > 0


def _build(rows: list[dict[str, Any]], title: str) -> ParsedPlan:
    plan = ParsedPlan("", title=title)
    if match := re.search(r"(20\d\d)", title):
        plan.year = int(match.group(1))
    head = re.split(r"20\d\d", title)[0]
    plan.issuer = head if re.search(r"(?:局|委|办|校|学院|街道|中心|厅)$", head) else None
    parts: list[str] = [title, "\n"]
    length = len(title) + 1
    plan.text = ""
    group: Heading | None = None
    task: Heading | None = None

    def write(words: str) -> tuple[int, int]:
        nonlocal length
        start = length
        parts.append(words)
        length += len(words)
        return start, length

    spans: list[tuple[int, int, dict[str, Any], str]] = []
    for row in rows:
        if row["heading"] and (group is None or group.title != row["heading"]):
            start, end = write(row["heading"])
            write("\n")
            group = Heading("", row["heading"], 1, start, end, end, row["heading"])
            plan.sections.append(group)
            task = None
        words = _flat(row.get("task", ""))
        number = row.get("no", "")
        if task is None or task.title != words or (number and task.number != number):
            start, end = write(f"{number} {words}".strip())
            write("\n")
            own = number or words
            path = f"{group.path}/{own}" if group else own
            task = Heading(number, words, 2 if group else 1, start, end, end, path)
            (group.children if group else plan.sections).append(task)
        measure = _flat(row.get("measure", ""))
        if measure:
            start, end = write(measure)
            write("\n")
        else:
            start, end = task.end - len(words), task.end
        for heading in (task, group):
            if heading:
                heading.end = max(heading.end, end)
        spans.append((start, end, row, task.path))
    plan.text = "".join(parts)
    for start, end, row, path in spans:
        _read_row(plan, start, end, row, path)
    plan.named_documents = list(dict.fromkeys(re.findall(r"《[^《》\n]{2,60}》", plan.text)))
    plan.warnings += contradictions(plan.targets)
    return plan


def _flat(text: str) -> str:
    return re.sub(r"\s*\n\s*", "", text).strip()


def _read_row(plan: ParsedPlan, start: int, end: int, row: dict[str, Any], path: str) -> None:
    figures, doubts = find_targets(plan.text, start, end, path)
    plan.targets += figures
    plan.warnings += doubts
    words = plan.text[start:end]
    kind, reason = kinds.propose(words, bool(figures))
    plan.commitments.append(Promise(path, words, start, end, kind, reason))
    lead, support = names(row.get("lead", "")), names(row.get("support", ""))
    if lead or support:
        known = next((u for u in plan.responsible_units if u.section == path), None)
        if known is None:
            plan.responsible_units.append(Units(path, lead, support))
        else:
            known.lead += [n for n in lead if n not in known.lead]
            known.support += [n for n in support if n not in known.support]
    plan.rows.append(
        {
            field: row.get(field, "")
            for field in (
                "sheet",
                "row",
                "no",
                "task",
                "measure",
                "due",
                "leader",
                "lead",
                "support",
                "handler",
                "progress",
            )
        }
        | {"start": start, "end": end}
    )

"""A plan from task tables: plain text made of the rows, and the sections, commitments and units in it."""

import re
from dataclasses import dataclass
from itertools import pairwise

from xuezheng.domains.workplan.parsing.bounds import comparator_of
from xuezheng.domains.workplan.parsing.contradictions import contradictions, keep_wording
from xuezheng.domains.workplan.parsing.figures import Quantity
from xuezheng.domains.workplan.parsing.head import find_head
from xuezheng.domains.workplan.parsing.kinds import propose_kind
from xuezheng.domains.workplan.parsing.model import Figure, Heading, Plan, Promise
from xuezheng.domains.workplan.parsing.numerals import plain_number
from xuezheng.domains.workplan.parsing.outline import number_of
from xuezheng.domains.workplan.parsing.tables import TableRow, TaskTable
from xuezheng.domains.workplan.parsing.targets import find_targets
from xuezheng.domains.workplan.parsing.tree import numbering_doubts
from xuezheng.domains.workplan.parsing.units import merge_note
from xuezheng.domains.workplan.parsing.wording import Span, lines_of, sentences_of, shadow, trimmed

#: A cell that holds nothing but a figure, perhaps with a bound.
_BARE_FIGURE = re.compile(
    r"(?P<bound>[≥≤<>]|不[低少高]于|不超过|达到?)?\s?(?P<number>\d{1,12}(?:\.\d{1,4})?)(?P<percent>%)?(?P<after>以[上内下])?$"
)
_ITEM_NUMBER = re.compile(
    r"(?:\d{1,2}(?:[.、](?!\d)|）)|（\d{1,2}）|（[一二三四五六七八九十]+）|[①-⑳])\s*"
)


@dataclass
class _Writer:
    """The text as it grows."""

    text: str = ""

    def add(self, piece: str) -> tuple[int, int]:
        """Append a piece; its places."""
        start = len(self.text)
        self.text += piece
        return start, len(self.text)


def plan_from_tables(tables: list[TaskTable], prose: str, name: str) -> Plan:
    """The plan that task tables hold.  `prose` stands above them, `name` is the file's stem.

    The text has one line for each row.  A row's group and task are sections; every sentence of its
    measure, or the task itself when there is none, is a commitment.
    """
    writer = _Writer()
    above = [line for line in prose.split("\n") if line.strip()]
    above += [line for table in tables for line in table.above]
    for line in dict.fromkeys(above):
        writer.add(line + "\n")
    title_length = len(writer.text)
    plan = Plan(text="")
    places: list[tuple[Heading, TableRow, list[Span]]] = []
    groups: dict[tuple[str, str], Heading] = {}
    tasks: dict[tuple[str, str, str], Heading] = {}
    for table in tables:
        for row in table.rows:
            parent = _group(writer, plan, groups, table, row) if row.group else None
            heading, pieces = _write_row(writer, plan, tasks, parent, row)
            places.append((heading, row, pieces))
            plan.rows.append(row.as_json())
    plan.text = writer.text.rstrip()
    seen = shadow(plan.text)
    head = find_head(plan.text, seen, lines_of(seen[:title_length]))
    fallback = find_head(name, shadow(name), lines_of(shadow(name)))
    plan.title = head.title or fallback.title or name or None
    plan.issuer = head.issuer or fallback.issuer
    plan.year = head.year or fallback.year
    for number, (heading, row, pieces) in enumerate(places):
        _read_row(plan, seen, heading, row, pieces)
        for promise in plan.commitments[len(plan.commitments) - len(pieces) :]:
            promise.row = number
    plan.quote_targets()
    plan.warnings = (
        numbering_doubts(plan.sections) + plan.warnings + contradictions(plan.targets, seen)
    )
    keep_wording(plan)
    plan.named_documents = list(dict.fromkeys(re.findall(r"《[^《》\n]{1,100}》", plan.text)))
    return plan


def _group(
    writer: _Writer,
    plan: Plan,
    groups: dict[tuple[str, str], Heading],
    table: TaskTable,
    row: TableRow,
) -> Heading:
    key = (table.sheet, row.group)
    if key not in groups:
        start, end = writer.add(row.group)
        writer.add("\n")
        groups[key] = _heading(row.group, "", start, end, None)
        plan.sections.append(groups[key])
    return groups[key]


def _heading(title: str, number: str, start: int, end: int, parent: Heading | None) -> Heading:
    """A section whose heading is a cell; a number at the beginning of the cell is its number."""
    found = number_of(shadow(title))
    skip = 0
    if not number and found:
        number, skip = title[found[1] : found[2]], found[3]
    own = number.rstrip("、") or title[skip:]
    return Heading(
        number=number,
        title=title[skip:],
        level=parent.level + 1 if parent else 1,
        start=start,
        body=end,
        end=end,
        path=f"{parent.path}/{own}" if parent else own,
        title_start=start + skip,
        title_end=end,
    )


def _write_row(
    writer: _Writer,
    plan: Plan,
    tasks: dict[tuple[str, str, str], Heading],
    parent: Heading | None,
    row: TableRow,
) -> tuple[Heading, list[Span]]:
    """Write a row's line; the section it belongs to, and the pieces of its measure."""
    begin = len(writer.text)
    if row.no:
        writer.add(row.no + "\t")
    title = row.task or re.split(r"[，。；]", row.measure)[0]
    key = (row.sheet, parent.path if parent else "", row.task or f"row {row.row}")
    heading = tasks.get(key)
    pieces: list[Span] = []
    if heading is None:
        start, end = writer.add(title)
        writer.add("\t")
        heading = tasks[key] = _heading(title, row.no, start, end, parent)
        heading.start = begin
        (parent.children if parent else plan.sections).append(heading)
        if not row.measure or row.measure == title:
            pieces.append(Span(title, start))
    if row.unit and _BARE_FIGURE.fullmatch(shadow(row.measure)):
        # 指标 | 单位 | 目标: the promise is the indicator with its figure.
        start, end = writer.add(row.measure)
        start = heading.title_start if heading.start == begin else start
        pieces.append(Span(shadow(writer.text[start:end]), start))
        writer.add("\t")
    elif row.measure and row.measure != title:
        start, _end = writer.add(row.measure)
        pieces += [Span(piece.text, piece.start + start) for piece in _items(shadow(row.measure))]
        writer.add("\t")
    rest = [
        row.due,
        row.leader,
        "、".join(row.lead),
        "、".join(row.support),
        row.handler,
        row.progress,
    ]
    writer.add("\t".join(filter(None, rest)))
    writer.text = writer.text.rstrip("\t")
    # A row that only continues the one above may have written nothing.
    heading.end = len(writer.text.rstrip())
    if parent:
        parent.end = heading.end
    writer.add("\n")
    return heading, pieces


def _items(measure: str) -> list[Span]:
    """The single promises of a cell: its sentences, without the numbers before them."""
    found: list[Span] = []
    cuts = [
        m.start() for m in re.finditer(rf"(?:(?<=^)|(?<=[\s。；])){_ITEM_NUMBER.pattern}", measure)
    ]
    bounds = sorted({0, *cuts, len(measure)})
    for start, end in pairwise(bounds):
        for sentence in sentences_of(measure, start, end):
            number = _ITEM_NUMBER.match(sentence.text)
            piece = trimmed(measure, sentence.start + (number.end() if number else 0), sentence.end)
            if piece.text:
                found.append(piece)
    return found


def _cell_target(row: TableRow, heading: Heading, piece: Span, figure: re.Match[str]) -> Figure:
    """The figure of a cell; its unit stands in a cell of its own."""
    start, end = piece.start + figure.start(), piece.start + figure.end()
    unit = "%" if figure["percent"] else row.unit
    quantity = Quantity(plain_number(figure["number"]), unit, start, end)
    comparator, strict, _width = comparator_of(
        quantity, figure["bound"] or "", figure["after"] or ""
    )
    return Figure(
        section=heading.path,
        text=figure.group(),
        value=quantity.value,
        unit=unit,
        comparator=comparator,
        strict=strict,
        hedged=False,
        period=row.due or None,
        start=start,
        end=end,
        subject=row.task,
    )


def _read_row(plan: Plan, seen: str, heading: Heading, row: TableRow, pieces: list[Span]) -> None:
    """Commitments, targets and units of a row; its date is the period of targets that name none."""
    for piece in pieces:
        targets, doubts = find_targets(seen, piece, heading.path, plan.year)
        figure = _BARE_FIGURE.search(piece.text)
        if row.unit and figure:
            targets, doubts = [_cell_target(row, heading, piece, figure)], []
        for target in targets:
            target.period = target.period or row.due or None
        plan.targets += targets
        plan.warnings += doubts
        kind, reason = propose_kind(piece.text, targets)
        text = plan.text[piece.start : piece.end]
        plan.commitments.append(Promise(heading.path, text, piece.start, piece.end, kind, reason))
    merge_note(plan.responsible_units, heading.path, row.lead, row.support)

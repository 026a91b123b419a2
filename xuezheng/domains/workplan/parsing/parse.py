"""The whole parse of a text or a file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from xuezheng.domains.workplan.parsing.commitments import (
    IDEA,
    closing_list,
    is_background,
    is_commitment,
    without_note,
)
from xuezheng.domains.workplan.parsing.contradictions import contradictions, keep_wording
from xuezheng.domains.workplan.parsing.head import Head, find_head
from xuezheng.domains.workplan.parsing.kinds import propose_kind
from xuezheng.domains.workplan.parsing.model import Doubt, Figure, Heading, Plan, PlanError, Promise
from xuezheng.domains.workplan.parsing.outline import INTRODUCES, REVIEW, split_items
from xuezheng.domains.workplan.parsing.reading import Grid, is_text, normalise, read
from xuezheng.domains.workplan.parsing.table_plan import plan_from_tables
from xuezheng.domains.workplan.parsing.tables import find_task_table
from xuezheng.domains.workplan.parsing.targets import TURNS, find_targets, reports, unsure
from xuezheng.domains.workplan.parsing.tree import build_tree, flatten, numbering_doubts
from xuezheng.domains.workplan.parsing.units import NOTE, find_units, merge_note
from xuezheng.domains.workplan.parsing.wording import Span, lines_of, sentences_of, shadow


def parse_text(text: str, levels: Mapping[int, int] = MappingProxyType({})) -> Plan:
    """Parse the prose of a plan.  Raises PlanError when there is nothing in it.

    `levels`: line -> the level of Word's heading style.
    """
    text = normalise(text)
    seen = shadow(text)
    lines = lines_of(seen)
    head = find_head(text, seen, lines)
    plan = Plan(text=text, title=head.title, issuer=head.issuer, year=head.year)
    body = split_items(
        [line for line in lines if line.start >= head.end and line.start < head.foot]
    )
    plan.sections = build_tree(text, body, head.foot, _places(seen, levels))
    plan.warnings = numbering_doubts(plan.sections)
    _read_sections(plan, seen, head)
    plan.quote_targets()
    plan.warnings += contradictions(plan.targets, seen)
    keep_wording(plan)
    plan.warnings.sort(key=lambda doubt: doubt.start or 0)
    plan.named_documents = list(dict.fromkeys(re.findall(r"《[^《》\n]{1,100}》", text)))
    if not plan.commitments and not plan.title:
        raise PlanError("看不出这是一份工作计划，请核对文件 / this does not look like a work plan")
    return plan


def parse_file(source: Path | bytes, filename: str) -> Plan:
    """Parse a plan file (.docx, .txt, text .pdf, .xlsx).  Raises PlanError, OSError.

    A task table gives the plan, unless the file is prose with a table beside it: then the prose
    gives the plan and the table only its rows.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    text, grids, levels = read(data, filename)
    tables = [table for grid in grids if (table := find_task_table(grid))]
    if tables:
        prose = parse_text(text, levels) if is_text(text) else None
        if prose and len(prose.sections) >= 2 and len(prose.commitments) >= 5:
            prose.rows = [row.as_json() for table in tables for row in table.rows]
            return prose
        return plan_from_tables(tables, text, Path(filename).stem)
    if not is_text(text) and grids:
        raise PlanError(
            "表格里没有找到任务表头（如 任务、具体措施、牵头科室），请核对 / "
            "no header of a task table was found"
        )
    return parse_text("\n".join([text, *map(_plain, grids)]), levels)


def _places(seen: str, levels: Mapping[int, int]) -> dict[int, int]:
    """The levels by the place of their line's first character."""
    if not levels:
        return {}
    found, at = {}, 0
    for number, line in enumerate(seen.split("\n")):
        if number in levels and line.strip():
            found[at + len(line) - len(line.lstrip())] = levels[number]
        at += len(line) + 1
    return found


def _plain(grid: Grid) -> str:
    """The text of a table that is no task table: a line for each row."""
    return "\n".join(" ".join(dict.fromkeys(filter(None, row))) for row in grid[1])


def _read_sections(plan: Plan, seen: str, head: Head) -> None:
    """Commitments, targets and units of every section, in the order of the text."""
    past: list[tuple[int, int]] = []
    first = plan.sections[0].start if plan.sections else head.foot
    _read_stretch(plan, seen, "", head.end, first, promises=not plan.sections)
    owners = _owners(plan.sections, seen)
    for heading in flatten(plan.sections):
        if any(a <= heading.start < b for a, b in past):
            continue
        if heading.level <= 2 and _is_review(heading.title):
            past.append((heading.start, heading.end))
            continue
        until = heading.children[0].start if heading.children else heading.end
        _read_heading(plan, seen, heading, until, owners.get(heading.path))


def _is_review(title: str) -> bool:
    """Whether a heading opens a report on the past; a whole sentence that names 上年 does not."""
    return bool(len(title) <= 24 and not re.search(r"[，；。]", title) and REVIEW.search(title))


def _owners(siblings: list[Heading], seen: str, parent: Heading | None = None) -> dict[str, str]:
    """Path of a last subsection -> path of its parent, whose note on units stands below the list.

    The note speaks of the whole list when no earlier item of it has one.
    """
    found: dict[str, str] = {}
    for heading in siblings:
        found |= _owners(heading.children, seen, heading)
    if parent and len(siblings) > 1 and not siblings[-1].children:
        noted = [bool(NOTE.search(seen, item.start, item.end)) for item in siblings]
        own_line = any(
            NOTE.match(line.text)
            for line in lines_of(seen[siblings[-1].start : siblings[-1].end])[1:]
        )
        # Items that end with ； are one list, and so is the note at its very end.
        one_list = seen[siblings[-2].start : siblings[-2].end].endswith("；") and noted[-1]
        if (own_line or one_list) and not any(noted[:-1]):
            found[siblings[-1].path] = parent.path
    return found


def _read_heading(plan: Plan, seen: str, heading: Heading, until: int, owner: str | None) -> None:
    named = closing_list(seen, heading.start, until) if not heading.number else []
    at = len(plan.commitments)
    if named and heading.level == 1:
        plan.commitments += [_promise(plan, heading.path, piece) for piece in named]
        rest = sentences_of(seen, heading.body, until)[1:]
        if rest:
            _read_stretch(plan, seen, heading.path, rest[0].start, until, promises=True)
        return
    title = Span(seen[heading.title_start : heading.title_end], heading.title_start)
    targets, doubts = find_targets(seen, title, heading.path, plan.year)
    plan.warnings += doubts
    if targets:
        plan.targets += targets
        plan.commitments.append(_promise(plan, heading.path, title, targets))
    ideas = bool(INTRODUCES.fullmatch(heading.title))
    promises = not heading.children and bool(heading.number or not ideas)
    stretch = (heading.path, heading.body, until)
    _read_stretch(plan, seen, *stretch, promises=promises, owner=owner, ideas=ideas)
    if promises and not ideas and len(plan.commitments) == at and title.text:
        # A section promises something: its sentences, whatever their verbs, or else its title.
        pieces = [
            s for s in sentences_of(seen, heading.body, until) if not NOTE.match(seen, s.start)
        ]
        pieces = [s for s in pieces if is_commitment(s.text, any_verb=True)]
        pieces = [s for s in pieces if not reports(s.text, plan.year)]
        if not pieces and not is_background(title.text):
            pieces = [title]
        plan.commitments += [_promise(plan, heading.path, piece) for piece in pieces]


def _read_stretch(
    plan: Plan,
    seen: str,
    section: str,
    start: int,
    end: int,
    *,
    promises: bool,
    owner: str | None = None,
    ideas: bool = False,
) -> None:
    """Read the text between two places.  Without `promises` only sentences with targets count.

    `owner` is the section that the notes on units speak of, when it is another one.  `ideas`: the section
    is 总体要求 or the like.
    """
    lead, support, notes = find_units(seen, start, end)
    merge_note(plan.responsible_units, owner or section, lead, support)
    reporting = ""
    for sentence in sentences_of(seen, start, end):
        if any(a <= sentence.start < b for a, b in notes):
            continue
        # A report goes on after ；, until a word turns to this year.
        if reporting.endswith("；") and not TURNS.search(sentence.text):
            reporting = sentence.text
            continue
        reporting = sentence.text if reports(sentence.text, plan.year) else ""
        targets, doubts = find_targets(seen, sentence, section, plan.year)
        if not section and plan.sections:
            targets, facts = _promised(targets)
            doubts += facts
        plan.targets += targets
        plan.warnings += doubts
        piece = without_note(seen, sentence, notes)
        promised = promises and is_commitment(piece.text) and not (ideas and IDEA.match(piece.text))
        if piece.text and (promised or (targets and section)):
            plan.commitments.append(_promise(plan, section, piece, targets))


def _promised(targets: list[Figure]) -> tuple[list[Figure], list[Doubt]]:
    """Above the first heading a share without a bound may be a fact: 占总人口的23.6%."""
    facts = [t for t in targets if t.unit in {"%", "‰"} and t.comparator == "="]
    return (
        [target for target in targets if target not in facts],
        [unsure(target.text, target.section, target.start, target.end) for target in facts],
    )


def _promise(plan: Plan, section: str, piece: Span, targets: Sequence[Figure] = ()) -> Promise:
    inside = [t for t in targets if piece.start <= t.start and t.end <= piece.end]
    kind, reason = propose_kind(piece.text, inside)
    return Promise(
        section=section,
        text=plan.text[piece.start : piece.end],
        start=piece.start,
        end=piece.end,
        kind=kind,
        kind_reason=reason,
    )

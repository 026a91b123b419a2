"""Putting the pieces together."""

import re
from collections.abc import Iterator
from pathlib import Path

from xuezheng.domains.workplan.parsing import kinds, reading, tables, units
from xuezheng.domains.workplan.parsing.commitments import (
    GOALS,
    find_commitments,
    is_background,
    sentences,
)
from xuezheng.domains.workplan.parsing.model import Doubt, Heading, ParsedPlan, PlanError
from xuezheng.domains.workplan.parsing.numerals import plain_number
from xuezheng.domains.workplan.parsing.outline import (
    CLOSING,
    Line,
    find_outline,
    lines_of,
    numbering_doubts,
)
from xuezheng.domains.workplan.parsing.targets import contradictions, find_targets

TITLE = re.compile(
    r"工作要点|工作计划|工作安排|工作打算|工作思路|实施方案|行动方案|工作方案|行动计划|任务分解|任务清单|重点任务|年度计划|要点|计划|方案|安排"
)
ISSUER = re.compile(
    r"[\u4e00-\u9fffXx×ＸA-Za-z（）()]{0,24}?(?:教育体育局|教体局|卫生健康委员会|卫生健康委|委员会|办公室|办事处|人民政府|管理局|局|厅|委|街道|"
    r"学校|小学|中学|高中|初中|学院|大学|幼儿园|中心|政府|医院|集团|馆|院|站|系|所|党委|党支部)"
)
DATE = re.compile(
    r"(?:20\d\d|二[〇○零][〇○零一二三四五六七八九]{2})年(?:\d{1,2}|[一二三四五六七八九十]+)月(?:\d{1,2}|[一二三四五六七八九十]+)日"
)
ATTACHMENT = re.compile(r"^附(?:件|表)[\d一二三四五六七八九十]*[：:]?")
DOCUMENT = re.compile(r"《[^《》\n]{2,60}》")
HAN_YEAR = re.compile(r"二[〇○零][〇○零一二三四五六七八九]{2}(?=年|学年|—|-)")


def parse_file(source: Path | bytes, filename: str) -> ParsedPlan:
    """Parse a file given by path or content.  Raises PlanError, and OSError for an unreadable path."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    text, grids = reading.read(data, filename)
    table = tables.parse_tables(grids, Path(filename).stem)
    if table is not None:
        return table
    if not text:
        raise PlanError(
            "表格里没有认出任务表的表头（如“重点任务”“牵头科室”“完成时限”）/ no task table recognised"
        )
    return parse_text(text)


def parse_text(text: str) -> ParsedPlan:
    """Parse prose.  Raises PlanError for an empty text."""
    text = reading.clean(text)
    lines = lines_of(text)
    plan = ParsedPlan(text)
    title_at = _find_title(plan, lines)
    body = _body_lines(lines, title_at)
    plan.sections, flat = find_outline(text, body)
    if body:
        _cut(plan.sections, body[-1].end)
    plan.issuer = plan.issuer or _signature(lines)
    plan.year = plan.year or _year_of_text(text)
    plan.warnings += numbering_doubts(plan.sections)
    plan.named_documents = list(dict.fromkeys(DOCUMENT.findall(text)))
    notes = units.find_notes(text)
    plan.responsible_units = units.assign(notes, flat)
    places = [(start, end) for start, end, _lead, _support in notes]
    if flat:
        _read_sections(plan, places)
        _read_preamble(plan, body, flat)
    elif body:
        whole = Heading("", "", 1, body[0].start, body[0].start, body[-1].end, "")
        _read_leaf(plan, whole, [], places)
    plan.warnings += contradictions(plan.targets)
    _propose_kinds(plan)
    return plan


def _find_title(plan: ParsedPlan, lines: list[Line]) -> int:
    """Set title, year and issuer; returns the index of the line after the title."""
    for at, line in enumerate(lines[:10]):
        words = line.text.lstrip("# ").strip()
        if len(words) > 60 or re.search(r"[。；]", words) or not TITLE.search(words):
            continue
        if re.match(r"[一二三四五六七八九十]+、|[（(]|\d+[.、]|第.{1,2}[章部]", words):
            break
        if (
            re.fullmatch(r"(?:重点任务|工作安排|主要任务|工作计划|工作思路|工作打算).{0,2}", words)
            and at > 2
        ):
            break
        joined, last = words, at
        # A title over two lines: the name of the office stands alone above.
        if at and len(lines[at - 1].text) <= 24 and ISSUER.fullmatch(lines[at - 1].text):
            plan.issuer = lines[at - 1].text
            if re.match(r"20\d\d|二[〇○零]|关于", words):
                joined = lines[at - 1].text + words
        plan.title = re.sub(r"\s+", "", joined)
        inner = re.search(r"《([^》]*(?:20\d\d)[^》]*)》", plan.title)
        if "通知" in plan.title and inner:
            plan.title = inner.group(1)
        _read_title(plan)
        return last + 1
    return 0


def _read_title(plan: ParsedPlan) -> None:
    title = plan.title or ""
    if match := re.search(r"(20\d\d)(?=\s*(?:年|学年|—|-|－|/|～|秋|春|$))", title):
        plan.year = int(match.group(1))
    elif match := HAN_YEAR.search(title):
        plan.year = int(plain_number(match.group().replace("○", "〇")))
    head = re.split(r"20\d\d|二[〇○零]|关于|工作要点|工作计划|第[一二]学期|重点", title)[0]
    if not plan.issuer and (match := ISSUER.match(head)) and match.group() == head:
        plan.issuer = head


def _signature(lines: list[Line]) -> str | None:
    tail = lines[-8:]
    for at, line in enumerate(tail[:-1]):
        if DATE.fullmatch(tail[at + 1].text.replace(" ", "")):
            words = line.text.replace(" ", "")
            if len(words) <= 26 and ISSUER.fullmatch(words):
                return words
    for line in lines[:4]:
        words = line.text.replace(" ", "").removesuffix("文件")
        if len(words) <= 20 and ISSUER.fullmatch(words) and words != line.text[:0]:
            return words
    return None


def _year_of_text(text: str) -> int | None:
    years = re.findall(r"(20\d\d)年", text[:1500])
    if years:
        return int(max(set(years), key=years.count))
    match = HAN_YEAR.search(text[:1500])
    return int(plain_number(match.group().replace("○", "〇"))) if match else None


def _body_lines(lines: list[Line], first: int) -> list[Line]:
    """From after the title to before signature and attachments."""
    body = lines[first:]
    for at, line in enumerate(body):
        compact = line.text.replace(" ", "")
        if ATTACHMENT.match(compact) and at > len(body) * 0.5:
            return body[:at]
        if DATE.fullmatch(compact) and at >= len(body) - 4 and at > 1:
            signed = ISSUER.fullmatch(body[at - 1].text.replace(" ", ""))
            return body[: at - 1 if signed else at]
    return body


def _cut(siblings: list[Heading], end: int) -> None:
    for heading in siblings:
        heading.end = min(heading.end, end)
        heading.body = min(heading.body, heading.end)
        _cut(heading.children, end)


def _leaves(
    siblings: list[Heading], above: list[Heading]
) -> Iterator[tuple[Heading, list[Heading]]]:
    for heading in siblings:
        yield heading, above
        yield from _leaves(heading.children, [*above, heading])


def _read_sections(plan: ParsedPlan, notes: list[tuple[int, int]]) -> None:
    for heading, above in _leaves(plan.sections, []):
        if not heading.children:
            _read_leaf(plan, heading, above, notes)
            continue
        # Words between a heading and its first sub-heading: figures only when they are certain.
        if not is_background(heading, above):
            until = heading.children[0].start
            _figures(plan, heading, heading.body, until, cautious=not GOALS.search(heading.title))


def _read_leaf(
    plan: ParsedPlan, heading: Heading, above: list[Heading], notes: list[tuple[int, int]]
) -> None:
    if is_background(heading, above):
        return
    closing = bool(CLOSING.match(heading.title)) and not heading.number
    own = find_commitments(plan.text, heading, notes, closing=closing)
    plan.commitments += own
    title_only = heading.body >= heading.end or not plan.text[heading.body : heading.end].strip()
    start = heading.start + len(heading.number) if title_only else heading.body
    if not title_only and heading.title and heading.number:
        # A figure may stand in a run-in heading too.
        _figures(plan, heading, heading.start + len(heading.number), heading.body, cautious=False)
    _figures(plan, heading, start, heading.end, cautious=False)


def _figures(plan: ParsedPlan, heading: Heading, start: int, end: int, *, cautious: bool) -> None:
    for first, last in sentences(plan.text, start, end):
        figures, doubts = find_targets(plan.text, first, last, heading.path, cautious=cautious)
        known = {(f.start, f.end) for f in plan.targets}
        plan.targets += [f for f in figures if (f.start, f.end) not in known]
        plan.warnings += doubts


def _read_preamble(plan: ParsedPlan, body: list[Line], flat: list[Heading]) -> None:
    for line in body:
        if line.start >= flat[0].start:
            return
        for first, last in sentences(plan.text, line.start, line.end):
            figures, _doubts = find_targets(plan.text, first, last, "", cautious=True)
            plan.targets += figures


def _propose_kinds(plan: ParsedPlan) -> None:
    for promise in plan.commitments:
        has = any(promise.start <= f.start and f.end <= promise.end for f in plan.targets)
        promise.kind, promise.kind_reason = kinds.propose(promise.text, has)
    covered = [(p.start, p.end) for p in plan.commitments]
    for figure in plan.targets:
        if not any(a <= figure.start and figure.end <= b for a, b in covered):
            plan.warnings.append(
                Doubt(
                    figure.section,
                    "target_without_commitment",
                    f"目标“{figure.text}”没有归到任何任务",
                    figure.start,
                    figure.end,
                )
            )

"""Five years of a plan desk, invented and written by COPY: more than any district makes by hand."""

import calendar
import datetime as dt
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

YEARS = 5
#: Commitments of each year's plan.
COMMITMENTS = 2_000
MILESTONES_EACH = 4
SHEETS, SOURCES, DRAFTS, RECURRING = 500, 300, 200, 40
SECTIONS = 40
#: A light changes every second week, which is more often than a plan sees.
CHANGES = 26
WORDS = "已召开推进会并印发方案，正按节点推进，本期完成现场核查和问题整改。"
LIGHTS = ["green", "green", "green", "yellow", "red", "blue", "grey"]
SEVERITY = {"red": 0, "yellow": 1, "green": 2, "grey": 3, "blue": 4}
#: States of the open round's reports with phase and the permission they wait for.
OPEN_STATES = [
    ("filling", "acting", "workplan.milestone.report"),
    ("filled", "acting", "workplan.round.confirm"),
    ("confirmed", "waiting", "workplan.round.sign"),
    ("signed", "checking", "workplan.milestone.accept"),
    ("accepted", "closed", ""),
]
CASE = (
    *("id", "number", "kind", "title", "organisation_id", "state", "phase", "awaits"),
    *("due", "opened_at", "closed_at"),
)


class Rows:
    """Lines of one table; what a row does not say has the default of the model's field."""

    def __init__(self, model: Any, *names: str):
        from xuezheng.registry.demo.rows import Stream

        fields = {f.attname: f for f in model._meta.concrete_fields}
        rest = [n for n in fields if n not in names and n != model._meta.pk.attname]
        self.constants = [_text(_default(fields[name])) for name in rest]
        # Quoted: `order` and `on` are words of SQL.
        columns = tuple(f'"{fields[name].column}"' for name in (*names, *rest))
        self.stream = Stream(model._meta.db_table, columns)

    def add(self, *values: Any) -> None:
        """One row, in the order of the names."""
        self.stream.add(*[_text(value) for value in values], *self.constants)


def _default(column: Any) -> Any:
    if column.has_default():
        return column.get_default()
    return None if column.null else ""


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "t" if value else "f"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _keys(model: Any) -> Iterator[int]:
    newest = model.objects.order_by("-pk").values_list("pk", flat=True).first()
    return itertools.count((newest or 0) + 1)


@dataclass
class Desk:
    """Who and where, and the lines of every table in the order in which they are written."""

    today: dt.date
    bureau: Any
    officer: int
    offices: list[int]
    heads: dict[int, int]
    leaders: list[int]
    file: int
    #: Key of the newest commitment.
    last: int = 0
    streams: dict[str, Rows] = field(default_factory=dict)
    keys: dict[str, Iterator[int]] = field(default_factory=dict)

    def table(self, name: str, model: Any, *names: str) -> None:
        """A table that will be written; its keys go on after those that are there."""
        self.streams[name] = Rows(model, *names)
        self.keys[name] = _keys(model)

    def add(self, name: str, *values: Any) -> None:
        """One row."""
        self.streams[name].add(*values)

    def case(
        self, kind: str, office: int, state: tuple[str, str, str], due: dt.date, title: str
    ) -> int:
        """A case with its opening and one more move; its key."""
        key = next(self.keys["case"])
        code, phase, awaits = state
        opened = f"{due - dt.timedelta(days=20)} 09:00+08"
        closed = f"{due} 10:00+08" if phase == "closed" else None
        self.add(
            *("case", key, f"BENCH{key}", kind, title, office, code, phase, awaits),
            *(due, opened, closed),
        )
        self.add("clock", key, kind, "依据", due - dt.timedelta(days=20), due, closed and due)
        self.add("move", key, opened, "open", code, self.officer)
        if closed:
            self.add("move", key, closed, "accept", code, self.heads[office])
        return key


def prepare(today: dt.date) -> Desk:
    """The demo's own plan steps back before the five years, and its readings give way."""
    from xuezheng.domains.workplan import models as m
    from xuezheng.kernel.access.models import Post, User
    from xuezheng.kernel.cases.models import Case, CaseClock, Move
    from xuezheng.kernel.files.models import StoredFile
    from xuezheng.kernel.indicators.models import Reading

    bureau = m.Plan.objects.filter(status="adopted").latest("year").organisation
    m.Plan.objects.filter(organisation=bureau).update(year=today.year - YEARS)
    Reading.objects.filter(organisation=bureau).delete()
    heads = dict(
        Post.objects.filter(role="office_head", organisation__edges_up__parent=bureau)
        .order_by("id")
        .values_list("organisation_id", "user_id")
    )
    desk = Desk(
        today=today,
        bureau=bureau,
        officer=User.objects.get(username="plan").id,
        offices=list(heads),
        heads=heads,
        leaders=list(
            User.objects.filter(posts__role="deputy").distinct().values_list("id", flat=True)
        ),
        file=StoredFile.objects.values_list("pk", flat=True)[0],
    )
    desk.table("case", Case, *CASE)
    desk.table("clock", CaseClock, "case_id", "kind", "basis", "started", "due", "stopped")
    desk.table("move", Move, "case_id", "at", "step", "target", "user_id")
    desk.table(
        "plan", m.Plan,
        *("id", "organisation_id", "year", "title", "status", "source_text", "imported_at"),
    )  # fmt: skip
    desk.table(
        "section", m.Section,
        *("id", "plan_id", "parent_id", "number", "title", "path", "level", "order", "start", "end"),
    )  # fmt: skip
    desk.table(
        "commitment", m.Commitment,
        *("id", "plan_id", "section_id", "code", "title", "wording", "order", "kind", "leader_id"),
        *("lead_office_id", "handler_id", "start_on", "due_on", "accepted_on", "light"),
        *("light_order", "cause", "progress", "planned", "behind", "weight"),
    )  # fmt: skip
    desk.table(
        "target", m.Target,
        *("commitment_id", "text", "value", "unit", "comparator", "indicator"),
    )  # fmt: skip
    desk.table(
        "milestone", m.Milestone,
        *("case_id", "commitment_id", "state", "title", "due_on", "done_on"),
    )  # fmt: skip
    desk.table(
        "light", m.LightChange, "commitment_id", "on", "light", "cause", "progress", "planned"
    )
    desk.table(
        "round", m.Round,
        *("id", "plan_id", "months", "starts_on", "ends_on", "opens_on", "closes_on"),
        *("opened_at", "closed_at"),
    )  # fmt: skip
    desk.table(
        "report", m.RoundReport,
        *("case_id", "round_id", "commitment_id", "state", "text", "carried", "light", "cause"),
        *("handed_on", "returned"),
    )  # fmt: skip
    desk.table(
        "source", m.Source,
        *("id", "organisation_id", "kind", "number", "title", "dated_on", "registered_at"),
    )  # fmt: skip
    desk.table("answer", m.Source.commitments.through, "source_id", "commitment_id")
    desk.table(
        "sheet", m.Supervision,
        *("case_id", "state", "issuer_id", "year", "serial", "number", "basis", "commitment_id"),
        *("note", "due_on", "issued_on", "level"),
    )  # fmt: skip
    desk.table(
        "draft", m.Draft,
        *("plan_id", "kind", "title", "begins", "ends", "as_of", "file_id", "made_at"),
    )  # fmt: skip
    desk.table(
        "recurring", m.RecurringReport,
        *("id", "organisation_id", "title", "receiver", "office_id", "every", "day"),
    )  # fmt: skip
    desk.table("turn", m.ReportTurn, "case_id", "state", "report_id", "due_on", "sent_on")
    desk.table(
        "reading", Reading,
        *("indicator", "definition_version", "organisation_id", "period_from", "period_to"),
        *("as_of", "numerator", "denominator", "value", "computed_at"),
    )  # fmt: skip
    return desk


def _months(year: int) -> Iterator[tuple[dt.date, dt.date]]:
    for month in range(1, 13):
        last = calendar.monthrange(year, month)[1]
        yield dt.date(year, month, 1), dt.date(year, month, last)


def _plan(desk: Desk, year: int, indicators: list[str]) -> None:
    """One year's plan with sections, commitments, milestones, light history, rounds and reports."""
    newest = year == desk.today.year
    plan = next(desk.keys["plan"])
    moment = f"{year}-01-10 09:00+08"
    status = "adopted" if newest else "closed"
    title = f"{year}年工作要点"
    desk.add("plan", plan, desk.bureau.id, year, title, status, title, moment)
    top = next(desk.keys["section"])
    desk.add("section", top, plan, None, "一、", "重点", "一", 1, 0, 0, 1)
    sections = []
    for at in range(SECTIONS):
        sections.append(next(desk.keys["section"]))
        desk.add(
            *("section", sections[-1], plan, top, f"（{at + 1}）", f"任务组{at + 1}"),
            *(f"一/（{at + 1}）", 2, at + 1, 0, 1),
        )
    rounds = []
    for first, last in _months(year):
        if first > desk.today:
            break
        rounds.append((next(desk.keys["round"]), last))
        running = last >= desk.today
        closes = last + dt.timedelta(days=5)
        desk.add(
            *("round", rounds[-1][0], plan, 1, first, last, last - dt.timedelta(days=5), closes),
            *(f"{last - dt.timedelta(days=5)} 01:00+08", None if running else f"{closes} 23:00+08"),
        )
    for at in range(COMMITMENTS):
        _commitment(desk, plan, at, year, sections[at % SECTIONS], rounds, indicators)


def _commitment(
    desk: Desk,
    plan: int,
    at: int,
    year: int,
    section: int,
    rounds: list[tuple[int, dt.date]],
    indicators: list[str],
) -> None:
    key, office = next(desk.keys["commitment"]), desk.offices[at % len(desk.offices)]
    light = LIGHTS[at % len(LIGHTS)]
    accepted = dt.date(year, 10, 20) if light == "blue" else None
    measured = at % 20 == 0
    progress, planned = float(at % 90), float(at % 90 + (15 if light == "red" else 0))
    desk.add(
        *("commitment", key, plan, section, f"B-{at + 1:04d}", f"{year}年第{at + 1}项任务"),
        *(WORDS, at, "quantity" if measured else "project", desk.leaders[at % len(desk.leaders)]),
        *(office, desk.heads[office], dt.date(year, 1, 20), dt.date(year, 12, 20), accepted),
        *(light, SEVERITY[light], "on_plan", progress, planned, planned - progress, at % 3 + 1),
    )
    if measured:
        desk.add(
            "target", key, "不低于95%", "95", "%", ">=", indicators[at // 20 % len(indicators)]
        )
    for step in range(MILESTONES_EACH):
        due = dt.date(year, 3 * step + 3, 20)
        done = due < desk.today - dt.timedelta(days=at % 20)
        state = (
            ("accepted", "closed", "")
            if done
            else ("planned", "acting", "workplan.milestone.report")
        )
        case = desk.case("milestone", office, state, due, f"第{step + 1}步")
        desk.add("milestone", case, key, state[0], f"第{step + 1}步", due, due if done else None)
    for change in range(CHANGES):
        on = dt.date(year, 1, 20) + dt.timedelta(days=13 * change)
        if on <= desk.today:
            # Once in ten the light is another one; the newest is that which stands on the row.
            newest = on > desk.today - dt.timedelta(days=13)
            shown = light if newest or (at + change) % 10 else LIGHTS[(at + change) % len(LIGHTS)]
            desk.add("light", key, on, shown, "on_plan", progress, planned)
    for number, (row, last) in enumerate(rounds):
        running = last >= desk.today
        state = OPEN_STATES[at % 5] if running else OPEN_STATES[4]
        due = last + dt.timedelta(days=5)
        case = desk.case("round_report", office, state, due, f"{last.month}月进展")
        handed = None if state[0] == "filling" else min(last, desk.today)
        text = "" if state[0] == "filling" else WORDS
        desk.add(
            *("report", case, row, key, state[0], text, WORDS, light, "on_plan"),
            *(handed, int((at + number) % 17 == 0)),
        )
    desk.last = key


def _beside(desk: Desk) -> None:
    """Sources, supervision sheets, drafts, recurring reports."""
    year, plan, newest = desk.today.year, next(desk.keys["plan"]) - 1, desk.last
    moment = f"{year}-02-01 09:00+08"
    kinds = ["document", "minutes", "proposal", "assessment", "livelihood"]
    for at in range(SOURCES):
        key = next(desk.keys["source"])
        dated = dt.date(year - at % YEARS, 1 + at % 12, 1)
        desk.add(
            "source", key, desk.bureau.id, kinds[at % 5], f"〔{at}〕号", f"来源{at}", dated, moment
        )
        for answer in range(at % 9):
            desk.add("answer", key, newest - (at * 9 + answer) % COMMITMENTS)
    for at in range(SHEETS):
        office = desk.offices[at % len(desk.offices)]
        at_year = year - at % YEARS
        due = dt.date(at_year, 1 + at % 12, 15)
        state = (
            ("acting", "acting", "workplan.milestone.report")
            if at_year == year
            else ("filed", "closed", "")
        )
        key = desk.case("supervision", office, state, due, f"督办{at}")
        desk.add(
            *("sheet", key, state[0], desk.bureau.id, at_year, 10_000 + at, f"B督〔{at}〕"),
            *("commitment", newest - at, "进度滞后", due, due - dt.timedelta(days=10), at % 3 + 1),
        )
    for at in range(DRAFTS):
        day = desk.today - dt.timedelta(days=7 * at)
        desk.add(
            *("draft", plan, "bulletin", f"第{at}期", day - dt.timedelta(days=7), day, day),
            *(desk.file, f"{day} 09:00+08"),
        )
    for at in range(RECURRING):
        key, office = next(desk.keys["recurring"]), desk.offices[at % len(desk.offices)]
        desk.add("recurring", key, desk.bureau.id, f"报告{at}", "市局", office, "month", 10)
        for back in range(YEARS):
            for month in range(1, 13):
                due = dt.date(year - back, month, 10)
                if due < desk.today:
                    case = desk.case("report_turn", office, ("sent", "closed", ""), due, "报送")
                    desk.add("turn", case, "sent", key, due, due)


def _readings(desk: Desk, indicators: list[str]) -> None:
    """Every indicator of the bureau on every day of five years."""
    for back in range(YEARS):
        first = dt.date(desk.today.year - back, 1, 1)
        last = min(dt.date(first.year, 12, 31), desk.today)
        for at, key in enumerate(indicators):
            for day in range((last - first).days + 1):
                as_of = first + dt.timedelta(days=day)
                good = 900 + (day + at) % 90
                desk.add(
                    *("reading", key, 1, desk.bureau.id, first, dt.date(first.year, 12, 31)),
                    *(as_of, good, 1000, good / 10, f"{as_of} 02:00+08"),
                )


def fill(today: dt.date) -> int:
    """Write five years that end with today's.  Returns how many rows."""
    from django.db import transaction

    from xuezheng.kernel.indicators.definitions import INDICATORS
    from xuezheng.registry.demo.rows import go_on_after, write

    indicators = list(INDICATORS)
    with transaction.atomic():
        desk = prepare(today)
        for year in range(today.year - YEARS + 1, today.year + 1):
            _plan(desk, year, indicators)
        _beside(desk)
        _readings(desk, indicators)
        streams = [rows.stream for rows in desk.streams.values()]
        count = write(streams, lambda share: None)
        given = ["case", "plan", "section", "commitment", "round", "source", "recurring"]
        go_on_after([desk.streams[name].stream.table for name in given])
    return count

"""Drafting bulletins, reviews and reports from the records.

Every figure is the board's own of the same day, is kept with the draft as (name, value, as-of, source)
and can be opened again; what no record can say stands as an open mark for a person.  The wording is
data, drafts/wording.yaml, and Chinese whatever the reader's language.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import (
    Commitment,
    Draft,
    Milestone,
    Plan,
    Supervision,
    Target,
)
from xuezheng.domains.workplan.rules import Light, Overall, overall
from xuezheng.domains.workplan.selectors import assessment, indicator_history, lights_on, turned
from xuezheng.domains.workplan.services.official import (
    MEDIA_TYPE,
    Block,
    Grid,
    Heading,
    Picture,
    Words,
    write,
)
from xuezheng.domains.workplan.services.pictures import Bar, Share, series, shares, stacked
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.files.store import keep_bytes
from xuezheng.kernel.indicators.definitions import Indicator
from xuezheng.kernel.indicators.models import Reading

OPEN_MARK = "【"
#: Charts of indicators in one draft, and readings that are all drawn.
MOST_SERIES, FEW_POINTS = 3, 24
LIGHTS_IN_TABLES = (Light.BLUE, Light.GREEN, Light.YELLOW, Light.RED, Light.GREY)


@cache
def wording() -> dict[str, Any]:
    """The shipped wording of all drafts."""
    path = Path(__file__).resolve().parents[1] / "drafts" / "wording.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Standing:
    """How a plan stands on a day, and what happened in a period; what the drafts speak of."""

    plan: Plan
    begins: dt.date
    ends: dt.date
    as_of: dt.date
    rows: list[Commitment]
    overall: Overall
    lights: Counter[str]
    turned_green: int
    turned_red: int
    due: int
    on_time: int
    accepted: int
    issued: int
    settled: int
    open_sheets: int
    late_sheets: int
    months: list[Share]
    history: dict[str, list[Reading]]
    targets: dict[str, Target]
    replies: dict[int, str]


def standing(plan: Plan, *, begins: dt.date, ends: dt.date, by: Actor) -> Standing:
    """Read it: lights and progress as of today, events from `begins` to `ends` (both included)."""
    today = timezone.localdate()
    rows = list(
        plan.commitments.live().select_related("section__parent__parent", "lead_office", "leader")
    )
    before = lights_on(plan, begins - dt.timedelta(days=1))
    if ends >= today:
        now = {row.id: row.light for row in rows}
    else:
        live = {row.id for row in rows}
        now = {key: shown for key, shown in lights_on(plan, ends).items() if key in live}
    last = min(ends, today - dt.timedelta(days=1))
    year = dt.date(plan.year, 1, 1)
    due = list(
        Milestone.objects.live().filter(
            commitment__in=rows, due_on__range=(min(begins, year), last)
        )
    )
    in_period = [milestone for milestone in due if milestone.due_on >= begins]
    targets = Target.objects.filter(commitment__in=rows).exclude(indicator="")
    sheets = Supervision.objects.filter(issuer=plan.organisation_id, serial__isnull=False)
    open_sheets = list(sheets.open())
    period = (begins, ends)
    return Standing(
        plan=plan,
        begins=begins,
        ends=ends,
        as_of=today,
        rows=rows,
        overall=overall([(row.weight, assessment(row)) for row in rows]),
        lights=Counter(row.light for row in rows),
        turned_green=len(turned(now, before, Light.GREEN)),
        turned_red=len(turned(now, before, Light.RED)),
        due=len(in_period),
        on_time=sum(_in_time(milestone) for milestone in in_period),
        months=_months(due, year, last),
        accepted=sum(bool(r.accepted_on and begins <= r.accepted_on <= ends) for r in rows),
        issued=sheets.filter(issued_on__range=period).count(),
        settled=sheets.filter(settled_on__range=period).count(),
        open_sheets=len(open_sheets),
        late_sheets=sum(
            row.state in {"issued", "acting", "asked"} and row.due_on < today for row in open_sheets
        ),
        history=indicator_history(plan, by),
        # The first commitment of the plan that promises a figure sets its line in the chart.
        targets={t.indicator: t for t in targets.order_by("-commitment__order", "-id")},
        replies={
            row.commitment_id: row.reply
            for row in sheets.exclude(reply="").filter(commitment__in=rows).order_by("case_id")
        },
    )


def _in_time(milestone: Milestone) -> bool:
    """Reported or accepted, and done on its day or before."""
    done = milestone.done_on
    return (
        milestone.state in {"reported", "accepted"}
        and done is not None
        and done <= milestone.due_on
    )


def _months(due: list[Milestone], year: dt.date, last: dt.date) -> list[Share]:
    """Of the milestones due in each month of the plan's year until `last`: how many were in time."""
    words, found = wording()["words"]["month"], []
    for month in range(1, 13):
        if dt.date(year.year, month, 1) > last:
            break
        rows = [m for m in due if (m.due_on.year, m.due_on.month) == (year.year, month)]
        found.append(Share(words.format(month=month), sum(map(_in_time, rows)), len(rows)))
    return found


def make_draft(plan: Plan, *, kind: Draft.Kind, begins: dt.date, ends: dt.date, by: Actor) -> Draft:
    """Draft a document of a kind for a period, as a .docx that a person goes on writing.

    Raises PermissionDenied, OutOfScope, StepRefused for a plan under review, a period that runs
    backwards or has not begun.
    """
    post = by.post_for(Permission.SUPERVISE, plan.organisation_id)
    today = timezone.localdate()
    if plan.in_review:
        raise StepRefused(_("计划还没有印发，没有可通报的进展。"))
    if begins > ends or begins > today:
        raise StepRefused(_("请核对起止日期：起始日不能晚于截止日和今天。"))
    ends = min(ends, today)
    with translation.override(settings.LANGUAGE_CODE):
        stand = standing(plan, begins=begins, ends=ends, by=by)
        title, blocks, figures = compose(kind, stand)
        content = write(title, blocks, signed=str(plan.organisation), dated=_date(today))
    marks = sum(text.count(OPEN_MARK) for block in blocks for text in _texts(block))
    stored = keep_bytes(
        content, f"{title}.docx", MEDIA_TYPE, organisation_id=plan.organisation_id, by=by
    )
    draft = Draft.objects.create(
        plan=plan,
        kind=kind,
        title=title[:200],
        begins=begins,
        ends=ends,
        as_of=today,
        figures=figures,
        open_marks=marks,
        file=stored,
        made_by=by.user,
        made_at=timezone.now(),
    )
    record(
        "draft.make",
        by=by,
        post=post,
        organisation_id=plan.organisation_id,
        object_type="draft",
        object_id=draft.id,
        detail={"kind": str(kind), "as_of": today.isoformat()},
    )
    return draft


def _texts(block: Block) -> Iterable[str]:
    match block:
        case Heading(text) | Words(text):
            return [text]
        case Picture():
            return [block.caption]
        case Grid():
            return [cell for row in block.rows for cell in row]


def _date(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _per_cent(value: float | None) -> str:
    return wording()["words"]["none"] if value is None else f"{value:.1f}%"


def compose(kind: str, stand: Standing) -> tuple[str, list[Block], list[dict[str, Any]]]:
    """Title, blocks and figures of a kind of draft.  Only reads what `standing` gathered."""
    spec = wording()[kind]
    values = _values(stand)
    figures: list[dict[str, Any]] = []
    blocks: list[Block] = []
    for part in spec["blocks"]:
        if "heading" in part:
            blocks.append(Heading(part["heading"]))
        elif "table" in part:
            head = wording()["tables"][part["table"]]
            blocks.append(Grid(head, TABLES[part["table"]](stand)))
        elif "chart" in part:
            number = sum(isinstance(block, Picture) for block in blocks)
            for chart in CHARTS[part["chart"]](stand):
                number += 1
                caption = part["caption"].format(number=number, **values, **chart.names)
                blocks.append(Picture(chart.content, chart.alt, caption))
        elif "each" in part:
            found = EACH[part["each"]](stand)
            blocks += [
                Words(part["text"].format(**row), part.get("source", "").format(**row))
                for row in found
            ] or [Words(part["none"])]
            figures += [row["figure"] for row in found if "figure" in row]
        else:
            source = part.get("source", "").format(**values)
            blocks.append(Words(part["text"].format(**values), source))
            if source:
                figures += _figures_in(part["text"], values, stand, source)
    return spec["title"].format(**values), blocks, figures


#: Names in the wording that are figures -> what the page calls them, in its order.
FIGURES = {
    "total": gettext_lazy("任务总数"),
    "blue": pgettext_lazy("light", "完成"),
    "green": pgettext_lazy("light", "正常"),
    "yellow": pgettext_lazy("light", "预警"),
    "red": pgettext_lazy("light", "滞后"),
    "grey": pgettext_lazy("light", "未启动"),
    "counted": gettext_lazy("可计量的任务"),
    "progress": gettext_lazy("完成进度"),
    "planned": gettext_lazy("序时进度"),
    "turned_green": gettext_lazy("期内转绿"),
    "turned_red": gettext_lazy("期内转红"),
    "due": gettext_lazy("期内到期节点"),
    "on_time": gettext_lazy("其中按期完成"),
    "accepted": gettext_lazy("期内销号的任务"),
    "issued": gettext_lazy("期内签发的督办单"),
    "settled": gettext_lazy("期内办结的督办单"),
    "open_sheets": gettext_lazy("在办的督办单"),
    "late_sheets": gettext_lazy("其中逾期的督办单"),
    "open": gettext_lazy("未销号的任务"),
}


def _figures_in(
    text: str, values: dict[str, Any], stand: Standing, source: str
) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "value": str(values[name]),
            "as_of": stand.as_of.isoformat(),
            "source": source,
        }
        for name in FIGURES
        if "{" + name + "}" in text
    ]


def _values(stand: Standing) -> dict[str, Any]:
    """What the wording may name."""
    return {
        "bureau": str(stand.plan.organisation),
        "plan": stand.plan.title,
        "year": stand.plan.year,
        "begins": _date(stand.begins),
        "ends": _date(stand.ends),
        "as_of": _date(stand.as_of),
        "total": len(stand.rows),
        **{light.value: stand.lights[light] for light in Light},
        "counted": stand.overall.counted,
        "progress": _per_cent(stand.overall.progress),
        "planned": _per_cent(stand.overall.planned),
        "open": sum(row.accepted_on is None for row in stand.rows),
        **{
            name: getattr(stand, name)
            for name in FIGURES
            if hasattr(stand, name) and name not in {"overall"}
        },
    }


def _row(row: Commitment, stand: Standing) -> dict[str, Any]:
    words = wording()["words"]
    gap = words["no_gap"]
    if row.progress is not None:
        points = f"{row.behind:.0f}"
        gap = words["level"] if points in {"0", "-0"} else words["gap"].format(points=points)
    return {
        "code": row.code,
        "title": row.title,
        "office": str(row.lead_office or words["no_office"]),
        "light": row.get_light_display(),
        "cause": row.get_cause_display(),
        "gap": gap,
        "reply": stand.replies.get(row.id, ""),
    }


def _worst_first(stand: Standing, *lights: Light) -> list[dict[str, Any]]:
    rows = [row for row in stand.rows if row.light in lights]
    rows.sort(key=lambda row: (row.light_order, -row.behind, row.order))
    return [_row(row, stand) for row in rows]


def _readings(stand: Standing) -> list[dict[str, Any]]:
    found = []
    for reading in (readings[-1] for readings in stand.history.values()):
        indicator = reading.definition
        parts = [reading.numerator, reading.denominator]
        value = f"{reading.shown:.{indicator.decimals}f}"
        found.append(
            {
                "label": str(indicator.label),
                "value": value,
                "unit": indicator.unit,
                "origin": _origin(indicator),
                "day": _date(reading.as_of),
                "numerator": "/".join(f"{part:g}" for part in parts if part is not None),
                "figure": {
                    "name": indicator.key,
                    "value": value + indicator.unit,
                    "as_of": reading.as_of.isoformat(),
                    "source": str(indicator.source),
                    "reading": reading.id,
                },
            }
        )
    return found


def _origin(indicator: Indicator) -> str:
    """Where an indicator's rows are, without the remark in brackets."""
    return str(indicator.source).partition("（")[0]


EACH: dict[str, Callable[[Standing], list[dict[str, Any]]]] = {
    "red": lambda stand: _worst_first(stand, Light.RED),
    "behind": lambda stand: _worst_first(stand, Light.RED, Light.YELLOW),
    "readings": _readings,
}


def _grouped(
    stand: Standing, name: Callable[[Commitment], str]
) -> list[tuple[str, list[Commitment]]]:
    """Commitments by a name, in the plan's order of its first."""
    groups: dict[str, list[Commitment]] = {}
    for row in stand.rows:
        groups.setdefault(name(row), []).append(row)
    return list(groups.items())


def _top(row: Commitment) -> str:
    section = row.section
    while section.parent:
        section = section.parent
    return str(section)


def _counts(rows: list[Commitment]) -> list[str]:
    counts = Counter(row.light for row in rows)
    return [str(len(rows)), *(str(counts[light]) for light in LIGHTS_IN_TABLES)]


def _progress(rows: list[Commitment]) -> str:
    return _per_cent(overall([(row.weight, assessment(row)) for row in rows]).progress)


def _offices_table(stand: Standing) -> list[list[str]]:
    missing = wording()["words"]["no_office"]
    groups = _grouped(stand, lambda row: str(row.lead_office or missing))
    return [[name, *_counts(rows)] for name, rows in groups]


def _sections_table(stand: Standing) -> list[list[str]]:
    return [[name, *_counts(rows), _progress(rows)] for name, rows in _grouped(stand, _top)]


def _self_check_table(stand: Standing) -> list[list[str]]:
    tables = wording()["tables"]
    lines = []
    for name, rows in _grouped(stand, _top):
        counts = Counter(row.light for row in rows)
        lines.append(
            [
                name,
                str(len(rows)),
                str(counts[Light.BLUE]),
                str(counts[Light.RED]),
                _progress(rows),
                tables["fill_evidence"],
                tables["fill_mark"],
            ]
        )
    return lines


TABLES: dict[str, Callable[[Standing], list[list[str]]]] = {
    "offices": _offices_table,
    "sections": _sections_table,
    "self_check": _self_check_table,
}


@dataclass(frozen=True)
class Chart:
    """A drawn chart: PNG, the same in words, and what its caption may name."""

    content: bytes
    alt: str
    names: dict[str, str] = field(default_factory=dict)


def _lights_chart(head: str, lines: list[list[str]]) -> list[Chart]:
    """Bars of the very cells of a table: name, total, then the lights."""
    names = wording()["tables"][head][2:7]
    parts = [(light.value, name) for light, name in zip(LIGHTS_IN_TABLES, names, strict=True)]
    bars = [Bar(line[0], [int(cell) for cell in line[2:7]]) for line in lines]
    if not bars:
        return []
    words = wording()["words"]
    told = [
        words["bar"].format(
            name=bar.label,
            counts="、".join(f"{name}{n}" for name, n in zip(names, bar.counts, strict=True)),
        )
        for bar in bars
    ]
    return [Chart(stacked(parts, bars), "；".join(told))]


def _months_chart(stand: Standing) -> list[Chart]:
    if not any(share.whole for share in stand.months):
        return []
    words = wording()["words"]["share"]
    told = [words.format(month=s.label, part=s.part, whole=s.whole) for s in stand.months]
    return [Chart(shares(stand.months), "；".join(told))]


def _series_charts(stand: Standing) -> list[Chart]:
    """The promised indicators that have moved: at most so many, in the order of the plan."""
    found = []
    words = wording()["words"]
    for key, target in reversed(stand.targets.items()):
        points = _by_month(stand.history.get(key, []))
        if len(points) < 2 or len(found) == MOST_SERIES:
            continue
        indicator = points[-1].definition
        promised = words["target"].format(value=target.value_text, unit=indicator.unit)
        drawn = series(
            [(reading.as_of, float(reading.shown)) for reading in points],
            target=float(target.value),
            target_words=promised,
            decimals=indicator.decimals,
        )
        values = [
            words["point"].format(
                day=_date(reading.as_of),
                value=f"{reading.shown:.{indicator.decimals}f}",
                unit=indicator.unit,
            )
            for reading in points
        ]
        names = {
            "label": str(indicator.label),
            "origin": _origin(indicator),
            "unit": indicator.unit,
        }
        found.append(Chart(drawn, "；".join([*values, promised]), names))
    return found


def _by_month(readings: list[Reading]) -> list[Reading]:
    """The last reading of each month; all of them while they are few."""
    if len(readings) <= FEW_POINTS:
        return readings
    return list({(r.as_of.year, r.as_of.month): r for r in readings}.values())


CHARTS: dict[str, Callable[[Standing], list[Chart]]] = {
    "offices": lambda stand: _lights_chart("offices", _offices_table(stand)),
    "sections": lambda stand: _lights_chart("sections", _sections_table(stand)),
    "months": _months_chart,
    "series": _series_charts,
}

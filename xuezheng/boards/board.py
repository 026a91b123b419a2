"""What the leader's board shows, read in a constant number of queries."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from xuezheng.domains.workplan.models import Commitment, Plan, Section, Target
from xuezheng.domains.workplan.rules import Light, Overall, overall
from xuezheng.domains.workplan.selectors import (
    assessment,
    indicator_history,
    light_settings,
    lights_on,
    turned,
)
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.indicators.models import Reading
from xuezheng.registry.organisations import OrganisationKind

WEEK = dt.timedelta(days=7)
DECISIONS_SHOWN = 4


@dataclass
class Group:
    """A system or capability: the section, its commitments' lights and its overall progress."""

    section: Section
    leaders: list[str] = field(default_factory=list)
    lights: Counter[str] = field(default_factory=Counter)
    overall: Overall | None = None
    total: int = 0


@dataclass
class Board:
    """Everything on the board besides the filtered list."""

    plan: Plan
    total: int
    lights: Counter[str]
    overall: Overall
    turned_green: int
    turned_red: int
    parents: list[tuple[Section, list[Group]]]
    figures: list[dict[str, Any]]
    trend: dict[str, Any] | None
    towns: list[dict[str, Any]]
    as_of: dt.date | None
    settings: dict[str, Any]


def build(plan: Plan, actor: Actor) -> Board:
    """Read the board of an adopted plan.  About ten queries, whatever the plan's size."""
    today = timezone.localdate()
    rows = list(
        plan.commitments.live().select_related("section__parent__parent", "leader", "lead_office")
    )
    readings = indicator_history(plan, actor)
    newest = {key: series[-1] for key, series in readings.items()}
    before = lights_on(plan, today - WEEK)
    now = {row.id: row.light for row in rows}
    trend = _trend(plan, readings)
    return Board(
        plan=plan,
        total=len(rows),
        lights=Counter(row.light for row in rows),
        overall=overall([(row.weight, assessment(row)) for row in rows]),
        turned_green=len(turned(now, before, Light.GREEN)),
        turned_red=len(turned(now, before, Light.RED)),
        parents=_groups(rows),
        figures=[_figure(series) for series in readings.values()],
        trend=trend,
        towns=_towns(trend["latest"], actor) if trend else [],
        as_of=max((reading.as_of for reading in newest.values()), default=None),
        settings=light_settings(today, plan.organisation.code),
    )


def _second_level(section: Section) -> Section:
    while section.level > 2 and section.parent:
        section = section.parent
    return section


def _groups(rows: list[Commitment]) -> list[tuple[Section, list[Group]]]:
    """Second-level sections under their first-level ones, in the plan's order."""
    groups: dict[int, Group] = {}
    members: dict[int, list[Commitment]] = {}
    for row in rows:
        section = _second_level(row.section)
        group = groups.setdefault(section.id, Group(section))
        members.setdefault(section.id, []).append(row)
        group.lights[row.light] += 1
        group.total += 1
        if row.leader and str(row.leader) not in group.leaders:
            group.leaders.append(str(row.leader))
    by_parent: dict[int, tuple[Section, list[Group]]] = {}
    for group in groups.values():
        group.overall = overall([(r.weight, assessment(r)) for r in members[group.section.id]])
        parent = group.section.parent or group.section
        by_parent.setdefault(parent.id, (parent, []))[1].append(group)
    return list(by_parent.values())


def _figure(series: list[Reading]) -> dict[str, Any]:
    latest, before = series[-1], series[-2] if len(series) > 1 else None
    return {
        "indicator": latest.definition,
        "reading": latest,
        "values": [reading.shown for reading in series[-12:]],
        "change": None if before is None else round(latest.shown - before.shown, 1),
    }


def _trend(plan: Plan, readings: dict[str, list[Reading]]) -> dict[str, Any] | None:
    """The indicator of the weightiest target that has readings, with that target."""
    for target in _bound_targets(plan):
        series = readings.get(target.indicator)
        if series:
            return {
                "indicator": series[-1].definition,
                "latest": series[-1],
                "target": target,
                "points": series,
            }
    return None


def _bound_targets(plan: Plan) -> list[Target]:
    rows = Target.objects.filter(commitment__plan=plan, commitment__withdrawn=False)
    return list(
        rows.exclude(indicator="")
        .select_related("commitment")
        .order_by("-commitment__weight", "commitment__order")
    )


def _towns(latest: Reading, actor: Actor) -> list[dict[str, Any]]:
    """Towns in scope with their reading of the trend's indicator on the same day (two queries)."""
    scope = actor.scope(latest.definition.permission).organisations
    towns = list(
        Organisation.objects.filter(kind=OrganisationKind.TOWN, id__within=scope).exclude(
            map_shape=None
        )
    )
    values = {
        reading.organisation_id: reading
        for reading in Reading.objects.filter(
            indicator=latest.indicator,
            period_from=latest.period_from,
            as_of=latest.as_of,
            organisation__in=towns,
        )
    }
    return [{"town": town, "reading": values.get(town.id)} for town in towns]


def decisions(actor: Actor) -> tuple[list[Case], int]:
    """What waits for the actor's word: the most pressing few, and how many in all."""
    owed = Case.objects.owed_by(actor)
    rows = owed.select_related("organisation").order_by("due", "id")
    return list(rows[:DECISIONS_SHOWN]), owed.count()

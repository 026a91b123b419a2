"""What the leader's board shows, read in a constant number of queries."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from xuezheng.domains.workplan.models import Plan, Section, Target
from xuezheng.domains.workplan.rules import Assessment, Light, Overall, overall
from xuezheng.domains.workplan.selectors import (
    assessment,
    light_settings,
    lights_on,
    newest_readings,
    turned,
)
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.indicators.models import Reading
from xuezheng.registry.organisations import OrganisationKind

WEEK = dt.timedelta(days=7)
DECISIONS_SHOWN = 4
#: Readings of each figure that its small line shows.
POINTS_SHOWN = 12
#: What the board's sums need of a commitment.  Names stand once in their own tables: with the rows of
#: 2,000 commitments they were most of the page's time.
ASSESSED = ("id", "section_id", "leader_id", "light", "cause", "weight", "progress", "planned")


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
    rows = list(plan.commitments.live().values_list(*ASSESSED, named=True))
    assessed = {row.id: (row.weight, assessment(row)) for row in rows}
    readings = newest_readings(plan, actor, POINTS_SHOWN)
    newest = {key: series[-1] for key, series in readings.items()}
    before = lights_on(plan, today - WEEK)
    now = {row.id: row.light for row in rows}
    trend = _trend(plan, readings)
    return Board(
        plan=plan,
        total=len(rows),
        lights=Counter(row.light for row in rows),
        overall=overall(list(assessed.values())),
        turned_green=len(turned(now, before, Light.GREEN)),
        turned_red=len(turned(now, before, Light.RED)),
        parents=_groups(plan, rows, assessed),
        figures=[_figure(series) for series in readings.values()],
        trend=trend,
        towns=_towns(trend["latest"], actor) if trend else [],
        as_of=max((reading.as_of for reading in newest.values()), default=None),
        settings=light_settings(today, plan.organisation.code),
    )


def _second_levels(plan: Plan) -> dict[int, Section]:
    """Section id -> the second-level section above it, or itself (one query)."""
    sections = {section.id: section for section in plan.sections.all()}
    for section in sections.values():
        # Given by hand, a parent is not asked for again.
        section.parent = sections.get(section.parent_id)
    found = {}
    for section_id, section in sections.items():
        while section.level > 2 and section.parent:
            section = section.parent
        found[section_id] = section
    return found


def _groups(
    plan: Plan, rows: list[Any], assessed: dict[int, tuple[int, Assessment]]
) -> list[tuple[Section, list[Group]]]:
    """Second-level sections under their first-level ones, in the plan's order (two queries)."""
    groups: dict[int, Group] = {}
    members: dict[int, list[tuple[int, Assessment]]] = {}
    sections = _second_levels(plan)
    leaders = User.objects.in_bulk({row.leader_id for row in rows if row.leader_id})
    for row in rows:
        section = sections[row.section_id]
        group = groups.setdefault(section.id, Group(section))
        members.setdefault(section.id, []).append(assessed[row.id])
        group.lights[row.light] += 1
        group.total += 1
        leader = leaders.get(row.leader_id)
        if leader and str(leader) not in group.leaders:
            group.leaders.append(str(leader))
    by_parent: dict[int, tuple[Section, list[Group]]] = {}
    for group in groups.values():
        group.overall = overall(members[group.section.id])
        parent = group.section.parent or group.section
        by_parent.setdefault(parent.id, (parent, []))[1].append(group)
    return list(by_parent.values())


def _figure(series: list[Reading]) -> dict[str, Any]:
    latest, before = series[-1], series[-2] if len(series) > 1 else None
    return {
        "indicator": latest.definition,
        "reading": latest,
        "values": [reading.shown for reading in series],
        "change": None if before is None else round(latest.shown - before.shown, 1),
    }


def _trend(plan: Plan, readings: dict[str, list[Reading]]) -> dict[str, Any] | None:
    """The indicator of the weightiest target that has readings, with that target (two queries)."""
    target = (
        Target.objects.filter(
            commitment__plan=plan, commitment__withdrawn=False, indicator__in=readings
        )
        .order_by("-commitment__weight", "commitment__order", "id")
        .first()
    )
    if target is None:
        return None
    latest = readings[target.indicator][-1]
    year = Reading.objects.filter(
        indicator=target.indicator,
        organisation=plan.organisation_id,
        period_from__year=plan.year,
    ).order_by("as_of")
    points = [reading for reading in year if reading.shown is not None]
    return {
        "indicator": latest.definition,
        "latest": latest,
        "target": target,
        "points": points,
    }


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

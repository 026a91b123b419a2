"""Reads used by more than one caller."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from xuezheng.domains.workplan.models import Commitment, LightChange, Milestone, Plan, Target
from xuezheng.domains.workplan.rules import (
    Assessment,
    Cause,
    CommitmentFact,
    Kind,
    Ladder,
    Light,
    MilestoneFact,
    TargetFact,
    Thresholds,
)
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import User, in_force
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.models import Reading
from xuezheng.kernel.reference.parameters import Setting, settings_on
from xuezheng.registry import roles

#: Roles whose holders may handle a commitment.
HANDLERS = (roles.OFFICE_HEAD, roles.OFFICER, roles.SAFETY_HEAD, roles.SAFETY_OFFICER)


def light_settings(day: dt.date, owner: str) -> dict[str, Setting]:
    """Parameters of the lights in force on a day for an authority, by its code (one query)."""
    return settings_on(day, "workplan.light", owner)


def thresholds(settings: dict[str, Setting]) -> Thresholds:
    """The thresholds out of the parameters."""
    return Thresholds(
        red_points=float(settings["red_points"].value),
        soon_days=int(settings["soon_days"].value),
        target_points=float(settings["target_points"].value),
    )


def current_plan(actor: Actor, year: int | None = None) -> Plan | None:
    """The newest adopted plan that the actor may see, or that of a year."""
    plans = Plan.objects.visible_to(actor).exclude(status=Plan.Status.REVIEW)
    if year:
        plans = plans.filter(year=year)
    return plans.select_related("organisation").order_by("-year", "-id").first()


def plan_readings(plan: Plan) -> dict[str, Reading]:
    """Indicator key -> newest reading of the plan's organisation for the plan's year."""
    return Reading.objects.newest(plan.organisation_id, dt.date(plan.year, 1, 1))


def facts_of(plan: Plan, commitments: Iterable[Commitment]) -> dict[int, CommitmentFact]:
    """Commitment id -> what the light rule needs.  Three queries, whatever the number of rows."""
    rows = list(commitments)
    ids = [row.id for row in rows]
    readings = plan_readings(plan)
    milestones = defaultdict(list)
    for milestone in Milestone.objects.live().filter(commitment__in=ids):
        milestones[milestone.commitment_id].append(
            MilestoneFact(
                due_on=milestone.due_on,
                weight=milestone.weight,
                done_on=milestone.done_on if milestone.state == "accepted" else None,
                reported=milestone.state == "reported",
            )
        )
    targets = defaultdict(list)
    for target in Target.objects.filter(commitment__in=ids):
        targets[target.commitment_id].append(target_fact(target, readings))
    return {
        row.id: CommitmentFact(
            kind=Kind(row.kind),
            start_on=row.start_on,
            due_on=row.due_on,
            accepted_on=row.accepted_on,
            milestones=milestones[row.id],
            targets=targets[row.id],
        )
        for row in rows
    }


def target_fact(target: Target, readings: dict[str, Reading]) -> TargetFact:
    """A target with the value of its indicator, if it has one and the value may be shown."""
    reading = readings.get(target.indicator)
    return TargetFact(
        comparator=target.comparator,
        value=float(target.value),
        high=None if target.high is None else float(target.high),
        actual=reading.shown if reading else None,
        strict=target.strict,
        cumulative=target.cumulative,
        baseline=None if target.baseline is None else float(target.baseline),
    )


def people(*role_keys: str) -> QuerySet[User]:
    """Active users who hold one of the roles today."""
    today = timezone.localdate()
    held = in_force(today, "posts__") & Q(posts__role__in=role_keys)
    return User.objects.filter(held, is_active=True).distinct().order_by("id")


def supervision_settings(day: dt.date, owner: str) -> dict[str, Setting]:
    """Parameters of supervision sheets in force on a day for an authority, by its code."""
    return settings_on(day, "workplan.supervision", owner)


def ladder(settings: dict[str, Setting]) -> Ladder:
    """The ladder out of the parameters."""
    return Ladder(
        leader_after=int(settings["leader_after"].value),
        director_after=int(settings["director_after"].value),
        high_weight=int(settings["high_weight"].value),
    )


def assessment(row: Commitment) -> Assessment:
    """The stored result of the light rule."""
    return Assessment(Light(row.light), Cause(row.cause), row.progress, row.planned)


def lights_at(plan: Plan, day: dt.date) -> dict[int, LightChange]:
    """Commitment id -> its light at the end of a day, out of the kept history (one query)."""
    rows = LightChange.objects.filter(commitment__plan=plan, on__lte=day)
    newest = rows.order_by("commitment_id", "-on").distinct("commitment_id")
    return {row.commitment_id: row for row in newest}


def lights_on(plan: Plan, day: dt.date) -> dict[int, str]:
    """Commitment id -> the colour of its light at the end of a day (one query)."""
    # One step down an index for each commitment, instead of sorting five years of changes.
    changes = LightChange.objects.filter(commitment=OuterRef("pk"), on__lte=day).order_by("-on")
    rows = plan.commitments.order_by().values_list("pk", Subquery(changes.values("light")[:1]))
    return {key: light for key, light in rows if light is not None}


def turned(now: dict[int, str], before: dict[int, str], light: str) -> set[int]:
    """Commitments that show a light now and showed another one before."""
    return {key for key, shown in now.items() if shown == light and before.get(key, light) != light}


def indicator_history(plan: Plan, actor: Actor) -> dict[str, list[Reading]]:
    """Indicator -> readings of the plan's year that the actor may see, oldest first (one query)."""
    return _by_indicator(_readings_for(plan, actor))


def newest_readings(plan: Plan, actor: Actor, count: int) -> dict[str, list[Reading]]:
    """As `indicator_history`, but of each indicator only the last so many (one query).

    A reading that may not be shown counts among them and is left out.
    """
    place = Window(RowNumber(), partition_by="indicator", order_by=F("as_of").desc())
    rows = _readings_for(plan, actor).filter(value__isnull=False).annotate(place=place)
    return _by_indicator(rows.filter(place__lte=count))


def _readings_for(plan: Plan, actor: Actor) -> QuerySet[Reading]:
    keys = [
        key
        for key, indicator in INDICATORS.items()
        if plan.organisation_id in actor.scope(indicator.permission)
    ]
    return Reading.objects.filter(
        indicator__in=keys, organisation=plan.organisation_id, period_from__year=plan.year
    ).order_by("as_of")


def _by_indicator(rows: Iterable[Reading]) -> dict[str, list[Reading]]:
    found: dict[str, list[Reading]] = {}
    for reading in rows:
        if reading.shown is not None:
            found.setdefault(reading.indicator, []).append(reading)
    return found

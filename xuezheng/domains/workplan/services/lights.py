"""Computing the lights, keeping their history, and a person's word over them."""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import Commitment, LightChange, LightOverride, Plan
from xuezheng.domains.workplan.rules import SEVERITY, Light, assess
from xuezheng.domains.workplan.selectors import facts_of, light_settings, thresholds
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused

LONGEST_OVERRIDE_DAYS = 92
COMPUTED = (
    "light",
    "light_order",
    "cause",
    "overridden",
    "progress",
    "planned",
    "behind",
)


def refresh_lights(plan: Plan, today: dt.date) -> int:
    """Assess every live commitment and keep what changed.  Returns the number of changed lights.

    Constant number of queries.  A day has at most one entry per commitment: the last light of the day.
    """
    rows = list(plan.commitments.live())
    rule = thresholds(light_settings(today, plan.organisation.code))
    facts = facts_of(plan, rows)
    overrides = _overrides_in_force(plan, today)
    last = {
        change.commitment_id: change
        for change in LightChange.objects.filter(commitment__in=rows)
        .order_by("commitment_id", "-on")
        .distinct("commitment_id")
    }
    changes = []
    for row in rows:
        assessment = assess(facts[row.id], today, rule)
        override = overrides.get(row.id)
        row.light = override.light if override else assessment.light
        row.light_order = SEVERITY[Light(row.light)]
        row.cause = assessment.cause
        row.overridden = override is not None
        row.progress = assessment.progress
        row.planned = assessment.planned
        row.behind = assessment.behind
        before = last.get(row.id)
        if before is None or (before.light, before.overridden) != (row.light, row.overridden):
            changes.append(
                LightChange(
                    commitment=row,
                    on=today,
                    light=row.light,
                    cause=row.cause,
                    overridden=row.overridden,
                    progress=row.progress,
                    planned=row.planned,
                )
            )
    Commitment.objects.bulk_update(rows, COMPUTED, batch_size=500)
    LightChange.objects.bulk_create(
        changes,
        update_conflicts=True,
        unique_fields=["commitment", "on"],
        update_fields=["light", "cause", "overridden", "progress", "planned"],
    )
    return len(changes)


def _overrides_in_force(plan: Plan, today: dt.date) -> dict[int, LightOverride]:
    rows = LightOverride.objects.filter(
        commitment__plan=plan, ended_at__isnull=True, until__gte=today
    ).order_by("made_at")
    return {row.commitment_id: row for row in rows}


def override_light(
    commitment: Commitment, *, light: Light, reason: str, until: dt.date, by: Actor
) -> LightOverride:
    """Set a light by hand, with a reason and an end; the screen shows that it is one.

    Raises StepRefused without a reason, for an end that has passed or is further than three months.
    """
    plan = commitment.plan
    post = by.post_for(Permission.OVERRIDE, plan.organisation_id)
    today = timezone.localdate()
    if not reason.strip():
        raise StepRefused(_("人工调整亮灯须写明理由。"))
    if not today <= until <= today + dt.timedelta(days=LONGEST_OVERRIDE_DAYS):
        raise StepRefused(_("有效期须从今天起三个月之内。"))
    _end_overrides(commitment)
    override = LightOverride.objects.create(
        commitment=commitment,
        light=light,
        reason=reason.strip()[:300],
        until=until,
        made_by=by.user,
        made_at=timezone.now(),
    )
    record(
        "light.override",
        by=by,
        post=post,
        organisation_id=plan.organisation_id,
        object_type="commitment",
        object_id=commitment.code,
        reason=reason,
        detail={"light": light, "until": until.isoformat()},
    )
    refresh_lights(plan, today)
    return override


def end_override(commitment: Commitment, *, by: Actor) -> None:
    """Give the light back to the rule."""
    plan = commitment.plan
    post = by.post_for(Permission.OVERRIDE, plan.organisation_id)
    _end_overrides(commitment)
    record(
        "light.rule",
        by=by,
        post=post,
        organisation_id=plan.organisation_id,
        object_type="commitment",
        object_id=commitment.code,
    )
    refresh_lights(plan, timezone.localdate())


def _end_overrides(commitment: Commitment) -> None:
    commitment.overrides.filter(ended_at__isnull=True).update(ended_at=timezone.now())

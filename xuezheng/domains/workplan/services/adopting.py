"""Adopting a plan: what must be settled first, then version 1, handed out, locked."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import Commitment, Milestone, Plan, PlanVersion
from xuezheng.domains.workplan.rules import Kind
from xuezheng.domains.workplan.services.lights import refresh_lights
from xuezheng.domains.workplan.services.reviewing import Amendment, publish, write_version
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused


@dataclass(frozen=True)
class Readiness:
    """What stands in the way of adoption, and what should be looked at but does not."""

    unresolved: int
    without_office: list[Commitment]
    without_due: list[Commitment]
    unmeasured: list[Commitment]
    milestones_outside: list[Milestone]

    @property
    def ready(self) -> bool:
        """Whether the plan may be adopted.  Unmeasured commitments are allowed, and shown grey."""
        return not (
            self.unresolved or self.without_office or self.without_due or self.milestones_outside
        )


def readiness(plan: Plan) -> Readiness:
    """Check a plan under review.  Five queries."""
    rows = list(plan.commitments.live().prefetch_related("targets", "milestones"))
    outside = [
        m
        for row in rows
        for m in row.milestones.all()
        if m.state != "withdrawn" and row.due_on and m.due_on > row.due_on
    ]
    return Readiness(
        unresolved=plan.review_items.filter(resolved_at__isnull=True).count(),
        without_office=[row for row in rows if row.lead_office_id is None],
        without_due=[row for row in rows if row.due_on is None],
        unmeasured=[row for row in rows if not _has_measure(row)],
        milestones_outside=outside,
    )


def _has_measure(row: Commitment) -> bool:
    if row.kind == Kind.QUANTITY:
        return any(target.indicator for target in row.targets.all())
    return any(m.state != "withdrawn" for m in row.milestones.all())


def adopt_plan(plan: Plan, *, meeting_number: str, by: Actor) -> PlanVersion:
    """Lock the plan as version 1 and hand every milestone out.

    Raises StepRefused while something is open, when another plan of the year is adopted, or without
    the number of the meeting.
    """
    plan = (
        Plan.objects.select_for_update(of=("self",)).select_related("organisation").get(id=plan.id)
    )
    post = by.post_for(Permission.ADOPT, plan.organisation_id)
    if not plan.in_review:
        raise StepRefused(_("计划已经印发。"))
    if hasattr(plan, "minutes"):
        raise StepRefused(_("这是会议纪要的任务，请在来源页并入年度计划。"))
    if not meeting_number.strip():
        raise StepRefused(_("请填写审定计划的会议纪要编号。"))
    if not readiness(plan).ready:
        raise StepRefused(_("还有未核事项、未定科室或期限的任务，处理完才能印发。"))
    same_year = Plan.objects.filter(
        organisation=plan.organisation, year=plan.year, status=Plan.Status.ADOPTED
    )
    if same_year.exists():
        raise StepRefused(_("本年度已有执行中的计划，请在原计划上修订。"))
    for milestone in Milestone.objects.filter(commitment__plan=plan, state="draft"):
        publish(milestone, by=by)
    plan.status = Plan.Status.ADOPTED
    plan.adopted_on = timezone.localdate()
    plan.version += 1
    plan.save(update_fields=["status", "adopted_on", "version"])
    version = write_version(plan, by, Amendment("", meeting_number.strip()), [])
    record(
        "plan.adopt",
        by=by,
        post=post,
        organisation_id=plan.organisation_id,
        object_type="plan",
        object_id=plan.id,
        detail={"meeting": meeting_number.strip()},
    )
    refresh_lights(plan, timezone.localdate())
    return version

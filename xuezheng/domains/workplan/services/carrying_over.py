"""Year-end: what is still open becomes proposals of next year's plan, with its origin."""

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import (
    Commitment,
    CommitmentSupport,
    Plan,
    ReviewItem,
    Section,
    Target,
)
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused

#: What a proposal keeps of the commitment it comes from; new dates must be set by a person.
KEPT = ("title", "wording", "kind", "leader", "lead_office", "handler", "system", "weight")
TARGET_KEPT = (
    "text", "value", "high", "unit", "comparator", "strict", "hedged", "baseline", "period",
    "indicator", "cumulative",
)  # fmt: skip


@transaction.atomic
def carry_over(plan: Plan, *, by: Actor) -> tuple[Plan, int]:
    """Put every commitment that is not accepted into the draft of next year's plan.

    The draft is made when there is none.  A commitment is carried over once; repeating adds what has
    been missed.  Returns (the draft, how many were added).  Raises PermissionDenied, OutOfScope,
    StepRefused for a plan under review, when next year's plan is adopted, or when nothing is open.
    """
    post = by.post_for(Permission.EDIT, plan.organisation_id)
    plan = Plan.objects.select_for_update(of=("self",)).get(id=plan.id)
    if plan.in_review:
        raise StepRefused(_("计划还没有印发，没有可结转的任务。"))
    year = plan.year + 1
    later = Plan.objects.filter(organisation=plan.organisation_id, year=year, minutes__isnull=True)
    if later.exclude(status=Plan.Status.REVIEW).exists():
        raise StepRefused(_("%d年计划已经印发，请在该计划上修订。") % year)
    gaps = list(
        plan.commitments.live()
        .filter(accepted_on__isnull=True)
        .exclude(carried_to__withdrawn=False)
        .prefetch_related("targets", "supports")
        .order_by("order")
    )
    if not gaps:
        raise StepRefused(_("没有未完成且未结转的任务。"))
    draft = later.order_by("id").first() or Plan.objects.create(
        organisation_id=plan.organisation_id,
        year=year,
        title=_("%d年工作要点（草案）") % year,
        issuer=plan.issuer,
        source_text=_("上年结转"),
        imported_by=by.user,
        imported_at=timezone.now(),
    )
    _write(draft, _section(draft, plan), gaps, plan)
    record(
        "plan.carry_over",
        by=by,
        post=post,
        organisation_id=plan.organisation_id,
        object_type="plan",
        object_id=plan.id,
        detail={"into": draft.id, "commitments": len(gaps)},
    )
    return draft, len(gaps)


def _section(draft: Plan, plan: Plan) -> Section:
    """The draft's section for what comes from the year before."""
    path = f"carried-{plan.year}"
    last = draft.sections.aggregate(order=Max("order"))["order"] or 0
    section, _made = Section.objects.get_or_create(
        plan=draft,
        path=path,
        defaults={
            "title": _("上年结转（%d年）") % plan.year,
            "level": 1,
            "order": last + 1,
            "start": 0,
            "end": 0,
        },
    )
    return section


def _write(draft: Plan, section: Section, gaps: list[Commitment], plan: Plan) -> None:
    order = draft.commitments.aggregate(order=Max("order"))["order"] or 0
    taken = section.commitments.count()
    rows = Commitment.objects.bulk_create(
        Commitment(
            plan=draft,
            section=section,
            code=f"0-{taken + at:02d}",
            order=order + at,
            carried_from=gap,
            **{name: getattr(gap, name) for name in KEPT},
        )
        for at, gap in enumerate(gaps, start=1)
    )
    targets, supports, doubts = [], [], []
    for row, gap in zip(rows, gaps, strict=True):
        targets += [
            Target(commitment=row, **{name: getattr(target, name) for name in TARGET_KEPT})
            for target in gap.targets.all()
        ]
        supports += [
            CommitmentSupport(
                commitment=row, organisation_id=support.organisation_id, part=support.part
            )
            for support in gap.supports.all()
        ]
        doubts.append(
            ReviewItem(
                plan=draft,
                section=section,
                code="carried_over",
                message=_(
                    "%(code)s 结转自 %(year)d 年 %(old)s，当时%(cause)s：请定新的期限和目标。"
                )
                % {
                    "code": row.code,
                    "year": plan.year,
                    "old": gap.code,
                    "cause": gap.get_cause_display(),
                },
            )
        )
    Target.objects.bulk_create(targets)
    CommitmentSupport.objects.bulk_create(supports)
    ReviewItem.objects.bulk_create(doubts)

"""Correcting the plan: before adoption freely, afterwards only by an amendment."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, Max, Model, Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import MILESTONE
from xuezheng.domains.workplan.models import (
    DOCUMENT_PATH,
    Commitment,
    CommitmentSupport,
    Milestone,
    MilestoneRole,
    Plan,
    PlanVersion,
    ReviewItem,
    Section,
    Target,
)
from xuezheng.domains.workplan.rules import Kind
from xuezheng.domains.workplan.services.importing import short_title
from xuezheng.domains.workplan.services.lights import refresh_lights
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.cases.service import StepRefused, advance, open_case

#: Fields of a commitment that an officer may set.
EDITABLE = (
    "title",
    "wording",
    "kind",
    "leader",
    "lead_office",
    "handler",
    "system",
    "weight",
    "start_on",
    "due_on",
)


class StaleRow(StepRefused):
    """Somebody else has changed the row since the form was opened."""


@dataclass(frozen=True)
class Amendment:
    """What allows changing an adopted plan: why, and the meeting that decided it."""

    reason: str
    meeting_number: str


def open_plan(plan_id: int, by: Actor, amendment: Amendment | None) -> Plan:
    """The plan, locked, if the actor may change it now.

    Raises PermissionDenied or OutOfScope; StepRefused for an adopted plan without a full amendment.
    """
    plan = Plan.objects.select_for_update().get(id=plan_id)
    by.post_for(Permission.EDIT, plan.organisation_id)
    if plan.status == Plan.Status.CLOSED:
        raise StepRefused(_("计划已归档，不能再改。"))
    if not plan.in_review and not (
        amendment and amendment.reason.strip() and amendment.meeting_number.strip()
    ):
        raise StepRefused(_("计划已印发，修改须写明理由和会议纪要编号。"))
    return plan


def _locked(commitment: Commitment, version: int) -> Commitment:
    row = Commitment.objects.select_for_update(of=("self",)).get(id=commitment.id)
    if row.version != version:
        raise StaleRow(_("这项任务刚被别人改过，请刷新后再改；您填写的内容仍在下面。"))
    return row


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _note(
    plan: Plan,
    by: Actor,
    action: str,
    target: Model | None,
    changes: list[dict[str, str]],
    amendment: Amendment | None,
) -> None:
    """Write the trail and, for an adopted plan, the new version."""
    record(
        f"plan.{action}",
        by=by,
        post=by.post_for(Permission.EDIT, plan.organisation_id),
        organisation_id=plan.organisation_id,
        object_type="plan",
        object_id=plan.id,
        reason=amendment.reason if amendment else "",
        detail={"row": str(target.pk) if target else "", "changes": len(changes)},
    )
    if not plan.in_review:
        write_version(plan, by, amendment, changes)
        refresh_lights(plan, timezone.localdate())


def write_version(
    plan: Plan, by: Actor, amendment: Amendment, changes: list[dict[str, str]]
) -> PlanVersion:
    """Keep what the plan now is, and what changed."""
    last = plan.versions.aggregate(last=Max("number"))["last"] or 0
    return PlanVersion.objects.create(
        plan=plan,
        number=last + 1,
        meeting_number=amendment.meeting_number,
        reason=amendment.reason,
        made_by=by.user,
        made_at=timezone.now(),
        changes=changes,
        snapshot=snapshot(plan),
    )


def snapshot(plan: Plan) -> list[dict[str, Any]]:
    """All live commitments as plain values, in the plan's order.  Four queries."""
    rows = (
        plan.commitments.live()
        .select_related("lead_office", "leader", "handler", "section")
        .prefetch_related(
            "targets",
            "supports__organisation",
            Prefetch("milestones", Milestone.objects.live(), to_attr="live_milestones"),
        )
    )
    return [
        {
            "code": row.code,
            "section": row.section.path,
            "title": row.title,
            "wording": row.wording,
            "kind": row.kind,
            "lead_office": row.lead_office.code if row.lead_office else None,
            "leader": row.leader_id,
            "handler": row.handler_id,
            "weight": row.weight,
            "start_on": _text(row.start_on),
            "due_on": _text(row.due_on),
            "supports": [[s.organisation.code, s.part] for s in row.supports.all()],
            "targets": [
                [t.comparator, t.value_text, t.unit, t.strict, t.hedged, t.indicator]
                for t in row.targets.all()
            ],
            "milestones": [
                [m.title, _text(m.due_on), m.weight, m.state] for m in row.live_milestones
            ],
        }
        for row in rows
    ]


def edit_commitment(
    commitment: Commitment,
    *,
    version: int,
    supports: Sequence[tuple[Organisation, str]] | None = None,
    amendment: Amendment | None = None,
    by: Actor,
    **changes: Any,
) -> Commitment:
    """Set fields (EDITABLE) and, if given, the supporting offices with their parts.

    Returns the changed row.  Raises StepRefused, StaleRow, PermissionDenied, OutOfScope.
    """
    plan = open_plan(commitment.plan_id, by, amendment)
    row, differences = _write_edit(Edit(commitment, version, changes, supports))
    if differences:
        _note(plan, by, "edit", row, differences, amendment)
    return row


@dataclass(frozen=True)
class Edit:
    """New values of one commitment's fields and, if given, its supporting offices with their parts."""

    commitment: Commitment
    version: int
    changes: dict[str, Any]
    supports: Sequence[tuple[Organisation, str]] | None = None


def edit_many(
    plan: Plan, edits: Sequence[Edit], *, amendment: Amendment | None = None, by: Actor
) -> int:
    """Edit several commitments of one plan as a single amendment: one new version for all.

    Returns the number of changed fields.  Raises what `edit_commitment` raises; then nothing is written.
    """
    plan = open_plan(plan.id, by, amendment)
    differences = []
    for edit in edits:
        differences += _write_edit(edit)[1]
    if differences:
        _note(plan, by, "edit", None, differences, amendment)
    return len(differences)


def _write_edit(edit: Edit) -> tuple[Commitment, list[dict[str, str]]]:
    """Write it; returns the row and the differences in words."""
    changes, supports = edit.changes, edit.supports
    unknown = set(changes) - set(EDITABLE)
    if unknown:
        raise TypeError(f"not editable: {sorted(unknown)}")
    row = _locked(edit.commitment, edit.version)
    differences = [
        {"code": row.code, "field": name, "from": _text(getattr(row, name)), "to": _text(value)}
        for name, value in changes.items()
        if getattr(row, name) != value
    ]
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*changes, "version"])
    if {"lead_office", "handler"} & set(changes) and row.lead_office_id:
        _move_milestones(row)
    if supports is not None:
        before = ", ".join(sorted(s.organisation.name for s in row.supports.all()))
        row.supports.all().delete()
        CommitmentSupport.objects.bulk_create(
            CommitmentSupport(commitment=row, organisation=o, part=part[:200])
            for o, part in supports
        )
        after = ", ".join(sorted(o.name for o, _part in supports))
        if before != after:
            differences.append({"code": row.code, "field": "supports", "from": before, "to": after})
    return row, differences


def _move_milestones(row: Commitment) -> None:
    # An open milestone is owed by whoever leads now; closed ones stay with whoever did them.  A
    # reported one waits for the plan office, which has no handler.
    cases = Case.objects.open().filter(milestone__commitment=row)
    cases.update(organisation=row.lead_office)
    cases.filter(state="planned").update(handler=row.handler)


def bulk_assign(commitments: Iterable[Commitment], *, by: Actor, **changes: Any) -> int:
    """Set the same fields on several commitments of one plan under review.  Returns how many."""
    count = 0
    for row in commitments:
        edit_commitment(row, version=row.version, by=by, **changes)
        count += 1
    return count


def merge_commitments(commitments: Sequence[Commitment], *, by: Actor) -> Commitment:
    """Join several commitments of one section into the first; targets and milestones go along.

    Only under review.  Raises StepRefused for fewer than two, other plans or other sections.
    """
    rows = sorted(commitments, key=lambda row: row.order)
    if len(rows) < 2:
        raise StepRefused(_("请至少选两项任务来合并。"))
    if len({row.section_id for row in rows}) > 1:
        raise StepRefused(_("只能合并同一举措下的任务。"))
    plan = open_plan(rows[0].plan_id, by, None)
    first, others = rows[0], rows[1:]
    first.wording = "".join(row.wording for row in rows)
    first.end = max((row.end for row in rows if row.end is not None), default=first.end)
    first.version += 1
    first.save(update_fields=["wording", "end", "version"])
    ids = [row.id for row in others]
    Target.objects.filter(commitment__in=ids).update(commitment=first)
    Milestone.objects.filter(commitment__in=ids).update(commitment=first)
    Commitment.objects.filter(id__in=ids).update(withdrawn=True)
    _note(plan, by, "merge", first, [{"code": r.code, "field": "merged"} for r in others], None)
    return first


def split_commitment(
    commitment: Commitment, *, at: int, version: int, by: Actor
) -> tuple[Commitment, Commitment]:
    """Cut a commitment's wording before character `at`; targets follow their place in the source.

    Only under review.  Raises StepRefused when a part would be empty.
    """
    plan = open_plan(commitment.plan_id, by, None)
    row = _locked(commitment, version)
    head, tail = row.wording[:at].strip(), row.wording[at:].strip()
    if not head or not tail:
        raise StepRefused(_("请在句子中间选择拆分位置。"))
    Commitment.objects.filter(plan=plan, order__gt=row.order).update(order=F("order") + 1)
    second = Commitment.objects.create(
        plan=plan,
        section=row.section,
        code=_next_code(plan, row.code),
        title=short_title(tail),
        wording=tail,
        start=None if row.start is None else row.start + at,
        end=row.end,
        order=row.order + 1,
        kind=row.kind,
        leader=row.leader,
        lead_office=row.lead_office,
        handler=row.handler,
        weight=row.weight,
        start_on=row.start_on,
        due_on=row.due_on,
    )
    row.wording, row.title = head, short_title(head)
    row.end = second.start if second.start is not None else row.end
    row.version += 1
    row.save(update_fields=["wording", "title", "end", "version"])
    if second.start is not None:
        row.targets.filter(start__gte=second.start).update(commitment=second)
    _note(plan, by, "split", row, [{"code": second.code, "field": "split"}], None)
    return row, second


def _next_code(plan: Plan, like: str) -> str:
    prefix = like.rpartition("-")[0]
    used = plan.commitments.filter(code__startswith=prefix + "-").values_list("code", flat=True)
    highest = max(int(code.rpartition("-")[2]) for code in used)
    return f"{prefix}-{highest + 1:02d}"


def add_commitment(
    section: Section, *, wording: str, amendment: Amendment | None = None, by: Actor
) -> Commitment:
    """Add what the importer did not see, at the end of a section."""
    plan = open_plan(section.plan_id, by, amendment)
    neighbours = plan.commitments.filter(section=section)
    last = neighbours.order_by("-order").first() or plan.commitments.order_by("-order").first()
    order = last.order if last else 0
    Commitment.objects.filter(plan=plan, order__gt=order).update(order=F("order") + 1)
    row = Commitment.objects.create(
        plan=plan,
        section=section,
        code=_next_code(plan, last.code if last else "1-00"),
        title=short_title(wording),
        wording=wording.strip(),
        order=order + 1,
    )
    change = {"code": row.code, "field": "added", "from": "", "to": row.title}
    _note(plan, by, "add", row, [change], amendment)
    return row


def withdraw_commitment(
    commitment: Commitment, *, amendment: Amendment | None = None, by: Actor
) -> None:
    """Take a commitment and its open milestones out; the rows stay, marked, with their history."""
    plan = open_plan(commitment.plan_id, by, amendment)
    change = {"code": commitment.code, "field": "withdrawn", "from": commitment.title, "to": ""}
    for milestone in commitment.milestones.open():
        advance(milestone, "withdraw", by=by, note=_reason(amendment))
    Commitment.objects.filter(id=commitment.id).update(withdrawn=True)
    _note(plan, by, "withdraw", commitment, [change], amendment)


def _reason(amendment: Amendment | None) -> str:
    return amendment.reason if amendment else _("审核中调整")


def set_target(
    commitment: Commitment,
    *,
    target: Target | None,
    amendment: Amendment | None = None,
    by: Actor,
    **values: Any,
) -> Target:
    """Add or change a target: text, value, high, unit, comparator, strict, hedged, indicator …"""
    plan = open_plan(commitment.plan_id, by, amendment)
    row = target or Target(commitment=commitment)
    before = (
        "" if target is None else f"{row.comparator} {row.value_text}{row.unit} {row.indicator}"
    )
    for name, value in values.items():
        setattr(row, name, value)
    row.value = Decimal(row.value)
    row.save()
    after = f"{row.comparator} {row.value_text}{row.unit} {row.indicator}"
    change = {"code": commitment.code, "field": "target", "from": before, "to": after}
    _note(plan, by, "target", commitment, [change], amendment)
    return row


def remove_target(target: Target, *, amendment: Amendment | None = None, by: Actor) -> None:
    """Take a target out: what looked like one and is none."""
    commitment = target.commitment
    plan = open_plan(commitment.plan_id, by, amendment)
    change = {"code": commitment.code, "field": "target", "from": target.text, "to": ""}
    target.delete()
    _note(plan, by, "target", commitment, [change], amendment)


def add_milestone(
    commitment: Commitment,
    *,
    title: str,
    due_on: dt.date,
    weight: int = 1,
    role: str = MilestoneRole.STEP,
    amendment: Amendment | None = None,
    by: Actor,
) -> Milestone:
    """Add a dated step; in an adopted plan it is handed out at once.

    Raises StepRefused without a lead office, who would owe it.
    """
    plan = open_plan(commitment.plan_id, by, amendment)
    if commitment.lead_office_id is None:
        raise StepRefused(_("请先确定牵头科室，再定节点。"))
    milestone, _is_new = open_case(
        MILESTONE,
        Milestone,
        organisation_id=commitment.lead_office_id,
        title=f"{commitment.title}：{title}",
        by=by,
        fields={
            "commitment": commitment,
            "role": role,
            "title": title,
            "due_on": due_on,
            "weight": weight,
        },
    )
    if not plan.in_review:
        publish(milestone, by=by)
        change = {"code": commitment.code, "field": "milestone", "from": "", "to": title}
        _note(plan, by, "milestone", commitment, [change], amendment)
    return milestone


def publish(milestone: Milestone, *, by: Actor) -> None:
    """Hand a drafted milestone out to its lead office; its clock starts."""
    advance(
        milestone,
        "publish",
        by=by,
        terms={"milestone": Term(milestone.due_on, _("工作要点确定的节点期限"))},
        handler=milestone.commitment.handler,
    )


def remove_milestone(
    milestone: Milestone, *, amendment: Amendment | None = None, by: Actor
) -> None:
    """Take a milestone out; it stays, marked withdrawn, with its history."""
    commitment = milestone.commitment
    plan = open_plan(commitment.plan_id, by, amendment)
    change = {"code": commitment.code, "field": "milestone", "from": milestone.title, "to": ""}
    advance(milestone, "withdraw", by=by, note=_reason(amendment))
    _note(plan, by, "milestone", commitment, [change], amendment)


def propose_milestones(commitment: Commitment, *, by: Actor) -> list[Milestone]:
    """Milestones by kind, evenly spaced between start and due date, to be corrected.

    An issued document walks its five steps; standing work is checked each quarter; a project begins
    and ends; an outside evaluation hands in and hears the result.  Raises StepRefused without dates
    or when milestones exist.
    """
    if not commitment.start_on or not commitment.due_on:
        raise StepRefused(_("请先填写开始日和完成期限。"))
    if commitment.milestones.live().exists():
        raise StepRefused(_("已有节点，请在现有节点上修改。"))
    steps = {
        Kind.DOCUMENT: [(role, role.label) for role in DOCUMENT_PATH],
        Kind.STANDING: [(MilestoneRole.CHECK, _("第%d次检查") % n) for n in (1, 2, 3, 4)],
        Kind.OUTSIDE: [
            (MilestoneRole.STEP, _("提交材料")),
            (MilestoneRole.RESULT, MilestoneRole.RESULT.label),
        ],
    }.get(
        Kind(commitment.kind),
        [(MilestoneRole.STEP, _("启动实施")), (MilestoneRole.STEP, _("全部完成"))],
    )
    span = (commitment.due_on - commitment.start_on) / len(steps)
    return [
        add_milestone(
            commitment,
            title=str(label),
            role=role,
            due_on=commitment.start_on + span * number,
            by=by,
        )
        for number, (role, label) in enumerate(steps, start=1)
    ]


def resolve_item(item: ReviewItem, *, resolution: str, by: Actor) -> None:
    """Say what was done about a doubt."""
    plan = open_plan(item.plan_id, by, None)
    if not resolution.strip():
        raise StepRefused(_("请写明怎样处理。"))
    item.resolution = resolution.strip()[:200]
    item.resolved_by = by.user
    item.resolved_at = timezone.now()
    item.save(update_fields=["resolution", "resolved_by", "resolved_at"])
    _note(plan, by, "resolve", item, [], None)

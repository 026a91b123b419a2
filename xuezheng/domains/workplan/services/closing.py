"""Closing a commitment (销号): the office applies with evidence, it is checked, a leader approves."""

import uuid
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.flows import CLOSING
from xuezheng.domains.workplan.models import Closing, Commitment, Plan
from xuezheng.domains.workplan.services.acting import right_handler
from xuezheng.domains.workplan.services.lights import refresh_lights
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case
from xuezheng.kernel.reference.calendar import due_after
from xuezheng.kernel.reference.parameters import setting


def apply_closing(
    commitment: Commitment,
    *,
    statement: str,
    evidence: Sequence[UploadedFile],
    key: uuid.UUID | None = None,
    by: Actor,
) -> Closing:
    """Apply for taking a commitment off the list, once at a time.

    Raises PermissionDenied, OutOfScope, StepRefused without evidence or statement, while a milestone is
    open, when it is closed already or an application waits.
    """
    plan = commitment.plan
    if plan.status != Plan.Status.ADOPTED or commitment.accepted_on or commitment.withdrawn:
        raise StepRefused(_("只有执行中且未销号的任务可以申请销号。"))
    if commitment.lead_office_id is None or commitment.milestones.open().exists():
        raise StepRefused(_("还有未完成的节点，不能申请销号。"))
    if not statement.strip():
        raise StepRefused(_("请写明完成情况。"))
    if not evidence:
        raise StepRefused(_("请上传佐证材料。"))
    waiting = commitment.closings.filter(state__in=("applied", "checked"))
    # The same form sent twice finds its own application: `open_case` returns it.
    if waiting.exclude(case__idempotency_key__isnull=False, case__idempotency_key=key).exists():
        raise StepRefused(_("已有一份销号申请在办。"))
    today = timezone.localdate()
    days = int(setting("workplan.closing.days", today, plan.organisation.code).value)
    row, _is_new = open_case(
        CLOSING,
        Closing,
        organisation_id=commitment.lead_office_id,
        title=_("销号：%s") % commitment.title,
        by=by,
        note=statement,
        key=key,
        terms={
            "closing": Term(
                due_after(today, days), _("申请后%(days)d个工作日内办结") % {"days": days}
            )
        },
        uploads=evidence,
        fields={"commitment": commitment, "statement": statement.strip()},
    )
    return row


def check_closing(row: Closing, *, note: str = "", version: int | None = None, by: Actor) -> Move:
    """The plan office has looked at the evidence; the leader in charge decides."""
    leader = right_handler("confirmed", row.commitment)
    return advance(row, "check", by=by, version=version, note=note, handler=leader)


@transaction.atomic
def approve_closing(row: Closing, *, note: str = "", version: int | None = None, by: Actor) -> Move:
    """Approve: the commitment is closed today and turns blue; not by who applied or checked."""
    move = advance(row, "approve", by=by, version=version, note=note)
    commitment = Commitment.objects.select_for_update(of=("self",)).get(id=row.commitment_id)
    if commitment.accepted_on or commitment.milestones.open().exists():
        raise StepRefused(_("任务已销号，或又有未完成的节点。"))
    commitment.accepted_on = timezone.localdate()
    commitment.version += 1
    commitment.save(update_fields=["accepted_on", "version"])
    refresh_lights(row.commitment.plan, commitment.accepted_on)
    return move


def refuse_closing(row: Closing, *, note: str, version: int | None = None, by: Actor) -> Move:
    """The plan office sends the application back with a reason; the office may apply again."""
    return advance(row, "refuse", by=by, version=version, note=note)


def decline_closing(row: Closing, *, note: str, version: int | None = None, by: Actor) -> Move:
    """The leader does not approve and says why."""
    return advance(row, "decline", by=by, version=version, note=note)

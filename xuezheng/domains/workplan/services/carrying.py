"""Carrying commitments out: reports on milestones, checks, more time, urging, acceptance."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import EXTENSION
from xuezheng.domains.workplan.models import (
    NEEDS_REFERENCE,
    Extension,
    Milestone,
)
from xuezheng.domains.workplan.services.lights import refresh_lights
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case, urge
from xuezheng.kernel.reference.calendar import due_after
from xuezheng.kernel.reference.parameters import setting


def _refresh(milestone: Milestone) -> None:
    refresh_lights(milestone.commitment.plan, timezone.localdate())


def report_milestone(
    milestone: Milestone,
    *,
    note: str,
    reference: str = "",
    evidence: Sequence[UploadedFile] = (),
    version: int,
    by: Actor,
) -> Move:
    """Report a milestone as done, with evidence; the plan office then checks it.

    Raises StepRefused where the role needs a number (meeting, document, result) and none is given,
    and what `advance` raises.
    """
    if milestone.role in NEEDS_REFERENCE and not reference.strip():
        raise StepRefused(_("请填写%s。") % NEEDS_REFERENCE[milestone.role])
    move = advance(
        milestone,
        "report",
        by=by,
        version=version,
        note=note,
        uploads=evidence,
        fields={"reference": reference.strip()[:80], "done_on": timezone.localdate()},
    )
    for extension in milestone.extensions.filter(state="asked"):
        # Done before the request was decided: there is nothing left to decide.
        advance(extension, "lapse", by=by)
    _refresh(milestone)
    return move


def accept_milestone(milestone: Milestone, *, note: str = "", version: int, by: Actor) -> Move:
    """Accept a report; not by whoever made it."""
    move = advance(milestone, "accept", by=by, version=version, note=note)
    _refresh(milestone)
    return move


def return_milestone(milestone: Milestone, *, note: str, version: int, by: Actor) -> Move:
    """Send a report back with a reason; the term stays what it was."""
    move = advance(
        milestone,
        "return",
        by=by,
        version=version,
        note=note,
        handler=milestone.commitment.handler,
        fields={"done_on": None},
    )
    _refresh(milestone)
    return move


def ask_extension(
    milestone: Milestone,
    *,
    new_due: dt.date,
    reason: str,
    key: uuid.UUID | None = None,
    by: Actor,
) -> Extension:
    """Ask for more time: on or before the due day, once at a time, decided by the leader in charge.

    Raises StepRefused after the due day, for a day that is not later, or while a request is open.
    """
    today = timezone.localdate()
    if milestone.state != "planned":
        raise StepRefused(_("节点不在办理中，不能申请延期。"))
    if today > milestone.due_on:
        raise StepRefused(_("期限已过，延期须在期限届满前申请。"))
    if new_due <= milestone.due_on:
        raise StepRefused(_("新期限须晚于原期限 %s。") % milestone.due_on.isoformat())
    if not reason.strip():
        raise StepRefused(_("请写明延期理由。"))
    if milestone.extensions.filter(state="asked").exists():
        raise StepRefused(_("已有一份延期申请在等审批。"))
    organisation_id = milestone.case.organisation_id
    owner = authority_code(organisation_id, today)
    days = setting("workplan.extension.decision_days", today, owner).value
    extension, _is_new = open_case(
        EXTENSION,
        Extension,
        organisation_id=organisation_id,
        title=_("延期：%s") % milestone.case.title,
        by=by,
        note=reason,
        key=key,
        terms={
            "decision": Term(
                due_after(today, days), _("申请后%(days)d个工作日内审批") % {"days": days}
            )
        },
        handler=milestone.commitment.leader,
        parent=milestone.case,
        fields={
            "milestone": milestone,
            "old_due": milestone.due_on,
            "new_due": new_due,
            "reason": reason.strip()[:500],
        },
    )
    return extension


def decide_extension(
    extension: Extension, *, granted: bool, note: str = "", version: int, by: Actor
) -> Move:
    """Grant or refuse; a granted one moves the milestone's due date and clock."""
    milestone = extension.milestone
    if not granted:
        return advance(extension, "refuse", by=by, version=version, note=note)
    move = advance(extension, "grant", by=by, version=version, note=note)
    advance(
        milestone,
        "extend",
        by=by,
        terms={
            "milestone": Term(extension.new_due, _("延期申请 %s 获同意") % extension.case.number)
        },
        fields={"due_on": extension.new_due},
    )
    commitment = milestone.commitment
    if commitment.due_on and extension.new_due > commitment.due_on:
        commitment.due_on = extension.new_due
        commitment.version += 1
        commitment.save(update_fields=["due_on", "version"])
    _refresh(milestone)
    return move


def urge_milestone(milestone: Milestone, *, note: str = "", by: Actor) -> Move:
    """The plan office or a leader urges whoever owes the next step."""
    return urge(milestone.case, permission=Permission.URGE, note=note, by=by)

"""What units outside the bureau answer: by a link that works once, or by the office on their behalf."""

import datetime as dt
import hashlib
import secrets

from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import OutsideRequest, RoundReport
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import User
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.reference.parameters import setting

LONGEST_ANSWER = 2000


class LinkGone(StepRefused):
    """No such link, already used, or too old: the answer is the same, so nothing can be learnt."""


def digest(token: str) -> str:
    """What is kept of a link: a hash from which it cannot be made again."""
    return hashlib.sha256(token.encode()).hexdigest()


def ask_outside(
    report: RoundReport, *, unit: str, question: str, by: Actor
) -> tuple[OutsideRequest, str]:
    """Ask a unit about one report; returns the row and the link's secret, which is shown this once.

    Raises PermissionDenied, OutOfScope, StepRefused for a report that has left the office.
    """
    post = by.post_for(Permission.REPORT, report.case.organisation_id)
    if report.state not in ("filling", "filled"):
        raise StepRefused(_("这份进展已经报出，不能再问局外单位。"))
    if not unit.strip() or not question.strip():
        raise StepRefused(_("请写明单位和要说明的事。"))
    now, plan = timezone.now(), report.round.plan
    days = setting("workplan.outside.valid_days", timezone.localdate(), plan.organisation.code)
    token = secrets.token_urlsafe(32)
    row = OutsideRequest.objects.create(
        report=report,
        unit=unit.strip()[:60],
        question=question.strip()[:300],
        token_hash=digest(token),
        asked_by=by.user,
        asked_at=now,
        expires_at=now + dt.timedelta(days=int(days.value)),
    )
    record(
        "outside.ask",
        by=by,
        post=post,
        organisation_id=report.case.organisation_id,
        object_type="round_report",
        object_id=report.case.number,
    )
    return row, token


def request_of(token: str) -> OutsideRequest:
    """The open request of a link.  Raises LinkGone."""
    row = (
        OutsideRequest.objects.filter(
            token_hash=digest(token), answered_at__isnull=True, expires_at__gt=timezone.now()
        )
        .filter(report__state__in=("filling", "filled"))
        .select_related("report__commitment", "report__round", "report__case")
        .first()
    )
    if row is None:
        raise LinkGone(_("这个链接已用过、已过期或不存在。"))
    return row


def answer_by_link(*, token: str, text: str, by: Actor) -> OutsideRequest:
    """Write the unit's answer; the link is used up.  Raises LinkGone, StepRefused without a text."""
    row = request_of(token)
    row = OutsideRequest.objects.select_for_update(of=("self",)).get(pk=row.pk)
    return _answer(row, text, by, None)


def answer_on_behalf(row: OutsideRequest, *, text: str, by: Actor) -> OutsideRequest:
    """The office writes what the unit told it; the link is used up, and the page says who wrote.

    Raises PermissionDenied, OutOfScope, StepRefused, LinkGone.
    """
    row = (
        OutsideRequest.objects.select_for_update(of=("self",))
        .select_related("report__case")
        .get(pk=row.pk)
    )
    by.post_for(Permission.REPORT, row.report.case.organisation_id)
    return _answer(row, text, by, by.user)


def _answer(row: OutsideRequest, text: str, by: Actor, on_behalf: User | None) -> OutsideRequest:
    if row.answered_at:
        raise LinkGone(_("这个链接已用过、已过期或不存在。"))
    if not text.strip():
        raise StepRefused(_("请填写答复。"))
    row.answer, row.answered_at, row.on_behalf = (
        text.strip()[:LONGEST_ANSWER],
        timezone.now(),
        on_behalf,
    )
    row.save(update_fields=["answer", "answered_at", "on_behalf"])
    case = row.report.case
    record(
        "outside.answer",
        by=by,
        post=None,
        organisation_id=case.organisation_id,
        object_type="round_report",
        object_id=case.number,
        detail={"on_behalf": on_behalf is not None},
    )
    return row

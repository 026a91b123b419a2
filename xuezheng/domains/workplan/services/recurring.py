"""Recurring reports, documents that came back issued, and the watch over both."""

import datetime as dt
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import DOCUMENT_REVIEW, REPORT_TURN
from xuezheng.domains.workplan.models import (
    DocumentReview,
    IssuedDocument,
    Milestone,
    MilestoneRole,
    RecurringReport,
    ReportTurn,
)
from xuezheng.domains.workplan.rules import Every, due_days
from xuezheng.domains.workplan.services.carrying import report_milestone
from xuezheng.domains.workplan.services.official import Grid, write
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case, urge
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.reference.parameters import settings_on


def set_recurring(
    *,
    report: RecurringReport | None = None,
    organisation: Organisation,
    title: str,
    receiver: str,
    office: Organisation,
    every: Every,
    month: int,
    day: int,
    basis: str = "",
    ended_on: dt.date | None = None,
    by: Actor,
) -> RecurringReport:
    """Put a recurring report into the calendar, or change it.

    Raises PermissionDenied, OutOfScope (of the row that is changed, too), StepRefused without words.
    """
    row = report or RecurringReport(organisation=organisation)
    post = by.post_for(Permission.SUPERVISE, row.organisation_id)
    if not title.strip() or not receiver.strip():
        raise StepRefused(_("请填写报告名称和报送单位。"))
    row.title, row.receiver = title.strip()[:120], receiver.strip()[:100]
    row.office, row.every, row.month, row.day = office, every, month, day
    row.basis, row.ended_on = basis.strip()[:200], ended_on
    row.save()
    record(
        "recurring.set",
        by=by,
        post=post,
        organisation_id=row.organisation_id,
        object_type="recurring_report",
        object_id=row.id,
        detail={"every": str(every), "month": month, "day": day},
    )
    return row


def _days(name: str, day: dt.date, owner: str) -> dt.timedelta:
    return dt.timedelta(days=int(settings_on(day, "workplan.report", owner)[name].value))


def remind_reports(organisation: Organisation, today: dt.date, *, by: Actor) -> int:
    """Open the turns that are due soon; each once.  Returns how many."""
    until = today + _days("remind_days", today, organisation.code)
    made = 0
    for report in RecurringReport.objects.filter(organisation=organisation):
        days = {*due_days(Every(report.every), report.month, report.day, today.year)}
        days |= {*due_days(Every(report.every), report.month, report.day, until.year)}
        soon = sorted(day for day in days if today <= day <= until)
        open_days = [day for day in soon if report.ended_on is None or day <= report.ended_on]
        known = set(report.turns.filter(due_on__in=open_days).values_list("due_on", flat=True))
        for day in open_days:
            if day not in known:
                open_turn(report, day, by=by)
                made += 1
    return made


def open_turn(report: RecurringReport, due_on: dt.date, *, by: Actor) -> ReportTurn:
    """One turn of a report, in its office's inbox."""
    turn, _is_new = open_case(
        REPORT_TURN,
        ReportTurn,
        organisation_id=report.office_id,
        title=report.title,
        by=by,
        terms={"sending": Term(due_on, _("报送%s的期限") % report.receiver)},
        fields={"report": report, "due_on": due_on},
    )
    return turn


def send_report(
    turn: ReportTurn,
    *,
    receipt: str = "",
    note: str = "",
    files: Sequence[UploadedFile] = (),
    version: int,
    by: Actor,
) -> Move:
    """Say that the report was sent, with the file and what the receiver answered.

    Raises StepRefused with neither file nor receipt: something must show that it was sent.
    """
    if not files and not receipt.strip():
        raise StepRefused(_("请附上报送的文件，或填写回执。"))
    return advance(
        turn,
        "send",
        by=by,
        version=version,
        note=note,
        uploads=files,
        fields={"sent_on": timezone.localdate(), "receipt": receipt.strip()[:120]},
    )


def skip_report(turn: ReportTurn, *, note: str, version: int, by: Actor) -> Move:
    """The plan office lets this turn fall, with a reason."""
    return advance(turn, "skip", by=by, version=version, note=note)


def urge_turn(turn: ReportTurn, *, by: Actor) -> Move:
    """Urge the office."""
    return urge(turn.case, permission=Permission.URGE, note="", by=by)


def slip(milestone: Milestone) -> bytes:
    """The slip with which a document goes into the bureau's own document system, as .docx."""
    commitment = milestone.commitment
    plan = commitment.plan
    rows = [
        (_("文件名称"), commitment.title),
        (_("主办科室"), str(milestone.case.organisation)),
        (_("分管领导"), str(commitment.leader or "")),
        (_("任务号"), f"{plan.year}-{commitment.code}"),
        (_("任务依据"), commitment.wording),
        (_("应印发日"), milestone.due_on.isoformat()),
        (_("合法性审核"), _reference(commitment.milestones, MilestoneRole.LEGALITY)),
        (_("会议审议"), _reference(commitment.milestones, MilestoneRole.MEETING)),
        (_("文号"), ""),
        (_("印发日"), ""),
    ]
    heights = [30 if heading == _("任务依据") else 13 for heading, _text in rows]
    return write(_("发文办理单"), [Grid([], [[str(a), b] for a, b in rows], heights)])


def _reference(milestones: object, role: MilestoneRole) -> str:
    """What the accepted milestone of a role says: its number, else the day it was done."""
    row = milestones.live().filter(role=role, state="accepted").first()
    return "" if row is None else row.reference or row.done_on.isoformat()


def register_document(
    milestone: Milestone,
    *,
    number: str,
    issued_on: dt.date,
    file: UploadedFile,
    review_on: dt.date | None = None,
    note: str = "",
    version: int,
    by: Actor,
) -> IssuedDocument:
    """Number and file have come back: file them, and report the milestone "issued" with them.

    Raises StepRefused for other milestones, a day to come, a review before the issue, and what
    `report_milestone` refuses; ValidationError for the file.
    """
    if milestone.role != MilestoneRole.ISSUED:
        raise StepRefused(_("只有“印发”节点登记文号和印发文件。"))
    if issued_on > timezone.localdate():
        raise StepRefused(_("印发日不能晚于今天。"))
    if review_on is not None and review_on <= issued_on:
        raise StepRefused(_("复审日须晚于印发日。"))
    report_milestone(
        milestone,
        note=note or _("已印发，文件归档。"),
        reference=number,
        version=version,
        by=by,
    )
    stored = keep(file, organisation_id=milestone.case.organisation_id, by=by)
    row, _made = IssuedDocument.objects.update_or_create(
        milestone=milestone,
        defaults={
            "number": number.strip()[:80],
            "issued_on": issued_on,
            "file": stored,
            "review_on": review_on,
        },
    )
    return row


def remind_reviews(organisation: Organisation, today: dt.date, *, by: Actor) -> int:
    """Open the reviews of documents whose day is near or past; each once.  Returns how many."""
    until = today + _days("review_days", today, organisation.code)
    near = IssuedDocument.objects.filter(
        milestone__commitment__plan__organisation=organisation,
        review_on__lte=until,
        repealed_on__isnull=True,
    ).select_related("milestone__case", "milestone__commitment")
    made = 0
    for document in near:
        if document.reviews.filter(due_on=document.review_on).exists():
            continue
        open_case(
            DOCUMENT_REVIEW,
            DocumentReview,
            organisation_id=document.milestone.case.organisation_id,
            title=_("复审：%s") % document.milestone.commitment.title,
            by=by,
            terms={"review": Term(document.review_on, _("%s 的复审日") % document.number)},
            fields={"document": document, "due_on": document.review_on},
        )
        made += 1
    return made


def conclude_review(
    review: DocumentReview,
    *,
    outcome: DocumentReview.Outcome,
    next_review_on: dt.date | None = None,
    note: str,
    version: int,
    by: Actor,
) -> Move:
    """Say what became of the document: kept until a later review, to be revised, or repealed.

    Raises StepRefused for a document that stays in force without a later day of review.
    """
    document = review.document
    repealed = outcome == DocumentReview.Outcome.REPEAL
    if not repealed and (next_review_on is None or next_review_on <= review.due_on):
        raise StepRefused(_("文件继续有效或修订的，请填写晚于本次的下次复审日。"))
    move = advance(
        review, "conclude", by=by, version=version, note=note, fields={"outcome": outcome}
    )
    document.review_on = None if repealed else next_review_on
    document.repealed_on = timezone.localdate() if repealed else None
    document.save(update_fields=["review_on", "repealed_on"])
    return move

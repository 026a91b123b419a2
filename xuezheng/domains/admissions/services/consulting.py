"""The file of a zoning decision: one function for each step, for replies, comments and answers."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import CONSULTATION
from xuezheng.domains.admissions.models import Consultation, ConsultationReply, Season
from xuezheng.domains.admissions.selectors import admission_settings, working_days
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, Post
from xuezheng.kernel.access.permissions import grants
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, lock_case, open_case
from xuezheng.kernel.notices.services import notify

#: States in which towns and offices may reply.
ASKED = ("offices", "public")


def _term(row: Consultation, name: str, basis: str) -> Term:
    today = timezone.localdate()
    settings = admission_settings(today, authority_code(row.case.organisation_id, today))
    return Term(working_days(settings, name, today), basis % {"days": settings[name].value})


def draft_consultation(
    season: Season,
    *,
    explanation: str,
    transition: str,
    uploads: Sequence[UploadedFile] = (),
    key: uuid.UUID | None = None,
    by: Actor,
) -> Consultation:
    """Begin a consultation on the areas of a season.

    Raises PermissionDenied, OutOfScope, StepRefused (one is under way, no area yet).
    """
    running = Consultation.objects.filter(season=season, case__closed_at__isnull=True)
    if key is None or not running.filter(case__idempotency_key=key).exists():
        if running.exists():
            raise StepRefused(_("这个批次的征求意见正在进行。"))
        if not season.zones.exists():
            raise StepRefused(_("还没有服务区方案。"))
    row, _is_new = open_case(
        CONSULTATION,
        Consultation,
        organisation_id=season.organisation_id,
        title=_("%s服务区调整") % season.title,
        by=by,
        key=key,
        uploads=uploads,
        fields={"season": season, "explanation": explanation, "transition": transition},
    )
    return row


@transaction.atomic
def edit_consultation(
    row: Consultation, *, explanation: str, transition: str, version: int, by: Actor
) -> None:
    """Change the texts of a draft.  Raises PermissionDenied, OutOfScope, Conflict, StepRefused."""
    post = by.post_for(Permission.ZONES, row.case.organisation_id)
    case = lock_case(row.pk, version=version)
    if case.state != "draft":
        raise StepRefused(_("只有拟定中的方案可以改。"))
    row.explanation, row.transition = explanation, transition
    row.save(update_fields=["explanation", "transition"])
    case.version += 1
    case.save(update_fields=["version"])
    record(
        "zoning.edit", by=by, post=post, organisation_id=case.organisation_id,
        object_type="zoning", object_id=case.number,
    )  # fmt: skip


def ask_offices(row: Consultation, *, note: str = "", version: int, by: Actor) -> Move:
    """Send the draft to towns and offices: whoever may reply there is told."""
    term = _term(row, "reply_days", _("送出后%(days)d个工作日内回复"))
    move = advance(row, "ask", by=by, version=version, note=note, terms={"replies": term})
    replying = [role for role, granted in grants().items() if Permission.ZONES_REPLY in granted]
    posts = Post.objects.current(timezone.localdate()).filter(role__in=replying)
    notify(
        posts.values_list("user_id", flat=True).distinct(),
        key=f"zoning-{row.case.number}-{move.pk}",
        title=_("请对服务区调整方案提出意见，%s 前回复") % term.due.isoformat(),
        path=row.case.get_absolute_url(),
    )
    return move


def open_to_public(
    row: Consultation, *, until: dt.date, note: str = "", version: int, by: Actor
) -> Move:
    """Ask the public until a day, at the earliest the end of the term from today.

    Raises StepRefused for an earlier day without a note, and what `advance` raises.
    """
    today = timezone.localdate()
    least = _term(row, "reply_days", _("公开征求意见%(days)d个工作日"))
    if until <= today:
        raise StepRefused(_("截止日须晚于今天。"))
    if until < least.due and not note.strip():
        raise StepRefused(_("早于规定的 %s，请写明理由。") % least.due.isoformat())
    return advance(
        row, "open", by=by, version=version, note=note,
        terms={"replies": Term(until, _("公开征求意见截止"))},
        fields={"public_from": today, "public_until": until},
    )  # fmt: skip


def send_to_review(row: Consultation, *, note: str = "", version: int, by: Actor) -> Move:
    """Send to the legality review, once the public's days are over and every opinion has an answer."""
    if row.public_until and timezone.localdate() <= row.public_until:
        raise StepRefused(_("公开征求到 %s，还没有结束。") % row.public_until.isoformat())
    waiting = row.replies.filter(answer="").count()
    if waiting:
        raise StepRefused(_("还有 %d 条意见没有答复。") % waiting)
    term = _term(row, "legality_days", _("送审后%(days)d个工作日内审查"))
    return advance(row, "submit", by=by, version=version, note=note, terms={"legality": term})


def pass_review(
    row: Consultation,
    *,
    opinion: str,
    uploads: Sequence[UploadedFile] = (),
    version: int,
    by: Actor,
) -> Move:
    """Record the legality opinion; the meeting is next."""
    term = _term(row, "meeting_days", _("审查通过后%(days)d个工作日内提交集体审议"))
    return advance(
        row, "pass", by=by, version=version, note=opinion, uploads=uploads,
        terms={"meeting": term}, fields={"legality_opinion": opinion},
    )  # fmt: skip


def redraft(row: Consultation, *, note: str, version: int, by: Actor) -> Move:
    """Back to the draft; opinions and answers stay in the file."""
    return advance(
        row, "redraft", by=by, version=version, note=note,
        fields={"public_from": None, "public_until": None, "legality_opinion": ""},
    )  # fmt: skip


def drop(row: Consultation, *, note: str, version: int, by: Actor) -> Move:
    """Give the change up."""
    return advance(row, "drop", by=by, version=version, note=note)


def publish(
    row: Consultation,
    *,
    meeting_number: str,
    document_number: str,
    note: str = "",
    version: int,
    by: Actor,
) -> Move:
    """Publish under a document number, after the meeting; by another person than whoever drafted.

    Raises StepRefused for the drafter, and what `advance` raises.
    """
    by.post_for(Permission.PUBLISH, row.case.organisation_id)
    drafted = row.case.moves.filter(step__in=("draft", "pass"), user=by.user)
    if by.user and drafted.exists():
        raise StepRefused(_("须由另一人公布：您拟定或审查了这个方案。"))
    return advance(
        row, "publish", by=by, version=version, note=note,
        fields={
            "meeting_number": meeting_number.strip(),
            "document_number": document_number.strip(),
            "published_on": timezone.localdate(),
        },
    )  # fmt: skip


# -- opinions ---------------------------------------------------------------------------------------
def reply_as(row: Consultation, *, organisation: Organisation, text: str, by: Actor) -> None:
    """The opinion of a town or office on a draft that was sent to it; one each, changed until answered.

    Raises PermissionDenied, OutOfScope, StepRefused.
    """
    post = by.post_for(Permission.ZONES_REPLY, organisation.id)
    if row.state not in ASKED:
        raise StepRefused(_("现在不在征求意见。"))
    held = row.replies.filter(organisation=organisation).first()
    if held and held.answer:
        raise StepRefused(_("您单位的意见已经答复，不能再改。"))
    held = held or ConsultationReply(consultation=row, organisation=organisation)
    held.text, held.user = text, by.user
    held.save()
    record(
        "zoning.reply", by=by, post=post, organisation_id=organisation.id,
        object_type="zoning", object_id=row.case.number,
    )  # fmt: skip


def comment(row: Consultation, *, text: str) -> ConsultationReply:
    """A comment of the public, without any name.  Raises StepRefused when its days are over."""
    if not takes_comments(row):
        raise StepRefused(_("公开征求意见已经结束。"))
    return ConsultationReply.objects.create(consultation=row, text=text)


def takes_comments(row: Consultation) -> bool:
    """Whether the public may comment today."""
    until = row.public_until
    return row.state == "public" and until is not None and timezone.localdate() <= until


def answer_reply(reply: ConsultationReply, *, adopted: bool, answer: str, by: Actor) -> None:
    """Answer one opinion, as adopted or not.  Raises PermissionDenied, OutOfScope, StepRefused."""
    row = reply.consultation
    post = by.post_for(Permission.ZONES, row.case.organisation_id)
    if row.state not in (*ASKED, "draft"):
        raise StepRefused(_("现在不能再改答复。"))
    if not answer.strip():
        raise StepRefused(_("请写明采纳或不采纳的理由。"))
    reply.adopted, reply.answer, reply.answered_by = adopted, answer.strip(), by.user
    reply.save(update_fields=["adopted", "answer", "answered_by"])
    record(
        "zoning.answer", by=by, post=post, organisation_id=row.case.organisation_id,
        object_type="zoning", object_id=row.case.number, detail={"adopted": adopted},
    )  # fmt: skip


def announced() -> QuerySet[Consultation]:
    """What everybody may read: drafts that are open to comments, and what came of them."""
    return Consultation.objects.filter(
        state__in=("public", "legality", "meeting", "published")
    ).select_related("case__organisation", "season")

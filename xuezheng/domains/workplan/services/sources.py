"""Sources of commitments: registered, linked, noted on by leaders; minutes read into proposed tasks."""

import datetime as dt
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import (
    Commitment,
    Milestone,
    Plan,
    Section,
    Source,
    SourceKind,
)
from xuezheng.domains.workplan.parsing import PlanError, parse_text
from xuezheng.domains.workplan.services.adopting import readiness
from xuezheng.domains.workplan.services.importing import import_plan
from xuezheng.domains.workplan.services.lights import refresh_lights
from xuezheng.domains.workplan.services.recordings import keep_recording
from xuezheng.domains.workplan.services.reviewing import (
    Amendment,
    open_plan,
    publish,
    write_version,
)
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.files.models import StoredFile


def register_source(
    *,
    organisation: Organisation,
    kind: SourceKind,
    title: str,
    dated_on: dt.date,
    number: str = "",
    issued_by: str = "",
    text: str = "",
    file: StoredFile | None = None,
    by: Actor,
) -> Source:
    """Register a superior document, minutes, promise, indicator or livelihood project.

    A leader's note is written by the leader (`write_note`).  Raises PermissionDenied, OutOfScope,
    StepRefused without title or without any original.
    """
    post = by.post_for(Permission.SUPERVISE, organisation.id)
    if kind == SourceKind.NOTE:
        raise StepRefused(_("领导批示由领导本人在文件或任务上写。"))
    if not title.strip():
        raise StepRefused(_("请填写标题。"))
    if not text.strip() and file is None:
        raise StepRefused(_("请粘贴原文或上传原件，至少一样。"))
    row = Source.objects.create(
        organisation=organisation,
        kind=kind,
        number=number.strip()[:80],
        title=title.strip()[:200],
        issued_by=issued_by.strip()[:100],
        dated_on=dated_on,
        text=text.strip(),
        file=file,
        registered_by=by.user,
        registered_at=timezone.now(),
    )
    _record("source.register", row, by, post)
    return row


def write_note(
    *,
    organisation: Organisation,
    text: str,
    on: Source | None = None,
    commitments: Sequence[Commitment] = (),
    voice: UploadedFile | None = None,
    by: Actor,
) -> Source:
    """A leader's note (批示) on a document or on commitments; the plan office sees it at once.

    Written, spoken or both; the plan office writes down what was only spoken (`write_down`).  Raises
    PermissionDenied, OutOfScope, StepRefused for an empty note, one on nothing, one on another
    bureau's rows, or what is no recording.
    """
    post = by.post_for(Permission.NOTE, organisation.id)
    if not text.strip() and voice is None:
        raise StepRefused(_("请写批示内容，或录一段语音。"))
    if on is None and not commitments:
        raise StepRefused(_("批示须写在文件或任务上。"))
    _same_bureau(organisation.id, commitments)
    if on is not None and on.organisation_id != organisation.id:
        raise StepRefused(_("所选任务或文件不属于同一单位。"))
    today = timezone.localdate()
    about = on.title if on is not None else commitments[0].title
    row = Source.objects.create(
        organisation=organisation,
        kind=SourceKind.NOTE,
        title=(_("批示：%s") % about)[:200],
        dated_on=today,
        text=text.strip(),
        file=voice and keep_recording(voice, organisation=organisation, by=by),
        parent=on,
        noted_by=by.user,
        registered_by=by.user,
        registered_at=timezone.now(),
    )
    row.commitments.set([*commitments, *(on.commitments.all() if on is not None else ())])
    _record("source.note", row, by, post)
    return row


def write_down(source: Source, *, text: str, by: Actor) -> None:
    """The plan office puts a spoken note into words, as they are filed.

    Raises PermissionDenied, OutOfScope, StepRefused without words or for a note that has its own.
    """
    post = by.post_for(Permission.SUPERVISE, source.organisation_id)
    row = Source.objects.select_for_update(of=("self",)).get(id=source.id)
    if not text.strip():
        raise StepRefused(_("请填写文字。"))
    if row.kind != SourceKind.NOTE or row.text:
        raise StepRefused(_("只有还没有文字的语音批示可以整理。"))
    row.text = text.strip()
    row.save(update_fields=["text"])
    _record("source.write_down", row, by, post)


def link(source: Source, *, commitments: Sequence[Commitment], by: Actor) -> None:
    """Say which commitments answer a source; one commitment may answer several.

    Raises PermissionDenied, OutOfScope, StepRefused for commitments of another bureau.
    """
    post = by.post_for(Permission.SUPERVISE, source.organisation_id)
    _same_bureau(source.organisation_id, commitments)
    source.commitments.set(commitments)
    _record("source.link", source, by, post, commitments=len(commitments))


def _same_bureau(organisation_id: int, commitments: Sequence[Commitment]) -> None:
    if any(row.plan.organisation_id != organisation_id for row in commitments):
        raise StepRefused(_("所选任务或文件不属于同一单位。"))


def read_minutes(source: Source, *, by: Actor) -> Plan:
    """Read the minutes' text into proposed tasks, in a review queue of their own.

    Doubts, offices and days are settled there, then `take_over` puts the tasks into the year's plan.
    Raises StepRefused for other kinds, without text, when read already, or with nothing found.
    """
    if source.kind != SourceKind.MINUTES or not source.text:
        raise StepRefused(_("只有粘贴了原文的会议纪要可以识别任务。"))
    if source.draft_id:
        raise StepRefused(_("这份纪要已经识别过，请到审核页继续。"))
    try:
        parsed = parse_text(source.text).as_json()
    except PlanError as error:
        raise StepRefused(str(error)) from error
    plan = import_plan(
        parsed | {"title": str(source)},
        organisation=source.organisation,
        year=source.dated_on.year,
        source_text=source.text,
        source_file=source.file,
        by=by,
    )
    source.draft = plan
    source.save(update_fields=["draft"])
    return plan


@transaction.atomic
def take_over(source: Source, *, reason: str, meeting_number: str, by: Actor) -> list[Commitment]:
    """Put the reviewed tasks of minutes into the adopted plan of the year, as an amendment.

    They stand in a section of their own, named after the minutes, answer the source, and their
    milestones are handed out.  The review queue is then empty and removed; the source keeps number
    and original.  Raises StepRefused while something is open in the queue, or without a plan.
    """
    draft = source.draft
    if draft is None:
        raise StepRefused(_("这份纪要没有待并入的任务。"))
    if not readiness(draft).ready:
        raise StepRefused(_("还有未核事项、未定科室或期限的任务，处理完才能并入。"))
    target = Plan.objects.filter(
        organisation=draft.organisation_id, year=draft.year, status=Plan.Status.ADOPTED
    ).first()
    if target is None:
        raise StepRefused(_("本年度还没有印发的计划，不能并入。"))
    amendment = Amendment(reason.strip(), meeting_number.strip())
    plan = open_plan(target.id, by, amendment)
    # What was struck out in the queue goes along, marked as it is: its milestones are cases.
    rows = list(draft.commitments.order_by("withdrawn", "order"))
    last = plan.sections.aggregate(order=Max("order"))["order"] or 0
    number = plan.sections.filter(parent=None).count() + 1
    section = Section.objects.create(
        plan=plan,
        title=str(source)[:300],
        path=f"source-{source.id}",
        level=1,
        order=last + 1,
        start=0,
        end=0,
    )
    order = plan.commitments.aggregate(order=Max("order"))["order"] or 0
    for at, row in enumerate(rows, start=1):
        # The place in the text was one in the minutes, not in the plan.
        row.plan, row.section, row.start, row.end = plan, section, None, None
        row.code, row.order = f"{number}-{at:02d}", order + at
        row.version += 1
    Commitment.objects.bulk_update(
        rows, ["plan", "section", "start", "end", "code", "order", "version"]
    )
    for milestone in Milestone.objects.filter(commitment__in=rows, state="draft"):
        publish(milestone, by=by)
    rows = [row for row in rows if not row.withdrawn]
    source.commitments.add(*rows)
    source.draft = None
    source.save(update_fields=["draft"])
    draft.delete()
    changes = [{"code": row.code, "field": "added", "from": "", "to": row.title} for row in rows]
    write_version(plan, by, amendment, changes)
    post = by.post_for(Permission.EDIT, plan.organisation_id)
    _record("source.take_over", source, by, post, commitments=len(rows), plan=plan.id)
    refresh_lights(plan, timezone.localdate())
    return rows


def _record(action: str, row: Source, by: Actor, post: object, **detail: int) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=row.organisation_id,
        object_type="source",
        object_id=row.id,
        detail={"kind": str(row.kind), **detail},
    )

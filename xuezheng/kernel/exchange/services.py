"""Verbs of an import: receive, confirm, compare anew, give up, undo, hand out, purge."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.exchange import applying, comparing, staging
from xuezheng.kernel.exchange.models import Batch, Mode, Part, State
from xuezheng.kernel.exchange.reading import MAX_BYTES, Book, Unreadable
from xuezheng.kernel.exchange.table import CHANGED, NEW, Run, Table
from xuezheng.kernel.jobs.queue import enqueue
from xuezheng.kernel.reference.parameters import setting

#: Up to so many lines are done while the person waits; more by a worker.
AT_ONCE = 1_000


class Refused(ValidationError):
    """Why a step cannot be taken now, for the user."""


def receive(*, table: Table, upload: UploadedFile, opening: bool = False, by: Actor) -> Batch:
    """Take an upload in; small ones are compared at once.  Nothing but the batch is written.

    Raises PermissionDenied; Refused when the file cannot be read.
    """
    if not by.can(table.permission):
        raise PermissionDenied(table.permission)
    if opening and not by.can(table.opening_permission):
        raise PermissionDenied(table.opening_permission)
    if (upload.size or 0) > MAX_BYTES:
        raise Refused(_("文件超过 30 MB，请拆成几个文件。"))
    data = upload.read()
    batch = Batch(
        table=table.key,
        organisation=_organisation(table, by),
        user=by.user,
        file_name=Path(upload.name or "").name[:200],
        language=get_language() or "zh-hans",
        opening=opening,
    )
    try:
        with transaction.atomic():
            book = Book(data, table, by)
            batch.expected = book.height
            batch.save(force_insert=True)
            _note(batch, "import.receive", by, rows=book.height, bytes=len(data))
            if book.height > AT_ONCE:
                staging.keep_file(batch, data)
                enqueue("exchange.stage", batch=str(batch.pk))
            else:
                comparing.stage(batch, book, Run(by, opening))
    except Unreadable as reason:
        raise Refused(str(reason)) from reason
    return batch


def _organisation(table: Table, by: Actor) -> Organisation | None:
    """The unit for which the actor imports: that of the only post that allows it."""
    scope = by.scope(table.permission)
    posts = [
        post
        for post in getattr(by, "posts", [])
        if post.organisation_id in scope and _grants(by, post.organisation_id, table)
    ]
    units = {post.organisation_id: post.organisation for post in posts}
    return next(iter(units.values())) if len(units) == 1 else None


def _grants(by: Actor, organisation_id: int, table: Table) -> bool:
    return by.post_for(table.permission, organisation_id).organisation_id == organisation_id


def _note(batch: Batch, action: str, by: Actor, **detail: Any) -> None:
    record(
        action,
        by=by,
        post=by.post_for(batch.spec.permission, batch.organisation_id)
        if batch.organisation_id
        else None,
        organisation_id=batch.organisation_id,
        object_type="import",
        object_id=batch.pk,
        detail={"table": batch.table, **detail},
    )


def _locked(batch: Batch, by: Actor, *states: str) -> Batch:
    """The batch with its row locked.  Raises PermissionDenied, Refused in any other state."""
    row = Batch.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=batch.pk).first()
    if row is None or not by.can(row.spec.permission):
        raise PermissionDenied(batch.spec.permission)
    if row.state not in states:
        raise Refused(_("这一批现在是“%s”，不能再这样操作。请刷新页面。") % row.get_state_display())
    if row.purged_at:
        raise Refused(_("这一批的内容已按期清除，请重新上传文件。"))
    return row


@transaction.atomic
def confirm(batch: Batch, *, mode: str, by: Actor) -> Batch:
    """Write the batch: at once, or by a worker when it is long.

    Only one confirmation counts, whoever else presses the button.  Raises PermissionDenied, Refused.
    """
    row = _locked(batch, by, State.READY)
    if mode not in Mode.values:
        raise Refused(_("请选择写入方式。"))
    if mode == Mode.ALL and row.error:
        raise Refused(_("还有 %d 行错误；改正后重新上传，或选择只写没有错误的行。") % row.error)
    if not row.to_write:
        raise Refused(_("没有要写入的行。"))
    row.mode, row.state = mode, State.CONFIRMED
    row.save(update_fields=["mode", "state"])
    if row.total > AT_ONCE:
        enqueue("exchange.apply", batch=str(row.pk))
        return row
    return write(row, by=by)


@transaction.atomic
def write(batch: Batch, *, by: Actor) -> Batch:
    """Write a confirmed batch in the running transaction.  Done once: another call finds it APPLIED."""
    row = _locked(batch, by, State.CONFIRMED)
    try:
        with transaction.atomic():
            applying.apply(row, Run(by, row.opening))
            _note(
                row,
                "import.apply",
                by,
                mode=row.mode,
                opening=row.opening,
                new=row.new,
                changed=row.changed,
                unchanged=row.unchanged,
                error=row.error,
            )
    except applying.Overtaken as overtaken:
        text = (
            ngettext(
                "比对之后有 %d 行又被改动，什么都没有写入。请重新比对。",
                "比对之后有 %d 行又被改动，什么都没有写入。请重新比对。",
                overtaken.count,
            )
            % overtaken.count
        )
        _not_written(row, text, by)
    except IntegrityError:
        text = _("有行与别人刚写入的记录冲突，什么都没有写入。请重新比对。")
        _not_written(row, text, by)
    return row


def _not_written(batch: Batch, text: str, by: Actor) -> None:
    batch.refresh_from_db()
    batch.state = State.READY
    batch.notices.append(text)
    batch.save(update_fields=["state", "notices"])
    _note(batch, "import.overtaken", by)


@transaction.atomic
def compare_again(batch: Batch, *, by: Actor) -> Batch:
    """Compare the rows with what is stored now: after names were matched, or others changed rows."""
    row = _locked(batch, by, State.READY)
    row.notices = []
    if row.total > AT_ONCE:
        row.state = State.READING
        row.save(update_fields=["state", "notices"])
        enqueue("exchange.restage", batch=str(row.pk))
        return row
    comparing.restage(row, Run(by, row.opening))
    return row


@transaction.atomic
def give_up(batch: Batch, *, by: Actor) -> None:
    """Do not write it.  Its rows are forgotten at once."""
    row = _locked(batch, by, State.READY)
    row.parts.all().delete()
    row.state, row.purged_at = State.CANCELLED, timezone.now()
    row.save(update_fields=["state", "purged_at"])
    _note(row, "import.give_up", by)


def undo_until(batch: Batch) -> dt.datetime | None:
    """Until when the batch can be taken back; None when it was not applied."""
    if batch.state != State.APPLIED or batch.applied_at is None:
        return None
    return batch.applied_at + dt.timedelta(hours=_parameter("undo_hours", batch))


def _parameter(name: str, batch: Batch) -> int:
    today = timezone.localdate()
    owner = authority_code(batch.organisation_id, today) if batch.organisation_id else ""
    return int(setting(f"exchange.import.{name}", today, owner).value)


@transaction.atomic
def undo(batch: Batch, *, by: Actor) -> Batch:
    """Take an applied batch back, within the hours of parameter exchange.import.undo_hours.

    What was changed or referred to since stays, and is listed.  Raises PermissionDenied, Refused.
    """
    row = _locked(batch, by, State.APPLIED)
    if timezone.now() > undo_until(row):
        raise Refused(_("已过撤销时限，请逐条更正。"))
    row.state = State.UNDOING
    row.save(update_fields=["state"])
    if row.total > AT_ONCE:
        enqueue("exchange.undo", batch=str(row.pk))
        return row
    return take_back(row, by=by)


@transaction.atomic
def take_back(batch: Batch, *, by: Actor) -> Batch:
    """Undo a batch in the running transaction.  Done once: another call finds it UNDONE."""
    row = _locked(batch, by, State.UNDOING)
    applying.take_back(row, Run(by, row.opening, undoing=True))
    _note(row, "import.undo", by, new=row.new, changed=row.changed, left=row.left)
    return row


@transaction.atomic
def hand_out(batch: Batch, *, by: Actor) -> tuple[Sequence[Any], Iterable[Sequence[Any]]]:
    """Headings and lines of the table's handout for an applied batch.  Audited with its length."""
    row = _locked(batch, by, State.APPLIED)
    if row.spec.handout is None:
        raise Refused(_("这类名册没有随附的表。"))
    written = [
        line
        for _number, rows in staging.parts(row)
        for line in rows
        if line.outcome in (NEW, CHANGED)
    ]
    headings, lines = row.spec.handout.make(written, Run(by, row.opening))
    lines = list(lines)
    _note(row, "import.handout", by, rows=len(lines))
    return headings, lines


def purge() -> int:
    """Forget rows and files of batches older than parameter exchange.import.keep_days; gives how many.

    The batch itself, with its counts, stays.
    """
    count = 0
    held = Part.objects.values("batch").distinct()
    for batch in Batch.objects.filter(pk__in=held, purged_at__isnull=True):
        age = timezone.now() - batch.created_at
        if age < dt.timedelta(days=_parameter("keep_days", batch)):
            continue
        batch.parts.all().delete()
        batch.purged_at = timezone.now()
        batch.save(update_fields=["purged_at"])
        count += 1
    return count

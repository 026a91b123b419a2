"""Opening cases and moving them.  The only place that writes cases, clocks and moves."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Post, User
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Flow, Phase
from xuezheng.kernel.cases.models import Attachment, Case, CaseClock, Move
from xuezheng.kernel.files.store import keep


class StepRefused(Exception):
    """The step cannot be taken now; the message tells the user why and what to do."""


class Conflict(Exception):
    """Somebody else has moved the case since the form was opened.  Holds the fresh case."""

    def __init__(self, case: Case):
        super().__init__(case.number)
        self.case = case


def open_case(
    flow: Flow,
    *,
    organisation_id: int,
    title: str,
    by: Actor,
    note: str = "",
    key: uuid.UUID | None = None,
    due: dt.date | None = None,
    basis: str = "",
    handler: User | None = None,
    parent: Case | None = None,
    at: dt.datetime | None = None,
    uploads: Sequence[UploadedFile] = (),
) -> tuple[Case, bool]:
    """Open a case of the flow in its initial state.  Returns (case, whether it is new).

    With an idempotency key that the same user used before, the case opened then is returned and
    nothing is written.  Raises PermissionDenied or OutOfScope, and ValidationError for an upload.
    """
    post = by.post_for(flow.opening.permission, organisation_id)
    if key and (earlier := _opened_before(flow, key, by)):
        return earlier, False
    at = at or timezone.now()
    state = flow.states[flow.initial]
    duty = flow.duty(flow.initial)
    case = Case.objects.create(
        number=_next_number(flow, timezone.localdate(at).year),
        kind=flow.kind,
        title=title,
        organisation_id=organisation_id,
        state=flow.initial,
        phase=state.phase,
        awaits=duty.permission if duty else "",
        handler=handler,
        opened_at=at,
        parent=parent,
        idempotency_key=key,
    )
    if state.clock and due:
        _start_clock(case, state.clock, due, basis, timezone.localdate(at))
    _write_move(case, flow, flow.opening.key, "", flow.initial, by, post, note, at, uploads)
    return case, True


def _opened_before(flow: Flow, key: uuid.UUID, by: Actor) -> Case | None:
    # The lock makes a second, simultaneous submission wait for the first one's commit.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key.int >> 65])
    case = Case.objects.filter(idempotency_key=key).first()
    if case is None:
        return None
    opener = case.moves.order_by("id").values_list("user_id", flat=True).first()
    if case.kind != flow.kind or opener != (by.user.id if by.user else None):
        raise PermissionDenied("idempotency key of somebody else")
    return case


def _next_number(flow: Flow, year: int) -> str:
    # One sequence for all kinds; numbers are unique and rising, not gapless (a rollback leaves one).
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cases_number')")
        return f"{flow.prefix}{year}-{cursor.fetchone()[0]:06d}"


def lock_case(case_id: int, *, version: int | None = None) -> Case:
    """The case, locked until the transaction ends.  Raises Conflict for a stale version."""
    case = Case.objects.select_for_update(of=("self",)).get(id=case_id)
    if version is not None and case.version != version:
        raise Conflict(case)
    return case


def advance(
    row: models.Model,
    step_key: str,
    *,
    by: Actor,
    version: int | None = None,
    note: str = "",
    due: dt.date | None = None,
    basis: str = "",
    at: dt.datetime | None = None,
    uploads: Sequence[UploadedFile] = (),
    **changes: Any,
) -> Move:
    """Take a step with the typed row of a case: lock, check, write row, case, clock, move, audit.

    `due` and `basis` start the clock of the target state (replacing one that runs); a target state
    without a clock stops it.  `changes` are fields of the typed row.  Raises PermissionDenied,
    OutOfScope, Conflict, StepRefused, ValidationError; then nothing is written.
    """
    case = lock_case(row.pk, version=version)
    flow = case.flow
    step = flow.step(step_key)
    post = by.post_for(step.permission, case.organisation_id)
    if case.state not in step.sources:
        raise StepRefused(
            _("现在是“%(state)s”，不能%(step)s。")
            % {"state": case.state_info.label, "step": step.label}
        )
    if step.needs_note and not note.strip():
        raise StepRefused(_("请写明说明。"))
    if step.not_by and by.user and _last_doer(case, step.not_by) == by.user.id:
        raise StepRefused(_("须由另一人办理：您办过前一步，不能再办这一步。"))
    at = at or timezone.now()
    source, target = case.state, flow.states[step.target]
    for name, value in changes.items():
        setattr(row, name, value)
    row.state = step.target
    row.save(update_fields=["state", *changes])
    day = timezone.localdate(at)
    if due or not target.clock:
        case.clocks.filter(stopped__isnull=True).update(stopped=day)
        case.due = None
    duty = flow.duty(step.target)
    case.state = step.target
    case.phase = target.phase
    case.awaits = duty.permission if duty else ""
    case.closed_at = at if target.phase == Phase.CLOSED else None
    case.urged_at = None
    case.version += 1
    case.save(update_fields=["state", "phase", "awaits", "closed_at", "urged_at", "due", "version"])
    if target.clock and due:
        _start_clock(case, target.clock, due, basis, day)
    row.case = case
    return _write_move(case, flow, step_key, source, step.target, by, post, note, at, uploads)


def _last_doer(case: Case, steps: Sequence[str]) -> int | None:
    return (
        case.moves.filter(step__in=steps).order_by("-id").values_list("user_id", flat=True).first()
    )


def _start_clock(case: Case, kind: str, due: dt.date, basis: str, day: dt.date) -> None:
    CaseClock.objects.create(case=case, kind=kind, basis=basis[:300], started=day, due=due)
    case.due = due
    case.save(update_fields=["due"])


def _write_move(
    case: Case,
    flow: Flow,
    step: str,
    source: str,
    target: str,
    by: Actor,
    post: Post | None,
    note: str,
    at: dt.datetime,
    uploads: Sequence[UploadedFile],
) -> Move:
    duty = flow.duty(target)
    barring = duty.not_by if duty else ()
    # Only the latest doer of a barring step is barred; other steps (an urging) leave that as it is.
    stale = case.moves.filter(bars_next=True)
    if step not in barring:
        stale = stale.exclude(step__in=barring)
    stale.update(bars_next=False)
    move = Move.objects.create(
        case=case,
        at=at,
        step=step,
        source=source,
        target=target,
        user=by.user,
        post=post,
        note=note.strip(),
        bars_next=step in barring,
    )
    Attachment.objects.bulk_create(
        Attachment(case=case, move=move, file=keep(u, organisation_id=case.organisation_id, by=by))
        for u in uploads
    )
    record(
        f"{flow.kind}.{step}",
        by=by,
        post=post,
        organisation_id=case.organisation_id,
        object_type=flow.kind,
        object_id=case.number,
        detail={"from": source, "to": target, "files": len(uploads)},
    )
    return move


def urge(case: Case, *, permission: str, note: str, by: Actor) -> Move:
    """Urge whoever owes the next step: it goes to the top of their inbox.

    At most once a day.  Raises PermissionDenied, OutOfScope, StepRefused.
    """
    case = lock_case(case.id)
    post = by.post_for(permission, case.organisation_id)
    now = timezone.now()
    if not case.is_open:
        raise StepRefused(_("已办结，无须催办。"))
    if case.urged_at and timezone.localdate(case.urged_at) == timezone.localdate(now):
        raise StepRefused(_("今天已催办过一次。"))
    case.urged_at = now
    case.save(update_fields=["urged_at"])
    return _write_move(
        case, case.flow, "urge", case.state, case.state, by, post, note, now, uploads=()
    )

"""Opening cases and moving them.  The only place that writes cases, clocks and moves."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, models, transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Post, User
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Flow, Phase, State, Step, Term
from xuezheng.kernel.cases.models import Attachment, Case, CaseClock, Move
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.indicators.jobs import figures_changed

Row = TypeVar("Row", bound=models.Model)
NO_TERMS: Mapping[str, Term] = {}


class StepRefused(Exception):
    """The step cannot be taken now; the message tells the user why and what to do."""


class Conflict(Exception):
    """Somebody else has moved the case since the form was opened.  Holds the fresh case."""

    def __init__(self, case: Case):
        super().__init__(case.number)
        self.case = case


@transaction.atomic
def open_case(
    flow: Flow,
    model: type[Row],
    *,
    organisation_id: int,
    title: str,
    fields: Mapping[str, Any],
    by: Actor,
    note: str = "",
    terms: Mapping[str, Term] = NO_TERMS,
    handler: User | None = None,
    parent: Case | None = None,
    key: uuid.UUID | None = None,
    uploads: Sequence[UploadedFile] = (),
) -> tuple[Row, bool]:
    """Open a case of the flow with its typed row.  Returns (row, whether it is new).

    `fields` are the row's own; `terms` one Term for each clock of the initial state.  With an
    idempotency key that the same user used before, the row opened then is returned and nothing is
    written.  Raises PermissionDenied, OutOfScope, ValidationError (an upload), ValueError (a clock
    without term); then nothing is written.
    """
    post = by.post_for(flow.opening.permission, organisation_id)
    if key and (earlier := _opened_before(flow, key, by)):
        return model._default_manager.select_related("case").get(case=earlier), False
    now = timezone.now()
    state = flow.states[flow.initial]
    duty = flow.duty(flow.initial)
    case = Case.objects.create(
        number=_next_number(flow, timezone.localdate(now).year),
        kind=flow.kind,
        title=title[:200],
        organisation_id=organisation_id,
        state=flow.initial,
        phase=state.phase,
        awaits=duty.permission if duty else "",
        handler=handler,
        opened_at=now,
        parent=parent,
        idempotency_key=key,
    )
    row = model._default_manager.create(case=case, state=flow.initial, **fields)
    _set_clocks(case, state, terms, timezone.localdate(now))
    _write_move(case, flow, flow.opening.key, "", flow.initial, by, post, note, now, uploads)
    return row, True


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


@transaction.atomic
def advance(
    row: models.Model,
    step_key: str,
    *,
    by: Actor,
    version: int | None = None,
    note: str = "",
    terms: Mapping[str, Term] = NO_TERMS,
    handler: User | None = None,
    uploads: Sequence[UploadedFile] = (),
    fields: Mapping[str, Any] | None = None,
) -> Move:
    """Take a step with the typed row of a case: lock, check, write row, case, clocks, move, audit.

    `terms` starts or restarts clocks of the target state; clocks that do not run there stop.
    `fields` are changes of the typed row.  The handler belongs to a state: a step to another one
    replaces it.  Raises PermissionDenied, OutOfScope, Conflict, StepRefused, ValidationError; then
    nothing is written.
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
    if by.user and by.user.id in barred(case, step):
        raise StepRefused(_("须由另一人办理：您办过前一步，不能再办这一步。"))
    now = timezone.now()
    fields = dict(fields or {})
    for name, value in fields.items():
        setattr(row, name, value)
    row.state = step.target
    row.save(update_fields=["state", *fields])
    source, target, duty = case.state, flow.states[step.target], flow.duty(step.target)
    if step.target != source or handler:
        case.handler = handler
    case.state = step.target
    case.phase = target.phase
    case.awaits = duty.permission if duty else ""
    case.closed_at = now if target.phase == Phase.CLOSED else None
    case.urged_at = None
    case.version += 1
    case.save()
    _set_clocks(case, target, terms, timezone.localdate(now))
    row.case = case
    return _write_move(case, flow, step_key, source, step.target, by, post, note, now, uploads)


def _barring(case: Case, step: Step) -> list[Move]:
    """The last move of each step that `not_by` names."""
    last = {move.step: move for move in case.moves.filter(step__in=step.not_by).order_by("id")}
    return list(last.values())


def barred(case: Case, step: Step) -> set[int]:
    """Ids of the users who may not take the step because of what they did before."""
    return {move.user_id for move in _barring(case, step)} if step.not_by else set()


def _set_clocks(case: Case, state: State, terms: Mapping[str, Term], day: dt.date) -> None:
    """Stop clocks that do not run in the state, start or restart those given, keep the others.

    `case.due` becomes the earliest end of those that run.  Raises ValueError for a term of a clock
    that the state does not have, and for a clock that neither runs nor has a term.
    """
    running = {clock.kind for clock in case.clocks.filter(stopped__isnull=True)}
    if set(terms) - set(state.clocks) or set(state.clocks) - set(terms) - running:
        raise ValueError(f"clocks {state.clocks} with terms {sorted(terms)}, running {running}")
    ending = (running - set(state.clocks)) | (running & set(terms))
    if ending:
        case.clocks.filter(stopped__isnull=True, kind__in=ending).update(stopped=day)
    CaseClock.objects.bulk_create(
        CaseClock(case=case, kind=kind, basis=term.basis[:300], started=day, due=term.due)
        for kind, term in terms.items()
    )
    due = case.clocks.filter(stopped__isnull=True).aggregate(due=Min("due"))["due"]
    if due != case.due:
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
    move = Move.objects.create(
        case=case,
        at=at,
        step=step,
        source=source,
        target=target,
        user=by.user,
        post=post,
        note=note.strip(),
    )
    case.moves.filter(bars_next=True).update(bars_next=False)
    duty = flow.duty(target)
    if duty and duty.not_by:
        barring = [earlier.id for earlier in _barring(case, duty)]
        case.moves.filter(id__in=barring).update(bars_next=True)
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
    figures_changed()
    return move


@transaction.atomic
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

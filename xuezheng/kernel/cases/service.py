"""Opening cases and moving them.  The only place that writes cases, clocks and moves."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, models, transaction
from django.db.models import F, Min, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Post, User
from xuezheng.kernel.audit.trail import entry, record, record_many
from xuezheng.kernel.cases.flows import Flow, Phase, State, Step, Term
from xuezheng.kernel.cases.models import Attachment, Case, CaseClock, Move
from xuezheng.kernel.cases.telling import tell_answer, tell_handler, tell_urged
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.indicators.jobs import figures_changed
from xuezheng.kernel.reference.together import write_together

Row = TypeVar("Row", bound=models.Model)
NO_TERMS: Mapping[str, Term] = {}
#: Key of the move that gives a case to another organisation; no step of any flow.
HANDED_OVER = "hand_over"


class StepRefused(Exception):
    """The step cannot be taken now; the message tells the user why and what to do."""


class Conflict(Exception):
    """Somebody else has moved the case since the form was opened.  Holds the fresh case."""

    def __init__(self, case: Case):
        super().__init__(case.number)
        self.case = case


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
    beside: Callable[[Row], Iterable[models.Model]] | None = None,
) -> tuple[Row, bool]:
    """Open a case of the flow with its typed row.  Returns (row, whether it is new).

    `fields` are the row's own; `terms` one Term for each clock of the initial state.  With an
    idempotency key that the same user used before, the row opened then is returned and nothing is
    written.  `beside` makes further rows of the case, which are written together with its clocks.
    Raises PermissionDenied, OutOfScope, ValidationError (an upload), ValueError (a clock without
    term); then nothing is written.
    """
    post = by.post_for(flow.opening.permission, organisation_id)
    state = flow.states[flow.initial]
    duty = flow.duty(flow.initial)
    _check_terms(state, terms, set())
    now = timezone.now()
    case = Case(
        kind=flow.kind,
        title=title[:200],
        organisation_id=organisation_id,
        state=flow.initial,
        phase=state.phase,
        awaits=flow.awaited(flow.initial),
        handler=handler,
        due=min((term.due for term in terms.values()), default=None),
        opened_at=now,
        parent=parent,
        idempotency_key=key,
    )
    # Only a refused upload leaves something to undo that a form may go on after: a savepoint costs
    # two round trips, which a rush of registrations cannot spare.
    with transaction.atomic(savepoint=bool(uploads)):
        if not _insert(case, flow, timezone.localdate(now).year):
            earlier = _opened_before(flow, key, by)
            return model._default_manager.select_related("case").get(case=earlier), False
        row = model(case=case, state=flow.initial, **fields)
        write_together([row])
        move = Move(
            case=case, at=now, step=flow.opening.key, target=flow.initial, user=by.user, post=post,
            note=note.strip(), bars_next=bool(duty) and flow.opening.key in duty.not_by,
        )  # fmt: skip
        if uploads:
            move.save()
            _attach(move, uploads, by)
        write_together(
            [
                *_clocks(case, terms, timezone.localdate(now)),
                *([] if uploads else [move]),
                entry(f"{flow.kind}.{move.step}", by=by, **_told(move, case, len(uploads))),
                *(beside(row) if beside else ()),
            ]
        )
        figures_changed()
        tell_handler(case, handler, by)
    return row, True


def _insert(case: Case, flow: Flow, year: int) -> bool:
    """Write a new case and give it key and number; false when its idempotency key was used before.

    A second, simultaneous submission with the key waits here for the first one's commit.
    """
    # One sequence for all kinds; numbers are unique and rising, not gapless: a rollback or a repeated
    # submission leaves one out.
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH next AS (SELECT nextval('cases_number')::text AS n)"
            " INSERT INTO cases_case (number, kind, title, organisation_id, state, phase, awaits,"
            " handler_id, due, opened_at, parent_id, version, idempotency_key)"
            " SELECT %s || lpad(n, greatest(6, length(n)), '0'), %s, %s, %s, %s, %s, %s, %s::bigint,"
            " %s::date, %s, %s::bigint, %s, %s::uuid FROM next"
            " ON CONFLICT (idempotency_key) DO NOTHING RETURNING id, number",
            [
                f"{flow.prefix}{year}-", case.kind, case.title, case.organisation_id, case.state,
                case.phase, case.awaits, case.handler_id, case.due, case.opened_at, case.parent_id,
                case.version, case.idempotency_key,
            ],
        )  # fmt: skip
        written = cursor.fetchone()
    if written is None:
        return False
    case.id, case.number = written
    case._state.adding, case._state.db = False, connection.alias
    return True


def _opened_before(flow: Flow, key: uuid.UUID, by: Actor) -> Case:
    """The case that was opened with the key.  Raises PermissionDenied unless by the same person."""
    case = Case.objects.get(idempotency_key=key)
    opener = case.moves.order_by("id").values_list("user_id", flat=True).first()
    if case.kind != flow.kind or opener != (by.user.id if by.user else None):
        raise PermissionDenied("idempotency key of somebody else")
    return case


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
    _refuse(case, step, note, by, barred(case, step))
    now = timezone.now()
    fields = dict(fields or {})
    for name, value in fields.items():
        setattr(row, name, value)
    row.state = step.target
    row.save(update_fields=["state", *fields])
    source, target = case.state, flow.states[step.target]
    if step.target != source or handler:
        case.handler = handler
    case.state = step.target
    case.phase = target.phase
    case.awaits = flow.awaited(step.target)
    case.closed_at = now if target.phase == Phase.CLOSED else None
    case.urged_at = None
    case.version += 1
    case.save()
    _set_clocks(case, target, terms, timezone.localdate(now))
    row.case = case
    move = _write_move(case, flow, step_key, source, step.target, by, post, note, now, uploads)
    tell_handler(case, handler, by)
    tell_answer(case, step, move, by)
    return move


def _refuse(case: Case, step: Step, note: str, by: Actor, barred_users: set[int]) -> None:
    """Raises StepRefused where the step cannot be taken from here, without a note, by this person."""
    if case.state not in step.sources:
        raise StepRefused(
            _("现在是“%(state)s”，不能%(step)s。")
            % {"state": case.state_info.label, "step": step.label}
        )
    if step.needs_note and not note.strip():
        raise StepRefused(_("请写明说明。"))
    if by.user and by.user.id in barred_users:
        raise StepRefused(_("须由另一人办理：您办过前一步，不能再办这一步。"))


@transaction.atomic
def advance_many(
    rows: Sequence[models.Model],
    step_key: str,
    *,
    by: Actor,
    note: str = "",
    terms: Mapping[str, Term] = NO_TERMS,
    organisations: Mapping[int, int] | None = None,
) -> int:
    """`advance` for many rows of one kind, in a number of statements that does not grow with them.

    What is written is what `advance` would write for each.  `organisations` (case id -> organisation
    id) hands cases over afterwards: moves and trail still name who had them.  Returns how many were
    moved.  Raises PermissionDenied, OutOfScope, StepRefused, ValueError (a clock without term, rows of
    two kinds); then nothing is written.  `row.case` is stale afterwards.
    """
    if not rows:
        return 0
    ids = [row.pk for row in rows]
    cases = list(Case.objects.select_for_update(of=("self",)).filter(id__in=ids).order_by("id"))
    flow, now = cases[0].flow, timezone.now()
    step = flow.step(step_key)
    if len(cases) != len(ids) or any(case.kind != flow.kind for case in cases):
        raise ValueError(f"{len(ids)} rows of more than one kind, or some twice")
    posts = {
        organisation: by.post_for(step.permission, organisation)
        for organisation in {case.organisation_id for case in cases}
    }
    barring: dict[int, set[int]] = defaultdict(set)
    for move in _last_moves(ids, step.not_by):
        barring[move.case_id].add(move.user_id)
    for case in cases:
        _refuse(case, step, note, by, barring[case.id])
    target = flow.states[step.target]
    mine = Case.objects.filter(id__in=ids)
    if type(rows[0])._default_manager.filter(pk__in=ids).update(state=step.target) != len(ids):
        raise ValueError("rows out of the reach of the running transaction")
    mine.exclude(state=step.target).update(handler=None)
    mine.update(
        state=step.target,
        phase=target.phase,
        awaits=flow.awaited(step.target),
        closed_at=now if target.phase == Phase.CLOSED else None,
        urged_at=None,
        version=F("version") + 1,
    )
    _set_many_clocks(ids, target, terms, timezone.localdate(now))
    _write_many_moves(cases, flow, step, by, posts, note, now)
    if organisations:
        _hand_over(organisations)
    for row in rows:
        row.state = step.target
    return len(rows)


def _last_moves(ids: Sequence[int], steps: Sequence[str]) -> list[Move]:
    """The last move of each of the steps, for each case (one query, none without steps)."""
    if not steps:
        return []
    moves = Move.objects.filter(case__in=ids, step__in=steps)
    return list(moves.order_by("case_id", "step", "-id").distinct("case_id", "step"))


def _set_many_clocks(
    ids: Sequence[int], state: State, terms: Mapping[str, Term], day: dt.date
) -> None:
    """`_set_clocks` for many cases."""
    running: dict[int, set[str]] = defaultdict(set)
    open_clocks = CaseClock.objects.filter(case__in=ids, stopped__isnull=True)
    for case_id, kind in open_clocks.values_list("case_id", "kind"):
        running[case_id].add(kind)
    for case_id in ids:
        missing = set(state.clocks) - set(terms) - running[case_id]
        if set(terms) - set(state.clocks) or missing:
            raise ValueError(f"clocks {state.clocks} with terms {sorted(terms)}, case {case_id}")
    open_clocks.filter(~Q(kind__in=state.clocks) | Q(kind__in=list(terms))).update(stopped=day)
    CaseClock.objects.bulk_create(
        (
            CaseClock(case_id=case_id, kind=kind, basis=term.basis[:300], started=day, due=term.due)
            for case_id in ids
            for kind, term in terms.items()
        ),
        batch_size=5000,
    )
    first = (
        CaseClock.objects.filter(case=OuterRef("pk"), stopped__isnull=True)
        .order_by()
        .values("case")
        .annotate(due=Min("due"))
    )
    Case.objects.filter(id__in=ids).update(due=Subquery(first.values("due")))


def _write_many_moves(
    cases: Sequence[Case],
    flow: Flow,
    step: Step,
    by: Actor,
    posts: Mapping[int, Post | None],
    note: str,
    at: dt.datetime,
) -> None:
    """`_write_move` for many cases, as they stood before the step."""
    ids = [case.id for case in cases]
    Move.objects.bulk_create(
        (
            Move(
                case=case,
                at=at,
                step=step.key,
                source=case.state,
                target=step.target,
                user=by.user,
                post=posts[case.organisation_id],
                note=note.strip(),
            )
            for case in cases
        ),
        batch_size=5000,
    )
    Move.objects.filter(case__in=ids, bars_next=True).update(bars_next=False)
    duty = flow.duty(step.target)
    if duty and duty.not_by:
        barring = [move.id for move in _last_moves(ids, duty.not_by)]
        Move.objects.filter(id__in=barring).update(bars_next=True)
    record_many(
        (
            {
                "action": f"{flow.kind}.{step.key}",
                "post": posts[case.organisation_id],
                "organisation_id": case.organisation_id,
                "object_type": flow.kind,
                "object_id": case.number,
                "detail": {"from": case.state, "to": step.target, "files": 0},
            }
            for case in cases
        ),
        by=by,
    )
    figures_changed()


def _hand_over(organisations: Mapping[int, int]) -> None:
    """Case id -> organisation id, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_case c SET organisation_id = given.organisation"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS given (id, organisation)"
            " WHERE c.id = given.id",
            [list(organisations), list(organisations.values())],
        )


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
    _check_terms(state, terms, running)
    ending = (running - set(state.clocks)) | (running & set(terms))
    if ending:
        case.clocks.filter(stopped__isnull=True, kind__in=ending).update(stopped=day)
    CaseClock.objects.bulk_create(_clocks(case, terms, day))
    due = case.clocks.filter(stopped__isnull=True).aggregate(due=Min("due"))["due"]
    if due != case.due:
        case.due = due
        case.save(update_fields=["due"])


def _check_terms(state: State, terms: Mapping[str, Term], running: set[str]) -> None:
    if set(terms) - set(state.clocks) or set(state.clocks) - set(terms) - running:
        raise ValueError(f"clocks {state.clocks} with terms {sorted(terms)}, running {running}")


def _clocks(case: Case, terms: Mapping[str, Term], day: dt.date) -> list[CaseClock]:
    return [
        CaseClock(case=case, kind=kind, basis=term.basis[:300], started=day, due=term.due)
        for kind, term in terms.items()
    ]


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
    _attach(move, uploads, by)
    record(f"{flow.kind}.{step}", by=by, **_told(move, case, len(uploads)))
    figures_changed()
    return move


def _attach(move: Move, uploads: Sequence[UploadedFile], by: Actor) -> None:
    case = move.case
    Attachment.objects.bulk_create(
        Attachment(case=case, move=move, file=keep(u, organisation_id=case.organisation_id, by=by))
        for u in uploads
    )


def _told(move: Move, case: Case, files: int) -> dict[str, Any]:
    """What the trail keeps of a move beside its step and who took it."""
    return {
        "post": move.post,
        "organisation_id": case.organisation_id,
        "object_type": case.kind,
        "object_id": case.number,
        "detail": {"from": move.source, "to": move.target, "files": files},
    }


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
    tell_urged(case, by)
    return _write_move(
        case, case.flow, "urge", case.state, case.state, by, post, note, now, uploads=()
    )


@transaction.atomic
def hand_over_case(
    case: Case, *, organisation_id: int, permission: str, note: str, version: int, by: Actor
) -> Move:
    """Give a case to another organisation in the same state; its clocks run on (转办).

    Raises PermissionDenied, OutOfScope (the permission must hold where the case is now), Conflict,
    StepRefused for a closed case.
    """
    case = lock_case(case.id, version=version)
    post = by.post_for(permission, case.organisation_id)
    if not case.is_open:
        raise StepRefused(_("已办结，不能转交。"))
    case.organisation_id, case.handler = organisation_id, None
    case.version += 1
    case.save(update_fields=["organisation", "handler", "version"])
    return _write_move(
        case,
        case.flow,
        HANDED_OVER,
        case.state,
        case.state,
        by,
        post,
        note,
        timezone.now(),
        uploads=(),
    )

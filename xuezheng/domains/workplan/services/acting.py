"""Who acts: heads of office, leaders in charge, whoever stands in for them, whoever follows in a post.

A step is owed by a post, not by a person: when somebody leaves, what is open goes to whoever holds the
post now; while somebody is away, to the one who stands in, and what that one does is marked.
"""

import datetime as dt

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import Commitment, Plan, RoundReport, StandIn
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, Post, User
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry import roles

#: Roles whose holders answer for their office.
HEADS = (roles.OFFICE_HEAD, roles.OUTSIDE_CONTACT)
#: Roles with a part in rounds.
PARTS = (roles.OFFICE_HEAD, roles.OFFICER, roles.OUTSIDE_CONTACT, roles.DIRECTOR, roles.DEPUTY)


def _allowed(step: str, report: RoundReport, day: dt.date) -> set[int]:
    """Users who may take the step in their own right."""
    held = Post.objects.current(day)
    if step == "confirm":
        mine = held.filter(organisation=report.case.organisation_id, role__in=HEADS)
        return set(mine.values_list("user_id", flat=True))
    directors = set(held.filter(role=roles.DIRECTOR).values_list("user_id", flat=True))
    leader = report.commitment.leader_id
    if leader:
        return directors | {leader}
    return directors | set(held.filter(role=roles.DEPUTY).values_list("user_id", flat=True))


def acting_for(step: str, report: RoundReport, by: Actor) -> str:
    """The mark of whoever stands in for another at "confirm" or "sign"; empty for one's own right.

    Raises PermissionDenied and OutOfScope as the step would, StepRefused for anybody else.
    """
    permission = Permission.CONFIRM if step == "confirm" else Permission.SIGN
    by.post_for(permission, report.case.organisation_id)
    if by.user is None:
        return ""
    day = timezone.localdate()
    allowed = _allowed(step, report, day)
    if by.user.id in allowed:
        return ""
    stand_in = (
        StandIn.objects.on(day)
        .filter(deputy=by.user, absent__in=allowed)
        .select_related("absent")
        .first()
    )
    if stand_in is None:
        raise StepRefused(
            _("由科室负责人或其B岗确认。") if step == "confirm" else _("由分管领导或其B岗签字。")
        )
    return _("（B岗代%s办理）") % stand_in.absent.name


def _present(user: User | None, day: dt.date) -> User | None:
    """The person, or whoever stands in for them that day."""
    if user is None:
        return None
    away = StandIn.objects.on(day).filter(absent=user).select_related("deputy").first()
    return away.deputy if away else user


def right_handler(state: str, commitment: Commitment) -> User | None:
    """Whose inbox a report, or a milestone being worked on, stands in; None for the whole office."""
    day = timezone.localdate()
    held = Post.objects.current(day).filter(organisation=commitment.lead_office_id)
    if state in {"filling", "planned"}:
        handler = commitment.handler
        if handler is None or not held.filter(user=handler).exists():
            return None
        return _present(handler, day)
    if state == "filled":
        heads = list(held.filter(role__in=HEADS).select_related("user"))
        return _present(heads[0].user, day) if len(heads) == 1 else None
    return _present(commitment.leader, day) if state == "confirmed" else None


def follow_posts(plan: Plan, *, by: Actor) -> int:
    """Let open reports and milestones follow their posts.  Returns how many changed hands."""
    post = by.post_for(Permission.EDIT, plan.organisation_id)
    moved = 0
    rows = (
        Commitment.objects.filter(plan=plan, withdrawn=False)
        .select_related("handler", "leader")
        .in_bulk()
    )
    open_cases = Case.objects.open().select_related("handler")
    owed = [
        (case, case.round_report.commitment_id)
        for case in open_cases.filter(round_report__round__plan=plan).select_related("round_report")
    ] + [
        (case, case.milestone.commitment_id)
        for case in open_cases.filter(
            milestone__commitment__plan=plan, state="planned"
        ).select_related("milestone")
    ]
    for case, commitment_id in owed:
        if commitment_id not in rows:
            continue
        handler = right_handler(case.state, rows[commitment_id])
        if case.handler_id != (handler.id if handler else None):
            Case.objects.filter(id=case.id).update(handler=handler)
            moved += 1
    if moved:
        record(
            "plan.follow_posts",
            by=by,
            post=post,
            organisation_id=plan.organisation_id,
            object_type="plan",
            object_id=plan.id,
            detail={"moved": moved},
        )
    return moved


def people_of_rounds(organisations: frozenset[int]) -> QuerySet[User]:
    """Whoever has a part in rounds in one of the organisations today: offices and leaders."""
    held = Post.objects.current(timezone.localdate()).filter(
        organisation__within=organisations, role__in=PARTS
    )
    return User.objects.filter(id__in=held.values("user"), is_active=True).order_by("name", "id")


def set_stand_in(
    organisation: Organisation,
    *,
    absent: User,
    deputy: User,
    starts_on: dt.date,
    ends_on: dt.date,
    by: Actor,
) -> StandIn:
    """Let one person act for another of the same office, or one leader for another, for some days.

    The plan office says so; a stand-in gets no permission that the own post does not grant.  Raises
    PermissionDenied, OutOfScope, StepRefused.
    """
    post = by.post_for(Permission.EDIT, organisation.id)
    today = timezone.localdate()
    if absent == deputy:
        raise StepRefused(_("B岗须是另一人。"))
    if ends_on < starts_on or ends_on < today:
        raise StepRefused(_("止日不能早于起日或今天。"))
    held = Post.objects.current(today).filter(organisation=organisation, role__in=PARTS)
    if not {absent.id, deputy.id} <= set(held.values_list("user_id", flat=True)):
        raise StepRefused(_("双方须都在这个科室（领导须都在教育局）任职。"))
    row = StandIn.objects.create(
        organisation=organisation,
        absent=absent,
        deputy=deputy,
        starts_on=starts_on,
        ends_on=ends_on,
        made_by=by.user,
    )
    record(
        "stand_in.set",
        by=by,
        post=post,
        organisation_id=organisation.id,
        object_type="stand_in",
        object_id=row.id,
        detail={"from": starts_on.isoformat(), "to": ends_on.isoformat()},
    )
    return row


def end_stand_in(row: StandIn, *, by: Actor) -> None:
    """End it today, or take it back if it has not begun."""
    post = by.post_for(Permission.EDIT, row.organisation_id)
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    record(
        "stand_in.end",
        by=by,
        post=post,
        organisation_id=row.organisation_id,
        object_type="stand_in",
        object_id=row.id,
    )
    if row.starts_on > yesterday:
        row.delete()
        return
    row.ends_on = min(row.ends_on, yesterday)
    row.save(update_fields=["ends_on"])

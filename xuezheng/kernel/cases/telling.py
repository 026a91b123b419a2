"""Notices that follow from a step: newly owed by somebody by name, urged, answered.

Only steps that name a handler, are marked `answers`, or urge cost a statement: a registration that is
handed in does none of them.
"""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Post, User
from xuezheng.kernel.access.permissions import PERSON, grants, roles
from xuezheng.kernel.access.scope import authorities, below
from xuezheng.kernel.cases.flows import Phase, Step
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.notices.services import notify


def owners(case: Case) -> set[int]:
    """User ids of those in whose inbox the case stands (`owed_by`, asked from the case's side).

    None for what a family owes.  Three queries at most.
    """
    if case.handler_id:
        return {case.handler_id}
    if not case.awaits or case.awaits in grants()[PERSON]:
        return set()
    holding = [role for role in roles() if case.awaits in grants()[role]]
    day = timezone.localdate()
    posts = list(Post.objects.current(day).filter(role__in=holding))
    starts = {post.organisation_id for post in posts}
    tops = authorities(starts, day) if starts else {}
    wide = {role for role in holding if roles()[role].reach == "authority"}
    roots = {
        post.pk: tops[post.organisation_id] if post.role in wide else post.organisation_id
        for post in posts
    }
    trees = below(set(roots.values()), day) if roots else {}
    found = {post.user_id for post in posts if case.organisation_id in trees[roots[post.pk]]}
    barred = Move.objects.filter(case=case, bars_next=True).values_list("user", flat=True)
    return found - set(barred) if found else found


def tell_handler(case: Case, handler: User | None, by: Actor) -> None:
    """Whoever now owes the case by name hears of it, unless by their own deed.

    One notice a day for each kind and state: a plan that is adopted hands over dozens at once.
    """
    duty = case.duty
    mine = by.user is not None and handler is not None and handler.pk == by.user.pk
    if handler is None or duty is None or mine or case.phase == Phase.DRAFT:
        return
    notify(
        [handler.pk],
        key=f"owed.{case.kind}.{case.state}.{timezone.localdate().isoformat()}",
        title=_("有新的%(kind)s要您办理：%(step)s") % {"kind": case.flow.label, "step": duty.label},
        path=f"{reverse('inbox')}?kind={case.kind}",
    )


def tell_answer(case: Case, step: Step, move: Move, by: Actor) -> None:
    """A step marked `answers` is told to whoever took the one before it, and, when it ends the case,
    to whoever opened it; the reason stands on the case's page."""
    if not step.answers:
        return
    earlier = list(
        case.moves.exclude(pk=move.pk)
        .exclude(step="urge")
        .order_by("id")
        .values_list("user", flat=True)
    )
    concerned = {*earlier[-1:], *(earlier[:1] if not case.is_open else ())}
    concerned -= {None, by.user.pk if by.user else None}
    notify(
        sorted(concerned),
        key=f"answer.{case.pk}.{move.pk}",
        title=_("%(kind)s %(number)s：%(step)s")
        % {"kind": case.flow.label, "number": case.number, "step": step.label},
        path=case.get_absolute_url(),
    )


def tell_urged(case: Case, by: Actor) -> None:
    """Whoever owes an urged case hears of it."""
    told = owners(case) - {by.user.pk if by.user else None}
    notify(
        sorted(told),
        key=f"urge.{case.pk}.{timezone.localdate().isoformat()}",
        title=_("%(kind)s %(number)s 被催办") % {"kind": case.flow.label, "number": case.number},
        path=case.get_absolute_url(),
    )

"""Publishing a sealed result, once, by another person than the one who made it.

All of it is one transaction: a process killed in the middle leaves nothing, and doing it again after it
succeeded changes nothing.  Families' rows are out of the publisher's sight, who sees numbers only: they
are written under the program's own reach, and every move and line of the trail names the publisher.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import (
    Allocation,
    Application,
    Intake,
    Offer,
    Party,
    Season,
)
from xuezheng.domains.admissions.selectors import admission_settings
from xuezheng.domains.admissions.services.allocating import Reasons, round_of, what_is_wrong
from xuezheng.domains.admissions.services.freezing import UNFINISHED, locked
from xuezheng.domains.admissions.services.locks import lock_homes
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.service import StepRefused, advance_many
from xuezheng.kernel.notices.services import notify_each

#: States in which a child can get a place or be left for the next round.
WAITING = ("verified", "unplaced")


@dataclass(frozen=True)
class Preview:
    """What publishing will do, in numbers; `obstacles` are sentences that forbid it."""

    children: int
    placed: int
    unplaced: int
    to_confirm: int
    withdrawn: int
    obstacles: tuple[str, ...]


def preview(allocation: Allocation, *, by: Actor) -> Preview:
    """What will happen, and what stands against it; nothing is written."""
    by.post_for(Permission.PUBLISH, allocation.season.organisation_id)
    assigned = allocation.result["assignments"]
    with fenced(by=JobActor("admissions.publish")):
        states = dict(
            allocation.freeze.leaves.filter(
                application__entry__code__in=list(assigned)
            ).values_list("application__entry__code", "application__state")
        )
    choice = set(
        Intake.objects.filter(season=allocation.season, mode=Intake.Mode.CHOICE).values_list(
            "school__code", flat=True
        )
    )
    live = {code: school for code, school in assigned.items() if states.get(code) in WAITING}
    return Preview(
        children=len(live),
        placed=sum(1 for school in live.values() if school),
        unplaced=sum(1 for school in live.values() if not school),
        to_confirm=sum(1 for school in live.values() if school in choice),
        withdrawn=len(assigned) - len(live),
        obstacles=tuple(_obstacles(allocation, states.values(), by)),
    )


def _obstacles(allocation: Allocation, states: Any, by: Actor) -> list[str]:
    found = []
    if allocation.what_if:
        found.append(_("这是一个假设，不能公布。"))
    if allocation.freeze is None or allocation.freeze.void_reason:
        found.append(_("这份名册已经作废。"))
    if allocation.round != round_of(allocation.season):
        found.append(_("这不是本轮的分配。"))
    if by.user and allocation.made_by_id == by.user.id:
        found.append(_("须由另一人公布：这次分配是您做的。"))
    back = sum(1 for state in states if state in UNFINISHED)
    if back:
        found.append(_("有 %d 件登记被退回重新核验，先核验完或重新封存名册。") % back)
    wrong = what_is_wrong(allocation)
    if wrong:
        found.append(_("复核不通过，有 %d 处不符；不能公布。") % len(wrong))
    return found


@transaction.atomic
def publish(allocation: Allocation, *, by: Actor) -> int:
    """Publish: offers, cases, notices, locks on dwellings, the season.  Returns how many offers.

    0 when it was published before.  Raises PermissionDenied, OutOfScope, StepRefused.
    """
    season = allocation.season
    post = by.post_for(Permission.PUBLISH, season.organisation_id)
    season = locked(season, Season.State.ALLOCATED, Season.State.PUBLISHED)
    allocation = Allocation.objects.select_for_update(of=("self",)).get(pk=allocation.pk)
    if allocation.published_at:
        return 0
    found = preview(allocation, by=by)
    if found.obstacles:
        raise StepRefused(" ".join(found.obstacles))
    now = timezone.now()
    today = timezone.localdate(now)
    settings = admission_settings(today, authority_code(season.organisation_id, today))
    with fenced(by=JobActor("admissions.publish")):
        offers = _write_offers(allocation, _confirm_by(season, settings, today))
        _advance(season, offers, settings, today, by=by)
        lock_homes(
            season, [(one.application, one.intake.school_id) for one in offers if one.intake]
        )
        _tell(allocation, offers)
    allocation.published_at, allocation.published_by = now, by.user
    allocation.save(update_fields=["published_at", "published_by"])
    if season.state == Season.State.ALLOCATED:
        season.state = Season.State.PUBLISHED
        season.save(update_fields=["state"])
    record(
        "admissions.publish",
        by=by,
        post=post,
        organisation_id=season.organisation_id,
        object_type="allocation",
        object_id=allocation.pk,
        detail={
            "sha256": allocation.sha256,
            "round": allocation.round,
            "placed": found.placed,
            "unplaced": found.unplaced,
        },
    )
    return len(offers)


def _confirm_by(season: Season, settings: dict, today: dt.date) -> dt.date:
    """Until when a family must answer: the season's day while it lies ahead, else the parameter."""
    if season.confirm_until and season.confirm_until >= today:
        return season.confirm_until
    return today + dt.timedelta(days=settings["confirmation_days"].value)


def _write_offers(allocation: Allocation, confirm_by: dt.date) -> list[Offer]:
    """One offer for each child that still waits, with its reason."""
    rows = Application.objects.filter(
        pk__in=allocation.freeze.leaves.values("application"), state__in=WAITING
    ).select_related("entry", "case")
    of_code = {row.entry.code: row for row in rows.order_by("pk")}
    intakes = Intake.objects.filter(season=allocation.season).select_related("school")
    at = {intake.school.code: intake for intake in intakes}
    reasons = Reasons(allocation)
    offers = []
    for code, school in allocation.result["assignments"].items():
        row, intake = of_code.get(code), at[school] if school else None
        if row is None:
            continue
        asks = intake is not None and intake.mode == Intake.Mode.CHOICE
        offers.append(
            Offer(
                allocation=allocation,
                application=row,
                intake=intake,
                reason=reasons.of(code),
                respond_by=confirm_by if asks else None,
            )
        )
    return Offer.objects.bulk_create(offers, batch_size=5000)


def _advance(
    season: Season, offers: Sequence[Offer], settings: dict, today: dt.date, *, by: Actor
) -> None:
    """Placed cases go to the school that placed the child; the others wait for the next round."""
    placed = [offer for offer in offers if offer.intake]
    arrival = season.arrival_on
    if arrival is None or arrival < today:
        arrival = today + dt.timedelta(days=settings["arrival_days"].value)
    advance_many(
        [offer.application for offer in placed],
        "place",
        by=by,
        terms={"arrival": Term(arrival, _("录取后报到"))},
        organisations={offer.application_id: offer.intake.school_id for offer in placed},
    )
    waiting = today + dt.timedelta(days=settings["result_days"].value)
    left = [
        offer.application
        for offer in offers
        if not offer.intake and offer.application.state == "verified"
    ]
    advance_many(left, "leave", by=by, terms={"result": Term(waiting, _("等待下一轮结果"))})


def _tell(allocation: Allocation, offers: Sequence[Offer]) -> None:
    """Each guardian once: the applicant and whoever is confirmed beside."""
    keys = [offer.application_id for offer in offers]
    people: dict[int, set[int]] = defaultdict(set)
    for offer in offers:
        if offer.application.applicant_id:
            people[offer.application_id].add(offer.application.applicant_id)
    parties = Party.objects.filter(application__in=keys, confirmed=True, user__isnull=False)
    for application_id, user_id in parties.values_list("application_id", "user_id"):
        people[application_id].add(user_id)
    notify_each(
        (
            (
                user_id,
                f"application.result.{allocation.round}.{offer.application_id}",
                reverse("my_application", args=[offer.application.case.number]),
            )
            for offer in offers
            for user_id in people[offer.application_id]
        ),
        title=_("录取结果已公布，请查看"),
        urgent=True,
    )


@transaction.atomic
def lapse_unanswered(today: dt.date, *, by: JobActor) -> int:
    """Offers that had to be confirmed and were not: the place is free, the child in the next round.

    Run by the program every night; a second run finds nothing.  Returns how many lapsed.
    """
    offers = list(
        Offer.objects.select_for_update(of=("self",))
        .filter(respond_by__lt=today, answer=Offer.Answer.NONE, application__state="placed")
        .select_related("application__season", "application__case")
        .order_by("pk")
    )
    if not offers:
        return 0
    by_season: dict[int, list[Offer]] = defaultdict(list)
    for offer in offers:
        by_season[offer.application.season_id].append(offer)
    for rows in by_season.values():
        season = rows[0].application.season
        settings = admission_settings(today, authority_code(season.organisation_id, today))
        due = today + dt.timedelta(days=settings["result_days"].value)
        advance_many(
            [offer.application for offer in rows],
            "lapse",
            by=by,
            terms={"result": Term(due, _("等待下一轮结果"))},
        )
    Offer.objects.filter(pk__in=[offer.pk for offer in offers]).update(
        answer=Offer.Answer.LAPSED, answered_at=timezone.now()
    )
    notify_each(
        (
            (
                offer.application.applicant_id,
                f"application.lapsed.{offer.pk}",
                reverse("my_application", args=[offer.application.case.number]),
            )
            for offer in offers
            if offer.application.applicant_id
        ),
        title=_("录取确认已过期，学位不再保留"),
        urgent=True,
    )
    return len(offers)


def published(season: Season) -> list[Allocation]:
    """The published runs of a season, first round first."""
    rows = season.allocations.filter(published_at__isnull=False, what_if="")
    return list(rows.select_related("draw", "freeze").order_by("round"))

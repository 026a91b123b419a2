"""Answering a family that asks to have its result looked at again (复核)."""

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.models import Offer, Review, Season
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import advance
from xuezheng.kernel.notices.services import notify


def uphold(review: Review, *, note: str, version: int, by: Actor) -> Move:
    """The result stands; the note says why, for the family."""
    return _answer(review, "uphold", note=note, version=version, by=by)


def change(review: Review, *, note: str, version: int, by: Actor) -> Move:
    """The result was wrong.  Nobody places a child by hand: the allocation desk reads the note."""
    return _answer(review, "change", note=note, version=version, by=by)


def to_carry_out(season: Season, *, by: Actor) -> QuerySet[Review]:
    """Reviews that found a result wrong, while no later round has given the child another one."""
    later = Offer.objects.filter(
        application=OuterRef("application"),
        allocation__published_at__gt=OuterRef("case__closed_at"),
    )
    rows = Review.objects.visible_to(by).filter(application__season=season, state="changed")
    note = Move.objects.filter(case=OuterRef("case"), step="change").values("note")[:1]
    return (
        rows.filter(~Exists(later))
        .annotate(note=Subquery(note))
        .select_related("case", "application__entry")
        .order_by("case__closed_at", "pk")
    )


def _answer(review: Review, step: str, *, note: str, version: int, by: Actor) -> Move:
    move = advance(review, step, by=by, version=version, note=note)
    application = review.application
    if application.applicant_id:
        notify(
            [application.applicant_id],
            key=f"review.answered.{review.pk}",
            title=_("录取复核 %s 已答复") % review.case.number,
            path=reverse("my_application", args=[application.case.number]),
        )
    return move

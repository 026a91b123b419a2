"""Answering a family that asks to have its result looked at again (复核)."""

from django.urls import reverse
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.models import Review
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

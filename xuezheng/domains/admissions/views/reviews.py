"""The page of a review (复核) for whoever answers it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import REVIEW
from xuezheng.domains.admissions.forms.roll import REVIEW_FORMS
from xuezheng.domains.admissions.models import Offer, Review
from xuezheng.domains.admissions.services.explaining import reason_sentence
from xuezheng.domains.admissions.views import desk
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.ui.cases import history, open_forms, permissions_of, take_step


def _visible(request: HttpRequest, number: str) -> Review:
    rows = Review.objects.visible_to(request.actor).select_related(
        "case__organisation", "application__case__organisation", "application__season"
    )
    return get_object_or_404(rows, case__number=number)


def _detail(
    request: HttpRequest, review: Review, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    offer = (
        Offer.objects.filter(application=review.application)
        .select_related("intake__school", "allocation")
        .order_by("-id")
        .first()
    )
    context = {
        "review": review,
        "application": review.application,
        "case": review.case,
        "reason": reason_sentence(offer) if offer else "",
        "moves": history(review.case),
        "clocks": review.case.clocks.order_by("started", "id"),
        "forms": forms.values(),
    }
    return desk.page(request, "review_detail", "verifying", context, status)


@require_GET
@requires(Permission.REVIEW)
def review_detail(request: HttpRequest, number: str) -> HttpResponse:
    """What the family says, the result and its reason, the two answers."""
    review = _visible(request, number)
    desk.read_as(
        request,
        "application.open",
        Permission.REVIEW,
        review.case.organisation_id,
        object_type="application",
        object_id=review.application.case.number,
    )
    return _detail(request, review, open_forms(review, request.actor, REVIEW_FORMS))


@require_POST
@requires(*permissions_of(REVIEW, REVIEW_FORMS))
def review_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Answer."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        row = _visible(request, number)
        return _detail(request, row, open_forms(row, request.actor, REVIEW_FORMS) | bound, status)

    return take_step(request, _visible(request, number), step, REVIEW_FORMS, page)

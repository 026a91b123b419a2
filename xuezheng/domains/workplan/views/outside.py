"""Outside units: the office's question with its link, the page behind the link, an answer on behalf."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import OutsideRequest, RoundReport
from xuezheng.domains.workplan.services import outside
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.guards import public, requires
from xuezheng.kernel.access.limits import limited
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.reference.parameters import setting


@require_POST
@requires(Permission.REPORT)
def outside_ask(request: HttpRequest, number: str) -> HttpResponse:
    """Make a link for a unit; it is shown once, to be sent by whatever way the unit reads."""
    rows = RoundReport.objects.visible_to(request.actor).select_related(
        "case", "commitment", "round__plan__organisation"
    )
    report = get_object_or_404(rows, case__number=number)
    try:
        row, token = outside.ask_outside(
            report,
            unit=request.POST.get("unit", ""),
            question=request.POST.get("question", ""),
            by=request.actor,
        )
    except StepRefused as refused:
        messages.error(request, str(refused))
        return redirect("round_report", number)
    context = {
        "row": row,
        "report": report,
        "link": request.build_absolute_uri(reverse("outside_answer", args=[token])),
    }
    response = render(request, "workplan/outside_link.html", context)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@requires(Permission.REPORT)
def outside_behalf(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """The office writes the answer that a unit gave by telephone or letter."""
    rows = OutsideRequest.objects.visible_to(request.actor).select_related("report__case")
    row = get_object_or_404(rows, pk=pk, report__case__number=number)
    try:
        with transaction.atomic():
            outside.answer_on_behalf(row, text=request.POST.get("text", ""), by=request.actor)
    except StepRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("已代为登记答复。"))
    return redirect("round_report", number)


@require_http_methods(["GET", "POST"])
@public
def outside_answer(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a link: one task, one question, one answer; nothing else of the bureau."""
    per_hour = setting("workplan.outside.per_hour", timezone.localdate(), "").value
    limited(request, "workplan.outside", per_hour=int(per_hour))
    error, text = "", request.POST.get("text", "")
    try:
        if request.method == "POST":
            with transaction.atomic():
                outside.answer_by_link(token=token, text=text, by=JobActor("workplan.outside"))
            return _closed(request, _("谢谢，答复已收到。"), 200)
        row = outside.request_of(token)
    except outside.LinkGone as gone:
        return _closed(request, str(gone), 410)
    except StepRefused as refused:
        error, row = str(refused), outside.request_of(token)
    context = {"row": row, "error": error, "text": text, "longest": outside.LONGEST_ANSWER}
    response = render(
        request, "workplan/outside_answer.html", context, status=422 if error else 200
    )
    return _private(response)


def _closed(request: HttpRequest, words: str, status: int) -> HttpResponse:
    return _private(
        render(request, "workplan/outside_closed.html", {"words": words}, status=status)
    )


def _private(response: HttpResponse) -> HttpResponse:
    """The address is a secret: it is neither kept nor handed on to another host.

    Not `no-referrer`: under it browsers send `Origin: null` with the form, and the answer is refused.
    """
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response

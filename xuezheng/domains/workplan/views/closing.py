"""Closings: the office applies, the plan office checks, a leader approves."""

from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.closing_forms import CLOSING_FORMS, ClosingForm
from xuezheng.domains.workplan.models import Closing
from xuezheng.domains.workplan.views.commitments import visible_commitment
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.ui.cases import attachment_response, history, open_forms, take_step
from xuezheng.kernel.ui.steps import attempt


def _closing(request: HttpRequest, number: str) -> Closing:
    rows = Closing.objects.visible_to(request.actor).select_related(
        "case__organisation", "commitment__plan__organisation", "commitment__leader"
    )
    return get_object_or_404(rows, case__number=number)


@require_http_methods(["GET", "POST"])
@requires(Permission.REPORT)
def closing_apply(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Apply for closing a commitment, with evidence."""
    commitment = visible_commitment(request, plan_id, code)
    form = ClosingForm(
        request.POST or None, request.FILES or None, commitment=commitment, actor=request.actor
    )
    if request.method == "POST" and form.is_valid():
        row = attempt(form, form.save)
        if row:
            return redirect(row.case.get_absolute_url())
    context = {
        "form": form,
        "title": _("申请销号"),
        "lead": str(commitment),
        "submit": _("申请销号"),
        "back": commitment.code,
        "cancel_url": commitment.get_absolute_url(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "workplan/commitment_form.html", context, status=status)


@require_GET
@requires(Permission.SEE, Permission.REPORT)
def closing_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One application: what the office says, its evidence, the steps open to the reader."""
    row = _closing(request, number)
    return _page(request, row, open_forms(row, request.actor, CLOSING_FORMS))


def _page(
    request: HttpRequest, row: Closing, found: dict[str, forms.Form], status: int = 200
) -> HttpResponse:
    context = {
        "closing": row,
        "case": row.case,
        "commitment": row.commitment,
        "moves": history(row.case),
        "forms": found.values(),
        "may_see": request.actor.can(Permission.SEE),
    }
    return render(request, "workplan/closing_detail.html", context, status=status)


@require_POST
@requires(Permission.ACCEPT, Permission.DECIDE)
def closing_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Check, approve, send back."""
    row = _closing(request, number)

    def page(found: dict[str, forms.Form], status: int) -> HttpResponse:
        fresh = _closing(request, number)
        return _page(
            request, fresh, open_forms(fresh, request.actor, CLOSING_FORMS) | found, status
        )

    return take_step(request, row, step, CLOSING_FORMS, page)


@require_GET
@requires(Permission.SEE, Permission.REPORT)
def closing_file(request: HttpRequest, number: str, file_id: str) -> FileResponse:
    """A piece of evidence of an application that the reader may see."""
    return attachment_response(_closing(request, number).case, file_id)

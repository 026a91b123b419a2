"""The counter: a family without a phone, or with a paper form, gets the same reference."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.forms.counter import CounterForm
from xuezheng.domains.admissions.models import Application
from xuezheng.domains.admissions.selectors import open_seasons
from xuezheng.domains.admissions.services.counter import register_at_counter
from xuezheng.domains.admissions.views import desk
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.ui.steps import attempt


@require_http_methods(["GET", "POST"])
@requires(Permission.COUNTER)
def counter_register(request: HttpRequest) -> HttpResponse:
    """Type a registration for a family; the receipt is printed at once."""
    if request.method == "POST":
        form = CounterForm(request.POST, request.FILES, actor=request.actor)
        if form.is_valid() and (number := attempt(form, lambda: _submit(request, form))):
            return redirect("counter_receipt", number)
    else:
        form = CounterForm(initial={"key": uuid.uuid4()}, actor=request.actor)
    context = {
        "title": _("窗口代办登记"),
        "form": form,
        "closed": not open_seasons(),
    }
    return desk.page(request, "counter_register", "counter", context, 422 if form.errors else 200)


def _submit(request: HttpRequest, form: CounterForm) -> str:
    data = form.cleaned_data
    made = register_at_counter(
        season=data["season"],
        answers=form.answers,
        channel=data["channel"],
        paper_kind=data["paper_kind"],
        papers=data["papers"],
        key=data["key"],
        by=request.actor,
    )
    return made.number


@require_GET
@requires(Permission.COUNTER)
def counter_receipt(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt, to be printed.  For a child of another school it shows the reference alone."""
    rows = Application.objects.visible_to(request.actor).select_related(
        "case__organisation", "season__organisation", "entry"
    )
    application = rows.filter(case__number=number).first()
    if application is None:
        # Whoever typed it may not see another school's registration; the reference is theirs to print.
        case = get_object_or_404(
            Case.objects.filter(kind="application", moves__user=request.user), number=number
        )
        return desk.page(
            request, "counter_receipt", "counter", {"case": case, "title": _("登记回执")}
        )
    desk.read_as(
        request,
        "application.receipt",
        Permission.SEE,
        application.case.organisation_id,
        object_type="application",
        object_id=number,
    )
    context = {"case": application.case, "application": application, "title": _("登记回执")}
    return desk.page(request, "counter_receipt", "counter", context)

"""Pages of the verifier."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application
from xuezheng.kernel.access.guards import requires


@require_GET
@requires(Permission.SEE)
def application_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One application, for the office."""
    rows = Application.objects.visible_to(request.actor).select_related("case")
    application = get_object_or_404(rows, case__number=number)
    return render(request, "admissions/application_detail.html", {"application": application})

"""Pages of a family: its applications."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application
from xuezheng.kernel.access.guards import requires


@require_GET
@requires(Permission.APPLY)
def my_application(request: HttpRequest, number: str) -> HttpResponse:
    """One application with its state, for the family."""
    rows = Application.objects.visible_to(request.actor).filter(applicant=request.user)
    application = get_object_or_404(rows.select_related("case"), case__number=number)
    return render(request, "admissions/my_application.html", {"application": application})

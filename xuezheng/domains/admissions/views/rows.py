"""From a row behind a figure to the page of the child's registration or follow-up."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application, FollowUp, RollEntry
from xuezheng.kernel.access.guards import requires


@requires(Permission.SEE, Permission.FOLLOW_UP)
@require_GET
def enrolment_row(request: HttpRequest, pk: int) -> HttpResponse:
    """The latest registration of a child on the roll, else its follow-up."""
    entry = get_object_or_404(RollEntry.objects.visible_to(request.actor), pk=pk)
    for kind in (Application, FollowUp):
        rows = kind.objects.visible_to(request.actor).filter(entry=entry)
        if row := rows.select_related("case").order_by("-case_id").first():
            return redirect(row.case)
    raise Http404

"""One search box: case numbers, titles and organisations that the reader may see."""

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.workplan.models import Commitment, Milestone
from xuezheng.kernel.access.guards import signed_in

LIMIT = 20


@require_GET
@signed_in
def search(request: HttpRequest) -> HttpResponse:
    """Results by system, at most twenty each.  A full number goes straight to its page.

    Nothing is remembered: the words stay in this one request.
    """
    words = request.GET.get("q", "").strip()[:60]
    groups = {"hazards": [], "commitments": [], "milestones": []}
    if words:
        actor = request.actor
        by_case = Q(case__number__icontains=words) | Q(case__organisation__name__icontains=words)
        hazards = Hazard.objects.visible_to(actor).select_related("case__organisation")
        milestones = Milestone.objects.visible_to(actor).select_related("case__organisation")
        commitments = Commitment.objects.visible_to(actor).live()
        groups = {
            "hazards": hazards.filter(by_case | Q(place__icontains=words))[:LIMIT],
            "milestones": milestones.filter(by_case | Q(title__icontains=words)).distinct()[:LIMIT],
            "commitments": commitments.filter(
                Q(code__iexact=words) | Q(title__icontains=words) | Q(wording__icontains=words)
            ).select_related("plan")[:LIMIT],
        }
        exact = [
            row
            for name in ("hazards", "milestones")
            for row in groups[name]
            if row.case.number == words.upper()
        ]
        if exact:
            return redirect(exact[0].case.get_absolute_url())
    return render(request, "boards/search.html", {"words": words, **groups})

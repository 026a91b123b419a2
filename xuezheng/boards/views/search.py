"""One search box: case numbers, titles, organisations and people that the reader may see."""

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.workplan.models import Commitment, Milestone
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.guards import signed_in
from xuezheng.kernel.access.words import kept_words
from xuezheng.kernel.audit.trail import record_read
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission as Registry
from xuezheng.registry.models import Pupil, StaffMember

LIMIT = 20


def _people(actor: Actor, words: str) -> dict[str, object]:
    """Pupils, staff and sites in reach, for whoever may see such rows."""
    groups = {}
    if actor.can(Registry.PUPIL_SEE):
        rows = Pupil.objects.visible_to(actor).live().search(words)
        groups["pupils"] = rows.select_related("organisation", "school_class")[:LIMIT]
    if actor.can(Registry.STAFF_SEE):
        rows = StaffMember.objects.visible_to(actor).live().search(words)
        groups["staff"] = rows.select_related("organisation")[:LIMIT]
    if actor.can(Registry.SITE_SEE):
        named = Q(name__icontains=words) | Q(short_name__icontains=words) | Q(code__iexact=words)
        groups["sites"] = selectors.sites(actor).filter(named)[:LIMIT]
    return groups


@require_GET
@signed_in
def search(request: HttpRequest) -> HttpResponse:
    """Results by system, at most twenty each.  A full number goes straight to its page.

    The words lie in the session, not in the address.  Where people could be among the results, the trail notes that
    somebody was looked up, and how many were found.
    """
    handle = request.GET.get("w", "")
    words = kept_words(request, handle)
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
        groups |= _people(actor, words)
        if "pupils" in groups or "staff" in groups:
            found = sum(len(groups.get(name, ())) for name in ("pupils", "staff"))
            record_read(request, "people.search", object_type="people", detail={"found": found})
        exact = [
            row
            for name in ("hazards", "milestones")
            for row in groups[name]
            if row.case.number == words.upper()
        ]
        if exact:
            return redirect(exact[0].case.get_absolute_url())
    lost = bool(handle) and words is None
    return render(request, "boards/search.html", {"words": words, "lost": lost, **groups})

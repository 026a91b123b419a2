"""Pages of guardians and of where a pupil lives."""

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xuezheng.kernel.access.guards import requires
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange import GUARDIANS
from xuezheng.registry.filters import GuardianFilter
from xuezheng.registry.forms.base import OnDayForm
from xuezheng.registry.forms.people import GuardianForm, ResidenceForm
from xuezheng.registry.models import Guardian, Guardianship, Residence
from xuezheng.registry.services import addresses, guardians
from xuezheng.registry.views.common import form_page, list_page, page
from xuezheng.registry.views.pupils import pupil_trail, visible_pupil


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_SEE)
def guardian_list(request: HttpRequest) -> HttpResponse:
    """Guardians of pupils in reach, with their children there."""
    actor = request.actor
    rows = Guardian.objects.visible_to(actor).live().order_by("initials", "name", "id")
    filterset = GuardianFilter(request.GET, queryset=rows, request=request)

    def prepare(shown: list[Guardian]) -> dict[str, Any]:
        held = Guardianship.objects.filter(guardian__in=shown, valid_to__isnull=True)
        scope = actor.scope(Permission.PUPIL_SEE)
        if not scope.everything:
            held = held.filter(pupil__organisation__within=scope.organisations)
        children: dict[Any, list[Guardianship]] = {}
        for row in held.select_related("pupil__organisation").order_by("pupil__born_on", "id"):
            children.setdefault(row.guardian_id, []).append(row)
        for row in shown:
            row.children = children.get(row.id, [])
        return {}

    return list_page(
        request,
        filterset,
        section="guardians",
        template="guardian_list",
        title=_("监护人"),
        table=GUARDIANS,
        may_export=actor.can(Permission.PUPIL_EXPORT),
        may_reveal=actor.can(Permission.PUPIL_REVEAL),
        searched="guardian",
        prepare=prepare,
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def guardian_add(request: HttpRequest, pk: Any) -> HttpResponse:
    """Add a guardian to a pupil."""
    pupil = visible_pupil(request, pk, Permission.PUPIL_EDIT)
    form = GuardianForm(request.POST or None, actor=request.actor)
    back = reverse("pupil_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: guardians.add_guardian(
            pupil,
            fields=form.values(),
            relation=form.cleaned_data["relation"],
            main=form.cleaned_data["main"],
            by=request.actor,
        ),
        section="pupils",
        title=_("增加监护人"),
        lead=pupil.name,
        done=back,
        message=_("已增加。"),
        back=back,
        trail=pupil_trail(pupil),
    )


def _held(request: HttpRequest, pk: Any, held: int) -> Guardianship:
    pupil = visible_pupil(request, pk, Permission.PUPIL_EDIT)
    rows = Guardianship.objects.filter(pupil=pupil, valid_to__isnull=True)
    return get_object_or_404(rows.select_related("guardian", "pupil"), pk=held)


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def guardian_edit(request: HttpRequest, pk: Any, held: int) -> HttpResponse:
    """Edit a guardian and the relation."""
    row = _held(request, pk, held)
    form = GuardianForm(request.POST or None, actor=request.actor, held=row)
    back = reverse("pupil_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: guardians.edit_guardian(
            row,
            fields=form.values(),
            relation=form.cleaned_data["relation"],
            main=form.cleaned_data["main"],
            version=form.cleaned_data["version"] or 0,
            by=request.actor,
        ),
        section="pupils",
        title=_("修改监护人"),
        lead=row.pupil.name,
        done=back,
        message=_("已保存。"),
        back=back,
        trail=pupil_trail(row.pupil),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def guardian_end(request: HttpRequest, pk: Any, held: int) -> HttpResponse:
    """End a guardianship."""
    row = _held(request, pk, held)
    form = OnDayForm(request.POST or None, actor=request.actor)
    back = reverse("pupil_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: guardians.end_guardianship(row, **form.cleaned_data, by=request.actor),
        section="pupils",
        title=_("结束监护关系"),
        lead=row.guardian.name,
        submit=_("结束"),
        done=back,
        message=_("已结束。"),
        back=back,
        trail=pupil_trail(row.pupil),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def pupil_residence(request: HttpRequest, pk: Any) -> HttpResponse:
    """Choose where a pupil is registered or lives: community, road, then number.

    Only registered dwellings can be chosen, so that service areas can be computed; a typed address
    is nowhere stored.
    """
    pupil = visible_pupil(request, pk, Permission.PUPIL_EDIT)
    actor = request.actor
    back = reverse("pupil_detail", args=[pk])
    communities = selectors.communities(actor)
    community = _picked(communities, request.GET.get("community", ""))
    road = request.GET.get("road", "")
    kind = request.GET.get("kind", "")
    rows = selectors.dwellings(actor).filter(community=community) if community else None
    roads = []
    if rows is not None:
        roads = list(rows.order_by("road").values_list("road").annotate(Count("id")))
        rows = rows.filter(road=road)
    if rows is None or not road:
        context = {
            "title": _("登记住址"),
            "pupil": pupil,
            "communities": communities.annotate(count=Count("dwellings", filter=Q())),
            "community": community,
            "roads": roads,
            "kind": kind,
            "cancel_url": back,
            "trail": pupil_trail(pupil),
        }
        return page(request, "residence", "pupils", context)
    initial = {"kind": kind if kind in Residence.Kind.values else Residence.Kind.ACTUAL.value}
    form = ResidenceForm(request.POST or None, dwellings=rows, initial=initial)
    return form_page(
        request,
        form,
        lambda: addresses.set_residence(pupil, **form.cleaned_data, by=actor),
        section="pupils",
        title=_("登记住址"),
        lead=f"{pupil.name} · {community} · {road}",
        done=back,
        message=_("已登记住址。"),
        back=reverse("pupil_residence", args=[pk]),
        trail=pupil_trail(pupil),
    )


def _picked(rows: Any, key: str) -> Any:
    return rows.filter(pk=int(key)).first() if key.isdigit() and len(key) < 12 else None

"""Pages of communities and dwellings."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xuezheng.kernel.access.guards import requires
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange import COMMUNITIES, DWELLINGS
from xuezheng.registry.filters import CommunityFilter, DwellingFilter
from xuezheng.registry.forms.places import CommunityForm, DwellingForm
from xuezheng.registry.models import Community, Dwelling
from xuezheng.registry.services import addresses
from xuezheng.registry.views.common import form_page, list_page


@require_http_methods(["GET", "POST"])
@requires(Permission.ADDRESS_SEE)
def community_list(request: HttpRequest) -> HttpResponse:
    """Communities and villages with their numbers of dwellings."""
    rows = selectors.communities(request.actor).order_by("code")
    filterset = CommunityFilter(request.GET, queryset=rows, request=request)

    def prepare(shown: list[Community]) -> dict[str, object]:
        counts = dict(
            Dwelling.objects.filter(community__in=shown)
            .values_list("community")
            .annotate(Count("id"))
        )
        for row in shown:
            row.dwelling_count = counts.get(row.id, 0)
        return {}

    return list_page(
        request,
        filterset,
        section="addresses",
        template="community_list",
        title=_("社区（村）"),
        table=COMMUNITIES,
        may_export=True,
        prepare=prepare,
        chips=[
            ("", _("全部")),
            *((kind.value, kind.label) for kind in Community.Kind),
        ],
        may_edit=request.actor.can(Permission.ADDRESS_EDIT),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.ADDRESS_SEE)
def dwelling_list(request: HttpRequest) -> HttpResponse:
    """Dwellings; nothing of who lives there."""
    rows = selectors.dwellings(request.actor).order_by(
        "community__code", "road", "number", "building", "room", "id"
    )
    filterset = DwellingFilter(request.GET, queryset=rows, request=request)
    return list_page(
        request,
        filterset,
        section="addresses",
        template="dwelling_list",
        title=_("住址（门牌）"),
        table=DWELLINGS,
        may_export=True,
        chips=[("", _("全部")), ("odd", _("单号")), ("even", _("双号"))],
        may_edit=request.actor.can(Permission.ADDRESS_EDIT),
    )


def _community_form(request: HttpRequest, row: Community | None) -> HttpResponse:
    form = CommunityForm(request.POST or None, actor=request.actor, instance=row)
    back = reverse("community_list")
    return form_page(
        request,
        form,
        lambda: addresses.save_community(row, **form.cleaned_data, by=request.actor),
        section="addresses",
        title=_("修改社区（村）") if row else _("新建社区（村）"),
        done=back,
        message=_("已保存。"),
        back=back,
        trail=[(back, _("社区（村）"))],
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.ADDRESS_EDIT)
def community_add(request: HttpRequest) -> HttpResponse:
    """Enter a community."""
    return _community_form(request, None)


@require_http_methods(["GET", "POST"])
@requires(Permission.ADDRESS_EDIT)
def community_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit a community."""
    return _community_form(request, get_object_or_404(selectors.communities(request.actor), pk=pk))


def _dwelling_form(request: HttpRequest, row: Dwelling | None) -> HttpResponse:
    initial = {} if row else {"community": request.GET.get("community", "")}
    form = DwellingForm(request.POST or None, actor=request.actor, instance=row, initial=initial)
    back = reverse("dwelling_list")
    return form_page(
        request,
        form,
        lambda: addresses.save_dwelling(row, **form.cleaned_data, by=request.actor),
        section="addresses",
        title=_("修改住址") if row else _("新建住址"),
        done=back,
        message=_("已保存。"),
        back=back,
        trail=[(back, _("住址（门牌）"))],
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.ADDRESS_EDIT)
def dwelling_add(request: HttpRequest) -> HttpResponse:
    """Enter a dwelling."""
    return _dwelling_form(request, None)


@require_http_methods(["GET", "POST"])
@requires(Permission.ADDRESS_EDIT)
def dwelling_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit a dwelling."""
    return _dwelling_form(request, get_object_or_404(selectors.dwellings(request.actor), pk=pk))

"""Who looked at whom: for the auditor, for whoever answers for the person, for the person."""

import uuid
from typing import Any

import django_filters as filters
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.kernel.access.guards import requires, signed_in
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.audit.trail import record, record_read
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.kernel.ui.lists import list_context
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.looking import in_words, trail_of
from xuezheng.registry.models import StaffMember
from xuezheng.registry.services import families
from xuezheng.registry.services.common import allowed, tidy_number
from xuezheng.registry.views.common import page
from xuezheng.registry.views.placing import NumberForm
from xuezheng.registry.views.pupils import visible_pupil
from xuezheng.registry.views.staff import visible_member

KINDS = ("pupil", "staff")


class LookFilter(filters.FilterSet):
    """By kind of act and day."""

    act = filters.ChoiceFilter(
        label=gettext_lazy("动作"),
        choices=[("read", gettext_lazy("查看")), ("write", gettext_lazy("修改"))],
        method="by_act",
    )
    since = filters.DateFilter(
        label=gettext_lazy("日期起"), field_name="at", lookup_expr="date__gte", widget=DateInput
    )
    until = filters.DateFilter(
        label=gettext_lazy("日期止"), field_name="at", lookup_expr="date__lte", widget=DateInput
    )

    class Meta:
        model = Entry
        fields = ()

    def by_act(self, rows: Any, name: str, value: str) -> Any:
        """Reading acts end in open, reveal, looked or compare."""
        reads = r"\.(open|reveal|looked|compare)$"
        found = {"action__regex": reads}
        return rows.filter(**found) if value == "read" else rows.exclude(**found)


@require_http_methods(["GET", "POST"])
@requires(Permission.LOOKED_AT)
def looked_search(request: HttpRequest) -> HttpResponse:
    """The auditor finds a person by the whole number; it is not kept, and stands in no address."""
    form = NumberForm(request.POST or None)
    missing = False
    if request.method == "POST" and form.is_valid():
        number = tidy_number(form.cleaned_data["number"], "1")
        pupils = selectors.pupil_ids_with(number)
        members = StaffMember.objects.live().filter(id_number=number).values_list("pk", flat=True)
        found = [("pupil", key) for key in pupils] + [("staff", key) for key in members]
        record("looked.search", by=request.actor, detail={"found": len(found)})
        if found:
            return redirect("looked_detail", *found[0])
        missing = True
    context = {"title": _("谁看过谁"), "form": form, "missing": missing}
    return page(request, "looked_search", "looked", context, 422 if form.errors else 200)


def _looked(
    request: HttpRequest,
    kind: str,
    person_id: uuid.UUID,
    name: str,
    section: str,
    *,
    names_staff: bool = True,
) -> HttpResponse:
    rows = trail_of(kind, person_id)
    filterset = LookFilter(request.GET, queryset=rows, request=request)
    context = list_context(request, filterset, title=_("谁看过") + (f" · {name}" if name else ""))
    shown = list(context["page"].object_list)
    for entry in shown:
        entry.words = in_words(entry)
    context["page"].object_list = shown
    context["names_staff"] = names_staff
    context["chips"] = [("", _("全部")), ("read", _("查看")), ("write", _("修改"))]
    return page(request, "looked_detail", section, context)


@require_GET
@requires(Permission.LOOKED_AT)
def looked_detail(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """The trail of one person, for the auditor; the person is not named."""
    if kind not in KINDS:
        raise Http404
    post = allowed(request.actor, Permission.LOOKED_AT, None)
    record_read(request, f"{kind}.looked", post=post, object_type=kind, object_id=pk)
    return _looked(request, kind, pk, "", "looked")


@require_GET
@requires(Permission.LOOKED_AT_OWN)
def pupil_looked(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The trail of a pupil, for the head of the school and the registrar."""
    pupil = visible_pupil(request, pk, Permission.LOOKED_AT_OWN)
    post = allowed(request.actor, Permission.LOOKED_AT_OWN, pupil.organisation_id)
    record_read(request, "pupil.looked", post=post, object_type="pupil", object_id=pk)
    return _looked(request, "pupil", pk, pupil.name, "pupils")


@require_GET
@requires(Permission.LOOKED_AT_OWN)
def staff_looked(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The trail of a member of staff, for the head of the site and the registrar."""
    member = visible_member(request, pk, Permission.LOOKED_AT_OWN)
    post = allowed(request.actor, Permission.LOOKED_AT_OWN, member.organisation_id)
    record_read(request, "staff.looked", post=post, object_type="staff", object_id=pk)
    return _looked(request, "staff", pk, member.name, "staff")


@require_GET
@signed_in
def my_looked(request: HttpRequest) -> HttpResponse:
    """Who looked at the reader's own record, or at whose children's; nothing where none is linked."""
    own = StaffMember.objects.live().filter(user=request.user).first()
    if own is None:
        if children := families.children_of(request.user):
            context = {"title": _("谁看过我的档案"), "children": children}
            return page(request, "my_looked_children", "", context)
        return page(request, "my_looked_none", "", {"title": _("谁看过我的档案")})
    return _looked(request, "staff", own.pk, own.name, "")


@require_GET
@signed_in
def my_child_looked(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Which post looked at a child of the reader's, when and why; 404 for any other child."""
    child = next((row for row in families.children_of(request.user) if row.pk == pk), None)
    if child is None:
        raise Http404
    record_read(request, "pupil.looked", object_type="pupil", object_id=pk)
    return _looked(request, "pupil", pk, child.name, "", names_staff=False)

"""Pages of members of staff."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange import STAFF
from xuezheng.registry.filters import StaffFilter
from xuezheng.registry.forms.base import OnDayForm, RevealForm
from xuezheng.registry.forms.people import AccountForm, EmployForm, StaffForm
from xuezheng.registry.lists import word
from xuezheng.registry.looking import REVEALED
from xuezheng.registry.models import Employment, StaffMember
from xuezheng.registry.services import staff
from xuezheng.registry.services.common import allowed
from xuezheng.registry.services.revealing import FIELDS, reveal
from xuezheng.registry.views.common import form_page, list_page, page
from xuezheng.registry.views.pupils import holds


@require_http_methods(["GET", "POST"])
@requires(Permission.STAFF_SEE)
def staff_list(request: HttpRequest) -> HttpResponse:
    """Staff in reach."""
    actor = request.actor
    rows = (
        StaffMember.objects.visible_to(actor)
        .live()
        .select_related("organisation")
        .order_by("initials", "name", "id")
    )
    filterset = StaffFilter(request.GET, queryset=rows, request=request)

    def prepare(shown: list[StaffMember]) -> dict[str, Any]:
        for row in shown:
            row.education_word = word("education", row.education) if row.education else ""
        return {}

    return list_page(
        request,
        filterset,
        section="staff",
        template="staff_list",
        title=_("教职工"),
        table=STAFF,
        may_export=True,
        may_reveal=actor.can(Permission.STAFF_REVEAL),
        searched="staff",
        prepare=prepare,
        chips=[("", _("全部")), *((c.value, c.label) for c in StaffMember.Category)],
        may_edit=actor.can(Permission.STAFF_EDIT),
    )


def visible_member(
    request: HttpRequest, pk: Any, permission: str = Permission.STAFF_SEE
) -> StaffMember:
    """A live member of staff in reach on whom the permission holds too; else 404."""
    rows = StaffMember.objects.visible_to(request.actor).live()
    member = get_object_or_404(rows.select_related("organisation", "user"), pk=pk)
    if not holds(request.actor, permission, member.organisation_id):
        raise Http404
    return member


def _trail(member: StaffMember) -> list[tuple[str, str]]:
    return [
        (reverse("staff_list"), _("教职工")),
        (reverse("staff_detail", args=[member.pk]), member.name),
    ]


@require_GET
@requires(Permission.STAFF_SEE)
def staff_detail(request: HttpRequest, pk: Any) -> HttpResponse:
    """One member of staff; that the page was opened stands in the trail."""
    merged = StaffMember.objects.visible_to(request.actor).filter(merged_into__isnull=False)
    gone = merged.filter(pk=pk).first()
    if gone is not None:
        return redirect("staff_detail", gone.merged_into_id)
    member = visible_member(request, pk)
    record_read(
        request,
        "staff.open",
        post=allowed(request.actor, Permission.STAFF_SEE, member.organisation_id),
        organisation_id=member.organisation_id,
        object_type="staff",
        object_id=member.pk,
    )
    return _detail(request, member)


def _detail(
    request: HttpRequest,
    member: StaffMember,
    *,
    shown: dict[str, str] | None = None,
    refused: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = request.actor
    reach = actor.scope(Permission.STAFF_EDIT)
    employments = list(member.employments.select_related("organisation"))
    for row in employments:
        row.may_end = row.valid_to is None and (
            reach.everything or row.organisation_id in reach.organisations
        )
    context = {
        "title": member.name,
        "member": member,
        "education": word("education", member.education) if member.education else "",
        "employments": employments,
        "may_edit": holds(actor, Permission.STAFF_EDIT, member.organisation_id),
        "may_reveal": holds(actor, Permission.STAFF_REVEAL, member.organisation_id),
        "may_look": holds(actor, Permission.LOOKED_AT_OWN, member.organisation_id)
        or actor.can(Permission.LOOKED_AT),
        "shown": shown or {},
        "refused": refused,
    }
    return page(request, "staff_detail", "staff", context, status)


@require_POST
@requires(Permission.STAFF_REVEAL)
def staff_reveal(request: HttpRequest, pk: Any) -> HttpResponse:
    """Show one whole number on this one answer; who, which and why are kept."""
    member = visible_member(request, pk, Permission.STAFF_REVEAL)
    form = RevealForm(request.POST)
    if not form.is_valid() or form.cleaned_data["field"] not in FIELDS["staff"]:
        return _detail(request, member, refused=form, status=422)
    field = form.cleaned_data["field"]
    try:
        number = reveal(
            member,
            kind="staff",
            field=field,
            organisation_id=member.organisation_id,
            permission=Permission.STAFF_REVEAL,
            reason=form.cleaned_data["reason"],
            by=request.actor,
        )
    except forms.ValidationError as error:
        form.add_error(None, error.messages[0])
        return _detail(request, member, refused=form, status=422)
    shown = {"label": str(REVEALED[field]), "number": number, "name": member.name}
    answer = _detail(request, member, shown=shown)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "POST"])
@requires(Permission.STAFF_EDIT)
def staff_add(request: HttpRequest) -> HttpResponse:
    """Enter a member of staff."""
    initial = {"organisation": request.GET.get("site", "")}
    form = StaffForm(request.POST or None, actor=request.actor, initial=initial)
    back = reverse("staff_list")

    def call() -> StaffMember:
        data = form.cleaned_data
        return staff.create_staff(
            fields=form.values(),
            organisation=data["organisation"],
            established=data["established"],
            on=data["on"],
            by=request.actor,
        )

    return form_page(
        request,
        form,
        call,
        section="staff",
        title=_("登记教职工"),
        done=lambda member: reverse("staff_detail", args=[member.pk]),
        message=_("已登记。"),
        back=back,
        trail=[(back, _("教职工"))],
    )


def _form(
    request: HttpRequest, member: StaffMember, form: forms.Form, call: Any, title: str
) -> HttpResponse:
    back = reverse("staff_detail", args=[member.pk])
    return form_page(
        request,
        form,
        call,
        section="staff",
        title=title,
        lead=member.name,
        done=back,
        message=_("已保存。"),
        back=back,
        trail=_trail(member),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.STAFF_EDIT)
def staff_edit(request: HttpRequest, pk: Any) -> HttpResponse:
    """Edit a member of staff."""
    member = visible_member(request, pk, Permission.STAFF_EDIT)
    form = StaffForm(request.POST or None, actor=request.actor, instance=member)

    def call() -> None:
        version = form.cleaned_data["version"] or 0
        staff.edit_staff(member, fields=form.values(), version=version, by=request.actor)

    return _form(request, member, form, call, _("修改教职工信息"))


@require_http_methods(["GET", "POST"])
@requires(Permission.STAFF_EDIT)
def staff_employ(request: HttpRequest, pk: Any) -> HttpResponse:
    """Add an employment."""
    member = visible_member(request, pk, Permission.STAFF_EDIT)
    form = EmployForm(request.POST or None, actor=request.actor)

    def call() -> Employment:
        return staff.employ(member, **form.cleaned_data, by=request.actor)

    return _form(request, member, form, call, _("增加任职"))


@require_http_methods(["GET", "POST"])
@requires(Permission.STAFF_EDIT)
def employment_end(request: HttpRequest, pk: Any, employment: int) -> HttpResponse:
    """End an employment."""
    member = visible_member(request, pk)
    reached = request.actor.scope(Permission.STAFF_EDIT).organisations
    rows = Employment.objects.filter(staff=member, organisation__within=reached)
    row = get_object_or_404(rows.select_related("staff"), pk=employment)
    form = OnDayForm(request.POST or None, actor=request.actor)
    form.fields["on"].label = _("最后一天")

    def call() -> None:
        staff.end_employment(row, **form.cleaned_data, by=request.actor)

    back = reverse("staff_list")
    return form_page(
        request,
        form,
        call,
        section="staff",
        title=_("结束任职"),
        lead=f"{member.name} · {row.organisation}",
        submit=_("结束任职"),
        # Whoever had the last employment here is out of the school's reach afterwards.
        done=back,
        message=_("已结束任职。"),
        back=reverse("staff_detail", args=[pk]),
        trail=_trail(member),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.STAFF_EDIT)
def staff_account(request: HttpRequest, pk: Any) -> HttpResponse:
    """Link the account that the person signs in with."""
    member = visible_member(request, pk, Permission.STAFF_EDIT)
    initial = {"username": member.user.username if member.user else ""}
    form = AccountForm(request.POST or None, initial=initial)

    def call() -> None:
        staff.link_account(member, user=form.cleaned_data["username"], by=request.actor)

    return _form(request, member, form, call, _("关联账号"))

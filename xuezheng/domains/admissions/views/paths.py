"""Pages of the requests beside the regular way, for whoever examines and whoever decides."""

from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import PATH
from xuezheng.domains.admissions.forms.desk_filters import PathFilter
from xuezheng.domains.admissions.forms.family_case import PathForm
from xuezheng.domains.admissions.forms.roll import PATH_FORMS
from xuezheng.domains.admissions.models import PathRequest
from xuezheng.domains.admissions.services.paths import ask_path
from xuezheng.domains.admissions.views import desk
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.cases import (
    attachment_response,
    history,
    open_forms,
    permissions_of,
    take_step,
)
from xuezheng.kernel.ui.lists import export_url, list_context, narrowed_by
from xuezheng.kernel.ui.steps import attempt
from xuezheng.registry.codes import masked, masked_phone

SEES = (Permission.PATHS, Permission.PATHS_DECIDE)


@require_GET
@requires(*SEES)
def path_list(request: HttpRequest) -> HttpResponse:
    """Requests, the nearest day on top."""
    rows = (
        PathRequest.objects.visible_to(request.actor)
        .select_related("case__organisation", "season", "school")
        .order_by(F("case__due").asc(nulls_last=True), "-case_id")
    )
    filterset = PathFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        return _export(request, filterset)
    context = list_context(request, filterset, title=_("特殊入学申请"))
    context |= {
        "chips": [
            ("", _("全部")),
            ("asked", _("待受理")),
            ("examined", _("待决定")),
            ("granted", _("同意")),
            ("refused", _("不同意")),
        ],
        "export_url": export_url(request),
        "kinds": PathRequest.Kind.choices if request.actor.can(Permission.PATHS) else [],
    }
    return desk.page(request, "path_list", "paths", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.PATHS)
def path_add(request: HttpRequest, kind: str) -> HttpResponse:
    """A family's paper form, typed at the bureau's window; it gets the same kind of reference."""
    if kind not in PathRequest.Kind.values:
        raise Http404
    form = PathForm(
        request.POST or None, request.FILES or None, kind=kind, actor=request.actor, at_counter=True
    )

    def call() -> PathRequest:
        data = {"season": None} | form.cleaned_data
        return ask_path(kind=kind, at_counter=True, by=request.actor, **data)

    if request.method == "POST" and form.is_valid() and (made := attempt(form, call)):
        messages.success(request, _("申请已收到，编号 %s。") % made.case.number)
        return redirect("path_detail", made.case.number)
    context = {
        "form": form,
        "title": _("窗口代办：%s") % PathRequest.Kind(kind).label,
        "submit": _("提交申请"),
        "cancel_url": reverse("path_list"),
        "trail": [(reverse("path_list"), _("特殊入学申请"))],
    }
    status = 422 if form.errors else 200
    return render(request, "admissions/plan_form.html", context, status=status)


def _export(request: HttpRequest, filterset: PathFilter) -> HttpResponse:
    columns = [
        Column(_("编号"), 18),
        Column(_("类别"), 14),
        Column(_("批次"), 22),
        Column(_("状态"), 10),
        Column(_("转入学校"), 24),
        Column(_("有效至"), 12),
        Column(_("期限"), 12),
    ]
    rows = (
        (
            row.case.number,
            row.get_kind_display(),
            row.season.title if row.season else "",
            row.get_state_display(),
            str(row.school or ""),
            row.until,
            row.case.due,
        )
        for row in filterset.qs
    )
    detail = narrowed_by(filterset)
    record_read(request, "path.export", object_type="admission_path", detail=detail)
    return list_response(request, _("特殊入学申请"), columns, rows)


def _visible(request: HttpRequest, number: str) -> PathRequest:
    rows = PathRequest.objects.visible_to(request.actor).select_related(
        "case__organisation", "season", "school", "entry"
    )
    return get_object_or_404(rows, case__number=number)


def _detail(
    request: HttpRequest, row: PathRequest, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    context = {
        "row": row,
        "case": row.case,
        "id_masked": masked(row.id_number) if row.id_number else "",
        "phone_masked": masked_phone(row.phone) if row.phone else "",
        "moves": history(row.case),
        "clocks": row.case.clocks.order_by("started", "id"),
        "forms": forms.values(),
        "decided": row.state in ("granted", "refused"),
        "to_place": row.state == "granted" and row.kind == PathRequest.Kind.TRANSFER,
    }
    return desk.page(request, "path_detail", "paths", context, status)


def _noted(request: HttpRequest, row: PathRequest) -> None:
    permission = Permission.PATHS if request.actor.can(Permission.PATHS) else SEES[1]
    desk.read_as(
        request,
        "path.open",
        permission,
        row.case.organisation_id,
        object_type="admission_path",
        object_id=row.case.number,
    )


@require_GET
@requires(*SEES)
def path_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One request with its sealed opinion, which stands on this page alone."""
    row = _visible(request, number)
    _noted(request, row)
    return _detail(request, row, open_forms(row, request.actor, PATH_FORMS))


@require_POST
@requires(*permissions_of(PATH, PATH_FORMS))
def path_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Examine or decide."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        row = _visible(request, number)
        return _detail(request, row, open_forms(row, request.actor, PATH_FORMS) | bound, status)

    return take_step(request, _visible(request, number), step, PATH_FORMS, page)


@require_GET
@requires(*SEES)
def path_file(request: HttpRequest, number: str, file_id: Any) -> FileResponse:
    """A paper of a request."""
    return attachment_response(_visible(request, number).case, file_id)


@require_GET
@requires(*SEES)
def path_decision(request: HttpRequest, number: str) -> HttpResponse:
    """The decision, to be printed; without the opinion."""
    row = _visible(request, number)
    if row.state not in ("granted", "refused"):
        raise Http404
    _noted(request, row)
    decided = row.case.moves.filter(step__in=("grant", "refuse")).order_by("-id").first()
    context = {"row": row, "case": row.case, "decided": decided}
    return desk.page(request, "path_decision", "paths", context)

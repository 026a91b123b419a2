"""Pages of the hazard system: list, report, one hazard with its steps, photos."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.oversight.access import Permission
from xuezheng.domains.oversight.filters import HazardFilter
from xuezheng.domains.oversight.flows import HAZARD
from xuezheng.domains.oversight.forms import STEP_FORMS, ReportForm
from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.oversight.selectors import categories, hazard_settings
from xuezheng.domains.oversight.services import urge_hazard
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
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

#: A person who may only report sees what they reported.
SEES = (Permission.SEE, Permission.REPORT)


@require_GET
@requires(*SEES)
def hazard_list(request: HttpRequest) -> HttpResponse:
    """The ledger: open ones first, the nearest due day on top."""
    rows = (
        Hazard.objects.visible_to(request.actor)
        .select_related("case__organisation")
        .order_by(F("case__due").asc(nulls_last=True), "-reported_on", "-case_id")
    )
    filterset = HazardFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        return _export(request, filterset)
    today = timezone.localdate()
    settings = hazard_settings(today, request.actor.authority_code)
    context = list_context(request, filterset, title=_("隐患台账"))
    context |= {
        "categories": dict(categories(settings)),
        "chips": [
            ("", _("全部")),
            ("open", _("未销号")),
            ("overdue", _("超期未整改")),
            ("reported", _("待定级")),
            ("rectifying", _("整改中")),
            ("rechecking", _("待复查")),
            ("closed", _("已销号")),
        ],
        "may_report": request.actor.can(Permission.REPORT),
        "export_url": export_url(request) if request.actor.can(Permission.EXPORT) else "",
        "unconfirmed": [s for s in settings.values() if s.unconfirmed],
        "today": today,
    }
    return render(request, "oversight/hazard_list.html", context)


def _export(request: HttpRequest, filterset: HazardFilter) -> HttpResponse:
    if not request.actor.can(Permission.EXPORT):
        raise PermissionDenied
    names = dict(categories(hazard_settings(timezone.localdate(), request.actor.authority_code)))
    columns = [
        Column(_("编号"), 18),
        Column(_("单位"), 28),
        Column(_("类别"), 12),
        Column(_("等级"), 14),
        Column(_("部位"), 24),
        Column(_("情况"), 50),
        Column(_("状态"), 10),
        Column(_("上报日"), 12),
        Column(_("整改期限"), 12),
        Column(_("整改完成日"), 12),
        Column(_("销号日"), 12),
    ]
    rows = (
        (
            row.case.number,
            str(row.case.organisation),
            names.get(row.category, row.category),
            row.get_grade_display(),
            row.place,
            row.description,
            row.get_state_display(),
            row.reported_on,
            row.due_on,
            row.rectified_on,
            row.closed_on,
        )
        for row in filterset.qs
    )
    record_read(request, "hazard.export", object_type="hazard", detail=narrowed_by(filterset))
    return list_response(request, _("隐患台账"), columns, rows)


@require_http_methods(["GET", "POST"])
@requires(Permission.REPORT)
def hazard_report(request: HttpRequest) -> HttpResponse:
    """Report a hazard from a phone."""
    form = ReportForm(request.POST or None, request.FILES or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        hazard = attempt(form, form.save)
        if hazard:
            messages.success(request, _("已上报，编号 %s。") % hazard.case.number)
            return redirect("hazard_detail", hazard.case.number)
    status = 422 if form.is_bound else 200
    context = {
        "form": form,
        "title": _("上报隐患"),
        "submit": _("提交上报"),
        "cancel_url": reverse("hazard_list"),
    }
    return render(request, "oversight/hazard_report.html", context, status=status)


def _visible(request: HttpRequest, number: str) -> Hazard:
    rows = Hazard.objects.visible_to(request.actor).select_related(
        "case__organisation", "reported_by"
    )
    return get_object_or_404(rows, case__number=number)


def _detail(
    request: HttpRequest, hazard: Hazard, forms: dict[str, object], status: int = 200
) -> HttpResponse:
    settings = hazard_settings(timezone.localdate(), request.actor.authority_code)
    context = {
        "hazard": hazard,
        "case": hazard.case,
        "category": dict(categories(settings)).get(hazard.category, hazard.category),
        "moves": history(hazard.case),
        "clocks": hazard.case.clocks.order_by("started", "id"),
        "forms": forms.values(),
        "may_urge": hazard.case.is_open
        and hazard.case.organisation_id in request.actor.scope(Permission.URGE),
        "unconfirmed": [s for s in settings.values() if s.unconfirmed],
    }
    return render(request, "oversight/hazard_detail.html", context, status=status)


@require_GET
@requires(*SEES)
def hazard_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One hazard: facts, photos, way so far, and the steps that are open to the reader."""
    hazard = _visible(request, number)
    return _detail(request, hazard, open_forms(hazard, request.actor, STEP_FORMS))


@require_POST
@requires(*permissions_of(HAZARD, STEP_FORMS))
def hazard_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Take a step."""

    def page(bound: dict[str, object], status: int) -> HttpResponse:
        hazard = _visible(request, number)
        forms = open_forms(hazard, request.actor, STEP_FORMS) | bound
        return _detail(request, hazard, forms, status)

    return take_step(request, _visible(request, number), step, STEP_FORMS, page)


@require_POST
@requires(Permission.URGE)
def hazard_urge(request: HttpRequest, number: str) -> HttpResponse:
    """Urge whoever owes the next step."""
    hazard = _visible(request, number)
    try:
        urge_hazard(hazard, by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已催办。"))
    return redirect("hazard_detail", number)


@require_GET
@requires(*SEES)
def hazard_file(request: HttpRequest, number: str, file_id: str) -> FileResponse:
    """A photo or document of a hazard that the reader may see."""
    return attachment_response(_visible(request, number).case, file_id)

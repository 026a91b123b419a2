"""Supervision sheets: list, issuing by hand, one sheet with its steps, to print; the week's turns."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.desk_filters import SupervisionFilter
from xuezheng.domains.workplan.desk_forms import SUPERVISION_FORMS, SheetForm
from xuezheng.domains.workplan.flows import SUPERVISION
from xuezheng.domains.workplan.models import Commitment, Milestone, Source, Supervision
from xuezheng.domains.workplan.rules import Light
from xuezheng.domains.workplan.selectors import lights_on, supervision_settings, turned
from xuezheng.domains.workplan.services import official, supervising
from xuezheng.domains.workplan.services.sheet import sheet_document
from xuezheng.domains.workplan.views.plans import visible_plan
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

SEES = (Permission.SEE, Permission.REPORT)
WEEK = dt.timedelta(days=7)
#: So many of what turned are listed, the farthest behind first; all are counted.
TURNED_SHOWN = 50


@require_GET
@requires(*SEES)
def supervision_list(request: HttpRequest) -> HttpResponse:
    """The ledger: open sheets first, the nearest due day on top."""
    rows = (
        Supervision.objects.visible_to(request.actor)
        .select_related("case__organisation", "commitment__plan")
        .order_by(F("case__due").asc(nulls_last=True), "-case_id")
    )
    filterset = SupervisionFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        return _export(request, filterset)
    context = list_context(request, filterset, title=_("督办台账"))
    context |= {
        "chips": [
            ("", _("全部")),
            ("open", _("在办")),
            ("overdue", _("逾期")),
            ("proposed", _("待签发")),
            ("replied", _("待审核")),
            ("filed", _("已归档")),
        ],
        "export_url": export_url(request) if request.actor.can(Permission.EXPORT) else "",
        "today": timezone.localdate(),
        "empty_text": ""
        if filterset.data
        else _("任务亮红灯时，夜间会自动提出督办建议；也可以在任务页手工签发。"),
    }
    return render(request, "workplan/supervision_list.html", context)


def _export(request: HttpRequest, filterset: SupervisionFilter) -> HttpResponse:
    if not request.actor.can(Permission.EXPORT):
        raise PermissionDenied
    columns = [
        Column(_("督办编号"), 18),
        Column(_("责任单位"), 20),
        Column(_("督办事项"), 40),
        Column(_("督办依据"), 12),
        Column(_("任务号"), 12),
        Column(_("督办层级"), 12),
        Column(_("状态"), 14),
        Column(_("签发日"), 12),
        Column(_("办理期限"), 12),
        Column(_("延期次数"), 8),
        Column(_("回复日"), 12),
        Column(_("办结日"), 12),
    ]
    rows = (
        (
            row.number or row.case.number,
            str(row.case.organisation),
            row.case.title,
            row.get_basis_display(),
            row.commitment.code if row.commitment else "",
            row.get_level_display(),
            row.get_state_display(),
            row.issued_on,
            row.due_on,
            row.extended,
            row.replied_on,
            row.settled_on,
        )
        for row in filterset.qs
    )
    record_read(
        request, "supervision.export", object_type="supervision", detail=narrowed_by(filterset)
    )
    return list_response(request, _("督办台账"), columns, rows)


def _basis(request: HttpRequest) -> dict[str, Any]:
    """What a new sheet is on, from the address: a commitment, a milestone of one, or a source."""
    asked = {name: request.GET.get(name, "") for name in ("commitment", "milestone", "source")}
    if not any(asked.values()):
        raise Http404
    commitment = milestone = source = None
    if asked["milestone"]:
        rows = Milestone.objects.visible_to(request.actor).select_related("commitment", "case")
        milestone = get_object_or_404(rows, case__number=asked["milestone"])
        commitment = milestone.commitment
    elif asked["commitment"].isdigit():
        rows = Commitment.objects.visible_to(request.actor)
        commitment = get_object_or_404(rows, id=asked["commitment"], plan__status="adopted")
    if asked["source"].isdigit():
        rows = Source.objects.visible_to(request.actor)
        source = get_object_or_404(rows, id=asked["source"])
    if commitment is None and source is None:
        raise Http404
    issuer = (source or commitment.plan).organisation
    return {"commitment": commitment, "milestone": milestone, "source": source, "issuer": issuer}


@require_http_methods(["GET", "POST"])
@requires(Permission.SUPERVISE)
def supervision_add(request: HttpRequest) -> HttpResponse:
    """Issue a sheet by hand."""
    basis = _basis(request)
    form = SheetForm(request.POST or None, actor=request.actor, **basis)
    if request.method == "POST" and form.is_valid():
        row = attempt(form, form.save)
        if row:
            messages.success(request, _("已签发，编号 %s。") % row.number)
            return redirect("supervision_detail", row.case.number)
    about = basis["milestone"] or basis["source"] or basis["commitment"]
    context = {
        "form": form,
        "title": _("签发督办单"),
        "lead": str(about),
        "submit": _("签发"),
    }
    return render(request, "workplan/desk_form.html", context, status=422 if form.is_bound else 200)


def _visible(request: HttpRequest, number: str) -> Supervision:
    rows = Supervision.objects.visible_to(request.actor).select_related(
        "case__organisation",
        "issuer",
        "commitment__plan",
        "commitment__leader",
        "milestone__case",
        "source",
        "signed_by",
    )
    return get_object_or_404(rows, case__number=number)


def _detail(
    request: HttpRequest, row: Supervision, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    settings = supervision_settings(timezone.localdate(), row.issuer.code)
    context = {
        "row": row,
        "case": row.case,
        "moves": history(row.case),
        "clocks": row.case.clocks.order_by("started", "id"),
        "forms": forms.values(),
        "may_see": request.actor.can(Permission.SEE),
        "may_urge": row.case.is_open
        and row.case.organisation_id in request.actor.scope(Permission.URGE),
        "unconfirmed": [s for s in settings.values() if s.unconfirmed],
    }
    return render(request, "workplan/supervision_detail.html", context, status=status)


@require_GET
@requires(*SEES)
def supervision_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One sheet: basis, demand, who signed, the answer, and the steps open to the reader."""
    row = _visible(request, number)
    return _detail(request, row, open_forms(row, request.actor, SUPERVISION_FORMS))


@require_POST
@requires(*permissions_of(SUPERVISION, SUPERVISION_FORMS))
def supervision_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Take a step."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        row = _visible(request, number)
        forms = open_forms(row, request.actor, SUPERVISION_FORMS) | bound
        return _detail(request, row, forms, status)

    return take_step(request, _visible(request, number), step, SUPERVISION_FORMS, page)


@require_POST
@requires(Permission.URGE)
def supervision_urge(request: HttpRequest, number: str) -> HttpResponse:
    """Urge whoever owes the next step."""
    try:
        supervising.urge_supervision(_visible(request, number), by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已催办。"))
    return redirect("supervision_detail", number)


@require_GET
@requires(*SEES)
def supervision_file(request: HttpRequest, number: str, file_id: str) -> FileResponse:
    """A piece of evidence of a sheet that the reader may see."""
    return attachment_response(_visible(request, number).case, file_id)


@require_GET
@requires(*SEES)
def supervision_sheet(request: HttpRequest, number: str) -> HttpResponse:
    """The sheet as one A4 page, to print."""
    row = _visible(request, number)
    return render(request, "workplan/supervision_sheet.html", {"row": row, "case": row.case})


@require_GET
@requires(*SEES)
def supervision_word(request: HttpRequest, number: str) -> HttpResponse:
    """The sheet as a Word file."""
    row = _visible(request, number)
    return word_response(sheet_document(row), f"{row.number or row.case.number}.docx")


def word_response(content: bytes, name: str) -> HttpResponse:
    """A Word file to be saved."""
    response = HttpResponse(content, content_type=official.MEDIA_TYPE)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return response


@require_GET
@requires(Permission.SEE)
def plan_week(request: HttpRequest, plan_id: int) -> HttpResponse:
    """What turned green and what turned red within seven days, as the board counts them."""
    plan = visible_plan(request, plan_id)
    if plan.in_review:
        raise Http404
    today = timezone.localdate()
    live = plan.commitments.live()
    before = lights_on(plan, today - WEEK)
    now = dict(live.order_by().values_list("id", "light"))
    groups = []
    for light, title in ((Light.RED, _("本周转红")), (Light.GREEN, _("本周转绿"))):
        chosen = turned(now, before, light)
        rows = (
            live.filter(id__in=chosen)
            .select_related("lead_office", "leader", "section")
            .order_by("-behind", "order")[:TURNED_SHOWN]
        )
        groups.append(
            {
                "title": title,
                "light": light,
                "count": len(chosen),
                "rows": [(row, before[row.id]) for row in rows],
            }
        )
    context = {
        "plan": plan,
        "groups": groups,
        "since": today - WEEK,
        "today": today,
        "ladder": supervision_settings(today, plan.organisation.code),
        "may_supervise": plan.organisation_id in request.actor.scope(Permission.SUPERVISE),
    }
    return render(request, "workplan/plan_week.html", context)

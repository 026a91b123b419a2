"""The task table: out for the file and for editing, back with a preview of every change."""

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.exchange.task_table import HEADINGS, read_table, write_table
from xuezheng.domains.workplan.models import Plan, SheetReturn
from xuezheng.domains.workplan.services import sheets
from xuezheng.domains.workplan.services.reviewing import Amendment
from xuezheng.domains.workplan.views.plans import visible_plan
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.reading import Unreadable
from xuezheng.kernel.exchange.workbook import MEDIA_TYPE
from xuezheng.kernel.ui.steps import attempt


@require_GET
@requires(Permission.EXPORT)
def sheet_export(request: HttpRequest, plan_id: int) -> HttpResponse:
    """The task table as a workbook that may be printed, filed, edited and sent back."""
    plan = visible_plan(request, plan_id)
    record_read(request, "plan.sheet", object_type="plan", object_id=plan.id)
    response = HttpResponse(write_table(plan), content_type=MEDIA_TYPE)
    name = f"tasks-{plan.year}-{timezone.localtime():%Y%m%d-%H%M}.xlsx"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class SheetForm(forms.Form):
    """The edited table."""

    file = forms.FileField(
        label=gettext_lazy("改好的任务表"),
        widget=forms.FileInput({"accept": ".xlsx"}),
        help_text=gettext_lazy("须是从本页导出的表；上传后先核对，不会马上写入。"),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.EDIT, Permission.REPORT)
def sheet_back(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Send an edited table back; what differs opens for checking."""
    plan = visible_plan(request, plan_id)
    form = SheetForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        row = _take(form, plan, request)
        if row:
            return redirect("sheet_preview", plan.id, row.pk)
    context = {
        "form": form,
        "title": _("传回任务表"),
        "lead": _(
            "按编号逐格比对：您改了什么、系统里现在是什么，都先列给您看。进展由科室改，其他内容须作为修订。"
        ),
        "submit": _("上传并核对"),
        "back": plan.year,
        "cancel_url": reverse("plan_detail", args=[plan.id]),
        "plan": plan,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "workplan/sheet_back.html", context, status=status)


def _take(form: SheetForm, plan: Plan, request: HttpRequest) -> SheetReturn | None:
    try:
        found = read_table(form.cleaned_data["file"].read(), plan)
    except Unreadable as error:
        form.add_error("file", str(error))
        return None
    return attempt(
        form,
        lambda: sheets.keep_return(
            plan, base=found.base, returned=found.rows, remarks=found.remarks, by=request.actor
        ),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.EDIT, Permission.REPORT)
def sheet_preview(request: HttpRequest, plan_id: int, pk: int) -> HttpResponse:
    """Every changed cell, old beside new, with conflicts; what is ticked is written."""
    plan = visible_plan(request, plan_id)
    row = get_object_or_404(SheetReturn.objects.visible_to(request.actor), plan=plan, pk=pk)
    error = ""
    if request.method == "POST":
        chosen = [int(at) for at in request.POST.getlist("cell") if at.isdigit()]
        try:
            with transaction.atomic():
                count = sheets.apply_return(
                    row, chosen=chosen, amendment=_amendment(request), by=request.actor
                )
        except StepRefused as refused:
            error = str(refused)
        else:
            messages.success(request, ngettext("已写入 %d 处。", "已写入 %d 处。", count) % count)
            return redirect("sheet_preview", plan.id, pk)
    else:
        chosen = [
            at for at, cell in enumerate(row.cells) if not cell["problem"] and not cell["conflict"]
        ]
    cells = [
        cell | {"at": at, "label": HEADINGS[cell["column"]][0], "ticked": at in chosen}
        for at, cell in enumerate(row.cells)
    ]
    context = {
        "plan": plan,
        "row": row,
        "cells": cells,
        "conflicts": sum(cell["conflict"] for cell in cells),
        "refused": sum(bool(cell["problem"]) for cell in cells),
        "amends": any(c["column"] != sheets.PROGRESS and not c["problem"] for c in cells)
        and not plan.in_review,
        "error": error,
        "reason": request.POST.get("reason", ""),
        "meeting_number": request.POST.get("meeting_number", ""),
    }
    return render(request, "workplan/sheet_preview.html", context, status=422 if error else 200)


def _amendment(request: HttpRequest) -> Amendment | None:
    reason, number = request.POST.get("reason", ""), request.POST.get("meeting_number", "")
    return Amendment(reason.strip()[:300], number.strip()[:60]) if reason or number else None

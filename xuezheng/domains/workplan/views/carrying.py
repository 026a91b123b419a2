"""Milestones and requests for more time: what offices report and leaders decide."""

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.forms import EXTENSION_FORMS, MILESTONE_FORMS, WithdrawForm
from xuezheng.domains.workplan.models import Extension, IssuedDocument, Milestone
from xuezheng.domains.workplan.services import carrying, reviewing
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.ui.cases import attachment_response, history, open_forms
from xuezheng.kernel.ui.steps import attempt

READS = (Permission.SEE, Permission.REPORT)


def _milestone(request: HttpRequest, number: str) -> Milestone:
    rows = Milestone.objects.visible_to(request.actor).select_related(
        "case__organisation", "commitment__plan__organisation", "commitment__leader"
    )
    return get_object_or_404(rows, case__number=number)


def _extension(request: HttpRequest, number: str) -> Extension:
    rows = Extension.objects.visible_to(request.actor).select_related(
        "case__organisation", "milestone__case", "milestone__commitment__plan__organisation"
    )
    return get_object_or_404(rows, case__number=number)


def _milestone_page(
    request: HttpRequest, milestone: Milestone, found: dict[str, forms.Form], status: int = 200
) -> HttpResponse:
    plan = milestone.commitment.plan
    context = {
        "milestone": milestone,
        "case": milestone.case,
        "commitment": milestone.commitment,
        "plan": plan,
        "moves": history(milestone.case),
        "extensions": milestone.extensions.select_related("case").order_by("-case_id"),
        "forms": found.values(),
        "may_see": request.actor.can(Permission.SEE),
        "may_urge": milestone.case.is_open
        and milestone.case.organisation_id in request.actor.scope(Permission.URGE),
        "may_supervise": milestone.case.is_open
        and plan.organisation_id in request.actor.scope(Permission.SUPERVISE),
        "may_withdraw": milestone.case.is_open
        and plan.organisation_id in request.actor.scope(Permission.EDIT),
        "withdraw": WithdrawForm(plan=plan),
        "document": IssuedDocument.objects.filter(milestone=milestone).first(),
        "may_register": milestone.state == "planned"
        and milestone.case.organisation_id in request.actor.scope(Permission.REPORT),
    }
    return render(request, "workplan/milestone_detail.html", context, status=status)


@require_GET
@requires(*READS)
def milestone_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One milestone: term, reports with evidence, requests for more time, steps open to the reader."""
    milestone = _milestone(request, number)
    return _milestone_page(
        request, milestone, open_forms(milestone, request.actor, MILESTONE_FORMS)
    )


@require_POST
@requires(Permission.REPORT, Permission.ACCEPT, Permission.EXTEND)
def milestone_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Take a step with a milestone."""
    if step not in MILESTONE_FORMS:
        raise Http404
    milestone = _milestone(request, number)
    form_class, _steps, label = MILESTONE_FORMS[step]
    form = form_class(
        request.POST, request.FILES, row=milestone, actor=request.actor, label=label, name=step
    )
    if form.is_valid():
        attempt(form, form.save)
    if form.errors:
        milestone = _milestone(request, number)
        found = open_forms(milestone, request.actor, MILESTONE_FORMS) | {step: form}
        return _milestone_page(request, milestone, found, status=422)
    messages.success(request, _("已办理：%s。") % label)
    return redirect("milestone_detail", number)


@require_POST
@requires(Permission.URGE)
def milestone_urge(request: HttpRequest, number: str) -> HttpResponse:
    """Urge whoever owes the next step."""
    milestone = _milestone(request, number)
    try:
        carrying.urge_milestone(
            milestone, note=request.POST.get("note", "")[:500], by=request.actor
        )
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已催办。"))
    return redirect("milestone_detail", number)


@require_POST
@requires(Permission.EDIT)
def milestone_withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Take a milestone out of the plan."""
    milestone = _milestone(request, number)
    commitment = milestone.commitment
    form = WithdrawForm(request.POST, plan=commitment.plan)
    if form.is_valid():
        attempt(
            form,
            lambda: reviewing.remove_milestone(
                milestone, amendment=form.amendment(), by=request.actor
            ),
        )
    for errors in form.errors.values():
        messages.error(request, " ".join(errors))
    return redirect("commitment_edit", commitment.plan_id, commitment.code)


@require_GET
@requires(*READS)
def milestone_file(request: HttpRequest, number: str, file_id: str) -> FileResponse:
    """A piece of evidence of a milestone that the reader may see."""
    return attachment_response(_milestone(request, number).case, file_id)


def _extension_page(
    request: HttpRequest, extension: Extension, found: dict[str, forms.Form], status: int = 200
) -> HttpResponse:
    context = {
        "extension": extension,
        "case": extension.case,
        "milestone": extension.milestone,
        "commitment": extension.milestone.commitment,
        "plan": extension.milestone.commitment.plan,
        "moves": history(extension.case),
        "forms": found.values(),
    }
    return render(request, "workplan/extension_detail.html", context, status=status)


@require_GET
@requires(*READS)
def extension_detail(request: HttpRequest, number: str) -> HttpResponse:
    """A request for more time and, for a leader, the decision."""
    extension = _extension(request, number)
    return _extension_page(
        request, extension, open_forms(extension, request.actor, EXTENSION_FORMS)
    )


@require_POST
@requires(Permission.DECIDE)
def extension_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Decide the request."""
    if step not in EXTENSION_FORMS:
        raise Http404
    extension = _extension(request, number)
    form_class, _steps, label = EXTENSION_FORMS[step]
    form = form_class(request.POST, row=extension, actor=request.actor, label=label, name=step)
    if form.is_valid():
        attempt(form, form.save)
    if form.errors:
        extension = _extension(request, number)
        found = open_forms(extension, request.actor, EXTENSION_FORMS) | {step: form}
        return _extension_page(request, extension, found, status=422)
    messages.success(request, _("已办理：%s。") % label)
    return redirect("extension_detail", number)

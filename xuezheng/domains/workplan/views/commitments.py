"""One commitment: what it is, how it stands and why, its parts, its light's history."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.desk_forms import NoteForm
from xuezheng.domains.workplan.forms import (
    CommitmentForm,
    MilestoneForm,
    OverrideForm,
    TargetForm,
    WithdrawForm,
)
from xuezheng.domains.workplan.models import Commitment, Supervision, Target
from xuezheng.domains.workplan.rules import assess, meets
from xuezheng.domains.workplan.selectors import (
    facts_of,
    light_settings,
    plan_readings,
    target_fact,
    thresholds,
)
from xuezheng.domains.workplan.services import lights, reviewing
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.models import Reading
from xuezheng.kernel.ui.steps import attempt


def visible_commitment(request: HttpRequest, plan_id: int, code: str) -> Commitment:
    """The commitment, or 404."""
    rows = Commitment.objects.visible_to(request.actor).select_related(
        "plan__organisation", "section__parent", "lead_office", "leader", "handler"
    )
    return get_object_or_404(rows, plan=plan_id, code=code)


def may(request: HttpRequest, commitment: Commitment, permission: str) -> bool:
    """Whether the reader holds the permission for the plan's organisation."""
    return commitment.plan.organisation_id in request.actor.scope(permission)


def _targets(request: HttpRequest, commitment: Commitment) -> list[dict]:
    """Each target with its indicator's newest reading, whether it is met, and may be opened."""
    readings = plan_readings(commitment.plan)
    rows = []
    for target in commitment.targets.all():
        reading = readings.get(target.indicator)
        rows.append(
            {
                "target": target,
                "indicator": INDICATORS.get(target.indicator),
                "reading": reading,
                "may_open": reading is not None
                and reading.organisation_id in request.actor.scope(reading.definition.permission),
                "met": meets(target_fact(target, readings)) if reading else None,
            }
        )
    return rows


def _trend(commitment: Commitment) -> dict | None:
    """The first bound indicator's readings of the plan's year, for the chart."""
    target = commitment.targets.exclude(indicator="").first()
    if target is None or target.indicator not in INDICATORS:
        return None
    readings = Reading.objects.filter(
        indicator=target.indicator,
        organisation=commitment.plan.organisation_id,
        period_from__year=commitment.plan.year,
    ).order_by("as_of")
    points = [(r.as_of.strftime("%m-%d"), r.shown) for r in readings if r.shown is not None]
    if not points:
        return None
    indicator = INDICATORS[target.indicator]
    return {
        "label": str(indicator.label),
        "unit": indicator.unit,
        "decimals": indicator.decimals,
        "labels": [day for day, _value in points],
        "actual": [value for _day, value in points],
        "plan": [],
        "target": float(target.value),
        "summary": _("最近一次 %(value)s%(unit)s，目标 %(target)s%(unit)s。")
        % {"value": points[-1][1], "unit": indicator.unit, "target": target.value_text},
    }


@require_GET
@requires(Permission.SEE)
def commitment_detail(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Milestones, evidence, targets with their readings, light with its cause and history."""
    return _detail(request, visible_commitment(request, plan_id, code))


def _detail(
    request: HttpRequest,
    commitment: Commitment,
    override: OverrideForm | None = None,
    status: int = 200,
) -> HttpResponse:
    today = timezone.localdate()
    settings = light_settings(today, commitment.plan.organisation.code)
    may_override = may(request, commitment, Permission.OVERRIDE)
    if may_override and override is None:
        override = OverrideForm(commitment=commitment, actor=request.actor)
    milestones = commitment.milestones.live().select_related("case__organisation")
    context = {
        "plan": commitment.plan,
        "commitment": commitment,
        "computed": assess(
            facts_of(commitment.plan, [commitment])[commitment.id], today, thresholds(settings)
        ),
        "targets": _targets(request, commitment),
        "trend": _trend(commitment),
        "milestones": milestones,
        "supports": commitment.supports.select_related("organisation"),
        "lights": commitment.lights.order_by("-on")[:12],
        "in_force": commitment.overrides.filter(ended_at__isnull=True, until__gte=today)
        .select_related("made_by")
        .first(),
        "override": override if may_override else None,
        "unconfirmed": [s for s in settings.values() if s.unconfirmed],
        "may_edit": may(request, commitment, Permission.EDIT),
        "closings": commitment.closings.select_related("case").order_by("-case_id"),
        "may_close": commitment.lead_office_id in request.actor.scope(Permission.REPORT)
        and not commitment.plan.in_review
        and not commitment.accepted_on,
        "today": today,
        "sheets": Supervision.objects.visible_to(request.actor)
        .filter(commitment=commitment)
        .select_related("case"),
        "sources": commitment.sources.select_related("noted_by"),
        "may_supervise": may(request, commitment, Permission.SUPERVISE)
        and not commitment.plan.in_review,
        "note_form": NoteForm() if may(request, commitment, Permission.NOTE) else None,
    }
    return render(request, "workplan/commitment_detail.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Permission.EDIT)
def commitment_edit(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Everything about one commitment on one page; parts have small forms of their own."""
    commitment = visible_commitment(request, plan_id, code)
    form = CommitmentForm(request.POST or None, instance=commitment, actor=request.actor)
    if request.method == "POST" and form.is_valid() and attempt(form, form.save):
        messages.success(request, _("已保存。"))
        return redirect("commitment_edit", plan_id, code)
    commitment = visible_commitment(request, plan_id, code)
    context = {
        "plan": commitment.plan,
        "commitment": commitment,
        "form": form,
        "title": commitment.code,
        "targets": [(t, INDICATORS.get(t.indicator)) for t in commitment.targets.all()],
        "milestones": commitment.milestones.live().select_related("case"),
        "withdraw": WithdrawForm(plan=commitment.plan),
        "sentences": _cuts(commitment.wording),
    }
    status = 422 if form.is_bound else 200
    return render(request, "workplan/commitment_edit.html", context, status=status)


def _cuts(wording: str) -> list[tuple[int, str]]:
    """Where the wording may be split: (position, the words that follow), after each stop."""
    return [
        (at, wording[at : at + 20])
        for at in range(1, len(wording))
        if wording[at - 1] in "。；，、;," and wording[at:].strip("。；，、;, ")
    ]


@require_POST
@requires(Permission.EDIT)
def commitment_split(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Cut the wording in two."""
    commitment = visible_commitment(request, plan_id, code)
    at, version = request.POST.get("at", ""), request.POST.get("version", "")
    if not (at.isdigit() and version.isdigit()):
        messages.error(request, _("请选择拆分位置。"))
        return redirect("commitment_edit", plan_id, code)
    try:
        _head, tail = reviewing.split_commitment(
            commitment, at=int(at), version=int(version), by=request.actor
        )
    except StepRefused as refused:
        messages.error(request, str(refused))
        return redirect("commitment_edit", plan_id, code)
    messages.success(request, _("已拆分，新任务编号 %s。") % tail.code)
    return redirect("plan_review", plan_id)


@require_POST
@requires(Permission.EDIT)
def commitment_withdraw(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Take the commitment out of the plan."""
    commitment = visible_commitment(request, plan_id, code)
    form = WithdrawForm(request.POST, plan=commitment.plan)
    if form.is_valid():
        attempt(
            form,
            lambda: reviewing.withdraw_commitment(
                commitment, amendment=form.amendment(), by=request.actor
            ),
        )
    if form.errors:
        messages.error(request, " ".join(e for errors in form.errors.values() for e in errors))
        return redirect("commitment_edit", plan_id, code)
    messages.success(request, _("已撤销任务 %s。") % code)
    return redirect("plan_review" if commitment.plan.in_review else "plan_detail", plan_id)


@require_http_methods(["GET", "POST"])
@requires(Permission.EDIT)
def target_form(
    request: HttpRequest, plan_id: int, code: str, target_id: int | None = None
) -> HttpResponse:
    """Add or change a target."""
    commitment = visible_commitment(request, plan_id, code)
    target = get_object_or_404(Target, commitment=commitment, id=target_id) if target_id else None
    form = TargetForm(
        request.POST or None, instance=target, commitment=commitment, actor=request.actor
    )
    if request.method == "POST" and form.is_valid() and attempt(form, form.save):
        messages.success(request, _("目标已保存。"))
        return redirect("commitment_edit", plan_id, code)
    context = {
        "plan": commitment.plan,
        "commitment": commitment,
        "form": form,
        "title": _("量化目标"),
        "submit": _("保存"),
        "back": code,
        "cancel_url": reverse("commitment_edit", args=[plan_id, code]),
    }
    return render(
        request, "workplan/commitment_form.html", context, status=422 if form.is_bound else 200
    )


@require_POST
@requires(Permission.EDIT)
def target_remove(request: HttpRequest, plan_id: int, code: str, target_id: int) -> HttpResponse:
    """Take a target out."""
    commitment = visible_commitment(request, plan_id, code)
    target = get_object_or_404(Target, commitment=commitment, id=target_id)
    form = WithdrawForm(request.POST, plan=commitment.plan)
    if form.is_valid() and not attempt(
        form,
        lambda: reviewing.remove_target(target, amendment=form.amendment(), by=request.actor),
    ):
        messages.success(request, _("目标已删除。"))
    for errors in form.errors.values():
        messages.error(request, " ".join(errors))
    return redirect("commitment_edit", plan_id, code)


@require_http_methods(["GET", "POST"])
@requires(Permission.EDIT)
def milestone_add(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Add a milestone."""
    commitment = visible_commitment(request, plan_id, code)
    form = MilestoneForm(request.POST or None, commitment=commitment, actor=request.actor)
    if request.method == "POST" and form.is_valid() and attempt(form, form.save):
        messages.success(request, _("节点已增加。"))
        return redirect("commitment_edit", plan_id, code)
    context = {
        "plan": commitment.plan,
        "commitment": commitment,
        "form": form,
        "title": _("增加节点"),
        "submit": _("增加"),
        "back": code,
        "cancel_url": reverse("commitment_edit", args=[plan_id, code]),
    }
    return render(
        request, "workplan/commitment_form.html", context, status=422 if form.is_bound else 200
    )


@require_POST
@requires(Permission.EDIT)
def milestones_propose(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Milestones of the commitment's kind, to be corrected."""
    commitment = visible_commitment(request, plan_id, code)
    try:
        reviewing.propose_milestones(commitment, by=request.actor)
    except StepRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("已按类型拟定节点，请核对。"))
    return redirect("commitment_edit", plan_id, code)


@require_POST
@requires(Permission.OVERRIDE)
def light_override(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Set or give back the light."""
    commitment = visible_commitment(request, plan_id, code)
    if commitment.plan.in_review:
        raise Http404
    if request.POST.get("action") == "end":
        lights.end_override(commitment, by=request.actor)
        messages.success(request, _("已恢复按规则亮灯。"))
        return redirect("commitment_detail", plan_id, code)
    form = OverrideForm(request.POST, commitment=commitment, actor=request.actor)
    if form.is_valid() and attempt(form, form.save):
        messages.success(request, _("已调整亮灯，页面会标明“人工调整”。"))
        return redirect("commitment_detail", plan_id, code)
    return _detail(request, visible_commitment(request, plan_id, code), form, status=422)

"""Plans: list, import, review, adoption, one plan with its commitments, versions."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.filters import CommitmentFilter
from xuezheng.domains.workplan.forms import AddCommitmentForm, AdoptForm, AssignForm, ImportForm
from xuezheng.domains.workplan.models import LIGHTS, Commitment, Plan, ReviewItem
from xuezheng.domains.workplan.services import reviewing
from xuezheng.domains.workplan.services.adopting import readiness
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.lists import export_url, list_context
from xuezheng.kernel.ui.steps import attempt


def visible_plan(request: HttpRequest, plan_id: int) -> Plan:
    """The plan, or 404 when the reader may not see it."""
    rows = Plan.objects.visible_to(request.actor).select_related("organisation", "source_file")
    return get_object_or_404(rows, id=plan_id)


def may_edit(request: HttpRequest, plan: Plan) -> bool:
    """Whether the reader may change this plan."""
    return plan.organisation_id in request.actor.scope(Permission.EDIT)


@require_GET
@requires(Permission.SEE)
def plan_list(request: HttpRequest) -> HttpResponse:
    """All plans that the reader may see, newest first; a bureau has one a year."""
    plans = Plan.objects.visible_to(request.actor).select_related("organisation")
    context = {
        "plans": plans,
        "may_edit": request.actor.can(Permission.EDIT),
        "may_draft": request.actor.can(Permission.SUPERVISE)
        or request.actor.can(Permission.DECIDE),
    }
    return render(request, "workplan/plan_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.EDIT)
def plan_import(request: HttpRequest) -> HttpResponse:
    """Upload or paste; the result opens in review."""
    form = ImportForm(request.POST or None, request.FILES or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        plan = attempt(form, form.save)
        if plan:
            count = plan.commitments.count()
            messages.success(
                request, ngettext("认出 %d 项任务。", "认出 %d 项任务。", count) % count
            )
            return redirect("plan_review", plan.id)
    status = 422 if form.is_bound else 200
    context = {
        "form": form,
        "title": _("导入计划"),
        "lead": _("上传文件或粘贴全文，二选一。认不准的地方会列出来请您核定，不会替您猜。"),
        "submit": _("导入并审核"),
        "cancel_url": reverse("plan_list"),
    }
    return render(request, "workplan/plan_import.html", context, status=status)


@require_GET
@requires(Permission.EDIT)
def plan_review(request: HttpRequest, plan_id: int) -> HttpResponse:
    """The review desk: doubts first, then every commitment beside its place in the source."""
    plan = visible_plan(request, plan_id)
    if not may_edit(request, plan):
        raise PermissionDenied
    return _review(request, plan, AssignForm(), AdoptForm(plan=plan, actor=request.actor))


def _review(
    request: HttpRequest, plan: Plan, assign: AssignForm, adopt: AdoptForm, status: int = 200
) -> HttpResponse:
    rows = (
        plan.commitments.live()
        .select_related("section__parent", "lead_office", "leader", "handler")
        .prefetch_related("targets", "supports__organisation", "milestones")
        .order_by("order")
    )
    doubts = plan.review_items.select_related("section", "resolved_by")
    context = {
        "plan": plan,
        "commitments": rows,
        "doubts": doubts.filter(resolved_at__isnull=True),
        "settled": doubts.filter(resolved_at__isnull=False),
        "readiness": readiness(plan),
        "assign": assign,
        "adopt": adopt,
    }
    return render(request, "workplan/plan_review.html", context, status=status)


@require_POST
@requires(Permission.EDIT)
def plan_bulk(request: HttpRequest, plan_id: int) -> HttpResponse:
    """The same change for the ticked commitments: assign, merge, or take out."""
    plan = visible_plan(request, plan_id)
    ticked = list(plan.commitments.live().filter(id__in=request.POST.getlist("commitment")))
    assign = AssignForm(request.POST)
    action = request.POST.get("action")
    try:
        with transaction.atomic():
            if not ticked:
                raise StepRefused(_("请先勾选任务。"))
            if action == "merge":
                reviewing.merge_commitments(ticked, by=request.actor)
            elif action == "withdraw":
                for row in ticked:
                    reviewing.withdraw_commitment(row, by=request.actor)
            elif assign.is_valid() and assign.changes():
                reviewing.bulk_assign(ticked, by=request.actor, **assign.changes())
            else:
                raise StepRefused(_("请填写要批量设置的内容。"))
    except StepRefused as refused:
        messages.error(request, str(refused))
        adopt = AdoptForm(plan=plan, actor=request.actor)
        return _review(request, plan, assign, adopt, status=422)
    count = len(ticked)
    messages.success(request, ngettext("已处理 %d 项任务。", "已处理 %d 项任务。", count) % count)
    return redirect("plan_review", plan.id)


@require_POST
@requires(Permission.EDIT)
def review_resolve(request: HttpRequest, plan_id: int, item_id: int) -> HttpResponse:
    """Settle one doubt."""
    plan = visible_plan(request, plan_id)
    item = get_object_or_404(ReviewItem, plan=plan, id=item_id)
    try:
        reviewing.resolve_item(
            item, resolution=request.POST.get("resolution", ""), by=request.actor
        )
    except StepRefused as refused:
        messages.error(request, str(refused))
    return redirect("plan_review", plan.id)


@require_http_methods(["GET", "POST"])
@requires(Permission.EDIT)
def commitment_add(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Add a commitment that the importer did not see, or one that a meeting decided."""
    plan = visible_plan(request, plan_id)
    form = AddCommitmentForm(request.POST or None, plan=plan, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        row = attempt(form, form.save)
        if row:
            return redirect("commitment_edit", plan.id, row.code)
    status = 422 if form.is_bound else 200
    context = {
        "form": form,
        "title": _("增加任务"),
        "submit": _("增加"),
        "back": plan.year,
        "cancel_url": reverse("plan_review" if plan.in_review else "plan_detail", args=[plan.id]),
    }
    return render(request, "workplan/commitment_form.html", context, status=status)


@require_POST
@requires(Permission.ADOPT)
def plan_adopt(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Adopt, lock and hand out."""
    plan = visible_plan(request, plan_id)
    form = AdoptForm(request.POST, plan=plan, actor=request.actor)
    if form.is_valid() and attempt(form, form.save):
        messages.success(request, _("计划已印发，节点已交办。"))
        return redirect("plan_detail", plan.id)
    return _review(request, plan, AssignForm(), form, status=422)


@require_GET
@requires(Permission.SEE)
def plan_detail(request: HttpRequest, plan_id: int) -> HttpResponse:
    """The commitments of a plan, worst first, with filters, paging and export."""
    plan = visible_plan(request, plan_id)
    rows = (
        plan.commitments.live()
        .select_related("section__parent", "lead_office", "leader")
        .order_by("light_order", "-behind", "order")
    )
    filterset = CommitmentFilter(request.GET, queryset=rows, request=request, plan=plan)
    if request.GET.get("export"):
        return _export(request, plan, filterset)
    context = list_context(request, filterset, title=plan.title)
    counts = dict(plan.commitments.live().order_by().values_list("light").annotate(n=Count("id")))
    context |= {
        "plan": plan,
        "chips": [("", _("全部"), plan.commitments.live().count())]
        + [(light, label, counts.get(light, 0), light) for light, label in LIGHTS],
        "may_edit": may_edit(request, plan),
        "export_url": export_url(request) if request.actor.can(Permission.EXPORT) else "",
    }
    return render(request, "workplan/plan_detail.html", context)


def _export(request: HttpRequest, plan: Plan, filterset: CommitmentFilter) -> HttpResponse:
    if not request.actor.can(Permission.EXPORT):
        raise PermissionDenied
    columns = [
        Column(_("编号"), 10),
        Column(_("章节"), 16),
        Column(_("任务"), 30),
        Column(_("原文表述"), 60),
        Column(_("类型"), 12),
        Column(_("责任领导"), 12),
        Column(_("牵头科室"), 18),
        Column(_("配合单位"), 30),
        Column(_("责任人"), 12),
        Column(_("完成时限"), 12),
        Column(_("亮灯"), 8),
        Column(_("完成进度"), 10),
        Column(_("序时进度"), 10),
    ]
    rows = filterset.qs.select_related("handler").prefetch_related("supports__organisation")
    cells = (
        (
            row.code,
            row.section.path,
            row.title,
            row.wording,
            row.get_kind_display(),
            row.leader,
            row.lead_office,
            "、".join(str(support.organisation) for support in row.supports.all()),
            row.handler,
            row.due_on,
            row.get_light_display(),
            None if row.progress is None else round(row.progress, 1),
            None if row.planned is None else round(row.planned, 1),
        )
        for row in rows
    )
    record_read(request, "plan.export", object_type="plan", object_id=plan.id)
    return list_response(request, plan.title, columns, cells)


@require_GET
@requires(Permission.SEE)
def plan_versions(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Version 1 and every amendment: when, by which meeting, why, what changed."""
    plan = visible_plan(request, plan_id)
    context = {"plan": plan, "versions": plan.versions.select_related("made_by").defer("snapshot")}
    return render(request, "workplan/plan_versions.html", context)


@require_GET
@requires(Permission.SEE)
def plan_source(request: HttpRequest, plan_id: int) -> HttpResponse:
    """The source text with the place of every commitment marked."""
    plan = visible_plan(request, plan_id)
    rows = plan.commitments.live().filter(start__isnull=False).order_by("start")
    return render(request, "workplan/plan_source.html", {"plan": plan, "parts": _parts(plan, rows)})


def _parts(plan: Plan, rows: list[Commitment]) -> list[tuple[str, Commitment | None]]:
    """The text cut into (piece, the commitment it belongs to or None)."""
    parts, at = [], 0
    for row in rows:
        if row.start < at:
            continue
        parts.append((plan.source_text[at : row.start], None))
        parts.append((plan.source_text[row.start : row.end], row))
        at = row.end
    parts.append((plan.source_text[at:], None))
    return parts

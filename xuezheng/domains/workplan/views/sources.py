"""Sources of commitments: list, one source with what became of it, notes, minutes into the queue."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.desk_filters import SourceFilter
from xuezheng.domains.workplan.desk_forms import (
    LinkForm,
    NoteForm,
    SourceForm,
    TakeOverForm,
    bureaus,
)
from xuezheng.domains.workplan.models import Source, SourceKind, Supervision
from xuezheng.domains.workplan.services import carrying_over, recordings, sources
from xuezheng.domains.workplan.views.commitments import visible_commitment
from xuezheng.domains.workplan.views.plans import visible_plan
from xuezheng.domains.workplan.views.playing import playable_response
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.ui.lists import export_url, list_context, narrowed_by
from xuezheng.kernel.ui.steps import attempt


def _answers() -> QuerySet:
    """How many commitments answer a source, counted for the rows of a page only."""
    pairs = Source.commitments.through.objects.filter(source=OuterRef("pk")).order_by()
    return pairs.values("source").annotate(n=Count("pk")).values("n")


@require_GET
@requires(Permission.SEE)
def source_list(request: HttpRequest) -> HttpResponse:
    """Every source, newest first, with how many commitments answer it."""
    rows = (
        Source.objects.visible_to(request.actor)
        .select_related("noted_by")
        .annotate(answers=Coalesce(Subquery(_answers()), 0))
        .order_by("-dated_on", "-id")
    )
    filterset = SourceFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        if not request.actor.can(Permission.EXPORT):
            raise PermissionDenied
        columns = [
            Column(_("类别"), 14),
            Column(_("文号或编号"), 24),
            Column(_("标题"), 50),
            Column(_("来文单位"), 24),
            Column(_("日期"), 12),
            Column(_("落实任务数"), 10),
        ]
        cells = (
            (r.get_kind_display(), r.number, r.title, r.issued_by, r.dated_on, r.answers)
            for r in filterset.qs
        )
        record_read(request, "source.export", object_type="source", detail=narrowed_by(filterset))
        return list_response(request, _("任务来源"), columns, cells)
    context = list_context(request, filterset, title=_("任务来源"))
    context |= {
        "chips": [("", _("全部")), *SourceKind.choices],
        "may_add": request.actor.can(Permission.SUPERVISE),
        "export_url": export_url(request) if request.actor.can(Permission.EXPORT) else "",
    }
    return render(request, "workplan/source_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.SUPERVISE)
def source_add(request: HttpRequest) -> HttpResponse:
    """Register a source with its original."""
    bureau = bureaus(request.actor, Permission.SUPERVISE).first()
    if bureau is None:
        raise Http404
    form = SourceForm(
        request.POST or None, request.FILES or None, organisation=bureau, actor=request.actor
    )
    if request.method == "POST" and form.is_valid():
        row = attempt(form, form.save)
        if row:
            messages.success(request, _("已登记。"))
            return redirect("source_detail", row.id)
    context = {
        "form": form,
        "title": _("登记任务来源"),
        "lead": _("上级文件、会议纪要、建议提案答复、考核指标、民生实事：留原件，连到任务。"),
        "submit": _("登记"),
        "cancel_url": reverse("source_list"),
    }
    return render(request, "workplan/desk_form.html", context, status=422 if form.is_bound else 200)


def _visible(request: HttpRequest, source_id: int) -> Source:
    rows = Source.objects.visible_to(request.actor).select_related(
        "organisation", "file", "parent", "noted_by", "draft"
    )
    return get_object_or_404(rows, id=source_id)


def _detail(
    request: HttpRequest, source: Source, bound: dict[str, object] | None = None
) -> HttpResponse:
    supervises = source.organisation_id in request.actor.scope(Permission.SUPERVISE)
    sheets = Supervision.objects.visible_to(request.actor).filter(source=source)
    forms = {
        "link": LinkForm(source=source, actor=request.actor) if supervises else None,
        "take_over": TakeOverForm(initial={"meeting_number": source.number}),
        "note_form": NoteForm(),
        "written": NoteForm(),
    } | (bound or {})
    context = {
        "source": source,
        "commitments": source.commitments.select_related("plan", "lead_office"),
        "sheets": sheets.select_related("case__organisation"),
        "notes": source.notes.select_related("noted_by", "file"),
        "may_supervise": supervises,
        "may_read": supervises
        and source.kind == SourceKind.MINUTES
        and bool(source.text)
        and source.draft is None,
        "may_note": source.organisation_id in request.actor.scope(Permission.NOTE),
        "may_write_down": supervises and source.is_spoken and not source.text,
        "voice_seconds": recordings.longest_seconds(source.organisation),
        **forms,
    }
    status = 422 if bound else 200
    return render(request, "workplan/source_detail.html", context, status=status)


@require_GET
@requires(Permission.SEE)
def source_detail(request: HttpRequest, source_id: int) -> HttpResponse:
    """One source: its original, its notes, and what became of it."""
    return _detail(request, _visible(request, source_id))


@require_GET
@requires(Permission.SEE)
def source_file(request: HttpRequest, source_id: int) -> HttpResponseBase:
    """The original; a spoken note is played."""
    source = _visible(request, source_id)
    if source.file is None:
        raise Http404
    if source.is_spoken:
        return playable_response(request, source.file)
    response = FileResponse(
        path_of(source.file.sha256).open("rb"),
        content_type=source.file.media_type,
        as_attachment=not source.file.is_picture,
        filename=source.file.name,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@requires(Permission.SUPERVISE)
def source_link(request: HttpRequest, source_id: int) -> HttpResponse:
    """Say which commitments answer it."""
    source = _visible(request, source_id)
    form = LinkForm(request.POST, source=source, actor=request.actor)
    if form.is_valid():
        attempt(form, form.save)
    if form.errors:
        return _detail(request, source, {"link": form})
    messages.success(request, _("已保存。"))
    return redirect("source_detail", source_id)


@require_POST
@requires(Permission.SUPERVISE)
def source_read(request: HttpRequest, source_id: int) -> HttpResponse:
    """Read minutes into proposed tasks; they open in review."""
    source = _visible(request, source_id)
    try:
        plan = sources.read_minutes(source, by=request.actor)
    except StepRefused as refused:
        messages.error(request, str(refused))
        return redirect("source_detail", source_id)
    count = plan.commitments.count()
    messages.success(request, ngettext("认出 %d 项任务。", "认出 %d 项任务。", count) % count)
    return redirect("plan_review", plan.id)


@require_POST
@requires(Permission.SUPERVISE)
def source_take_over(request: HttpRequest, source_id: int) -> HttpResponse:
    """Put the reviewed tasks into the plan of the year."""
    source = _visible(request, source_id)
    form = TakeOverForm(request.POST)
    rows = None
    if form.is_valid():
        rows = attempt(
            form, lambda: sources.take_over(source, by=request.actor, **form.cleaned_data)
        )
    if form.errors:
        return _detail(request, _visible(request, source_id), {"take_over": form})
    count = len(rows)
    messages.success(request, ngettext("已并入 %d 项任务。", "已并入 %d 项任务。", count) % count)
    return redirect("source_detail", source_id)


@require_POST
@requires(Permission.NOTE)
def source_note(request: HttpRequest, source_id: int) -> HttpResponse:
    """A leader writes on a document."""
    source = _visible(request, source_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        attempt(
            form,
            lambda: sources.write_note(
                organisation=source.organisation,
                text=form.cleaned_data["text"],
                voice=request.FILES.get("voice"),
                on=source,
                by=request.actor,
            ),
        )
    if form.errors:
        return _detail(request, source, {"note_form": form})
    messages.success(request, _("批示已送计划督办员。"))
    return redirect("source_detail", source_id)


@require_POST
@requires(Permission.SUPERVISE)
def source_write_down(request: HttpRequest, source_id: int) -> HttpResponse:
    """The words of a spoken note."""
    source = _visible(request, source_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        attempt(
            form,
            lambda: sources.write_down(source, text=form.cleaned_data["text"], by=request.actor),
        )
    if form.errors:
        return _detail(request, source, {"written": form})
    messages.success(request, _("已保存。"))
    return redirect("source_detail", source_id)


@require_POST
@requires(Permission.NOTE)
def commitment_note(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """A leader writes on a commitment."""
    commitment = visible_commitment(request, plan_id, code)
    form = NoteForm(request.POST)
    if form.is_valid():
        attempt(
            form,
            lambda: sources.write_note(
                organisation=commitment.plan.organisation,
                text=form.cleaned_data["text"],
                voice=request.FILES.get("voice"),
                commitments=[commitment],
                by=request.actor,
            ),
        )
    for errors in form.errors.values():
        messages.error(request, " ".join(errors))
    if not form.errors:
        messages.success(request, _("批示已送计划督办员。"))
    if request.POST.get("from") == "leader":
        return redirect("leader")
    return redirect("commitment_detail", plan_id, code)


@require_POST
@requires(Permission.EDIT)
def plan_carry_over(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Open commitments become proposals of next year's plan."""
    plan = visible_plan(request, plan_id)
    try:
        draft, count = carrying_over.carry_over(plan, by=request.actor)
    except StepRefused as refused:
        messages.error(request, str(refused))
        return redirect("plan_detail", plan_id)
    messages.success(request, ngettext("已结转 %d 项任务。", "已结转 %d 项任务。", count) % count)
    return redirect("plan_review", draft.id)

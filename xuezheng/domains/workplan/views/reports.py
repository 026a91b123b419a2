"""Recurring reports, issued documents, and drafts of bulletins and reports."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.desk_forms import (
    REVIEW_FORMS,
    TURN_FORMS,
    DocumentForm,
    DraftForm,
    RecurringForm,
    bureaus,
)
from xuezheng.domains.workplan.flows import DOCUMENT_REVIEW, REPORT_TURN
from xuezheng.domains.workplan.models import (
    DocumentReview,
    Draft,
    IssuedDocument,
    Milestone,
    MilestoneRole,
    RecurringReport,
    ReportTurn,
)
from xuezheng.domains.workplan.rules import Every, due_days
from xuezheng.domains.workplan.services import drafting, recurring
from xuezheng.domains.workplan.views.supervising import word_response
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.ui.cases import (
    attachment_response,
    history,
    open_forms,
    permissions_of,
    take_step,
)
from xuezheng.kernel.ui.steps import attempt

SEES = (Permission.SEE, Permission.REPORT)
DRAFTS_A_PAGE, LINES_A_PAGE = 50, 100


def _download(stored: StoredFile) -> FileResponse:
    response = FileResponse(
        path_of(stored.sha256).open("rb"),
        content_type=stored.media_type,
        as_attachment=True,
        filename=stored.name,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_GET
@requires(Permission.SEE)
def recurring_list(request: HttpRequest) -> HttpResponse:
    """The year's calendar of reports: every turn with its state, by due day."""
    today = timezone.localdate()
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdigit() and 2000 <= int(asked) <= 2100 else today.year
    reports = list(RecurringReport.objects.visible_to(request.actor).select_related("office"))
    turns = {
        (turn.report_id, turn.due_on): turn
        for turn in ReportTurn.objects.filter(report__in=reports, due_on__year=year).select_related(
            "case"
        )
    }
    lines = []
    for report in reports:
        days = {*due_days(Every(report.every), report.month, report.day, year)}
        days |= {day for key, day in turns if key == report.id}
        lines += [
            {"report": report, "due": day, "turn": turns.get((report.id, day))}
            for day in days
            if (report.id, day) in turns or not _ended(report, day)
        ]
    lines.sort(key=lambda line: (line["due"], line["report"].id))
    # Opened without a page, the calendar lies open at today.
    passed = sum(line["due"] < today for line in lines)
    page = Paginator(lines, LINES_A_PAGE).get_page(
        request.GET.get("page") or passed // LINES_A_PAGE + 1
    )
    context = {
        "year": year,
        "page": page,
        "today": today,
        "may_edit": request.actor.can(Permission.SUPERVISE),
    }
    return render(request, "workplan/recurring_list.html", context)


def _ended(report: RecurringReport, day: dt.date) -> bool:
    return report.ended_on is not None and day > report.ended_on


@require_http_methods(["GET", "POST"])
@requires(Permission.SUPERVISE)
def recurring_form(request: HttpRequest, report_id: int | None = None) -> HttpResponse:
    """Add a recurring report, or change one."""
    report = None
    if report_id is not None:
        rows = RecurringReport.objects.visible_to(request.actor).select_related("organisation")
        report = get_object_or_404(rows, id=report_id)
    bureau = report.organisation if report else bureaus(request.actor, Permission.SUPERVISE).first()
    if bureau is None:
        raise Http404
    form = RecurringForm(
        request.POST or None, instance=report, organisation=bureau, actor=request.actor
    )
    if request.method == "POST" and form.is_valid() and attempt(form, form.save):
        messages.success(request, _("已保存。"))
        return redirect("recurring_list")
    context = {
        "form": form,
        "title": _("定期报告"),
        "submit": _("保存"),
        "cancel_url": reverse("recurring_list"),
    }
    return render(request, "workplan/desk_form.html", context, status=422 if form.is_bound else 200)


def _turn(request: HttpRequest, number: str) -> ReportTurn:
    rows = ReportTurn.objects.visible_to(request.actor).select_related(
        "case__organisation", "report"
    )
    return get_object_or_404(rows, case__number=number)


def _turn_page(
    request: HttpRequest, turn: ReportTurn, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    context = {
        "turn": turn,
        "case": turn.case,
        "moves": history(turn.case),
        "forms": forms.values(),
        "may_urge": turn.case.is_open
        and turn.case.organisation_id in request.actor.scope(Permission.URGE),
    }
    return render(request, "workplan/report_turn.html", context, status=status)


@require_GET
@requires(*SEES)
def report_turn_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One turn: to whom, until when, the file and the receipt."""
    turn = _turn(request, number)
    return _turn_page(request, turn, open_forms(turn, request.actor, TURN_FORMS))


@require_POST
@requires(*permissions_of(REPORT_TURN, TURN_FORMS))
def report_turn_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Send it, or let it fall."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        turn = _turn(request, number)
        return _turn_page(
            request, turn, open_forms(turn, request.actor, TURN_FORMS) | bound, status
        )

    return take_step(request, _turn(request, number), step, TURN_FORMS, page)


@require_POST
@requires(Permission.URGE)
def report_turn_urge(request: HttpRequest, number: str) -> HttpResponse:
    """Urge the office."""
    try:
        recurring.urge_turn(_turn(request, number), by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已催办。"))
    return redirect("report_turn_detail", number)


@require_GET
@requires(*SEES)
def report_turn_file(request: HttpRequest, number: str, file_id: str) -> FileResponse:
    """A file that was sent."""
    return attachment_response(_turn(request, number).case, file_id)


def _issuing(request: HttpRequest, number: str) -> Milestone:
    rows = Milestone.objects.visible_to(request.actor).select_related(
        "case__organisation", "commitment__plan__organisation", "commitment__leader"
    )
    return get_object_or_404(rows, case__number=number, role=MilestoneRole.ISSUED)


@require_GET
@requires(*SEES)
def document_slip(request: HttpRequest, number: str) -> HttpResponse:
    """The slip for the bureau's own document system."""
    milestone = _issuing(request, number)
    with translation.override("zh-hans"):
        return word_response(recurring.slip(milestone), f"{milestone.case.number}.docx")


@require_http_methods(["GET", "POST"])
@requires(Permission.REPORT)
def document_register(request: HttpRequest, number: str) -> HttpResponse:
    """Number and PDF have come back."""
    milestone = _issuing(request, number)
    if milestone.case.organisation_id not in request.actor.scope(Permission.REPORT):
        raise Http404
    form = DocumentForm(
        request.POST or None, request.FILES or None, milestone=milestone, actor=request.actor
    )
    if request.method == "POST" and form.is_valid() and attempt(form, form.save):
        messages.success(request, _("已归档，等计划督办员核验。"))
        return redirect("milestone_detail", number)
    context = {
        "form": form,
        "title": _("登记印发文件"),
        "lead": milestone.commitment.title,
        "submit": _("归档并报告完成"),
        "cancel_url": reverse("milestone_detail", args=[number]),
    }
    return render(request, "workplan/desk_form.html", context, status=422 if form.is_bound else 200)


@require_GET
@requires(*SEES)
def document_file(request: HttpRequest, number: str) -> FileResponse:
    """The issued document."""
    document = get_object_or_404(
        IssuedDocument.objects.select_related("file"), milestone=_issuing(request, number)
    )
    return _download(document.file)


def _review(request: HttpRequest, number: str) -> DocumentReview:
    documents = IssuedDocument.objects.visible_to(request.actor)
    rows = DocumentReview.objects.filter(document__in=documents).select_related(
        "case__organisation", "document__milestone__case", "document__milestone__commitment"
    )
    return get_object_or_404(rows, case__number=number)


def _review_page(
    request: HttpRequest, review: DocumentReview, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    context = {
        "review": review,
        "document": review.document,
        "case": review.case,
        "moves": history(review.case),
        "forms": forms.values(),
    }
    return render(request, "workplan/document_review.html", context, status=status)


@require_GET
@requires(*SEES)
def document_review_detail(request: HttpRequest, number: str) -> HttpResponse:
    """A document that is to be reviewed."""
    review = _review(request, number)
    return _review_page(request, review, open_forms(review, request.actor, REVIEW_FORMS))


@require_POST
@requires(*permissions_of(DOCUMENT_REVIEW, REVIEW_FORMS))
def document_review_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Conclude the review."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        review = _review(request, number)
        return _review_page(
            request, review, open_forms(review, request.actor, REVIEW_FORMS) | bound, status
        )

    return take_step(request, _review(request, number), step, REVIEW_FORMS, page)


@require_GET
@requires(Permission.SUPERVISE, Permission.DECIDE)
def draft_list(request: HttpRequest) -> HttpResponse:
    """Bulletins, reviews and reports that were drafted, newest first."""
    rows = Draft.objects.visible_to(request.actor).select_related("plan", "made_by")
    context = {
        "page": Paginator(rows, DRAFTS_A_PAGE).get_page(request.GET.get("page")),
        "may_make": request.actor.can(Permission.SUPERVISE),
    }
    return render(request, "workplan/draft_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.SUPERVISE)
def draft_make(request: HttpRequest) -> HttpResponse:
    """Draft one from today's records."""
    form = DraftForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        draft = attempt(form, form.save)
        if draft:
            return redirect("draft_detail", draft.id)
    context = {
        "form": form,
        "title": _("起草督查文稿"),
        "lead": _("数字取自起草当天的台账和指标，和看板一致；要人写的地方标“待补”。"),
        "submit": _("起草"),
        "cancel_url": reverse("draft_list"),
    }
    return render(request, "workplan/desk_form.html", context, status=422 if form.is_bound else 200)


def _draft(request: HttpRequest, draft_id: int) -> Draft:
    rows = Draft.objects.visible_to(request.actor).select_related("plan", "file", "made_by")
    return get_object_or_404(rows, id=draft_id)


@require_GET
@requires(Permission.SUPERVISE, Permission.DECIDE)
def draft_detail(request: HttpRequest, draft_id: int) -> HttpResponse:
    """A draft: every figure in it with its day and source, and the file."""
    draft = _draft(request, draft_id)
    figures = [figure | {"label": _label(figure["name"])} for figure in draft.figures]
    return render(request, "workplan/draft_detail.html", {"draft": draft, "figures": figures})


def _label(name: str) -> Any:
    """What a figure is called: its own words, or its indicator's."""
    if name in drafting.FIGURES:
        return drafting.FIGURES[name]
    return INDICATORS[name].label if name in INDICATORS else name


@require_GET
@requires(Permission.SUPERVISE, Permission.DECIDE)
def draft_file(request: HttpRequest, draft_id: int) -> FileResponse:
    """The Word file."""
    return _download(_draft(request, draft_id).file)

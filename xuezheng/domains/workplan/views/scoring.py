"""Quarterly scores: list of quarters, the matrix, an office's own page, contests, exports."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import (
    POINT_KINDS,
    ScoreContest,
    ScoreEvent,
    ScoreLine,
    ScoreSheet,
)
from xuezheng.domains.workplan.scoring_flows import SCORE_CONTEST, SCORE_SHEET
from xuezheng.domains.workplan.scoring_forms import (
    CONTEST_FORMS,
    SHEET_FORMS,
    ContestForm,
    CorrectForm,
    HandForm,
    ScoreFilter,
)
from xuezheng.domains.workplan.scoring_selectors import Row, matrix
from xuezheng.domains.workplan.services import official, scoring
from xuezheng.domains.workplan.views.supervising import word_response
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.ui.cases import (
    attachment_response,
    history,
    open_forms,
    permissions_of,
    take_step,
)
from xuezheng.kernel.ui.lists import export_url, list_context, narrowed_by
from xuezheng.kernel.ui.steps import attempt


@require_GET
@requires(Permission.SEE)
def score_list(request: HttpRequest) -> HttpResponse:
    """The quarters, newest first."""
    rows = ScoreSheet.objects.visible_to(request.actor).select_related("case", "bureau")
    filterset = ScoreFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        if not request.actor.can(Permission.EXPORT):
            raise PermissionDenied
        record_read(
            request, "score_sheet.list", object_type="score_sheet", detail=narrowed_by(filterset)
        )
        columns = [Column(_("季度"), 24), Column(_("状态"), 16), Column(_("公布日"), 12)]
        lines = ((row.label, row.get_state_display(), row.published_on) for row in filterset.qs)
        return list_response(request, _("科室季度评分"), columns, lines)
    context = list_context(request, filterset, title=_("科室季度评分"))
    context |= {
        "export_url": export_url(request) if request.actor.can(Permission.EXPORT) else "",
        "empty_text": ""
        if filterset.data
        else _("默认不启用。教育局在“政策参数”里启用后，每季度结束由系统按记录自动计算。"),
    }
    return render(request, "workplan/score_list.html", context)


def _sheet(request: HttpRequest, number: str) -> ScoreSheet:
    rows = ScoreSheet.objects.visible_to(request.actor).select_related(
        "case__organisation", "bureau", "replaces__case", "replaced_by__case"
    )
    return get_object_or_404(rows, case__number=number)


def _lines(request: HttpRequest, sheet: ScoreSheet) -> Any:
    rows = ScoreLine.objects.visible_to(request.actor).filter(sheet=sheet)
    return rows.select_related("office").prefetch_related("events")


def _replacement(sheet: ScoreSheet) -> ScoreSheet | None:
    return getattr(sheet, "replaced_by", None)


def _detail(
    request: HttpRequest, sheet: ScoreSheet, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    rules = scoring.rules_of(sheet)
    actor, keeps = request.actor, sheet.bureau_id in request.actor.scope(Permission.SCORE)
    managed = keeps or sheet.bureau_id in actor.scope(Permission.SCORE_ANSWER)
    newer = _replacement(sheet)
    pending = ScoreEvent.objects.visible_to(actor).filter(
        line__sheet=sheet, kind="hand", confirmed_by=None
    )
    contests = ScoreContest.objects.visible_to(actor).filter(event__line__sheet=sheet)
    context = {
        "sheet": sheet,
        "case": sheet.case,
        "rows": matrix(sheet, _lines(request, sheet), rules),
        "kinds": [label for _kind, label in POINT_KINDS],
        "rules": _rules_in_words(sheet),
        "forms": forms.values(),
        "moves": history(sheet.case) if managed else [],
        "clocks": sheet.case.clocks.order_by("started", "id"),
        "contests": contests.select_related("case__organisation", "event"),
        "pending": pending.select_related("line__office", "made_by"),
        "may_confirm": sheet.bureau_id in actor.scope(Permission.SCORE_ANSWER),
        "user_id": actor.user.id if actor.user else None,
        "may_hand": keeps and sheet.state == "draft",
        "may_correct": keeps and not sheet.case.is_open and newer is None,
        "may_export": actor.can(Permission.EXPORT),
        "managed": managed,
        "newer": newer,
        "unconfirmed": [s for s in scoring.score_settings(sheet.bureau).values() if s.unconfirmed]
        if managed
        else [],
    }
    return render(request, "workplan/score_detail.html", context, status=status)


def _rules_in_words(sheet: ScoreSheet) -> list[dict[str, Any]]:
    """How each kind reads: label, points of one event, the most in all."""
    rules = scoring.rules_of(sheet)
    return [
        {"kind": kind, "label": label, "points": rules[kind].points, "cap": rules[kind].cap}
        for kind, label in POINT_KINDS
    ]


@require_GET
@requires(Permission.SEE)
def score_detail(request: HttpRequest, number: str) -> HttpResponse:
    """The matrix of offices and kinds; each figure opens its events."""
    sheet = _sheet(request, number)
    return _detail(request, sheet, open_forms(sheet, request.actor, SHEET_FORMS))


@require_POST
@requires(*permissions_of(SCORE_SHEET, SHEET_FORMS))
def score_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Take a step with a sheet."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        sheet = _sheet(request, number)
        return _detail(
            request, sheet, open_forms(sheet, request.actor, SHEET_FORMS) | bound, status
        )

    return take_step(request, _sheet(request, number), step, SHEET_FORMS, page)


@require_GET
@requires(Permission.SEE)
def score_office(request: HttpRequest, number: str, line_id: int) -> HttpResponse:
    """One office: how its score adds up, every event with its record, and what may be contested."""
    sheet = _sheet(request, number)
    line = get_object_or_404(_lines(request, sheet), id=line_id)
    chosen = request.GET.get("kind", "")
    events = list(line.events.select_related("source", "document", "contest__case", "confirmed_by"))
    row = matrix(sheet, [line], scoring.rules_of(sheet))[0]
    window = (
        sheet.state == "shown"
        and sheet.contest_until >= timezone.localdate()
        and line.office_id in request.actor.scope(Permission.REPORT)
    )
    rules = {rule["kind"]: rule for rule in _rules_in_words(sheet)}
    groups = [
        {
            "cell": cell,
            "rule": rules[cell.kind],
            "events": [event for event in events if event.kind == cell.kind],
        }
        for cell in row.cells
        if (not chosen or chosen == cell.kind) and (cell.events or chosen == cell.kind)
    ]
    contests = set(
        ScoreContest.objects.visible_to(request.actor)
        .filter(event__line=line)
        .values_list("pk", flat=True)
    )
    context = {
        "sheet": sheet,
        "line": line,
        "groups": groups,
        "chosen": chosen,
        "window": window,
        "my_contests": contests,
    }
    return render(request, "workplan/score_office.html", context)


def _event(request: HttpRequest, number: str, event_id: int) -> ScoreEvent:
    rows = ScoreEvent.objects.visible_to(request.actor).select_related(
        "line__sheet__bureau", "line__sheet__case", "line__office", "document", "source"
    )
    return get_object_or_404(rows, id=event_id, line__sheet__case__number=number)


@require_http_methods(["GET", "POST"])
@requires(Permission.REPORT)
def score_contest(request: HttpRequest, number: str, event_id: int) -> HttpResponse:
    """An office contests one of its events."""
    event = _event(request, number, event_id)
    form = ContestForm(
        request.POST or None, request.FILES or None, event=event, actor=request.actor
    )
    if request.method == "POST" and form.is_valid():
        row = attempt(form, form.save)
        if row:
            messages.success(request, _("异议已提出。"))
            return redirect(row.case.get_absolute_url())
    return _form(
        request, form, event.line.sheet, _("提出异议"), f"{event.title}（{event.points:+d}）"
    )


def _form(
    request: HttpRequest, form: Any, sheet: ScoreSheet, title: str, lead: str
) -> HttpResponse:
    context = {
        "form": form,
        "title": title,
        "lead": lead,
        "submit": title,
        "cancel_url": sheet.case.get_absolute_url(),
        "sheet": sheet,
    }
    status = 422 if form.is_bound else 200
    return render(request, "workplan/score_form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Permission.SCORE)
def score_hand(request: HttpRequest, number: str) -> HttpResponse:
    """Enter a bonus or malus."""
    sheet = _sheet(request, number)
    form = HandForm(request.POST or None, request.FILES or None, sheet=sheet, actor=request.actor)
    if request.method == "POST" and form.is_valid() and attempt(form, form.save):
        messages.success(request, _("已登记，待另一人确认。"))
        return redirect("score_detail", number)
    lead = _("须写明理由、附依据文件，并由另一人确认后才计分。")
    return _form(request, form, sheet, _("手工加减分"), lead)


@require_POST
@requires(Permission.SCORE_ANSWER)
def score_confirm(request: HttpRequest, number: str, event_id: int) -> HttpResponse:
    """A second person confirms points entered by hand."""
    try:
        scoring.confirm_by_hand(_event(request, number, event_id), by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已确认。"))
    return redirect("score_detail", number)


@require_GET
@requires(Permission.SEE)
def score_document(request: HttpRequest, number: str, event_id: int) -> FileResponse:
    """The document behind points entered by hand."""
    stored = _event(request, number, event_id).document
    if stored is None:
        raise Http404
    response = FileResponse(
        path_of(stored.sha256).open("rb"),
        content_type=stored.media_type,
        as_attachment=True,
        filename=stored.name,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "POST"])
@requires(Permission.SCORE)
def score_correct(request: HttpRequest, number: str) -> HttpResponse:
    """Open a new version of a published sheet."""
    sheet = _sheet(request, number)
    form = CorrectForm(request.POST or None, sheet=sheet, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        new = attempt(form, form.save)
        if new:
            return redirect(new.case.get_absolute_url())
    lead = _("已公布的不改；更正是新的一版，重新交科室核对。")
    return _form(request, form, sheet, _("更正"), lead)


def _contest(request: HttpRequest, number: str) -> ScoreContest:
    rows = ScoreContest.objects.visible_to(request.actor).select_related(
        "case__organisation", "event__line__sheet__case", "event__line__sheet__bureau",
        "event__source",
    )  # fmt: skip
    return get_object_or_404(rows, case__number=number)


def _contest_page(
    request: HttpRequest, row: ScoreContest, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    context = {
        "row": row,
        "case": row.case,
        "event": row.event,
        "sheet": row.event.line.sheet,
        "forms": forms.values(),
        "moves": history(row.case),
    }
    return render(request, "workplan/score_contest.html", context, status=status)


@require_GET
@requires(Permission.REPORT, Permission.SCORE_ANSWER)
def score_contest_detail(request: HttpRequest, number: str) -> HttpResponse:
    """A contest: the event, reason and evidence, the answer."""
    row = _contest(request, number)
    return _contest_page(request, row, open_forms(row, request.actor, CONTEST_FORMS))


@require_POST
@requires(*permissions_of(SCORE_CONTEST, CONTEST_FORMS))
def score_contest_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Answer a contest."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        row = _contest(request, number)
        return _contest_page(
            request, row, open_forms(row, request.actor, CONTEST_FORMS) | bound, status
        )

    return take_step(request, _contest(request, number), step, CONTEST_FORMS, page)


@require_GET
@requires(Permission.REPORT, Permission.SCORE_ANSWER)
def score_contest_file(request: HttpRequest, number: str, file_id: str) -> FileResponse:
    """A piece of evidence of a contest."""
    return attachment_response(_contest(request, number).case, file_id)


def _table(request: HttpRequest, sheet: ScoreSheet) -> tuple[list[str], list[list[Any]]]:
    rows: list[Row] = matrix(sheet, _lines(request, sheet), scoring.rules_of(sheet))
    head = [_("科室"), *(str(label) for _kind, label in POINT_KINDS), _("得分")]
    body = [
        [str(row.line.office), *(cell.points for cell in row.cells), row.line.total] for row in rows
    ]
    return head, body


@require_GET
@requires(Permission.EXPORT)
def score_excel(request: HttpRequest, number: str) -> HttpResponse:
    """The matrix as a workbook: the lines that the reader sees."""
    sheet = _sheet(request, number)
    head, body = _table(request, sheet)
    record_read(request, "score_sheet.export", object_type="score_sheet", object_id=sheet.pk)
    return list_response(request, sheet.case.title, [Column(words, 14) for words in head], body)


@require_GET
@requires(Permission.EXPORT)
def score_word(request: HttpRequest, number: str) -> HttpResponse:
    """The matrix as a Word file in the layout of official documents."""
    sheet = _sheet(request, number)
    head, body = _table(request, sheet)
    record_read(request, "score_sheet.export", object_type="score_sheet", object_id=sheet.pk)
    words = _("状态：%(state)s。基础分%(base)d分；每一分对应一条记录，可在系统中打开。") % {
        "state": sheet.get_state_display(),
        "base": sheet.base,
    }
    blocks = [
        official.Words(words),
        official.Grid(head, [[str(cell) for cell in row] for row in body]),
    ]
    dated = (sheet.published_on or timezone.localdate()).isoformat()
    content = official.write(sheet.case.title, blocks, signed=str(sheet.bureau), dated=dated)
    return word_response(content, f"{sheet.case.number}.docx")

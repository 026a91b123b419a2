"""Rounds: the plan's rounds, offices by state, the reports, one's own sheet, one report."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.filters import RoundReportFilter
from xuezheng.domains.workplan.flows import MILESTONE, ROUND
from xuezheng.domains.workplan.models import Plan, Round, RoundReport, StandIn
from xuezheng.domains.workplan.round_forms import (
    OF_THE_POST,
    ROUND_FORMS,
    PlanRoundsForm,
    StandInForm,
)
from xuezheng.domains.workplan.round_selectors import owed_reports, round_matrix
from xuezheng.domains.workplan.selectors import lights_at
from xuezheng.domains.workplan.services import acting, rounds
from xuezheng.domains.workplan.views.plans import may_edit, visible_plan
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import Conflict, StepRefused
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.cases import attachment_response, history, open_forms, take_step
from xuezheng.kernel.ui.lists import export_url, list_context
from xuezheng.kernel.ui.steps import attempt

#: Whoever has a part in a round.
PARTS = (Permission.REPORT, Permission.CONFIRM, Permission.SIGN, Permission.ACCEPT)
#: So many of what waits for one person are shown at once.
SHOWN = 50


def _round(request: HttpRequest, pk: int) -> Round:
    rows = Round.objects.visible_to(request.actor).select_related("plan__organisation")
    return get_object_or_404(rows, pk=pk)


def _report(request: HttpRequest, number: str) -> RoundReport:
    rows = RoundReport.objects.visible_to(request.actor).select_related(
        "case__organisation", "round__plan__organisation", "commitment__leader",
        "commitment__handler",
    )  # fmt: skip
    return get_object_or_404(rows, case__number=number)


@require_GET
@requires(Permission.SEE)
def round_list(request: HttpRequest, plan_id: int) -> HttpResponse:
    """The rounds of a plan, newest first, and who stands in for whom."""
    plan = visible_plan(request, plan_id)
    return _rounds_page(request, plan, PlanRoundsForm(plan=plan, actor=request.actor), None)


def _rounds_page(
    request: HttpRequest,
    plan: Plan,
    planning: forms.Form | None,
    standing_in: forms.Form | None,
    status: int = 200,
) -> HttpResponse:
    today, editing = timezone.localdate(), may_edit(request, plan)
    late = Q(reports__handed_on__isnull=True) & Q(closes_on__lt=today)
    rows = plan.rounds.annotate(
        total=Count("reports"),
        accepted=Count("reports", filter=Q(reports__state="accepted")),
        missing=Count("reports", filter=late),
    )
    context = {
        "plan": plan,
        "rounds": rows,
        "may_edit": editing,
        "may_return": editing or request.actor.can(Permission.REPORT),
        "planning": (planning or PlanRoundsForm(plan=plan, actor=request.actor))
        if editing
        else None,
        "standing_in": (standing_in or StandInForm(plan=plan, actor=request.actor))
        if editing
        else None,
        "stand_ins": StandIn.objects.visible_to(request.actor)
        .filter(ends_on__gte=today)
        .select_related("organisation", "absent", "deputy"),
    }
    return render(request, "workplan/round_list.html", context, status=status)


@require_POST
@requires(Permission.EDIT)
def rounds_plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Make the year's rounds, monthly or quarterly."""
    plan = visible_plan(request, plan_id)
    form = PlanRoundsForm(request.POST, plan=plan, actor=request.actor)
    made = attempt(form, form.save) if form.is_valid() else None
    if made is None:
        return _rounds_page(request, plan, form, None, status=422)
    messages.success(
        request, ngettext("已安排 %d 轮填报。", "已安排 %d 轮填报。", len(made)) % len(made)
    )
    return redirect("round_list", plan.id)


@require_POST
@requires(Permission.EDIT)
def stand_in_add(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Say who stands in for whom."""
    plan = visible_plan(request, plan_id)
    form = StandInForm(request.POST, plan=plan, actor=request.actor)
    made = attempt(form, form.save) if form.is_valid() else None
    if made is None:
        return _rounds_page(request, plan, None, form, status=422)
    acting.follow_posts(plan, by=request.actor)
    messages.success(request, _("已登记B岗，代办事项已转到B岗。"))
    return redirect("round_list", plan.id)


@require_POST
@requires(Permission.EDIT)
def stand_in_end(request: HttpRequest, plan_id: int, pk: int) -> HttpResponse:
    """The absent person is back."""
    plan = visible_plan(request, plan_id)
    row = get_object_or_404(StandIn.objects.visible_to(request.actor), pk=pk)
    acting.end_stand_in(row, by=request.actor)
    acting.follow_posts(plan, by=request.actor)
    messages.success(request, _("B岗已结束。"))
    return redirect("round_list", plan.id)


@require_GET
@requires(Permission.SEE)
def round_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Offices by state: who has reported, who is late, how often something went back."""
    row, today = _round(request, pk), timezone.localdate()
    offices = round_matrix(row, today)
    for office in offices:
        office["cells"] = [
            {"state": key, "label": state.label, "count": office[key]}
            for key, state in ROUND.states.items()
        ]
    states = [(key, state.label) for key, state in ROUND.states.items()]
    context = {
        "round": row,
        "plan": row.plan,
        "offices": offices,
        "states": states,
        "totals": [sum(office[key] for office in offices) for key, _label in states],
        "total": sum(office["total"] for office in offices),
        "late": sum(office["late"] for office in offices),
        "sent_back": sum(office["sent_back"] for office in offices),
        "may_urge": row.opened_at
        and not row.closed_at
        and row.plan.organisation_id in request.actor.scope(Permission.URGE),
        "may_open": not row.opened_at and may_edit(request, row.plan),
    }
    return render(request, "workplan/round_detail.html", context)


@require_POST
@requires(Permission.EDIT)
def round_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a round before its day."""
    row = _round(request, pk)
    try:
        count = rounds.open_round(row, by=request.actor)
    except StepRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, ngettext("已发出 %d 份。", "已发出 %d 份。", count) % count)
    return redirect("round_detail", pk)


@require_POST
@requires(Permission.URGE)
def round_urge(request: HttpRequest, pk: int) -> HttpResponse:
    """Urge all who are late."""
    count = rounds.urge_late(_round(request, pk), by=request.actor)
    if count:
        messages.success(request, ngettext("已催办 %d 份。", "已催办 %d 份。", count) % count)
    else:
        messages.info(request, _("没有需要催办的：未到截止日，或今天已催过。"))
    return redirect("round_detail", pk)


@require_GET
@requires(Permission.SEE)
def round_reports(request: HttpRequest, pk: int) -> HttpResponse:
    """The reports of a round, with filters, paging and export."""
    row, today = _round(request, pk), timezone.localdate()
    rows = row.reports.select_related("case__organisation", "commitment__leader", "round").order_by(
        "case__organisation__order", "commitment__order"
    )
    filterset = RoundReportFilter(
        request.GET, queryset=rows, request=request, round=row, today=today
    )
    if request.GET.get("export"):
        return _export(request, row, filterset)
    context = list_context(request, filterset, title=_("%s进展") % row.label)
    for report in context["page"]:
        report.late = report.is_late(today)
    context |= {
        "round": row,
        "plan": row.plan,
        "export_url": export_url(request) if request.actor.can(Permission.EXPORT) else "",
    }
    return render(request, "workplan/round_reports.html", context)


def _export(request: HttpRequest, row: Round, filterset: RoundReportFilter) -> HttpResponse:
    if not request.actor.can(Permission.EXPORT):
        raise PermissionDenied
    today, lights = timezone.localdate(), lights_at(row.plan, row.ends_on)
    columns = [
        Column(_("编号"), 10),
        Column(_("任务"), 30),
        Column(_("牵头科室"), 18),
        Column(_("责任领导"), 12),
        Column(_("进展"), 60),
        Column(_("无变化"), 8),
        Column(_("状态"), 14),
        Column(_("报出日"), 12),
        Column(_("迟报"), 8),
        Column(_("退回次数"), 8),
        Column(_("期末亮灯"), 8),
    ]
    cells = (
        (
            report.commitment.code,
            report.commitment.title,
            report.case.organisation,
            report.commitment.leader,
            report.text,
            report.unchanged,
            report.get_state_display(),
            report.handed_on,
            report.is_late(today),
            report.returned,
            lights[report.commitment_id].get_light_display()
            if report.commitment_id in lights and row.ends_on <= today
            else "",
        )
        for report in filterset.qs
    )
    record_read(request, "round.export", object_type="round", object_id=row.id)
    return list_response(request, _("%s进展") % row.label, columns, cells)


@require_GET
@requires(*PARTS)
def my_rounds(request: HttpRequest) -> HttpResponse:
    """What waits for me in the open rounds: fill in, confirm, sign, take in; on desk and phone."""
    today = timezone.localdate()
    owed = owed_reports(request.actor).order_by("round__ends_on", "commitment__order")
    groups = []
    for state, action, words in TOGETHER:
        rows = owed.filter(state=state)
        total = rows.count()
        shown = list(rows[:SHOWN])
        for report in shown:
            report.late = report.is_late(today)
            report.shown_text = report.text or report.carried
            report.known = _known(report)
        if total:
            groups.append(
                {
                    "state": state,
                    "label": ROUND.states[state].label,
                    "rows": shown,
                    "total": total,
                    "action": action,
                    "words": words,
                    "can_repeat": any(report.carried for report in shown),
                }
            )
    mine = (
        RoundReport.objects.filter(
            round__in=Round.objects.open(),
            case__organisation__within=request.actor.scope(Permission.REPORT).organisations,
        )
        .exclude(state="filling")
        .select_related("case", "round", "commitment")
    )
    context = {"groups": groups, "others": mine[:SHOWN], "shown": SHOWN}
    return render(request, "workplan/my_rounds.html", context)


def _known(report: RoundReport) -> list[dict]:
    """What the systems knew at the opening, in words."""
    return [
        figure | {"value": MILESTONE.states[figure["value"]].label}
        if figure["kind"] == "milestone"
        else figure
        for figure in report.figures
    ]


#: State -> what one tap does with all of mine in it, and the words on the button.
TOGETHER = (
    ("filling", "unchanged", ROUND.step("fill").label),
    ("filled", "confirm", ROUND.step("confirm").label),
    ("confirmed", "sign", ROUND.step("sign").label),
    ("signed", "accept", ROUND.step("accept").label),
)


@require_POST
@requires(*PARTS)
def my_rounds_together(request: HttpRequest, action: str) -> HttpResponse:
    """The same step for all of mine, or for those ticked."""
    state = next((state for state, key, _words in TOGETHER if key == action), None)
    if state is None:
        raise Http404
    rows = owed_reports(request.actor).filter(state=state)
    if action == "unchanged":
        rows = rows.exclude(carried="")
    ticked = request.POST.getlist("report")
    if ticked:
        rows = rows.filter(case__number__in=ticked)
    taken = rounds.take_together(
        action, rows.order_by("commitment__order")[:SHOWN], by=request.actor
    )
    if taken.done:
        messages.success(
            request, ngettext("已办理 %d 份。", "已办理 %d 份。", taken.done) % taken.done
        )
    for words in taken.refused[:5]:
        messages.warning(request, words)
    if not taken.done and not taken.refused:
        messages.info(request, _("没有可办理的。"))
    return redirect("my_rounds")


@require_POST
@requires(Permission.REPORT)
def round_quick(request: HttpRequest, number: str) -> HttpResponse:
    """From one's own sheet: keep the text, hand it on, or say that nothing has changed."""
    report = _report(request, number)
    action, text = request.POST.get("action"), request.POST.get("text", "")
    version = request.POST.get("version", "")
    if not version.isdigit():
        raise Http404
    try:
        if action == "save":
            if report.case.version != int(version):
                raise Conflict(report.case)
            rounds.save_text(report, text=text, by=request.actor)
        else:
            rounds.report_progress(
                report,
                text=text,
                unchanged=action == "unchanged",
                version=int(version),
                by=request.actor,
            )
    except StepRefused as refused:
        messages.error(request, f"{report.commitment.code}：{refused}")
    else:
        words = _("已保存。") if action == "save" else _("已报出。")
        messages.success(request, f"{report.commitment.code}：{words}")
    return redirect("my_rounds")


def _report_page(
    request: HttpRequest, report: RoundReport, found: dict[str, forms.Form], status: int = 200
) -> HttpResponse:
    steps = {
        name: form
        for name, form in found.items()
        if form.is_bound or _of_the_post(request, report, name)
    }
    context = {
        "report": report,
        "case": report.case,
        "round": report.round,
        "plan": report.round.plan,
        "commitment": report.commitment,
        "known": _known(report),
        "late": report.is_late(timezone.localdate()),
        "moves": history(report.case),
        "forms": steps.values(),
        "may_see": request.actor.can(Permission.SEE),
        "requests": report.outside_requests.select_related("on_behalf"),
        "may_ask": report.state in ("filling", "filled")
        and report.case.organisation_id in request.actor.scope(Permission.REPORT),
        "earlier": RoundReport.objects.filter(
            commitment=report.commitment, round__ends_on__lt=report.round.ends_on
        )
        .exclude(text="")
        .select_related("round", "case")
        .order_by("-round__ends_on")[:12],
    }
    return render(request, "workplan/round_report.html", context, status=status)


def _of_the_post(request: HttpRequest, report: RoundReport, name: str) -> bool:
    if name not in OF_THE_POST:
        return True
    try:
        acting.acting_for(OF_THE_POST[name], report, request.actor)
    except StepRefused:
        return False
    return True


@require_GET
@requires(Permission.SEE, Permission.REPORT)
def round_report(request: HttpRequest, number: str) -> HttpResponse:
    """One report: what it says, what the systems know, the way it went, the reports before."""
    report = _report(request, number)
    return _report_page(request, report, open_forms(report, request.actor, ROUND_FORMS))


@require_POST
@requires(*PARTS)
def round_report_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Take a step with a report."""
    report = _report(request, number)

    def page(found: dict[str, forms.Form], status: int) -> HttpResponse:
        fresh = _report(request, number)
        return _report_page(
            request, fresh, open_forms(fresh, request.actor, ROUND_FORMS) | found, status
        )

    return take_step(request, report, step, ROUND_FORMS, page)


@require_GET
@requires(Permission.SEE, Permission.REPORT)
def round_file(request: HttpRequest, number: str, file_id: str) -> FileResponse:
    """A piece of evidence of a report that the reader may see."""
    return attachment_response(_report(request, number).case, file_id)

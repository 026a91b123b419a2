"""Pages of the verifier: queue, two-column review, and what is done there."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import APPLICATION
from xuezheng.domains.admissions.forms.desk_filters import ApplicationFilter
from xuezheng.domains.admissions.forms.verifying import (
    STEP_FORMS,
    BulkForm,
    HandOverForm,
    PartyForm,
)
from xuezheng.domains.admissions.models import Application, Check, Paper, Party
from xuezheng.domains.admissions.selectors import admission_settings
from xuezheng.domains.admissions.services import checking
from xuezheng.domains.admissions.services.notices_of_admission import HAS_PLACE
from xuezheng.domains.admissions.views import desk, review_facts
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.ui.cases import history, open_forms, permissions_of, take_step
from xuezheng.kernel.ui.lists import export_url, list_context, narrowed_by
from xuezheng.kernel.ui.steps import attempt
from xuezheng.registry.codes import masked_phone


def _staff_rows(request: HttpRequest) -> QuerySet[Application]:
    """Registrations in the reach of a post; what is the reader's own as a parent is not work."""
    scope = request.actor.scope(Permission.SEE)
    rows = Application.objects.visible_to(request.actor)
    if not scope.everything:
        rows = rows.filter(case__organisation__within=scope.organisations)
    return rows.select_related("case__organisation", "entry", "season")


def _queue(rows: QuerySet[Application]) -> QuerySet[Application]:
    return rows.order_by(F("case__due").asc(nulls_last=True), "case_id")


@require_GET
@requires(Permission.SEE)
def application_list(request: HttpRequest) -> HttpResponse:
    """The queue: what is to be verified first, the nearest day on top."""
    rows = _queue(_staff_rows(request))
    filterset = ApplicationFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        return _export(request, filterset)
    context = list_context(request, filterset, title=_("入学登记核验"))
    if request.GET.get("w"):
        found = context["page"].paginator.count
        record_read(
            request, "application.search", object_type="application", detail={"found": found}
        )
    shown = list(context["page"].object_list)
    context["page"].object_list = shown
    states: dict[int, list[str]] = {}
    for check in Check.objects.filter(application__in=shown):
        states.setdefault(check.application_id, []).append(check.state)
    for row in shown:
        row.register_words = _register_words(states.get(row.pk, []))
    may_verify = request.actor.can(Permission.VERIFY)
    context |= {
        "chips": [
            ("", _("全部")),
            ("submitted", _("待核验")),
            ("confirmed", _("数据核验一致")),
            ("correcting", _("待补正")),
            ("disputed", _("监护有争议")),
            ("verified", _("已核验")),
        ],
        "may_verify": may_verify,
        "may_counter": request.actor.can(Permission.COUNTER),
        "export_url": export_url(request),
    }
    return desk.page(request, "application_list", "verifying", context)


def _register_words(states: list[str]) -> str:
    if not states:
        return _("没有查询")
    for state in (Check.State.DIFFERENT, Check.State.NOT_FOUND, Check.State.NO_ANSWER):
        if state in states:
            return str(state.label)
    return str(Check.State.CONFIRMED.label)


def _export(request: HttpRequest, filterset: ApplicationFilter) -> HttpResponse:
    columns = [
        Column(_("编号"), 18),
        Column(_("批次"), 22),
        Column(_("姓名"), 12),
        Column(_("证件号码"), 22),
        Column(_("服务区"), 20),
        Column(_("核验单位"), 24),
        Column(_("状态"), 10),
        Column(_("渠道"), 10),
        Column(_("须交材料"), 10),
        Column(_("提交日"), 12),
        Column(_("期限"), 12),
    ]
    rows = (
        (
            row.case.number,
            row.season.title,
            row.child_name,
            row.entry.id_masked,
            row.zone_name,
            str(row.case.organisation),
            row.get_state_display(),
            row.get_channel_display(),
            _("须看材料") if row.papers_needed else _("免交材料"),
            row.submitted_on,
            row.case.due,
        )
        for row in filterset.qs
    )
    record_read(
        request, "application.export", object_type="application", detail=narrowed_by(filterset)
    )
    return list_response(request, _("入学登记"), columns, rows)


@require_GET
@requires(Permission.VERIFY)
def application_next(request: HttpRequest) -> HttpResponse:
    """The next of the queue that waits for a verifier: `?after=` one goes on behind it."""
    rows = _queue(_staff_rows(request).filter(state="submitted"))
    after = request.GET.get("after", "")
    numbers = list(rows.values_list("case__number", flat=True)[:500])
    if not numbers or numbers == [after]:
        messages.success(request, _("没有等待核验的登记了。"))
        return redirect("application_list")
    at = numbers.index(after) + 1 if after in numbers else 0
    return redirect("application_detail", numbers[at % len(numbers)])


def _visible(request: HttpRequest, number: str) -> Application:
    rows = _staff_rows(request).select_related(
        "case__organisation",
        "entry",
        "season__rule_set",
        "register_dwelling__community",
        "home_dwelling__community",
        "sibling_school",
        "staff_school",
    )
    return get_object_or_404(rows, case__number=number)


def _may(request: HttpRequest, application: Application, permission: str) -> bool:
    return application.case.organisation_id in request.actor.scope(permission)


def _detail(
    request: HttpRequest,
    application: Application,
    step_forms: dict[str, Any],
    status: int = 200,
    *,
    hand_over: forms.Form | None = None,
    shown: dict[str, str] | None = None,
    refused: str = "",
) -> HttpResponse:
    parties = list(application.parties.all())
    for party in parties:
        party.phone_masked = masked_phone(party.phone) if party.phone else ""
    labels = dict(checking.reasons(checking.settings_of(application), "fault_reasons"))
    may_verify = _may(request, application, Permission.VERIFY)
    is_open = application.state in checking.OPEN
    context = {
        "application": application,
        "case": application.case,
        "parties": parties,
        "said": review_facts.said_by_family(application),
        "registers": review_facts.registers(application),
        "rungs": review_facts.rungs(application),
        "papers": list(application.papers.select_related("file")),
        "faults": [
            {"label": labels.get(f["code"], ""), "note": f.get("note", "")}
            for f in application.faults
        ],
        "moves": history(application.case),
        "forms": step_forms.values(),
        "may_verify": may_verify,
        "is_open": is_open,
        "has_place": application.state in HAS_PLACE,
        "hand_over": (hand_over or HandOverForm(application=application, actor=request.actor))
        if may_verify and is_open
        else None,
        "shown": shown or {},
        "refused": refused,
    }
    return desk.page(request, "application_detail", "verifying", context, status)


@require_GET
@requires(Permission.SEE)
def application_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One registration: left what the family says and its papers, right what registers say."""
    application = _visible(request, number)
    desk.read_as(
        request,
        "application.open",
        Permission.SEE,
        application.case.organisation_id,
        object_type="application",
        object_id=number,
    )
    return _detail(request, application, open_forms(application, request.actor, STEP_FORMS))


@require_POST
@requires(*permissions_of(APPLICATION, STEP_FORMS))
def application_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Take a step."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        application = _visible(request, number)
        step_forms = open_forms(application, request.actor, STEP_FORMS) | bound
        return _detail(request, application, step_forms, status)

    return take_step(request, _visible(request, number), step, STEP_FORMS, page)


@require_POST
@requires(Permission.VERIFY)
def application_hand_over(request: HttpRequest, number: str) -> HttpResponse:
    """Give it to another school of the season, or to the bureau, to check."""
    application = _visible(request, number)
    form = HandOverForm(request.POST, application=application, actor=request.actor)
    if form.is_valid():
        attempt(form, form.save)
    if form.errors:
        step_forms = open_forms(application, request.actor, STEP_FORMS)
        return _detail(request, application, step_forms, 422, hand_over=form)
    messages.success(request, _("已转交。"))
    return redirect("application_list")


def _done(request: HttpRequest, number: str, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("application_detail", number)


@require_POST
@requires(Permission.VERIFY)
def application_ask(request: HttpRequest, number: str, register: str) -> HttpResponse:
    """Ask a register that did not answer again."""
    if register not in Check.Register.values:
        raise Http404
    application = _visible(request, number)
    try:
        check = checking.ask_again(application, register=register, by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
        return redirect("application_detail", number)
    words = {"register": check.get_register_display(), "state": check.get_state_display()}
    return _done(request, number, _("%(register)s：%(state)s") % words)


@require_POST
@requires(Permission.VERIFY)
def application_family(request: HttpRequest, number: str) -> HttpResponse:
    """Ask the registry for brothers and sisters, and whether a guardian works at a school."""
    found = checking.look_up_family(_visible(request, number), by=request.actor)
    sibling, staff = found["sibling"], found["staff"]
    parts = [
        _("兄弟姐妹在读：%s") % sibling if sibling else _("志愿学校没有兄弟姐妹在读"),
        _("监护人任职：%s") % staff if staff else _("监护人不是志愿学校教职工"),
    ]
    return _done(request, number, "；".join(parts))


@require_POST
@requires(Permission.VERIFY)
def application_party(request: HttpRequest, number: str) -> HttpResponse:
    """Confirm or deny a second guardian by the custody paper."""
    application = _visible(request, number)
    form = PartyForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("请选择结论，并写明依据哪份证明。"))
        return redirect("application_detail", number)
    data = form.cleaned_data
    party = get_object_or_404(Party, pk=data["party"], application=application)
    try:
        checking.decide_party(
            application,
            party,
            confirmed=data["confirmed"] == "yes",
            reason=data["reason"],
            by=request.actor,
        )
    except StepRefused as refused:
        messages.warning(request, str(refused))
        return redirect("application_detail", number)
    return _done(request, number, _("监护关系已核对。"))


@require_POST
@requires(Permission.VERIFY)
def application_reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Show one whole number on this one answer; who, which and why are kept."""
    application = _visible(request, number)
    step_forms = open_forms(application, request.actor, STEP_FORMS)
    field = request.POST.get("field", "")
    try:
        value = checking.reveal(
            application, field=field, reason=request.POST.get("reason", ""), by=request.actor
        )
    except KeyError:
        raise Http404 from None
    except ValidationError as error:
        return _detail(request, application, step_forms, 422, refused=error.messages[0])
    return _detail(request, application, step_forms, shown={field: value})


@require_GET
@requires(Permission.SEE)
def application_paper(request: HttpRequest, number: str, file_id: Any) -> FileResponse:
    """A paper of a registration: pictures are shown, everything else is downloaded."""
    application = _visible(request, number)
    paper = (
        Paper.objects.filter(application=application, file_id=file_id)
        .select_related("file")
        .first()
    )
    if paper is None:
        raise Http404
    stored = paper.file
    response = FileResponse(
        path_of(stored.sha256).open("rb"),
        content_type=stored.media_type,
        as_attachment=not stored.is_picture,
        filename=stored.name,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _bulk_rows(request: HttpRequest) -> QuerySet[Application]:
    scope = request.actor.scope(Permission.VERIFY)
    rows = _staff_rows(request).filter(case__organisation__within=scope.organisations)
    return _queue(checking.confirmed_by_registers(rows))


@require_http_methods(["GET", "POST"])
@requires(Permission.VERIFY)
def application_bulk(request: HttpRequest) -> HttpResponse:
    """Verify what registers confirmed whole; a sample stays for checking by hand."""
    today = timezone.localdate()
    settings = admission_settings(today, request.actor.authority_code)
    percent = settings["sample_percent"].value
    rows = _bulk_rows(request)
    form = BulkForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        done = attempt(
            form,
            lambda: checking.verify_confirmed(
                rows[: checking.AT_ONCE], percent=percent, by=request.actor
            ),
        )
        if done is not None:
            messages.success(
                request,
                _("已核验%(done)d份；抽查%(kept)d份留待人工核验。")
                % {"done": done[0], "kept": done[1]},
            )
            return redirect(reverse("application_list") + "?state=confirmed")
    count = rows.count()
    context = {
        "title": _("批量核验数据一致的登记"),
        "form": form,
        "count": count,
        "at_once": checking.AT_ONCE,
        "percent": settings["sample_percent"],
        "submit": _("核验通过"),
        "cancel_url": reverse("application_list"),
    }
    return desk.page(request, "application_bulk", "verifying", context, 422 if form.errors else 200)

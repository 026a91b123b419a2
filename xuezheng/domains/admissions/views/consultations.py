"""Consultations on service areas: list, draft, page with its steps, opinions, the whole file."""

import django_filters as filters
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import CONSULTATION
from xuezheng.domains.admissions.forms import consultations as forms
from xuezheng.domains.admissions.models import Consultation, ConsultationReply
from xuezheng.domains.admissions.services import consulting
from xuezheng.domains.admissions.services.filing import consultation_file, file_as_docx
from xuezheng.domains.admissions.views.planning import form_page, page
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.cases import (
    attachment_response,
    history,
    open_forms,
    permissions_of,
    take_step,
)
from xuezheng.kernel.ui.lists import export_url, list_context
from xuezheng.kernel.ui.steps import attempt

SEES = (Permission.ZONES, Permission.ZONES_REPLY, Permission.PUBLISH)
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class ConsultationFilter(filters.FilterSet):
    """Consultations by state and season."""

    state = filters.ChoiceFilter(
        label=gettext_lazy("状态"),
        choices=[(key, state.label) for key, state in CONSULTATION.states.items()],
    )

    class Meta:
        model = Consultation
        fields = ()


def _visible(request: HttpRequest, number: str) -> Consultation:
    rows = Consultation.objects.visible_to(request.actor).select_related(
        "case__organisation", "season"
    )
    return get_object_or_404(rows, case__number=number)


def _trail() -> list[tuple[str, str]]:
    return [(reverse("consultation_list"), _("服务区征求意见"))]


@require_GET
@requires(*SEES)
def consultation_list(request: HttpRequest) -> HttpResponse:
    """Every consultation, the newest first."""
    rows = Consultation.objects.visible_to(request.actor).select_related("case", "season")
    filterset = ConsultationFilter(request.GET, queryset=rows.order_by("-case_id"), request=request)
    if request.GET.get("export"):
        columns = [
            Column(_("编号"), 18), Column(_("招生批次"), 26), Column(_("状态"), 14),
            Column(_("公开征求止")), Column(_("会议编号"), 20), Column(_("文号"), 20),
            Column(_("公布日")),
        ]  # fmt: skip
        lines = (
            (row.case.number, row.season.title, row.get_state_display(), row.public_until,
             row.meeting_number, row.document_number, row.published_on)
            for row in filterset.qs
        )  # fmt: skip
        return list_response(request, _("服务区征求意见"), columns, lines)
    context = list_context(request, filterset, title=_("服务区征求意见"))
    context |= {
        "export_url": export_url(request),
        "may_draft": request.actor.can(Permission.ZONES),
    }
    return page(request, "consultation_list", context, current="consultations")


@require_http_methods(["GET", "POST"])
@requires(Permission.ZONES)
def consultation_add(request: HttpRequest) -> HttpResponse:
    """Begin one."""
    form = forms.DraftForm(request.POST or None, request.FILES or None, actor=request.actor)

    def draft() -> Consultation:
        data = form.cleaned_data
        return consulting.draft_consultation(
            data["season"], explanation=data["explanation"], transition=data["transition"],
            uploads=data["files"], key=data["key"], by=request.actor,
        )  # fmt: skip

    return form_page(
        request, form, draft, title=_("拟定服务区调整方案"),
        lead=_("方案就是这个批次现在的服务区；先在服务区页面改好、检查过，再送出征求意见。"),
        done=lambda made: made.case.get_absolute_url(), back=reverse("consultation_list"),
        trail=_trail(),
    )  # fmt: skip


def _detail(
    request: HttpRequest,
    row: Consultation,
    steps: dict[str, object],
    *,
    reply: forms.ReplyForm | None = None,
    answering: tuple[int, forms.AnswerForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    replies = list(
        row.replies.select_related("organisation", "answered_by").order_by("given_at", "id")
    )
    may_answer = row.case.organisation_id in request.actor.scope(Permission.ZONES) and (
        row.state in (*consulting.ASKED, "draft")
    )
    asks = request.actor.can(Permission.ZONES_REPLY) and row.state in consulting.ASKED
    context = {
        "row": row,
        "case": row.case,
        "moves": history(row.case),
        "forms": steps.values(),
        "replies": [
            (
                each,
                (answering[1] if answering and answering[0] == each.pk else forms.AnswerForm(
                    auto_id=f"a{each.pk}_%s"
                )) if may_answer and not each.answer else None,
            )
            for each in replies
        ],
        "adopted": sum(bool(each.adopted) for each in replies),
        "reply_form": (reply or forms.ReplyForm(actor=request.actor, auto_id="reply_%s"))
        if asks
        else None,
        "may_edit": row.state == "draft" and request.actor.can(Permission.ZONES),
        "trail": _trail(),
    }  # fmt: skip
    return render(request, "admissions/consultation_detail.html", context, status=status)


@require_GET
@requires(*SEES)
def consultation_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One consultation: texts, opinions with answers, the steps open to the reader."""
    row = _visible(request, number)
    return _detail(request, row, open_forms(row, request.actor, forms.STEP_FORMS))


@require_POST
@requires(*permissions_of(CONSULTATION, forms.STEP_FORMS))
def consultation_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Take a step."""

    def shown(bound: dict[str, object], status: int) -> HttpResponse:
        row = _visible(request, number)
        steps = open_forms(row, request.actor, forms.STEP_FORMS) | bound
        return _detail(request, row, steps, status=status)

    return take_step(request, _visible(request, number), step, forms.STEP_FORMS, shown)


@require_http_methods(["GET", "POST"])
@requires(Permission.ZONES)
def consultation_edit(request: HttpRequest, number: str) -> HttpResponse:
    """The texts of a draft."""
    row = _visible(request, number)
    initial = {
        "explanation": row.explanation,
        "transition": row.transition,
        "version": row.case.version,
    }
    form = forms.EditForm(request.POST or None, initial=initial)
    back = row.case.get_absolute_url()
    return form_page(
        request,
        form,
        lambda: consulting.edit_consultation(row, **form.cleaned_data, by=request.actor),
        title=_("修改说明和过渡办法"),
        done=lambda _made: back,
        back=back,
        trail=[*_trail(), (back, number)],
    )


@require_POST
@requires(Permission.ZONES_REPLY)
def consultation_reply(request: HttpRequest, number: str) -> HttpResponse:
    """The opinion of a town or office."""
    row = _visible(request, number)
    form = forms.ReplyForm(request.POST, actor=request.actor, auto_id="reply_%s")
    if form.is_valid():
        attempt(form, lambda: consulting.reply_as(row, **form.cleaned_data, by=request.actor))
    if form.errors:
        steps = open_forms(row, request.actor, forms.STEP_FORMS)
        return _detail(request, row, steps, reply=form, status=422)
    messages.success(request, _("意见已送出。"))
    return redirect("consultation_detail", number)


@require_POST
@requires(Permission.ZONES)
def consultation_answer(request: HttpRequest, number: str, reply: int) -> HttpResponse:
    """Answer one opinion."""
    row = _visible(request, number)
    held = get_object_or_404(
        ConsultationReply.objects.select_related("consultation__case"), pk=reply, consultation=row
    )
    form = forms.AnswerForm(request.POST, auto_id=f"a{reply}_%s")
    if form.is_valid():
        data = form.cleaned_data
        attempt(
            form,
            lambda: consulting.answer_reply(
                held, adopted=data["adopted"] == "yes", answer=data["answer"], by=request.actor
            ),
        )
    if form.errors:
        steps = open_forms(row, request.actor, forms.STEP_FORMS)
        return _detail(request, row, steps, answering=(reply, form), status=422)
    messages.success(request, _("已答复。"))
    return redirect("consultation_detail", number)


@require_GET
@requires(*SEES)
def consultation_paper(request: HttpRequest, number: str, file_id: str) -> FileResponse:
    """A document of the file."""
    return attachment_response(_visible(request, number).case, file_id)


@require_GET
@requires(*SEES)
def consultation_print(request: HttpRequest, number: str) -> HttpResponse:
    """The whole file on one page, to be printed."""
    row = _visible(request, number)
    context = {"row": row, "case": row.case, "sections": consultation_file(row), "trail": _trail()}
    record_read(request, "zoning.print", object_type="zoning", object_id=number)
    return render(request, "admissions/consultation_print.html", context)


@require_GET
@requires(*SEES)
def consultation_docx(request: HttpRequest, number: str) -> HttpResponse:
    """The whole file as a document."""
    row = _visible(request, number)
    response = HttpResponse(file_as_docx(row), content_type=DOCX)
    response.headers["Content-Disposition"] = f'attachment; filename="{number}.docx"'
    record_read(request, "zoning.export", object_type="zoning", object_id=number)
    return response

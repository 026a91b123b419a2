"""The public draw: promise, the stage for the big screen, minutes."""

import io
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from docx import Document

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.forms.allocation import (
    CommitForm,
    DigitForm,
    NoteForm,
    OpenForm,
    ValueForm,
    WitnessedForm,
)
from xuezheng.domains.admissions.models import Draw, Freeze
from xuezheng.domains.admissions.services import drawing
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.ui.steps import attempt

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: Act of the stage -> (its form, the service that does it).
ACTS: dict[str, tuple[type[forms.Form], Callable[..., Any]]] = {
    "digit": (DigitForm, drawing.enter_digit),
    "strike": (WitnessedForm, drawing.strike_digit),
    "value": (ValueForm, drawing.enter_public_value),
    "note": (NoteForm, drawing.note_event),
    "open": (OpenForm, drawing.open_secret),
    "void": (WitnessedForm, drawing.void_draw),
}


def _draw(request: HttpRequest, pk: int) -> Draw:
    draw = get_object_or_404(Draw.objects.select_related("freeze__season"), pk=pk)
    if draw.freeze.season.organisation_id not in _reach(request):
        raise Http404
    return draw


def _reach(request: HttpRequest) -> frozenset[int]:
    return request.actor.scope(Permission.ALLOCATE).organisations


@require_http_methods(["GET", "POST"])
@requires(Permission.ALLOCATE)
def draw_commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Promise a secret and name the public values."""
    frozen = get_object_or_404(Freeze.objects.select_related("season"), pk=pk)
    if frozen.season.organisation_id not in _reach(request):
        raise Http404
    form = CommitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt(form, lambda: drawing.commit(frozen, **form.cleaned_data, by=request.actor))
        if made:
            messages.success(request, _("承诺值已生成，请先公布，再开始抽签。"))
            return redirect("draw_stage", made.pk)
    context = {
        "form": form,
        "title": _("准备公开抽签"),
        "lead": _("系统生成一个密值，只公布它的承诺值；抽完数字才打开密值，谁也不能事先算出结果。"),
        "submit": _("生成承诺值"),
        "cancel_url": reverse("allocation_home", args=[frozen.season_id]),
    }
    return render(request, "ui/form_page.html", context, status=422 if form.errors else 200)


def _stage(
    request: HttpRequest, draw: Draw, bound: dict[str, forms.Form], status: int = 200
) -> HttpResponse:
    steps = list(draw.steps.order_by("id"))
    last = next((step.witnesses for step in reversed(steps) if step.witnesses), "")
    empty = max(0, drawing.DIGITS - len(draw.digits))
    forms_ = {
        "digit": DigitForm(initial={"place": len(draw.digits), "witnesses": last}),
        "strike": WitnessedForm(initial={"witnesses": last}, auto_id="strike_%s"),
        "note": NoteForm(initial={"witnesses": last}, auto_id="note_%s"),
        "open": OpenForm(initial={"witnesses": last}, auto_id="open_%s"),
        "void": WitnessedForm(initial={"witnesses": last}, auto_id="void_%s"),
    } | bound
    sources = [
        {
            "source": source,
            "value": draw.public_values[index],
            "form": ValueForm(initial={"index": index}, auto_id=f"value{index}_%s"),
        }
        for index, source in enumerate(draw.public_sources)
    ]
    context = {
        "draw": draw,
        "frozen": draw.freeze,
        "season": draw.freeze.season,
        "digits": list(draw.digits),
        "places": range(empty),
        "next": len(draw.digits) + 1,
        "least": drawing.DIGITS,
        "enough": len(draw.digits) >= drawing.DIGITS,
        "complete": all(draw.public_values),
        "sources": sources,
        "steps": reversed(steps),
        "forms": forms_,
        "may_void": draw.state != Draw.State.VOID
        and draw.freeze.season.state in ("frozen", "drawn"),
    }
    return render(request, "admissions/draw_stage.html", context, status=status)


@require_GET
@requires(Permission.ALLOCATE)
def draw_stage(request: HttpRequest, pk: int) -> HttpResponse:
    """The big screen: digits as they are drawn; goes on where it stopped after a power cut."""
    return _stage(request, _draw(request, pk), {})


@require_POST
@requires(Permission.ALLOCATE)
def draw_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """One act of the draw, saved before the next is asked for."""
    draw = _draw(request, pk)
    if act not in ACTS:
        raise Http404
    form_class, service = ACTS[act]
    form = form_class(request.POST, auto_id=f"{act}_%s" if act != "digit" else "id_%s")

    def do() -> bool:
        service(draw, **form.cleaned_data, by=request.actor)
        return True

    if form.is_valid() and attempt(form, do):
        return redirect("draw_stage", draw.pk)
    if act == "value":
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
        return redirect("draw_stage", draw.pk)
    draw.refresh_from_db()
    return _stage(request, draw, {act: form}, status=422)


@require_GET
@requires(Permission.ALLOCATE)
def draw_minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """The minutes as a document to be signed."""
    draw = _draw(request, pk)
    document = Document()
    document.add_heading(_("公开抽签演练记录") if draw.rehearsal else _("公开抽签记录"), level=1)
    facts = [
        (_("批次"), draw.freeze.season.title),
        (_("名册封存值"), draw.freeze.root),
        (_("人数"), str(draw.freeze.count)),
        (_("密值承诺"), draw.commitment),
        (_("现场数字"), draw.digits),
        *zip(draw.public_sources, draw.public_values, strict=True),
        (_("种子"), draw.seed),
        (_("状态"), draw.get_state_display()),
    ]
    for label, value in facts:
        document.add_paragraph(f"{label}：{value}")
    table = document.add_table(rows=1, cols=3)
    for cell, label in zip(table.rows[0].cells, (_("时间"), _("记录"), _("见证")), strict=True):
        cell.text = label
    for step in draw.steps.order_by("id"):
        cells = table.add_row().cells
        cells[0].text = f"{timezone.localtime(step.at):%Y-%m-%d %H:%M:%S}"
        cells[1].text, cells[2].text = step.text, step.witnesses
    for who in (_("主持人签字"), _("家长代表签字"), _("监督人（公证）签字")):
        document.add_paragraph(f"\n{who}：")
    out = io.BytesIO()
    document.save(out)
    response = HttpResponse(out.getvalue(), content_type=DOCX)
    response.headers["Content-Disposition"] = f'attachment; filename="draw-{draw.pk}.docx"'
    return response

"""Pages that move a pupil: taking in, changing class, suspending, leaving, correcting."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.forms.base import OnDayForm
from xuezheng.registry.forms.people import ChangeClassForm, CorrectForm, LeaveForm, TakeInForm
from xuezheng.registry.models import Placement, Pupil
from xuezheng.registry.services import placing
from xuezheng.registry.services.common import tidy_number
from xuezheng.registry.views.common import chosen_site, form_page, page
from xuezheng.registry.views.pupils import pupil_trail, visible_pupil


class NumberForm(forms.Form):
    """A whole number by which a pupil is known."""

    number = forms.CharField(
        label=gettext_lazy("身份证号或学籍号（完整）"),
        max_length=40,
        widget=forms.TextInput({"autocomplete": "off"}),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def pupil_find(request: HttpRequest) -> HttpResponse:
    """Take a pupil in by the whole number.

    The registrar goes on to the transfer.  A school learns whether the child is registered, not
    where, and how to ask for the transfer; the question is noted.
    """
    form = NumberForm(request.POST or None)
    may_move = request.actor.scope(Permission.PUPIL_EDIT).everything
    result = ""
    if request.method == "POST" and form.is_valid():
        ids = selectors.pupil_ids_with(tidy_number(form.cleaned_data["number"], "1"))
        record("pupil.find", by=request.actor, object_type="pupil", detail={"found": len(ids)})
        own = Pupil.objects.visible_to(request.actor).live().filter(pk__in=ids).first()
        if own and may_move:
            return redirect("pupil_take_in", own.pk)
        if own:
            messages.info(request, _("这名学生在您的学校。"))
            return redirect("pupil_detail", own.pk)
        result = "elsewhere" if ids else "nobody"
    context = {
        "title": _("转入学生"),
        "form": form,
        "result": result,
        "may_move": may_move,
        "cancel_url": reverse("pupil_list"),
        "trail": [(reverse("pupil_list"), _("学生"))],
    }
    return page(request, "pupil_find", "pupils", context, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def pupil_take_in(request: HttpRequest, pk: Any) -> HttpResponse:
    """Transfer a pupil to a school, or place one who is nowhere.  For who reaches both schools."""
    pupil = movable(request, pk)
    back = reverse("pupil_detail", args=[pk])
    title = _("转入学校")
    site = chosen_site(request, Permission.PUPIL_EDIT, section="pupils", title=title, back=back)
    if isinstance(site, HttpResponse):
        return site
    form = TakeInForm(request.POST or None, actor=request.actor, site=site)
    lead = _("%(name)s：%(from)s → %(to)s") % {
        "name": pupil.name,
        "from": pupil.organisation or _("未落实学校"),
        "to": site,
    }
    return form_page(
        request,
        form,
        lambda: placing.take_in(pupil, **form.cleaned_data, by=request.actor),
        section="pupils",
        title=title,
        lead=lead,
        submit=_("转入"),
        done=back,
        message=_("已转入。"),
        back=back,
        trail=pupil_trail(pupil),
    )


def movable(request: HttpRequest, pk: Any) -> Pupil:
    """A pupil whom the reader may take from one school to another; else 404."""
    pupil = visible_pupil(request, pk, Permission.PUPIL_EDIT)
    if not request.actor.scope(Permission.PUPIL_EDIT).everything:
        raise Http404
    return pupil


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def pupil_leave(request: HttpRequest, pk: Any) -> HttpResponse:
    """End a pupil's time at a school: transfer out, graduation, and so on."""
    pupil = movable(request, pk)
    form = LeaveForm(request.POST or None, actor=request.actor)
    return _change(
        request,
        pupil,
        form,
        lambda: placing.leave(pupil, **form.cleaned_data, by=request.actor),
        title=_("办理离校"),
        lead=_("区内转学请用“转入学校”，不用先办离校。"),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def pupil_class(request: HttpRequest, pk: Any) -> HttpResponse:
    """Move a pupil to another class."""
    pupil = visible_pupil(request, pk, Permission.PUPIL_EDIT)
    form = ChangeClassForm(request.POST or None, actor=request.actor, pupil=pupil)
    return _change(
        request,
        pupil,
        form,
        lambda: placing.change_class(pupil, **form.cleaned_data, by=request.actor),
        title=_("调班"),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def pupil_pause(request: HttpRequest, pk: Any) -> HttpResponse:
    """Suspend a pupil, or let a suspended one return."""
    pupil = visible_pupil(request, pk, Permission.PUPIL_EDIT)
    returning = pupil.status == placing.SUSPENDED
    act = placing.resume if returning else placing.suspend
    form = OnDayForm(request.POST or None, actor=request.actor)
    return _change(
        request,
        pupil,
        form,
        lambda: act(pupil, **form.cleaned_data, by=request.actor),
        title=_("复学") if returning else _("休学"),
    )


def _change(
    request: HttpRequest, pupil: Pupil, form: forms.Form, call: Any, *, title: str, lead: str = ""
) -> HttpResponse:
    back = reverse("pupil_detail", args=[pupil.pk])
    return form_page(
        request,
        form,
        call,
        section="pupils",
        title=title,
        lead=lead or pupil.name,
        done=back,
        message=_("已办理。"),
        back=back,
        trail=pupil_trail(pupil),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def placement_correct(request: HttpRequest, pk: Any, placement: int) -> HttpResponse:
    """Put days or class of one placement right, with a reason."""
    pupil = visible_pupil(request, pk, Permission.PUPIL_EDIT)
    reached = request.actor.scope(Permission.PUPIL_EDIT).organisations
    rows = Placement.objects.filter(pupil=pupil, organisation__within=reached)
    row = get_object_or_404(rows.select_related("organisation", "pupil"), pk=placement)
    form = CorrectForm(request.POST or None, placement=row)

    def call() -> None:
        data = {"valid_to": None} | form.cleaned_data
        placing.correct(row, **data, by=request.actor)

    return _change(
        request,
        pupil,
        form,
        call,
        title=_("更正就读经历"),
        lead=_("%(school)s。更正会改变过去的数字，所以要写理由。") % {"school": row.organisation},
    )

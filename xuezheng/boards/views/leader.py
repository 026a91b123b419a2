"""The leader's page: decisions in place, red tasks, notes; for a phone first."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from xuezheng.boards import leader as pages
from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import Plan
from xuezheng.domains.workplan.services import recordings
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.ui.steps import attempt


class DecisionForm(forms.Form):
    """Yes or no; a no needs its reason (the flow says so)."""

    granted = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda value: value == "yes"
    )
    note = forms.CharField(max_length=500, required=False)
    version = forms.IntegerField(min_value=1)


@require_GET
@requires(Permission.DECIDE)
def leader(request: HttpRequest) -> HttpResponse:
    """What waits, what is red."""
    items, many = pages.waiting(request.actor)
    to_sign, sign_count = pages.to_sign(request.actor)
    plan = (
        Plan.objects.visible_to(request.actor)
        .select_related("organisation")
        .exclude(status=Plan.Status.REVIEW)
        .order_by("-year", "-id")
        .first()
    )
    context = {
        "items": items,
        "to_sign": to_sign,
        "sign_count": sign_count,
        "many": many,
        "plan": plan,
        "red": pages.red(plan),
        "today": timezone.localdate(),
        "may_note": plan is not None
        and plan.organisation_id in request.actor.scope(Permission.NOTE),
        "voice_seconds": recordings.longest_seconds(plan.organisation) if plan else 0,
        "notes": pages.notes(request.actor),
    }
    return render(request, "boards/leader.html", context)


@require_POST
@requires(Permission.SIGN)
def leader_sign(request: HttpRequest) -> HttpResponse:
    """Sign the reports that are ticked, or all that are shown."""
    taken = pages.sign_together(request.POST.getlist("report"), by=request.actor)
    if taken.done:
        messages.success(request, ngettext("已签 %d 份。", "已签 %d 份。", taken.done) % taken.done)
    for words in taken.refused[:5]:
        messages.warning(request, words)
    if not taken.done and not taken.refused:
        messages.info(request, _("没有等您签字的。"))
    return redirect("leader")


@require_POST
@requires(Permission.DECIDE)
def leader_decide(request: HttpRequest, number: str) -> HttpResponse:
    """Decide one of the cases that wait for the reader; 404 for any other."""
    case = get_object_or_404(Case.objects.owed_by(request.actor), number=number)
    if case.kind not in pages.DECIDERS:
        raise Http404
    form = DecisionForm(request.POST)
    if form.is_valid():
        attempt(form, lambda: pages.decide(case, by=request.actor, **form.cleaned_data))
    for errors in form.errors.values():
        messages.error(request, " ".join(errors))
    if not form.errors:
        words = _("已同意：%s。") if form.cleaned_data["granted"] else _("未同意：%s。")
        messages.success(request, words % case.number)
    return redirect("leader")

"""Notices of admission: one child's, a school's all at once, and the public check of a code."""

import io

import segno
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.forms.roll import NoticeForm
from xuezheng.domains.admissions.models import Application, Season
from xuezheng.domains.admissions.services import notices_of_admission as notices
from xuezheng.domains.admissions.views import desk
from xuezheng.kernel.access.guards import public, requires
from xuezheng.kernel.access.limits import limited
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.reference.parameters import setting

ISSUES = (Permission.ROLL, Permission.SCHOOL)


def _placed(request: HttpRequest) -> QuerySet[Application]:
    scope = request.actor.scope(Permission.SEE)
    return (
        Application.objects.visible_to(request.actor)
        .filter(case__organisation__within=scope.organisations, state__in=notices.HAS_PLACE)
        .select_related("case__organisation", "entry", "season__organisation")
        .order_by("entry__initials", "child_name", "case_id")
    )


def _dressed(request: HttpRequest, application: Application) -> Application:
    """With the notice's code and its picture."""
    application.notice_code = notices.code_of(application)
    address = request.build_absolute_uri(
        reverse("notice_check_code", args=[application.notice_code])
    )
    application.notice_qr = qr(address)
    return application


def qr(text: str) -> SafeString:
    """A QR picture of an address as SVG without style or script."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, scale=3, border=2, svgclass=None, lineclass=None
    )
    # Made by segno from our own address: nothing typed by anybody is in it.
    return mark_safe(out.getvalue().decode())


@require_GET
@requires(Permission.APPLY)
def notice_of_admission(request: HttpRequest, number: str) -> HttpResponse:
    """One child's issued notice: for its family, and for the office."""
    rows = Application.objects.visible_to(request.actor).filter(
        state__in=notices.HAS_PLACE, entry__notice_issued_on__isnull=False
    )
    application = get_object_or_404(
        rows.select_related("case__organisation", "entry", "season__organisation"),
        case__number=number,
    )
    if application.applicant_id != request.user.id:
        desk.read_as(
            request,
            "application.notice",
            Permission.SEE,
            application.case.organisation_id,
            object_type="application",
            object_id=number,
        )
    context = {"title": _("入学通知书"), "notices": [_dressed(request, application)]}
    return render(request, "admissions/notice_of_admission.html", context)


@require_http_methods(["GET", "POST"])
@requires(*ISSUES)
def school_notices(request: HttpRequest, season_id: int, code: str) -> HttpResponse:
    """All notices of a school in a season: POST issues those that are new, GET prints what is issued."""
    season = get_object_or_404(Season.objects.visible_to(request.actor), pk=season_id)
    reached = request.actor.scope(Permission.SEE).organisations
    school = get_object_or_404(Organisation.objects.filter(id__within=reached), code=code)
    rows = list(_placed(request).filter(season=season, case__organisation=school))
    if request.method == "POST":
        return _issue(request, rows, season, school)
    issued = [row for row in rows if row.entry.notice_issued_on]
    record_read(
        request, "application.notices", object_type="season", object_id=season.id,
        organisation_id=school.id, detail={"notices": len(issued)},
    )  # fmt: skip
    context = {
        "title": _("入学通知书"),
        "season": season,
        "school": school,
        "waiting": len(rows) - len(issued),
        "notices": [_dressed(request, row) for row in issued],
        "bulk": True,
    }
    return render(request, "admissions/notice_of_admission.html", context)


def _issue(
    request: HttpRequest, rows: list[Application], season: Season, school: Organisation
) -> HttpResponse:
    try:
        count = notices.issue(rows, by=request.actor) if rows else 0
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已签发%d份入学通知书。") % count)
    return redirect("school_notices", season.id, school.code)


@require_http_methods(["GET", "POST"])
@public
def notice_check(request: HttpRequest) -> HttpResponse:
    """Type a code; the answer is valid or not, and nothing else."""
    form = NoticeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _answer(request, form.cleaned_data["code"], form)
    return render(request, "admissions/notice_check.html", {"form": form, "valid": None})


@require_GET
@public
def notice_check_code(request: HttpRequest, code: str) -> HttpResponse:
    """What the QR picture of a notice leads to."""
    return _answer(request, code, NoticeForm(initial={"code": code}))


def _answer(request: HttpRequest, code: str, form: NoticeForm) -> HttpResponse:
    today = timezone.localdate()
    limit = setting("admissions.lookups_per_hour", today, "").value
    limited(request, "notice", per_hour=limit)
    context = {"form": form, "valid": notices.is_valid(code)}
    return render(request, "admissions/notice_check.html", context)

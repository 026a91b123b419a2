"""Pages of whoever follows up children whom nobody registered: towns, and the roll's keeper."""

from typing import Any

from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import FOLLOW_UP
from xuezheng.domains.admissions.forms.desk_filters import FollowUpFilter
from xuezheng.domains.admissions.forms.roll import FOLLOW_UP_FORMS
from xuezheng.domains.admissions.models import FollowUp, RollEntry
from xuezheng.domains.admissions.views import desk
from xuezheng.domains.admissions.words import sources_in_words
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
from xuezheng.kernel.ui.lists import export_url, list_context, narrowed_by


@require_GET
@requires(Permission.FOLLOW_UP)
def follow_up_list(request: HttpRequest) -> HttpResponse:
    """Follow-ups in reach, the nearest day on top."""
    rows = (
        FollowUp.objects.visible_to(request.actor)
        .select_related("case__organisation", "entry__season", "entry__school")
        .order_by(F("case__due").asc(nulls_last=True), "-case_id")
    )
    filterset = FollowUpFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export"):
        return _export(request, filterset)
    context = list_context(request, filterset, title=_("未入学追踪"))
    context |= {
        "chips": [
            ("", _("全部")),
            ("contacting", _("联系中")),
            ("over", _("已超期")),
            ("reported", _("待核定")),
            ("settled", _("已有去向")),
        ],
        "export_url": export_url(request),
    }
    return desk.page(request, "follow_up_list", "follow_ups", context)


def _export(request: HttpRequest, filterset: FollowUpFilter) -> HttpResponse:
    columns = [
        Column(_("编号"), 18),
        Column(_("批次"), 22),
        Column(_("姓名"), 12),
        Column(_("出生日期"), 12),
        Column(_("户籍地址"), 32),
        Column(_("镇街"), 16),
        Column(_("起因"), 10),
        Column(_("状态"), 10),
        Column(_("去向"), 18),
        Column(_("期限"), 12),
    ]
    rows = (
        (
            row.case.number,
            row.entry.season.title,
            row.entry.name,
            row.entry.born_on,
            row.entry.address,
            str(row.case.organisation),
            row.get_cause_display(),
            row.get_state_display(),
            row.get_outcome_display(),
            row.case.due,
        )
        for row in filterset.qs
    )
    detail = narrowed_by(filterset)
    record_read(request, "follow_up.export", object_type="enrolment_follow_up", detail=detail)
    return list_response(request, _("未入学追踪"), columns, rows)


def _visible(request: HttpRequest, number: str) -> FollowUp:
    rows = FollowUp.objects.visible_to(request.actor).select_related(
        "case__organisation", "entry__season", "entry__town", "entry__school"
    )
    return get_object_or_404(rows, case__number=number)


def _detail(
    request: HttpRequest, follow_up: FollowUp, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    context = {
        "follow_up": follow_up,
        "entry": follow_up.entry,
        "sources": sources_in_words(follow_up.entry.sources),
        "case": follow_up.case,
        "moves": history(follow_up.case),
        "clocks": follow_up.case.clocks.order_by("started", "id"),
        "forms": forms.values(),
        "untraceable": follow_up.state == "settled"
        and follow_up.outcome == RollEntry.Outcome.UNTRACEABLE,
    }
    return desk.page(request, "follow_up_detail", "follow_ups", context, status)


def _noted(request: HttpRequest, follow_up: FollowUp) -> None:
    desk.read_as(
        request,
        "roll.open",
        Permission.FOLLOW_UP,
        follow_up.case.organisation_id,
        object_type="roll",
        object_id=follow_up.entry.code,
    )


@require_GET
@requires(Permission.FOLLOW_UP)
def follow_up_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One child to be followed: how to reach the family, way so far, steps."""
    follow_up = _visible(request, number)
    _noted(request, follow_up)
    return _detail(request, follow_up, open_forms(follow_up, request.actor, FOLLOW_UP_FORMS))


@require_POST
@requires(*permissions_of(FOLLOW_UP, FOLLOW_UP_FORMS))
def follow_up_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Take a step."""

    def page(bound: dict[str, Any], status: int) -> HttpResponse:
        row = _visible(request, number)
        forms = open_forms(row, request.actor, FOLLOW_UP_FORMS) | bound
        return _detail(request, row, forms, status)

    return take_step(request, _visible(request, number), step, FOLLOW_UP_FORMS, page)


@require_GET
@requires(Permission.FOLLOW_UP)
def follow_up_file(request: HttpRequest, number: str, file_id: Any) -> FileResponse:
    """A proof."""
    return attachment_response(_visible(request, number).case, file_id)


@require_GET
@requires(Permission.FOLLOW_UP)
def follow_up_letter(request: HttpRequest, number: str) -> HttpResponse:
    """The formal letter to the street about a child that cannot be traced; to be printed."""
    follow_up = _visible(request, number)
    if follow_up.outcome != RollEntry.Outcome.UNTRACEABLE or follow_up.state != "settled":
        raise Http404
    _noted(request, follow_up)
    settled = follow_up.case.moves.filter(step="settle").order_by("-id").first()
    context = {
        "follow_up": follow_up,
        "entry": follow_up.entry,
        "case": follow_up.case,
        "on": settled.at if settled else follow_up.case.closed_at,
        "tried": follow_up.case.moves.filter(step="report").order_by("-id").first(),
    }
    return desk.page(request, "follow_up_letter", "follow_ups", context)

"""What the office's pages of this part share: sub-navigation, and reading noted with the post."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.kernel.access.models import Post
from xuezheng.kernel.audit.trail import record_read


def tabs(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    """The desks that the reader may open."""
    planning = (Permission.SEASON, Permission.ZONES, Permission.ALLOCATE, Permission.PUBLISH)
    desks = [
        ("seasons", _("招生批次"), "season_list", planning),
        (
            "consultations",
            _("服务区征求意见"),
            "consultation_list",
            (Permission.ZONES, Permission.ZONES_REPLY, Permission.PUBLISH),
        ),
        ("verifying", _("核验"), "application_list", (Permission.SEE,)),
        ("counter", _("窗口代办"), "counter_register", (Permission.COUNTER,)),
        ("roll", _("名册"), "roll_list", (Permission.ROLL,)),
        ("school", _("录取新生"), "school_intake", (Permission.SCHOOL,)),
        ("follow_ups", _("未入学追踪"), "follow_up_list", (Permission.FOLLOW_UP,)),
        ("paths", _("特殊入学"), "path_list", (Permission.PATHS, Permission.PATHS_DECIDE)),
    ]
    return [
        {"label": label, "url": reverse(name), "current": desk == current}
        for desk, label, name, needed in desks
        if any(request.actor.can(permission) for permission in needed)
    ]


def page(
    request: HttpRequest, template: str, desk: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page of a desk, with the sub-navigation."""
    context = {"tabs": tabs(request, desk), "desk": desk} | context
    return render(request, f"admissions/{template}.html", context, status=status)


def read_as(
    request: HttpRequest,
    action: str,
    permission: str,
    organisation_id: int,
    *,
    object_type: str,
    object_id: str,
) -> None:
    """Note that somebody opened a child's page, under which post: the family sees it."""
    post: Post | None = None
    if organisation_id in request.actor.scope(permission):
        post = request.actor.post_for(permission, organisation_id)
    record_read(
        request,
        action,
        post=post,
        organisation_id=organisation_id,
        object_type=object_type,
        object_id=object_id,
    )

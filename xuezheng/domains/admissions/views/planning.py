"""What the pages of the season desk share: tabs of a season, a form that runs one service."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Season
from xuezheng.domains.admissions.views import desk
from xuezheng.kernel.ui.steps import attempt

#: Who may read the plan of a season: who sets it, who keeps areas, who allocates, who publishes.
READS = (Permission.SEASON, Permission.ZONES, Permission.ALLOCATE, Permission.PUBLISH)


def season_of(request: HttpRequest, pk: int) -> Season:
    """A season of the reader's authority; Http404 for another."""
    reached = set().union(*(request.actor.scope(p).organisations for p in READS))
    rows = Season.objects.filter(organisation__within=reached).select_related(
        "organisation", "rule_set", "copied_from"
    )
    return get_object_or_404(rows, pk=pk)


def season_tabs(season: Season, current: str) -> list[dict[str, Any]]:
    """The parts of a season's plan."""
    parts = [
        ("season", _("概况"), "season_detail"),
        ("intakes", _("招生计划"), "season_intakes"),
        ("zones", _("服务区"), "zone_list"),
        ("forecast", _("学位预警"), "season_forecast"),
        ("reserved", _("照顾名单"), "reserved_list"),
        ("difference", _("与上一批次比较"), "season_difference"),
        ("results", _("抽签和分配"), "allocation_home"),
    ]
    return [
        {"label": label, "url": reverse(name, args=[season.pk]), "current": part == current}
        for part, label, name in parts
    ]


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    season: Season | None = None,
    current: str = "",
    status: int = 200,
) -> HttpResponse:
    """A page of the desk, with the tabs of its season."""
    if season:
        own = {"season": season, "tabs": season_tabs(season, current)}
    else:
        own = {"tabs": desk.tabs(request, current)}
    context = own | {"may_set": request.actor.can(Permission.SEASON)} | context
    return render(request, f"admissions/{template}.html", context, status=status)


def form_page(
    request: HttpRequest,
    form: forms.Form,
    call: Callable[[], Any],
    *,
    title: str,
    done: Callable[[Any], str],
    back: str,
    trail: list[tuple[str, str]],
    submit: str = "",
    lead: str = "",
    message: str = "",
    template: str = "plan_form",
    **more: Any,
) -> HttpResponse:
    """Show a form; a valid one runs `call` (one service) and goes on to `done` of its result."""
    if request.method == "POST" and form.is_valid():
        made = attempt(form, call)
        if not form.errors:
            messages.success(request, message or _("已保存。"))
            return redirect(done(made))
    context = {
        "form": form,
        "title": title,
        "lead": lead,
        "submit": submit or _("保存"),
        "cancel_url": back,
        "trail": trail,
        **more,
    }
    return render(
        request, f"admissions/{template}.html", context, status=422 if form.errors else 200
    )


def trail(season: Season | None = None) -> list[tuple[str, str]]:
    """The way back: all seasons, this one."""
    way = [(reverse("season_list"), _("招生批次"))]
    if season:
        way.append((reverse("season_detail", args=[season.pk]), season.title))
    return way

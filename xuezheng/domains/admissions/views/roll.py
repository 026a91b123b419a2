"""Pages of whoever keeps the roll of every child of age."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.exchange.roll import ROLL
from xuezheng.domains.admissions.forms.desk_filters import RollFilter
from xuezheng.domains.admissions.models import Application, FollowUp, RollEntry, Season
from xuezheng.domains.admissions.services import rolling, tracing
from xuezheng.domains.admissions.views import desk
from xuezheng.domains.admissions.words import sources_in_words
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.export import export_list
from xuezheng.kernel.ui.lists import export_url, list_context


@require_GET
@requires(Permission.ROLL)
def roll_list(request: HttpRequest) -> HttpResponse:
    """Which season: straight to the only one whose roll is kept, else the seasons to choose from."""
    known = Season.objects.visible_to(request.actor).select_related("organisation")
    seasons = list(rolling.with_counts(known))
    current = [season for season in seasons if season.state not in ("finished", "published")]
    if len(current) == 1 and not request.GET.get("all"):
        return redirect("roll", current[0].id)
    context = {"title": _("适龄儿童名册"), "seasons": seasons}
    return desk.page(request, "roll_seasons", "roll", context)


def _season(request: HttpRequest, season_id: int) -> Season:
    return get_object_or_404(Season.objects.visible_to(request.actor), pk=season_id)


@require_http_methods(["GET", "POST"])
@requires(Permission.ROLL)
def roll(request: HttpRequest, season_id: int) -> HttpResponse:
    """The roll of a season: counts, list, what can be done with it.  POST exports whole numbers."""
    season = _season(request, season_id)
    rows = (
        RollEntry.objects.visible_to(request.actor)
        .filter(season=season)
        .select_related("town", "school")
        .order_by("initials", "name", "id")
    )
    filterset = RollFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export") or request.method == "POST":
        return export_list(request, ROLL, filterset.qs, may_reveal=True)
    context = list_context(request, filterset, title=season.title)
    if request.GET.get("w"):
        found = context["page"].paginator.count
        record_read(request, "roll.search", object_type="roll", detail={"found": found})
    shown = list(context["page"].object_list)
    context["page"].object_list = shown
    applications = {
        row.entry_id: row
        for row in Application.objects.filter(entry__in=shown).live().select_related("case")
    }
    follow_ups = {
        row.entry_id: row
        for row in FollowUp.objects.filter(entry__in=shown).select_related("case").order_by("pk")
    }
    for entry in shown:
        entry.source_words = sources_in_words(entry.sources)
        entry.application = applications.get(entry.pk)
        entry.follow_up = follow_ups.get(entry.pk)
    numbers = rolling.counts(season)
    waiting = tracing.unregistered(season).count()
    context |= {
        "season": season,
        "numbers": numbers,
        "waiting": waiting,
        "at_once": tracing.AT_ONCE,
        "pairs": len(rolling.likely_pairs(season)),
        "has_leavers": season.level in rolling.LEAVERS,
        "chips": [
            ("", _("全部"), numbers["all"]),
            ("open", _("未登记"), numbers.get("open", 0)),
            ("registered", _("已登记"), numbers.get("registered", 0)),
            ("elsewhere", _("在外地就读"), numbers.get("elsewhere", 0)),
            ("untraceable", _("查无下落"), numbers.get("untraceable", 0)),
        ],
        "export_url": export_url(request),
    }
    return desk.page(request, "roll", "roll", context)


@require_POST
@requires(Permission.ROLL)
def roll_leavers(request: HttpRequest, season_id: int) -> HttpResponse:
    """Put the registry's leavers of the stage before on the roll."""
    season = _season(request, season_id)
    try:
        done = rolling.list_leavers(season=season, by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        words = {"made": done.made, "joined": done.joined, "young": done.too_young}
        messages.success(
            request,
            _("新增%(made)d人，已在名册补记来源%(joined)d人，未到年龄%(young)d人。") % words,
        )
    return redirect("roll", season.id)


@require_POST
@requires(Permission.ROLL)
def roll_follow(request: HttpRequest, season_id: int) -> HttpResponse:
    """Hand every unregistered child of age to its town."""
    season = _season(request, season_id)
    opened, left = tracing.open_follow_ups(season=season, by=request.actor)
    text = ngettext("已交办%d人。", "已交办%d人。", opened) % opened
    if left:
        text += _("还有%d人，请再点一次。") % left
    messages.success(request, text)
    return redirect(reverse("follow_up_list") + "?state=contacting")


@require_GET
@requires(Permission.ROLL)
def roll_pairs(request: HttpRequest, season_id: int) -> HttpResponse:
    """Entries without a number that may be one child with another entry."""
    season = _season(request, season_id)
    pairs = rolling.likely_pairs(season)
    for pair in pairs:
        for entry in pair:
            entry.source_words = sources_in_words(entry.sources)
    record_read(
        request, "roll.compare", object_type="season", object_id=season.id,
        detail={"pairs": len(pairs)},
    )  # fmt: skip
    context = {"title": _("疑似同一个孩子"), "season": season, "pairs": pairs}
    return desk.page(request, "roll_pairs", "roll", context)


@require_POST
@requires(Permission.ROLL)
def roll_join(request: HttpRequest, season_id: int, loose: str, kept: str) -> HttpResponse:
    """The two are one child."""
    return _settle(request, season_id, loose, kept, rolling.join, _("已并为一条，来源都保留。"))


@require_POST
@requires(Permission.ROLL)
def roll_apart(request: HttpRequest, season_id: int, loose: str, kept: str) -> HttpResponse:
    """The two are two children."""
    done = _("已记下是两个孩子，不再提示。")
    return _settle(request, season_id, loose, kept, rolling.tell_apart, done)


def _settle(
    request: HttpRequest,
    season_id: int,
    loose: str,
    kept: str,
    call: Callable[..., None],
    done: str,
) -> HttpResponse:
    rows = RollEntry.objects.visible_to(request.actor).filter(season=season_id)
    rows = rows.select_related("season")
    try:
        call(
            loose=get_object_or_404(rows, code=loose),
            kept=get_object_or_404(rows, code=kept),
            by=request.actor,
        )
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, done)
    return redirect("roll_pairs", season_id)

"""The leader's board: one screen, from the overall figure down to each task and the rows behind it."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET

from xuezheng.boards.access import Permission
from xuezheng.boards.board import Board, build, decisions
from xuezheng.domains.workplan.access import Permission as PlanPermission
from xuezheng.domains.workplan.filters import CommitmentFilter
from xuezheng.domains.workplan.models import LIGHTS, Commitment, Milestone, Plan
from xuezheng.domains.workplan.rules import Light, Overall
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.cases.models import Case

TASKS_SHOWN = 10
ICONS = ("school", "sprout", "network", "building-2", "graduation-cap", "cpu", "shield-check")
#: The sketch's units are 0..1000 by 0..600; drawn smaller, so that its words are large enough.
MAP_SCALE = 0.44
MAP_WIDTH, MAP_HEIGHT = round(1000 * MAP_SCALE), round(600 * MAP_SCALE)
#: Points below target at which the map changes colour.
MAP_TIGHT = 5


@require_GET
@requires(Permission.BOARD)
def board(request: HttpRequest) -> HttpResponse:
    """The newest adopted plan, or that of the year in the URL."""
    plans = list(
        Plan.objects.visible_to(request.actor)
        .exclude(status=Plan.Status.REVIEW)
        .select_related("organisation")
        .order_by("-year", "-id")
    )
    year = request.GET.get("year", "")
    plan = next((p for p in plans if str(p.year) == year), plans[0] if plans else None)
    if plan is None:
        may_import = request.actor.can(PlanPermission.EDIT)
        return render(request, "boards/board_empty.html", {"may_import": may_import})
    data = build(plan, request.actor)
    rows = plan.commitments.live().select_related("section__parent", "lead_office", "leader")
    # Asked for the rows of the page: joined, the whole plan would be grouped to show ten.
    done = Milestone.objects.filter(commitment=OuterRef("pk"), done_on__isnull=False)
    rows = rows.annotate(reported_on=Subquery(done.order_by("-done_on").values("done_on")[:1]))
    rows = rows.order_by("light_order", "-behind", "order")
    filterset = CommitmentFilter(request.GET, queryset=rows, request=request, plan=plan)
    page = Paginator(filterset.qs, TASKS_SHOWN).get_page(request.GET.get("page"))
    plan_url = reverse("plan_detail", args=[plan.id])
    waiting, count = decisions(request.actor)
    context = {
        "plan": plan,
        "plans": plans,
        "board": data,
        "span": _("本周"),
        "light_url": f"{plan_url}?light=",
        "kpis": [_kpi(figure) for figure in data.figures],
        "decisions": [_decision(case) for case in waiting],
        "decision_count": count,
        "decisions_url": reverse("leader" if request.actor.can(PlanPermission.DECIDE) else "inbox"),
        "parts": [_part(number, data, plan_url) for number in range(len(data.parents))],
        "page": page,
        "tasks": _tasks(request, plan, page.object_list),
        "chips": [("", _("全部"), data.total)]
        + [(light, label, data.lights[light], light) for light, label in LIGHTS],
        "plan_url": plan_url,
        "export_url": f"{plan_url}?{urlencode({'export': 'xlsx', **request.GET.dict()})}"
        if request.actor.can(PlanPermission.EXPORT)
        else "",
        "trend": _trend(data),
        "map": _map(data),
        "legend": _legend(data),
        "unconfirmed": [s for s in data.settings.values() if s.unconfirmed],
    }
    return render(request, "boards/board.html", context)


def _kpi(figure: dict[str, Any]) -> dict[str, Any]:
    indicator, change = figure["indicator"], figure["change"]
    return {
        "label": indicator.label,
        "value": figure["reading"].shown,
        "unit": indicator.unit,
        "series": figure["values"],
        "change": change,
        "good": change is not None and (change > 0) == indicator.higher_is_better,
        "url": reverse("indicator_proof", args=[figure["reading"].id]),
    }


def _decision(case: Case) -> dict[str, Any]:
    left = case.days_left
    light = Light.GREY if left is None else Light.RED if left < 0 else Light.YELLOW
    due = _("期限 %s") % case.due.isoformat() if case.due else ""
    return {
        "light": light if left is None or left <= 7 else Light.GREEN,
        "title": case.title,
        "url": case.get_absolute_url(),
        "text": "，".join(filter(None, [str(case.flow.label), str(case.organisation), due])),
        "action": case.duty.label if case.duty else "",
        "action_url": case.get_absolute_url(),
    }


def _worst_light(overall: Overall, red_points: float) -> Light:
    """The bar's colour by the same thresholds as a single task."""
    if overall.progress is None:
        return Light.GREY
    if overall.behind > red_points:
        return Light.RED
    return Light.YELLOW if overall.behind > 0 else Light.GREEN


def _part(number: int, data: Board, plan_url: str) -> dict[str, Any]:
    parent, groups = data.parents[number]
    red_points = float(data.settings["red_points"].value)
    return {
        "title": _("其他日常工作") if groups[0].section == parent else parent.title,
        "columns": 4 if len(groups) > 3 else 3,
        "note": _("竖线为序时进度，点开看任务") if number == 0 else "",
        "themes": [
            {
                "icon": ICONS[(number * 3 + at) % len(ICONS)],
                "title": group.section.title,
                "url": f"{plan_url}?section={group.section.id}",
                "note": "，".join(
                    [
                        *group.leaders[:2],
                        ngettext("%d 项", "%d 项", group.total) % group.total,
                    ]
                ),
                "progress": group.overall.progress,
                "planned": group.overall.planned,
                "light": _worst_light(group.overall, red_points),
                "counts": group.lights,
            }
            for at, group in enumerate(groups)
        ],
    }


def _tasks(request: HttpRequest, plan: Plan, rows: QuerySet[Commitment]) -> list[dict[str, Any]]:
    today = timezone.localdate()
    urging = plan.organisation_id in request.actor.scope(PlanPermission.URGE)
    return [
        {
            "light": row.light,
            "overridden": row.overridden,
            "title": row.title,
            "url": row.get_absolute_url(),
            "code": row.code,
            "theme": row.section.title,
            "organisation": row.lead_office,
            "person": row.leader,
            "progress": row.progress,
            "planned": row.planned,
            "behind": row.behind,
            "cause": row.get_cause_display(),
            "due": row.due_on,
            "today": today,
            "reported_on": row.reported_on,
            "action": _action(row.light) if urging else "",
            "action_url": row.get_absolute_url(),
        }
        for row in rows
    ]


def _action(light: str) -> str:
    return {
        Light.RED: pgettext("button", "督办"),
        Light.YELLOW: pgettext("button", "提醒"),
    }.get(Light(light), pgettext("button", "查看"))


def _trend(data: Board) -> dict[str, Any] | None:
    if data.trend is None:
        return None
    trend = data.trend
    indicator, target, points = trend["indicator"], trend["target"], trend["points"]
    latest = trend["latest"]
    return {
        "title": indicator.label,
        "chart": {
            "labels": [p.as_of.strftime("%m-%d") for p in points],
            "actual": [p.shown for p in points],
            "plan": [],
            "target": float(target.value),
            "unit": indicator.unit,
            "decimals": indicator.decimals,
        },
        "summary": _("截至 %(day)s 为 %(value)s%(unit)s，目标 %(target)s%(unit)s。")
        % {
            "day": latest.as_of.isoformat(),
            "value": latest.shown,
            "unit": indicator.unit,
            "target": target.value_text,
        },
        "url": reverse("indicator_detail", args=[indicator.key]),
    }


def _map(data: Board) -> dict[str, Any] | None:
    """Towns with their figure, coloured by how far it is from the target of the trend."""
    if not data.towns or data.trend is None:
        return None
    indicator, target = data.trend["indicator"], float(data.trend["target"].value)
    zones, short = [], 0
    for entry in data.towns:
        town, reading = entry["town"], entry["reading"]
        value = reading.shown if reading else None
        level = _level(value, target)
        short += level in {"tight", "gap"}
        zones.append(
            {
                "name": town.short_name or str(town),
                "path": _path(town.map_shape),
                "x": round(town.map_x * MAP_SCALE),
                "y": round(town.map_y * MAP_SCALE),
                "value": f"{value:g}{indicator.unit}" if level in {"tight", "gap"} else "",
                "level": level,
                "url": reverse("indicator_proof", args=[reading.id]) if reading else "",
            }
        )
    return {
        "title": _("%s（按镇街）") % indicator.label,
        "width": MAP_WIDTH,
        "height": MAP_HEIGHT,
        "zones": zones,
        "legend": [
            {"level": "surplus", "words": _("达到目标")},
            {"level": "tight", "words": _("差 5 点以内")},
            {"level": "gap", "words": _("差 5 点以上")},
            {"level": "none", "words": _("暂无数据")},
        ],
        "summary": ngettext("%d 个镇街低于目标。", "%d 个镇街低于目标。", short) % short,
        "url": reverse("indicator_detail", args=[indicator.key]),
    }


def _level(value: float | None, target: float) -> str:
    if value is None:
        return "none"
    if value >= target:
        return "surplus"
    return "tight" if target - value <= MAP_TIGHT else "gap"


def _path(shape: list[list[list[float]]]) -> str:
    return " ".join(
        "M" + " L".join(f"{x * MAP_SCALE:.1f} {y * MAP_SCALE:.1f}" for x, y in polygon) + " Z"
        for polygon in shape
    )


def _legend(data: Board) -> dict[str, str]:
    settings = data.settings
    points, days = settings["red_points"].value, settings["soon_days"].value
    return {
        Light.GREEN: _("不落后序时，指标达到目标"),
        Light.YELLOW: _("落后 %(points)s 个百分点以内，或 %(days)s 天内到期未完成")
        % {"points": points, "days": days},
        Light.RED: _("落后超过 %(points)s 个百分点，或已逾期") % {"points": points},
        Light.BLUE: _("已批准销号"),
        Light.GREY: _("未到启动时间，或尚无计量"),
    }

"""Figures about the carrying out of the plan itself; the SQL of each lies in indicators/."""

from collections.abc import Iterable
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import Milestone
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.indicators.definitions import Indicator, register

FOLDER = Path(__file__).parent / "indicators"


def live_milestones(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Numbers of those milestones that still exist and that the actor may see."""
    rows = Milestone.objects.visible_to(actor).filter(case__number__in=list(row_ids))
    return {number: number for number in rows.values_list("case__number", flat=True)}


register(
    Indicator(
        key="plan_milestones_on_time",
        label=_("节点按期完成率"),
        definition=_(
            "期内届满的计划节点中，在期限当日或之前报告完成、且未被退回的比例。"
            "经批准延期的按新期限计算，撤销的不计入。"
        ),
        unit="%",
        source=_("工作要点节点台账（每日自动计算）"),
        folder=FOLDER,
        permission=Permission.SEE,
        row_url="milestone_detail",
        live_rows=live_milestones,
        words=("督查", "落实"),
        reasons={
            "in_time": _("按期完成"),
            "late": _("超期完成"),
            "not_yet": _("已到期，未完成"),
        },
    )
)

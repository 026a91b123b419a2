"""Figures of this system; the SQL of each lies in indicators/."""

from collections.abc import Iterable
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from xuezheng.domains.oversight.access import Permission
from xuezheng.domains.oversight.models import Hazard
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.indicators.definitions import Indicator, register

FOLDER = Path(__file__).parent / "indicators"


def live_hazards(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Numbers of those hazards that still exist and that the actor may see."""
    rows = Hazard.objects.visible_to(actor).filter(case__number__in=list(row_ids))
    return {number: number for number in rows.values_list("case__number", flat=True)}


register(
    Indicator(
        key="hazard_rectified_in_time",
        label=_("隐患按期整改率"),
        definition=_(
            "期内整改期限届满的隐患中，在期限当日或之前完成整改的比例。"
            "复查不通过的不算完成；不予立案的不计入。"
        ),
        unit="%",
        source=_("隐患台账（每日自动计算）"),
        folder=FOLDER,
        permission=Permission.SEE,
        row_url="hazard_detail",
        live_rows=live_hazards,
        words=("隐患", "整改"),
        reasons={
            "in_time": _("按期完成整改"),
            "late": _("超期完成整改"),
            "not_yet": _("已到期，未完成整改"),
        },
    )
)
register(
    Indicator(
        key="hazard_rechecked_by_other",
        label=_("隐患他人复查率"),
        definition=_("期内销号的隐患中，复查人与整改报告人不是同一人的比例。"),
        unit="%",
        source=_("隐患台账（每日自动计算）"),
        folder=FOLDER,
        permission=Permission.SEE,
        row_url="hazard_detail",
        live_rows=live_hazards,
        reasons={
            "other_person": _("由另一人复查"),
            "same_person": _("复查人与整改报告人相同"),
        },
    )
)

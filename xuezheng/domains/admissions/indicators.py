"""Figures of admissions; the SQL of each lies in indicators/.

Schools are not ranked by them: a place on such a list would be bought with refusals and pressure on
families.  A child's row opens only for whom it is in reach.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application, FollowUp, RollEntry
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.indicators.definitions import Indicator, register

FOLDER = Path(__file__).parent / "indicators"
DAILY = _("入学登记台账（每日自动计算）")
ROLL = _("适龄儿童名册（每日自动计算）")


def live_entries(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Pseudonyms of the children on a roll whose registration or follow-up the actor may open."""
    rows = RollEntry.objects.visible_to(actor).filter(pk__in=row_ids)
    pages = [
        kind.objects.visible_to(actor).filter(entry__in=row_ids).values("entry")
        for kind in (Application, FollowUp)
    ]
    rows = rows.filter(Q(pk__in=pages[0]) | Q(pk__in=pages[1]))
    return {str(key): code for key, code in rows.values_list("pk", "code")}


def live_applications(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Numbers of those registrations that the actor may see."""
    rows = Application.objects.visible_to(actor).filter(case__number__in=row_ids)
    return {number: number for number in rows.values_list("case__number", flat=True)}


def live_follow_ups(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Numbers of those follow-ups that the actor may see."""
    rows = FollowUp.objects.visible_to(actor).filter(case__number__in=row_ids)
    return {number: number for number in rows.values_list("case__number", flat=True)}


# Leaders see figures, not children: for them a row is the child's pseudonym in the season.


def coded_entries(row_ids: Iterable[str]) -> dict[str, str]:
    """Pseudonyms of children on a roll by the numbers of their entries."""
    rows = RollEntry.objects.filter(pk__in=row_ids)
    return {str(key): code for key, code in rows.values_list("pk", "code")}


def coded_applications(row_ids: Iterable[str]) -> dict[str, str]:
    """Pseudonyms of the children of those registrations."""
    rows = Application.objects.filter(case__number__in=row_ids)
    return dict(rows.values_list("case__number", "entry__code"))


def coded_follow_ups(row_ids: Iterable[str]) -> dict[str, str]:
    """Pseudonyms of the children who are followed up."""
    rows = FollowUp.objects.filter(case__number__in=row_ids)
    return dict(rows.values_list("case__number", "entry__code"))


@dataclass(frozen=True)
class Rows:
    """What a row behind a figure is: the page that opens it, who sees it, its pseudonym."""

    url: str
    live: Callable[[Actor, Iterable[str]], dict[str, str]]
    coded: Callable[[Iterable[str]], dict[str, str]]


CHILDREN = Rows("enrolment_row", live_entries, coded_entries)
REGISTRATIONS = Rows("application_detail", live_applications, coded_applications)
FOLLOW_UPS = Rows("follow_up_detail", live_follow_ups, coded_follow_ups)


def figure(rows: Rows, *, unit: str = "%", **declared: Any) -> None:
    """Declare one figure of this system (kernel/indicators/definitions.Indicator); none of them ranks."""
    register(
        Indicator(
            unit=unit,
            folder=FOLDER,
            permission=Permission.FIGURES,
            row_url=rows.url,
            live_rows=rows.live,
            coded=rows.coded,
            ranked=False,
            **declared,
        )
    )


figure(
    CHILDREN,
    key="enrolment_registered",
    label=_("适龄儿童登记率"),
    definition=_(
        "期内进行的义务教育招生批次（从开始登记到报到）的适龄儿童少年名册中，截至日已登记入学的比例。"
        "在外地就读、缓学等也计入分母。"
    ),
    source=ROLL,
    words=("适龄", "登记"),
    reasons={
        "registered": _("已登记"),
        "other": _("已有其他去向"),
        "open": _("尚未登记"),
    },
)
figure(
    CHILDREN,
    key="enrolment_traced",
    label=_("适龄儿童去向明确率"),
    definition=_(
        "期内进行的义务教育招生批次的适龄儿童少年名册中，截至日已登记入学，或已查明在外地就读、缓学、送教上门、"
        "特殊教育安置的比例。查无下落的不算。"
    ),
    source=ROLL,
    words=("适龄", "去向"),
    reasons={
        "registered": _("已登记"),
        "other": _("已有其他去向"),
        "untraceable": _("查无下落"),
        "open": _("去向未明"),
    },
)
figure(
    REGISTRATIONS,
    key="enrolment_no_visit",
    label=_("入学登记零材料零跑动率"),
    definition=_("期内核验通过的入学登记中，在网上提交且没有要求补交任何材料的比例。"),
    source=DAILY,
    words=("报名", "网上"),
    reasons={
        "none": _("网上办结，未交材料"),
        "papers": _("交过材料"),
        "counter": _("窗口或纸质办理"),
    },
)
figure(
    REGISTRATIONS,
    key="enrolment_days",
    label=_("入学登记平均办理天数"),
    definition=_(
        "期内核验通过的入学登记，从提交到核验通过的平均天数（自然日）。上级单位按总天数除以总件数计算。"
    ),
    unit=_("天"),
    source=DAILY,
    scale=1,
    mean=True,
    higher_is_better=False,
    words=("报名", "办理天数"),
    reasons={
        "same_day": _("当天"),
        "three_days": _("三天内"),
        "week": _("四到七天"),
        "longer": _("超过七天"),
    },
)
figure(
    REGISTRATIONS,
    key="enrolment_verified_in_time",
    label=_("入学登记按期核验率"),
    definition=_(
        "期内核验期限届满的入学登记中，在期限当日或之前核验通过的比例。"
        "退回补正的，补正后按新期限计算；撤回和不予受理的不计入。"
    ),
    source=DAILY,
    words=("登记", "核验"),
    reasons={
        "in_time": _("按期核验"),
        "late": _("逾期核验"),
        "not_yet": _("到期未核验"),
    },
)
figure(
    REGISTRATIONS,
    key="enrolment_in_area",
    label=_("服务区内就近入学率"),
    definition=_(
        "期内公布的录取结果中，按服务区招生的学校录取的孩子，在本人服务区学校入学（未被分流）的比例。"
    ),
    source=_("录取结果（每日自动计算）"),
    words=("服务区", "就近"),
    reasons={"own_area": _("服务区内"), "sent_on": _("分流到其他学校")},
)
figure(
    REGISTRATIONS,
    key="enrolment_satisfied",
    label=_("入学服务满意率"),
    definition=_("期内家长对入学服务的评价（五级）中，满意和非常满意的比例。"),
    source=_("服务评价（每日自动计算）"),
    min_cell=5,
    words=("入学", "满意"),
    reasons={
        "satisfied": _("满意或非常满意"),
        "neutral": _("基本满意"),
        "dissatisfied": _("不满意"),
    },
)
figure(
    REGISTRATIONS,
    key="enrolment_rated",
    label=_("入学服务评价参与率"),
    definition=_("期内核验通过的入学登记中，家长作了服务评价的比例。"),
    source=_("服务评价（每日自动计算）"),
    words=("入学", "评价参与"),
    reasons={"rated": _("已评价"), "silent": _("未评价")},
)
figure(
    FOLLOW_UPS,
    key="enrolment_followed_in_time",
    label=_("未入学追踪按期办结率"),
    definition=_(
        "期内期限届满的未入学追踪中，在期限当日或之前查明并核定去向的比例。"
        "追踪由镇街负责，按镇街和全区统计，学校没有这项读数。"
    ),
    source=_("未入学追踪台账（每日自动计算）"),
    words=("未入学", "追踪"),
    reasons={
        "in_time": _("按期办结"),
        "late": _("逾期办结"),
        "not_yet": _("到期未办结"),
    },
)

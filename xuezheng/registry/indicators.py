"""Figures of people and places; the SQL of each lies in indicators/.

Leaders see figures and, behind them, schools and classes; a child's or a teacher's row opens only for
whom it is in reach.
"""

from collections.abc import Iterable
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.indicators.definitions import Indicator, register
from xuezheng.registry.access import Permission
from xuezheng.registry.models import Pupil, SchoolClass, StaffMember

FOLDER = Path(__file__).parent / "indicators"


def live_pupils(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Keys and names of those pupils that still exist and that the actor may see."""
    rows = Pupil.objects.live().visible_to(actor).filter(pk__in=row_ids)
    return {str(key): name for key, name in rows.values_list("pk", "name")}


def live_staff(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Keys and names of those members of staff that still exist and that the actor may see."""
    rows = StaffMember.objects.live().visible_to(actor).filter(pk__in=row_ids)
    return {str(key): name for key, name in rows.values_list("pk", "name")}


def live_classes(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Keys and present names of those classes that still exist and that the actor may see."""
    rows = SchoolClass.objects.visible_to(actor).filter(pk__in=row_ids)
    return {str(row.pk): str(row) for row in rows}


def live_sites(actor: Actor, row_ids: Iterable[str]) -> dict[str, str]:
    """Codes and names of those sites that the actor may see."""
    seen = actor.scope(Permission.SITE_SEE).organisations
    rows = Organisation.objects.filter(pk__within=seen, code__in=row_ids)
    return {row.code: str(row) for row in rows}


register(
    Indicator(
        key="classes_within_limit",
        label=_("班额达标率"),
        definition=_(
            "截至日有学生的小学、初中班级中，人数不超过班额上限的比例。上限按截至日有效的参数"
            "（小学 45 人、初中 50 人）；特殊教育学校不计入；休学学生仍计入所在班。"
        ),
        unit="%",
        source=_("班级与就读经历（每日自动计算）"),
        folder=FOLDER,
        permission=Permission.SITE_SEE,
        row_url="school_class_detail",
        live_rows=live_classes,
        words=("班额",),
        reasons={"within": _("不超过上限"), "over": _("超过上限")},
    )
)
register(
    Indicator(
        key="teachers_with_degree",
        label=_("专任教师本科及以上学历比例"),
        definition=_(
            "截至日以中小学、幼儿园为主要任职单位的专任教师中，具有本科及以上学历的比例。"
            "成人学校和校外培训机构不计入。"
        ),
        unit="%",
        source=_("教职工任职经历（每日自动计算）"),
        folder=FOLDER,
        permission=Permission.SITE_SEE,
        row_url="staff_detail",
        live_rows=live_staff,
        words=("教师", "本科"),
        reasons={"degree": _("本科及以上"), "below": _("本科以下")},
    )
)
register(
    Indicator(
        key="sites_staffed",
        label=_("教职工配备达标的学校比例"),
        definition=_(
            "截至日有学生的中小学中，以该校为主要任职单位的教职工数不低于按生员比折算的应配数的比例。"
            "生员比按截至日有效的参数（小学 19:1、初中 13.5:1、高中 12.5:1），"
            "九年一贯制学校两个学段相加；特殊教育学校不计入。"
        ),
        unit="%",
        source=_("就读经历与教职工任职经历（每日自动计算）"),
        folder=FOLDER,
        permission=Permission.SITE_SEE,
        row_url="site_detail",
        live_rows=live_sites,
        words=("教职工", "配备"),
        reasons={"enough": _("不低于应配数"), "short": _("低于应配数")},
    )
)
register(
    Indicator(
        key="sites_within_places",
        label=_("学位不超额的学校比例"),
        definition=_("截至日有学生、有核定学位的学校和幼儿园中，学生数不超过核定学位的比例。"),
        unit="%",
        source=_("就读经历与办学点信息（每日自动计算）"),
        folder=FOLDER,
        permission=Permission.SITE_SEE,
        row_url="site_detail",
        live_rows=live_sites,
        words=("学位", "核定"),
        reasons={"room": _("不超过核定学位"), "full": _("超过核定学位")},
    )
)
register(
    Indicator(
        key="pupils_with_checked_number",
        label=_("学生身份证件核验率"),
        definition=_(
            "截至日在读的学生和幼儿中，登记了居民身份证号的比例。身份证号录入时逐一核对校验码，"
            "不通过的不能保存；登记其他证件或尚无证件的不算。"
        ),
        unit="%",
        source=_("学生基本信息（每日自动计算）"),
        folder=FOLDER,
        permission=Permission.PUPIL_SEE,
        row_url="pupil_detail",
        live_rows=live_pupils,
        words=("学籍", "信息"),
        reasons={
            "checked": _("身份证号已核对"),
            "other": _("登记其他证件"),
            "missing": _("尚无证件号码"),
        },
    )
)

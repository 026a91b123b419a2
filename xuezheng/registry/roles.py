"""The roles of a district, named once; what each may do is said by every system's access.py.

Three administrators watch each other: the system administrator keeps the program running, the
security administrator opens accounts and posts, the audit administrator reads the trail.
"""

from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.permissions import Role

DIRECTOR = "director"
DEPUTY = "deputy"
PLAN_OFFICER = "plan_officer"
OFFICE_HEAD = "office_head"
OFFICER = "officer"
SAFETY_HEAD = "safety_head"
SAFETY_OFFICER = "safety_officer"
INSPECTOR = "inspector"
TOWN_OFFICER = "town_officer"
SITE_HEAD = "site_head"
SITE_SECRETARY = "site_secretary"
TEACHER = "teacher"
OUTSIDE_CONTACT = "outside_contact"
REGISTRAR = "registrar"
AUDITOR = "auditor"
OPERATOR = "operator"
SECURITY_OFFICER = "security_officer"
STATISTICIAN = "statistician"
PROVINCE_OFFICER = "province_officer"

ROLES = (
    Role(DIRECTOR, _("局长"), reach="authority"),
    Role(DEPUTY, _("分管局领导"), reach="authority"),
    Role(PLAN_OFFICER, _("计划督办员"), reach="authority"),
    Role(OFFICE_HEAD, _("科室负责人")),
    Role(OFFICER, _("科室工作人员")),
    Role(SAFETY_HEAD, _("安全科负责人"), reach="authority"),
    Role(SAFETY_OFFICER, _("安全管理员"), reach="authority"),
    Role(INSPECTOR, _("督学"), reach="authority"),
    Role(TOWN_OFFICER, _("镇街教育干事")),
    Role(SITE_HEAD, _("校（园）长")),
    Role(SITE_SECRETARY, _("校办（安全）管理员")),
    Role(TEACHER, _("教师")),
    Role(OUTSIDE_CONTACT, _("局外单位联络员")),
    Role(REGISTRAR, _("学籍与基础信息管理员"), reach="authority", second_factor=True),
    Role(AUDITOR, _("审计员"), reach="authority", second_factor=True),
    Role(OPERATOR, _("系统管理员"), reach="authority", second_factor=True),
    Role(SECURITY_OFFICER, _("安全保密管理员"), reach="authority", second_factor=True),
    Role(STATISTICIAN, _("统计员"), reach="authority"),
    Role(PROVINCE_OFFICER, _("省级统计人员"), reach="authority"),
)

#: No person holds two of these at a time (GB/T 22239-2019, 8.1.5: system, audit and security
#: management are apart).
ADMINISTRATORS = frozenset({OPERATOR, SECURITY_OFFICER, AUDITOR})


def conflicting_roles(held: set[str], new: str) -> str | None:
    """The role among `held` that forbids giving the person `new`; None when nothing does.

    Both are role keys in force on one day.  Several posts of one and the same role are no conflict.
    """
    if new not in ADMINISTRATORS:
        return None
    return next(iter(sorted((ADMINISTRATORS - {new}) & held)), None)

"""The roles of a district, named once; what each may do is said by every system's access.py."""

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
AUDITOR = "auditor"
OPERATOR = "operator"

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
    Role(AUDITOR, _("审计员"), reach="authority"),
    Role(OPERATOR, _("系统管理员"), reach="authority"),
)

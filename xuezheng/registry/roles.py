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
ADMISSIONS_OFFICER = "admissions_officer"
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
    Role(ADMISSIONS_OFFICER, _("招生管理员"), reach="authority", second_factor=True),
    Role(AUDITOR, _("审计员"), reach="authority", second_factor=True),
    Role(OPERATOR, _("系统管理员"), reach="authority", second_factor=True),
    Role(SECURITY_OFFICER, _("安全保密管理员"), reach="authority", second_factor=True),
    Role(STATISTICIAN, _("统计员"), reach="authority"),
    Role(PROVINCE_OFFICER, _("省级统计人员"), reach="authority"),
)

#: What a post lets its holder do, in words, for the holder and for who gives posts.
ALLOWS = {
    DIRECTOR: _("看全局看板、计划和指标；审批延期，催办，改亮灯。看不到学生个人信息。"),
    DEPUTY: _("看全局看板、计划和指标；审批延期，催办，改亮灯。看不到学生个人信息。"),
    PLAN_OFFICER: _("导入、审核、印发年度计划；核验节点，催办；改政策参数。"),
    OFFICE_HEAD: _("报告本科室承担的节点，申请延期；看计划和相关指标。"),
    OFFICER: _("看本科室的计划任务。"),
    SAFETY_HEAD: _("给隐患定级、复查；重大隐患摘牌；改安全参数。"),
    SAFETY_OFFICER: _("给隐患定级、复查、催办；看安全指标。"),
    INSPECTOR: _("看、报、复查全区隐患；看指标。"),
    TOWN_OFFICER: _("看辖区学校和地址；上报隐患。"),
    SITE_HEAD: _("管本校班级、学生、教职工和隐患整改；凭理由看本校人员完整证件号。"),
    SITE_SECRETARY: _("办本校班级、学生、教职工和隐患整改；凭理由看本校人员完整证件号。"),
    TEACHER: _("上报本校隐患；看本校基本信息。"),
    OUTSIDE_CONTACT: _("报告交给本单位配合的任务。"),
    REGISTRAR: _("管全区机构、学籍、教职工、地址；合并重复人员；凭理由看完整证件号。"),
    ADMISSIONS_OFFICER: _(
        "管服务区、招生批次和名册；核验登记，封存名册，抽签和分配；结果由分管领导公布。"
    ),
    AUDITOR: _("看全部审计记录，查谁看过谁的信息；不能改任何数据。"),
    OPERATOR: _("管后台任务、参数和运行状况；看不到学生和教职工数据，也看不到审计。"),
    SECURITY_OFFICER: _("开停账号、任免岗位、重置密码和动态验证码、解锁；不能改自己的。"),
    STATISTICIAN: _("看指标，做统计快照，核对口径；看不到个人信息。"),
    PROVINCE_OFFICER: _("看各区报来的指标汇总；看不到个人信息。"),
}

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

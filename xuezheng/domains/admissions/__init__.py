"""Admissions: enrolment of kindergartens, primary and junior schools.

From the roll of every child of age to a result that anybody can check.  Reading order: rules/ and
allocation/ (pure), flows, models/, services/, views/; ladders/ holds seven rule sets met in practice,
registers/ what other departments know, replay.py the script with which a stranger repeats a draw and
an allocation.
"""

from django.utils.translation import gettext_lazy as _

from xuezheng.registry import roles

DUTIES = [
    {
        "label": _("招生"),
        "title": _("招生批次、服务区、规则、抽签、分配与公布"),
        "url": "season_list",
        "icon": "school",
        "office": _("基础教育科"),
        "roles": (roles.ADMISSIONS_OFFICER, roles.DEPUTY, roles.DIRECTOR),
        "source": _("《义务教育法》第十一、十二条；工作要点：数字化招生报名"),
    },
    {
        "label": _("登记核验"),
        "title": _("入学登记的核验与补正"),
        "url": "application_list",
        "icon": "badge-check",
        "office": _("基础教育科"),
        "roles": (roles.ADMISSIONS_OFFICER, roles.SITE_HEAD, roles.SITE_SECRETARY),
        "source": _("工作要点：掌上办、网上办、最多跑一次"),
    },
    {
        "label": _("适龄儿童"),
        "title": _("适龄儿童名册"),
        "url": "roll_list",
        "icon": "users",
        "office": _("基础教育科"),
        "roles": (roles.ADMISSIONS_OFFICER,),
        "source": _("《义务教育法》第十三条"),
    },
    {
        "label": _("未入学追踪"),
        "title": _("未登记、未报到儿童的追踪"),
        "url": "follow_up_list",
        "icon": "map-pin",
        "office": _("基础教育科"),
        "roles": (roles.ADMISSIONS_OFFICER, roles.TOWN_OFFICER),
        "source": _("《义务教育法》第十三条；控辍保学"),
    },
    {
        "label": _("特殊申请"),
        "title": _("缓学、送教上门、特殊教育安置、插班"),
        "url": "path_list",
        "icon": "file-text",
        "office": _("基础教育科"),
        "roles": (roles.ADMISSIONS_OFFICER, roles.DEPUTY),
        "source": _("《义务教育法》第十一、十九条"),
    },
    {
        "label": _("本校新生"),
        "title": _("学校新生名单、报到、学籍导入与阳光分班"),
        "url": "school_intake",
        "icon": "graduation-cap",
        "office": _("各学校、幼儿园"),
        "roles": (roles.SITE_HEAD, roles.SITE_SECRETARY),
        "source": _("工作要点：阳光招生、阳光分班"),
    },
]

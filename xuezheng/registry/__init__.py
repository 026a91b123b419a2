"""People and places that all systems refer to: identity and dated placement, nothing else.

Reading order: codes.py, names.py and rules.py (pure), roles.py, access.py, models/ (places, people,
merging), selectors.py, then services/ by topic, views/ of the same names.
"""

from django.utils.translation import gettext_lazy as _

from xuezheng.registry import roles

#: What the navigation and docs/map.md show of this storey.
DUTIES = [
    {
        "label": _("人员与学校"),
        "title": _("学校、班级、学生、教职工与住址"),
        "url": "registry_home",
        "icon": "users",
        "office": _("基础教育科、组织人事科"),
        "roles": (roles.REGISTRAR, roles.SITE_HEAD, roles.SITE_SECRETARY),
        "source": _("《中小学生学籍管理办法》；JY/T 1001–1006-2012"),
    }
]

"""Audit, inspection, hazards, incidents: findings, rectification, re-check, close.

So far: hazards (隐患排查治理), the smallest full circle.  A site reports with a photo, the safety
office grades it and sets a term in working days, the site rectifies, another person re-checks.
Reading order: rules, flows, models, services, views; then facts/ and indicators/.
"""

from django.utils.translation import gettext_lazy as _

from xuezheng.registry import roles

#: What the navigation and docs/map.md show of this system.
DUTIES = [
    {
        "label": _("隐患"),
        "title": _("隐患排查治理"),
        "url": "hazard_list",
        "icon": "shield-alert",
        "office": _("安全管理科"),
        "roles": (roles.SAFETY_OFFICER, roles.SITE_HEAD, roles.SITE_SECRETARY),
        "source": _("《安全生产法》（2021）；工作要点：平安校园"),
    }
]

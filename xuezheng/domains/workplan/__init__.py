"""The plan: import, review, adoption, commitments, milestones, lights.

Each commitment of the yearly work plan is done in the system that does the work and measured by an
indicator computed from that system's records.  Reading order: parsing/ (pure importer), rules,
flows, models, then services/ by topic: importing, reviewing, adopting, carrying, lights.
"""

from django.utils.translation import gettext_lazy as _

from xuezheng.registry import roles

DUTIES = [
    {
        "label": _("工作要点"),
        "title": _("年度工作要点的分解、执行与督办"),
        "url": "plan_list",
        "icon": "list-checks",
        "office": _("办公室"),
        "roles": (roles.PLAN_OFFICER, roles.OFFICE_HEAD, roles.OFFICER),
        "source": _("年度工作要点全文"),
    }
]

"""Permissions on people and places, and the roles that hold them.

Leaders, offices and inspectors see figures, never a child's row; whoever runs a school sees the
school's own; the registrar sees all.  Full numbers need a permission and a reason each time.
"""

from enum import StrEnum

from xuezheng.kernel.exchange.access import Permission as Exchange
from xuezheng.registry import roles


class Permission(StrEnum):
    SITE_SEE = "registry.site.see"
    SITE_EDIT = "registry.site.edit"
    CLASS_EDIT = "registry.class.edit"
    PUPIL_SEE = "registry.pupil.see"
    PUPIL_EDIT = "registry.pupil.edit"
    PUPIL_REVEAL = "registry.pupil.reveal"
    PUPIL_EXPORT = "registry.pupil.export"
    STAFF_SEE = "registry.staff.see"
    STAFF_EDIT = "registry.staff.edit"
    STAFF_REVEAL = "registry.staff.reveal"
    ADDRESS_SEE = "registry.address.see"
    ADDRESS_EDIT = "registry.address.edit"
    MERGE = "registry.merge"
    IMPORT = "registry.import"
    OPENING = "registry.opening"
    #: Who looked at whom: everybody's, for the auditor; those in reach, for who answers for them.
    LOOKED_AT = "registry.looked_at"
    LOOKED_AT_OWN = "registry.looked_at.own"
    #: Accounts, the posts they hold, their passwords and second factors.
    ACCOUNTS = "registry.accounts"


_SCHOOL = {
    Permission.SITE_SEE,
    Permission.CLASS_EDIT,
    Permission.PUPIL_SEE,
    Permission.PUPIL_EDIT,
    Permission.PUPIL_REVEAL,
    Permission.PUPIL_EXPORT,
    Permission.STAFF_SEE,
    Permission.STAFF_EDIT,
    Permission.STAFF_REVEAL,
    Permission.ADDRESS_SEE,
    Permission.IMPORT,
    Exchange.USE,
}
GRANTS = {
    # Who opens accounts keeps no register, who keeps the register opens no accounts.
    roles.REGISTRAR: {*Permission, Exchange.USE} - {Permission.LOOKED_AT, Permission.ACCOUNTS},
    roles.SECURITY_OFFICER: {Permission.ACCOUNTS, Exchange.USE},
    roles.SITE_HEAD: _SCHOOL | {Permission.LOOKED_AT_OWN},
    roles.SITE_SECRETARY: _SCHOOL,
    roles.TEACHER: {Permission.SITE_SEE},
    roles.TOWN_OFFICER: {Permission.SITE_SEE, Permission.ADDRESS_SEE},
    roles.DIRECTOR: {Permission.SITE_SEE},
    roles.DEPUTY: {Permission.SITE_SEE},
    roles.PLAN_OFFICER: {Permission.SITE_SEE},
    roles.INSPECTOR: {Permission.SITE_SEE},
    roles.AUDITOR: {Permission.SITE_SEE, Permission.LOOKED_AT},
}

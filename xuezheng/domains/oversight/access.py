"""Permissions of this system and the roles that hold them."""

from enum import StrEnum

from xuezheng.registry import roles


class Permission(StrEnum):
    SEE = "oversight.see"
    REPORT = "oversight.hazard.report"
    GRADE = "oversight.hazard.grade"
    RECTIFY = "oversight.hazard.rectify"
    RECHECK = "oversight.hazard.recheck"
    RELEASE = "oversight.hazard.release"
    URGE = "oversight.hazard.urge"
    EXPORT = "oversight.export"


_SITE = {Permission.SEE, Permission.REPORT, Permission.RECTIFY, Permission.EXPORT}
_SAFETY = {
    Permission.SEE,
    Permission.REPORT,
    Permission.GRADE,
    Permission.RECHECK,
    Permission.URGE,
    Permission.EXPORT,
}
GRANTS = {
    roles.SITE_HEAD: _SITE,
    roles.SITE_SECRETARY: _SITE,
    roles.TEACHER: {Permission.REPORT},
    roles.SAFETY_OFFICER: _SAFETY,
    roles.SAFETY_HEAD: _SAFETY | {Permission.RELEASE},
    roles.INSPECTOR: {
        Permission.SEE,
        Permission.REPORT,
        Permission.RECHECK,
        Permission.EXPORT,
    },
    roles.TOWN_OFFICER: {Permission.SEE, Permission.REPORT},
    roles.PLAN_OFFICER: {Permission.SEE, Permission.EXPORT},
    roles.DEPUTY: {Permission.SEE, Permission.URGE, Permission.EXPORT},
    roles.DIRECTOR: {Permission.SEE, Permission.URGE, Permission.EXPORT},
    roles.AUDITOR: {Permission.SEE, Permission.EXPORT},
}

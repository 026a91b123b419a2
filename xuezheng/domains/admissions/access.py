"""Permissions of admissions and the roles that hold them.

Families hold APPLY: everybody who signs in does, and reaches their own applications only.
"""

from enum import StrEnum

from xuezheng.kernel.access.permissions import PERSON
from xuezheng.registry import roles


class Permission(StrEnum):
    APPLY = "admissions.apply"
    SEASON = "admissions.season"
    ZONES = "admissions.zones"
    ZONES_REPLY = "admissions.zones.reply"
    ROLL = "admissions.roll"
    FOLLOW_UP = "admissions.follow_up"
    SEE = "admissions.see"
    COUNTER = "admissions.counter"
    VERIFY = "admissions.verify"
    REVIEW = "admissions.review"
    PATHS = "admissions.paths"
    PATHS_DECIDE = "admissions.paths.decide"
    ALLOCATE = "admissions.allocate"
    PUBLISH = "admissions.publish"
    SCHOOL = "admissions.school"
    FIGURES = "admissions.figures"


_SCHOOL = {
    Permission.SEE,
    Permission.COUNTER,
    Permission.VERIFY,
    Permission.SCHOOL,
    Permission.FIGURES,
}
GRANTS = {
    PERSON: {Permission.APPLY},
    roles.ADMISSIONS_OFFICER: {
        Permission.SEASON,
        Permission.ZONES,
        Permission.ROLL,
        Permission.FOLLOW_UP,
        Permission.SEE,
        Permission.COUNTER,
        Permission.VERIFY,
        Permission.REVIEW,
        Permission.PATHS,
        Permission.ALLOCATE,
        Permission.FIGURES,
    },
    # Another person than the one who allocated publishes.
    roles.OFFICE_HEAD: {Permission.FIGURES},
    roles.DEPUTY: {Permission.PUBLISH, Permission.PATHS_DECIDE, Permission.FIGURES},
    roles.DIRECTOR: {Permission.PUBLISH, Permission.PATHS_DECIDE, Permission.FIGURES},
    roles.PLAN_OFFICER: {Permission.FIGURES},
    roles.SITE_HEAD: _SCHOOL,
    roles.SITE_SECRETARY: _SCHOOL,
    roles.TOWN_OFFICER: {Permission.FOLLOW_UP, Permission.ZONES_REPLY},
    roles.OUTSIDE_CONTACT: {Permission.ZONES_REPLY},
    roles.AUDITOR: {Permission.FIGURES},
}

"""Permissions of this system and the roles that hold them."""

from enum import StrEnum

from xuezheng.registry import roles


class Permission(StrEnum):
    SEE = "workplan.see"
    EDIT = "workplan.edit"
    ADOPT = "workplan.adopt"
    REPORT = "workplan.milestone.report"
    CONFIRM = "workplan.round.confirm"
    SIGN = "workplan.round.sign"
    ACCEPT = "workplan.milestone.accept"
    EXTEND = "workplan.extension.ask"
    DECIDE = "workplan.extension.decide"
    URGE = "workplan.urge"
    OVERRIDE = "workplan.light.override"
    EXPORT = "workplan.export"
    SUPERVISE = "workplan.supervise"
    NOTE = "workplan.note"
    SCORE = "workplan.score"
    SCORE_ANSWER = "workplan.score.answer"
    SCORE_PUBLISH = "workplan.score.publish"


_OFFICE = {Permission.SEE, Permission.REPORT, Permission.EXTEND, Permission.EXPORT}
_LEADER = {
    Permission.SEE,
    Permission.DECIDE,
    Permission.SIGN,
    Permission.URGE,
    Permission.OVERRIDE,
    Permission.EXPORT,
    Permission.NOTE,
    Permission.SCORE_ANSWER,
}
GRANTS = {
    roles.PLAN_OFFICER: {
        Permission.SEE,
        Permission.EDIT,
        Permission.ADOPT,
        Permission.ACCEPT,
        Permission.URGE,
        Permission.OVERRIDE,
        Permission.EXPORT,
        Permission.SUPERVISE,
        Permission.SCORE,
        Permission.SCORE_ANSWER,
    },
    roles.DIRECTOR: _LEADER | {Permission.ADOPT, Permission.SCORE_PUBLISH},
    roles.DEPUTY: _LEADER,
    roles.OFFICE_HEAD: _OFFICE | {Permission.CONFIRM},
    # Confirms only while standing in for the head: see services/rounds.
    roles.OFFICER: _OFFICE | {Permission.CONFIRM},
    roles.SAFETY_HEAD: {Permission.SEE, Permission.EXPORT},
    roles.SAFETY_OFFICER: {Permission.SEE},
    roles.INSPECTOR: {Permission.SEE},
    roles.OUTSIDE_CONTACT: {Permission.REPORT, Permission.CONFIRM},
    roles.AUDITOR: {Permission.SEE, Permission.EXPORT},
}

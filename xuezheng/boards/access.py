"""Permissions of the pages that join systems."""

from enum import StrEnum

from xuezheng.domains.oversight.access import Permission as Oversight
from xuezheng.domains.workplan.access import Permission as Workplan
from xuezheng.kernel.indicators.access import Permission as Figures
from xuezheng.registry import roles
from xuezheng.registry.access import Permission as Registry


class Permission(StrEnum):
    BOARD = "boards.board"
    INDICATORS = "boards.indicators"
    PARAMETERS = "boards.parameters"
    AUDIT = "boards.audit"
    STYLE_GUIDE = "boards.style_guide"
    JOBS = "boards.jobs"


_FIGURES = {Permission.INDICATORS, Figures.SEE}
_READERS = {Permission.BOARD, *_FIGURES}
GRANTS = {
    roles.DIRECTOR: _READERS,
    roles.DEPUTY: _READERS,
    roles.PLAN_OFFICER: _READERS | {Permission.PARAMETERS, Figures.MAKE},
    roles.OFFICE_HEAD: _READERS,
    roles.OFFICER: _READERS,
    roles.SAFETY_HEAD: _READERS | {Permission.PARAMETERS},
    roles.SAFETY_OFFICER: _READERS,
    roles.INSPECTOR: _FIGURES,
    roles.REGISTRAR: _FIGURES,
    roles.ADMISSIONS_OFFICER: _FIGURES,
    # The district's figures, and the rows behind those of their own school.
    roles.SITE_HEAD: {Permission.INDICATORS},
    roles.AUDITOR: _READERS | {Permission.AUDIT},
    # The trail also says what the operator did: it is not theirs to read.
    roles.OPERATOR: {Permission.PARAMETERS, Permission.JOBS, Permission.STYLE_GUIDE},
    # Lengths of passwords and sessions are parameters.
    roles.SECURITY_OFFICER: {Permission.PARAMETERS},
    # Figures everywhere, and the rows behind them as far as they are no persons.
    roles.STATISTICIAN: {*_READERS, Figures.MAKE, Oversight.SEE, Workplan.SEE, Registry.SITE_SEE},
    roles.PROVINCE_OFFICER: {Figures.SEE_PROVINCE},
}

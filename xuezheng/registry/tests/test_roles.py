"""The three administrators."""

import pytest

from xuezheng.kernel.access.permissions import grants
from xuezheng.registry import roles


@pytest.mark.parametrize(
    ("held", "new", "conflict"),
    [
        (set(), roles.OPERATOR, None),
        ({roles.TEACHER, roles.DIRECTOR}, roles.AUDITOR, None),
        ({roles.OPERATOR}, roles.OPERATOR, None),
        ({roles.OPERATOR}, roles.TEACHER, None),
        ({roles.OPERATOR}, roles.SECURITY_OFFICER, roles.OPERATOR),
        ({roles.OPERATOR}, roles.AUDITOR, roles.OPERATOR),
        ({roles.SECURITY_OFFICER, roles.TEACHER}, roles.OPERATOR, roles.SECURITY_OFFICER),
        ({roles.SECURITY_OFFICER}, roles.AUDITOR, roles.SECURITY_OFFICER),
        ({roles.AUDITOR}, roles.OPERATOR, roles.AUDITOR),
        ({roles.AUDITOR}, roles.SECURITY_OFFICER, roles.AUDITOR),
    ],
)
def test_nobody_holds_two_of_the_three(held: set[str], new: str, conflict: str | None) -> None:
    assert roles.conflicting_roles(held, new) == conflict


def test_the_three_share_no_power_over_each_other() -> None:
    holders = {
        permission: {role for role in roles.ADMINISTRATORS if permission in grants()[role]}
        for permission in ("boards.audit", "boards.jobs")
    }
    assert holders == {"boards.audit": {roles.AUDITOR}, "boards.jobs": {roles.OPERATOR}}

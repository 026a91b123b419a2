"""Roles and permissions are code: collected once from the installed systems.

A system's `access.py` holds a `Permission` StrEnum and `GRANTS`, {role key: set of permissions}.
The roles stand in the module named by `settings.ROLES_MODULE`.  What is granted to `PERSON` every
signed-in user may do, without a post, with rows that are the person's own.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings

#: The key under which systems grant what needs no post.  It is no role: no post form offers it.
PERSON = "person"


@dataclass(frozen=True)
class Role:
    """A role: its key, its name, and how far it reaches.

    `reach` is "own" (the post's organisation and what stands below it) or "authority" (everything
    below the authority to which the post's organisation belongs).  `second_factor`: whoever holds it
    must give a one-time code besides the password before anything else.
    """

    key: str
    label: str
    reach: str = "own"
    second_factor: bool = False


@cache
def roles() -> dict[str, Role]:
    """All roles by key."""
    return {role.key: role for role in import_module(settings.ROLES_MODULE).ROLES}


@cache
def grants() -> dict[str, frozenset[str]]:
    """Role key or PERSON -> permissions.  Raises LookupError for a grant to an unknown role."""
    collected: dict[str, set[str]] = {key: set() for key in (*roles(), PERSON)}
    for config in apps.get_app_configs():
        name = f"{config.name}.access"
        if not config.name.startswith("xuezheng.") or find_spec(name) is None:
            continue
        for role, permissions in getattr(import_module(name), "GRANTS", {}).items():
            if role not in collected:
                raise LookupError(f"{name} grants to an unknown role: {role}")
            collected[role] |= {str(permission) for permission in permissions}
    return {role: frozenset(permissions) for role, permissions in collected.items()}


def all_permissions() -> frozenset[str]:
    """Every permission that some role or every person holds."""
    return frozenset().union(*grants().values())

"""Every view names who may call it; the fence refuses a view that does not.

@requires(Permission.GRADE)      staff with the permission somewhere; else 403
@signed_in                       any signed-in user
@half_signed_in                  also one who still owes a code or a new password
@public                          anybody
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class Guard:
    """`permissions` empty and `anonymous` false means any signed-in user.

    `early`: also before the second factor is given and a password that must be changed is changed.
    """

    permissions: frozenset[str] = frozenset()
    anonymous: bool = False
    early: bool = False


def requires(*permissions: str) -> Callable:
    """The actor must hold at least one of the permissions."""
    if not permissions:
        raise ValueError("name a permission, or use signed_in")
    return _mark(Guard(permissions=frozenset(str(p) for p in permissions)))


def _mark(guard: Guard) -> Callable:
    def mark(view: Callable) -> Callable:
        view.guard = guard
        return view

    return mark


signed_in = _mark(Guard())
half_signed_in = _mark(Guard(early=True))
public = _mark(Guard(anonymous=True))


def safe(request: HttpRequest) -> bool:
    """Whether the request may not change anything."""
    return request.method in {"GET", "HEAD", "OPTIONS"}

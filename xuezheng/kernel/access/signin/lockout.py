"""Counting failed attempts.  Names, addresses and numbers are stored as keyed hashes only."""

import datetime as dt

from django.conf import settings
from django.db import models, transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from xuezheng.kernel.access.models import AttemptKind, Attempts, User
from xuezheng.kernel.access.signin.rules import SignInRules, Tally, after_failure, is_locked

HOUR = dt.timedelta(hours=1)
#: Counts that nobody added to for so long say nothing any more.
KEEP = dt.timedelta(days=2)


def key_of(kind: str, value: str) -> str:
    """Keyed hash under which attempts with a name, address or number are counted (hexadecimal)."""
    return salted_hmac(f"xuezheng.attempts.{kind}", value, algorithm="sha256").hexdigest()


def client_address(request: HttpRequest) -> str:
    """The caller's network address.

    Behind the TLS proxy (settings.HTTPS) the last entry of X-Forwarded-For, which the proxy wrote;
    earlier entries are the caller's own words.
    """
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.HTTPS else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR") or ""


def _tally(row: Attempts | None) -> Tally | None:
    return Tally(row.failures, row.first_at, row.locked_until) if row and row.failures else None


def locked_until(kind: str, value: str, now: dt.datetime) -> dt.datetime | None:
    """End of the lock of a name, address or number; None when it is not locked."""
    row = Attempts.objects.filter(kind=kind, digest=key_of(kind, value)).first()
    return row.locked_until if row and is_locked(_tally(row), now) else None


def hold(kind: str, value: str, now: dt.datetime) -> dt.datetime | None:
    """As `locked_until`, and nobody else may count this key until the transaction ends.

    So many tries sent at once are counted one after another, and none escapes the lock.
    """
    digest = key_of(kind, value)
    Attempts.objects.bulk_create(
        [Attempts(kind=kind, digest=digest, first_at=now, last_at=now)], ignore_conflicts=True
    )
    row = Attempts.objects.select_for_update().get(kind=kind, digest=digest)
    return row.locked_until if is_locked(_tally(row), now) else None


@transaction.atomic
def count(
    kind: str,
    value: str,
    now: dt.datetime,
    *,
    limit: int,
    window: dt.timedelta,
    lock: dt.timedelta,
    user: User | None = None,
) -> bool:
    """Count one more; returns whether this one brought the lock."""
    hold(kind, value, now)
    row = Attempts.objects.get(kind=kind, digest=key_of(kind, value))
    tally = after_failure(_tally(row), now, limit=limit, window=window, lock=lock)
    row.failures, row.first_at, row.locked_until = (
        tally.failures,
        tally.first_at,
        tally.locked_until,
    )
    row.last_at, row.user = now, user or row.user
    row.save()
    return tally.locked_until is not None


def count_failure(
    kind: str, value: str, now: dt.datetime, rules: SignInRules, user: User | None = None
) -> bool:
    """Count a failed attempt by the rules of its kind; returns whether it brought the lock."""
    limit = rules.address_failures if kind == AttemptKind.ADDRESS else rules.failures
    return count(kind, value, now, limit=limit, window=rules.window, lock=rules.lock, user=user)


def forget(kind: str, value: str) -> None:
    """Begin the count of a key anew: after a success, or when a lock is lifted."""
    Attempts.objects.filter(kind=kind, digest=key_of(kind, value)).delete()


def locks(now: dt.datetime) -> models.QuerySet[Attempts]:
    """Every lock in force, the longest first."""
    return Attempts.objects.filter(locked_until__gt=now).order_by("-locked_until", "id")


def purge(now: dt.datetime) -> int:
    """Delete counts that are over.  Returns how many."""
    over = Attempts.objects.filter(last_at__lt=now - KEEP)
    return over.exclude(locked_until__gt=now).delete()[0]

"""Rules of signing in.  Pure: the numbers (parameters/signin.yaml) and the moments come in as arguments.

GB/T 22239-2019, level 3, 8.1.4.1: complexity and regular change of passwords, a limit of failed
sign-ins, time-out, two factors.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

#: What no bureau can go below or above, so that a slip on the parameter screen locks nobody out for good.
BOUNDS: dict[str, tuple[int, int]] = {
    "failures": (1, 100),
    "address_failures": (5, 10_000),
    "window_minutes": (1, 1440),
    "lock_minutes": (1, 1440),
    "idle_minutes": (5, 720),
    "absolute_hours": (1, 24),
    "password_length": (8, 64),
    "password_classes": (1, 4),
    "password_history": (0, 24),
    "password_days": (1, 3650),
    "password_warn_days": (0, 60),
    "one_time_days": (1, 60),
    "sms_minutes": (1, 30),
    "sms_tries": (1, 10),
    "sms_per_number": (1, 100),
    "sms_per_address": (1, 10_000),
    "fresh_minutes": (1, 60),
}


@dataclass(frozen=True)
class SignInRules:
    """The numbers in force, each within its bounds.  Names carry their units."""

    failures: int
    address_failures: int
    window_minutes: int
    lock_minutes: int
    idle_minutes: int
    absolute_hours: int
    password_length: int
    password_classes: int
    password_history: int
    password_days: int
    password_warn_days: int
    one_time_days: int
    sms_minutes: int
    sms_tries: int
    sms_per_number: int
    sms_per_address: int
    fresh_minutes: int

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "SignInRules":
        """The rules from parameter values.  Raises KeyError for a missing one."""
        kept = {}
        for field in fields(cls):
            low, high = BOUNDS[field.name]
            kept[field.name] = min(max(int(values[field.name]), low), high)
        return cls(**kept)

    @property
    def window(self) -> dt.timedelta:
        """How long failures are counted together."""
        return dt.timedelta(minutes=self.window_minutes)

    @property
    def lock(self) -> dt.timedelta:
        """How long a lock lasts."""
        return dt.timedelta(minutes=self.lock_minutes)


@dataclass(frozen=True)
class Tally:
    """Failures counted so far under one key."""

    failures: int
    first_at: dt.datetime
    locked_until: dt.datetime | None = None


def is_locked(tally: Tally | None, now: dt.datetime) -> bool:
    """Whether the key is locked: until, and not at, the end of the lock."""
    return bool(tally and tally.locked_until and now < tally.locked_until)


def after_failure(
    tally: Tally | None, now: dt.datetime, *, limit: int, window: dt.timedelta, lock: dt.timedelta
) -> Tally:
    """The count after one more failure; locked when it reaches `limit`.

    A count begins anew when a lock has ended, or `window` after its first failure.
    """
    over = tally is None or tally.locked_until is not None or now - tally.first_at >= window
    counted = Tally(1, now) if over else replace(tally, failures=tally.failures + 1)
    return replace(counted, locked_until=now + lock) if counted.failures >= limit else counted


def session_ended(*, now: int, signed_in: int, seen: int, idle: int, absolute: int) -> bool:
    """Whether a session is over: `idle` seconds unused or `absolute` seconds old.  Moments in seconds.

    A clock that was set back ends no session.
    """
    return now - seen >= idle or now - signed_in >= absolute


def classes(password: str) -> int:
    """Kinds of characters in a password: capitals, small letters, digits, everything else (0 to 4)."""
    return sum(
        (
            any("A" <= char <= "Z" for char in password),
            any("a" <= char <= "z" for char in password),
            any("0" <= char <= "9" for char in password),
            any(not (char.isascii() and char.isalnum()) for char in password),
        )
    )


def password_faults(password: str, username: str, rules: SignInRules) -> list[str]:
    """What is wrong with a new password: "length", "classes", "name"."""
    faults = []
    if len(password) < rules.password_length:
        faults.append("length")
    if classes(password) < rules.password_classes:
        faults.append("classes")
    folded, name = password.casefold(), username.casefold()
    if name and (name in folded or name[::-1] in folded):
        faults.append("name")
    return faults


def password_days_left(changed_at: dt.datetime, now: dt.datetime, rules: SignInRules) -> int:
    """Whole days until the password must be changed; zero or less when it must be now."""
    return rules.password_days - (now - changed_at).days

"""Rules of signing in, as tables with the boundary moments."""

import datetime as dt
from dataclasses import fields

import pytest

from xuezheng.kernel.access.signin.rules import (
    BOUNDS,
    SignInRules,
    Tally,
    after_failure,
    classes,
    is_locked,
    password_days_left,
    password_faults,
    session_ended,
)
from xuezheng.kernel.reference.parameters import shipped

NOW = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
RULES = SignInRules.of(
    {row.key.split(".")[-1]: row.value for row in shipped() if row.key.startswith("access.signin.")}
)
LIMITS = {"limit": 5, "window": dt.timedelta(minutes=15), "lock": dt.timedelta(minutes=30)}


def after(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def test_every_number_has_a_parameter_and_bounds() -> None:
    assert set(BOUNDS) == {field.name for field in fields(SignInRules)}
    assert (RULES.failures, RULES.lock_minutes, RULES.idle_minutes) == (5, 30, 30)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("failures", 0, 1),
        ("failures", 1, 1),
        ("failures", 101, 100),
        ("idle_minutes", 0, 5),
        ("absolute_hours", 25, 24),
        ("password_length", 7, 8),
        ("password_history", 0, 0),
    ],
)
def test_a_slip_on_the_parameter_screen_locks_nobody_out(name: str, given: int, kept: int) -> None:
    values = {field.name: getattr(RULES, field.name) for field in fields(SignInRules)}
    assert getattr(SignInRules.of(values | {name: given}), name) == kept


@pytest.mark.parametrize(
    ("tally", "at", "failures", "locked"),
    [
        (None, 0, 1, False),
        (Tally(3, NOW), 60, 4, False),
        (Tally(4, NOW), 60, 5, True),
        # The window is counted from the first failure; at its end the count begins anew.
        (Tally(4, NOW), 15 * 60 - 1, 5, True),
        (Tally(4, NOW), 15 * 60, 1, False),
        # A lock that has ended counts for nothing.
        (Tally(5, NOW, after(1800)), 1800, 1, False),
    ],
)
def test_counting(tally: Tally | None, at: int, failures: int, locked: bool) -> None:
    counted = after_failure(tally, after(at), **LIMITS)
    assert counted.failures == failures
    assert (counted.locked_until is not None) is locked
    if locked:
        assert counted.locked_until == after(at) + LIMITS["lock"]


@pytest.mark.parametrize(
    ("at", "locked"), [(0, True), (1799, True), (1799.999, True), (1800, False), (1801, False)]
)
def test_a_lock_ends_on_its_moment(at: float, locked: bool) -> None:
    assert is_locked(Tally(5, NOW, after(1800)), after(at)) is locked
    assert not is_locked(None, NOW)
    assert not is_locked(Tally(4, NOW), NOW)


@pytest.mark.parametrize(
    ("seen_ago", "signed_in_ago", "over"),
    [
        (0, 0, False),
        (1799, 1799, False),
        (1800, 1800, True),
        (0, 12 * 3600 - 1, False),
        (0, 12 * 3600, True),
        # The clock was set back: nobody is thrown out.
        (-600, -600, False),
    ],
)
def test_a_session_ends(seen_ago: int, signed_in_ago: int, over: bool) -> None:
    now = 1_000_000_000
    ended = session_ended(
        now=now,
        seen=now - seen_ago,
        signed_in=now - signed_in_ago,
        idle=1800,
        absolute=12 * 3600,
    )
    assert ended is over


@pytest.mark.parametrize(
    ("password", "kinds"),
    [("", 0), ("abc", 1), ("abcABC", 2), ("abcABC1", 3), ("abcABC1-", 4), ("一二三", 1), ("é", 1)],
)
def test_kinds_of_characters(password: str, kinds: int) -> None:
    assert classes(password) == kinds


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        ("Abcdefg-1", ["length"]),
        ("Abcdefgh-1", []),
        ("abcdefgh-1", []),
        ("abcdefgh12", ["classes"]),
        ("SCHOOL-2026-x", ["name"]),
        ("loohcs-2026-X", ["name"]),
        ("school", ["length", "classes", "name"]),
    ],
)
def test_passwords(password: str, faults: list[str]) -> None:
    assert password_faults(password, "school", RULES) == faults


@pytest.mark.parametrize(("days", "left"), [(0, 90), (83, 7), (89, 1), (90, 0), (91, -1)])
def test_age_of_a_password(days: int, left: int) -> None:
    assert password_days_left(NOW - dt.timedelta(days=days), NOW, RULES) == left

"""Passwords: the validator, the history, one-time passwords, the lock under parallel tries."""

import datetime as dt
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction
from django.utils import timezone

from xuezheng.kernel.access.models import Attempts, PastPassword, User
from xuezheng.kernel.access.signin import lockout, passwords

NOW = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("someone", "Erste-Woche-1", name="某人")


def test_the_last_five_are_not_taken_again(user: User) -> None:
    rules = passwords.rules_for("")
    check = passwords.PasswordRules()
    taken = ["Erste-Woche-1"]
    for number in range(2, 8):
        password = f"Woche-Nummer-{number}"
        check.validate(password, user)
        passwords.replace_password(user, password, rules)
        taken.append(password)
    for password in taken[-5:]:
        with pytest.raises(ValidationError, match="最近用过"):
            check.validate(password, user)
    check.validate(taken[1], user)
    assert PastPassword.objects.count() == 5
    assert user.password_changed_at <= timezone.now()


def test_all_faults_at_once(user: User) -> None:
    with pytest.raises(ValidationError) as caught:
        passwords.PasswordRules().validate("someone", user)
    assert len(caught.value.messages) == 3


def test_a_one_time_password(user: User) -> None:
    rules = passwords.rules_for("")
    text = passwords.give_one_time(user, rules, NOW)
    user.save()
    assert len(text.replace("-", "")) == 20
    assert not user.has_usable_password()
    assert text.replace("-", "") not in user.one_time_digest
    end = NOW + dt.timedelta(days=rules.one_time_days)
    for given in (text, text.lower(), text.replace("-", " "), f" {text} "):
        assert passwords.is_one_time(user, given, NOW)
    assert passwords.is_one_time(user, text, end - dt.timedelta(seconds=1))
    assert not passwords.is_one_time(user, text, end)
    assert not passwords.is_one_time(user, text[:-1], NOW)
    assert not passwords.is_one_time(user, "", NOW)
    passwords.replace_password(user, "Eigenes-Wort-1", rules)
    user.refresh_from_db()
    assert not passwords.is_one_time(user, text, NOW)
    assert user.check_password("Eigenes-Wort-1")


def test_an_address_or_name_is_not_in_the_table(db) -> None:
    rules = passwords.rules_for("")
    lockout.count_failure("address", "10.1.2.3", NOW, rules)
    lockout.count_failure("name", "10.1.2.3", NOW, rules)
    digests = set(Attempts.objects.values_list("digest", flat=True))
    assert len(digests) == 2, "the same words under two kinds are two keys"
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_attempts::text FROM access_attempts")
        assert all("10.1" not in row for (row,) in cursor.fetchall())


def test_the_lock_by_the_clock(db) -> None:
    rules = passwords.rules_for("")
    for number in range(5):
        locked = lockout.count_failure("name", "x", NOW, rules)
        assert locked is (number == 4)
    end = NOW + rules.lock
    assert lockout.locked_until("name", "x", end - dt.timedelta(seconds=1)) == end
    assert lockout.locked_until("name", "x", end) is None
    assert [row.failures for row in lockout.locks(NOW)] == [5]
    assert lockout.purge(NOW + dt.timedelta(hours=47)) == 0
    assert lockout.purge(NOW + dt.timedelta(hours=49)) == 1


def test_tries_sent_at_once_are_counted_one_by_one(own_database: str) -> None:
    rules = passwords.rules_for("")
    let_through = []

    def attempt() -> None:
        try:
            with transaction.atomic():
                if lockout.hold("name", "x", NOW) is None:
                    let_through.append(1)
                    lockout.count_failure("name", "x", NOW, rules)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) == rules.failures

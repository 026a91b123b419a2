"""A kept connection is asked whether it lives: at most once a second, and always after an error."""

from django.db import connection

from tests.test_submit_faults import lose_database
from xuezheng.config.backend import base


def test_asked_at_most_once_a_second_and_always_after_an_error(
    own_database: str, monkeypatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(base.time, "monotonic", lambda: clock[0])
    # Of an earlier test in this process, by the real clock.
    monkeypatch.setattr(connection, "_answered", float("-inf"))
    connection.close()
    connection.ensure_connection()
    assert connection.is_usable()
    lose_database(own_database)
    clock[0] += base.TRUSTED - 0.01
    assert connection.is_usable(), "taken for alive"
    connection.errors_occurred = True
    assert not connection.is_usable(), "after an error it is asked"
    connection.errors_occurred = False
    clock[0] += 0.02
    assert not connection.is_usable(), "a second later it is asked"
    connection.close()

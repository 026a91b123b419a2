"""What many requests read and hardly anybody changes, kept in the process until it is changed.

Tables that are watched note each transaction that writes to them (`watch`, called by a migration), in
that transaction: its note becomes visible with its data, also to other processes, and is undone with
them.  So what was read after a state of the notes is good for as long as the notes are the same.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.db import connection

Value = TypeVar("Value")
#: More than the seasons that are open at once; a process that has seen more begins anew.
_MOST = 50
_kept: dict[Hashable, tuple[tuple[int, int], Any]] = {}


def watch(*tables: str) -> list[str]:
    """Statements by which the tables are watched from now on."""
    return [
        f"CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION reference_note_change()"
        for table in tables
    ]


def unwatch(*tables: str) -> list[str]:
    """The opposite of `watch`."""
    return [f"DROP TRIGGER note_change ON {table}" for table in tables]


def state_of_changes() -> tuple[int, int]:
    """Number of noted transactions and the newest note (one query)."""
    # Both: notes become visible in the order of commits, not in that of their numbers.
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), coalesce(max(number), 0) FROM reference_change")
        return cursor.fetchone()


def kept(key: Hashable, read: Callable[[], Value]) -> Value:
    """What `read` returned since the last change of a watched table, else what it returns now.

    `read` may look at watched tables only; nobody may alter what it returns.  One query.
    """
    key = (connection.settings_dict["NAME"], key)
    state = state_of_changes()
    found = _kept.get(key)
    if found and found[0] == state:
        return found[1]
    if len(_kept) >= _MOST:
        _kept.clear()
    value = read()
    _kept[key] = (state, value)
    return value

"""Bringing the database to this program's shape, and refusing one that is not.

While `migrate` works the database carries the comment `xuezheng: migrating`; when it is done,
`xuezheng: ready`.  So a start can tell a half-migrated database from an older, whole one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from psycopg.conninfo import conninfo_to_dict

from xuezheng.kernel.indicators.facts import build_facts, drop_facts
from xuezheng.kernel.reference.calendar import seed_calendar
from xuezheng.kernel.reference.parameters import load_shipped

MIGRATING = "xuezheng: migrating"
READY = "xuezheng: ready"
FIRST_YEAR = 2020


class DatabaseRefused(Exception):
    """The program must not start on this database; the message says why and what to do."""


@contextmanager
def connected(conninfo: str) -> Iterator[None]:
    """Inside, Django's connection goes to another database or role, as libpq's text says."""
    kept = dict(connection.settings_dict)
    given = conninfo_to_dict(conninfo)
    names = {
        "NAME": "dbname",
        "USER": "user",
        "PASSWORD": "password",
        "HOST": "host",
        "PORT": "port",
    }
    connection.close()
    connection.settings_dict.update({ours: str(given.get(key, "")) for ours, key in names.items()})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def mark() -> str:
    """The comment on the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = current_database()"
        )
        return cursor.fetchone()[0] or ""


def _set_mark(text: str) -> None:
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"COMMENT ON DATABASE {name} IS '{text}'")


def _plan() -> tuple[int, set[tuple[str, str]]]:
    """(number of migrations not yet applied, applied ones that this program does not know)."""
    executor = MigrationExecutor(connection)
    unapplied = executor.migration_plan(executor.loader.graph.leaf_nodes())
    ours = {label for label, _name in executor.loader.disk_migrations}
    unknown = {
        key
        for key in executor.loader.applied_migrations
        if key[0] in ours and key not in executor.loader.disk_migrations
    }
    return len(unapplied), unknown


def needs_migration() -> bool:
    """Whether a whole database is empty or older than the program.

    Raises DatabaseRefused for a half-migrated one and for one newer than the program.
    """
    unapplied, unknown = _plan()
    if unknown:
        raise DatabaseRefused(
            "数据库由更新版本的程序建立，请改用新版程序 / "
            "the database was made by a newer version of the program: run that version"
        )
    if mark() == MIGRATING:
        raise DatabaseRefused(
            "数据库上次升级没有完成：请先恢复备份，或再次执行 xuezheng migrate / "
            "the last migration did not finish: restore the backup or run xuezheng migrate again"
        )
    return bool(unapplied) or mark() != READY


def migrate(verbosity: int = 0) -> None:
    """Drop the facts, migrate, rebuild the facts, load shipped parameters and the calendar."""
    _, unknown = _plan()
    if unknown:
        needs_migration()
    _set_mark(MIGRATING)
    drop_facts()
    call_command("migrate", verbosity=verbosity, interactive=False)
    prepare_contents()
    _set_mark(READY)


def prepare_contents() -> None:
    """What a migrated database needs besides tables: facts, parameters, calendar."""
    build_facts()
    _open_functions_to_backup()
    load_shipped()
    seed_calendar(FIRST_YEAR, timezone.localdate().year + 2)


def _open_functions_to_backup() -> None:
    """Let the role that reads everything also call what facts call.

    `pg_read_all_data` is about tables only, and a backup computes figures.  Functions that may write
    (volatile ones) stay closed to it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::regprocedure::text FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND provolatile <> 'v'"
            " AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'xuezheng_backup')"
        )
        for (function,) in cursor.fetchall():
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {function} TO xuezheng_backup")

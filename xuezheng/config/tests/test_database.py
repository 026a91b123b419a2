"""A start refuses a database that is half migrated or newer than the program, and says why."""

import pytest
from django.db import connection

from xuezheng.config import database
from xuezheng.config.database import DatabaseRefused, migrate, needs_migration
from xuezheng.kernel.reference.models import Parameter

pytestmark = pytest.mark.usefixtures("own_database")


@pytest.fixture
def ready(own_database: str) -> None:
    database._set_mark(database.READY)


def run(statement: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.usefixtures("ready")
def test_whole_database_needs_nothing() -> None:
    assert not needs_migration()


@pytest.mark.usefixtures("ready")
def test_older_database_is_brought_up() -> None:
    # A migration of ours that was not yet applied, and whose table is not yet there.
    run("DROP TABLE oversight_hazard CASCADE")
    run("DELETE FROM django_migrations WHERE app = %s", "oversight")
    assert needs_migration()
    migrate()
    assert not needs_migration()
    assert Parameter.objects.filter(key="oversight.hazard.general_days").exists()


def test_half_migrated_database_is_refused() -> None:
    database._set_mark(database.MIGRATING)
    with pytest.raises(DatabaseRefused, match="did not finish"):
        needs_migration()
    migrate()
    assert not needs_migration()


@pytest.mark.usefixtures("ready")
def test_migration_that_fails_leaves_the_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("no space left on device")

    monkeypatch.setattr(database, "prepare_contents", fail)
    with pytest.raises(RuntimeError):
        migrate()
    with pytest.raises(DatabaseRefused, match="did not finish"):
        needs_migration()


@pytest.mark.usefixtures("ready")
def test_newer_database_is_refused_and_left_alone() -> None:
    run(
        "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())",
        "workplan",
        "9999_from_tomorrow",
    )
    with pytest.raises(DatabaseRefused, match="newer version"):
        needs_migration()
    with pytest.raises(DatabaseRefused, match="newer version"):
        migrate()
    assert database.mark() == database.READY

"""One throwaway PostgreSQL server for a test run; databases are clones of one migrated template."""

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.utils import translation

from xuezheng.config.postgres import Cluster, ensure_database

TEMPLATE = "xuezheng"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def _start_cluster() -> None:
    """Start and migrate, once, in the process that the user started."""
    for name in [name for name in os.environ if name.startswith("XUEZHENG_")]:
        del os.environ[name]
    root = Path(tempfile.mkdtemp(prefix="xz-"))
    root.chmod(0o711)
    cluster = Cluster(root, throwaway=True)
    cluster.prepare()
    os.environ["XUEZHENG_DATA_DIR"] = str(root)
    os.environ["XUEZHENG_ROLE"] = "owner"
    os.environ["XUEZHENG_SECRET_KEY"] = "only-for-tests"

    def remove() -> None:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)

    atexit.register(remove)


os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
if not WORKER:
    _start_cluster()
django.setup()
if not WORKER:
    from django.db import connection

    from xuezheng.config.database import migrate

    migrate()
    connection.close()

pytest_plugins = ["tests.district", "tests.people", "tests.season"]
_numbers = itertools.count(1)


def _clone() -> str:
    """A fresh copy of the migrated database; nobody may be connected to the template."""
    name = f"test_{WORKER or 'main'}_{next(_numbers)}"
    ensure_database(Cluster().ensure_running().superuser(), name, template=TEMPLATE)
    return name


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker) -> None:
    """The database of this process; every test rolls back."""
    from django.db import connection

    connection.settings_dict["NAME"] = _clone()


@pytest.fixture
def own_database(django_db_setup, django_db_blocker) -> Iterator[str]:
    """A database of the test's own with real transactions: for fence, seal, jobs, journeys."""
    from django.db import connection

    shared = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = _clone()
        yield connection.settings_dict["NAME"]
        connection.close()
    connection.settings_dict["NAME"] = shared


@pytest.fixture(autouse=True)
def own_language() -> None:
    """A request in English leaves its language in the process: each test begins in Chinese."""
    translation.deactivate()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys last: from the first one on Playwright's loop runs in the process, and the ORM refuses it."""
    items.sort(key=lambda item: "journeys" in item.path.parts)

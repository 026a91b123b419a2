"""A database of every earlier release becomes one of this program, with its data.

The dumps are written by tools/release_dump.py when a release is made, and never again.
"""

import lzma
import os
import subprocess
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from xuezheng.config.database import migrate, needs_migration
from xuezheng.config.postgres import Cluster, ensure_database, tool
from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.workplan.models import Commitment, Plan
from xuezheng.kernel.access.models import Organisation, Post, User
from xuezheng.kernel.audit.seal import verify
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.indicators.jobs import year_of
from xuezheng.kernel.indicators.models import Reading

DUMPS = sorted((Path(__file__).parent / "upgrades").glob("*.sql.xz"))


@pytest.fixture(params=DUMPS, ids=lambda path: path.name)
def older(request, django_db_setup, django_db_blocker):
    """Django's connection on a database as an earlier release left it."""
    name = f"upgrade_{os.getpid()}_{DUMPS.index(request.param)}"
    ensure_database(Cluster().ensure_running().superuser(), name)
    login = Cluster().login("owner", name)
    done = subprocess.run(
        [
            *(str(tool("psql")), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"),
            *("--host", login.host, "--port", str(login.port), "--username", login.user, name),
        ],
        input=lzma.decompress(request.param.read_bytes()),
        env=os.environ | {"PGPASSWORD": login.password},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    shared = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = name
        yield name
        connection.close()
    connection.settings_dict["NAME"] = shared


def counts() -> dict[str, int]:
    """Rows that a person would miss, read as they stand in whatever schema this is."""
    tables = [
        "access_organisation",
        "access_user",
        "access_post",
        "oversight_hazard",
        "workplan_plan",
        "workplan_commitment",
        "workplan_milestone",
        "cases_move",
        "audit_entry",
        "indicators_reading",
    ]
    with connection.cursor() as cursor:
        found = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
        return found


def test_an_older_database_is_migrated_with_its_data(older: str, settings, tmp_path) -> None:
    settings.AUDIT_HEAD_FILE = tmp_path / "heads"
    before = counts()
    assert all(before.values())
    assert needs_migration()
    migrate()
    assert needs_migration() is False
    assert counts() == before
    # Not only there: read through the program.
    bureau = Organisation.objects.get(kind="bureau")
    assert Post.objects.filter(organisation=bureau).exists()
    assert Plan.objects.filter(status=Plan.Status.ADOPTED).exists()
    assert Commitment.objects.filter(milestones__isnull=False).exists()
    assert Hazard.objects.filter(case__moves__isnull=False).exists()
    trail = verify()
    assert trail.entries == before["audit_entry"]
    assert [problem for problem in trail.problems if "heads" not in problem] == []
    day = Reading.objects.latest("as_of").as_of
    assert compute(period=year_of(day), as_of=day) > 0
    client = Client()
    client.force_login(User.objects.get(username="director"))
    assert client.get("/board/", follow=True).status_code == 200

"""pg_dump and pg_restore, and who connects as whom."""

import os
import subprocess
from pathlib import Path

from django.conf import settings
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from xuezheng.config.archive import ArchiveRefused
from xuezheng.config.environment import ConfigurationError, Environment
from xuezheng.config.postgres import Cluster, tool


def conninfo_of(role: str, database: str = "") -> str:
    """How a role (owner, backup) connects to a database, by default the one of Django's connection.

    Raises ConfigurationError when the database is a given one and the role's address is not.
    """
    name = database or connection.settings_dict["NAME"]
    key = f"XUEZHENG_DATABASE_{role.upper()}_URL"
    if url := Environment().get(key):
        return make_conninfo(url, dbname=name) if database else url
    if not settings.EMBEDDED:
        raise ConfigurationError(f"缺少 / missing: {key}")
    return Cluster(settings.DATA_DIR).login(role, name).conninfo()


def pg_dump(conninfo: str, target: Path, *, snapshot: str) -> None:
    """Dump what a transaction with an exported snapshot sees.  Raises ArchiveRefused."""
    _run(
        "pg_dump",
        conninfo,
        "--format=custom",
        f"--snapshot={snapshot}",
        "--exclude-schema=facts",
        f"--file={target}",
    )


def pg_restore(conninfo: str, source: Path) -> None:
    """Restore a dump: all of it, or nothing.  Raises ArchiveRefused."""
    _run("pg_restore", conninfo, "--single-transaction", "--exit-on-error", str(source))


def _run(name: str, conninfo: str, *arguments: str) -> None:
    # The password goes by the environment: arguments can be read by every user of the machine.
    values = conninfo_to_dict(conninfo)
    password = values.pop("password", None)
    variables = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    done = subprocess.run(
        [str(tool(name)), f"--dbname={make_conninfo(**values)}", *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        env=variables | {"LC_ALL": "C"},
        check=False,
    )
    if done.returncode:
        # Its first lines name the table and the cause; a later one might quote a row.
        said = "\n".join(done.stderr.strip().splitlines()[:2])
        raise ArchiveRefused(f"{name} 失败 / failed: {said}")

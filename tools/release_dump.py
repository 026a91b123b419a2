"""Write the dump that the next release must be able to migrate: schema and demo district as plain SQL.

python tools/release_dump.py        (in the checkout of the release, once, when it is tagged)

It becomes tests/upgrades/<version>.sql.xz.  The demo district is small and invented; passwords in it
are hashes of ones made for this run.
"""

import lzma
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "upgrades"


def main(version: str) -> None:
    """Make a server, load the demo district, dump it, remove the server."""
    sys.path.insert(0, str(ROOT))
    root = Path(tempfile.mkdtemp(prefix="xz-release-"))
    root.chmod(0o711)
    os.environ |= {"XUEZHENG_DATA_DIR": str(root)}
    from xuezheng.config.postgres import Cluster, tool

    cluster = Cluster(root, throwaway=True)
    try:
        cluster.prepare()
        command = [sys.executable, "-m", "xuezheng.config.cli"]
        for verb in ("demo --scale small", "audit verify"):
            subprocess.run([*command, *verb.split()], cwd=ROOT, check=True)
        login = cluster.login("owner")
        with psycopg.connect(login.conninfo()) as connection:
            # Three years of figures would be most of the file.
            connection.execute(
                "DELETE FROM indicators_reading WHERE as_of < (SELECT max(as_of) - 100"
                " FROM indicators_reading)"
            )
        dump = subprocess.run(
            [
                *(str(tool("pg_dump")), "--format=plain", "--exclude-schema=facts"),
                *("--host", login.host, "--port", str(login.port), "--username", login.user),
                login.database,
            ],
            env=os.environ | {"PGPASSWORD": login.password},
            capture_output=True,
            check=True,
        ).stdout
        FOLDER.mkdir(parents=True, exist_ok=True)
        target = FOLDER / f"{version}.sql.xz"
        target.write_bytes(lzma.compress(dump, preset=9 | lzma.PRESET_EXTREME))
        print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes")
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    from importlib import import_module

    sys.path.insert(0, str(ROOT))
    main(sys.argv[1] if len(sys.argv) > 1 else import_module("xuezheng").VERSION)

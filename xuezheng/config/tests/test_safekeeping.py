"""Backup and restore, in earnest: another database, the same rows, figures, files and trail."""

import contextlib
import datetime as dt
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from tests.district import make_district, photo
from xuezheng.config import archive, backup, pg_tools
from xuezheng.config.archive import ArchiveRefused, Manifest
from xuezheng.config.backup import make_backup
from xuezheng.config.cli import main
from xuezheng.config.database import connected
from xuezheng.config.doctor import MAX_BACKUP_AGE, checks
from xuezheng.config.postgres import Cluster, ensure_database
from xuezheng.config.restore import restore
from xuezheng.domains.oversight import services
from xuezheng.domains.oversight.models import Hazard
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.ciphers import fingerprints
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.audit.seal import seal_next, verify
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.indicators.jobs import year_of
from xuezheng.kernel.jobs.models import Backup


@contextlib.contextmanager
def silent(_zh: str, _en: str) -> Iterator[None]:
    yield


@pytest.fixture
def lived_in(own_database: str, files_dir: None) -> str:
    """A database with organisations, a hazard with a photo, figures, a sealed trail."""
    district = make_district()
    services.report_hazard(
        organisation_id=district.orgs["S1"].id,
        category="fire",
        place="走廊",
        description="灯不亮",
        immediate_danger=False,
        photos=[photo()],
        key=None,
        by=district.actor("sec1"),
    )
    hazard = Hazard.objects.select_related("case").get()
    services.grade_hazard(
        hazard,
        grade="general",
        category="fire",
        version=hazard.case.version,
        by=district.actor("safety"),
    )
    today = timezone.localdate()
    with connection.cursor() as cursor:
        # A term that has run out, so that the figure has something to count.
        cursor.execute("UPDATE oversight_hazard SET due_on = %s", [today - dt.timedelta(days=1)])
    compute(period=year_of(today), as_of=today)
    assert seal_next() is not None
    record("after.seal", by=JobActor("test"))
    return own_database


@pytest.fixture
def saved(lived_in: str, tmp_path: Path) -> Path:
    return make_backup(tmp_path / "backups", step=silent).folder


@pytest.fixture
def empty(own_database: str) -> Iterator[str]:
    """An empty database of the owner, as a new installation has one."""
    name = f"{own_database}_empty"
    ensure_database(Cluster().ensure_running().superuser(), name)
    yield name
    with psycopg.connect(Cluster().ensure_running().superuser().conninfo(), autocommit=True) as c:
        c.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def databases() -> set[str]:
    """Throwaway databases of this process."""
    with psycopg.connect(Cluster().ensure_running().superuser().conninfo()) as server:
        names = server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s",
            [f"xuezheng_verify_{os.getpid()}_%"],
        )
        return {name for (name,) in names}


def grants_in(name: str) -> list[tuple]:
    """Every right on every table, column default and later table."""
    with psycopg.connect(Cluster().login("owner", name).conninfo()) as server:
        return server.execute(
            "SELECT 'table', relname, acl::text FROM pg_class, unnest(relacl) acl"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')"
            " UNION ALL SELECT 'column', attname, acl::text FROM pg_attribute, unnest(attacl) acl"
            " WHERE attrelid::regclass::text !~ '^pg_|^information'"
            " UNION ALL SELECT 'default', defaclobjtype::text, acl::text"
            " FROM pg_default_acl, unnest(defaclacl) acl"
            " ORDER BY 1, 2, 3"
        ).fetchall()


def tables_of(name: str) -> int:
    with psycopg.connect(Cluster().login("owner", name).conninfo()) as server:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        return server.execute(query).fetchone()[0]


def test_backup_says_what_it_holds_and_no_secret(saved: Path, settings) -> None:
    manifest = Manifest.read(saved)
    assert manifest.keys == fingerprints()
    assert manifest.state["rows"]["oversight_hazard"] == 1
    figure = manifest.state["figures"]["hazard_rectified_in_time"]
    assert figure["values"] == {"S1": [0, 1]}
    assert manifest.state["audit"]["unsealed"] == 1
    stored = StoredFile.objects.get()
    assert (saved / "files" / stored.sha256[:2] / stored.sha256).is_file()
    everything = b"".join(path.read_bytes() for path in saved.rglob("*") if path.is_file())
    for key in settings.IDENTITY_KEYS.values():
        assert key not in everything
        assert key.hex().encode() not in everything
    assert settings.SECRET_KEY.encode() not in everything
    assert [path.name for path in saved.parent.iterdir() if path.is_dir()] == [saved.name]
    assert saved.stat().st_mode & 0o077 == 0


def test_backup_is_recorded_for_doctor_and_trail(saved: Path) -> None:
    assert Backup.objects.get().folder == saved.name
    entry = Entry.objects.get(action="backup.made")
    assert entry.object_id == saved.name
    assert entry.detail["files"] == 1
    well = {what: ok for what, ok, _detail in checks()}
    assert well["备份 / last backup"]
    Backup.objects.update(at=timezone.now() - MAX_BACKUP_AGE - dt.timedelta(minutes=1))
    assert not {what: ok for what, ok, _detail in checks()}["备份 / last backup"]
    Backup.objects.all().delete()
    assert not {what: ok for what, ok, _detail in checks()}["备份 / last backup"]


def test_verify_compares_everything_and_leaves_nothing(saved: Path) -> None:
    result = restore(saved, step=silent, verify=True)
    assert result.problems == []
    assert (result.files, result.seals, result.figures) == (1, 1, 1)
    assert result.tables > 30
    assert result.rows > 100
    assert databases() == set()


def test_restore_gives_back_rows_files_and_trail(
    saved: Path, empty: str, settings, tmp_path: Path
) -> None:
    stored = StoredFile.objects.get()
    settings.FILES_DIR = tmp_path / "elsewhere"
    settings.AUDIT_HEAD_FILE = tmp_path / "elsewhere-heads"
    result = restore(saved, step=silent, verify=False, database=empty)
    assert (result.problems, result.notes) == ([], [])
    assert (settings.FILES_DIR / stored.sha256[:2] / stored.sha256).is_file()
    with connected(Cluster().login("owner", empty).conninfo()):
        assert Hazard.objects.get().place == "走廊"
        assert Entry.objects.get(action="backup.restored").detail["problems"] == 0
        assert seal_next() is not None
        assert verify().problems == []
    # Whoever restores twice by mistake loses nothing.
    with pytest.raises(ArchiveRefused, match="not empty"):
        restore(saved, step=silent, verify=False, database=empty)


def test_restored_roles_are_as_narrow_as_before(saved: Path, empty: str) -> None:
    restore(saved, step=silent, verify=True, database=empty)
    with psycopg.connect(Cluster().login("web", empty).conninfo()) as web:
        assert web.execute("SELECT count(*) FROM oversight_hazard").fetchone()[0] == 1
        assert web.execute("SELECT count(*) FROM facts.hazard").fetchone()[0] == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("DELETE FROM audit_entry")
    assert grants_in(empty) == grants_in(connection.settings_dict["NAME"])


def test_later_heads_are_pointed_out_and_kept(saved: Path, empty: str, settings) -> None:
    """Restoring an older state loses entries that another host has proof of."""
    record("later", by=JobActor("test"))
    seal_next()
    heads = Path(settings.AUDIT_HEAD_FILE).read_text()
    result = restore(saved, step=silent, verify=False, database=empty)
    assert len(result.notes) == 1
    assert "later seals" in result.notes[0]
    assert Path(settings.AUDIT_HEAD_FILE).read_text() == heads


# -- damage
def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("harm", [cut, flip, Path.unlink])
@pytest.mark.parametrize("part", ["database.dump", "manifest.json", "parts.txt", "audit-heads.txt"])
def test_a_damaged_archive_is_refused_before_anything(
    saved: Path, empty: str, settings, tmp_path: Path, part: str, harm
) -> None:
    settings.FILES_DIR = tmp_path / "elsewhere"
    harm(saved / part)
    with pytest.raises(ArchiveRefused):
        restore(saved, step=silent, verify=False, database=empty)
    assert tables_of(empty) == 0
    assert not settings.FILES_DIR.exists()


@pytest.mark.parametrize("harm", [cut, flip, Path.unlink])
def test_a_damaged_file_is_named(saved: Path, empty: str, harm) -> None:
    name = StoredFile.objects.get().sha256
    harm(saved / "files" / name[:2] / name)
    with pytest.raises(ArchiveRefused, match=name):
        restore(saved, step=silent, verify=False, database=empty)
    assert tables_of(empty) == 0


def rewrite(folder: Path, change) -> None:
    """An archive as if it had been made of another state: checksums agree."""
    values = json.loads((folder / archive.MANIFEST).read_text())
    change(values)
    Manifest(**values).write(folder)


def test_every_difference_is_listed(saved: Path) -> None:
    def change(values: dict) -> None:
        values["state"]["rows"]["oversight_hazard"] = 2
        values["state"]["rows"]["no_such_table"] = 5
        values["state"]["figures"]["hazard_rectified_in_time"]["values"]["S1"] = [1, 1]
        values["state"]["audit"]["head"] = "f" * 64

    rewrite(saved, change)
    problems = "\n".join(restore(saved, step=silent, verify=True).problems)
    assert problems.count("\n") == 3
    for words in ("oversight_hazard", "no_such_table", "hazard_rectified_in_time S1", "audit head"):
        assert words in problems


def test_a_figure_defined_anew_is_not_compared(saved: Path) -> None:
    def change(values: dict) -> None:
        values["state"]["figures"]["hazard_rectified_in_time"]["version"] = 0

    rewrite(saved, change)
    result = restore(saved, step=silent, verify=True)
    assert result.problems == []
    assert len(result.notes) == 1


def test_a_missing_key_is_said_before_anything(saved: Path, empty: str, settings) -> None:
    settings.IDENTITY_KEYS = {"v1": b"x" * 64}
    with pytest.raises(ArchiveRefused, match="keys are missing"):
        restore(saved, step=silent, verify=False, database=empty)
    assert tables_of(empty) == 0


def test_an_archive_of_a_newer_program_is_refused(saved: Path, empty: str) -> None:
    rewrite(saved, lambda values: values["state"]["migrations"].append(["audit", "9999_future"]))
    with pytest.raises(ArchiveRefused, match=r"audit\.9999_future"):
        restore(saved, step=silent, verify=False, database=empty)


def test_a_file_that_was_damaged_before_is_said_when_it_is_saved(lived_in: str, tmp_path) -> None:
    from xuezheng.kernel.files.store import path_of

    stored = StoredFile.objects.get()
    flip(path_of(stored.sha256))
    made = make_backup(tmp_path / "backups", step=silent)
    assert made.damaged == [stored.sha256]
    assert restore(made.folder, step=silent, verify=True).problems == [
        f"文件缺失或已损坏 / file missing or altered: {stored.id}"
    ]


# -- no room
def full(*_args: object, **_kwargs: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["copy_hashed", "pg_dump", "state_of", "_sync"])
def test_a_backup_without_room_leaves_nothing(
    lived_in: str, tmp_path: Path, monkeypatch, where: str
) -> None:
    monkeypatch.setattr(backup, where, full)
    with pytest.raises(OSError, match="No space"):
        make_backup(tmp_path / "backups", step=silent)
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [".lock"]
    assert not Backup.objects.exists()


def test_a_restore_without_room_leaves_nothing(
    saved: Path, empty: str, settings, tmp_path: Path, monkeypatch
) -> None:
    settings.FILES_DIR = tmp_path / "elsewhere"
    real = archive.copy_hashed

    def copy(source: Path, target: Path | None) -> tuple[str, int]:
        if target is None:
            return real(source, None)
        target.write_bytes(b"half")
        full()

    monkeypatch.setattr("xuezheng.config.restore.copy_hashed", copy)
    with pytest.raises(OSError, match="No space"):
        restore(saved, step=silent, verify=False, database=empty)
    assert tables_of(empty) == 0
    assert [path for path in settings.FILES_DIR.rglob("*") if path.is_file()] == []


def test_what_pg_restore_cannot_finish_is_undone(saved: Path, empty: str, monkeypatch) -> None:
    """It fails at the last table: the database is as empty as before."""
    real = pg_tools._run

    def fail(name: str, conninfo: str, *arguments: str) -> None:
        with psycopg.connect(Cluster().login("owner", empty).conninfo()) as server:
            server.execute("CREATE DOMAIN public.procrastinate_job_status AS text")
        real(name, conninfo, *arguments)

    monkeypatch.setattr(pg_tools, "_run", fail)
    with pytest.raises(ArchiveRefused, match="pg_restore"):
        restore(saved, step=silent, verify=False, database=empty)
    assert tables_of(empty) == 0


def test_leftovers_of_a_killed_run_go_and_old_archives_too(lived_in: str, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    for name in (
        ".xuezheng-20200101T000000.half",
        "xuezheng-20200101T000000",
        "xuezheng-20210101T000000",
        "mine",
    ):
        (target / name).mkdir(parents=True)
    made = make_backup(target, step=silent, keep=2)
    left = {path.name for path in target.iterdir()}
    assert left == {".lock", "mine", "xuezheng-20210101T000000", made.folder.name}


def test_an_empty_database_is_not_backed_up(empty: str, tmp_path: Path) -> None:
    with (
        connected(Cluster().login("owner", empty).conninfo()),
        pytest.raises(ArchiveRefused, match="is empty"),
    ):
        make_backup(tmp_path, step=silent)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_two_backups_at_once(lived_in: str, tmp_path: Path) -> None:
    with backup._alone(tmp_path), pytest.raises(ArchiveRefused, match="another backup"):
        make_backup(tmp_path, step=silent)


# -- the command line
def test_the_commands_say_it_in_a_line(saved: Path, capsys, monkeypatch, own_database) -> None:
    monkeypatch.setenv("XUEZHENG_ROLE", "owner")
    monkeypatch.setattr(Cluster, "prepare", lambda _self: None)
    assert main(["restore", "--verify", "--from", str(saved)]) == 0
    assert "不符 0 处" in capsys.readouterr().out
    rewrite(saved, lambda values: values["state"]["rows"].update(oversight_hazard=7))
    assert main(["restore", "--verify", "--from", str(saved)]) == 1
    assert "oversight_hazard: 应有 7 行，实有 1 行" in capsys.readouterr().out
    (saved / "database.dump").unlink()
    assert main(["restore", "--from", str(saved)]) == 2
    said = capsys.readouterr().err
    assert "database.dump" in said
    assert "Traceback" not in said
    monkeypatch.setattr("xuezheng.config.backup.pg_dump", full)
    monkeypatch.setenv("XUEZHENG_ROLE", "owner")
    assert main(["backup", "--to", str(saved.parent / "more")]) == 2
    assert "磁盘已满或只读" in capsys.readouterr().err
    shutil.rmtree(saved)
    assert main(["restore", "--from", str(saved)]) == 2

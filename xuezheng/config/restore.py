"""`xuezheng restore`: an archive into an empty database, and the proof that it is what was saved.

With `verify` the database is a throwaway one and the files stay where they are: whoever has never
restored a backup has none.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from xuezheng.config.archive import (
    DUMP,
    HEADS,
    PARTS,
    ArchiveRefused,
    Manifest,
    audit_state,
    copy_hashed,
    figures_of,
    folders,
    rows_of,
)
from xuezheng.config.backup import Step
from xuezheng.config.database import connected, migrate
from xuezheng.config.pg_tools import conninfo_of, pg_restore
from xuezheng.config.postgres import Cluster
from xuezheng.config.postgres_roles import default_privileges, ensure_database
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.ciphers import fingerprints
from xuezheng.kernel.audit.seal import verify as verify_trail
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.indicators.definitions import INDICATORS

ACTOR = JobActor("restore")


@dataclass
class Restored:
    """What was compared; `problems` is empty when everything is as it was saved."""

    tables: int = 0
    rows: int = 0
    files: int = 0
    seals: int = 0
    figures: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def restore(folder: Path, *, step: Step, verify: bool, database: str = "") -> Restored:
    """Restore an archive and compare.  `database` is another one than the configured; it must be empty.

    Raises ArchiveRefused before anything is written: a damaged archive, a missing key, a database
    that holds something, an archive of a newer program.  After a failure in the middle the database
    is as empty as before.  Differences are returned, not raised.
    """
    with step("核对备份", "archive"):
        manifest, parts = check_archive(folder)
    _refuse_unknown(manifest)
    with _database(database, throwaway=verify and not database) as name:
        owner = conninfo_of("owner", name)
        with connected(owner):
            _refuse_filled(name)
            placed = []
            try:
                if not verify:
                    with step("放回文件", "files"):
                        _place_files(folder, parts, placed)
                with step("恢复数据库", "database"):
                    # The dump grants each table's rights one by one, and the defaults at its end.  With
                    # defaults before it, tables that were narrowed would come back wide open.
                    _defaults("REVOKE")
                    pg_restore(owner, folder / DUMP)
            except BaseException:
                _defaults("GRANT")
                for path in placed:
                    path.unlink(missing_ok=True)
                raise
            with step("比对", "compare"):
                result = _compare(folder, manifest, parts, name)
            if not verify:
                _publish_heads(folder, result)
                _note(folder, result)
    return result


def check_archive(folder: Path) -> tuple[Manifest, dict[str, tuple[str, int]]]:
    """The manifest and path -> (SHA-256, size), all of it read and recomputed.

    Raises ArchiveRefused with every damaged or missing part.
    """
    manifest = Manifest.read(folder)
    problems = []
    for name, part in manifest.parts.items():
        problems += _differs(folder / name, name, part["sha256"])
    if problems:
        raise ArchiveRefused("\n".join(problems))
    parts = {}
    for line in (folder / PARTS).read_text(encoding="utf-8").splitlines():
        mark, size, path = line.split(" ", 2)
        parts[path] = (mark, int(size))
        problems += _differs(folder / path, path, mark)
    if problems:
        raise ArchiveRefused("\n".join(problems))
    return manifest, parts


def _differs(path: Path, name: str, mark: str) -> list[str]:
    if not path.is_file():
        return [f"备份缺少 / missing in the archive: {name}"]
    found, _size = copy_hashed(path, None)
    return [] if found == mark else [f"备份已损坏 / damaged in the archive: {name}"]


def _refuse_unknown(manifest: Manifest) -> None:
    present = fingerprints()
    missing = [
        f"{tag} ({mark})" for tag, mark in manifest.keys.items() if mark not in present.values()
    ]
    if missing:
        raise ArchiveRefused(
            "缺少密钥，请先放回 identity_keys / keys are missing, put them back first: "
            + ", ".join(missing)
        )
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    ours = {app for app, _name in known}
    unknown = [
        f"{app}.{name}"
        for app, name in manifest.state["migrations"]
        if app in ours and (app, name) not in known
    ]
    if unknown:
        raise ArchiveRefused(
            f"备份由更新版本的程序 {manifest.program} 制作，请改用新版程序 / "
            f"made by a newer program: {', '.join(unknown[:5])}"
        )


@contextmanager
def _database(given: str, *, throwaway: bool) -> Iterator[str]:
    """The database to restore into: the given, the configured, or one that is dropped afterwards."""
    if not throwaway:
        yield given or connection.settings_dict["NAME"]
        return
    name = f"xuezheng_verify_{os.getpid()}_{int(time.time())}"
    if settings.EMBEDDED:
        superuser = Cluster(settings.DATA_DIR).ensure_running().superuser()
        ensure_database(superuser, name)
        admin = superuser.conninfo()
    else:
        admin = conninfo_of("owner")
        _create(admin, name)
    try:
        yield name
    finally:
        with psycopg.connect(admin, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _create(admin: str, name: str) -> None:
    try:
        with psycopg.connect(admin, autocommit=True) as server:
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            )
    except psycopg.errors.InsufficientPrivilege:
        raise ArchiveRefused(
            "xuezheng_owner 不能建库，请建一个空库并用 --to-database 指定 / "
            "may not create databases: make an empty one and name it with --to-database"
        ) from None


def _defaults(word: str) -> None:
    with connection.cursor() as cursor:
        for statement in default_privileges(word):
            cursor.execute(statement)


def _refuse_filled(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname IN ('public', 'facts') AND relkind IN ('r', 'v', 'p')"
        )
        if cursor.fetchone()[0]:
            raise ArchiveRefused(
                f"数据库 {name} 不是空的，只能恢复到空库 / the database is not empty"
            )


def _place_files(folder: Path, parts: dict[str, tuple[str, int]], placed: list[Path]) -> None:
    """Copy what is missing to where it belongs; `placed` says what was copied, also on failure."""
    roots = folders()
    for name in parts:
        top, _, inside = name.partition("/")
        target = roots[top] / inside
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        placed.append(target)
        copy_hashed(folder / name, target)


def _compare(
    folder: Path, manifest: Manifest, parts: dict[str, tuple[str, int]], name: str
) -> Restored:
    """First what was dumped, as it was; then, brought to this version, trail, files and figures."""
    result = Restored()
    saved = manifest.state
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    found_audit = audit_state()
    if found_audit != saved["audit"]:
        result.problems.append(f"审计链首不符 / audit head differs: {found_audit}")
    _compare_rows(saved["rows"], result)
    migrate()
    trail = verify_trail(folder / HEADS)
    result.seals = trail.seals
    result.problems += trail.problems
    for row in StoredFile.objects.iterator():
        inside = f"files/{row.sha256[:2]}/{row.sha256}"
        result.files += 1
        if parts.get(inside, ("", 0))[0] != row.sha256:
            result.problems.append(f"文件缺失或已损坏 / file missing or altered: {row.id}")
    # As the role that made the saved figures: it sees every row.
    with connected(conninfo_of("backup", name)):
        _compare_figures(saved["figures"], result)
    return result


def _compare_rows(saved: dict[str, int], result: Restored) -> None:
    found = rows_of()
    for table in sorted(set(saved) | set(found)):
        before, after = saved.get(table), found.get(table)
        if before != after:
            result.problems.append(f"{table}: 应有 {before} 行，实有 {after} 行 / rows differ")
    result.tables, result.rows = len(saved), sum(saved.values())


def _compare_figures(saved: dict[str, Any], result: Restored) -> None:
    same = {
        key: figure
        for key, figure in saved.items()
        if key in INDICATORS and INDICATORS[key].version == figure["version"]
    }
    for key in sorted(set(saved) - set(same)):
        result.notes.append(f"指标 {key} 的口径已变，未比对 / defined anew, not compared")
    found = figures_of({key: figure["days"] for key, figure in same.items()})
    for key, figure in same.items():
        before, after = figure["values"], found[key]["values"]
        for code in sorted(set(before) | set(after)):
            if before.get(code) != after.get(code):
                result.problems.append(
                    f"指标 {key} {code}: {before.get(code)} → {after.get(code)} / figure differs"
                )
        result.figures += len(before)


def _publish_heads(folder: Path, result: Restored) -> None:
    """The archive's heads to where heads are kept, unless there are some already: those are proof."""
    target = Path(settings.AUDIT_HEAD_FILE)
    heads = (folder / HEADS).read_text(encoding="ascii")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(heads, encoding="ascii")
    elif lost := set(target.read_text(encoding="ascii").splitlines()) - set(heads.splitlines()):
        result.notes.append(
            f"封存头文件比备份多 {len(lost)} 行：那之后的审计记录不在备份里，请留存该文件并换一个新文件 / "
            "the file of heads knows later seals: keep it as proof and begin a new one"
        )


def _note(folder: Path, result: Restored) -> None:
    with transaction.atomic():
        record(
            "backup.restored",
            by=ACTOR,
            object_type="backup",
            object_id=folder.name,
            detail={"rows": result.rows, "files": result.files, "problems": len(result.problems)},
        )

"""`xuezheng backup`: database, files and the audit trail's heads in one checked folder.

Database and figures are of one moment: the dump uses the snapshot of the transaction that counts.
Files are copied after it; they are on disk before their rows are written and never changed, so none
that the dump speaks of is missing.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from xuezheng import VERSION
from xuezheng.config.archive import (
    DUMP,
    FORMAT,
    HEADS,
    PARTS,
    ArchiveRefused,
    Manifest,
    copy_hashed,
    folders,
    state_of,
)
from xuezheng.config.database import connected
from xuezheng.config.pg_tools import conninfo_of, pg_dump
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.ciphers import fingerprints
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.jobs.models import Backup

ACTOR = JobActor("backup")
NAME = re.compile(r"xuezheng-\d{8}T\d{6}")
_HALF = ".half"
Step = Callable[[str, str], AbstractContextManager[None]]


@dataclass
class Made:
    """A completed archive.  `damaged` are files whose content had lost its hash before."""

    folder: Path
    size: int
    files: int
    manifest: str
    damaged: list[str] = field(default_factory=list)


def make_backup(target: Path, *, step: Step, keep: int = 0) -> Made:
    """Write an archive under `target` and record it; with `keep`, delete all but so many newest.

    Raises ArchiveRefused, OSError.  Until it is whole it lies under another name, and after a failure
    nothing is left of it.
    """
    target.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        for left in target.glob(f".*{_HALF}"):  # of a run that was killed
            shutil.rmtree(left)
        name = f"xuezheng-{timezone.localtime():%Y%m%dT%H%M%S}"
        if (target / name).exists():
            raise ArchiveRefused(f"已有同名备份 / there is one of that name: {target / name}")
        half = target / f".{name}{_HALF}"
        half.mkdir(mode=0o700)
        try:
            made = _fill(half, step)
            _sync_folders(half)
            half.rename(target / name)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        _sync(target)
        made.folder = target / name
        _note(made)
        if keep:
            _forget(target, keep)
    return made


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    descriptor = os.open(target / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ArchiveRefused("另一个备份正在进行 / another backup is running") from None
    finally:
        os.close(descriptor)


def _fill(half: Path, step: Step) -> Made:
    source = conninfo_of("backup")
    with connected(source), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT to_regclass('django_migrations') IS NULL")
        if cursor.fetchone()[0]:
            raise ArchiveRefused("数据库还是空的，没有可备份的 / the database is empty")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        with step("导出数据库", "database"):
            pg_dump(source, half / DUMP, snapshot=snapshot)
        with step("记录状态", "state and figures"):
            state = state_of()
    _write_heads(half / HEADS, state["audit"]["seal"])
    with step("复制文件", "files"):
        lines, damaged, size = _copy_folders(half)
    (half / PARTS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    parts = {}
    for name in (DUMP, HEADS, PARTS):
        mark, length = copy_hashed(half / name, None)
        parts[name] = {"sha256": mark, "size": length}
        size += length
    manifest = Manifest(
        format=FORMAT,
        made=timezone.localtime().isoformat(timespec="seconds"),
        program=VERSION,
        keys=fingerprints(),
        parts=parts,
        state=state,
    )
    return Made(half, size, len(lines), manifest.write(half), damaged)


def _write_heads(target: Path, last: int) -> None:
    """The heads up to the dump's: those sealed since would be missing in it."""
    source = Path(settings.AUDIT_HEAD_FILE)
    lines = source.read_text(encoding="ascii").splitlines() if source.exists() else []
    kept = [line for line in lines if line.split(" ")[0].isdigit() and int(line.split()[0]) <= last]
    target.write_text("".join(f"{line}\n" for line in kept), encoding="ascii")


def _copy_folders(half: Path) -> tuple[list[str], list[str], int]:
    """Copy files and snapshots: (lines of parts.txt, damaged ones, bytes)."""
    lines, damaged, total = [], [], 0
    for name, folder in folders().items():
        for path in sorted(folder.rglob("*")):
            inside = Path(name) / path.relative_to(folder)
            # Half-written uploads and snapshots in the making have names of their own.
            if not path.is_file() or _in_the_making(name, path, folder):
                continue
            (half / inside).parent.mkdir(parents=True, exist_ok=True)
            mark, size = copy_hashed(path, half / inside)
            if name == "files" and mark != path.name:
                damaged.append(path.name)
            lines.append(f"{mark} {size} {inside.as_posix()}")
            total += size
    return lines, damaged, total


def _in_the_making(name: str, path: Path, folder: Path) -> bool:
    if name == "files":
        return not re.fullmatch(r"[0-9a-f]{64}", path.name)
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _sync_folders(half: Path) -> None:
    for path in (half, *half.rglob("*")):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _note(made: Made) -> None:
    with transaction.atomic():
        Backup.objects.create(folder=made.folder.name, size=made.size, manifest=made.manifest)
        record(
            "backup.made",
            by=ACTOR,
            object_type="backup",
            object_id=made.folder.name,
            detail={"bytes": made.size, "files": made.files, "manifest": made.manifest},
        )


def _forget(target: Path, keep: int) -> None:
    """Delete all but the newest archives of this folder; only what bears an archive's name."""
    found = sorted(path for path in target.iterdir() if NAME.fullmatch(path.name))
    for path in found[:-keep]:
        shutil.rmtree(path)

"""What a backup is made of, and what must be the same after a restore.

An archive is a folder:

    manifest.json      what follows, by name, size and SHA-256, and the state of the database
    manifest.sha256    the checksum of the manifest itself
    database.dump      pg_dump, custom format, without the schema `facts` (rebuilt from the program)
    audit-heads.txt    heads of the audit trail up to the dump
    parts.txt          one line for each file below: SHA-256, size, path
    files/ snapshots/  uploaded files under their hash; frozen facts

Keys and passwords are not in it, only the fingerprints of the keys that its sealed columns need.
"""

import datetime as dt
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q

from xuezheng.kernel.audit.models import Entry, Seal
from xuezheng.kernel.indicators.compute import run
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.models import Reading

FORMAT = 1
MANIFEST, CHECKSUM = "manifest.json", "manifest.sha256"
DUMP, HEADS, PARTS = "database.dump", "audit-heads.txt", "parts.txt"
_CHUNK = 1024 * 1024


class ArchiveRefused(Exception):
    """The backup or restore cannot be done; the message (one problem a line) says why."""


@dataclass(frozen=True)
class Manifest:
    """The manifest.  `parts` is file name -> {sha256, size}; `state` see `state_of`."""

    format: int
    made: str
    program: str
    keys: dict[str, str]
    parts: dict[str, dict[str, Any]]
    state: dict[str, Any]

    def write(self, folder: Path) -> str:
        """Write it with its checksum; returns the checksum."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True).encode()
        (folder / MANIFEST).write_bytes(text)
        mark = hashlib.sha256(text).hexdigest()
        (folder / CHECKSUM).write_text(f"{mark}\n", encoding="ascii")
        return mark

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read and check it.  Raises ArchiveRefused."""
        try:
            text = (folder / MANIFEST).read_bytes()
            mark = (folder / CHECKSUM).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ArchiveRefused(f"不是备份 / no backup: {folder} ({error})") from None
        if hashlib.sha256(text).hexdigest() != mark:
            raise ArchiveRefused(f"备份清单已损坏 / the manifest is damaged: {folder}")
        values = json.loads(text)
        if values.get("format") != FORMAT:
            raise ArchiveRefused(
                f"备份格式 {values.get('format')} 不是本程序的 {FORMAT} / the format is not ours"
            )
        return cls(**values)


def folders() -> dict[str, Path]:
    """Folders of the installation that belong to a backup, by their name in the archive."""
    return {
        "files": Path(settings.FILES_DIR),
        "snapshots": Path(settings.SNAPSHOTS_DIR),
    }


def copy_hashed(source: Path, target: Path | None) -> tuple[str, int]:
    """(SHA-256, size) of a file, copied and synced to `target` on the way if one is given."""
    hasher, size = hashlib.sha256(), 0
    with source.open("rb") as reading:
        writing = target.open("wb") if target else None
        try:
            while chunk := reading.read(_CHUNK):
                hasher.update(chunk)
                size += len(chunk)
                if writing:
                    writing.write(chunk)
            if writing:
                writing.flush()
                os.fsync(writing.fileno())
        finally:
            if writing:
                writing.close()
    return hasher.hexdigest(), size


def state_of() -> dict[str, Any]:
    """The state of the connected database, to be the same after a restore.

    Number of rows of each table, migrations, the audit trail's head, and the newest figures of every
    indicator, computed now and not copied: a stored reading may be older than its rows.
    """
    return {
        "migrations": _migrations(),
        "rows": rows_of(),
        "audit": audit_state(),
        "figures": figures_of(_newest_days()),
    }


def _migrations() -> list[list[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        return [list(row) for row in cursor.fetchall()]


def rows_of() -> dict[str, int]:
    """Table -> number of its rows, for every table of the program."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = 'public' AND relkind = 'r' ORDER BY relname"
        )
        names = [name for (name,) in cursor.fetchall()]
        counted = {}
        for name in names:
            cursor.execute(f"SELECT count(*) FROM public.{connection.ops.quote_name(name)}")
            counted[name] = cursor.fetchone()[0]
        return counted


def audit_state() -> dict[str, Any]:
    """Number of seals and entries, and the head of the chain."""
    counts = Entry.objects.aggregate(
        entries=Count("id"), unsealed=Count("id", filter=Q(seal__isnull=True))
    )
    last = Seal.objects.order_by("-id").first()
    return counts | {"seal": last.id if last else 0, "head": last.digest if last else ""}


def _newest_days() -> dict[str, list[str]]:
    """Indicator -> [from, to, as-of] of its newest reading, as ISO days."""
    rows = (
        Reading.objects.filter(indicator__in=list(INDICATORS))
        .order_by("indicator", "-as_of", "-period_from")
        .distinct("indicator")
        .values_list("indicator", "period_from", "period_to", "as_of")
    )
    return {key: [day.isoformat() for day in days] for key, *days in rows}


def figures_of(days: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
    """Indicator -> its version, days, and {organisation code: [numerator, denominator]}.

    Indicators that this program does not know are left out.
    """
    figures = {}
    for key, given in days.items():
        if key not in INDICATORS:
            continue
        first, last, as_of = (dt.date.fromisoformat(day) for day in given)
        values = run(INDICATORS[key], period=(first, last), as_of=as_of)
        figures[key] = {
            "version": INDICATORS[key].version,
            "days": given,
            "values": {code: list(pair) for code, pair in sorted(values.items())},
        }
    return figures

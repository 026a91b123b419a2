"""Sealing entries in batches, and finding what was altered, removed or reordered.

A chain inside each transaction would serialise every commit of the program.  So a job seals
afterwards what has been committed; what is exposed are the seconds before.  The head is also appended to a file that should lie on another host, because whoever owns
the database could rebuild a whole chain, but not that file.
"""

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from xuezheng.kernel.audit.models import Entry, Seal

GENESIS = "0" * 64
BATCH = 5000
SEALING_LOCK = 20_110_001
_HEAD = re.compile(r"\d+ \d+ [0-9a-f]{64}")
COLUMNS = (
    "id",
    "at",
    "transaction",
    "actor",
    "user_id",
    "post_id",
    "organisation_id",
    "action",
    "object_type",
    "object_id",
    "reason",
    "detail",
)


def canonical(values: tuple) -> str:
    """One entry as text that does not depend on time zone, locale or key order."""
    plain = [
        value.astimezone(dt.UTC).isoformat(timespec="microseconds")
        if isinstance(value, dt.datetime)
        else value
        if isinstance(value, str | int | dict | None)
        else str(value)
        for value in values
    ]
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(previous: str, entries: Iterable[tuple]) -> tuple[str, int]:
    """The hash of a batch chained to the previous one, and how many entries it has."""
    hasher = hashlib.sha256(previous.encode())
    count = 0
    for values in entries:
        hasher.update(b"\n" + canonical(values).encode())
        count += 1
    return hasher.hexdigest(), count


@transaction.atomic
def seal_next() -> Seal | None:
    """Seal the next batch of finished entries; None when there is none.

    Runs one at a time (an advisory lock).  Entries commit out of order of their ids; one that
    commits later with a lower id is simply part of a later batch, because a batch is the entries
    that bear its seal, not a range of ids.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALING_LOCK])
    unsealed = Entry.objects.filter(seal__isnull=True)
    ids = list(unsealed.order_by("id").values_list("id", flat=True)[:BATCH])
    if not ids:
        return None
    last = Seal.objects.order_by("-id").first()
    previous = last.digest if last else GENESIS
    value, count = digest(
        previous, Entry.objects.filter(id__in=ids).order_by("id").values_list(*COLUMNS)
    )
    seal = Seal.objects.create(
        count=count, previous=previous, digest=value, sealed_at=timezone.now()
    )
    Entry.objects.filter(id__in=ids).update(seal=seal)
    transaction.on_commit(lambda: publish_head(seal))
    return seal


def publish_head(seal: Seal) -> None:
    """Append the head to the file of heads; the file is only ever appended to."""
    path = Path(settings.AUDIT_HEAD_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"{seal.id} {seal.count} {seal.digest}\n"
    with path.open("ab+") as heads:
        # A disk that filled up may have torn the last line: the next one begins on its own.
        if heads.tell() and os.pread(heads.fileno(), 1, heads.tell() - 1) != b"\n":
            line = f"\n{line}"
        heads.write(line.encode("ascii"))


@dataclass
class Verification:
    """What `verify` found.  `problems` is empty when the trail is whole."""

    seals: int = 0
    entries: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)


def verify(heads: Path | None = None) -> Verification:
    """Recompute every seal and compare with the table and with the file of heads."""
    result = Verification(unsealed=Entry.objects.filter(seal__isnull=True).count())
    previous = GENESIS
    for seal in Seal.objects.order_by("id").iterator():
        rows = Entry.objects.filter(seal=seal).order_by("id").values_list(*COLUMNS)
        value, count = digest(previous, rows.iterator(chunk_size=BATCH))
        if seal.previous != previous:
            result.problems.append(f"封存 {seal.id}：与上一封存不相接 / broken link")
        if count != seal.count:
            result.problems.append(f"封存 {seal.id}：应有 {seal.count} 条，实有 {count} 条 / count")
        if value != seal.digest:
            result.problems.append(f"封存 {seal.id}：内容与封存值不符 / content differs")
        previous = seal.digest
        result.seals += 1
        result.entries += count
    result.problems += _compare_heads(heads or Path(settings.AUDIT_HEAD_FILE))
    return result


def _compare_heads(path: Path) -> list[str]:
    if not path.exists():
        return (
            [] if not Seal.objects.exists() else [f"缺少封存头文件 / no file of heads: {path.name}"]
        )
    stored = {seal.id: f"{seal.id} {seal.count} {seal.digest}" for seal in Seal.objects.all()}
    return [
        f"封存头 {line.split()[0]} 与数据库不符 / head differs"
        for line in path.read_text(encoding="ascii").splitlines()
        # A torn line proves nothing and is no sign of tampering: that would rather take it away.
        if _HEAD.fullmatch(line) and stored.get(int(line.split()[0])) != line
    ]


def statistics() -> dict[str, int | None]:
    """Number of seals and entries, for `doctor`."""
    return Entry.objects.aggregate(
        entries=Count("id"), unsealed=Count("id", filter=Q(seal__isnull=True)), last=Max("seal_id")
    )

"""Rows and files between upload and purge: compressed, sealed, in parts."""

import base64
import datetime as dt
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.db.models import Sum

from xuezheng.kernel.exchange.models import Batch, Part
from xuezheng.kernel.exchange.table import (
    CHANGED,
    ERROR,
    NEW,
    UNCHANGED,
    Kind,
    Problem,
    Row,
    Table,
)

CHUNK = 2_000
OUTCOMES = (NEW, CHANGED, UNCHANGED, ERROR)
LEFT = "left"
_PIECE = 4 * 1024 * 1024


def _squeeze(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 1)).decode()


def _unsqueeze(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def keep_file(batch: Batch, data: bytes) -> None:
    """Keep an upload sealed until a worker has read it."""
    for number, start in enumerate(range(0, len(data), _PIECE)):
        body = _squeeze(data[start : start + _PIECE])
        Part.objects.create(batch=batch, of_file=True, number=number, body=body)


def kept_file(batch: Batch) -> bytes:
    """The upload as it came."""
    parts = batch.parts.filter(of_file=True).order_by("number")
    return b"".join(_unsqueeze(part.body) for part in parts)


def forget_file(batch: Batch) -> None:
    """The upload is not kept longer than it takes to read it."""
    batch.parts.filter(of_file=True).delete()


def chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows in lists of CHUNK."""
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def pack(rows: Sequence[Row], table: Table) -> str:
    """Rows as text.  The values stand in the order of the table's fields."""
    keys = [field.key for field in table.fields]
    plain = [
        [
            row.sheet,
            row.line,
            row.outcome,
            [row.values.get(key) for key in keys],
            row.old,
            [[p.field, p.text, p.advice, p.of_file, p.unmatched] for p in row.problems],
            row.raw if row.outcome == ERROR else [],
            row.left,
        ]
        for row in rows
    ]
    return _squeeze(json.dumps(plain, ensure_ascii=False, default=_plain).encode())


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def unpack(body: str, table: Table) -> list[Row]:
    """The rows of a part."""
    keys = [field.key for field in table.fields]
    days = [field.key for field in table.fields if field.kind == Kind.DATE]
    rows = []
    for sheet, line, outcome, values, old, problems, raw, left in json.loads(_unsqueeze(body)):
        named = {key: value for key, value in zip(keys, values, strict=True) if value is not None}
        for held in (named, old):
            for key in days:
                if held.get(key):
                    held[key] = dt.date.fromisoformat(held[key])
        rows.append(
            Row(
                sheet,
                line,
                named,
                outcome=outcome,
                old=old,
                problems=[Problem(*given) for given in problems],
                raw=raw,
                left=left,
            )
        )
    return rows


def put(batch: Batch, number: int, rows: Sequence[Row]) -> None:
    """Save a part, new or again."""
    counts = Counter(row.outcome for row in rows)
    Part.objects.update_or_create(
        batch=batch,
        of_file=False,
        number=number,
        defaults={
            "body": pack(rows, batch.spec),
            "left": sum(1 for row in rows if row.left),
            **{outcome: counts[outcome] for outcome in OUTCOMES},
        },
    )


def parts(batch: Batch, *, backwards: bool = False) -> Iterator[tuple[int, list[Row]]]:
    """(number, rows) of each part; one part in memory at a time."""
    order = "-number" if backwards else "number"
    numbers = batch.parts.filter(of_file=False).order_by(order)
    for number in list(numbers.values_list("number", flat=True)):
        body = batch.parts.get(of_file=False, number=number).body
        yield number, unpack(body, batch.spec)


def count(batch: Batch) -> None:
    """Bring the batch's counts into step with its parts (not saved)."""
    sums = batch.parts.filter(of_file=False).aggregate(
        **{name: Sum(name, default=0) for name in (*OUTCOMES, LEFT)}
    )
    for name, value in sums.items():
        setattr(batch, name, value)


def _has(row: Row, outcome: str) -> bool:
    return bool(row.left) if outcome == LEFT else row.outcome == outcome


class Rows:
    """The rows of one outcome as a sequence for a pager: slices open only the parts they need."""

    def __init__(self, batch: Batch, outcome: str):
        self._batch = batch
        self._outcome = outcome

    def __len__(self) -> int:
        return getattr(self._batch, self._outcome)

    def count(self) -> int:
        """For the pager."""
        return len(self)

    def __getitem__(self, wanted: slice) -> list[Row]:
        found: list[Row] = []
        passed = 0
        held = self._batch.parts.filter(of_file=False, **{f"{self._outcome}__gt": 0})
        for pk, number in list(held.order_by("number").values_list("pk", self._outcome)):
            if passed >= wanted.stop:
                break
            if passed + number > wanted.start:
                rows = unpack(Part.objects.get(pk=pk).body, self._batch.spec)
                rows = [row for row in rows if _has(row, self._outcome)]
                found += rows[max(wanted.start - passed, 0) : wanted.stop - passed]
            passed += number
        return found

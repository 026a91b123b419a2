"""The dry run: each row of a file is new, changed, unchanged or wrong.  Nothing else is written."""

import uuid
from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from xuezheng.kernel.exchange import staging
from xuezheng.kernel.exchange.models import Batch, State
from xuezheng.kernel.exchange.reading import Book, Unreadable
from xuezheng.kernel.exchange.table import (
    CHANGED,
    ERROR,
    NEW,
    UNCHANGED,
    Existing,
    Row,
    Run,
    Table,
)

Unit = Callable[[], AbstractContextManager[Any]]


class Superseded(Exception):
    """Another worker has begun the same work anew: this one stops and leaves it to that."""


def differences(row: Row, existing: Existing) -> dict[str, Any]:
    """Field key -> stored value, for those fields in which the file says something else."""
    stored = existing.values
    return {
        key: stored.get(key, "")
        for key, value in row.values.items()
        if value != stored.get(key, "")
    }


def _required(rows: Iterable[Row], table: Table) -> None:
    """A new row has all that is required."""
    required = [field for field in table.fields if field.required]
    for row in rows:
        told = {problem.field for problem in row.problems}
        for field in required:
            if not row.values.get(field.key) and field.key not in told:
                row.wrong(field.key, _("必填，没有内容。"), _("补上。"))


def plan_anew() -> None:
    """Until the transaction ends, plan each query for its own list of keys.

    A plan made once for any list would search it from end to end for every row of the table.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_custom_plan")


def compare(rows: list[Row], table: Table, run: Run, *, lock: bool = False) -> dict:
    """Set outcome and `old` of every row; gives what is stored, by key."""
    plan_anew()
    for row in rows:
        row.problems = [problem for problem in row.problems if problem.of_file]
    table.keeper.resolve([row for row in rows if not row.problems], run)
    sound = [row for row in rows if not row.problems]
    stored = table.keeper.lookup(sound, run, lock=lock)
    _required((row for row in sound if row.key not in stored), table)
    for row in rows:
        row.old = {}
        if row.problems:
            row.outcome = ERROR
        elif (existing := stored.get(row.key)) is None:
            row.outcome = NEW
        else:
            row.old = differences(row, existing)
            row.outcome = CHANGED if row.old else UNCHANGED
    return stored


class _Doubles:
    """Two rows of one file that mean the same thing are errors, both of them."""

    def __init__(self) -> None:
        self.first: dict[Hashable, tuple[int, int, str, int]] = {}
        #: Part number -> index of row -> where the later one stands.
        self.earlier: dict[int, dict[int, tuple[str, int]]] = {}

    def look(self, number: int, rows: list[Row]) -> None:
        """Mark the later ones of a part; remember the earlier ones."""
        for index, row in enumerate(rows):
            if not row.key or row.outcome == ERROR:
                continue
            for key in {row.key, *row.links.get("also", ())}:
                before = self.first.setdefault(key, (number, index, row.sheet, row.line))
                if before[:2] != (number, index):
                    _mark(row, before[2], before[3])
                    where = (row.sheet, row.line)
                    self.earlier.setdefault(before[0], {}).setdefault(before[1], where)
                    break

    def mark_earlier(self, batch: Batch) -> None:
        """Open the parts that hold the first ones, and mark these too."""
        for number, rows in staging.parts(batch) if self.earlier else ():
            for index, where in self.earlier.get(number, {}).items():
                _mark(rows[index], *where)
            if number in self.earlier:
                staging.put(batch, number, rows)


def _mark(row: Row, sheet: str, line: int) -> None:
    row.wrong(
        "",
        _("与工作表“%(sheet)s”第 %(line)d 行重复。") % {"sheet": sheet, "line": line},
        _("只留一行。"),
        of_file=True,
    )
    row.outcome, row.old = ERROR, {}


def _count_unmatched(batch: Batch, rows: list[Row]) -> None:
    for row in rows:
        for name in {problem.unmatched for problem in row.problems if problem.unmatched}:
            batch.unmatched[name] = batch.unmatched.get(name, 0) + 1


def _held(batch: Batch, token: uuid.UUID) -> None:
    current = Batch.objects.select_for_update().values_list("token", "state").get(pk=batch.pk)
    if current != (token, State.READING):
        raise Superseded


def stage(batch: Batch, book: Book, run: Run, unit: Unit = nullcontext) -> None:
    """Read and compare all rows, part by part, each inside `unit()`; the batch is READY after.

    Begins anew what another worker left half done.  Raises Unreadable, Superseded.
    """
    token = uuid.uuid4()
    with unit():
        batch.parts.filter(of_file=False).delete()
        batch.token, batch.unmatched, batch.expected = token, {}, book.height
        batch.save(update_fields=["token", "unmatched", "expected"])
    doubles = _Doubles()
    for number, rows in enumerate(staging.chunks(book.rows())):
        with unit():
            _held(batch, token)
            compare(rows, batch.spec, run)
            doubles.look(number, rows)
            for row in rows:
                if row.outcome != ERROR:
                    row.raw = []
            staging.put(batch, number, rows)
            _count_unmatched(batch, rows)
            staging.count(batch)
            batch.save(update_fields=[*staging.OUTCOMES, "unmatched"])
    with unit():
        _held(batch, token)
        doubles.mark_earlier(batch)
        staging.forget_file(batch)
        batch.notices = list(book.notices)
        if book.samples_skipped:
            batch.notices.append(_("模板的示例行没有读取。"))
        _finish(batch)


def restage(batch: Batch, run: Run) -> None:
    """Compare the rows that were read with what is stored now."""
    batch.unmatched = {}
    for number, rows in staging.parts(batch):
        compare(rows, batch.spec, run)
        for row in rows:
            # The cells of a row that was sound are its values.
            row.raw = row.raw or [row.values.get(field.key) for field in batch.spec.fields]
        staging.put(batch, number, rows)
        _count_unmatched(batch, rows)
    _finish(batch)


def _finish(batch: Batch) -> None:
    staging.count(batch)
    batch.state = State.READY
    batch.save()


def refuse(batch: Batch, reason: Unreadable) -> None:
    """The file as a whole is not taken."""
    batch.parts.all().delete()
    batch.state, batch.refusal = State.UNREADABLE, str(reason)[:400]
    batch.save()

"""Writing a compared batch, and taking it back.  The caller has the transaction and the actor's reach."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.exchange import staging
from xuezheng.kernel.exchange.comparing import compare, differences, plan_anew
from xuezheng.kernel.exchange.models import Batch, Mode, State
from xuezheng.kernel.exchange.table import CHANGED, ERROR, NEW, UNCHANGED, Existing, Row, Run


class Overtaken(Exception):
    """In mode ALL: so many rows are no longer as they were when the batch was compared."""

    def __init__(self, count: int):
        super().__init__(count)
        self.count = count


def apply(batch: Batch, run: Run) -> None:
    """Write what is new and changed.  Rows that others changed since become errors.

    Raises Overtaken in mode ALL; the caller rolls back.
    """
    overtaken = 0
    for number, rows in staging.parts(batch):
        waiting = [row for row in rows if row.outcome in (NEW, CHANGED)]
        if not waiting:
            continue
        planned = [(row.outcome, row.old) for row in waiting]
        stored = compare(waiting, batch.spec, run, lock=True)
        touched = False
        for row, (outcome, old) in zip(waiting, planned, strict=True):
            if row.outcome == UNCHANGED or (row.outcome, row.old) == (outcome, old):
                # Somebody else may have written the very same: then there is nothing to do.
                touched |= row.outcome != outcome
                continue
            overtaken += 1
            touched = True
            if row.outcome != ERROR:
                row.wrong("", _("比对之后又被改动。"), _("重新比对，看清再写入。"))
            row.outcome, row.old = ERROR, {}
            row.raw = [row.values.get(field.key) for field in batch.spec.fields]
        batch.spec.keeper.create([row for row in waiting if row.outcome == NEW], run)
        batch.spec.keeper.update(
            [(row, stored[row.key]) for row in waiting if row.outcome == CHANGED], run
        )
        if touched:
            staging.put(batch, number, rows)
    if overtaken and batch.mode == Mode.ALL:
        raise Overtaken(overtaken)
    staging.count(batch)
    batch.state, batch.applied_at = State.APPLIED, timezone.now()
    batch.save()


def take_back(batch: Batch, run: Run) -> None:
    """Remove what the batch made and restore what it changed, unless that was touched since.

    Parts are gone through backwards, as rows may rest on earlier ones.
    """
    run.undoing = True
    plan_anew()
    keeper = batch.spec.keeper
    for number, rows in staging.parts(batch, backwards=True):
        written = [row for row in rows if row.outcome in (NEW, CHANGED)]
        if not written:
            continue
        keeper.resolve(written, run)
        stored = keeper.lookup([row for row in written if not row.problems], run, lock=True)
        for row in written:
            existing = stored.get(row.key)
            if row.problems:
                row.left = row.problems[0].text
            elif existing is None:
                row.left = _("已经不在，或不在你的范围内。")
            elif differences(row, existing) or (row.outcome == NEW and existing.version != 1):
                row.left = _("写入之后又被改动。")
            row.problems = []
        made = [row for row in written if not row.left and row.outcome == NEW]
        keeper.remove([(row, stored[row.key]) for row in made], run)
        _restore(
            [row for row in written if not row.left and row.outcome == CHANGED], stored, run, batch
        )
        staging.put(batch, number, rows)
    staging.count(batch)
    batch.state, batch.undone_at = State.UNDONE, timezone.now()
    batch.save()


def _restore(rows: list[Row], stored: dict[Any, Existing], run: Run, batch: Batch) -> None:
    """Write the old values back, as a file would that says so."""
    backwards = [
        Row(
            row.sheet,
            row.line,
            {**row.values, **row.old},
            old={key: row.values[key] for key in row.old},
        )
        for row in rows
    ]
    batch.spec.keeper.resolve(backwards, run)
    pairs = []
    for row, back in zip(rows, backwards, strict=True):
        if back.problems:
            row.left = back.problems[0].text
        else:
            pairs.append((back, stored[row.key]))
    batch.spec.keeper.update(pairs, run)

"""Long imports, and the purge.  A job knows only the batch; it may die at any point and run again."""

import uuid
from collections.abc import Callable

from django.utils import translation
from procrastinate.contrib.django import app

from xuezheng.kernel.access.actors import JobActor, StaffActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.exchange import comparing, services, staging
from xuezheng.kernel.exchange.models import Batch, State
from xuezheng.kernel.exchange.reading import Book, Unreadable
from xuezheng.kernel.exchange.table import Run
from xuezheng.kernel.reference.schedule import daily


def _under(batch: str, work: Callable[[Batch, StaffActor], None], *states: str) -> None:
    """Run the work under the reach and language of whoever uploaded, unless it is done already."""
    row = Batch.objects.select_related("user").get(pk=uuid.UUID(batch))
    if row.state not in states:
        return
    with translation.override(row.language):
        work(row, StaffActor(row.user))


@app.task(name="exchange.stage")
def stage(batch: str) -> None:
    """Read and compare a long file, part by part, each committed: the page shows how far it is."""

    def work(row: Batch, by: StaffActor) -> None:
        data = staging.kept_file(row)
        try:
            book = Book(data, row.spec, by)
            comparing.stage(row, book, Run(by, row.opening), lambda: fenced(by=by))
        except Unreadable as reason:
            with fenced(by=by):
                comparing.refuse(row, reason)
        except comparing.Superseded:
            return

    _under(batch, work, State.READING)


@app.task(name="exchange.restage")
def restage(batch: str) -> None:
    """Compare a long batch anew, in one transaction."""

    def work(row: Batch, by: StaffActor) -> None:
        with fenced(by=by):
            locked = Batch.objects.select_for_update().get(pk=row.pk)
            if locked.state == State.READING:
                comparing.restage(locked, Run(by, locked.opening))

    _under(batch, work, State.READING)


@app.task(name="exchange.apply")
def apply(batch: str) -> None:
    """Write a confirmed batch in one transaction: killed in the middle, nothing is written."""

    def work(row: Batch, by: StaffActor) -> None:
        with fenced(by=by):
            if Batch.objects.select_for_update().get(pk=row.pk).state == State.CONFIRMED:
                services.write(row, by=by)

    _under(batch, work, State.CONFIRMED)


@app.task(name="exchange.undo")
def undo(batch: str) -> None:
    """Take a batch back in one transaction."""

    def work(row: Batch, by: StaffActor) -> None:
        with fenced(by=by):
            if Batch.objects.select_for_update().get(pk=row.pk).state == State.UNDOING:
                services.take_back(row, by=by)

    _under(batch, work, State.UNDOING)


@app.periodic(cron=daily(3, 41))
@app.task(name="exchange.purge", queueing_lock="exchange.purge")
def purge(timestamp: int) -> None:
    """Forget rows and files whose time is over."""
    with fenced(by=JobActor("exchange.purge")):
        services.purge()

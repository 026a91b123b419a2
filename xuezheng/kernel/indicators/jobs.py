"""Computing readings in the background."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.indicators import library
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.jobs.queue import enqueue, enqueue_once
from xuezheng.kernel.reference.schedule import daily

#: Names of tasks to run after readings were computed; systems add theirs in jobs.py.
AFTER_COMPUTE: list[str] = []


def year_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """The plan year of a day, as a period."""
    return dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)


@app.task(name="indicators.compute", queueing_lock="indicators.compute")
def compute_today() -> None:
    """All indicators for the running year, as of today; then whatever follows from figures."""
    today = timezone.localdate()
    with fenced(by=JobActor("indicators")):
        compute(period=year_of(today), as_of=today)
    for name in AFTER_COMPUTE:
        enqueue(name, only_one=name)


def figures_changed() -> None:
    """Have the figures computed again, once, after the running transaction.

    Queued on commit and not inside: a job that already waits then surely sees what was committed.
    """
    transaction.on_commit(
        lambda: enqueue_once("indicators.compute"),
        robust=True,
    )


@app.task(name=library.JOB, queueing_lock=library.JOB)
def snapshot_now(user_id: int | None = None) -> None:
    """Freeze the facts as they stand; done again, it finds the same snapshot."""
    library.keep_snapshot(by=JobActor("indicators"), user_id=user_id)


@app.periodic(cron=daily(0, 40))
@app.task(name="indicators.nightly", queueing_lock="indicators.nightly")
def nightly(timestamp: int) -> None:
    """Close yesterday's figures and begin today's."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    with fenced(by=JobActor("indicators")):
        compute(period=year_of(yesterday), as_of=yesterday)
    compute_today()

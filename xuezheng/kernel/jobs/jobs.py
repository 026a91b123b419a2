"""The queue's own housekeeping."""

import datetime as dt

from asgiref.sync import sync_to_async
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from xuezheng.kernel.jobs.models import Failure
from xuezheng.kernel.reference.schedule import daily

#: Above the worker's 10 s heartbeat; with 5 s a running job ran twice.
STALL_SECONDS = 30
KEEP_FAILURES = dt.timedelta(days=180)


@app.periodic(cron="* * * * *")
@app.task(name="jobs.rescue", queueing_lock="jobs.rescue", pass_context=True)
async def rescue(context: JobContext, timestamp: int) -> None:
    """Requeue jobs whose worker died; procrastinate does not do so by itself."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALL_SECONDS):
        await manager.retry_job(job)


@app.periodic(cron=daily(3, 17))
@app.task(name="jobs.purge", queueing_lock="jobs.purge", pass_context=True)
async def purge(context: JobContext, timestamp: int) -> None:
    """Delete finished jobs after a week: a long table makes workers slow to start.

    Failed ones stay until somebody decides; why they failed is kept for half a year, as all logs are
    (Cybersecurity Law, art. 21).
    """
    await context.app.job_manager.delete_old_jobs(nb_hours=24 * 7, include_failed=False)
    old = Failure.objects.filter(at__lt=timezone.now() - KEEP_FAILURES)
    await sync_to_async(old.delete)()

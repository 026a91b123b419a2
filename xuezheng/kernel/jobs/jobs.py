"""The queue's own housekeeping."""

from procrastinate import JobContext
from procrastinate.contrib.django import app

#: Above the worker's 10 s heartbeat; with 5 s a running job ran twice.
STALL_SECONDS = 30


@app.periodic(cron="* * * * *")
@app.task(name="jobs.rescue", queueing_lock="jobs.rescue", pass_context=True)
async def rescue(context: JobContext, timestamp: int) -> None:
    """Requeue jobs whose worker died; procrastinate does not do so by itself."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALL_SECONDS):
        await manager.retry_job(job)


@app.periodic(cron="17 3 * * *")
@app.task(name="jobs.purge", queueing_lock="jobs.purge", pass_context=True)
async def purge(context: JobContext, timestamp: int) -> None:
    """Delete finished jobs after a week: a long table makes workers slow to start."""
    await context.app.job_manager.delete_old_jobs(nb_hours=24 * 7, include_failed=False)

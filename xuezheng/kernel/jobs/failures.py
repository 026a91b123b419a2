"""Keeping why a job failed: the queue itself keeps only that it did."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import close_old_connections
from procrastinate import JobContext

from xuezheng.kernel.jobs.models import Failure
from xuezheng.kernel.telemetry.words import error_name, error_place

log = logging.getLogger("xuezheng.jobs")


async def keep_failures(
    call_next: Callable[[], Awaitable[Any]], context: JobContext, _worker: object
) -> Any:
    """Worker middleware of the queue: note the failure of a job, and let it fail."""
    try:
        return await call_next()
    except Exception as error:
        await sync_to_async(note)(context.job, error)
        raise


def note(job: Any, error: Exception) -> None:
    """Keep and log one failed attempt: number, task, class of the error, line; never its message."""
    close_old_connections()  # one that died while this thread had nothing to do
    what, where = error_name(error), error_place(traceback.extract_tb(error.__traceback__))
    log.error("job_failed", extra={"job": job.id, "task": job.task_name, "error": what})
    try:
        Failure.objects.create(
            job=job.id,
            task=job.task_name,
            error=what[:160],
            place=where[:200],
        )
    except DatabaseError:
        # The database may be what failed the job.  The line in the log is all that is left then.
        log.exception("failure_not_kept", extra={"job": job.id})

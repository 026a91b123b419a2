"""The one door to the queue, so that another queue could stand behind it.

Jobs are idempotent: a worker may die in the middle and the job runs again.
"""

from typing import Any

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued


def enqueue(task_name: str, *, only_one: str = "", **arguments: Any) -> None:
    """Queue a task in the running transaction: rolled back with it.

    `only_one` is a name under which at most one job may wait; a second one is dropped.  Such a job is
    best queued on commit: the one that waits may else start before this transaction's data are there.
    """
    task = app.configure_task(task_name, queueing_lock=only_one or None)
    try:
        with (
            transaction.atomic()
        ):  # a savepoint, so that a refusal does not spoil the caller's work
            task.defer(**arguments)
    except AlreadyEnqueued:
        return


def enqueue_once(task_name: str) -> None:
    """Queue a task unless one of its name waits; for after a commit, where the one that waits will do.

    Asking is one statement; letting the queue refuse is four, and a dead row, for each submission of
    a rush.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'",
            [task_name],
        )
        waits = bool(cursor.fetchall())
    if not waits:
        enqueue(task_name, only_one=task_name)

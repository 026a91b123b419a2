"""What the operator sees and does: the queue of jobs, and the figures of /metrics."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob
from procrastinate.exceptions import UniqueViolation
from prometheus_client.core import GaugeMetricFamily

from xuezheng.boards.access import Permission
from xuezheng.boards.context import bureau
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.jobs.models import Backup, Failure

#: The queue's states -> (words, phase of a case that lends its colour; a failure has a tag of its own).
STATES = {
    "todo": (gettext_lazy("等待中"), "waiting"),
    "doing": (gettext_lazy("运行中"), "checking"),
    "succeeded": (gettext_lazy("已完成"), "closed"),
    "failed": (gettext_lazy("失败"), ""),
    "cancelled": (gettext_lazy("已取消"), "draft"),
    "aborted": (gettext_lazy("已中止"), "draft"),
}
#: What the program's own tasks do, for whoever does not read their code.
TASKS = {
    "access.purge": gettext_lazy("清理过期的登录会话和计数"),
    "admissions.drafts": gettext_lazy("清理过期的登记草稿"),
    "admissions.lapse": gettext_lazy("处理逾期未确认的录取"),
    "admissions.registers": gettext_lazy("再次查询没有回应的部门数据"),
    "admissions.tracing": gettext_lazy("结束已登记儿童的核查"),
    "audit.seal": gettext_lazy("封存审计记录"),
    "exchange.apply": gettext_lazy("写入导入的名册"),
    "exchange.purge": gettext_lazy("清理旧的导入内容"),
    "exchange.restage": gettext_lazy("重新比对导入的名册"),
    "exchange.stage": gettext_lazy("读取并比对导入的名册"),
    "exchange.undo": gettext_lazy("撤销导入的名册"),
    "indicators.compute": gettext_lazy("计算指标"),
    "indicators.nightly": gettext_lazy("每夜结转指标"),
    "indicators.snapshot": gettext_lazy("生成数据快照"),
    "jobs.purge": gettext_lazy("清理已完成的任务"),
    "jobs.rescue": gettext_lazy("接续中断的任务"),
    "notices.digest": gettext_lazy("每日消息汇总"),
    "notices.purge": gettext_lazy("清理旧消息"),
    "notices.send": gettext_lazy("外发消息"),
    "registry.duplicates": gettext_lazy("查找疑似重复"),
    "workplan.lights": gettext_lazy("评定亮灯"),
    "workplan.desk": gettext_lazy("每夜提出督办、升级逾期督办、提醒报送和复审"),
    "workplan.nightly": gettext_lazy("每夜评定亮灯"),
    "workplan.scores": gettext_lazy("计算科室季度评分（启用时）"),
}
#: How long back failures of a periodic task are counted.
RECENT = dt.timedelta(days=7)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Periodic:
    """A task that runs by itself: when it last began to its end, failed, and will run again.

    `failures`: attempts that failed within RECENT.  `failed`: jobs that wait for somebody's decision.
    """

    task: str
    label: str
    done_at: dt.datetime | None
    failed_at: dt.datetime | None
    next_at: dt.datetime
    failures: int
    failed: int

    @property
    def troubled(self) -> bool:
        """Whether its last end was a failure, or a failed job waits."""
        last = self.failed_at and (self.done_at is None or self.failed_at > self.done_at)
        return bool(self.failed or last)


def periodic_tasks() -> set[str]:
    """Names of the tasks that run by the clock."""
    return {name for name, _id in app.periodic_registry.periodic_tasks}


def periodic(now: dt.datetime) -> list[Periodic]:
    """A line for each periodic task, the troubled ones first (four queries)."""
    names = periodic_tasks()
    ends = ProcrastinateEvent.objects.filter(job__task_name__in=names, type="succeeded")
    done = dict(ends.values_list("job__task_name").annotate(at=Max("at")).order_by())
    failures = Failure.objects.filter(task__in=names)
    failed = dict(failures.values_list("task").annotate(at=Max("at")).order_by())
    recent = failures.filter(at__gte=now - RECENT)
    counts = dict(recent.values_list("task").annotate(n=Count("id")).order_by())
    left = ProcrastinateJob.objects.filter(task_name__in=names, status="failed")
    waiting = dict(left.values_list("task_name").annotate(n=Count("id")).order_by())
    following = defaultdict(list)
    for (name, _id), task in app.periodic_registry.periodic_tasks.items():
        moment = task.croniter.get_next(ret_type=float, start_time=now.timestamp())
        following[name].append(dt.datetime.fromtimestamp(moment, dt.UTC))
    lines = [
        Periodic(
            task=name,
            label=task_label(name),
            done_at=done.get(name),
            failed_at=failed.get(name),
            next_at=min(following[name]),
            failures=counts.get(name, 0),
            failed=waiting.get(name, 0),
        )
        for name in names
    ]
    return sorted(lines, key=lambda line: (not line.troubled, -line.failures, line.task))


def single(rows: QuerySet) -> QuerySet:
    """Jobs that somebody or something asked for, and failed ones of any kind, which come first."""
    rows = rows.exclude(~Q(status="failed"), task_name__in=periodic_tasks())
    urgent = Case(When(status="failed", then=Value(0)), default=Value(1))
    return rows.order_by(urgent, "-id")


def jobs() -> QuerySet[ProcrastinateJob]:
    """All jobs, newest first, each with when it last changed and why it last failed.

    Jobs belong to no organisation: whoever may see the queue sees all of it.
    """
    failures = Failure.objects.filter(job=OuterRef("id")).order_by("-id")
    events = ProcrastinateEvent.objects.filter(job=OuterRef("id")).order_by("-id")
    starts = events.filter(type="started").order_by().values("job").annotate(n=Count("id"))
    return ProcrastinateJob.objects.annotate(
        changed_at=Subquery(events.values("at")[:1]),
        starts=Coalesce(Subquery(starts.values("n")), 0),
        failed_at=Subquery(failures.values("at")[:1]),
        error=Subquery(failures.values("error")[:1]),
        place=Subquery(failures.values("place")[:1]),
    ).order_by("-id")


def finished_since(rows: QuerySet, since: dt.datetime) -> QuerySet:
    """Jobs that succeeded at or after a moment."""
    done = ProcrastinateEvent.objects.filter(job=OuterRef("id"), type="succeeded", at__gte=since)
    return rows.filter(Exists(done), status="succeeded")


def retried(rows: QuerySet) -> QuerySet:
    """Jobs that were begun more than once, or will be."""
    return rows.filter(Q(attempts__gt=1) | Q(attempts=1, status__in=["todo", "doing"]))


def task_label(name: str) -> str:
    """What a task does, in words; its name where nobody has written any."""
    return str(TASKS.get(name, name))


def safe_arguments(arguments: dict[str, Any]) -> str:
    """Arguments of a job that can only be a number, a day or a key; others are left out.

    A text might be somebody's name, a long number somebody's: numbers of up to nine digits are keys.
    """
    shown = [
        f"{name}={value}"
        for name, value in sorted(arguments.items())
        if isinstance(value, bool)
        or (isinstance(value, int) and abs(value) < 10**9)
        or (isinstance(value, str) and (_DAY.fullmatch(value) or _UUID.fullmatch(value)))
    ]
    return ", ".join(shown)


def retry_job(job_id: int, *, by: Actor) -> None:
    """Queue a failed job again, now.

    Raises StepRefused when it is not (or no longer) a failed one, or when the same work waits already.
    """
    job = _locked(job_id, by)
    if job.status != "failed":
        raise StepRefused(_("任务已不是失败状态，没有再次执行。"))
    try:
        with transaction.atomic():
            app.job_manager.retry_job_by_id(job_id=job.id, retry_at=timezone.now())
    except UniqueViolation as error:
        raise StepRefused(_("同一任务已在等待，不必再次执行。")) from error
    _note("job.retry", job, by)


def cancel_job(job_id: int, *, by: Actor) -> None:
    """Take a waiting job off the queue.  Raises StepRefused when it does not wait any more."""
    job = _locked(job_id, by)
    if not app.job_manager.cancel_job_by_id(job.id):
        raise StepRefused(_("任务已开始或已结束，没有取消。"))
    _note("job.cancel", job, by)


def _locked(job_id: int, by: Actor) -> ProcrastinateJob:
    """The job, until the transaction ends.  Raises PermissionDenied, ProcrastinateJob.DoesNotExist."""
    if not by.can(Permission.JOBS):
        raise PermissionDenied(str(Permission.JOBS))
    return ProcrastinateJob.objects.select_for_update().get(id=job_id)


def _note(action: str, job: ProcrastinateJob, by: Actor) -> None:
    top = bureau()
    record(
        action,
        by=by,
        post=by.post_for(Permission.JOBS, top.id) if top else None,
        organisation_id=top.id if top else None,
        object_type="job",
        object_id=job.id,
        detail={"task": job.task_name, "attempts": job.attempts},
    )


def queue_lag(now: dt.datetime) -> float:
    """Seconds that the longest-waiting job has been due; 0 when none waits.

    Never negative: a clock that was set back makes no queue run ahead.
    """
    began = (
        ProcrastinateEvent.objects.filter(job=OuterRef("id"), type="deferred")
        .order_by("id")
        .values("at")[:1]
    )
    due = (
        ProcrastinateJob.objects.filter(status="todo")
        .annotate(due=Coalesce(F("scheduled_at"), Subquery(began), output_field=DateTimeField()))
        .filter(due__lte=now)
        .order_by("due")
        .values_list("due", flat=True)
        .first()
    )
    return max(0.0, (now - due).total_seconds()) if due else 0.0


def seal_lag(now: dt.datetime) -> float:
    """Seconds since the oldest entry of the trail that is not sealed; 0 when all are."""
    oldest = Entry.objects.filter(seal__isnull=True).order_by("id").values_list("at", flat=True)
    first = oldest.first()
    return max(0.0, (now - first).total_seconds()) if first else 0.0


def backup_age(now: dt.datetime) -> float | None:
    """Seconds since the last backup was completed; None before the first."""
    last = Backup.objects.order_by("-at").values_list("at", flat=True).first()
    return max(0.0, (now - last).total_seconds()) if last else None


def jobs_by_state() -> dict[str, int]:
    """State -> number of jobs, also of states that none is in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")
        return dict.fromkeys(STATES, 0) | dict(cursor.fetchall())


def database_size() -> tuple[int, int, int]:
    """(bytes of this database, open connections to it, connections that the server allows)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),"
            " current_setting('max_connections')::int"
        )
        return cursor.fetchone()


class Measured:
    """Gauges that are read from the database when somebody asks: the same from every process."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each gauge of /metrics; times in seconds, sizes in bytes."""
        now = timezone.now()
        yield _gauge("queue_lag_seconds", "How long the longest-waiting job is due", queue_lag(now))
        jobs_gauge = GaugeMetricFamily("xuezheng_jobs", "Jobs by state", labels=["state"])
        for state, count in jobs_by_state().items():
            jobs_gauge.add_metric([state], count)
        yield jobs_gauge
        yield _gauge("seal_lag_seconds", "Age of the oldest unsealed audit entry", seal_lag(now))
        age = backup_age(now)
        if age is not None:
            yield _gauge("backup_age_seconds", "Time since the last completed backup", age)
        size, open_connections, allowed = database_size()
        yield _gauge("database_bytes", "Size of the database", size)
        yield _gauge("database_connections", "Open connections to it", open_connections)
        yield _gauge("database_connections_allowed", "Connections the server allows", allowed)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"xuezheng_{name}", words, value=value)

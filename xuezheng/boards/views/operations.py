"""Pages of the operator: the queue of jobs; and /metrics for the machine that watches this one."""

import hmac
import os

import django_filters as filters
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from xuezheng.boards import operations
from xuezheng.boards.access import Permission
from xuezheng.kernel.access.guards import public, requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.lists import export_url, list_context, narrowed_by

#: Every run, also those of periodic tasks, which the page else tells in one line each.
ALL = "all"
STATE_CHOICES = [
    (ALL, gettext_lazy("每一次运行")),
    *((state, label) for state, (label, _phase) in operations.STATES.items()),
    ("retried", gettext_lazy("重试过")),
    ("today", gettext_lazy("今日完成")),
]


class JobFilter(filters.FilterSet):
    """By state and task."""

    state = filters.ChoiceFilter(
        label=gettext_lazy("状态"), choices=STATE_CHOICES, method="by_state"
    )
    task = filters.ChoiceFilter(label=gettext_lazy("任务"), field_name="task_name")

    class Meta:
        model = ProcrastinateJob
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["task"].extra["choices"] = [
            (name, operations.task_label(name)) for name in sorted(app.tasks)
        ]

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Without state and task: what somebody may have to look at."""
        rows = super().filter_queryset(queryset)
        asked = self.form.cleaned_data.get("state") or self.form.cleaned_data.get("task")
        return rows if asked else operations.single(rows)

    def by_state(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        if value == ALL:
            return rows
        if value == "today":
            midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
            return operations.finished_since(rows, midnight)
        if value == "retried":
            return operations.retried(rows)
        return rows.filter(status=value)


@require_GET
@requires(Permission.JOBS)
def job_list(request: HttpRequest) -> HttpResponse:
    """The queue: periodic tasks in one line each; other jobs, the failed first, and why they did."""
    filterset = JobFilter(request.GET, queryset=operations.jobs(), request=request)
    if request.GET.get("export"):
        return _export(request, filterset)
    context = list_context(request, filterset, title=_("后台任务"))
    for job in context["page"]:
        job.label = operations.task_label(job.task_name)
        job.state_label, job.phase = operations.STATES[job.status]
        job.shown_args = operations.safe_arguments(job.args)
    counts = operations.jobs_by_state()
    now = timezone.now()
    age = operations.backup_age(now)
    context |= {
        "chips": [
            ("", _("失败的和一次性的")),
            ("todo", _("等待中"), counts["todo"]),
            ("doing", _("运行中"), counts["doing"]),
            ("failed", _("失败"), counts["failed"]),
            ("retried", _("重试过")),
            ("today", _("今日完成")),
            (ALL, _("每一次运行")),
        ],
        "periodic": operations.periodic(now),
        "queue_lag": round(operations.queue_lag(now)),
        "seal_lag": round(operations.seal_lag(now)),
        "backup_hours": None if age is None else round(age / 3600),
        "export_url": export_url(request),
    }
    return render(request, "boards/operations_jobs.html", context)


def _export(request: HttpRequest, filterset: JobFilter) -> HttpResponse:
    columns = [
        Column(_("编号"), 10),
        Column(_("任务"), 24),
        Column(_("状态"), 10),
        Column(_("参数"), 24),
        Column(_("执行次数"), 10),
        Column(_("最近变动"), 18),
        Column(_("错误"), 40),
        Column(_("出错处"), 50),
    ]
    rows = (
        (
            job.id,
            operations.task_label(job.task_name),
            str(operations.STATES[job.status][0]),
            operations.safe_arguments(job.args),
            job.starts,
            f"{timezone.localtime(job.changed_at):%Y-%m-%d %H:%M}" if job.changed_at else "",
            job.error or "",
            job.place or "",
        )
        for job in filterset.qs
    )
    record_read(request, "job.export", object_type="job", detail=narrowed_by(filterset))
    return list_response(request, _("后台任务"), columns, rows)


@require_POST
@requires(Permission.JOBS)
def job_retry(request: HttpRequest, job_id: int) -> HttpResponse:
    """Run a failed job again."""
    return _act(request, operations.retry_job, job_id, _("任务已重新排队。"))


@require_POST
@requires(Permission.JOBS)
def job_cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Take a waiting job off the queue."""
    return _act(request, operations.cancel_job, job_id, _("任务已取消。"))


def _act(request: HttpRequest, act, job_id: int, done: str) -> HttpResponse:
    try:
        act(job_id, by=request.actor)
    except ProcrastinateJob.DoesNotExist:
        raise Http404 from None
    except StepRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return redirect("job_list")


@require_GET
@public
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for whoever shows the token; 404 where none is configured, else 401."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    counted = REGISTRY
    # Several web processes write their counters into one folder; each can tell the sum of all.
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    measured = CollectorRegistry()
    measured.register(operations.Measured())
    return HttpResponse(
        generate_latest(counted) + generate_latest(measured), content_type=CONTENT_TYPE_LATEST
    )

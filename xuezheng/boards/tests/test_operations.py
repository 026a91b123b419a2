"""The operator's page and /metrics, on a real queue."""

import asyncio
import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import ProgrammingError, connection, connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.district import District
from xuezheng.boards import operations
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.jobs.models import Backup, Failure

SECRET = "13800001111 张三"


def put(status: str = "todo", task: str = "audit.seal", **arguments) -> int:
    """A job in a state, as the queue leaves it."""
    job_id = app.configure_task(task, queueing_lock=arguments.pop("only_one", None)).defer(
        **arguments
    )
    with connection.cursor() as cursor:
        if status != "todo":
            for state in ("doing", status) if status != "doing" else ("doing",):
                cursor.execute(
                    "UPDATE procrastinate_jobs SET status = %s::procrastinate_job_status,"
                    " attempts = attempts + (%s <> 'doing')::int WHERE id = %s",
                    [state, state, job_id],
                )
    return job_id


def status(job_id: int) -> str:
    return ProcrastinateJob.objects.get(id=job_id).status


@pytest.fixture
def operator(district: District) -> Client:
    client = Client()
    client.force_login(district.users["operator"])
    return client


def test_a_failed_job_is_queued_again_and_audited(district: District) -> None:
    job_id = put("failed")
    operations.retry_job(job_id, by=district.actor("operator"))
    assert status(job_id) == "todo"
    entry = Entry.objects.get(action="job.retry")
    assert (entry.object_id, entry.user.username) == (str(job_id), "operator")
    assert entry.post.role == "operator"
    assert entry.detail == {"task": "audit.seal", "attempts": 1}
    with pytest.raises(StepRefused):
        operations.retry_job(job_id, by=district.actor("operator"))


def test_work_that_waits_already_is_not_queued_twice(district: District) -> None:
    failed = put("failed", only_one="audit.seal")
    waiting = put(only_one="audit.seal")
    with pytest.raises(StepRefused):
        operations.retry_job(failed, by=district.actor("operator"))
    assert (status(failed), status(waiting)) == ("failed", "todo")
    assert not Entry.objects.filter(action="job.retry").exists()


def test_only_a_waiting_job_is_cancelled(district: District) -> None:
    running, waiting = put("doing"), put()
    operations.cancel_job(waiting, by=district.actor("operator"))
    assert status(waiting) == "cancelled"
    with pytest.raises(StepRefused):
        operations.cancel_job(running, by=district.actor("operator"))
    assert status(running) == "doing"
    assert Entry.objects.filter(action="job.cancel").count() == 1


@pytest.mark.parametrize("who", ["director", "auditor", "security", "sec1"])
def test_others_cannot_touch_the_queue(district: District, who: str) -> None:
    job_id = put("failed")
    for act in (operations.retry_job, operations.cancel_job):
        with pytest.raises(PermissionDenied):
            act(job_id, by=district.actor(who))
    assert status(job_id) == "failed"


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"plan_id": 12, "as_of": "2026-06-30"}, "as_of=2026-06-30, plan_id=12"),
        ({"name": "张三"}, ""),
        ({"name": "zhangsan"}, ""),
        ({"phone": 13800001111}, ""),
        ({"n": 999_999_999, "m": 1_000_000_000}, "n=999999999"),
        ({"key": "2f1e0d6c-0000-4000-8000-0123456789ab"}, None),
        ({"id_number": "999999201203040011"}, ""),
        ({"rows": ["张三"], "more": {"a": 1}, "none": None}, ""),
        ({"all": True}, "all=True"),
    ],
)
def test_arguments_that_could_be_somebodys_are_not_shown(arguments, shown) -> None:
    expected = f"key={arguments['key']}" if shown is None else shown
    assert operations.safe_arguments(arguments) == expected


def test_page_filters_and_hides(district: District, operator: Client) -> None:
    failed = put("failed", name=SECRET, plan_id=7)
    Failure.objects.create(
        job=failed, task="audit.seal", error="builtins.ValueError", place="xuezheng/a.py:1 b"
    )
    put("succeeded", task="workplan.lights")
    page = operator.get(reverse("job_list")).content.decode()
    assert "builtins.ValueError" in page
    assert "plan_id=7" in page
    assert not re.search("1380000|张三", page)
    for chosen, rows in [
        ("failed", 1),
        ("todo", 0),
        ("succeeded", 1),
        ("today", 1),
        ("retried", 0),
    ]:
        assert (
            operator.get(reverse("job_list"), {"state": chosen}).context["page"].paginator.count
            == rows
        )
    answer = operator.get(reverse("job_list"), {"task": "workplan.lights"})
    assert [job.task_name for job in answer.context["page"]] == ["workplan.lights"]
    assert (
        "没有符合条件的记录"
        in operator.get(reverse("job_list"), {"state": "doing"}).content.decode()
    )
    workbook = operator.get(reverse("job_list"), {"export": "xlsx", "state": "failed"})
    assert workbook.content[:2] == b"PK"
    assert Entry.objects.get(action="job.export").detail == {"state": "failed"}


def test_periodic_jobs_take_one_line_each_and_failures_come_first(
    district: District, operator: Client
) -> None:
    for _ in range(3):
        put("succeeded")
    put("succeeded", task="jobs.rescue")
    waiting = put(task="workplan.lights")
    failed = put("failed", task="registry.duplicates")
    Failure.objects.create(job=failed, task="registry.duplicates", error="x")
    old = timezone.now() - operations.RECENT - dt.timedelta(minutes=1)
    Failure.objects.create(job=1, task="jobs.purge", error="x", at=old)
    newest = put(task="exchange.stage")

    def shown(**chosen: str) -> list[int]:
        return [job.id for job in operator.get(reverse("job_list"), chosen).context["page"]]

    assert shown() == [failed, newest, waiting]
    assert len(shown(state="all")) == 7
    assert len(shown(task="audit.seal")) == 3
    lines = operator.get(reverse("job_list")).context["periodic"]
    assert {line.task for line in lines} == operations.periodic_tasks()
    assert not [line.task for line in lines if line.label == line.task], "each has words"
    assert [line.task for line in lines if line.troubled] == ["registry.duplicates", "jobs.purge"]
    by_task = {line.task: line for line in lines}
    assert (by_task["registry.duplicates"].failed, by_task["registry.duplicates"].failures) == (
        1,
        1,
    )
    assert by_task["jobs.purge"].failures == 0, "longer ago than a week"
    now = timezone.now()
    sealed = by_task["audit.seal"]
    assert sealed.done_at <= now < sealed.next_at + dt.timedelta(seconds=5)
    assert sealed.next_at - now <= dt.timedelta(minutes=1)
    assert by_task["access.purge"].done_at is None


def test_a_success_after_a_failure_is_no_trouble(district: District) -> None:
    now = timezone.now()
    Failure.objects.create(job=1, task="audit.seal", error="x", at=now - dt.timedelta(hours=1))
    put("succeeded")
    line = next(row for row in operations.periodic(now) if row.task == "audit.seal")
    assert (line.troubled, line.failures) == (False, 1)


def test_queries_do_not_grow_with_the_queue(
    operator: Client, django_assert_max_num_queries
) -> None:
    put("failed")
    with django_assert_max_num_queries(40) as few:
        operator.get(reverse("job_list"), {"per_page": 100})
    for _ in range(60):
        put("failed")
    with django_assert_max_num_queries(len(few)):
        operator.get(reverse("job_list"), {"per_page": 100})


def test_buttons_tell_what_happened(operator: Client) -> None:
    job_id = put("failed")
    answer = operator.post(reverse("job_retry", args=[job_id]), follow=True)
    assert "任务已重新排队" in answer.content.decode()
    answer = operator.post(reverse("job_retry", args=[job_id]), follow=True)
    assert "没有再次执行" in answer.content.decode()
    answer = operator.post(reverse("job_cancel", args=[job_id]), follow=True)
    assert "任务已取消" in answer.content.decode()
    assert operator.post(reverse("job_cancel", args=[10**9])).status_code == 404


def test_why_a_job_failed_is_kept_without_its_message(own_database, monkeypatch) -> None:
    """A worker in earnest: its job dies of an error that quotes somebody."""

    # A queue of its own, so that the program's periodic jobs do not run here as well.
    @app.task(name="tests.failing", queue="tests")
    def failing(name: str) -> None:
        raise ValueError(f"cannot greet {name}")

    try:
        failing.defer(name=SECRET)
        connector = app.connector.get_worker_connector()
        with app.with_connector(connector).replace_connector(connector) as working:

            async def work() -> None:
                async with working.open_async():
                    await working.run_worker_async(
                        queues=["tests"],
                        wait=False,
                        install_signal_handlers=False,
                        listen_notify=False,
                    )
                # The worker's thread ends here, as it does not in a worker.
                await sync_to_async(connections.close_all)()

            asyncio.run(work())
    finally:
        del app.tasks["tests.failing"]
    failure = Failure.objects.get()
    assert failure.error == "builtins.ValueError"
    assert failure.place.startswith("xuezheng/boards/tests/test_operations.py:")
    assert ProcrastinateJob.objects.get(id=failure.job).status == "failed"


# -- /metrics
@pytest.fixture
def token(settings) -> dict[str, str]:
    settings.METRICS_TOKEN = "a-long-token"
    return {"Authorization": "Bearer a-long-token"}


def values(text: str) -> dict[str, float]:
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line and not line.startswith("#")
    }


def test_metrics_do_not_exist_without_a_token(db, settings) -> None:
    settings.METRICS_TOKEN = ""
    for given in ("", "Bearer ", "Bearer None"):
        assert Client().get("/metrics", headers={"Authorization": given}).status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer a-long-toke", "Basic a-long-token", "密"])
def test_metrics_ask_for_the_token(db, token, given: str) -> None:
    answer = Client().get("/metrics", headers={"Authorization": given})
    assert (answer.status_code, answer.content) == (401, b"")


def test_metrics_tell_queue_seal_and_backup(district: District, token) -> None:
    put("failed")
    late = put()
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = %s WHERE id = %s",
            [now - dt.timedelta(seconds=90), late],
        )
    Backup.objects.create(folder="x", size=1, manifest="", at=now - dt.timedelta(hours=3))
    Entry.objects.create(action="x", actor="job", at=now - dt.timedelta(seconds=50))
    answer = Client().get("/metrics", headers=token)
    assert answer.status_code == 200
    told = values(answer.content.decode())
    assert 90 <= told["xuezheng_queue_lag_seconds"] < 120
    assert 50 <= told["xuezheng_seal_lag_seconds"] < 80
    assert 10_800 <= told["xuezheng_backup_age_seconds"] < 10_900
    assert told['xuezheng_jobs{state="failed"}'] == 1
    assert told['xuezheng_jobs{state="doing"}'] == 0
    assert told["xuezheng_database_bytes"] > 1_000_000
    assert (
        told["xuezheng_database_connections_allowed"] >= told["xuezheng_database_connections"] > 0
    )
    assert told["xuezheng_slow_queries_total"] >= 0
    before = told.get('xuezheng_requests_total{method="GET",status="200"}', 0)
    told = values(Client().get("/metrics", headers=token).content.decode())
    assert told['xuezheng_requests_total{method="GET",status="200"}'] == before + 1
    assert told['xuezheng_request_seconds_bucket{le="+Inf",method="GET"}'] >= 1


def test_a_clock_set_back_gives_no_negative_age(district: District) -> None:
    put()
    Backup.objects.create(folder="x", size=1, manifest="")
    Entry.objects.create(action="x", actor="job")
    yesterday = timezone.now() - dt.timedelta(days=1)
    assert operations.queue_lag(yesterday) == 0
    assert operations.seal_lag(yesterday) == 0
    assert operations.backup_age(yesterday) == 0


def test_pages_cannot_forge_failures_or_backups(db) -> None:
    for table in ("jobs_failure", "jobs_backup"):
        for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET at = now()"):
            refused = pytest.raises(ProgrammingError, match="permission denied")
            with refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL ROLE xuezheng_web")
                cursor.execute(sql)


def test_web_processes_add_up_their_counters(tmp_path: Path) -> None:
    """Two processes count, and each of them could tell the sum."""
    script = (
        "import sys; from xuezheng.kernel.telemetry.requests import REQUESTS;"
        "REQUESTS.labels('GET', 200).inc(int(sys.argv[1]));"
        "from prometheus_client import CollectorRegistry, generate_latest;"
        "from prometheus_client.multiprocess import MultiProcessCollector;"
        "r = CollectorRegistry(); MultiProcessCollector(r); print(generate_latest(r).decode())"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script, count],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            cwd=Path(__file__).resolve().parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for count in ("3", "4")
    ]
    assert values(told[1])['xuezheng_requests_total{method="GET",status="200"}'] == 7

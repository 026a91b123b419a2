"""Nights are nights here, not in Greenwich."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from procrastinate.contrib.django import app

from xuezheng.kernel.reference.schedule import daily


@pytest.mark.parametrize(
    ("hour", "minute", "line"),
    [
        (0, 40, "40 16 * * *"),
        (7, 59, "59 23 * * *"),
        (8, 0, "0 0 * * *"),
        (23, 59, "59 15 * * *"),
    ],
)
def test_local_time_becomes_a_line_in_utc(hour: int, minute: int, line: str) -> None:
    assert daily(hour, minute) == line


def test_daily_jobs_run_before_anybody_is_at_work() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    start = dt.datetime(2026, 3, 2, 12, tzinfo=shanghai).timestamp()
    times = {}
    for (name, _id), task in app.periodic_registry.periodic_tasks.items():
        if task.cron.split()[1].isdigit():
            moment = task.croniter.get_next(ret_type=float, start_time=start)
            times[name] = dt.datetime.fromtimestamp(moment, shanghai)
    assert times["indicators.nightly"] == dt.datetime(2026, 3, 3, 0, 40, tzinfo=shanghai)
    assert all(moment.hour < 6 for moment in times.values()), times

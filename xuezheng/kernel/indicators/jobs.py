"""Computing readings in the background."""

import datetime as dt

from django.utils import timezone
from procrastinate.contrib.django import app

from xuezheng.kernel.indicators.compute import compute


def year_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """The plan year of a day, as a period."""
    return dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)


@app.task(name="indicators.compute", queueing_lock="indicators.compute")
def compute_today() -> None:
    """All indicators for the running year, as of today."""
    today = timezone.localdate()
    compute(period=year_of(today), as_of=today)


@app.periodic(cron="40 0 * * *")
@app.task(name="indicators.nightly", queueing_lock="indicators.nightly")
def nightly(timestamp: int) -> None:
    """Close yesterday's figures and begin today's."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    compute(period=year_of(yesterday), as_of=yesterday)
    compute_today()

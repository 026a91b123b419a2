"""When daily jobs run: people say it in local time, the queue reads UTC."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings


def daily(hour: int, minute: int) -> str:
    """The crontab line, in UTC, of every day at a local time.

    The zone must keep its distance from UTC, as Asia/Shanghai has since 1992.
    """
    offset = dt.datetime(2000, 1, 1, tzinfo=ZoneInfo(settings.TIME_ZONE)).utcoffset()
    at = (hour * 60 + minute - int(offset.total_seconds()) // 60) % (24 * 60)
    return f"{at % 60} {at // 60} * * *"

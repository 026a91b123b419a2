"""Working days: pure counting, and the table that feeds it.

Source of the days: the State Council's yearly holiday notice, as kept by the `chinesecalendar`
library; a year that the library does not know is Monday to Friday less the fixed solar holidays and
marked provisional, until the notice is out and `xuezheng migrate` runs with a newer library.
"""

import datetime as dt
from collections.abc import Mapping

import chinese_calendar

from xuezheng.kernel.reference.models import CalendarDay

#: 全国年节及纪念日放假办法: the holidays with a fixed solar date (month, day), for provisional years.
FIXED_HOLIDAYS = {(1, 1): "元旦", (5, 1): "劳动节", (5, 2): "劳动节"} | {
    (10, day): "国庆节" for day in (1, 2, 3)
}


def is_working_day(day: dt.date, exceptions: Mapping[dt.date, bool]) -> bool:
    """Whether `day` counts: the exception if there is one, else Monday to Friday."""
    return exceptions.get(day, day.weekday() < 5)


def add_working_days(start: dt.date, days: int, exceptions: Mapping[dt.date, bool]) -> dt.date:
    """The last day of a term of `days` working days that begins on the day after `start`.

    `days` = 0 gives `start` itself.  The term ends with the local day.  Raises ValueError for a
    negative number.
    """
    if days < 0:
        raise ValueError("days must not be negative")
    day = start
    while days:
        day += dt.timedelta(days=1)
        if is_working_day(day, exceptions):
            days -= 1
    return day


def calendar_exceptions(first: dt.date, last: dt.date) -> dict[dt.date, bool]:
    """Rows of the calendar between two days, as {day: is it a working day}."""
    rows = CalendarDay.objects.filter(day__range=(first, last))
    return dict(rows.values_list("day", "working"))


def due_after(start: dt.date, working_days: int) -> dt.date:
    """The due date of a term of working days, by the stored calendar (one query)."""
    # Twice the term plus the two longest holidays is always enough to look at.
    horizon = start + dt.timedelta(days=working_days * 2 + 30)
    return add_working_days(start, working_days, calendar_exceptions(start, horizon))


def known_years() -> range:
    """Years for which the library has the holiday notice."""
    years = {day.year for day in chinese_calendar.holidays}
    return range(min(years), max(years) + 1)


def calendar_for(year: int) -> list[CalendarDay]:
    """The days of a year that differ from Monday to Friday, not yet saved."""
    if year in known_years():
        return _published(year)
    return [
        CalendarDay(
            day=dt.date(year, month, day),
            working=False,
            name=name,
            provisional=True,
            source="固定节日（放假通知未公布，暂定）",
        )
        for (month, day), name in FIXED_HOLIDAYS.items()
    ]


def _published(year: int) -> list[CalendarDay]:
    days = []
    day = dt.date(year, 1, 1)
    while day.year == year:
        working = chinese_calendar.is_workday(day)
        if working != (day.weekday() < 5):
            days.append(
                CalendarDay(
                    day=day,
                    working=working,
                    name=chinese_calendar.get_holiday_detail(day)[1] or "调休上班",
                    source="国务院办公厅节假日安排通知",
                )
            )
        day += dt.timedelta(days=1)
    return days


def seed_calendar(first: int, last: int) -> None:
    """Write the years; a published year replaces provisional rows, other rows stay as edited."""
    for year in range(first, last + 1):
        rows = calendar_for(year)
        if year in known_years():
            CalendarDay.objects.filter(day__year=year, provisional=True).delete()
        CalendarDay.objects.bulk_create(rows, ignore_conflicts=True)

"""The day that a 完成时限 cell means, such as 6月底前, 第三季度 or 2020.9-2021.6.  Pure."""

import calendar
import datetime as dt
import re

_PATTERN = re.compile(
    r"(?P<iso>20\d\d[.\-/](?:1[0-2]|0?[1-9])[.\-/](?:3[01]|[12]\d|0?[1-9]))(?!\d)"
    r"|(?P<dotted>20\d\d[.\-/](?:1[0-2]|0?[1-9]))(?![\d月])"
    r"|(?:(?P<year>20\d\d)\s*[年.\-/]\s*)?(?<!\d)(?P<month>1[0-2]|0?[1-9])\s*月"
    r"(?:(?P<day>3[01]|[12]\d|0?[1-9])日|(?P<part>上旬|中旬|下旬|底|末)?份?(?P<before>(?:之|以)?前)?)"
    r"|(?:(?P<qyear>20\d\d)年)?第?(?P<quarter>[一二三四1-4])季度"
    r"|(?:(?P<hyear>20\d\d)年)?(?P<half>[上下])半年"
    r"|(?P<wyear>20\d\d)年(?:底|末|内|全年)?|年底|年末|年内|全年"
)
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4}
_PARTS = {"上旬": 10, "中旬": 20}


def due_day(text: str, year: int | None) -> dt.date | None:
    """The last day that the words name; a period means its last day, 上旬 the 10th, 中旬 the 20th.

    `year` is that of the plan, for words without one.  None when no day is named (长期坚持) or the
    words can be read in two ways (6月前: before June, or by its end?), so that a person decides.
    """
    found: dt.date | None = None
    for match in _PATTERN.finditer(text):
        named = match["year"] or match["qyear"] or match["hyear"] or match["wyear"]
        year = int(named) if named else year
        if exact := match["iso"] or match["dotted"]:
            parts = [int(part) for part in re.split(r"[.\-/]", exact)]
            year = parts[0]
            day = parts[2] if len(parts) == 3 else calendar.monthrange(*parts)[1]
            found = _day(parts[0], parts[1], day)
        elif not year or (match["before"] and not match["part"]):
            return None
        elif match["month"]:
            month = int(match["month"])
            last = calendar.monthrange(year, month)[1]
            given = int(match["day"]) if match["day"] else _PARTS.get(match["part"], last)
            found = _day(year, month, given)
        elif match["quarter"]:
            month = 3 * (_QUARTERS.get(match["quarter"]) or int(match["quarter"]))
            found = dt.date(year, month, calendar.monthrange(year, month)[1])
        elif match["half"]:
            found = dt.date(year, 6, 30) if match["half"] == "上" else dt.date(year, 12, 31)
        else:
            found = dt.date(year, 12, 31)
        if found is None:
            return None
    return found


def _day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None

"""Where an indicator's SQL runs: the live database, or DuckDB on a snapshot.

The text is the same for both, to the letter; only the parameters are written in the driver's style.
What the text may use is checked by the lint in tests/statistics/test_golden.py (the portable subset).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from django.db import connection

from xuezheng.kernel.access.fence import counting_all


def with_parameters(sql: str, values: Mapping[str, Any], style: str) -> str:
    """`:name` of every given value replaced by the driver's placeholder, e.g. style "$%s".

    Two colons are a cast, not a parameter; one is refused elsewhere, by the lint.
    """
    names = "|".join(map(re.escape, values))
    return re.sub(rf"(?<!:):({names})\b", lambda found: style % found[1], sql) if values else sql


class Engine(Protocol):
    """Runs a SELECT over schema `facts` with named parameters."""

    def rows(self, sql: str, values: Mapping[str, Any]) -> Iterator[tuple]: ...

    def coded(self, sql: str, values: Mapping[str, Any]) -> list[tuple]: ...

    def totals(self, sql: str, values: Mapping[str, Any]) -> tuple: ...


class LiveEngine:
    """The live database, on Django's connection, inside whatever transaction and role are set."""

    def rows(self, sql: str, values: Mapping[str, Any]) -> Iterator[tuple]:
        """The rows of the SELECT."""
        # A percent sign of the text is no placeholder.
        text = with_parameters(sql.replace("%", "%%"), values, "%%(%s)s")
        with connection.cursor() as cursor:
            cursor.execute(text, dict(values))
            yield from cursor.fetchall()

    def coded(self, sql: str, values: Mapping[str, Any]) -> list[tuple]:
        """All rows of the SELECT, past policies: for keys and reason codes, never for what names people."""
        with counting_all():
            return list(self.rows(sql, values))

    def totals(self, sql: str, values: Mapping[str, Any]) -> tuple:
        """The one row of an aggregate, over all rows: also those that policies hide from the reader."""
        with counting_all():
            (row,) = self.rows(sql, values)
        return row

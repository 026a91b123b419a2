"""Indicators: all of the district live against 0.2 s; one over many rows against the bare scan.

The scan reads and decodes the same columns of the same file and makes no groups: less cannot be done.
"""

import datetime as dt
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from django.db import connection
from django.utils import timezone

from benchmarks.facts import write_hazards
from xuezheng.kernel.indicators.compute import run as run_indicator
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.snapshot import SnapshotEngine
from xuezheng.kernel.indicators.source import LiveSource, Source

LIMIT_S = 0.2
MOST_TIMES_THE_SCAN = 2.0
#: 60 million with `make bench ARGS=--full`.
ROWS, FULL_ROWS = 6_000_000, 60_000_000
KEY = "hazard_rectified_in_time"
SCAN = "SELECT max(org), max(state), max(due_on), max(rectified_on), count(*) FROM facts.hazard"
PERIOD = (dt.date(2025, 1, 1), dt.date(2025, 12, 31))

_COPIES = """
CREATE TEMPORARY TABLE copies AS
    SELECT %(top)s + n AS id, old.case_id AS old
    FROM generate_series(1, %(missing)s) AS made(n)
    JOIN (SELECT case_id, row_number() OVER (ORDER BY case_id) - 1 AS place FROM oversight_hazard) old
        ON old.place = n %% (SELECT count(*) FROM oversight_hazard);
INSERT INTO cases_case (id, number, kind, title, organisation_id, state, phase, awaits, due,
    opened_at, closed_at, version)
SELECT copies.id, 'BH' || copies.id, kind, title, organisation_id, state, phase, awaits, due,
    opened_at, closed_at, version
FROM copies JOIN cases_case c ON c.id = copies.old;
INSERT INTO oversight_hazard (case_id, state, category, place, description, immediate_danger,
    reported_on, grade, stop_use, supervised, due_on, rectified_on, closed_on)
SELECT copies.id, state, category, place, description, immediate_danger, reported_on, grade,
    stop_use, supervised, due_on, rectified_on, closed_on
FROM copies JOIN oversight_hazard h ON h.case_id = copies.old;
"""


def best(call: Callable[[], object], times: int = 3) -> float:
    """The shortest of some runs, in seconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return min(taken)


def all_figures(source: Source, as_of: dt.date) -> int:
    """Every indicator of every organisation; how many figures."""
    return sum(len(source.figures(indicator, as_of)) for indicator in INDICATORS.values())


def live() -> bool:
    """Print the time of all indicators on the demo district; whether it is under the limit."""
    today = timezone.localdate()
    count = all_figures(LiveSource(), today)
    taken = best(lambda: all_figures(LiveSource(), today))
    print(
        f"indicators: {len(INDICATORS)} with {count} figures live in {taken:.3f} s,"
        f" limit {LIMIT_S} s ({taken / LIMIT_S:.2f})"
    )
    return taken < LIMIT_S


def against_scan(*, full: bool) -> bool:
    """Print one indicator beside the bare scan of its columns; whether it is within the limit."""
    rows = FULL_ROWS if full else ROWS
    with tempfile.TemporaryDirectory(prefix="xz-bench-") as folder:
        path = Path(folder) / "hazard.parquet"
        write_hazards(path, rows)
        with duckdb.connect(":memory:") as duck:
            duck.execute("CREATE SCHEMA facts")
            duck.execute(f"CREATE VIEW facts.hazard AS SELECT * FROM read_parquet('{path}')")
            engine = SnapshotEngine(duck)
            indicator = INDICATORS[KEY]
            found = run_indicator(indicator, period=PERIOD, as_of=PERIOD[1], engine=engine)
            computed = best(
                lambda: run_indicator(indicator, period=PERIOD, as_of=PERIOD[1], engine=engine)
            )
            scanned = best(lambda: duck.execute(SCAN).fetchall())
            size = path.stat().st_size / 1e6
    print(
        f"snapshot: {KEY} over {rows:,} rows ({size:,.0f} MB), {len(found):,} organisations, in"
        f" {computed:.2f} s; bare scan of its columns {scanned:.2f} s: {computed / scanned:.2f} x,"
        f" limit {MOST_TIMES_THE_SCAN} x"
    )
    return computed / scanned < MOST_TIMES_THE_SCAN


def grow_hazards(to: int) -> int:
    """Copy the demo's hazards under new numbers until there are so many; how many there are.

    A district 10 or 100 times as busy, in the same places and years.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM oversight_hazard")
        (have,) = cursor.fetchone()
        cursor.execute("SELECT max(id) FROM cases_case")
        (top,) = cursor.fetchone()
        if to > have:
            for statement in _COPIES.split(";\n")[:-1]:
                cursor.execute(statement, {"top": top, "missing": to - have})
            cursor.execute("DROP TABLE copies")
        cursor.execute("ANALYZE cases_case, oversight_hazard")
        cursor.execute("SELECT count(*) FROM oversight_hazard")
        return cursor.fetchone()[0]

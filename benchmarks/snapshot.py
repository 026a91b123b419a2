"""Freezing facts through their views against COPY of the same views to /dev/null; growth.

COPY runs in the server as superuser and writes nowhere: what reading alone costs.
"""

import tempfile
import time
from pathlib import Path

import psycopg
from django.utils import timezone

from benchmarks.engines import all_figures, best, grow_hazards
from xuezheng.config.postgres import Cluster
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.indicators.freeze import fact_columns, write_snapshot
from xuezheng.kernel.indicators.snapshot import open_snapshot
from xuezheng.kernel.indicators.source import LiveSource

BY = JobActor("benchmark")
FACTORS = (1, 10, 100)
#: Freezing also sorts, compresses and hashes.
MOST_TIMES_COPY = 4.0


def _copy_all() -> float:
    """Seconds of COPY ... TO '/dev/null' for every view, one after the other."""
    views = list(fact_columns())
    login = Cluster().ensure_running().superuser().to("xuezheng")
    with psycopg.connect(login.conninfo()) as connection:
        return best(
            lambda: [
                connection.execute(
                    f"COPY (SELECT * FROM facts.\"{view}\") TO '/dev/null' (FORMAT binary)"
                )
                for view in views
            ],
            times=2,
        )


def run() -> bool:
    """Print times at 1, 10 and 100 times the district's hazards; whether the largest holds."""
    today = timezone.localdate()
    first = grow_hazards(0)
    print("growth: all indicators live, frozen, on the snapshot; freezing beside COPY of the views")
    ratio = 0.0
    for factor in FACTORS:
        grow_hazards(first * factor)
        live = best(lambda: all_figures(LiveSource(), today), times=2)
        copied = _copy_all()
        with tempfile.TemporaryDirectory(prefix="xz-bench-") as folder:
            began = time.perf_counter()
            manifest = write_snapshot(Path(folder) / "a", by=BY)
            frozen = time.perf_counter() - began
            size = sum(p.stat().st_size for p in Path(folder).rglob("*.parquet")) / 1e6
            with open_snapshot(Path(folder) / "a") as snapshot:
                duck = best(lambda: all_figures(snapshot, today), times=2)
        rows = sum(manifest.rows.values())
        ratio = frozen / copied
        print(
            f"  {factor:>4} x  {rows:>9,} rows  live {live:6.3f} s  duckdb {duck:6.3f} s"
            f"  freeze {frozen:6.2f} s ({rows / frozen:>9,.0f} rows/s, {size:.1f} MB)"
            f"  COPY {copied:6.2f} s  {ratio:.1f} x"
        )
    print(f"snapshot: freezing takes {ratio:.1f} x COPY to nowhere, limit {MOST_TIMES_COPY} x")
    return ratio < MOST_TIMES_COPY

"""Invented facts of any size, made by DuckDB itself: no database, no program needed."""

from pathlib import Path

import duckdb

#: A province: ninety districts of as many sites as the demo's.  A district's rows lie together, as
#: its snapshots do.
DISTRICTS, SITES = 90, 140
#: One row in so many months; three in four rectified, nine in ten of those in time.
_HAZARDS = """
COPY (
    SELECT
        'H' || n AS row_id,
        'O' || ((n * {districts} // {rows}) * {sites} + hash(n) % {sites}) AS org,
        CASE hash(n + 1) % 4 WHEN 0 THEN 'fire' WHEN 1 THEN 'food' ELSE 'building' END AS category,
        'general' AS grade,
        CASE WHEN hash(n + 2) % 50 = 0 THEN 'dismissed'
             WHEN hash(n + 3) % 4 = 0 THEN 'rectifying' ELSE 'closed' END AS state,
        DATE '2025-01-01' + CAST(hash(n + 4) % 365 AS INTEGER) AS reported_on,
        reported_on + 9 AS due_on,
        CASE WHEN state = 'closed'
            THEN due_on - 3 + CAST(hash(n + 5) % 5 AS INTEGER) END AS rectified_on,
        rectified_on + 2 AS closed_on,
        CAST(hash(n + 6) % 3 > 0 AS BIGINT) AS rechecked_by_other
    FROM range({rows}) AS made(n)
) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def write_hazards(path: Path, rows: int) -> None:
    """`facts.hazard` as a snapshot holds it, with that many rows."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(_HAZARDS.format(rows=rows, path=path, districts=DISTRICTS, sites=SITES))

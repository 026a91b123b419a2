"""The same indicator SQL on Spark, beside DuckDB: `python -m benchmarks.spark [SNAPSHOT] [--rows N]`.

Not part of `make bench`: PySpark is no dependency.  Where it is missing this says how to get it.
Needs neither Django nor a database.  Without a snapshot it invents hazards.

Two text macros make Spark of the portable subset; everything else runs to the letter:
`double precision` is `double`, and the difference of two days is `datediff`.
"""

import argparse
import datetime as dt
import importlib.util
import json
import re
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.facts import write_hazards

ROOT = Path(__file__).resolve().parents[1]
#: Columns that hold days are named `..._on`; so a difference of days can be told from other numbers.
MACROS = (
    (re.compile(r"\bdouble precision\b", re.I), "double"),
    (re.compile(r"(\b\w+_on|:as_of)\s*-\s*(\b\w+_on|:as_of)\b"), r"datediff(\1, \2)"),
)
VIEW = re.compile(r"\bfacts\.(\w+)", re.I)


def for_spark(sql: str) -> str:
    """The portable SQL as Spark reads it."""
    for pattern, text in MACROS:
        sql = pattern.sub(text, sql)
    return sql


def indicator_files(views: set[str]) -> dict[str, str]:
    """Indicator -> SQL, of those whose facts are there."""
    found = {}
    for path in sorted((ROOT / "xuezheng").rglob("indicators/*.sql")):
        sql = path.read_text(encoding="utf-8")
        if not path.name.endswith(".proof.sql") and set(VIEW.findall(sql)) <= views:
            found[path.stem] = sql
    return found


def on_duckdb(sql: str, files: dict[str, Path], days: dict[str, dt.date]) -> tuple[list, float]:
    """(sorted rows, seconds)."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE SCHEMA facts")
        for view, path in files.items():
            connection.execute(
                f"CREATE VIEW facts.{view} AS"
                f" SELECT * FROM read_parquet('{path}', hive_partitioning = false)"
            )
        text = re.sub(r"(?<!:):(from|to|as_of)\b", r"$\1", sql)
        used = {name: day for name, day in days.items() if f"${name}" in text}
        began = time.perf_counter()
        rows = connection.execute(text, used).fetchall()
        return _plain(rows), time.perf_counter() - began


def _plain(rows: list) -> list:
    return sorted(
        tuple(cell if isinstance(cell, str | None) else float(cell) for cell in row) for row in rows
    )


def main() -> int:
    """Run every indicator on both; 1 when a row differs, 2 without PySpark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark")
    parser.add_argument("snapshot", type=Path, nargs="?")
    parser.add_argument("--rows", type=int, default=6_000_000)
    options = parser.parse_args()
    if importlib.util.find_spec("pyspark") is None:
        print("PySpark is not installed: pip install pyspark  (and Java 17 or newer)")
        return 2
    with tempfile.TemporaryDirectory(prefix="xz-spark-") as folder:
        if options.snapshot:
            manifest = json.loads((options.snapshot / "manifest.json").read_text(encoding="utf-8"))
            year = manifest["year"]
            files = {
                view: options.snapshot / view / f"district={manifest['district']}" / f"year={year}"
                for view in manifest["views"]
            }
            files = {view: path / "part.parquet" for view, path in files.items()}
        else:
            year, files = 2025, {"hazard": Path(folder) / "hazard.parquet"}
            write_hazards(files["hazard"], options.rows)
        return compare(files, year, Path(folder))


def compare(files: dict[str, Path], year: int, folder: Path) -> int:
    """Print each indicator's time on both engines; 1 when a row differs."""
    from pyspark.sql import SparkSession

    began = time.perf_counter()
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.driver.memory", "4g")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    spark.sql("CREATE DATABASE facts")
    for view, path in files.items():
        spark.sql(f"CREATE TABLE facts.{view} USING parquet OPTIONS (path '{path}')")
    print(f"spark: started in {time.perf_counter() - began:.1f} s, {spark.version}")
    days = {
        "from": dt.date(year, 1, 1),
        "to": dt.date(year, 12, 31),
        "as_of": dt.date(year, 12, 31),
    }
    wrong = 0
    for key, sql in indicator_files(set(files)).items():
        expected, quick = on_duckdb(sql, files, days)
        times = []
        for _ in range(2):
            began = time.perf_counter()
            rows = _plain([tuple(row) for row in spark.sql(for_spark(sql), args=days).collect()])
            times.append(time.perf_counter() - began)
        same = rows == expected
        wrong += not same
        print(
            f"  {key:<28} {len(rows):>6} rows  spark {min(times):6.2f} s  duckdb {quick:6.2f} s"
            f"  {min(times) / quick:5.1f} x  {'same' if same else 'DIFFERENT'}"
        )
    spark.stop()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

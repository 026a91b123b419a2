"""The statistician's commands: readings on either engine, proof, snapshots, bundles."""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.indicators.bundles import MOST_BYTES, BundleRefused, fingerprint, own_key
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.indicators.definitions import INDICATORS, Indicator
from xuezheng.kernel.indicators.freeze import write_snapshot
from xuezheng.kernel.indicators.library import folder_of, keep_snapshot
from xuezheng.kernel.indicators.province import take_bundle, trust_key, write_bundle
from xuezheng.kernel.indicators.snapshot import open_snapshot
from xuezheng.kernel.indicators.source import LiveSource, Source
from xuezheng.registry.organisations import OrganisationKind

ACTOR = JobActor("command")
READING = ("indicator", "org", "numerator", "denominator", "value")
ROW = ("row_id", "org", "counted", "reason")


class Unanswered(Exception):
    """The question makes no sense here; the message says why."""


def show(heads: Sequence[str], rows: Iterator[Sequence[Any]], *, as_json: bool) -> int:
    """Print rows as a table with tabs, or one JSON object a line.  Returns how many."""
    count = 0
    if not as_json:
        print("\t".join(heads))
    for row in rows:
        count += 1
        if as_json:
            print(json.dumps(dict(zip(heads, row, strict=True)), ensure_ascii=False))
        else:
            print("\t".join("" if cell is None else str(cell) for cell in row))
    return count


@contextmanager
def _source(folder: Path | None, as_of: dt.date | None) -> Iterator[tuple[Source, dt.date]]:
    """The snapshot of a folder, or the live database, with the as-of day."""
    if folder is None:
        with fenced(by=ACTOR):
            yield LiveSource(), as_of or timezone.localdate()
        return
    with open_snapshot(folder) as snapshot:
        yield snapshot, snapshot.day(as_of)


def _readings(source: Source, as_of: dt.date) -> Iterator[Sequence[Any]]:
    for key, indicator in INDICATORS.items():
        for org, (num, den) in sorted(source.figures(indicator, as_of).items()):
            yield key, org, num, den, indicator.value(num, den)


def run_indicators(options: argparse.Namespace) -> int:
    """Compute readings of a plan year, stored when live; or print the rows behind one."""
    if options.action == "prove":
        return _prove(options)
    if options.engine == "duckdb" and options.snapshot is None:
        raise Unanswered("DuckDB 引擎需要 --snapshot / the engine duckdb needs --snapshot")
    if options.engine == "postgres" and options.snapshot is not None:
        raise Unanswered("快照由 DuckDB 计算 / a snapshot is computed by duckdb")
    if options.snapshot is None:
        as_of = options.as_of or timezone.localdate()
        with fenced(by=ACTOR):
            compute(period=LiveSource().period(as_of), as_of=as_of)
    with _source(options.snapshot, options.as_of) as (source, as_of):
        show(READING, _readings(source, as_of), as_json=options.json)
    return 0


def _indicator(key: str) -> Indicator:
    try:
        return INDICATORS[key]
    except KeyError:
        raise Unanswered(
            f"没有这个指标 / no such indicator: {key}; {', '.join(INDICATORS)}"
        ) from None


def _prove(options: argparse.Namespace) -> int:
    indicator = _indicator(options.key)
    with _source(options.snapshot, options.as_of) as (source, as_of):
        figure = source.figures(indicator, as_of).get(options.org)
        if figure is None:
            raise Unanswered(f"该单位没有这个读数 / no figure for {options.org}")
        proof = source.prove(indicator, options.org, figure, as_of, limit=1_000_000)
        rows = ((row.row_id, row.org, row.counted, row.reason) for row in proof.rows)
        show(ROW, rows, as_json=options.json)
    num, den = figure
    print(
        f"{num} / {den} = {indicator.value(num, den)} {indicator.unit}，截至 / as of {as_of}，"
        f"行 / rows {len(proof.rows)}",
        file=sys.stderr,
    )
    return 0 if proof.agrees else 1


def run_snapshot(options: argparse.Namespace) -> int:
    """Write a snapshot, or verify one."""
    if options.action == "verify":
        with open_snapshot(options.folder) as snapshot:
            manifest = snapshot.manifest
        folder = options.folder
    elif options.to is not None:
        manifest = write_snapshot(options.to, by=ACTOR, year=options.year)
        folder = options.to
    else:
        kept = keep_snapshot(by=ACTOR, year=options.year)
        folder = folder_of(kept)
        with open_snapshot(folder, digest=kept.digest) as snapshot:
            manifest = snapshot.manifest
    for view, rows in manifest.rows.items():
        print(f"{view}\t{rows}")
    print(f"{folder}\n{manifest.digest}  {manifest.district} {manifest.year} {manifest.as_of}")
    return 0


def run_bundle(options: argparse.Namespace) -> int:
    """Write and sign a bundle; trust a district's key; take a bundle."""
    if options.action == "write":
        key = own_key(Path(settings.DATA_DIR))
        with fenced(by=ACTOR):
            data = write_bundle(kinds=[OrganisationKind.TOWN], key=key, by=ACTOR)
        unfinished = options.to.with_name(f".{options.to.name}.part")
        unfinished.write_bytes(data)
        unfinished.replace(options.to)
        print(f"{options.to}\n{fingerprint(key.public_key())}")
        return 0
    try:
        with options.file.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except OSError as error:
        raise BundleRefused(f"无法读取 / cannot read {options.file}: {error.strerror}") from None
    with fenced(by=ACTOR):
        if options.action == "trust":
            text = data.decode("ascii", "replace")
            print(trust_key(code=options.code, public_key=text, by=ACTOR).fingerprint)
        else:
            taken = take_bundle(data=data, by=ACTOR)
            print(f"{taken.organisation.code}\t{taken.as_of}\t{taken.readings}")
    return 0

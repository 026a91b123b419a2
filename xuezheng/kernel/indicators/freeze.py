"""Writing a snapshot: every view of schema `facts` to one sorted Parquet file.

Read by DuckDB's PostgreSQL scanner through the views, in one repeatable transaction, under the role
and reach of the fence; where the scanner cannot be used, by COPY over Django's own connection.  Both
ways give the same files (a test compares their digests).
"""

import datetime as dt
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.conninfo import make_conninfo

from xuezheng import VERSION
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import Organisation, OrganisationEdge
from xuezheng.kernel.access.scope import authorities, below
from xuezheng.kernel.indicators.access import Permission
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.facts import fact_files
from xuezheng.kernel.indicators.snapshot import (
    FORMAT,
    MANIFEST,
    Manifest,
    SnapshotRefused,
    digest_of,
    file_digest,
    literal,
    name,
)

#: PostgreSQL type of a facts column -> type in the file.  Others are no facts: see CONTRIBUTING.
TYPES = {
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "character": "VARCHAR",
    "uuid": "VARCHAR",
    "smallint": "BIGINT",
    "integer": "BIGINT",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
#: Columns that would say who somebody is.
IDENTITY = frozenset({"name", "id_number", "phone", "address", "full_name", "username"})
#: A row_id must not be a citizen's number (GB 11643: 17 digits and a check sign) or a mobile number.
TELLING = r"\d{17}[\dXx]|1[3-9]\d{9}"
#: Folders of interrupted writes are removed when older than this.
STALE = dt.timedelta(days=1)

Columns = list[list[str]]


def installation_authority(day: dt.date) -> str:
    """Code of the authority of this installation: the top with most organisations below it.

    Raises SnapshotRefused when there is no organisation.
    """
    ids = dict(Organisation.objects.values_list("id", "code"))
    if not ids:
        raise SnapshotRefused(_("还没有单位，没有可冻结的数据。"))
    trees = below(set(authorities(set(ids), day).values()), day)
    return ids[max(trees, key=lambda top: (len(trees[top]), ids[top]))]


def fact_columns() -> dict[str, Columns]:
    """View -> [column, type in the file].

    Raises SnapshotRefused for a column that is no date, integer, code or flag, or that names people.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'facts' ORDER BY table_name, ordinal_position"
        )
        found: dict[str, Columns] = {view: [] for view in sorted(fact_files())}
        for view, column, kind in cursor.fetchall():
            if view not in found:
                continue
            if kind not in TYPES or column in IDENTITY:
                raise SnapshotRefused(
                    _("事实表 %(view)s 的栏目 %(column)s 不能进入快照。")
                    % {"view": view, "column": column}
                )
            found[view].append([column, TYPES[kind]])
    return found


class ScannerSource:
    """DuckDB reads the views itself, over a connection of its own."""

    def __init__(self, duck: duckdb.DuckDBPyConnection):
        self.duck = duck
        duck.execute(f"LOAD {literal(scanner_file())}")
        duck.execute(f"ATTACH {literal(_conninfo())} AS live (TYPE postgres, READ_ONLY)")
        # One repeatable transaction for all views.
        duck.execute("BEGIN TRANSACTION")

    def relation(self, view: str, columns: Columns) -> str:
        """What stands after FROM."""
        return f"live.facts.{name(view)}"

    def close(self) -> None:
        """End the transaction and let the connection go."""
        with suppress(duckdb.Error):
            self.duck.execute("COMMIT")
            self.duck.execute("DETACH live")


class CopySource:
    """COPY over Django's connection into a text file that DuckDB reads; sees uncommitted rows."""

    def __init__(self, folder: Path):
        self.folder = folder

    def relation(self, view: str, columns: Columns) -> str:
        """What stands after FROM."""
        path = self.folder / f"{view}.csv"
        names = ", ".join(name(column) for column, _kind in columns)
        with (
            path.open("wb") as handle,
            connection.cursor() as cursor,
            cursor.copy(
                f"COPY (SELECT {names} FROM facts.{name(view)}) TO STDOUT (FORMAT csv)"
            ) as data,
        ):
            for block in data:
                handle.write(block)
        # Declared, never guessed; an empty unquoted field is NULL, a quoted one the empty text.
        declared = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in columns)
        return (
            f"read_csv({literal(path)}, header = false, columns = {{{declared}}}, nullstr = '',"
            " allow_quoted_nulls = false, quote = '\"', escape = '\"', delim = ',',"
            " auto_detect = false)"
        )

    def close(self) -> None:
        """The text files hold the same facts as the snapshot; they go at once."""
        for path in self.folder.glob("*.csv"):
            path.unlink()


def scanner_file() -> Path:
    """The extension's file in its package.  Raises SnapshotRefused when it is not there."""
    import duckdb_extension_postgres_scanner as package

    folder = Path(package.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    path = folder / "postgres_scanner.duckdb_extension"
    if not path.is_file():
        raise SnapshotRefused(_("本机没有适合的读库扩展。"))
    return path


def _conninfo() -> str:
    """How DuckDB connects: as Django does, under the fence's role, reaching every row, reading only."""
    given = connection.settings_dict
    reach = {"default_transaction_read_only": "on", "statement_timeout": "0"}
    if settings.FENCE_ROLE:
        reach["role"] = settings.FENCE_ROLE
    for prefix in settings.FENCE_SCOPES:
        reach[f"{prefix}_all"] = "1"
    return make_conninfo(
        host=given["HOST"],
        port=given["PORT"] or None,
        dbname=given["NAME"],
        user=given["USER"],
        password=given["PASSWORD"],
        options=" ".join(f"-c {key}={value}" for key, value in reach.items()),
    )


@contextmanager
def _copying(by: Actor) -> Iterator[None]:
    """The fence around COPY, repeatable where the transaction is ours to shape."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if not nested:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with fenced(by=by):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
            yield


def _write_views(
    duck: duckdb.DuckDBPyConnection,
    source: ScannerSource | CopySource,
    folder: Path,
    columns: dict[str, Columns],
    manifest: Manifest,
) -> dict[str, Any]:
    """One sorted file for each view; returns the manifest's part about them."""
    parts = {}
    for view, described in columns.items():
        path = folder / manifest.file(view)
        path.parent.mkdir(parents=True)
        chosen = ", ".join(f"{name(c)}::{kind} AS {name(c)}" for c, kind in described)
        duck.execute(
            f"COPY (SELECT {chosen} FROM {source.relation(view, described)} ORDER BY row_id)"
            f" TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)"
        )
        rows, telling = duck.execute(
            "SELECT count(*), count(*) FILTER (WHERE regexp_full_match(row_id, ?))"
            f" FROM read_parquet({literal(path)}, hive_partitioning = false)",
            [TELLING],
        ).fetchone()
        if telling:
            raise SnapshotRefused(
                _("事实表 %(view)s 的行号像是身份证号或电话号码，不能进入快照。") % {"view": view}
            )
        parts[view] = {
            "columns": described,
            "rows": rows,
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
        }
    return parts


def freeze(folder: Path, *, year: int | None, by: Actor, scanner: bool) -> Manifest:
    """Write a snapshot into an empty folder.  Raises SnapshotRefused, PermissionDenied.

    The manifest is written last: a folder without it is no snapshot.
    """
    if not by.can(Permission.MAKE) or not by.scope(Permission.MAKE).everything:
        raise PermissionDenied(Permission.MAKE)
    today = timezone.localdate()
    year = today.year if year is None else year
    if year > today.year or year < 1980:
        raise SnapshotRefused(_("%(year)s 年还没有数据可冻结。") % {"year": year})
    district = installation_authority(today)
    columns = fact_columns()
    place = Manifest({"district": district, "year": year})
    with duckdb.connect(":memory:") as duck:
        duck.execute(f"SET temp_directory = {literal(folder / 'sorting')}")
        if scanner:
            source = ScannerSource(duck)
            try:
                parts = _write_views(duck, source, folder, columns, place)
            finally:
                source.close()
        else:
            copied = CopySource(folder)
            try:
                with _copying(by):
                    parts = _write_views(duck, copied, folder, columns, place)
            finally:
                copied.close()
    shutil.rmtree(folder / "sorting", ignore_errors=True)
    edges = OrganisationEdge.objects.order_by("parent__code", "child__code", "kind", "valid_from")
    content = {
        "format": FORMAT,
        "program": VERSION,
        "district": district,
        "year": year,
        "as_of": min(today, dt.date(year, 12, 31)).isoformat(),
        "taken_on": today.isoformat(),
        "made_at": timezone.now().astimezone(dt.UTC).isoformat(timespec="seconds"),
        "indicators": {key: INDICATORS[key].version for key in sorted(INDICATORS)},
        "views": parts,
        "organisations": list(
            map(list, Organisation.objects.order_by("code").values_list("code", "kind"))
        ),
        "edges": [
            [parent, child, kind, since.isoformat(), until.isoformat() if until else None]
            for parent, child, kind, since, until in edges.values_list(
                "parent__code", "child__code", "kind", "valid_from", "valid_to"
            )
        ],
    }
    content["digest"] = digest_of(content)
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    with (folder / MANIFEST).open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    return Manifest(content)


@contextmanager
def part_folder(parent: Path) -> Iterator[Path]:
    """A folder for an unfinished write; gone when something fails.  Old ones are swept."""
    parent.mkdir(parents=True, exist_ok=True)
    limit = timezone.now().timestamp() - STALE.total_seconds()
    for old in parent.glob(".part-*"):
        if old.stat().st_mtime < limit:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".part-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_snapshot(
    to: Path, *, by: Actor, year: int | None = None, scanner: bool = True
) -> Manifest:
    """Write a snapshot of all facts to a new folder, whole or not at all.

    `year` is the plan year under which it is filed (default: the running one).  Raises
    SnapshotRefused, also when the folder exists.
    """
    if to.exists():
        raise SnapshotRefused(_("目标文件夹已存在，快照只写入新文件夹。"))
    with part_folder(to.parent) as folder:
        manifest = freeze(folder, year=year, by=by, scanner=scanner)
        folder.rename(to)
    return manifest

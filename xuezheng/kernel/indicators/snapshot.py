"""Reading a snapshot: a folder of Parquet files with a manifest that says what they are.

    DIR/manifest.json
    DIR/<view>/district=<authority code>/year=<plan year>/part.parquet

The manifest holds the organisation tree, so that a snapshot answers without the database.  Its digest
covers everything but the moment of making: the same data give the same digest.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from django.utils.translation import gettext as _

from xuezheng.kernel.indicators.engines import with_parameters
from xuezheng.kernel.indicators.source import Source
from xuezheng.kernel.indicators.tree import Edge, below

FORMAT = 1
MANIFEST = "manifest.json"
#: Types of columns in the files, and the shape of names that may stand in a path or in SQL.
KINDS = frozenset({"VARCHAR", "BIGINT", "BOOLEAN", "DATE"})
NAME = re.compile(r"[A-Za-z0-9_-]+")
#: Enough for a district; a larger store is read by the command line, which may take more.
MEMORY = "1GB"


class SnapshotRefused(Exception):
    """The snapshot cannot be written or used; the message is one sentence for the reader."""


def literal(value: object) -> str:
    """A text literal of DuckDB."""
    return "'{}'".format(str(value).replace("'", "''"))


def name(text: str) -> str:
    """A quoted identifier."""
    return '"{}"'.format(text.replace('"', '""'))


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@dataclass(frozen=True)
class Manifest:
    """What a snapshot says about itself.  `content` is the JSON object of the file."""

    content: dict[str, Any]

    @property
    def district(self) -> str:
        """Code of the authority whose data these are."""
        return self.content["district"]

    @property
    def year(self) -> int:
        """The plan year under which it is filed."""
        return self.content["year"]

    @property
    def as_of(self) -> dt.date:
        """The last day about which its figures can speak: the taking day, or the year's end before it."""
        return dt.date.fromisoformat(self.content["as_of"])

    @property
    def taken_on(self) -> dt.date:
        """The local day on which the data were read."""
        return dt.date.fromisoformat(self.content["taken_on"])

    @property
    def digest(self) -> str:
        """SHA-256 over all of the manifest but itself and the moment of making."""
        return self.content["digest"]

    def file(self, view: str) -> Path:
        """The view's file inside the folder."""
        return Path(view, f"district={self.district}", f"year={self.year}", "part.parquet")

    @property
    def rows(self) -> dict[str, int]:
        """View -> rows."""
        return {view: part["rows"] for view, part in self.content["views"].items()}

    @property
    def organisations(self) -> list[str]:
        """Codes of all organisations."""
        return [code for code, _kind in self.content["organisations"]]

    @property
    def edges(self) -> list[Edge]:
        """The dated tree."""
        day = dt.date.fromisoformat
        return [
            Edge(parent, child, kind, day(since), day(until) if until else None)
            for parent, child, kind, since, until in self.content["edges"]
        ]


def digest_of(content: Mapping[str, Any]) -> str:
    """The digest that a manifest with this content must carry."""
    covered = {k: v for k, v in content.items() if k not in {"digest", "made_at"}}
    text = json.dumps(covered, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a snapshot.  Raises SnapshotRefused for none, a foreign or an altered one."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SnapshotRefused(_("这里没有数据快照：缺少清单文件。")) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SnapshotRefused(_("数据快照的格式不是本程序认得的版本。"))
    if content.get("digest") != digest_of(content):
        raise SnapshotRefused(_("数据快照的清单被改动过，不能使用。"))
    columns = [column for part in content["views"].values() for column in part["columns"]]
    names = [
        content["district"],
        str(content["year"]),
        *content["views"],
        *(c for c, _k in columns),
    ]
    if not all(map(NAME.fullmatch, names)) or not {kind for _c, kind in columns} <= KINDS:
        raise SnapshotRefused(_("数据快照的清单被改动过，不能使用。"))
    return Manifest(content)


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its hash.  Raises SnapshotRefused for a missing or altered one."""
    for view, part in manifest.content["views"].items():
        path = folder / manifest.file(view)
        if not path.is_file() or file_digest(path) != part["sha256"]:
            raise SnapshotRefused(_("数据快照的文件 %(view)s 缺失或被改动过。") % {"view": view})


class SnapshotEngine:
    """DuckDB over the Parquet files: `facts.<view>` is the frozen view."""

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self.connection = connection

    def rows(self, sql: str, values: Mapping[str, Any]) -> Iterator[tuple]:
        """The rows of the SELECT.  Raises SnapshotRefused when the snapshot has not what it reads."""
        text = with_parameters(sql, values, "$%s")
        # DuckDB refuses a value that the text does not name.
        used = {key: value for key, value in values.items() if re.search(rf"\${key}\b", text)}
        try:
            yield from self.connection.execute(text, used).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise SnapshotRefused(
                _("这份快照里没有该指标所需的事实表或栏目，算不出来。")
            ) from error

    def coded(self, sql: str, values: Mapping[str, Any]) -> list[tuple]:
        """All rows of the SELECT: a snapshot has no policies."""
        return list(self.rows(sql, values))

    def totals(self, sql: str, values: Mapping[str, Any]) -> tuple:
        """The one row of an aggregate."""
        (row,) = self.rows(sql, values)
        return row


class OpenSnapshot(Source):
    """A verified snapshot, ready to answer."""

    def __init__(self, manifest: Manifest, connection: duckdb.DuckDBPyConnection):
        self.manifest = manifest
        self.engine = SnapshotEngine(connection)

    def organisations(self) -> list[str]:
        """All codes, as they were."""
        return self.manifest.organisations

    def tree(self, roots: Iterable[str], day: dt.date) -> dict[str, frozenset[str]]:
        """Each root with those under it on a day, by the edges as they were."""
        return below(roots, self.manifest.edges, day)

    def day(self, as_of: dt.date | None) -> dt.date:
        """The as-of day asked for, or the snapshot's own.  Raises SnapshotRefused for a later one."""
        if as_of is not None and as_of > self.manifest.taken_on:
            raise SnapshotRefused(
                _("这份快照取于 %(day)s，说不出那天以后的情况。")
                % {"day": self.manifest.taken_on.isoformat()}
            )
        return as_of or self.manifest.as_of


@contextmanager
def open_snapshot(folder: Path, *, digest: str | None = None) -> Iterator[OpenSnapshot]:
    """Verify a snapshot and open it.

    `digest` is what is known of it from elsewhere.  Raises SnapshotRefused when anything differs.
    The connection can read the snapshot's folder and nothing else.
    """
    manifest = read_manifest(folder)
    if digest is not None and manifest.digest != digest:
        raise SnapshotRefused(_("数据快照与登记的摘要不符，不能使用。"))
    verify_files(folder, manifest)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET allowed_directories = [{literal(folder.resolve())}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        connection.execute("CREATE SCHEMA facts")
        for view, part in manifest.content["views"].items():
            columns = ", ".join(f"{name(column)}::{kind}" for column, kind in part["columns"])
            path = literal(folder.resolve() / manifest.file(view))
            connection.execute(
                f"CREATE VIEW facts.{name(view)} ({', '.join(name(c) for c, _k in part['columns'])})"
                f" AS SELECT {columns} FROM read_parquet({path}, hive_partitioning = false)"
            )
        yield OpenSnapshot(manifest, connection)

"""Lines for COPY, table by table, and the writing of them.

psycopg can format values itself, but joining ready strings is what keeps the load near the speed of
the bare COPY (see benchmarks/people.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

#: Lines handed to the server at a time.
CHUNK = 4000
NULL = "\\N"


@dataclass
class Stream:
    """One table's lines in COPY's text format."""

    table: str
    columns: tuple[str, ...]
    lines: list[str] = field(default_factory=list)

    def add(self, *values: Any) -> None:
        """One row.  None is NULL; no value may hold a tab, a line end or a backslash."""
        self.lines.append("\t".join([NULL if v is None else str(v) for v in values]))

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """(number of lines, their bytes)."""
        for start in range(0, len(self.lines), CHUNK):
            part = self.lines[start : start + CHUNK]
            yield len(part), ("\n".join(part) + "\n").encode()

    @property
    def statement(self) -> str:
        """The COPY statement of these columns."""
        return f"COPY {self.table} ({', '.join(self.columns)}) FROM STDIN"


def write(streams: list[Stream], told: Callable[[float], None]) -> int:
    """COPY every stream, in the order given; returns how many rows were written.

    `told` hears the share that is done, 0 to 1.  There must be a stream at least.
    """
    total = sum(len(stream.lines) for stream in streams)
    done = 0
    with connection.cursor() as cursor:
        for stream in streams:
            with cursor.copy(stream.statement) as copy:
                for count, chunk in stream.chunks():
                    copy.write(chunk)
                    done += count
                    told(done / total)
        # What reads them next does so in this transaction, before the database would look by itself;
        # planned for empty tables, a join over them took a quarter of a minute.
        cursor.execute(f"ANALYZE {', '.join({stream.table for stream in streams})}")
    return done


def go_on_after(tables: list[str]) -> None:
    """Let the sequences of tables whose keys were given by hand go on after the highest."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )

"""Rows of several tables written in one statement, for what many people do in the same minute.

Of a registration's time most went into making the text of its dozen INSERTs anew and into their round
trips (benchmarks/rush.py): here the text is made once for each combination of tables.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

#: psycopg parses a text with more values anew each time.
_MOST_VALUES = 50


def write_together(rows: Iterable[models.Model]) -> None:
    """Insert new rows in one statement, or a few; neighbours of one table share an INSERT.

    What has a default of the database, keys among it, is left to the database and stays unknown here.
    The rows do not see each other: whatever a policy asks for must have been written before.
    """
    # Not the proxy, which would be asked for each value.
    database = connections[DEFAULT_DB_ALIAS]
    waiting: list[models.Model] = []
    values: list[Any] = []
    with database.cursor() as cursor:
        for row in rows:
            added = [
                field.get_db_prep_save(field.pre_save(row, True), database)
                for field in _fields(type(row))
            ]
            if waiting and len(values) + len(added) > _MOST_VALUES:
                cursor.execute(_text(_shape(waiting)), values)
                waiting, values = [], []
            waiting.append(row)
            values += added
            row._state.adding, row._state.db = False, database.alias
        if waiting:
            cursor.execute(_text(_shape(waiting)), values)


def _shape(rows: Iterable[models.Model]) -> tuple[tuple[type[models.Model], int], ...]:
    return tuple((model, len(list(some))) for model, some in groupby(rows, type))


@lru_cache
def _fields(model: type[models.Model]) -> Sequence[models.Field]:
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.has_db_default() or field.generated or isinstance(field, models.AutoField))
    ]


@lru_cache
def _text(shape: tuple[tuple[type[models.Model], int], ...]) -> str:
    inserts, quoted = [], connections[DEFAULT_DB_ALIAS].ops.quote_name
    for model, count in shape:
        fields = _fields(model)
        names = ", ".join(quoted(field.column) for field in fields)
        row = f"({', '.join('%s' for _field in fields)})"
        table = quoted(model._meta.db_table)
        inserts.append(f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * count)}")
    *others, last = inserts
    if not others:
        return last
    # All of a WITH is carried out, also what nothing reads.
    parts = ", ".join(f"part{number} AS ({text})" for number, text in enumerate(others))
    return f"WITH {parts} {last}"

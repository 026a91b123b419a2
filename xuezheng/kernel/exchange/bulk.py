"""Many rows at once: COPY into a temporary table, then one INSERT or UPDATE from it.

COPY straight into a table is refused where row-level policies guard it; through a temporary table the
policies hold for every row.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models

from xuezheng.kernel.access.ciphers import SealedField


def _columns(model: type[models.Model], names: Sequence[str]) -> list[models.Field]:
    return [model._meta.get_field(name) for name in names]


def _copy(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    fields = _columns(model, names)
    quote = connection.ops.quote_name
    listed = ", ".join(quote(field.column) for field in fields)
    seals = [
        (at, field.get_prep_value)
        for at, field in enumerate(fields)
        if isinstance(field, SealedField)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS"
            f" SELECT {listed} FROM {quote(model._meta.db_table)} LIMIT 0"
        )
        with cursor.copy(f"COPY incoming ({listed}) FROM STDIN") as copy:
            for row in rows:
                if seals:
                    row = list(row)
                    for at, seal in seals:
                        row[at] = seal(row[at])
                copy.write_row(row)


def insert_rows(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Insert rows given as values of the named fields (keys for foreign keys); gives their number.

    The other columns take the database's defaults.  Sealed fields are sealed here.
    """
    _copy(model, names, rows)
    quote = connection.ops.quote_name
    listed = ", ".join(quote(field.column) for field in _columns(model, names))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(model._meta.db_table)} ({listed}) SELECT {listed} FROM incoming"
        )
        count = cursor.rowcount
        cursor.execute("DROP TABLE incoming")
    return count


def update_rows(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Set the named fields; each row begins with the primary key.  Gives how many were there.

    A field `version` is counted up, a field `updated_at` set, where the model has them.
    """
    key = model._meta.pk
    _copy(model, [key.name, *names], rows)
    quote = connection.ops.quote_name
    sets = [f"{quote(f.column)} = incoming.{quote(f.column)}" for f in _columns(model, names)]
    for name, value in (("version", "target.version + 1"), ("updated_at", "now()")):
        with suppress(FieldDoesNotExist):
            sets.append(f"{quote(model._meta.get_field(name).column)} = {value}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} target SET {', '.join(sets)}"
            f" FROM incoming WHERE target.{quote(key.column)} = incoming.{quote(key.column)}"
        )
        count = cursor.rowcount
        cursor.execute("DROP TABLE incoming")
    return count


def referring(
    model: type[models.Model], keys: Iterable[Any], *, apart_from: Sequence[str] = ()
) -> dict[Any, str]:
    """Key -> the name of what refers to that row by now, whatever system it belongs to.

    `apart_from`: accessor names of relations that go with the row.  One query for each relation.
    """
    keys = list(keys)
    found: dict[Any, str] = {}
    for relation in model._meta.related_objects:
        if relation.get_accessor_name() in apart_from:
            continue
        rows = relation.related_model._default_manager.filter(
            **{f"{relation.field.name}__in": keys}
        )
        for key in rows.values_list(relation.field.attname, flat=True).distinct():
            found.setdefault(key, str(relation.related_model._meta.verbose_name))
    return found

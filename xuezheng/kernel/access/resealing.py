"""Changing the keys of sealed columns: which keys rows use, and sealing them anew."""

from collections.abc import Callable

from django.db import models, transaction
from django.db.models import Count, F, Func, Q, Value

from xuezheng.kernel.access.ciphers import SealedField, active_tag, sealed_fields

CHUNK = 2000


def usage() -> list[tuple[str, str, int]]:
    """(table.column, tag, number of rows) for every key in use, whether it is still there or not."""
    found = []
    for field in sealed_fields():
        tag = Func(F(field.attname), Value(":"), Value(1), function="split_part")
        tag.output_field = models.CharField()
        rows = field.model._base_manager.filter(**{f"{field.name}__isnull": False})
        counted = rows.annotate(tag=tag).values_list("tag").annotate(n=Count("pk")).order_by("tag")
        found += [(field.column_name, key, number) for key, number in counted if key]
    return found


def reseal(report: Callable[[str, int], None]) -> int:
    """Seal every row with the active key that is not sealed with it; returns how many rows.

    Chunk by chunk, each in a transaction of its own, so that it may be stopped and called again.
    Keyed search tokens (`KEYED_FIELDS` of a model with `prepare()`) are made anew with the values.
    `report` is called with the model's label and the rows done so far.
    """
    by_model: dict[type[models.Model], list[SealedField]] = {}
    for field in sealed_fields():
        by_model.setdefault(field.model, []).append(field)
    total = 0
    for model, fields in by_model.items():
        done = 0
        while changed := _next_chunk(model, fields):
            done += changed
            report(model._meta.label, done)
        total += done
    return total


@transaction.atomic
def _next_chunk(model: type[models.Model], fields: list[SealedField]) -> int:
    stale, candidates = Q(), model._base_manager.all()
    for field in fields:
        # Compared as stored text: the column's own lookups would seal the prefix.
        stored = Func(F(field.attname), Value(active_tag() + ":"), function="starts_with")
        stored.output_field = models.BooleanField()
        alias = f"fresh_{field.attname}"
        stale |= Q(**{alias: False})
        candidates = candidates.annotate(**{alias: stored})
    rows = list(candidates.filter(stale).select_for_update()[:CHUNK])
    keyed = list(getattr(model, "KEYED_FIELDS", ()))
    for row in rows:
        if keyed:
            row.prepare()
    names = [field.name for field in fields]
    model._base_manager.bulk_update(rows, [*names, *keyed], batch_size=500)
    return len(rows)

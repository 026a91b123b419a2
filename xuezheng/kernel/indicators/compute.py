"""Computing readings: per organisation from the indicator's SQL, then sums up the tree."""

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import below
from xuezheng.kernel.indicators.definitions import INDICATORS, Indicator
from xuezheng.kernel.indicators.engines import Engine, LiveEngine
from xuezheng.kernel.indicators.models import Reading

Pair = tuple[int, int | None]
Key = TypeVar("Key", bound=Hashable)


def run(
    indicator: Indicator,
    *,
    period: tuple[dt.date, dt.date],
    as_of: dt.date,
    engine: Engine | None = None,
) -> dict[str, Pair]:
    """Organisation code -> (numerator, denominator), as the SQL gives it."""
    values = {"from": period[0], "to": period[1], "as_of": as_of}
    rows = (engine or LiveEngine()).rows(indicator.value_sql, values)
    return {code: (int(num), None if den is None else int(den)) for code, num, den in rows}


def roll_up(own: Mapping[Key, Pair], trees: Mapping[Key, frozenset[Key]]) -> dict[Key, Pair]:
    """Sums over each root's tree.  Rates are never averaged: numerators and denominators are added."""
    totals: dict[Key, Pair] = {}
    for root, members in trees.items():
        parts = [own[member] for member in members if member in own]
        counts = all(den is None for _num, den in parts) and bool(parts)
        totals[root] = (
            sum(num for num, _den in parts),
            None if counts else sum(den or 0 for _num, den in parts),
        )
    return totals


def figures(own: Mapping[Key, Pair], trees: Mapping[Key, frozenset[Key]]) -> dict[Key, Pair]:
    """Numerator and denominator of every organisation that has a figure.

    Whoever stands over others has one even without rows (zero of zero); a leaf only with rows.
    """
    is_count = bool(own) and all(den is None for _num, den in own.values())
    return {
        key: (num, None if is_count else den)
        for key, (num, den) in roll_up(own, trees).items()
        if len(trees[key]) > 1 or key in own
    }


def tree_day(period: tuple[dt.date, dt.date], as_of: dt.date) -> dt.date:
    """The day whose tree carries the sums: the earlier of period end and as-of."""
    return min(period[1], as_of)


@transaction.atomic
def compute(
    *, period: tuple[dt.date, dt.date], as_of: dt.date, keys: Iterable[str] | None = None
) -> int:
    """Compute and store readings for every organisation; replaces those of the same day.

    Roll-up follows the tree as it stood at the earlier of period end and as-of.  Returns how many
    readings were written.
    """
    wanted = [INDICATORS[key] for key in (keys if keys is not None else INDICATORS)]
    ids = dict(Organisation.objects.values_list("code", "id"))
    trees = below(set(ids.values()), tree_day(period, as_of))
    now = timezone.now()
    readings = []
    for indicator in wanted:
        own = {ids[code]: pair for code, pair in run(indicator, period=period, as_of=as_of).items()}
        for organisation_id, (num, den) in figures(own, trees).items():
            readings.append(
                Reading(
                    indicator=indicator.key,
                    definition_version=indicator.version,
                    organisation_id=organisation_id,
                    period_from=period[0],
                    period_to=period[1],
                    as_of=as_of,
                    numerator=num,
                    denominator=den,
                    value=indicator.value(num, den),
                    computed_at=now,
                )
            )
    # Updated in place, so that a link to a figure in a message or a bulletin keeps working.
    written = Reading.objects.bulk_create(
        readings,
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["indicator", "organisation", "period_from", "period_to", "as_of"],
        update_fields=["definition_version", "numerator", "denominator", "value", "computed_at"],
    )
    Reading.objects.filter(
        indicator__in=[i.key for i in wanted],
        period_from=period[0],
        period_to=period[1],
        as_of=as_of,
    ).exclude(computed_at=now).delete()
    return len(written)

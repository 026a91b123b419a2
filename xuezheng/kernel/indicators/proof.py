"""The rows behind a figure: which were counted, which not, and why."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.fence import counting_all
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import below
from xuezheng.kernel.indicators.definitions import Indicator
from xuezheng.kernel.indicators.engines import Engine, LiveEngine
from xuezheng.kernel.indicators.models import Reading


@dataclass(frozen=True)
class ProofRow:
    """One row: its id in the system, the organisation's code, counted in the numerator, and why."""

    row_id: str
    org: str
    counted: bool
    reason: str


@dataclass(frozen=True)
class Proof:
    """A page of proof rows and what the whole says about the reading.

    `hidden` rows lie outside the actor's scope: they are counted, not shown.  `agrees` is False when
    the records have changed since the reading was taken, so that its rows no longer add up to it.
    """

    rows: list[ProofRow]
    visible: int
    hidden: int
    counted: int
    agrees: bool


# The organisations of the reading are those under it; the actor's are those in scope.
_PAGE = """
SELECT row_id, org, counted, reason FROM ({proof}) AS proof
WHERE org = ANY(:visible) {only} ORDER BY counted, row_id LIMIT :limit OFFSET :offset
"""
_COUNTED = "count(*) FILTER (WHERE counted)"
_AMOUNTS = "CAST(COALESCE(sum(amount), 0) AS bigint)"
_TOTALS = """
SELECT count(*) FILTER (WHERE org = ANY(:visible) {only}), {numerator},
       count(*), count(*) FILTER (WHERE org = ANY(:visible))
FROM ({proof}) AS proof WHERE org = ANY(:members)
"""


def prove(
    reading: Reading,
    actor: Actor,
    *,
    limit: int = 50,
    offset: int = 0,
    counted: bool | None = None,
) -> Proof:
    """The rows behind a reading that the actor may see.  Six statements, whatever the number of rows.

    `counted` narrows to rows inside (True) or outside (False) the numerator.
    """
    indicator = reading.definition
    day = min(reading.period_to, reading.as_of, timezone.localdate())
    members = below({reading.organisation_id}, day)[reading.organisation_id]
    visible = members & actor.scope(indicator.permission).organisations
    codes = dict(Organisation.objects.filter(id__in=members).values_list("id", "code"))
    return prove_on(
        LiveEngine(),
        indicator,
        (reading.numerator, reading.denominator),
        period=(reading.period_from, reading.period_to),
        as_of=reading.as_of,
        members=list(codes.values()),
        visible=[codes[i] for i in visible],
        limit=limit,
        offset=offset,
        counted=counted,
    )


def prove_on(
    engine: Engine,
    indicator: Indicator,
    figure: tuple[int, int | None],
    *,
    period: tuple[dt.date, dt.date],
    as_of: dt.date,
    members: list[str],
    visible: list[str],
    limit: int = 50,
    offset: int = 0,
    counted: bool | None = None,
) -> Proof:
    """The proof of a figure (numerator, denominator) on either engine.

    `members` are the codes of the organisations behind the figure, `visible` those of them whose rows
    may be shown.
    """
    only = {None: "", True: "AND counted", False: "AND NOT counted"}[counted]
    days = {"from": period[0], "to": period[1], "as_of": as_of}
    totals = _TOTALS.format(
        proof=indicator.proof_sql,
        only=only,
        numerator=_AMOUNTS if indicator.mean else _COUNTED,
    )
    page = _PAGE.format(proof=indicator.proof_sql, only=only)
    scope = {"visible": visible}
    cut = {"limit": limit, "offset": offset}
    shown, numerator, total, seen = engine.totals(totals, days | scope | {"members": members})
    # Where rows have pseudonyms they are read past the policies: key, organisation and reason name nobody.
    read = engine.coded if indicator.coded else engine.rows
    rows = [
        ProofRow(str(i), org, bool(c), reason)
        for i, org, c, reason in read(page, days | scope | cut)
    ]
    expected = figure[0] if figure[1] is None else figure[1]
    agrees = total == expected and (figure[1] is None or numerator == figure[0])
    return Proof(rows, visible=shown, hidden=total - seen, counted=numerator, agrees=agrees)


@dataclass(frozen=True)
class RowWords:
    """How rows of a proof are called for a reader: `live` may be opened, `coded` only say which row."""

    live: Mapping[str, str]
    coded: Mapping[str, str]

    def of(self, row_id: str) -> str:
        """Words of a row; empty when it is gone, or out of reach and without pseudonym."""
        return self.live.get(row_id) or self.coded.get(row_id, "")


def row_words(indicator: Indicator, rows: Iterable[ProofRow], actor: Actor) -> RowWords:
    """Words of the rows of one page of a proof.  Pseudonyms only of rows that the page shows."""
    ids = [row.row_id for row in rows]
    live = indicator.live_rows(actor, ids) if indicator.live_rows else {}
    rest = [row_id for row_id in ids if row_id not in live]
    if not (indicator.coded and rest):
        return RowWords(live, {})
    with counting_all():
        return RowWords(live, indicator.coded(rest))

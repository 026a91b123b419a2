"""The rows behind a figure: which were counted, which not, and why."""

from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import below
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
WHERE org = ANY(%(visible)s) {only} ORDER BY counted, row_id LIMIT %(limit)s OFFSET %(offset)s
"""
_TOTALS = """
SELECT count(*) FILTER (WHERE org = ANY(%(visible)s) {only}), count(*) FILTER (WHERE counted),
       count(*), count(*) FILTER (WHERE org = ANY(%(visible)s))
FROM ({proof}) AS proof WHERE org = ANY(%(members)s)
"""


def prove(
    reading: Reading,
    actor: Actor,
    *,
    limit: int = 50,
    offset: int = 0,
    counted: bool | None = None,
) -> Proof:
    """The rows behind a reading that the actor may see.  Three queries, whatever the number of rows.

    `counted` narrows to rows inside (True) or outside (False) the numerator.
    """
    indicator = reading.definition
    day = min(reading.period_to, reading.as_of, timezone.localdate())
    members = below({reading.organisation_id}, day)[reading.organisation_id]
    visible = members & actor.scope(indicator.permission).organisations
    codes = dict(Organisation.objects.filter(id__in=members).values_list("id", "code"))
    only = {None: "", True: "AND counted", False: "AND NOT counted"}[counted]
    values = {
        "from": reading.period_from,
        "to": reading.period_to,
        "as_of": reading.as_of,
        "members": list(codes.values()),
        "visible": [codes[i] for i in visible],
        "limit": limit,
        "offset": offset,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS.format(proof=indicator.proof_sql, only=only), values)
        shown, numerator, total, seen = cursor.fetchone()
        cursor.execute(_PAGE.format(proof=indicator.proof_sql, only=only), values)
        rows = [ProofRow(str(i), org, bool(c), reason) for i, org, c, reason in cursor]
    expected = reading.numerator if reading.denominator is None else reading.denominator
    agrees = total == expected and (reading.denominator is None or numerator == reading.numerator)
    return Proof(rows, visible=shown, hidden=total - seen, counted=numerator, agrees=agrees)

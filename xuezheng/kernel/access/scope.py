"""Which organisations a post reaches, and querysets narrowed to them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from xuezheng.kernel.access.models import EdgeKind, Organisation

# Down from the given roots over edges in force; about 250 nodes, so no closure table is kept.
BELOW = """
WITH RECURSIVE below(root, id) AS (
    SELECT id, id FROM access_organisation WHERE id = ANY(%(roots)s)
  UNION
    SELECT below.root, edge.child_id FROM below
    JOIN access_organisationedge edge ON edge.parent_id = below.id
    WHERE edge.valid_from <= %(day)s AND (edge.valid_to IS NULL OR edge.valid_to >= %(day)s)
        AND edge.kind = ANY(%(kinds)s)
)
SELECT root, array_agg(id) FROM below GROUP BY root
"""
AUTHORITIES = """
WITH RECURSIVE above(start, id, depth) AS (
    SELECT id, id, 0 FROM access_organisation WHERE id = ANY(%(starts)s)
  UNION
    SELECT above.start, edge.parent_id, above.depth + 1 FROM above
    JOIN access_organisationedge edge ON edge.child_id = above.id AND edge.kind = 'authority'
    WHERE edge.valid_from <= %(day)s AND (edge.valid_to IS NULL OR edge.valid_to >= %(day)s)
)
SELECT DISTINCT ON (start) start, id FROM above ORDER BY start, depth DESC
"""


@dataclass(frozen=True)
class Scope:
    """The set of organisations (ids) in which an actor may use a permission.

    `everything`: the whole installation, also what lies in no organisation.
    """

    organisations: frozenset[int]
    everything: bool = False

    def __contains__(self, organisation_id: int) -> bool:
        return organisation_id in self.organisations

    def __bool__(self) -> bool:
        return bool(self.organisations)


@models.ForeignKey.register_lookup
@models.BigAutoField.register_lookup
class Within(models.Lookup):
    """`organisation__within=scope.organisations`: the key is one of a set, given as a single array.

    `__in` writes a parameter for each of a district's 170 organisations, which costs more than the
    query; this is also the same statement for everybody, so the server keeps it prepared.
    """

    lookup_name = "within"

    def get_prep_lookup(self) -> tuple[int, ...]:
        """Keys in order: the same set is the same statement."""
        return tuple(sorted(self.rhs))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """As text: an array of numbers would be sent with the width of its largest."""
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::bigint[])", [*params, f"{{{','.join(map(str, self.rhs))}}}"]


#: Edges along which authority and figures run.  Any other kind must be asked for by name.
DEFAULT_KINDS = (EdgeKind.AUTHORITY.value, EdgeKind.AREA.value)


def below(
    roots: set[int], day: dt.date, kinds: tuple[str, ...] = DEFAULT_KINDS
) -> dict[int, frozenset[int]]:
    """For every root: itself and all organisations under it on a day, over the kinds of edge."""
    with connection.cursor() as cursor:
        cursor.execute(BELOW, {"roots": list(roots), "day": day, "kinds": list(kinds)})
        return {root: frozenset(ids) for root, ids in cursor.fetchall()}


def authorities(starts: set[int], day: dt.date) -> dict[int, int]:
    """For every organisation: the topmost authority above it (itself when there is none)."""
    with connection.cursor() as cursor:
        cursor.execute(AUTHORITIES, {"starts": list(starts), "day": day})
        return dict(cursor.fetchall())


def authority_code(organisation_id: int, day: dt.date) -> str:
    """Code of the topmost authority above an organisation: whose own parameters apply there."""
    top = authorities({organisation_id}, day)[organisation_id]
    return Organisation.objects.values_list("code", flat=True).get(id=top)

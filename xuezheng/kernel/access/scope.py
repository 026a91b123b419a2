"""Which organisations a post reaches, and querysets narrowed to them."""

import datetime as dt
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection
from django.db.models import QuerySet

Q_ = TypeVar("Q_", bound=QuerySet)

# Down from the given roots over edges in force; about 250 nodes, so no closure table is kept.
BELOW = """
WITH RECURSIVE below(root, id) AS (
    SELECT id, id FROM access_organisation WHERE id = ANY(%(roots)s)
  UNION
    SELECT below.root, edge.child_id FROM below
    JOIN access_organisationedge edge ON edge.parent_id = below.id
    WHERE edge.valid_from <= %(day)s AND (edge.valid_to IS NULL OR edge.valid_to >= %(day)s)
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
    """The set of organisations (ids) in which an actor may use a permission."""

    organisations: frozenset[int]

    def __contains__(self, organisation_id: int) -> bool:
        return organisation_id in self.organisations

    def __bool__(self) -> bool:
        return bool(self.organisations)

    def narrow(self, rows: Q_, field: str) -> Q_:
        """The rows whose `field` (a path to an organisation id) lies in the scope."""
        return rows.filter(**{f"{field}__in": self.organisations})


def below(roots: set[int], day: dt.date) -> dict[int, frozenset[int]]:
    """For every root: itself and all organisations under it on a day, over any kind of edge."""
    with connection.cursor() as cursor:
        cursor.execute(BELOW, {"roots": list(roots), "day": day})
        return {root: frozenset(ids) for root, ids in cursor.fetchall()}


def authorities(starts: set[int], day: dt.date) -> dict[int, int]:
    """For every organisation: the topmost authority above it (itself when there is none)."""
    with connection.cursor() as cursor:
        cursor.execute(AUTHORITIES, {"starts": list(starts), "day": day})
        return dict(cursor.fetchall())

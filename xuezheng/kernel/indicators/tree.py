"""The organisation tree of a snapshot: dated edges as plain data, without a database."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from xuezheng.kernel.access.scope import DEFAULT_KINDS


@dataclass(frozen=True)
class Edge:
    """`parent` stands over `child` (codes) from a day, perhaps to a day."""

    parent: str
    child: str
    kind: str
    valid_from: dt.date
    valid_to: dt.date | None

    def in_force(self, day: dt.date) -> bool:
        """Whether the span covers the day."""
        return self.valid_from <= day and (self.valid_to is None or self.valid_to >= day)


def below(roots: Iterable[str], edges: Iterable[Edge], day: dt.date) -> dict[str, frozenset[str]]:
    """For every root: itself and all organisations under it on a day.

    The same answer as access.scope.below gives on the live tree (a test compares them).
    """
    children: dict[str, list[str]] = {}
    for edge in edges:
        if edge.kind in DEFAULT_KINDS and edge.in_force(day):
            children.setdefault(edge.parent, []).append(edge.child)
    found: dict[str, frozenset[str]] = {}
    for root in roots:
        seen, waiting = {root}, [root]
        while waiting:
            for child in children.get(waiting.pop(), ()):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
        found[root] = frozenset(seen)
    return found

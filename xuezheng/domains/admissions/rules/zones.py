"""Service areas: matching an address against the parts of which a season's areas are made.

A part covers a community or village, or a road in it: all of it, one side (odd or even numbers), a
range of numbers, or named buildings.  Communities are often split along a road, so a polygon alone
would not do.  The most exact part wins; two equally exact parts of different areas are an overlap.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Side(StrEnum):
    """House numbers of one side of a road."""

    BOTH = ""
    ODD = "odd"
    EVEN = "even"


class Place(NamedTuple):
    """An address as the rules see it: a community's code, road, number, building.

    A tuple, not a dataclass: a survey looks twenty thousand of them up in several tables.
    """

    community: str
    road: str = ""
    number: int | None = None
    building: str = ""


@dataclass(frozen=True)
class Part:
    """One line of a service area.  Empty road: the whole community; `first`..`last` inclusive."""

    zone: str
    community: str
    road: str = ""
    side: Side = Side.BOTH
    first: int | None = None
    last: int | None = None
    buildings: frozenset[str] = frozenset()

    def covers(self, place: Place) -> bool:
        """Whether an address lies in this part.  Without a number only whole roads cover it."""
        if place.community != self.community or (self.road and place.road != self.road):
            return False
        if self.buildings and place.building not in self.buildings:
            return False
        bounded = self.side != Side.BOTH or self.first is not None or self.last is not None
        if not bounded:
            return True
        if place.number is None:
            return False
        if self.side != Side.BOTH and (place.number % 2 == 1) != (self.side == Side.ODD):
            return False
        after = self.first is None or place.number >= self.first
        return after and (self.last is None or place.number <= self.last)

    @property
    def whole(self) -> bool:
        """Whether it covers a community or road whatever the number and building."""
        return self.exactness <= 1

    @property
    def exactness(self) -> int:
        """How exact the part is: community, road, side or range, buildings."""
        bounded = self.side != Side.BOTH or self.first is not None or self.last is not None
        return (4 if self.buildings else 0) + (2 if bounded else 0) + (1 if self.road else 0)


@dataclass(frozen=True)
class Found:
    """The areas of an address and the parts that say so.  Several areas: an overlap to be settled."""

    zones: tuple[str, ...]
    parts: tuple[Part, ...]


class Atlas:
    """The parts of one season, by community and road, so that a look-up reads few of them."""

    def __init__(self, parts: Iterable[Part]):
        self.by_road: dict[tuple[str, str], list[Part]] = defaultdict(list)
        for part in parts:
            self.by_road[part.community, part.road].append(part)
        # Where neither numbers nor buildings matter, one answer holds for the whole road.
        self._whole: dict[tuple[str, str], Found] = {}

    def find(self, place: Place) -> Found:
        """The areas whose most exact parts cover an address; none: a gap."""
        named = (place.community, place.road)
        road = named if named in self.by_road else (place.community, "")
        if road in self._whole:
            return self._whole[road]
        near = [
            part
            for key in dict.fromkeys(((place.community, ""), road))
            for part in self.by_road.get(key, ())
        ]
        covering = [part for part in near if part.covers(place)]
        found = Found((), ())
        if covering:
            best = max(part.exactness for part in covering)
            parts = tuple(part for part in covering if part.exactness == best)
            found = Found(tuple(sorted({part.zone for part in parts})), parts)
        if near and all(part.whole for part in near):
            self._whole[road] = found
        return found


@dataclass(frozen=True)
class Survey:
    """What checking a season's areas against all addresses found, as {address: areas}."""

    gaps: tuple[Place, ...]
    overlaps: Mapping[Place, tuple[str, ...]]
    changed: Mapping[Place, tuple[tuple[str, ...], tuple[str, ...]]]


def survey(
    places: Iterable[Place],
    atlas: Atlas,
    earlier: Atlas | None = None,
    called: Mapping[str, str] | None = None,
) -> Survey:
    """Gaps, overlaps, and what changed since an earlier season, over the addresses that exist.

    `called` translates this season's areas into what the earlier one's are compared by (schools).
    """
    gaps, overlaps, changed = [], {}, {}
    names: dict[tuple[str, ...], tuple[str, ...]] = {}
    for place in places:
        zones = atlas.find(place).zones
        if not zones:
            gaps.append(place)
        elif len(zones) > 1:
            overlaps[place] = zones
        if earlier is not None:
            now = names.get(zones)
            if now is None:
                now = names[zones] = (
                    zones if called is None else tuple(sorted({called[zone] for zone in zones}))
                )
            before = earlier.find(place).zones
            if before != now:
                changed[place] = (before, now)
    return Survey(tuple(gaps), overlaps, changed)

"""Balanced classes (阳光分班) by a draw that anybody can repeat.

Children are grouped into strata whose letters are published and whose meaning is not (sex, special
needs).  All are ordered by stratum and, inside one, by SHA-256(seed | code), then dealt out one by one to
the classes in turn.  So the classes differ by at most one child, in every stratum by at most one, and in
every run of neighbouring strata too: with the order boys, boys with special needs, girls with special
needs, girls that holds for boys, for girls and for special needs together.

Twins and triplets who must be together or apart change places with children of the same stratum, so that
no count moves.  A group comes together in the first class in which all can sit, tried in the order of its
codes; or parts one by one into the first class by number that holds none of it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: (male, special needs) -> letter, in dealing order; a child of unknown sex comes last.
STRATA = {(True, False): "A", (True, True): "B", (False, True): "C", (False, False): "D"}
UNKNOWN = "E"


def stratum(sex: str, special: bool) -> str:
    """The letter of a child's stratum by sex (GB/T 2261.1) and special needs."""
    return UNKNOWN if sex not in {"1", "2"} else STRATA[sex == "1", special]


def rank(seed: str, code: str) -> bytes:
    """What a code is ordered by."""
    return hashlib.sha256(f"{seed}|{code}".encode()).digest()


@dataclass(frozen=True)
class Classed:
    """Code -> class number from 1; teacher -> class number; wishes that no change of places can meet."""

    classes: Mapping[str, int]
    teachers: Mapping[str, int]
    unmet: tuple[tuple[str, ...], ...] = ()


@dataclass
class _Dealing:
    """Who sits where, while twins change places."""

    seed: str
    strata: Mapping[str, str]
    at: dict[str, int] = field(default_factory=dict)

    def change(self, code: str, target: int, kept: frozenset[str]) -> bool:
        """Move a child to a class, in exchange for the first by rank of its stratum that may move."""
        there = [
            other
            for other, number in self.at.items()
            if number == target and other not in kept and self.strata[other] == self.strata[code]
        ]
        if not there:
            return False
        other = min(there, key=lambda one: rank(self.seed, one))
        self.at[other], self.at[code] = self.at[code], target
        return True

    def gather(self, group: Sequence[str], kept: frozenset[str]) -> bool:
        """Bring a group into one class; nothing moves where no class can take all."""
        before = dict(self.at)
        for target in [before[code] for code in group]:
            if all(self.at[code] == target or self.change(code, target, kept) for code in group):
                return True
            self.at = dict(before)
        return False

    def part(self, group: Sequence[str], classes: int, kept: frozenset[str]) -> bool:
        """Part a group, as far as it goes; whether all sit in different classes."""
        for place, code in enumerate(group):
            held = {self.at[other] for other in group}
            if self.at[code] in {self.at[other] for other in group[:place]}:
                free = (number for number in range(1, classes + 1) if number not in held)
                any(self.change(code, number, kept) for number in free)
        return len({self.at[code] for code in group}) == len(group)


def deal(
    seed: str,
    strata: Mapping[str, str],
    classes: int,
    *,
    together: Sequence[tuple[str, ...]] = (),
    apart: Sequence[tuple[str, ...]] = (),
    teachers: Sequence[str] = (),
) -> Classed:
    """Deal children (code -> stratum) into `classes` classes; head teachers are drawn to them.

    Raises ValueError without a class, for more classes than children, for a group with an unknown code,
    and for other than as many teachers as classes where there are any.
    """
    if not 1 <= classes <= max(1, len(strata)):
        raise ValueError("as many classes as there are children at most, and one at least")
    groups = [*together, *apart]
    if any(code not in strata for group in groups for code in group):
        raise ValueError("a group names a child that is not on the list")
    if teachers and len(set(teachers)) != classes:
        raise ValueError("one head teacher for each class")
    order = sorted(strata, key=lambda code: (strata[code], rank(seed, code)))
    dealing = _Dealing(seed, strata)
    for place, code in enumerate(order):
        dealing.at[code] = place % classes + 1
    kept = frozenset(code for group in groups for code in group)
    unmet = [group for group in sorted(together) if not dealing.gather(group, kept)]
    if classes > 1:
        unmet += [group for group in sorted(apart) if not dealing.part(group, classes, kept)]
    drawn = sorted(set(teachers), key=lambda code: rank(seed, f"teacher|{code}"))
    return Classed(
        dealing.at, {code: number for number, code in enumerate(drawn, start=1)}, tuple(unmet)
    )

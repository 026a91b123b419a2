"""Balanced classes (阳光分班) by a draw that anybody can repeat.

Children are grouped into strata whose letters are published and whose meaning is not (sex, special
needs).  All are ordered by stratum and, inside one, by SHA-256(seed | code), then dealt out one by one to
the classes in turn.  So the classes differ by at most one child, in every stratum by at most one, and in
every run of neighbouring strata too: with the order boys, boys with special needs, girls with special
needs, girls that holds for boys, for girls and for special needs together.

Twins who must be together or apart change places with a child of the same stratum, so that no count moves.
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
    unmet: tuple[tuple[str, str], ...] = ()


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


def deal(
    seed: str,
    strata: Mapping[str, str],
    classes: int,
    *,
    together: Sequence[tuple[str, str]] = (),
    apart: Sequence[tuple[str, str]] = (),
    teachers: Sequence[str] = (),
) -> Classed:
    """Deal children (code -> stratum) into `classes` classes; head teachers are drawn to them.

    Raises ValueError without a class, for more classes than children, for a pair with an unknown code,
    and for other than as many teachers as classes where there are any.
    """
    if not 1 <= classes <= max(1, len(strata)):
        raise ValueError("as many classes as there are children at most, and one at least")
    pairs = [*together, *apart]
    if any(code not in strata for pair in pairs for code in pair):
        raise ValueError("a pair names a child that is not on the list")
    if teachers and len(set(teachers)) != classes:
        raise ValueError("one head teacher for each class")
    order = sorted(strata, key=lambda code: (strata[code], rank(seed, code)))
    dealing = _Dealing(seed, strata)
    for place, code in enumerate(order):
        dealing.at[code] = place % classes + 1
    kept = frozenset(code for pair in pairs for code in pair)
    unmet = []
    for first, second in sorted(together):
        at = dealing.at
        if at[first] != at[second] and not (
            dealing.change(second, at[first], kept) or dealing.change(first, at[second], kept)
        ):
            unmet.append((first, second))
    for first, second in sorted(apart):
        if dealing.at[first] == dealing.at[second] and classes > 1:
            others = [n for n in range(1, classes + 1) if n != dealing.at[second]]
            if not any(dealing.change(second, number, kept) for number in others):
                unmet.append((first, second))
    drawn = sorted(set(teachers), key=lambda code: rank(seed, f"teacher|{code}"))
    return Classed(
        dealing.at, {code: number for number, code in enumerate(drawn, start=1)}, tuple(unmet)
    )

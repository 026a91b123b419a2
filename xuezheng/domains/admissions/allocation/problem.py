"""The input of an allocation: children with lists and keys, schools with places.

A key is what a school compares children by, lower first, from left to right: usually (tier, order
inside the tier, draw number).  Keys at one school must differ: a draw number breaks every tie.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Key = tuple[Any, ...]


class Mechanism(StrEnum):
    """How places are given.

    DEFERRED: student-proposing deferred acceptance (Gale and Shapley): no child envies a place that
    its key would have had, and no family gains by a list that is not its true one.
    IMMEDIATE: choices in rounds, a place once given is kept (志愿优先, "Boston"); neither holds.
    SERIAL: one order of all children, each takes the first school with room.  Where a child's key is
    the same at all schools that is what deferred acceptance gives, and so it is computed; where keys
    differ by school the school's own key decides.
    """

    DEFERRED = "deferred_acceptance"
    IMMEDIATE = "immediate_acceptance"
    SERIAL = "serial"


class BadInput(ValueError):
    """The input cannot be used; the message names the child or school and what is wrong."""


@dataclass(frozen=True)
class Child:
    """One child: its list, best first, its key at each school of the list, whom it is tied to."""

    code: str
    preferences: tuple[str, ...]
    keys: Mapping[str, Key]
    together: str | None = None


@dataclass(frozen=True)
class Problem:
    """A checked input.  `groups` are the tied children, each as a tuple of codes in order.

    Tied children have one list.  They count with the worst of their keys at each school, so that no
    other child loses a place that the weaker twin alone could not have taken.
    """

    mechanism: Mechanism
    children: Mapping[str, Child]
    places: Mapping[str, int]
    groups: tuple[tuple[str, ...], ...] = ()
    ties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def key(self, code: str, school: str) -> Key:
        """The key that counts for a child at a school of its list: that of the group, if tied.

        Members of a group follow each other in the order of their codes.
        """
        group = self.ties.get(code)
        if group is None:
            return self.children[code].keys[school]
        worst = max(self.children[member].keys[school] for member in group)
        return (*worst, group.index(code))

    @classmethod
    def build(cls, mechanism: str, children: list[Child], places: Mapping[str, int]) -> "Problem":
        """Check and build.  Raises BadInput."""
        try:
            chosen = Mechanism(mechanism)
        except ValueError:
            raise BadInput(f"unknown mechanism: {mechanism}") from None
        by_code: dict[str, Child] = {}
        for child in children:
            if by_code.setdefault(child.code, child) is not child:
                raise BadInput(f"child {child.code}: given twice")
            _check_child(child, places)
        groups = _groups(by_code)
        ties = {code: group for group in groups for code in group}
        problem = cls(chosen, by_code, dict(places), groups, ties)
        _check_keys(problem)
        return problem

    @classmethod
    def from_json(cls, data: Any) -> "Problem":
        """Read the documented JSON.  Raises BadInput."""
        if not isinstance(data, dict):
            raise BadInput("the input is not a JSON object")
        for name in ("mechanism", "children", "schools"):
            if name not in data:
                raise BadInput(f"the input has no {name!r}")
        places: dict[str, int] = {}
        for entry in _list(data["schools"], "schools"):
            code = _code(entry, "school")
            if code in places:
                raise BadInput(f"school {code}: given twice")
            number = entry.get("places")
            if type(number) is not int or number < 0:
                raise BadInput(f"school {code}: places must be a whole number from 0")
            places[code] = number
        children = [_child(entry) for entry in _list(data["children"], "children")]
        return cls.build(str(data["mechanism"]), children, places)


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f"{name!r} must be a list")
    return value


def _code(entry: Any, what: str) -> str:
    code = entry.get("code") if isinstance(entry, dict) else None
    if not isinstance(code, str) or not code or "," in code or "\n" in code:
        raise BadInput(f"a {what} without a usable code: {str(entry)[:80]}")
    return code


def _child(entry: Any) -> Child:
    code = _code(entry, "child")
    preferences, keys = entry.get("preferences"), entry.get("keys")
    together = entry.get("together")
    if not isinstance(preferences, list) or not all(isinstance(s, str) for s in preferences):
        raise BadInput(f"child {code}: preferences must be a list of school codes")
    if not isinstance(keys, dict):
        raise BadInput(f"child {code}: keys must be an object, school code to list")
    if together is not None and (not isinstance(together, str) or not together):
        raise BadInput(f"child {code}: together must be a code or null")
    for school, key in keys.items():
        if not isinstance(key, list) or not key:
            raise BadInput(f"child {code}, school {school}: the key must be a list")
        if any(isinstance(part, bool) or not isinstance(part, int | float | str) for part in key):
            raise BadInput(f"child {code}, school {school}: a key holds numbers or texts only")
        if any(part != part for part in key):
            raise BadInput(f"child {code}, school {school}: the key holds no number (NaN)")
    return Child(code, tuple(preferences), {s: tuple(k) for s, k in keys.items()}, together)


def _check_child(child: Child, places: Mapping[str, int]) -> None:
    if len(set(child.preferences)) < len(child.preferences):
        raise BadInput(f"child {child.code}: a school stands twice in the preferences")
    for school in child.preferences:
        if school not in places:
            raise BadInput(f"child {child.code}: unknown school {school}")
        if school not in child.keys:
            raise BadInput(f"child {child.code}: no key at school {school}")


def _groups(children: Mapping[str, Child]) -> tuple[tuple[str, ...], ...]:
    """Tied children: `together` is another child's code, or a word that the tied ones share."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.get(name, name) != name:
            name = leader[name]
        return name

    for child in children.values():
        if child.together is not None:
            if child.together == child.code:
                raise BadInput(f"child {child.code}: tied to itself")
            # A word of its own kind, so that it is never taken for a child.
            other = child.together if child.together in children else f"\n{child.together}"
            leader[find(child.code)] = find(other)
    members: dict[str, list[str]] = {}
    for code in children:
        if code in leader or any(find(c) == code for c in leader):
            members.setdefault(find(code), []).append(code)
    groups = []
    for codes in members.values():
        if len(codes) < 2:
            raise BadInput(f"child {codes[0]}: tied to nobody in the input")
        lists = {children[code].preferences for code in codes}
        if len(lists) > 1:
            raise BadInput(f"child {min(codes)}: tied children must have the same preferences")
        groups.append(tuple(sorted(codes)))
    return tuple(sorted(groups))


def _check_keys(problem: Problem) -> None:
    """Keys at one school must be comparable and differ."""
    seen: dict[tuple[str, Key], str] = {}
    shape: dict[str, tuple[str, tuple[bool, ...]]] = {}
    for child in problem.children.values():
        for school in child.preferences:
            key = child.keys[school]
            kinds = tuple(isinstance(part, str) for part in key)
            first, expected = shape.setdefault(school, (child.code, kinds))
            if kinds != expected:
                raise BadInput(
                    f"child {child.code}, school {school}: the key cannot be compared with that of"
                    f" child {first}"
                )
            other = seen.setdefault((school, key), child.code)
            tied = problem.ties.get(child.code)
            if other != child.code and not (tied and other in tied):
                raise BadInput(
                    f"children {other} and {child.code} have the same key at school {school}:"
                    " give each a draw number"
                )

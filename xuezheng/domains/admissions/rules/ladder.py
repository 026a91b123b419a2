"""The ladder of tiers of a season: data, read by a closed list of conditions.

A rule set is JSON: {"tiers": [{"code", "label", "all": [condition, ...], "order": [measure, ...]}]}.
A condition is {"is": name, ...parameters}; a measure is a name of ORDERS.  There are no expressions:
a condition that a district needs and that is not here is added here, with a test.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Later than any date that a family can have: who has none comes last in its tier.
NEVER = dt.date(9999, 12, 31)


class BadRules(ValueError):
    """A rule set that cannot be used; the message names tier and condition."""


@dataclass(frozen=True)
class Facts:
    """What is established of a family with regard to one school.  None: not known.

    `owner` is whose home it is: self, parent, grandparent, other, none.  `share` is what child and
    parents own of it, in per cent.  `title` is what the ownership rests on: deed, contract (with the
    last full-payment invoice), demolition, self_built, public_rental.  Days are those of the document
    that counts: move into the register, deed or last invoice.
    """

    register_in_zone: bool = False
    register_in_district: bool = False
    register_in_town: bool = False
    register_date: dt.date | None = None
    registered_since_birth: bool = False
    home_in_zone: bool = False
    home_in_town: bool = False
    owner: str = "none"
    share: int = 0
    title: str = ""
    title_date: dt.date | None = None
    residential: bool = True
    same_address: bool = False
    parents_own_no_home: bool = False
    residence_permit: bool = False
    permit_date: dt.date | None = None
    points: int | None = None
    reserved: frozenset[str] = frozenset()
    sibling_at_school: bool = False
    staff_child: bool = False
    own_primary: bool = False
    dwelling_locked: bool = False
    registered_survey: bool = True


Test = Callable[[Facts, Mapping[str, Any]], bool]


def _by(day: dt.date | None, condition: Mapping[str, Any]) -> bool:
    return day is not None and day <= dt.date.fromisoformat(condition["day"])


#: name -> (parameters, test).  Parameters in brackets of admissions practice: day is ISO.
CONDITIONS: dict[str, tuple[frozenset[str], Test]] = {
    "register_in_zone": (frozenset(), lambda f, c: f.register_in_zone),
    "register_in_town": (frozenset(), lambda f, c: f.register_in_town),
    "register_in_district": (frozenset(), lambda f, c: f.register_in_district),
    "register_by": (frozenset({"day"}), lambda f, c: _by(f.register_date, c)),
    "registered_since_birth": (frozenset(), lambda f, c: f.registered_since_birth),
    "home_in_zone": (frozenset(), lambda f, c: f.home_in_zone and f.residential),
    "home_in_town": (frozenset(), lambda f, c: f.home_in_town and f.residential),
    "owner_is": (frozenset({"whose"}), lambda f, c: f.owner in c["whose"]),
    "share_at_least": (frozenset({"percent"}), lambda f, c: f.share >= c["percent"]),
    "share_above": (frozenset({"percent"}), lambda f, c: f.share > c["percent"]),
    "title_is": (frozenset({"kinds"}), lambda f, c: f.title in c["kinds"]),
    "title_by": (frozenset({"day"}), lambda f, c: _by(f.title_date, c)),
    "title_after": (
        frozenset({"day"}),
        lambda f, c: f.title_date is not None and f.title_date > dt.date.fromisoformat(c["day"]),
    ),
    "same_address": (frozenset(), lambda f, c: f.same_address),
    "parents_own_no_home": (frozenset(), lambda f, c: f.parents_own_no_home),
    "residence_permit": (frozenset(), lambda f, c: f.residence_permit),
    "permit_by": (frozenset({"day"}), lambda f, c: _by(f.permit_date, c)),
    "points_at_least": (
        frozenset({"points"}),
        lambda f, c: f.points is not None and f.points >= c["points"],
    ),
    "reserved": (frozenset({"lists"}), lambda f, c: bool(f.reserved & set(c["lists"]))),
    "sibling_at_school": (frozenset(), lambda f, c: f.sibling_at_school),
    "staff_child": (frozenset(), lambda f, c: f.staff_child),
    "own_primary": (frozenset(), lambda f, c: f.own_primary),
    "dwelling_free": (
        frozenset(),
        lambda f, c: not f.dwelling_locked or f.sibling_at_school,
    ),
    "registered_survey": (frozenset(), lambda f, c: f.registered_survey),
}
#: Measures of the order inside a tier, lower first.
ORDERS: dict[str, Callable[[Facts], int]] = {
    "register_date": lambda f: (f.register_date or NEVER).toordinal(),
    "title_date": lambda f: (f.title_date or NEVER).toordinal(),
    "permit_date": lambda f: (f.permit_date or NEVER).toordinal(),
    "points": lambda f: -(f.points if f.points is not None else -1),
    "sibling_first": lambda f: 0 if f.sibling_at_school else 1,
    "lottery": lambda f: 0,
}


@dataclass(frozen=True)
class Tier:
    """A rung: all conditions must hold; `order` is compared from left to right."""

    code: str
    label: str
    conditions: tuple[Mapping[str, Any], ...]
    order: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """Where a family stands at a school: tier (from 1), the numbers of its order, and why.

    `missed` are the conditions of the tier above that do not hold: what the family is told.
    """

    tier: int
    code: str
    order: tuple[int, ...]
    missed: tuple[str, ...]

    def key(self, draw: int) -> tuple[int, ...]:
        """The key of an allocation: tier, order, draw number."""
        return (self.tier, *self.order, draw)


@dataclass(frozen=True)
class Ladder:
    """A checked rule set."""

    tiers: tuple[Tier, ...]
    width: int

    @classmethod
    def read(cls, data: Any) -> "Ladder":
        """From JSON.  Raises BadRules."""
        entries = data.get("tiers") if isinstance(data, dict) else None
        if not isinstance(entries, list) or not entries:
            raise BadRules("a rule set needs a list of tiers")
        tiers = tuple(_tier(number, entry) for number, entry in enumerate(entries, start=1))
        codes = [tier.code for tier in tiers]
        if len(set(codes)) < len(codes):
            raise BadRules("two tiers have one code")
        return cls(tiers, max(len(tier.order) for tier in tiers))

    def stand(self, facts: Facts) -> Standing | None:
        """The first tier all of whose conditions hold; None when no tier admits the family."""
        missed: tuple[str, ...] = ()
        for number, tier in enumerate(self.tiers, start=1):
            failing = tuple(c["is"] for c in tier.conditions if not holds(c, facts))
            if not failing:
                numbers = tuple(ORDERS[name](facts) for name in tier.order)
                # One width for all tiers, so that keys of one school can be compared.
                padded = numbers + (0,) * (self.width - len(numbers))
                return Standing(number, tier.code, padded, missed)
            missed = failing
        return None


def holds(condition: Mapping[str, Any], facts: Facts) -> bool:
    """Whether one condition holds."""
    return CONDITIONS[condition["is"]][1](facts, condition)


def _tier(number: int, entry: Any) -> Tier:
    if not isinstance(entry, dict) or not entry.get("code") or not entry.get("label"):
        raise BadRules(f"tier {number}: code and label are needed")
    where = f"tier {entry['code']}"
    conditions, order = entry.get("all", []), entry.get("order", [])
    if not isinstance(conditions, list) or not isinstance(order, list):
        raise BadRules(f"{where}: conditions and order are lists")
    for condition in conditions:
        _check(where, condition)
    for name in order:
        if name not in ORDERS:
            raise BadRules(f"{where}: unknown order {name}")
    return Tier(str(entry["code"]), str(entry["label"]), tuple(conditions), tuple(order))


def _check(where: str, condition: Any) -> None:
    name = condition.get("is") if isinstance(condition, dict) else None
    if name not in CONDITIONS:
        raise BadRules(f"{where}: unknown condition {name}")
    expected = CONDITIONS[name][0]
    given = set(condition) - {"is"}
    if given != expected:
        raise BadRules(f"{where}, {name}: needs {sorted(expected)}, has {sorted(given)}")
    if "day" in expected:
        try:
            dt.date.fromisoformat(condition["day"])
        except (TypeError, ValueError):
            raise BadRules(f"{where}, {name}: {condition['day']} is no day") from None
    for parameter in expected & {"percent", "points"}:
        if not isinstance(condition[parameter], int):
            raise BadRules(f"{where}, {name}: {parameter} must be a whole number")
    for parameter in expected & {"whose", "kinds", "lists"}:
        values: Sequence[Any] = condition[parameter]
        if not isinstance(values, list) or not values:
            raise BadRules(f"{where}, {name}: {parameter} must be a list")

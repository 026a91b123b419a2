"""The children of the seasons: leavers of kindergartens and of grade 6 as the registry has them.

Children of three years are in no list of the registry yet: they are invented, in homes that exist.
"""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from xuezheng.domains.admissions.rules.ages import Level, birth_span
from xuezheng.registry.codes import CITIZEN_ID
from xuezheng.registry.demo.invent import Inventor, days_between, initials_of
from xuezheng.registry.models import Dwelling, Guardianship, Pupil, Residence

#: The stage whose last class enters a level, and how many years ago that class entered.
LEAVERS = {Level.PRIMARY: ("kindergarten", 3), Level.JUNIOR: ("primary", 6)}
#: The stage where the children of last year's season are now.
ENTERED = {Level.PRIMARY: "primary", Level.JUNIOR: "junior"}
FATHER, MOTHER = "51", "52"


@dataclass(frozen=True, slots=True)
class Home:
    """A dwelling with what service areas ask of it."""

    id: int
    community_id: int
    community: str
    town_id: int
    road: str
    number: int | None
    building: str
    words: str


@dataclass(slots=True)
class Child:
    """A child of age: `guardians` are (relation, name, number, phone), the main one first."""

    name: str
    initials: str
    sex: str
    born: dt.date
    id_number: str | None
    id_kind: str = CITIZEN_ID
    pupil: Any = None
    at: int | None = None
    register: Home | None = None
    home: Home | None = None
    guardians: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)

    @property
    def town_id(self) -> int | None:
        """Town of the register, else of the home."""
        place = self.register or self.home
        return place.town_id if place else None


def homes() -> dict[int, Home]:
    """All dwellings of the district (one query); rows without models, since there are so many."""
    rows = Dwelling.objects.order_by("id").values_list(
        "id", "community_id", "community__code", "community__town_id", "road", "number", "building",
        "community__name", "suffix", "room",
    )  # fmt: skip
    found = {}
    for key, community, code, town, road, number, building, name, suffix, room in rows:
        words = f"{name}{road}{number or ''}{suffix}号"
        words += (f"{building}幢" if building else "") + (f"{room}室" if room else "")
        found[key] = Home(key, community, code, town, road, number, building, words)
    return found


def leavers(level: Level, year: int, places: dict[int, Home]) -> list[Child]:
    """Children whom the registry will send on to a level in a year, with guardians and homes."""
    stage, back = LEAVERS[level]
    return _read(places, school_class__stage=stage, school_class__entry_year=year - back)


def entered(level: Level, year: int, places: dict[int, Home]) -> list[Child]:
    """Children who entered a level in a year and are there."""
    stage = ENTERED[level]
    return _read(places, school_class__stage=stage, school_class__entry_year=year)


def _read(places: dict[int, Home], **where: Any) -> list[Child]:
    """The children with homes and guardians; rows without models, since there are so many."""
    rows = Pupil.objects.live().filter(status="01", **where)
    children = {
        key: Child(*about, pupil=key, at=school)
        for key, school, *about in rows.order_by("id").values_list(
            "id", "organisation_id", "name", "initials", "sex", "born_on", "id_number", "id_kind"
        )
    }
    held = Residence.objects.filter(pupil__in=rows, valid_to__isnull=True)
    for pupil, kind, dwelling in held.values_list("pupil_id", "kind", "dwelling_id"):
        if kind == Residence.Kind.REGISTER:
            children[pupil].register = places[dwelling]
        else:
            children[pupil].home = places[dwelling]
    answering = Guardianship.objects.filter(pupil__in=rows, valid_to__isnull=True)
    for pupil, *about in answering.order_by("-main", "id").values_list(
        "pupil_id", "relation", "guardian__name", "guardian__id_number", "guardian__phone"
    ):
        children[pupil].guardians.append(tuple(about))
    return [child for child in children.values() if child.home and child.id_number]


def invented(
    year: int, count: int, people: dict[str, Any], chance: random.Random, places: dict[int, Home]
) -> list[Child]:
    """Children of kindergarten age, of parents and in homes of the district."""
    invent = Inventor(people, chance)
    first, last = birth_span(Level.KINDERGARTEN, year)
    all_homes = list(places.values())
    children = []
    for _ in range(count):
        born = days_between(first, last, chance.random())
        sex, surname = invent.sex(), invent.surname()
        name = surname + invent.given(sex, "child")
        area = None if chance.random() < 0.86 else invent.outside_area()
        number = invent.citizen(born, sex, area) if area else invent.citizen(born, sex)
        home = all_homes[int(chance.random() * len(all_homes))]
        mother = invent.surname() + invent.given("2")
        when = born - dt.timedelta(days=int(365 * chance.uniform(24, 36)))
        children.append(
            Child(
                name, initials_of(name), sex, born, number,
                register=None if area else home, home=home,
                guardians=[
                    (MOTHER, mother, invent.citizen(when, "2"), invent.phone()),
                    (FATHER, surname + invent.given("1"), invent.citizen(when, "1"), invent.phone()),
                ],
            )
        )  # fmt: skip
    return children

"""Everything about people and places, told and written by COPY."""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from xuezheng.kernel.access.models import Organisation
from xuezheng.registry.demo.families import Child, Families
from xuezheng.registry.demo.invent import Inventor
from xuezheng.registry.demo.places import Places, open_years
from xuezheng.registry.demo.plan import (
    ISLANDS,
    Calendar,
    ClassPlan,
    Scale,
    peopled,
    read_sites,
    tell_story,
)
from xuezheng.registry.demo.pupils import Pupils, Story
from xuezheng.registry.demo.rows import Stream, go_on_after, write
from xuezheng.registry.demo.staff import Staff
from xuezheng.registry.organisations import OrganisationKind

__all__ = ["Scale", "Told", "load_people", "tell_people"]

#: Tables whose keys are given by hand.
NUMBERED = ["registry_schoolclass", "registry_community", "registry_dwelling"]


@dataclass
class Told:
    """What was invented, as lines ready for COPY, in an order that foreign keys allow."""

    streams: list[Stream]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(len(stream.lines) for stream in self.streams)


def tell_people(spec: dict[str, Any], scale: Scale, chance: random.Random, today: dt.date) -> Told:
    """Invent people and places for the sites that the database holds.  Writes nothing."""
    calendar = Calendar(today)
    now = dt.datetime.combine(today, dt.time(6), timezone.get_default_timezone()).isoformat()
    invent = Inventor(spec, chance)
    sites = read_sites()
    tell_story(sites)
    chosen = peopled(sites, scale)
    classes = ClassPlan(chance, calendar, scale).form(chosen)
    families = Families(invent, now)
    story = Story(invent, families, calendar)
    story.tell(classes)
    first = {child.key: _first_day(child, today) for child in story.children}
    families.write_guardians(lambda child: first[child.key])
    places = Places(spec, invent, calendar, scale)
    towns = _towns()
    places.write_communities(
        {code: row.id for code, row in towns.items()},
        {code: f"{row.name[:-1]}岛" for code, row in towns.items() if code in ISLANDS},
    )
    for serial, site in enumerate(sites, start=1):
        places.write_site(site, serial)
    for one in classes:
        places.write_class(one)
    for family in families.all:
        places.write_homes(family, first)
    pupils = Pupils(invent, now)
    for child in story.children:
        pupils.write(child)
    staff = Staff(spec, invent, calendar, now)
    staff.tell(sites, chosen)
    staff.write()
    return Told(
        [
            *(places.profiles, places.communities, places.dwellings, places.classes),
            *(pupils.pupils, pupils.placements, families.guardians, families.guardianships),
            *(places.residences, staff.people, staff.employments),
        ]
    )


def load_people(
    spec: dict[str, Any],
    scale: Scale,
    chance: random.Random,
    today: dt.date,
    told: Callable[[float], None] = lambda share: None,
) -> int:
    """Invent and write people and places; returns the number of rows.

    `told` hears the share of the work that is done, 0 to 1; inventing is about half of it.
    """
    open_years(Organisation.objects.get(kind=OrganisationKind.BUREAU), Calendar(today))
    invented = tell_people(spec, scale, chance, today)
    told(0.5)
    rows = write(invented.streams, lambda share: told(0.5 + share / 2))
    go_on_after(NUMBERED)
    return rows


def _first_day(child: Child, today: dt.date) -> dt.date:
    return child.placements[0][2] if child.placements else today


def _towns() -> dict[str, Organisation]:
    """Town code (the part after the hyphen) -> its organisation."""
    rows = Organisation.objects.filter(kind=OrganisationKind.TOWN).order_by("order")
    return {row.code.rpartition("-")[2]: row for row in rows}

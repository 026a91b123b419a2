"""What is known of the sites; school years and terms; communities and dwellings."""

import datetime as dt
from typing import Any

from xuezheng.kernel.access.models import Organisation
from xuezheng.registry.demo.families import Family
from xuezheng.registry.demo.invent import HOME, Inventor
from xuezheng.registry.demo.plan import (
    CITY,
    FULL_PLACES,
    ISLANDS,
    LARGEST,
    TOWNS,
    Calendar,
    Class,
    Scale,
    Site,
)
from xuezheng.registry.demo.rows import Stream
from xuezheng.registry.models import SchoolYear, Term
from xuezheng.registry.organisations import OrganisationKind

#: 学校类别, first two digits of a school code.  The next two, 99, are no province's.
CODE_KINDS = {
    OrganisationKind.KINDERGARTEN: "11",
    OrganisationKind.PRIMARY: "21",
    OrganisationKind.JUNIOR: "31",
    OrganisationKind.NINE_YEAR: "31",
    OrganisationKind.SENIOR: "34",
    OrganisationKind.VOCATIONAL: "36",
    OrganisationKind.SPECIAL: "51",
    OrganisationKind.ADULT: "93",
}
#: Places are planned by full classes.
PLACES = LARGEST | {"primary": 45, "junior": 50}
SPECIAL_PLACES = 8


def open_years(bureau: Organisation, calendar: Calendar) -> None:
    """School years of the calendar and the next one, each with two terms."""
    for year in (*calendar.years, calendar.current + 1):
        row = SchoolYear.objects.create(
            organisation=bureau,
            code=f"{year}-{year + 1}",
            starts_on=dt.date(year, 9, 1),
            ends_on=dt.date(year + 1, 8, 31),
        )
        for number, first, last in (
            (1, dt.date(year, 9, 1), dt.date(year + 1, 1, 22)),
            (2, dt.date(year + 1, 2, 20), dt.date(year + 1, 6, 30)),
        ):
            Term.objects.create(school_year=row, number=number, starts_on=first, ends_on=last)


class Places:
    """Profiles, classes, communities, dwellings and residences as rows."""

    def __init__(self, spec: dict[str, Any], invent: Inventor, calendar: Calendar, scale: Scale):
        self.spec, self.invent, self.chance = spec, invent, invent.chance
        self.calendar, self.scale = calendar, scale
        self.profiles = Stream(
            "registry_siteprofile",
            (
                *("organisation_id", "school_code", "credit_code", "ownership", "locality"),
                *("island", "places", "address", "phone", "opening_balance", "version"),
            ),
        )
        self.classes = Stream(
            "registry_schoolclass",
            (
                *("id", "organisation_id", "stage", "entry_year", "number", "name"),
                *("valid_from", "valid_to", "version"),
            ),
        )
        self.communities = Stream(
            "registry_community", ("id", "town_id", "code", "name", "kind", "island")
        )
        self.dwellings = Stream(
            "registry_dwelling",
            ("id", "community_id", "road", "number", "suffix", "building", "room"),
        )
        self.residences = Stream(
            "registry_residence", ("pupil_id", "dwelling_id", "kind", "valid_from")
        )
        #: town -> [(community id, is village, its roads)]
        self._by_town: dict[str, list[tuple[int, bool, list[str]]]] = {}
        self._taken: set[tuple] = set()
        self._homes = 0

    def write_site(self, site: Site, serial: int) -> None:
        """A site's profile; its places follow from the classes that it forms."""
        public = site.kind not in (OrganisationKind.TRAINING, OrganisationKind.KINDERGARTEN)
        ownership = "public" if public or site.island else "private"
        if site.kind == OrganisationKind.KINDERGARTEN and not site.island:
            ownership = self.chance.choices(["public", "inclusive", "private"], [50, 38, 12])[0]
        locality = "urban" if site.town in CITY else "town" if site.town in TOWNS else "rural"
        kind = CODE_KINDS.get(site.kind)
        self.profiles.add(
            site.id,
            f"{kind}99{serial:06d}" if kind else None,
            self.invent.credit_code(serial) if ownership == "public" else "",
            ownership,
            locality,
            "t" if site.island else "f",
            self._places(site),
            f"{self.chance.choice(self.spec['roads'])}{self.chance.randint(1, 160)}号",
            f"0000-{2_000_000 + serial:07d}",
            "f",
            1,
        )

    def _places(self, site: Site) -> int | None:
        if site.story == "full" and self.scale == Scale.DISTRICT:
            return FULL_PLACES
        rooms = [one for one in site.classes if one.ends >= self.calendar.today]
        if not rooms:
            return None
        if site.story == "full":
            return 45 * len(rooms)
        if site.kind == OrganisationKind.SPECIAL:
            return (SPECIAL_PLACES + 2) * len(rooms)
        return sum(PLACES[one.stage] for one in rooms)

    def write_class(self, one: Class) -> None:
        """A class; one that has ended has its last day."""
        ended = one.ends if one.ends < self.calendar.today else None
        self.classes.add(
            *(one.id, one.site.id, one.stage, one.entry, one.number, "", one.opened, ended, 1)
        )

    def write_communities(self, towns: dict[str, int], islands: dict[str, str]) -> None:
        """Five to eight communities or villages a town; `towns` is code -> organisation id."""
        names = self.spec["communities"]
        for street, (town, organisation) in enumerate(towns.items(), start=1):
            for number in range(1, self.chance.randint(5, 8) + 1):
                village = town not in CITY and (town in ISLANDS or number > 3)
                key = len(self.communities.lines) + 1
                stem = names[(street * 5 + number) % len(names)]
                code = f"{HOME}{street:03d}{200 + number if village else number:03d}"
                self.communities.add(
                    key,
                    organisation,
                    code,
                    f"{stem}{'村' if village else '社区'}",
                    "village" if village else "community",
                    islands.get(town, ""),
                )
                pool = self.spec["hamlets" if village else "roads"]
                start = (street * 7 + number * 3) % len(pool)
                roads = [pool[(start + step) % len(pool)] for step in range(3)]
                self._by_town.setdefault(town, []).append((key, village, roads))

    def _dwelling(self, town: str) -> int:
        """A dwelling of its own for a family: a house in a village, mostly a flat elsewhere."""
        chance = self.chance
        while True:
            options = self._by_town[town]
            community, village, roads = options[int(chance.random() * len(options))]
            road = roads[int(chance.random() * len(roads))]
            number, building, room = 1 + int(chance.random() * 180), "", ""
            if village:
                number = 1 + int(chance.random() * 400)
            elif chance.random() < 0.9:
                building = str(1 + int(chance.random() * 24))
                room = f"{1 + int(chance.random() * 17)}0{1 + int(chance.random() * 4)}"
            suffix = "-1" if village and chance.random() < 0.1 else ""
            place = (community, road, number, suffix, building, room)
            if place not in self._taken:
                self._taken.add(place)
                break
        self._homes += 1
        self.dwellings.add(self._homes, *place)
        return self._homes

    def write_homes(self, family: Family, since: dict[str, dt.date]) -> None:
        """Where a family lives, and where it is registered when that is in the district.

        A family that was entered twice is so with the same dwelling.
        """
        again = family.same_as
        lives = again.dwelling if again else self._dwelling(family.town)
        family.dwelling = lives
        registered = None
        if family.area == HOME:
            # Some keep their register at grandparents'.
            moved = not again and self.chance.random() < 0.06
            registered = self._dwelling(family.town) if moved else lives
        for child in family.children:
            self.residences.add(child.key, lives, "actual", since[child.key])
            if registered:
                self.residences.add(child.key, registered, "register", since[child.key])

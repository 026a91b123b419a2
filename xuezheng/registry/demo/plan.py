"""Which site has how many classes of which size, year by year; the story is here.

The story: 鹤汀镇's first primary school is too full and gets fuller (three years running); the primary
school of 石浪镇, an island, has lost half of its teachers, that of 远礁乡 has one for everything; the
over-large classes of the city are leaving, so that the share of classes within the limit rises.
"""

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge
from xuezheng.registry.codes import STAGE_YEARS
from xuezheng.registry.organisations import SITE_KINDS, OrganisationKind

STAGES = {
    OrganisationKind.KINDERGARTEN: ("kindergarten",),
    OrganisationKind.PRIMARY: ("primary",),
    OrganisationKind.JUNIOR: ("junior",),
    OrganisationKind.NINE_YEAR: ("primary", "junior"),
    OrganisationKind.SENIOR: ("senior",),
    OrganisationKind.VOCATIONAL: ("vocational",),
    OrganisationKind.SPECIAL: ("primary", "junior"),
}
#: Children of one age in the whole district, by stage.
COHORT = {"kindergarten": 2800, "primary": 2740, "junior": 2580, "senior": 1400, "vocational": 800}
#: The size that a class is planned for, and the largest that an ordinary school forms.
USUAL = {"kindergarten": 27, "primary": 40, "junior": 43, "senior": 45, "vocational": 41}
LARGEST = {"kindergarten": 30, "primary": 44, "junior": 49, "senior": 50, "vocational": 48}
#: Age in whole years on 31 August before entering.
ENTRY_AGE = {"kindergarten": 3, "primary": 6, "junior": 12, "senior": 15, "vocational": 15}
#: The towns, in the district's order, by how large their schools are; the last four are islands.
CITY, TOWNS = ("XG", "WC", "QJ"), ("HT", "YD", "XB", "GF", "YZ")
ISLANDS = {"SL": 22, "XL": 11, "YJ": 3, "DY": 4}
ALL_TOWNS = (*CITY, *TOWNS, *ISLANDS)
#: Children of one age on an island school, relative to a primary one.
ISLAND_SHARE = {"kindergarten": 0.8, "primary": 1.0, "junior": 1.3}
#: The school that is too full: size of a class by how many years ago it entered.
FULL_TOWN, FULL_CLASSES, FULL_PLACES = "HT", 3, 780
FULL_SIZES = (51, 49, 47, 44, 43, 41)
#: Sizes to which city schools used to fill their classes, for entries before the limit was kept.
OVERSIZE, OVERSIZE_SCHOOLS, OVERSIZE_ENDED_BEFORE = (46, 48), 6, 4
#: The island school that has lost its teachers: how many it had and has.
SHORT_TOWN, SHORT_BEFORE, SHORT_NOW = "SL", 8, 3
#: The school of the user "island", who does everything.
ALONE_TOWN = "YJ"


class Scale(StrEnum):
    """How much of the district is peopled."""

    SMALL = "small"
    DISTRICT = "district"


@dataclass
class Class:
    """A class to be filled: its key in the table, its planned size, its children once filled."""

    id: int
    site: "Site"
    stage: str
    entry: int
    number: int
    size: int
    members: list = field(default_factory=list)

    @property
    def opened(self) -> dt.date:
        """The first of September of its entry."""
        return dt.date(self.entry, 9, 1)

    @property
    def ends(self) -> dt.date:
        """The last day of its last school year."""
        return dt.date(self.entry + STAGE_YEARS[self.stage], 8, 31)


@dataclass
class Site:
    """A place where children or learners are."""

    id: int
    code: str
    kind: OrganisationKind
    town: str
    order: int
    classes: list[Class] = field(default_factory=list)
    story: str = ""
    places: int = 0

    @property
    def island(self) -> bool:
        """Whether it lies on one of the islands."""
        return self.town in ISLANDS


@dataclass
class Calendar:
    """The school years that the demo tells, by the year in which each began.

    `first` covers 1 January two years before the day, because readings are computed from then on.
    """

    today: dt.date

    @property
    def current(self) -> int:
        """The running school year."""
        return self.today.year if self.today.month >= 9 else self.today.year - 1

    @property
    def first(self) -> int:
        """The earliest school year with history."""
        return self.today.year - 3

    @property
    def years(self) -> range:
        """All of them."""
        return range(self.first, self.current + 1)


def read_sites() -> list[Site]:
    """The sites of the tree, with the town of each.  Town codes are the part after the hyphen."""
    towns = {
        child: code.rpartition("-")[2]
        for child, code in OrganisationEdge.objects.filter(
            kind=EdgeKind.AREA, parent__kind=OrganisationKind.TOWN
        ).values_list("child_id", "parent__code")
    }
    rows = Organisation.objects.filter(kind__in=SITE_KINDS).order_by("order", "code")
    return [
        Site(row.id, row.code, OrganisationKind(row.kind), towns[row.id], order)
        for order, row in enumerate(rows)
    ]


def tell_story(sites: Iterable[Site]) -> None:
    """Mark the schools that the story is about."""
    primaries = [site for site in sites if site.kind == OrganisationKind.PRIMARY]
    for story, town in (("full", FULL_TOWN), ("short", SHORT_TOWN), ("alone", ALONE_TOWN)):
        next(site for site in primaries if site.town == town).story = story
    city = [site for site in primaries if site.town in CITY]
    for site in city[1 : OVERSIZE_SCHOOLS + 1]:
        site.story = "oversize"


def peopled(sites: list[Site], scale: Scale) -> list[Site]:
    """The sites that get children: all with stages, or the story's and one of each kind."""
    able = [site for site in sites if site.kind in STAGES]
    if scale == Scale.DISTRICT:
        return able
    chosen, kinds = [], set()
    for site in able:
        if site.kind not in kinds or site.story in {"full", "short", "alone"}:
            chosen.append(site)
        kinds.add(site.kind)
    return chosen


def _factor(stage: str, entry: int, current: int) -> float:
    """How a cohort differs from today's: fewer small children are born from year to year."""
    return 1 + (0.03 if stage == "kindergarten" else 0.01) * (current - entry)


class ClassPlan:
    """Forms the classes of every site for all entries that are at school within the calendar."""

    def __init__(self, chance: random.Random, calendar: Calendar, scale: Scale):
        self.chance, self.calendar, self.scale = chance, calendar, scale
        self.classes: list[Class] = []

    def entries(self, stage: str) -> range:
        """Entry years that are at school on some day of the calendar."""
        return range(self.calendar.first - STAGE_YEARS[stage] + 1, self.calendar.current + 1)

    def form(self, sites: list[Site]) -> list[Class]:
        """Classes of all sites, by stage."""
        for stage in COHORT:
            able = [site for site in sites if stage in STAGES[site.kind]]
            weights = {site.id: self._weight(site, stage) for site in able}
            whole = sum(weights.values()) or 1
            fixed = sum(self._island(site, stage) for site in able if site.island)
            for site in able:
                if site.kind == OrganisationKind.SPECIAL:
                    size = 8.0
                elif site.island:
                    size = self._island(site, stage)
                elif self.scale == Scale.SMALL:
                    size = USUAL[stage] * 0.9
                else:
                    size = (COHORT[stage] - fixed) * weights[site.id] / whole
                self._site(site, stage, size)
        return self.classes

    def _weight(self, site: Site, stage: str) -> float:
        if site.island or site.kind == OrganisationKind.SPECIAL:
            return 0.0
        share = 1.0 if site.town in CITY else 0.5
        if site.kind == OrganisationKind.NINE_YEAR:
            share *= 0.6
        return share * self.chance.uniform(0.8, 1.2)

    def _island(self, site: Site, stage: str) -> float:
        return ISLANDS[site.town] * ISLAND_SHARE.get(stage, 1.0)

    def _site(self, site: Site, stage: str, cohort: float) -> None:
        for entry in self.entries(stage):
            if site.story == "full":
                count = 1 if self.scale == Scale.SMALL else FULL_CLASSES
                age = self.calendar.current - entry
                sizes = [FULL_SIZES[age] if age < len(FULL_SIZES) else 40] * count
            else:
                sizes = self._sizes(site, stage, cohort, entry)
            for number, size in enumerate(sizes, start=1):
                one = Class(len(self.classes) + 1, site, stage, entry, number, size)
                self.classes.append(one)
                site.classes.append(one)

    def _sizes(self, site: Site, stage: str, cohort: float, entry: int) -> list[int]:
        current = self.calendar.current
        children = cohort * _factor(stage, entry, current)
        if site.kind == OrganisationKind.SPECIAL:
            return [self.chance.randint(6, 9)]
        if site.story == "oversize" and current - entry >= OVERSIZE_ENDED_BEFORE:
            count = max(1, round(children / sum(OVERSIZE) * 2))
            return [self.chance.randint(*OVERSIZE) for _ in range(count)]
        count = max(1, round(children / USUAL[stage]))
        while children / count > LARGEST[stage] - 1:
            count += 1
        spread = 1 if children < 12 else 2
        return [
            max(
                1,
                min(LARGEST[stage], round(children / count) + self.chance.randint(-spread, spread)),
            )
            for _ in range(count)
        ]

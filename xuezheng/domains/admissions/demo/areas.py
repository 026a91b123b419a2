"""Seasons, the schools in them, and the service areas: every community of the district has one."""

import datetime as dt
import json
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import timezone

from xuezheng.domains.admissions.demo.rolls import Child, Home
from xuezheng.domains.admissions.models import (
    Intake,
    Redirection,
    RuleSet,
    Season,
    Zone,
    ZonePart,
)
from xuezheng.domains.admissions.rules.ages import Level
from xuezheng.domains.admissions.rules.zones import Atlas, Place
from xuezheng.domains.admissions.selectors import atlas
from xuezheng.kernel.access.models import Organisation
from xuezheng.registry.demo.plan import FULL_TOWN, Site, read_sites
from xuezheng.registry.models import Community, Dwelling, SiteProfile
from xuezheng.registry.organisations import OrganisationKind

LADDERS = Path(__file__).parents[1] / "ladders"
KINDS = {
    Level.KINDERGARTEN: (OrganisationKind.KINDERGARTEN,),
    Level.PRIMARY: (OrganisationKind.PRIMARY, OrganisationKind.NINE_YEAR),
    Level.JUNIOR: (OrganisationKind.JUNIOR, OrganisationKind.NINE_YEAR),
}
#: Children that a class is planned for (班额, less a few kept free).
CLASS = {Level.KINDERGARTEN: 25, Level.PRIMARY: 45, Level.JUNIOR: 50}
#: What share of its children the full school can take: less than those registered at their own home
#: in its area, so that the day of their registration decides.
FULL_SHARE = 0.58
#: Days from the day of the demo: opens, closes, faults until, result, confirm until, arrival.
DAYS = {
    Level.PRIMARY: (-75, -61, -50, -12, -5, 9),
    Level.JUNIOR: (-34, -20, 4, 14, 20, 33),
    Level.KINDERGARTEN: (-4, 10, 17, 30, 36, 60),
}
STATES = {
    Level.PRIMARY: Season.State.PUBLISHED,
    Level.JUNIOR: Season.State.CHECKING,
    Level.KINDERGARTEN: Season.State.OPEN,
}
LABELS = {Level.KINDERGARTEN: "幼儿园", Level.PRIMARY: "小学", Level.JUNIOR: "初中"}
RESIDENCE_TIER = {
    "code": "D",
    "label": "随迁子女（居住证）",
    "all": [{"is": "residence_permit"}],
    "order": ["permit_date"],
}


@dataclass
class Term:
    """A season with what telling its story needs.  Schools are organisation ids."""

    level: Level
    season: Season
    atlas: Atlas
    zone_schools: dict[str, list[int]]
    zone_names: dict[str, str]
    intakes: dict[int, Intake] = field(default_factory=dict)
    redirected: dict[int, list[int]] = field(default_factory=dict)
    full: int | None = None
    private: int | None = None
    #: Of how many children one puts the private school on its list.
    private_each: int = 0

    def day(self, offset: int, today: dt.date) -> dt.date:
        """A day of the calendar by its place in DAYS."""
        return today + dt.timedelta(days=DAYS[self.level][offset])

    def schools_at(self, home: Home | None) -> list[int]:
        """Schools of the areas in which a home lies."""
        return [s for zone in self.zones_at(home) for s in self.zone_schools[zone]]

    def zones_at(self, home: Home | None) -> tuple[str, ...]:
        """Areas of a home."""
        if home is None:
            return ()
        return self.atlas.find(Place(home.community, home.road, home.number, home.building)).zones


def moment(day: dt.date, hour: int = 9, minute: int = 0) -> dt.datetime:
    """A moment in the zone of the district."""
    return dt.datetime.combine(day, dt.time(hour, minute), timezone.get_default_timezone())


def rule_sets(bureau: Organisation, today: dt.date) -> dict[Level, RuleSet]:
    """The two ladders in force and one that is only tried out."""
    data = json.loads((LADDERS / "register_first.json").read_text(encoding="utf-8"))
    data["tiers"].append(RESIDENCE_TIER)
    young = json.loads((LADDERS / "kindergarten_batches.json").read_text(encoding="utf-8"))
    adopted = {
        "adopted_on": today - dt.timedelta(days=110),
        "meeting_number": f"局务会〔{today.year}〕9号",
    }
    made = {}
    for level, name, ladder in (
        (Level.PRIMARY, "小学户籍优先", data),
        (Level.JUNIOR, "初中户籍优先", data),
        (Level.KINDERGARTEN, "幼儿园分批", young),
    ):
        made[level] = RuleSet.objects.create(
            organisation=bureau, name=name, level=level, number=1, data=ladder, **adopted
        )
    RuleSet.objects.create(
        organisation=bureau, name="小学户籍优先", level=Level.PRIMARY, number=2,
        note="试算：有房无户按房产证日期排在户房分离之前",
        data={**data, "tiers": [data["tiers"][i] for i in (0, 1, 3, 2, 4)]},
    )  # fmt: skip
    return made


def make_season(
    spec: dict[str, Any], bureau: Organisation, level: Level, year: int, rules: RuleSet,
    today: dt.date, *, back: int = 0, copied_from: Season | None = None,
) -> Season:  # fmt: skip
    """A season; `back` days earlier than this year's, then finished."""
    days = [today + dt.timedelta(days=offset - back) for offset in DAYS[level]]
    return Season.objects.create(
        organisation=bureau,
        year=year,
        level=level,
        title=f"{year}年{LABELS[level]}招生",
        state=Season.State.FINISHED if back else STATES[level],
        rule_set=rules,
        opens_at=moment(days[0]),
        closes_at=moment(days[1], 17),
        faults_until=days[2],
        result_on=days[3],
        confirm_until=days[4],
        arrival_on=days[5],
        register_by=days[0] - dt.timedelta(days=30),
        guide=spec["guide"][level.value],
        phone=spec["phone"],
        copied_from=copied_from,
    )


def cells(
    sites: list[Site], communities: dict[str, list[Community]], wide: int | None
) -> list[tuple[Community, str, list[int]]]:
    """(community, side of its roads or "", schools): each town's communities shared by its schools.

    A town without a school belongs to that of the town before it; where there are more schools than
    communities, some are divided by odd and even house numbers, and at last several schools share one.
    The area of the school `wide` takes what is left over in its town.
    """
    made: list[tuple[Community, str, list[int]]] = []
    own: list[Site] = []
    for town, parts in communities.items():
        own = [site for site in sites if site.town == town] or own
        split = min(max(0, len(own) - len(parts)), len(parts))
        places = [(part, side) for part in parts[:split] for side in ("odd", "even")]
        places += [(part, "") for part in parts[split:]]
        shares: list[list[int]] = [[] for _ in places]
        for index, site in enumerate(own):
            shares[min(index, len(places) - 1)].append(site.id)
        left = [site.id for site in own if site.id == wide] or [site.id for site in own]
        for index in range(len(own), len(places)):
            shares[index].append(left[index % len(left)])
        made += [(*place, schools) for place, schools in zip(places, shares, strict=True)]
    return made


def make_areas(level: Level, season: Season, sites: list[Site], wide: int | None = None) -> Term:
    """Write the service areas of a season."""
    towns = dict(Organisation.objects.filter(kind=OrganisationKind.TOWN).values_list("id", "code"))
    by_town: dict[str, list[Community]] = defaultdict(list)
    for community in Community.objects.order_by("code"):
        by_town[towns[community.town_id].rpartition("-")[2]].append(community)
    names = dict(Organisation.objects.values_list("id", "name"))
    roads: dict[int, set[str]] = defaultdict(set)
    pairs = Dwelling.objects.values_list("community_id", "road").order_by().distinct()
    for community_id, road in pairs:
        roads[community_id].add(road)
    grouped: dict[tuple[int, ...], list[tuple[Community, str]]] = defaultdict(list)
    for community, side, schools in cells(sites, by_town, wide):
        grouped[tuple(schools)].append((community, side))
    zones = Zone.objects.bulk_create(
        Zone(
            season=season,
            code=f"{level[0].upper()}{number:03d}",
            name="、".join(names[school] for school in schools)[:56] + "服务区",
        )
        for number, schools in enumerate(grouped, start=1)
    )
    through = Zone.schools.through
    through.objects.bulk_create(
        through(zone_id=zone.id, organisation_id=school)
        for zone, schools in zip(zones, grouped, strict=True)
        for school in schools
    )
    parts = []
    for zone, places in zip(zones, grouped.values(), strict=True):
        for community, side in places:
            for road in sorted(roads[community.id]) if side else [""]:
                parts.append(ZonePart(zone=zone, community=community, road=road, side=side))
    ZonePart.objects.bulk_create(parts)
    return Term(
        level,
        season,
        atlas(season),
        {str(z.id): list(schools) for z, schools in zip(zones, grouped, strict=True)},
        {str(z.id): z.name for z in zones},
    )


def sites_of(level: Level) -> list[Site]:
    """Schools or kindergartens of a level."""
    return [site for site in read_sites() if site.kind in KINDS[level]]


def plan_places(term: Term, sites: list[Site], children: Iterable[Child]) -> None:
    """Write places: enough everywhere, but for the story's full school and for the private one."""
    demand: dict[int, int] = defaultdict(int)
    for child in children:
        for school in term.schools_at(child.register or child.home)[:1]:
            demand[school] += 1
    zoned = {school for schools in term.zone_schools.values() for school in schools}
    per = CLASS[term.level]
    if term.level == Level.PRIMARY:
        wanted = full_school(sites)
        busiest = max(demand, key=lambda school: demand[school])
        term.full = wanted if demand[wanted] >= per / 2 else busiest
    rows = []
    for site in sites:
        private = site.id == term.private
        if site.id not in zoned and not private:
            continue
        classes = max(1, math.ceil(demand[site.id] * 1.04 / per))
        places = classes * per
        if site.id == term.full:
            places = max(1, round(demand[site.id] * FULL_SHARE))
            classes = max(1, math.ceil(places / per))
        if private:
            places, classes = max(3, sum(demand.values()) // 45), 2
            term.private_each = max(1, sum(demand.values()) * 10 // (17 * places))
        rows.append(
            Intake(
                season=term.season, school_id=site.id, places=places, classes=classes,
                mode=Intake.Mode.CHOICE if private else Intake.Mode.ZONE,
                draw_when_over=private,
            )
        )  # fmt: skip
    Intake.objects.bulk_create(rows)
    term.intakes = {row.school_id: row for row in rows}
    if term.full:
        _redirect(term, sites)
        # Its first neighbour opens a class more for whom it cannot take.
        first = term.intakes[term.redirected[term.full][0]]
        first.places, first.classes = first.places + per, first.classes + 1
        first.save(update_fields=["places", "classes"])


def _redirect(term: Term, sites: list[Site]) -> None:
    """Whom the full school cannot take goes to its neighbours in the town, else to the next town."""
    full = next(site for site in sites if site.id == term.full)
    others = [s for s in sites if s.id in term.intakes and s.id not in (term.full, term.private)]
    near = [s for s in others if s.town == full.town] or [s for s in others if not s.island]
    chosen = near[:2]
    Redirection.objects.bulk_create(
        Redirection(intake=term.intakes[full.id], target=term.intakes[site.id], rank=rank)
        for rank, site in enumerate(chosen, start=1)
    )
    term.redirected[full.id] = [site.id for site in chosen]


def full_school(sites: list[Site]) -> int:
    """The school of the story: near new estates, and too small."""
    return next(s.id for s in sites if s.town == FULL_TOWN and s.kind == OrganisationKind.PRIMARY)


def found_private_school(sites: list[Site]) -> Site:
    """The district's private nine-year school: no area of its own, drawn when over-full."""
    site = [s for s in sites if s.kind == OrganisationKind.NINE_YEAR][1]
    SiteProfile.objects.filter(organisation_id=site.id).update(ownership="private", credit_code="")
    return site

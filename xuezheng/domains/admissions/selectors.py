"""Reads used by more than one caller."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xuezheng.domains.admissions.models import (
    Intake,
    Redirection,
    Season,
    Zone,
    ZonePart,
)
from xuezheng.domains.admissions.rules.zones import Atlas, Place
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.reference.calendar import due_after
from xuezheng.kernel.reference.changes import kept
from xuezheng.kernel.reference.parameters import Setting, settings_on
from xuezheng.registry.models import Community, Dwelling

PREFIX = "admissions"


def admission_settings(day: dt.date, owner: str) -> dict[str, Setting]:
    """All admission parameters in force on a day for an authority, by its code (one query)."""
    return settings_on(day, PREFIX, owner)


def working_days(settings: dict[str, Setting], name: str, day: dt.date) -> dt.date:
    """The day on which a term of working days, begun on a day, ends."""
    return due_after(day, settings[name].value)


def open_seasons() -> list[Season]:
    """Seasons that take registrations at this moment, by level (one query)."""
    seasons = Season.objects.filter(state=Season.State.OPEN).select_related("organisation")
    return [season for season in seasons.order_by("level", "id") if season.takes_applications()]


def atlas(season: Season) -> Atlas:
    """The service areas of a season for look-ups (one query); areas are named by their id as text."""
    parts = ZonePart.objects.filter(zone__season=season).select_related("community")
    return Atlas(part.as_part(str(part.zone_id), part.community.code) for part in parts)


def place_of(dwelling: Dwelling) -> Place:
    """A dwelling as the rules of areas see it; its community must have been selected with it."""
    return Place(dwelling.community.code, dwelling.road, dwelling.number, dwelling.building)


def schools_of(zones: Iterable[str]) -> dict[str, list[Organisation]]:
    """Area id -> its schools in order (two queries)."""
    rows = Zone.objects.filter(id__in=[int(zone) for zone in zones]).prefetch_related("schools")
    return {str(zone.id): list(zone.schools.all()) for zone in rows}


@dataclass(frozen=True)
class Ground:
    """What all registrations of a season on a day share; kept by the process, so never altered.

    `communities` by code; `schools`: area id -> ids of its schools in order; `names`: area id -> name; `intakes` by id;
    `redirections`: (intake, the one it sends on to) by rank; `verified_by`: end of the term of
    checking that begins on `day`.
    """

    day: dt.date
    communities: Mapping[str, Community]
    atlas: Atlas
    schools: Mapping[str, Sequence[int]]
    names: Mapping[str, str]
    intakes: Mapping[int, Intake]
    redirections: Sequence[tuple[int, int]]
    settings: Mapping[str, Setting]
    verified_by: dt.date

    def areas(self, *dwellings: Dwelling | None) -> tuple[list[str], list[int]]:
        """Names of the areas and ids of their schools: those of the first dwelling come first."""
        found = (self.atlas.find(place_of(dwelling)).zones for dwelling in dwellings if dwelling)
        zones = list(dict.fromkeys(zone for some in found for zone in some))
        schools = dict.fromkeys(school for zone in zones for school in self.schools[zone])
        return [self.names[zone] for zone in zones], list(schools)


def ground_of(season: Season, day: dt.date) -> Ground:
    """The ground of a season on a day.  One query; ten after a change to one of its tables."""

    def read() -> Ground:
        settings = admission_settings(day, authority_code(season.organisation_id, day))
        zones = list(season.zones.prefetch_related("schools"))
        redirections = Redirection.objects.filter(intake__season=season)
        return Ground(
            day=day,
            communities={community.code: community for community in Community.objects.all()},
            atlas=atlas(season),
            schools={str(zone.id): [school.id for school in zone.schools.all()] for zone in zones},
            names={str(zone.id): zone.name for zone in zones},
            intakes={intake.id: intake for intake in Intake.objects.filter(season=season)},
            redirections=list(
                redirections.order_by("rank", "intake").values_list("intake_id", "target_id")
            ),
            settings=settings,
            verified_by=working_days(settings, "verification_days", day),
        )

    return kept(("admissions", season.id, day), read)

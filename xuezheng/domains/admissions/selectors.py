"""Reads used by more than one caller."""

import datetime as dt
from collections.abc import Iterable

from xuezheng.domains.admissions.models import Season, Zone, ZonePart
from xuezheng.domains.admissions.rules.zones import Atlas, Place
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.reference.calendar import due_after
from xuezheng.kernel.reference.parameters import Setting, settings_on
from xuezheng.registry.models import Dwelling

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

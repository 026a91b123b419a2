"""How full each school will be: children of its area against its places, published before registration."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from xuezheng.domains.admissions.models import Intake, Season, Zone
from xuezheng.domains.admissions.rules.forecast import Warning, warning
from xuezheng.domains.admissions.rules.zones import Atlas
from xuezheng.domains.admissions.selectors import admission_settings, atlas
from xuezheng.domains.admissions.services.zoning import child_counts
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import authority_code


@dataclass(frozen=True)
class Outlook:
    """A school's forecast.  `few`: so few children that their number is not shown."""

    school: Organisation
    places: int
    children: int
    few: bool
    light: Warning


def forecast(season: Season, day: dt.date) -> list[Outlook]:
    """Every school with an area, in order.  Numbers only, whoever asks (eight queries).

    Schools that share an area share its children by their places.  Children whose address lies in no
    area, or in several, are counted nowhere here: the survey of areas names them.
    """
    settings = admission_settings(day, authority_code(season.organisation_id, day))
    yellow, red = settings["warning_yellow"].value, settings["warning_red"].value
    least = settings["forecast_min_cell"].value
    areas: Atlas = atlas(season)
    inside: dict[str, int] = defaultdict(int)
    for place, number in child_counts(season).items():
        zones = areas.find(place).zones
        if len(zones) == 1:
            inside[zones[0]] += number
    intakes = {
        row.school_id: row
        for row in season.intakes.filter(mode=Intake.Mode.ZONE).select_related("school")
    }
    coming: dict[int, float] = defaultdict(float)
    for zone in Zone.objects.filter(season=season).prefetch_related("schools"):
        sharing = [intakes[s.id] for s in zone.schools.all() if s.id in intakes]
        total = sum(row.places for row in sharing)
        for row in sharing:
            part = row.places / total if total else 1 / len(sharing)
            coming[row.school_id] += inside[str(zone.id)] * part
    return [
        Outlook(
            row.school,
            row.places,
            round(coming[key]),
            0 < round(coming[key]) < least,
            warning(round(coming[key]), row.places, yellow=yellow, red=red),
        )
        for key, row in intakes.items()
        if key in coming
    ]

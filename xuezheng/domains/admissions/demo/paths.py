"""Ways beside the regular one, and homes that gave a family its place: what the desks of both show."""

import datetime as dt
import random
import uuid
from typing import Any

from django.db import connection

from xuezheng.domains.admissions.models import PathRequest, RollEntry, Season
from xuezheng.domains.admissions.selectors import admission_settings
from xuezheng.domains.admissions.services.paths import ask_path, examine, grant
from xuezheng.domains.admissions.services.standing import lock_ends
from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.access.scope import authority_code

Kind = PathRequest.Kind


def tell_paths(
    spec: dict[str, Any],
    season: Season,
    school: Organisation,
    users: dict[str, User],
    chance: random.Random,
    today: dt.date,
) -> None:
    """Three requests of a season: one granted, one that waits for a decision, one just handed in.

    The first two are of children on the roll who have not registered.
    """
    officer, leader = StaffActor(users["admissions"]), StaffActor(users["deputy-basic"])
    unregistered = RollEntry.objects.filter(season=season, outcome="").order_by("-id")[:2]
    for kind, entry in zip((Kind.HOME, Kind.SPECIAL), unregistered, strict=False):
        told = spec["paths"][kind]
        request = ask_path(
            kind=kind, season=season, child_name=entry.name, id_number=entry.id_number,
            guardian_name=told["guardian"], phone="", ground=told["ground"], at_counter=True,
            key=uuid.UUID(int=chance.getrandbits(128)), by=officer,
        )  # fmt: skip
        examine(request, opinion=told["opinion"], version=request.case.version, by=officer)
        if "note" in told:
            request.refresh_from_db()
            grant(request, note=told["note"], version=request.case.version, by=leader)
    told = spec["paths"][Kind.TRANSFER]
    ask_path(
        kind=Kind.TRANSFER, season=None, child_name=told["child"], sex=told["sex"],
        born_on=dt.date(today.year - 9, 3, 14), guardian_name=told["guardian"], phone="",
        ground=told["ground"], school=school, grade=told["grade"], at_counter=True,
        key=uuid.UUID(int=chance.getrandbits(128)), by=officer,
    )  # fmt: skip


_LOCKED = """
INSERT INTO admissions_dwellinglock (dwelling_id, school_id, pupil_id, from_year, until_year)
SELECT a.home_dwelling_id, i.school_id, e.pupil_id, %(year)s, %(until)s
FROM admissions_offer o
JOIN admissions_application a ON a.case_id = o.application_id
JOIN admissions_rollentry e ON e.id = a.entry_id
JOIN admissions_intake i ON i.id = o.intake_id
WHERE a.season_id = %(season)s AND i.mode = 'zone' AND a.home_dwelling_id IS NOT NULL
    AND e.pupil_id IS NOT NULL AND a.owner <> 'none'
ON CONFLICT DO NOTHING
"""


def lock_last_year(season: Season, today: dt.date) -> None:
    """The homes of last year's children, as publication and arrival would have locked them."""
    settings = admission_settings(today, authority_code(season.organisation_id, today))
    years = settings[f"lock_years_{season.level}"].value
    values = {"season": season.id, "year": season.year, "until": lock_ends(season.year, years)}
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, values)

"""Homes that gave a child its place: locked at publication or arrival, free again if the child does not come."""

from collections.abc import Iterable, Sequence

from django.utils import timezone

from xuezheng.domains.admissions.models import Application, DwellingLock, Intake, Season
from xuezheng.domains.admissions.selectors import admission_settings
from xuezheng.domains.admissions.services.standing import lock_ends
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.scope import authority_code


def lock_homes(season: Season, placed: Sequence[tuple[Application, int]]) -> int:
    """Lock the homes by which children got a place: (application with entry, school id).

    For as many years as the parameter of the level says; 0 years is no lock.  Only homes that the family
    owns, only schools that take by area, only children whom the registry knows (the others' are locked
    when they arrive and get their row there).  Writing one twice does nothing.
    """
    today = timezone.localdate()
    settings = admission_settings(today, authority_code(season.organisation_id, today))
    years = settings[f"lock_years_{season.level}"].value
    if not years:
        return 0
    by_area = set(
        Intake.objects.filter(season=season, mode=Intake.Mode.ZONE).values_list("school", flat=True)
    )
    locks = [
        DwellingLock(
            dwelling_id=row.home_dwelling_id,
            school_id=school_id,
            pupil_id=row.entry.pupil_id,
            from_year=season.year,
            until_year=lock_ends(season.year, years),
        )
        for row, school_id in placed
        if row.home_dwelling_id
        and row.entry.pupil_id
        and row.owner != Application.Owner.NONE
        and school_id in by_area
    ]
    DwellingLock.objects.bulk_create(locks, ignore_conflicts=True, batch_size=5000)
    return len(locks)


def unlock_homes(rows: Iterable[Application]) -> int:
    """A place was given up, or nobody came: the home that this season locked for it is free again.

    Under the program's reach: neither family nor school may touch locks.  Returns how many.
    """
    freed = 0
    with fenced(by=JobActor("admissions.locks")):
        for row in rows:
            gone, _by_model = DwellingLock.objects.filter(
                pupil__roll_entries=row.entry_id,
                dwelling=row.home_dwelling_id,
                from_year=row.season.year,
            ).delete()
            freed += gone
    return freed

"""A child entered twice: what admissions keep of it follows when the registrar merges the rows."""

import datetime as dt

from tests.people import People
from tests.season import make_season
from xuezheng.domains.admissions.models import DwellingLock, RollEntry
from xuezheng.registry.models import DuplicatePair, PersonMerge
from xuezheng.registry.services import merging
from xuezheng.registry.services.duplicates import find_duplicates

pytest_plugins = ["tests.people"]


def test_entries_and_locks_follow_and_return(people: People) -> None:
    season = make_season(people.district).season
    ming, again, by = (
        people.pupils["ming"],
        people.pupils["again"],
        people.district.actor("registrar"),
    )
    entry = RollEntry.objects.create(
        season=season, pupil=again, code="A1", name=again.name, born_on=dt.date(2019, 1, 1)
    )
    school = people.district.orgs["S1"]

    def lock(dwelling: str, pupil: str) -> DwellingLock:
        return DwellingLock.objects.create(
            dwelling=people.dwellings[dwelling], pupil=people.pupils[pupil], school=school,
            from_year=2024, until_year=2030,
        )  # fmt: skip

    lock("house", "ming")
    twice, follows = lock("house", "again"), lock("flat", "again")
    find_duplicates(by=by)
    pair = DuplicatePair.objects.get(kind="pupil")
    merging.merge(pair, keep=ming.pk, other_fields=[], reason="同一学生", by=by)
    holders = [row.__class__.objects.get(pk=row.pk).pupil_id for row in (entry, follows, twice)]
    assert holders == [ming.pk, ming.pk, again.pk], "one lock of a dwelling for a child"
    merging.undo_merge(PersonMerge.objects.get(), reason="不是同一人", by=by)
    for row in (entry, follows, twice):
        row.refresh_from_db()
        assert row.pupil_id == again.pk

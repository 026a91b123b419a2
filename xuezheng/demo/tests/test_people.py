"""The people of the demo district: what services would have left, numbers of nobody, sums that add up."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from xuezheng.demo.district import build_district
from xuezheng.demo.load import SEED, read
from xuezheng.kernel.access.models import Organisation, Post, User
from xuezheng.registry.codes import (
    BELONGING,
    STAGE_YEARS,
    citizen_birth,
    citizen_id_problem,
    citizen_sex,
    credit_code_problem,
    grade_of,
    school_code_problem,
    student_number_problem,
)
from xuezheng.registry.demo import Scale, load_people
from xuezheng.registry.demo.load import tell_people
from xuezheng.registry.demo.pupils import FATHER_TWICE, TWICE_NUMBERLESS, TWICE_SLIP, UNPLACED
from xuezheng.registry.models import (
    Community,
    Dwelling,
    Employment,
    Guardian,
    Placement,
    Pupil,
    Residence,
    SchoolClass,
    SchoolYear,
    SiteProfile,
    StaffMember,
)
from xuezheng.registry.names import initials

TODAY = timezone.localdate()


@pytest.fixture(scope="module")
def small(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Organisations and the people of the small scale, once for all tests of this file."""
    with django_db_blocker.unblock(), transaction.atomic():
        build_district(read("district"), read("towns"), random.Random(SEED), TODAY, "x")
        shares: list[float] = []
        rows = load_people(read("people"), Scale.SMALL, random.Random(SEED), TODAY, shares.append)
        assert shares == sorted(shares)
        assert shares[-1] == 1
        assert rows > 10_000
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def loaded(small) -> None:
    """Every test reads it."""


def test_size() -> None:
    assert 1200 <= Pupil.objects.filter(organisation__isnull=False).count() <= 1800


def test_pupils_are_in_step_with_the_one_open_placement() -> None:
    opened = dict(
        (pupil, (org, klass))
        for pupil, org, klass in Placement.objects.filter(valid_to__isnull=True).values_list(
            "pupil_id", "organisation_id", "school_class_id"
        )
    )
    for pupil in Pupil.objects.all():
        assert (pupil.organisation_id, pupil.school_class_id) == opened.get(pupil.pk, (None, None))
        assert (pupil.pk in opened) == (pupil.organisation_id is not None)
    placed = Pupil.objects.filter(organisation__isnull=False)
    assert set(placed.values_list("status", flat=True)) <= set(BELONGING)
    assert Pupil.objects.unplaced().count() == UNPLACED


def test_placements_follow_each_other_within_their_class() -> None:
    rows = Placement.objects.order_by("pupil", "valid_from").select_related("school_class")
    last: dict = {}
    for row in rows:
        school_class = row.school_class
        assert school_class.organisation_id == row.organisation_id
        assert row.valid_from >= school_class.valid_from
        assert row.valid_from <= TODAY
        end = dt.date(school_class.entry_year + STAGE_YEARS[school_class.stage], 8, 31)
        assert (row.valid_to or TODAY) <= end
        if row.pupil_id in last:
            assert last[row.pupil_id].valid_to < row.valid_from
        last[row.pupil_id] = row
    kinds = Counter((row.entry_code, row.exit_code) for row in rows)
    for code in ("11", "21", "22", "61"):
        assert any(code in pair for pair in kinds), code


def test_sums_add_up() -> None:
    """By class, by grade, by school: the same children."""
    total = Pupil.objects.filter(organisation__isnull=False).count()
    by_class = (
        Pupil.objects.filter(school_class__isnull=False)
        .values("school_class")
        .annotate(n=Count("id"))
    )
    by_site = (
        Pupil.objects.filter(organisation__isnull=False)
        .values("organisation")
        .annotate(n=Count("id"))
    )
    grades = Counter()
    running = {row.id: row for row in SchoolClass.objects.current(TODAY)}
    for row in by_class:
        one = running[row["school_class"]]
        grade = grade_of(one.stage, one.entry_year, TODAY)
        assert 1 <= grade <= STAGE_YEARS[one.stage]
        grades[one.stage, grade] += row["n"]
    assert sum(row["n"] for row in by_class) == sum(row["n"] for row in by_site) == total
    assert sum(grades.values()) == total
    assert len(grades) == 3 + 6 + 3 + 3 + 3


def test_birth_dates_fit_the_grade_but_for_some_who_repeat() -> None:
    ages = {"kindergarten": 3, "primary": 6, "junior": 12, "senior": 15, "vocational": 15}
    older = 0
    rows = Pupil.objects.filter(school_class__isnull=False).select_related("school_class")
    for pupil in rows:
        entry, age = pupil.school_class.entry_year, ages[pupil.school_class.stage]
        first, last = dt.date(entry - age - 1, 9, 1), dt.date(entry - age, 8, 31)
        assert pupil.born_on <= last
        older += pupil.born_on < first
    assert older <= len(rows) * 0.03


def test_numbers_are_valid_and_of_nobody() -> None:
    for model in (Pupil, Guardian, StaffMember):
        for row in model.objects.all():
            if row.id_number:
                assert citizen_id_problem(row.id_number) == ""
                assert row.id_number.startswith("9999")
                assert citizen_birth(row.id_number) == row.born_on
                assert citizen_sex(row.id_number) == row.sex
            if getattr(row, "phone", None):
                assert len(row.phone) == 11
                assert row.phone.startswith("100")
            assert row.initials == initials(row.name)
            before = row.id_tail
            row.prepare()
            assert row.id_tail == before
    for number in Pupil.objects.filter(student_number__isnull=False).values_list(
        "student_number", flat=True
    ):
        assert student_number_problem(number) == ""
        assert number[1:5] == "9999"


def test_only_the_intended_rows_are_entered_twice() -> None:
    twice = (
        Pupil.objects.filter(status__in=BELONGING, guardianships__isnull=False)
        .order_by()
        .values("name", "born_on", "guardianships__guardian__name")
        .annotate(n=Count("id"))
        .filter(n__gt=1)
    )
    assert twice.count() == TWICE_NUMBERLESS + TWICE_SLIP
    fathers = [n for n in Guardian.objects.values_list("id_number", flat=True)]
    repeated = [n for n in Counter(fathers).values() if n > 1]
    assert len(repeated) == TWICE_NUMBERLESS + TWICE_SLIP + FATHER_TWICE
    assert set(repeated) == {2}
    for model in (Pupil, StaffMember):
        numbers = [n for n in model.objects.values_list("id_number", flat=True) if n]
        assert len(numbers) == len(set(numbers))


def test_brothers_and_sisters_share_guardians_and_dwelling() -> None:
    shared = Guardian.objects.annotate(n=Count("guardianships__pupil", distinct=True)).filter(
        n__gt=1
    )
    families = shared.count() / Guardian.objects.count()
    assert 0.05 < families < 0.2
    for guardian in shared[:50]:
        pupils = guardian.guardianships.values("pupil")
        homes = Residence.objects.filter(pupil__in=pupils, kind="actual").values("dwelling")
        assert homes.distinct().count() == 1
    assert not Pupil.objects.filter(organisation__isnull=False, residences__isnull=True).exists()
    assert (
        not Pupil.objects.annotate(n=Count("guardianships", filter=Q(guardianships__main=True)))
        .exclude(n=1)
        .exists()
    )


def test_sites_have_codes_valid_in_form() -> None:
    for profile in SiteProfile.objects.all():
        assert not profile.credit_code or credit_code_problem(profile.credit_code) == ""
        if profile.school_code:
            assert school_code_problem(profile.school_code) == ""
            assert profile.school_code[2:4] == "99"
    assert set(SiteProfile.objects.values_list("ownership", flat=True)) == {
        "public",
        "private",
        "inclusive",
    }
    assert set(SiteProfile.objects.values_list("locality", flat=True)) == {"urban", "town", "rural"}
    assert SiteProfile.objects.filter(island=True).exists()


def test_communities_and_years() -> None:
    towns = Community.objects.values("town").annotate(n=Count("id"))
    assert all(5 <= row["n"] <= 8 for row in towns)
    assert len(towns) == 12
    assert all(len(code) == 12 for code in Community.objects.values_list("code", flat=True))
    sides = {n % 2 for n in Dwelling.objects.values_list("number", flat=True)}
    assert sides == {0, 1}
    year = SchoolYear.objects.get(starts_on__lte=TODAY, ends_on__gte=TODAY)
    assert year.terms.count() == 2


def test_staff_belong_to_their_open_main_employment() -> None:
    opened = dict(
        Employment.objects.filter(valid_to__isnull=True, main=True).values_list(
            "staff_id", "organisation_id"
        )
    )
    for member in StaffMember.objects.all():
        assert member.organisation_id == opened.get(member.pk)
    assert not Employment.objects.filter(valid_to__lt=F("valid_from")).exists()
    accounts = Post.objects.filter(role__in=["site_head", "site_secretary", "teacher"]).values(
        "user"
    )
    assert not User.objects.filter(pk__in=accounts, staff_member__isnull=True).exists()


def test_the_story() -> None:
    full = Organisation.objects.get(code="991016")
    pupils = Pupil.objects.filter(organisation=full).count()
    assert pupils > full.site_profile.places
    crowded = Pupil.objects.filter(organisation=full).values("school_class").annotate(n=Count("id"))
    assert sum(row["n"] > 45 for row in crowded) == 3
    alone = StaffMember.objects.get(user__username="island")
    assert list(StaffMember.objects.filter(organisation=alone.organisation)) == [alone]
    # Before: enough for everybody; now a third of it.
    short = Organisation.objects.get(code="991030")
    teaching = Employment.objects.filter(organisation=short, staff__category="teaching")
    assert teaching.current(dt.date(TODAY.year - 2, 1, 1)).count() == 8
    assert teaching.current(TODAY).count() == 3


def test_keys_go_on_after_those_given_by_hand() -> None:
    last = SchoolClass.objects.order_by("-id").first()
    new = SchoolClass.objects.create(
        organisation=last.organisation, stage=last.stage, entry_year=1999, number=1,
        valid_from=dt.date(1999, 9, 1),
    )  # fmt: skip
    assert new.id == last.id + 1


@pytest.mark.parametrize(
    "day", ["2026-09-01", "2026-12-31", "2027-01-01", "2027-08-31", "2028-02-29"]
)
def test_any_day_of_the_year(day: str) -> None:
    """The same day gives the same lines, other than the keyed ones of another day."""
    today = dt.date.fromisoformat(day)
    spec = read("people")
    one = tell_people(spec, Scale.SMALL, random.Random(SEED), today)
    again = tell_people(spec, Scale.SMALL, random.Random(SEED), today)
    assert [s.lines for s in one.streams] == [s.lines for s in again.streams]
    lines = {stream.table: stream.lines for stream in one.streams}
    placed = [line.split("\t") for line in lines["registry_placement"]]
    assert all(row[3] <= day for row in placed)
    assert 1200 <= sum(row[4] == "\\N" for row in placed) <= 1800
    first = dt.date(today.year - 2, 1, 1).isoformat()
    then = sum(row[3] <= first and (row[4] == "\\N" or row[4] >= first) for row in placed)
    assert 1200 <= then <= 1800


def test_true_size() -> None:
    told = tell_people(read("people"), Scale.DISTRICT, random.Random(SEED), TODAY)
    lines = {stream.table: stream.lines for stream in told.streams}
    placed = [line.split("\t") for line in lines["registry_placement"]]
    assert 38_000 <= sum(row[4] == "\\N" for row in placed) <= 42_000
    staff = [line.split("\t") for line in lines["registry_staffmember"]]
    assert 3200 <= sum(row[-1] != "\\N" for row in staff) <= 3900

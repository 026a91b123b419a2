"""Figures of people and places: boundary days, limits, proof, who sees which rows."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.people import People
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.indicators.models import Reading
from xuezheng.kernel.indicators.proof import prove
from xuezheng.kernel.reference.models import Parameter
from xuezheng.registry.models import Placement, Pupil, SiteProfile

KEYS = (
    "classes_within_limit",
    "teachers_with_degree",
    "sites_within_places",
    "sites_staffed",
    "pupils_with_checked_number",
)


def reading(people: People, key: str, org: str, as_of: dt.date | None = None) -> Reading:
    as_of = as_of or people.today
    period = (dt.date(as_of.year, 1, 1), dt.date(as_of.year, 12, 31))
    compute(period=period, as_of=as_of, keys=[key])
    return Reading.objects.get(
        indicator=key, organisation=people.district.orgs[org], as_of=as_of, period_from=period[0]
    )


def pair(row: Reading) -> tuple[int, int | None]:
    return row.numerator, row.denominator


def limit(stage: str, value: int, since: dt.date, owner: str = "", until: dt.date | None = None):
    Parameter.objects.update_or_create(
        key=f"registry.norms.class_size.{stage}",
        owner=owner,
        valid_from=since,
        defaults={
            "value": value,
            "label": "x",
            "label_en": "x",
            "valid_to": until,
            "source": "x",
            "certainty": "local",
        },
    )


@pytest.mark.parametrize(("value", "kept"), [(1, 1), (2, 2), (3, 2)])
def test_a_class_of_just_the_limit_is_within(people: People, value: int, kept: int) -> None:
    """S1-1 has two children, S1-2 one."""
    limit("primary", value, dt.date(2017, 1, 1))
    assert pair(reading(people, "classes_within_limit", "S1")) == (kept, 2)


def test_the_bureaus_own_limit_holds_on_its_days_only(people: People) -> None:
    limit("primary", 2, dt.date(2017, 1, 1))
    limit("primary", 1, people.began, owner="B", until=people.began)
    assert pair(reading(people, "classes_within_limit", "S1", people.began)) == (1, 2)
    later = people.began + dt.timedelta(days=1)
    if later <= people.today:
        assert pair(reading(people, "classes_within_limit", "S1", later)) == (2, 2)


def test_kindergartens_and_special_schools_have_no_such_limit(people: People) -> None:
    assert pair(reading(people, "classes_within_limit", "B")) == (3, 3)
    people.district.orgs["S2"].kind = "special"
    people.district.orgs["S2"].save()
    assert pair(reading(people, "classes_within_limit", "B")) == (2, 2)


def test_a_placement_counts_from_its_first_to_its_last_day(people: People) -> None:
    """`gone` was in S1-2 for nearly a year, until 30 June."""
    left = Placement.objects.get(pupil=people.pupils["gone"])
    key = "pupils_with_checked_number"
    assert pair(reading(people, key, "S1", left.valid_from)) == (1, 1)
    assert pair(reading(people, key, "S1", left.valid_to)) == (1, 1)
    with pytest.raises(Reading.DoesNotExist):
        reading(people, key, "S1", left.valid_to + dt.timedelta(days=1))
    with pytest.raises(Reading.DoesNotExist):
        reading(people, key, "S1", left.valid_from - dt.timedelta(days=1))


def test_numbers_on_record(people: People) -> None:
    Pupil.objects.filter(pk=people.pupils["ming"].pk).update(id_number=None)
    Pupil.objects.filter(pk=people.pupils["lei"].pk).update(id_kind="A")
    row = reading(people, "pupils_with_checked_number", "S1")
    assert pair(row) == (1, 3)
    reasons = {r.reason for r in prove(row, people.district.actor("sec1")).rows}
    assert reasons == {"checked", "missing", "other"}


def test_merged_rows_are_one_child(people: People) -> None:
    before = reading(people, "pupils_with_checked_number", "B").denominator
    Pupil.objects.filter(pk=people.pupils["again"].pk).update(merged_into=people.pupils["ming"])
    assert reading(people, "pupils_with_checked_number", "B").denominator == before - 1


def test_degrees_of_teachers_in_post(people: People) -> None:
    """`zhou` has no degree; `past` has left S1 on 31 July; head1 and chen have one."""
    last = dt.date(people.began.year, 7, 31)
    key = "teachers_with_degree"
    assert pair(reading(people, key, "B")) == (2, 3)
    assert pair(reading(people, key, "S2")) == (0, 1)
    assert pair(reading(people, key, "S1", last)) == (3, 3)
    assert pair(reading(people, key, "S1", last + dt.timedelta(days=1))) == (2, 2)


@pytest.mark.parametrize(("per_staff", "kept"), [(1.4, 0), (1.5, 1), (2, 1)])
def test_a_school_of_just_the_norm_has_enough_staff(
    people: People, per_staff: float, kept: int
) -> None:
    """S1 has three pupils and two of the staff; the district's other school is not concerned."""
    rows = Parameter.objects.filter(key="registry.norms.pupils_per_staff.primary")
    rows.update(value=per_staff)
    row = reading(people, "sites_staffed", "S1")
    assert pair(row) == (kept, 1)
    assert prove(row, people.district.actor("director")).agrees


def test_a_school_of_two_stages_needs_staff_for_both(people: People) -> None:
    """S1 has three primary pupils; with one of thirteen to fourteen years it needs a third member."""
    Parameter.objects.filter(key__startswith="registry.norms.pupils_per_staff").update(value=1.5)
    people.school_class("S1-7", "S1", "junior", 1)
    people.pupil("tall", "高年级", dt.date(2012, 1, 1), 91, school_class="S1-7")
    assert pair(reading(people, "sites_staffed", "S1")) == (0, 1)
    people.member("third", "第三人", 9, "S1", category="support")
    assert pair(reading(people, "sites_staffed", "S1")) == (1, 1)


@pytest.mark.parametrize(("places", "kept"), [(2, 0), (3, 1), (4, 1)])
def test_a_school_of_just_its_places_is_within(people: People, places: int, kept: int) -> None:
    SiteProfile.objects.create(
        organisation=people.district.orgs["S1"], ownership="public", locality="town", places=places
    )
    assert pair(reading(people, "sites_within_places", "B")) == (kept, 1)


def test_leaders_see_numbers_behind_a_figure_and_no_child(people: People) -> None:
    """Under the fence of a director row-level policies hide every pupil; classes add up all the same."""
    director = people.district.actor("director")
    row = reading(people, "classes_within_limit", "B")
    with fenced(read_only=True, by=director):
        assert not Pupil.objects.exists()
        proof = prove(row, director)
        assert (proof.agrees, proof.counted, len(proof.rows)) == (True, 3, 3)


def test_a_figure_over_children_adds_up_for_a_leader_who_sees_none_of_them(people: People) -> None:
    director, school = people.district.actor("director"), people.district.actor("sec1")
    row = reading(people, "pupils_with_checked_number", "B")
    with fenced(read_only=True, by=director):
        proof = prove(row, director)
        assert (proof.agrees, proof.rows, proof.hidden) == (True, [], row.denominator)
        assert not Pupil.objects.exists(), "the reach is back after counting"
    with fenced(read_only=True, by=school):
        proof = prove(row, school)
        assert proof.agrees
        assert len(proof.rows) + proof.hidden == row.denominator
        assert {r.org for r in proof.rows} == {"S1"}


@pytest.mark.parametrize("key", KEYS)
def test_live_rows_are_those_in_reach(people: People, key: str) -> None:
    SiteProfile.objects.create(
        organisation=people.district.orgs["S1"], ownership="public", locality="town", places=9
    )
    row = reading(people, key, "B")
    registrar, school = people.district.actor("registrar"), people.district.actor("sec1")
    ids = [r.row_id for r in prove(row, registrar).rows]
    indicator = row.definition
    assert set(indicator.live_rows(registrar, ids)) == set(ids)
    mine = {r.row_id for r in prove(row, registrar).rows if r.org == "S1"}
    assert set(indicator.live_rows(school, ids)) == mine


def test_the_rows_behind_a_figure_are_called_by_their_names(people: People) -> None:
    row = reading(people, "classes_within_limit", "S1")
    client = Client()
    client.force_login(people.district.users["registrar"])
    page = client.get(reverse("indicator_proof", args=[row.pk])).context
    assert {shown["name"] for shown in page["rows"]} == {"一年级（1）班", "二年级（1）班"}


def test_a_row_that_the_reader_cannot_open_is_no_link_and_names_nobody(people: People) -> None:
    """A director sees the figure of teachers, and opens no teacher's page."""
    row = reading(people, "teachers_with_degree", "B")
    client = Client()
    client.force_login(people.district.users["director"])
    answer = client.get(reverse("indicator_proof", args=[row.pk]))
    assert [(r["url"], r["name"]) for r in answer.context["rows"]] == [("", "")] * 3
    assert str(people.staff["chen"].pk) not in answer.content.decode()
    client.force_login(people.district.users["registrar"])
    opened = client.get(reverse("indicator_proof", args=[row.pk])).context["rows"]
    assert all(r["url"] for r in opened)


@pytest.mark.parametrize("key", ["classes_within_limit", "pupils_with_checked_number"])
def test_the_page_of_rows_keeps_its_number_of_queries(people: People, key: str) -> None:
    client = Client()
    client.force_login(people.district.users["registrar"])

    def queries() -> int:
        url = reverse("indicator_proof", args=[reading(people, key, "B").pk])
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    few = queries()
    for serial in range(30):
        people.school_class(f"more{serial}", "S1", "primary", 3, number=serial + 1)
        people.pupil(f"p{serial}", "多", people.began, 100 + serial, school_class=f"more{serial}")
    assert queries() == few

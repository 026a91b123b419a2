"""A merger keeps the sums, a split takes its classes, and the past stays where it was."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from tests.people import People
from xuezheng.kernel.access.models import OrganisationEdge, Post
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.models import Employment, Placement, Pupil, SchoolClass, StaffMember
from xuezheng.registry.organisations import OrganisationKind
from xuezheng.registry.selectors import headcount, town_of
from xuezheng.registry.services import sites, succession

pytest_plugins = ["tests.people"]
DAY = dt.timedelta(days=1)


@pytest.fixture
def merged(people: People) -> tuple[People, succession.Effects]:
    """S1 merged into S2, which becomes a nine-year school."""
    source, target = people.district.orgs["S1"], people.district.orgs["S2"]
    target.kind = OrganisationKind.NINE_YEAR
    target.save()
    done = succession.succeed(
        source,
        successor=target,
        kind="merger",
        on=people.today,
        document="屿教〔2026〕7号",
        by=people.district.actor("registrar"),
    )
    return people, done


def at_school(org, day: dt.date) -> int:
    """Pupils who were at a school on a day, by their placements."""
    rows = Placement.objects.filter(organisation=org, valid_from__lte=day)
    return rows.exclude(valid_to__lt=day).values("pupil").distinct().count()


def test_sums_stay(people: People) -> None:
    source, target = people.district.orgs["S1"], people.district.orgs["S2"]
    target.kind = OrganisationKind.NINE_YEAR
    target.save()
    both = [source.id, target.id]
    yesterday = people.today - DAY
    before = headcount(both).total
    then = {org.code: at_school(org, yesterday) for org in (source, target)}
    staff = Employment.objects.current(people.today).values("staff").distinct().count()
    succession.succeed(
        source,
        successor=target,
        kind="merger",
        on=people.today,
        document="1",
        by=people.district.actor("registrar"),
    )
    counts = headcount(both)
    assert counts.total == before
    assert counts.by_site[target.id] == before
    assert Employment.objects.current(people.today).values("staff").distinct().count() == staff
    # Figures of yesterday are those of yesterday.
    if people.today > people.began:
        assert {org.code: at_school(org, yesterday) for org in (source, target)} == then
    assert at_school(source, people.today) == 0
    assert at_school(target, people.today) == before


def test_merger_hands_everything_over(merged) -> None:
    people, done = merged
    source, target = people.district.orgs["S1"], people.district.orgs["S2"]
    assert (done.classes, done.pupils, done.staff, done.closes) == (2, 3, 2, True)
    source.refresh_from_db()
    assert source.closed == people.today - DAY
    assert not source.classes.filter(valid_to__isnull=True).exists()
    ming = Pupil.objects.get(pk=people.pupils["ming"].pk)
    assert ming.organisation == target
    assert ming.school_class.organisation == target
    assert (ming.school_class.stage, ming.school_class.entry_year) == ("primary", people.began.year)
    assert StaffMember.objects.get(pk=people.staff["chen"].pk).organisation == target
    sec = Post.objects.current(people.today).get(user=people.district.users["sec1"])
    assert sec.organisation == target
    # The edges stay, so that the old school's history is seen by whoever saw it.
    assert OrganisationEdge.objects.filter(child=source, valid_to__isnull=True).exists()
    entry = Entry.objects.get(action="site.succeed")
    assert entry.detail["pupils"] == 3


def test_a_closed_school_is_not_merged_again(merged) -> None:
    people, _done = merged
    orgs = people.district.orgs
    with pytest.raises(StepRefused):
        succession.succeed(
            orgs["S1"],
            successor=orgs["K1"],
            kind="merger",
            on=people.today,
            document="2",
            by=people.district.actor("registrar"),
        )


def test_split_takes_the_chosen_classes(people: People) -> None:
    source = people.district.orgs["S1"]
    new = sites.create_site(
        code="S9",
        town=people.district.orgs["T2"],
        opened=people.today,
        fields={"name": "新校", "kind": "primary", "ownership": "public", "locality": "rural"},
        by=people.district.actor("registrar"),
    )
    done = succession.succeed(
        source,
        successor=new,
        kind="split",
        on=people.today,
        document="3",
        classes=[people.classes["S1-1"]],
        by=people.district.actor("registrar"),
    )
    assert (done.classes, done.pupils, done.staff, done.posts, done.closes) == (1, 2, 0, 0, False)
    source.refresh_from_db()
    assert source.closed is None
    assert headcount([new.id]).total == 2
    assert headcount([source.id]).total == 1
    assert town_of([new.id], people.today)[new.id] == people.district.orgs["T2"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"document": " "}, ValidationError),
        ({"on": "tomorrow"}, ValidationError),
        ({"successor": "S1"}, ValidationError),
        ({"successor": "S2"}, ValidationError),  # a junior school has no primary classes
        ({"kind": "split", "classes": []}, ValidationError),
    ],
)
def test_refusals_write_nothing(people: People, change: dict, error: type) -> None:
    orgs = people.district.orgs
    call = {
        "successor": orgs[change.get("successor", "S2")],
        "kind": change.get("kind", "merger"),
        "on": people.today + DAY if change.get("on") else people.today,
        "document": change.get("document", "1"),
        "classes": change.get("classes"),
    }
    before = list(SchoolClass.objects.values_list("id", "valid_to"))
    with pytest.raises(error):
        succession.succeed(orgs["S1"], **call, by=people.district.actor("registrar"))
    assert list(SchoolClass.objects.values_list("id", "valid_to")) == before
    assert not Entry.objects.filter(action="site.succeed").exists()


def test_a_number_already_used_is_followed_by_the_next(people: People) -> None:
    target = people.district.orgs["S2"]
    target.kind = OrganisationKind.NINE_YEAR
    target.save()
    SchoolClass.objects.create(
        organisation=target,
        stage="primary",
        entry_year=people.began.year,
        number=1,
        valid_from=people.began,
    )
    succession.succeed(
        people.district.orgs["S1"],
        successor=target,
        kind="merger",
        on=people.today,
        document="1",
        by=people.district.actor("registrar"),
    )
    assert Pupil.objects.get(pk=people.pupils["ming"].pk).school_class.number == 2


def test_moving_under_another_town_keeps_earlier_days(people: People) -> None:
    by, site = people.district.actor("registrar"), people.district.orgs["S1"]
    towns = people.district.orgs
    sites.move_site(site, town=towns["T2"], on=people.today, by=by)
    assert town_of([site.id], people.today)[site.id] == towns["T2"]
    assert town_of([site.id], people.today - DAY)[site.id] == towns["T1"]
    with pytest.raises(StepRefused):
        sites.move_site(site, town=towns["T2"], on=people.today, by=by)
    with pytest.raises(ValidationError):
        sites.move_site(site, town=towns["T2"], on=people.today - DAY, by=by)
    with pytest.raises(PermissionDenied):
        sites.move_site(site, town=towns["T1"], on=people.today, by=people.district.actor("head1"))


def test_a_site_with_somebody_left_is_not_closed(people: People) -> None:
    by, site = people.district.actor("registrar"), people.district.orgs["S2"]
    with pytest.raises(StepRefused, match="在校学生 2"):
        sites.close_site(site, on=people.today, document="1", by=by)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"school_code": "123"}, "school_code"),
        ({"school_code": "9933000001"}, "school_code"),
        ({"credit_code": "12330900MB000000"}, "credit_code"),
        ({"credit_code": "12330900MB00000000"}, "credit_code"),
    ],
)
def test_codes_of_a_site_are_checked(people: People, fields: dict, wrong: str) -> None:
    base = {"name": "新校", "kind": "primary", "ownership": "public", "locality": "rural"}
    with pytest.raises(ValidationError) as refused:
        sites.create_site(
            code="S9",
            town=people.district.orgs["T1"],
            opened=people.today,
            fields=base | fields,
            by=people.district.actor("registrar"),
        )
    assert wrong in refused.value.message_dict


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"opened": 0}, "应晚于本单位的设立日"),
        ({"successor": 1}, "不能早于承接单位的设立日"),
        ({"class": 1}, "有班级在这一天之后才建"),
        ({"opened": -1, "successor": 0, "class": 0}, ""),
    ],
)
def test_no_history_is_written_of_days_before_it_began(
    people: People, days: dict[str, int], words: str
) -> None:
    """Days are counted from the day of the merger."""
    source, target = people.district.orgs["S1"], people.district.orgs["S2"]
    target.kind = OrganisationKind.NINE_YEAR
    on = people.today - DAY
    day = {key: on + dt.timedelta(days=value) for key, value in days.items()}
    source.opened, target.opened = day.get("opened"), day.get("successor")
    source.save()
    target.save()
    source.classes.update(valid_from=day.get("class", on))
    act = {
        "successor": target,
        "kind": "merger",
        "on": on,
        "document": "1",
        "by": people.district.actor("registrar"),
    }
    if words:
        with pytest.raises(ValidationError, match=words):
            succession.succeed(source, **act)
        source.refresh_from_db()
        assert not source.closed
    else:
        succession.succeed(source, **act)
        source.refresh_from_db()
        assert source.closed == on - DAY


def test_the_preview_already_says_what_is_wrong(people: People) -> None:
    source, target = people.district.orgs["S1"], people.district.orgs["S2"]
    target.kind = OrganisationKind.NINE_YEAR
    target.save()
    client = Client()
    client.force_login(people.district.users["registrar"])
    sent = {"kind": "merger", "successor": target.pk, "on": "1990-01-01", "document": "1"}
    answer = client.post(reverse("site_succeed", args=[source.code]), sent)
    assert answer.status_code == 422
    assert answer.context["form"].errors["on"]

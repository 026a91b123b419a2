"""A leaving class goes in one step: boundary days, exceptions, reach, and the way back."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.people import People
from xuezheng.kernel.access.actors import OutOfScope
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.reference.models import Parameter
from xuezheng.registry.models import Placement, Pupil, SchoolClass
from xuezheng.registry.services import graduating, placing
from xuezheng.registry.services.common import Stale

pytest_plugins = ["tests.people"]
LEAVERS = ("an", "bei", "cui")


@pytest.fixture
def leavers(people: People) -> People:
    """Class "out" of S1: it was to leave in the summer before this school year; three children."""
    people.school_class("out", "S1", "primary", 7)
    for serial, key in enumerate(LEAVERS, start=61):
        people.pupil(key, f"毕业{key}", dt.date(2014, 1, serial - 60), serial, school_class="out")
    entered = people.classes["out"].valid_from
    Placement.objects.filter(school_class=people.classes["out"]).update(valid_from=entered)
    return people


def summer(people: People, month: int, day: int) -> dt.date:
    return dt.date(people.began.year, month, day)


def go(people: People, who: str = "sec1", **more) -> int:
    by = people.district.actor(who)
    call = {"on": summer(people, 6, 30), "without": (), "expected": 3, "by": by} | more
    with fenced(by=by):
        return graduating.graduate(people.classes["out"], **call)


def states(people: People) -> dict[str, tuple]:
    found = {}
    for key in LEAVERS:
        pupil = Pupil.objects.get(pk=people.pupils[key].pk)
        last = pupil.placements.get()
        found[key] = (pupil.status, pupil.organisation_id, last.valid_to, last.exit_code)
    return found


def test_a_school_lets_its_own_class_go(leavers: People) -> None:
    cui = leavers.pupils["cui"].pk
    assert go(leavers, without=[cui]) == 3
    on = summer(leavers, 6, 30)
    assert states(leavers) == {
        "an": ("07", None, on, ""),
        "bei": ("07", None, on, ""),
        "cui": ("08", None, on, "62"),
    }
    assert SchoolClass.objects.get(pk=leavers.classes["out"].pk).valid_to == on
    with fenced(by=leavers.district.actor("sec1")):
        assert not Pupil.objects.filter(pk=cui).exists(), "out of the school's reach"
    entry = Entry.objects.get(action="class.graduate")
    assert entry.detail == {"on": on.isoformat(), "pupils": 3, "without": 1}
    assert Entry.objects.filter(action="pupil.leave").count() == 3


@pytest.mark.parametrize(
    ("month", "day", "good"), [(6, 29, False), (6, 30, True), (8, 31, True), (9, 1, False)]
)
def test_from_the_first_to_the_last_day(leavers: People, month: int, day: int, good: bool) -> None:
    on = summer(leavers, month, day)
    if good:
        assert go(leavers, on=on) == 3
        return
    with pytest.raises(ValidationError) as refused:
        go(leavers, on=on)
    assert "on" in refused.value.message_dict
    assert {status for status, *_rest in states(leavers).values()} == {"01"}


def test_the_bureau_sets_the_days(leavers: People) -> None:
    shipped = Parameter.objects.get(key="registry.graduation.days")
    shipped.pk, shipped.owner, shipped.value = None, "B", {"first": 615, "last": 710}
    shipped.save()
    assert graduating.span_of(leavers.classes["out"]) == (
        summer(leavers, 6, 15),
        summer(leavers, 7, 10),
    )
    with pytest.raises(ValidationError):
        go(leavers, on=summer(leavers, 7, 11))


def test_a_class_below_the_last_grade_stays(leavers: People) -> None:
    by, row = leavers.district.actor("sec1"), leavers.classes["S1-1"]
    assert not graduating.may_go(row)
    assert graduating.may_go(leavers.classes["out"])
    with fenced(by=by), pytest.raises(ValidationError):
        graduating.graduate(row, on=leavers.today, without=(), expected=2, by=by)


def test_a_suspended_child_stays_and_keeps_the_class_open(leavers: People) -> None:
    placing.suspend(leavers.pupils["an"], on=leavers.today, by=leavers.district.actor("sec1"))
    with pytest.raises(Stale):
        go(leavers)
    assert go(leavers, expected=2) == 2
    row = SchoolClass.objects.get(pk=leavers.classes["out"].pk)
    assert row.valid_to is None
    assert [pupil.pk for pupil in row.pupils.all()] == [leavers.pupils["an"].pk]


def test_a_child_who_came_later_is_named_as_the_hindrance(leavers: People) -> None:
    Placement.objects.filter(pupil=leavers.pupils["an"]).update(valid_from=summer(leavers, 7, 2))
    with pytest.raises(ValidationError, match="1名学生"):
        go(leavers, on=summer(leavers, 7, 1))
    assert go(leavers, on=summer(leavers, 7, 2)) == 3


def test_who_may_not(leavers: People) -> None:
    with pytest.raises(OutOfScope):
        go(leavers, "head2")
    with pytest.raises(PermissionDenied):
        go(leavers, "teacher1")
    with pytest.raises(Stale):
        go(leavers, without=[leavers.pupils["ming"].pk])
    with pytest.raises(Stale):
        go(leavers, without=[uuid.uuid4()])
    assert {status for status, *_rest in states(leavers).values()} == {"01"}


@pytest.mark.parametrize(
    ("who", "placed", "way", "gone"),
    [
        ("sec1", False, "07", 1),
        ("registrar", False, "08", 1),
        ("sec1", True, "07", 0),
        ("sec1", False, "10", 0),
        ("head2", False, "07", 0),
        ("director", False, "07", 0),
    ],
)
def test_the_database_lets_go_only_whom_it_may(
    leavers: People, who: str, placed: bool, way: str, gone: int
) -> None:
    an = leavers.pupils["an"].pk
    if not placed:
        Placement.objects.filter(pupil=an).update(valid_to=leavers.today)
    with fenced(by=leavers.district.actor(who)), connection.cursor() as cursor:
        cursor.execute("SELECT registry_let_go(%s::uuid[], %s)", [[an], way])
        assert cursor.fetchone()[0] == gone
    assert Pupil.objects.filter(pk=an, organisation__isnull=True).count() == gone


def test_the_registrar_takes_it_back(leavers: People) -> None:
    before = states(leavers)
    go(leavers, without=[leavers.pupils["cui"].pk])
    registrar = leavers.district.actor("registrar")
    with fenced(by=registrar):
        placing.take_in(
            leavers.pupils["bei"],
            organisation=leavers.district.orgs["S2"],
            school_class=leavers.classes["S2-7"],
            on=leavers.began,
            by=registrar,
        )
    row = leavers.classes["out"]
    for who in ("sec1", "head2"):
        by = leavers.district.actor(who)
        with fenced(by=by), pytest.raises(OutOfScope):
            graduating.take_back(row, reason="误办", by=by)
    with fenced(by=registrar):
        with pytest.raises(ValidationError):
            graduating.take_back(row, reason=" ", by=registrar)
        assert graduating.take_back(row, reason="误办", by=registrar) == 2
        with pytest.raises(StepRefused):
            graduating.take_back(row, reason="误办", by=registrar)
    Placement.objects.filter(pupil=leavers.pupils["bei"], school_class=row).delete()
    after = states(leavers)
    assert (after["an"], after["cui"]) == (before["an"], before["cui"])
    assert after["bei"][1] == leavers.district.orgs["S2"].id, "at another school since: stays there"
    assert SchoolClass.objects.get(pk=row.pk).valid_to is None


def test_the_pages(leavers: People) -> None:
    client = Client()
    client.force_login(leavers.district.users["sec1"])
    row, cui = leavers.classes["out"], str(leavers.pupils["cui"].pk)
    here, url = (
        reverse(n, args=[row.pk]) for n in ("school_class_detail", "school_class_graduate")
    )
    assert url in client.get(here).content.decode()
    assert client.get(url).context["form"]["expected"].value() == 3
    wrong = {"on": summer(leavers, 9, 1).isoformat(), "expected": "3"}
    assert client.post(url, wrong).status_code == 422, "said before the preview"
    assert client.post(url, wrong | {"sure": "1"}).status_code == 422
    data = {"on": summer(leavers, 7, 5).isoformat(), "without": [cui], "expected": "3"}
    preview = client.post(url, data)
    assert [text.partition("，")[0] for text in preview.context["effects"]] == [
        "2名学生毕业", "1名学生结业", "班级随之撤销。", "办错了由学籍管理员撤回",
    ]  # fmt: skip
    assert {status for status, *_rest in states(leavers).values()} == {"01"}, "not yet"
    assert client.post(url, data | {"sure": "1"}).url == here
    assert url not in client.get(here).content.decode()
    registrar = Client()
    registrar.force_login(leavers.district.users["registrar"])
    back = reverse("school_class_take_back", args=[row.pk])
    assert back in registrar.get(here).content.decode()
    assert "3名" in registrar.get(back).content.decode()
    assert registrar.post(back, {"reason": "误办"}).url == here
    assert {status for status, *_rest in states(leavers).values()} == {"01"}

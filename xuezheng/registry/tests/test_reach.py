"""Row-level policies: even a query that forgot `visible_to` shows no child of another school."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection

from tests.district import District
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.registry.models import Guardian, Guardianship, Placement, Pupil

DAY = dt.date(2026, 9, 1)
NAMES = {"S1": "甲", "S2": "乙", "": "无"}


@pytest.fixture
def children(district: District) -> dict[str, Pupil]:
    """One child at each of two schools and one at none, each with a guardian."""
    made = {}
    for code, number in (
        ("S1", "330902201501150015"),
        ("S2", "330902201501150023"),
        ("", "330902201501150031"),
    ):
        place = district.orgs.get(code)
        pupil = Pupil.objects.create(name=f"童{NAMES[code]}", id_number=number, organisation=place)
        guardian = Guardian.objects.create(name=f"长{NAMES[code]}")
        Guardianship.objects.create(
            pupil=pupil, guardian=guardian, relation="51", main=True, valid_from=DAY
        )
        if place:
            Placement.objects.create(pupil=pupil, organisation=place, valid_from=DAY)
        made[code] = pupil
    return made


def names(rows) -> set[str]:
    return set(rows.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        ("sec1", {"童甲"}),
        ("head2", {"童乙"}),
        ("registrar", {"童甲", "童乙", "童无"}),
        ("director", set()),
        ("teacher1", set()),
    ],
)
def test_without_visible_to(district, children, username: str, expected: set[str]) -> None:
    with fenced(by=district.actor(username)):
        assert names(Pupil.objects.all()) == expected
        assert names(Guardian.objects.all()) == {name.replace("童", "长") for name in expected}
        assert Guardianship.objects.count() == len(expected)
        assert Placement.objects.count() == len(expected - {"童无"})
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM registry_pupil")
            assert cursor.fetchone()[0] == len(expected)


def test_nobody_sees_nothing_and_the_program_everything(children) -> None:
    with fenced():
        assert not Pupil.objects.exists()
    with fenced(by=JobActor("test")):
        assert Pupil.objects.count() == 3


def test_the_reach_ends_with_the_fence(district, children) -> None:
    with fenced(by=district.actor("registrar")):
        pass
    with fenced():
        assert not Pupil.objects.exists()


def test_a_school_cannot_write_another_schools_child(district, children) -> None:
    with fenced(by=district.actor("sec1")):
        assert Pupil.objects.filter(pk=children["S2"].pk).update(former_name="x") == 0
        assert Pupil.objects.filter(pk=children["S2"].pk).delete()[0] == 0
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        fenced(by=district.actor("sec1")),
    ):
        Pupil.objects.create(name="新", organisation=district.orgs["S2"])


def test_a_school_may_write_its_own_child_and_its_guardian(district, children) -> None:
    with fenced(by=district.actor("sec1")):
        pupil = Pupil.objects.create(name="新", organisation=district.orgs["S1"])
        guardian = Guardian.objects.create(name="新长")
        Guardianship.objects.create(pupil=pupil, guardian=guardian, relation="52", valid_from=DAY)
        assert Guardian.objects.filter(pk=guardian.pk).exists()


def test_stored_numbers_are_sealed(children) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, id_tail FROM registry_pupil")
        stored = cursor.fetchall()
    assert all(number.startswith("v1:") and "3309" not in number for number, _tail in stored)
    assert all(tail.startswith("v1:") for _number, tail in stored)
    assert Pupil.objects.get(id_number="330902201501150015") == children["S1"]


def test_search_by_name_initials_and_tail(children) -> None:
    search = Pupil.objects.all().search
    assert names(search("童甲")) == {"童甲"}
    assert names(search("0015")) == {"童甲"}
    assert names(search("t")) == {"童甲", "童乙", "童无"}
    assert names(search("TJ")) == {"童甲"}
    assert names(search("330902201501150023")) == {"童乙"}
    assert names(search("t 0015")) == {"童甲"}
    assert names(search("9999")) == set()

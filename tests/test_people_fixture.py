"""The handful of people that other tests build on is whole itself."""

from django.utils import timezone

from tests.people import People
from xuezheng.registry.codes import citizen_birth, citizen_id_problem, citizen_sex
from xuezheng.registry.models import Placement


def test_numbers_are_valid_and_of_nobody(people: People) -> None:
    for row in [*people.pupils.values(), *people.guardians.values(), *people.staff.values()]:
        assert citizen_id_problem(row.id_number) == ""
        assert row.id_number.startswith("999900")
        assert citizen_birth(row.id_number) == row.born_on
        assert citizen_sex(row.id_number) == row.sex


def test_pupils_are_in_step_with_their_placements(people: People) -> None:
    for pupil in people.pupils.values():
        placed = Placement.objects.filter(pupil=pupil, valid_to__isnull=True).first()
        assert pupil.organisation == (placed and placed.organisation)
        assert pupil.school_class == (placed and placed.school_class)


def test_grades_are_those_of_the_keys(people: People) -> None:
    assert {key: row.grade for key, row in people.classes.items()} == {
        "S1-1": 1,
        "S1-2": 2,
        "S2-7": 1,
        "K1-1": 1,
    }
    assert timezone.localdate() >= people.began

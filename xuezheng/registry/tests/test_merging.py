"""Duplicates: found by sets, merged with history kept, and taken apart again."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.people import People, number
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.models import (
    DuplicatePair,
    Employment,
    Guardian,
    Guardianship,
    PersonMerge,
    Placement,
    Pupil,
    Residence,
    StaffMember,
)
from xuezheng.registry.services import duplicates, merging, pupils
from xuezheng.registry.services.duplicates import MODELS, find_duplicates
from xuezheng.registry.tests.test_placing import in_step

pytest_plugins = ["tests.people"]


def pair_of(people: People, kind: str) -> DuplicatePair:
    find_duplicates(by=people.district.actor("registrar"))
    return DuplicatePair.objects.get(kind=kind)


def state() -> dict[str, list]:
    """Every row that a merge may touch, apart from times and versions."""
    found = {}
    for model in (*MODELS.values(), Guardianship, Residence, Employment, Placement):
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if field.name not in {"updated_at", "version"}
        ]
        rows = model.objects.order_by("pk").values_list(*names)
        found[model.__name__] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


def test_pairs_of_the_handful(people: People) -> None:
    found = find_duplicates(by=people.district.actor("registrar"))
    assert (found.pairs, found.new) == (2, 2)
    pupil = DuplicatePair.objects.get(kind="pupil")
    ids = {people.pupils["ming"].pk, people.pupils["again"].pk}
    assert {pupil.left, pupil.right} == ids
    assert pupil.signs == ["name", "birth", "guardian", "sex", "differ"]
    assert pupil.score == 65
    guardian = DuplicatePair.objects.get(kind="guardian")
    assert guardian.score == 100
    again = find_duplicates(by=JobActor("registry.duplicates"))
    assert (again.pairs, again.new) == (2, 0)


def test_a_pair_that_is_none_any_more_goes(people: People) -> None:
    pair_of(people, "pupil")
    Pupil.objects.filter(pk=people.pupils["again"].pk).update(name="王别名")
    found = find_duplicates(by=people.district.actor("registrar"))
    assert found.pairs == 1
    assert not DuplicatePair.objects.filter(kind="pupil").exists()


def test_the_same_number_under_another_kind_of_document(people: People) -> None:
    same = people.pupils["lei"].id_number
    Pupil.objects.create(name="周磊", id_kind="B", id_number=same)
    find_duplicates(by=people.district.actor("registrar"))
    pair = DuplicatePair.objects.get(kind="pupil", signs__contains="id")
    assert pair.score == 70


def test_merge_and_undo_of_a_pupil(people: People) -> None:
    ming, again = people.pupils["ming"], people.pupils["again"]
    before = state()
    pair = pair_of(people, "pupil")
    by = people.district.actor("registrar")
    made = merging.merge(
        pair, keep=ming.pk, other_fields=["id_number", "boarding"], reason="同一学生", by=by
    )
    kept, dropped = Pupil.objects.get(pk=ming.pk), Pupil.objects.get(pk=again.pk)
    assert (kept.id_number, dropped.id_number) == (again.id_number, ming.id_number)
    assert dropped.merged_into == kept
    assert kept.organisation.code == "S1"
    assert dropped.organisation is None
    assert kept.placements.count() == 2
    assert in_step(kept)
    assert kept.guardianships.filter(valid_to__isnull=True, main=True).count() == 1
    assert kept.guardianships.count() == 3
    assert dropped.pk not in set(Pupil.objects.live().values_list("pk", flat=True))
    pair.refresh_from_db()
    assert pair.state == "merged"
    assert "9999" not in str(made.moved)
    assert ming.name not in str(list(Entry.objects.values_list("detail", flat=True)))
    with pytest.raises(StepRefused):
        merging.merge(pair, keep=ming.pk, other_fields=[], reason="x", by=by)
    merging.undo_merge(made, reason="认错了", by=by)
    assert state() == before
    pair.refresh_from_db()
    assert pair.state == "open"
    with pytest.raises(StepRefused):
        merging.undo_merge(made, reason="x", by=by)


def test_the_dropped_rows_school_can_go_on(people: People) -> None:
    ming = people.pupils["ming"]
    before = state()
    pair = pair_of(people, "pupil")
    by = people.district.actor("registrar")
    made = merging.merge(pair, keep=ming.pk, other_fields=[merging.PLACE], reason="x1", by=by)
    kept = Pupil.objects.get(pk=ming.pk)
    assert kept.organisation.code == "S2"
    assert in_step(kept)
    merging.undo_merge(made, reason="x1", by=by)
    assert state() == before


def test_merge_and_undo_of_a_guardian(people: People) -> None:
    before = state()
    pair = pair_of(people, "guardian")
    by = people.district.actor("registrar")
    father = people.guardians["father"]
    made = merging.merge(pair, keep=father.pk, other_fields=[], reason="同一人", by=by)
    assert father.guardianships.count() == 3
    assert Guardian.objects.live().filter(name=father.name).count() == 1
    merging.undo_merge(made, reason="x1", by=by)
    assert state() == before


@pytest.mark.parametrize("keep", ["left", "right"])
@pytest.mark.parametrize("place", [[], [merging.PLACE]])
def test_merge_and_undo_of_staff(people: People, keep: str, place: list[str]) -> None:
    chen = people.staff["chen"]
    other = people.member("chen2", chen.name, 7, "S2")
    other.born_on, other.sex, other.id_number = chen.born_on, chen.sex, None
    other.save()
    Employment.objects.create(
        staff=other, organisation=people.district.orgs["S1"], main=False, valid_from=people.began
    )
    before = state()
    pair = pair_of(people, "staff")
    kept_id = getattr(pair, keep)
    by = people.district.actor("registrar")
    made = merging.merge(
        pair, keep=kept_id, other_fields=["work_number", *place], reason="同一人", by=by
    )
    kept = StaffMember.objects.get(pk=kept_id)
    running = kept.employments.filter(valid_to__isnull=True)
    assert running.filter(main=True).count() == 1
    assert kept.organisation_id == running.get(main=True).organisation_id
    assert running.values("organisation").distinct().count() == running.count()
    merging.undo_merge(made, reason="x1", by=by)
    assert state() == before


def test_an_edit_after_the_merge_bars_undoing_swapped_values(people: People) -> None:
    pair, by = pair_of(people, "pupil"), people.district.actor("registrar")
    ming = people.pupils["ming"]
    made = merging.merge(pair, keep=ming.pk, other_fields=["id_number"], reason="x1", by=by)
    kept = Pupil.objects.get(pk=ming.pk)
    fields = {name: getattr(kept, name) for name in pupils.EDITABLE} | {"boarding": "2"}
    pupils.edit_pupil(kept, fields=fields, version=kept.version, by=by)
    with pytest.raises(StepRefused):
        merging.undo_merge(made, reason="x1", by=by)
    assert PersonMerge.objects.get().undone_at is None


def test_only_the_registrar_merges_and_says_why(people: People) -> None:
    pair = pair_of(people, "pupil")
    keep = people.pupils["ming"].pk
    for username in ("sec1", "director", "auditor"):
        by = people.district.actor(username)
        with pytest.raises(PermissionDenied):
            merging.merge(pair, keep=keep, other_fields=[], reason="x1", by=by)
        with pytest.raises(PermissionDenied):
            duplicates.keep_apart(pair, by=by)
        with pytest.raises(PermissionDenied):
            find_duplicates(by=by)
    with pytest.raises(ValidationError):
        by = people.district.actor("registrar")
        merging.merge(pair, keep=keep, other_fields=[], reason=" ", by=by)


def test_whatever_refers_to_a_person_is_handed_over() -> None:
    """A new relation to a person must be thought of when two rows are merged."""
    for kind, model in MODELS.items():
        refers = {
            relation.related_model
            for relation in model._meta.related_objects
            if relation.related_model is not model
        }
        known = {one for one, _key in merging.HANDED_OVER[kind]}
        pointing = {one for one, _key in merging.pointing(kind)}
        assert refers <= known | pointing
        assert {one for one in refers if one._meta.app_label == "registry"} == known, kind
        assert "registry" not in {one._meta.app_label for one in pointing}
        names = {field.name for field in model._meta.get_fields()}
        assert set(merging.CHOICES[kind]) <= names


def test_common_names_alone_are_no_pair_and_cost_no_more_queries(people: People) -> None:
    by = people.district.actor("registrar")

    def search() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert find_duplicates(by=by).pairs == 2
        return len(asked)

    search()
    few = search()
    rows = []
    for at in range(300):
        row = Pupil(name="王小明", born_on=dt.date(2016, 1, 1) + dt.timedelta(days=at), sex="1")
        row.id_number = number(row.born_on, 11)
        row.prepare()
        rows.append(row)
    Pupil.objects.bulk_create(rows)
    assert search() == few

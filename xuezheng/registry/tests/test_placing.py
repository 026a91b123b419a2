"""Placements at their boundary days; the pupil's own place is always that of the open one."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError

from tests.people import People
from xuezheng.kernel.access.actors import OutOfScope
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.models import Placement, Pupil
from xuezheng.registry.services import placing

pytest_plugins = ["tests.people"]
DAY = dt.timedelta(days=1)


def spans(pupil: Pupil) -> list[tuple]:
    rows = pupil.placements.order_by("valid_from", "id")
    return [
        (row.organisation.code, row.valid_from, row.valid_to, row.entry_code, row.exit_code)
        for row in rows.select_related("organisation")
    ]


def in_step(pupil: Pupil) -> bool:
    """Whether the pupil's own place is that of the open placement, of which there is at most one."""
    pupil = Pupil.objects.get(pk=pupil.pk)
    running = list(pupil.placements.filter(valid_to__isnull=True))
    at = running[0] if running else None
    return len(running) <= 1 and (
        (pupil.organisation_id, pupil.school_class_id)
        == ((at.organisation_id, at.school_class_id) if at else (None, None))
    )


def test_transfer_ends_the_day_before_and_begins_on_the_day(people: People) -> None:
    ming, target, on = people.pupils["ming"], people.district.orgs["S2"], people.began + 30 * DAY
    on = min(on, people.today)
    placing.take_in(
        ming,
        organisation=target,
        school_class=people.classes["S2-7"],
        on=on,
        by=people.district.actor("registrar"),
    )
    if on > people.began:
        assert spans(ming) == [
            ("S1", people.began, on - DAY, "", "21"),
            ("S2", on, None, "22", ""),
        ]
    assert in_step(ming)
    entry = Entry.objects.get(action="pupil.take_in")
    assert entry.detail["on"] == on.isoformat()
    assert entry.detail["left"] == people.district.orgs["S1"].id


@pytest.mark.parametrize(
    ("offset", "problem"),
    [(-1, "on"), (0, None), (1, None)],
)
def test_change_of_class_not_before_the_placement_began(
    people: People, offset: int, problem: str | None
) -> None:
    ming, on = people.pupils["ming"], people.began + offset * DAY
    call = {"school_class": people.classes["S1-2"], "on": on, "by": people.district.actor("sec1")}
    # The second class began a year earlier than this school year.
    if problem:
        with pytest.raises(ValidationError) as refused:
            placing.change_class(ming, **call)
        assert problem in refused.value.message_dict
        return
    placing.change_class(ming, **call)
    expected = 1 if offset == 0 else 2
    assert ming.placements.count() == expected
    assert Pupil.objects.get(pk=ming.pk).school_class == people.classes["S1-2"]
    assert in_step(ming)


def test_nothing_takes_effect_tomorrow(people: People) -> None:
    ming, tomorrow, by = (
        people.pupils["ming"],
        people.today + DAY,
        people.district.actor("registrar"),
    )
    with pytest.raises(ValidationError):
        placing.take_in(
            ming, organisation=people.district.orgs["S2"], school_class=None, on=tomorrow, by=by
        )
    with pytest.raises(ValidationError):
        placing.change_class(ming, school_class=people.classes["S1-2"], on=tomorrow, by=by)
    with pytest.raises(ValidationError):
        placing.leave(ming, on=tomorrow, exit_code="21", by=by)
    with pytest.raises(ValidationError):
        placing.suspend(ming, on=tomorrow, by=by)


def test_a_class_of_another_school_or_another_day_is_refused(people: People) -> None:
    ming, by = people.pupils["ming"], people.district.actor("registrar")
    with pytest.raises(ValidationError, match="不属于"):
        placing.change_class(ming, school_class=people.classes["S2-7"], on=people.today, by=by)
    late = people.classes["S1-2"]
    late.valid_to = people.today - DAY
    late.save()
    with pytest.raises(ValidationError, match="不存在"):
        placing.change_class(ming, school_class=late, on=people.today, by=by)


def test_leaving_and_returning(people: People) -> None:
    ming, by = people.pupils["ming"], people.district.actor("registrar")
    placing.leave(ming, on=people.began, exit_code="21", reason="随迁", by=by)
    after = Pupil.objects.get(pk=ming.pk)
    assert (after.organisation, after.status) == (None, "10")
    assert in_step(ming)
    with pytest.raises(StepRefused):
        placing.leave(after, on=people.today, exit_code="21", by=by)
    target = people.district.orgs["S1"]
    with pytest.raises(ValidationError):
        placing.take_in(after, organisation=target, school_class=None, on=people.began, by=by)
    placing.take_in(after, organisation=target, school_class=None, on=people.began + DAY, by=by)
    assert Pupil.objects.get(pk=ming.pk).status == "01"
    assert in_step(ming)


def test_suspension_keeps_school_and_class(people: People) -> None:
    ming, by = people.pupils["ming"], people.district.actor("sec1")
    placing.suspend(ming, on=people.began + DAY, reason="病休", by=by)
    after = Pupil.objects.get(pk=ming.pk)
    assert (after.status, after.school_class) == ("02", people.classes["S1-1"])
    with pytest.raises(StepRefused):
        placing.suspend(after, on=people.today, by=by)
    placing.resume(after, on=people.began + 2 * DAY, by=by)
    assert Pupil.objects.get(pk=ming.pk).status == "01"
    assert [codes for *_rest, codes in spans(ming)] == ["11", "12", ""]
    assert in_step(ming)


def test_correction_needs_a_reason_and_no_overlap(people: People) -> None:
    gone, by = people.pupils["gone"], people.district.actor("registrar")
    row = gone.placements.get()
    good = {"school_class": row.school_class, "by": by}
    span = {"valid_from": row.valid_from, "valid_to": row.valid_to + DAY}
    with pytest.raises(ValidationError, match="理由"):
        placing.correct(row, **span, **good, reason=" ")
    with pytest.raises(ValidationError, match="只更正日期"):
        placing.correct(row, valid_from=row.valid_from, valid_to=None, **good, reason="x")
    with pytest.raises(ValidationError, match="早于"):
        placing.correct(
            row, valid_from=row.valid_from, valid_to=row.valid_from - DAY, **good, reason="x"
        )
    other = Placement.objects.create(
        pupil=gone,
        organisation=row.organisation,
        valid_from=row.valid_to + 5 * DAY,
        valid_to=row.valid_to + 9 * DAY,
    )
    touching = {"valid_from": row.valid_from, "valid_to": other.valid_from}
    with pytest.raises(ValidationError, match="重叠"):
        placing.correct(row, **touching, **good, reason="x")
    placing.correct(
        row, valid_from=row.valid_from, valid_to=other.valid_from - DAY, **good, reason="录错"
    )
    row.refresh_from_db()
    assert row.valid_to == other.valid_from - DAY
    assert Entry.objects.get(action="pupil.correct").reason == "录错"
    assert in_step(gone)


def test_scope_is_checked_on_the_row(people: People) -> None:
    ming, other = people.pupils["ming"], people.district.actor("head2")
    with pytest.raises(OutOfScope):
        placing.suspend(ming, on=people.today, by=other)
    with pytest.raises(PermissionDenied):
        placing.suspend(ming, on=people.today, by=people.district.actor("director"))
    # A school cannot take a child from another school, nor let one go by itself.
    with pytest.raises(OutOfScope):
        placing.take_in(
            ming,
            organisation=people.district.orgs["S2"],
            school_class=None,
            on=people.today,
            by=other,
        )
    with pytest.raises(OutOfScope):
        placing.leave(ming, on=people.today, exit_code="21", by=people.district.actor("sec1"))
    assert in_step(ming)


def test_the_database_refuses_a_school_that_moves_a_child(people: People) -> None:
    by = people.district.actor("sec1")
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        fenced(by=by),
    ):
        Pupil.objects.filter(pk=people.pupils["ming"].pk).update(
            organisation=people.district.orgs["S2"]
        )


def test_under_its_own_reach_a_school_changes_class_and_suspends(people: People) -> None:
    by, ming = people.district.actor("sec1"), people.pupils["ming"]
    with fenced(by=by):
        placing.change_class(ming, school_class=people.classes["S1-2"], on=people.today, by=by)
        placing.suspend(ming, on=people.today, by=by)
    assert in_step(ming)

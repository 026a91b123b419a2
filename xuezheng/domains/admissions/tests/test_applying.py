"""Submitting: one reference for one child, whatever is retried; nobody reaches another family's row."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.season import SeasonRoom, child_id
from xuezheng.domains.admissions.answers import Address, Answers, Faults
from xuezheng.domains.admissions.models import (
    Application,
    Choice,
    Party,
    Redirection,
    RollEntry,
    Season,
    ZonePart,
)
from xuezheng.domains.admissions.services.applying import submit, withdraw
from xuezheng.domains.admissions.services.standing import stand
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.notices.models import Notice


def answers(number: int = 1, **changes) -> Answers:
    """A family of 海沿社区 that owns its home."""
    born = dt.date(timezone.localdate().year - 6, 3, 5)
    values = {
        "child_name": "周小禾",
        "id_number": child_id(number, born),
        "guardian_name": "周大山",
        "guardian_id": child_id(900, dt.date(1990, 5, 5)),
        "relation": "51",
        "phone": "13900000001",
        "register": Address("999900002001", "望海路", 7),
        "register_date": dt.date(2020, 6, 1),
        "home": Address("999900002001", "望海路", 7),
        "owner": "parent",
        "share": 100,
        "title": "deed",
        "title_date": dt.date(2019, 1, 1),
    }
    return Answers(**values | changes).checked()


def send(room: SeasonRoom, name: str, given: Answers, key: uuid.UUID | None = None):
    """Submit as a request does: inside the fence."""
    family = room.family(name)
    with fenced(by=family):
        return submit(season=room.season, answers=given, key=key or uuid.uuid4(), by=family)


def test_a_submission_has_its_case_list_notice_and_trail(room: SeasonRoom) -> None:
    made = send(room, "mum", answers())
    assert (made.is_new, made.own) == (True, True)
    application = Application.objects.get(case__number=made.number)
    assert application.case.organisation == room.district.orgs["S1"]
    assert application.case.awaits == "admissions.verify"
    schools = [(c.intake.school.code, c.by_rule) for c in application.choices.all()]
    assert schools == [("S1", True), ("S3", True)]
    assert application.entry.outcome == RollEntry.Outcome.REGISTERED
    assert application.entry.sources == ["self"]
    assert Notice.objects.get().title.endswith(made.number)
    entry = Entry.objects.get(action="application.submit")
    assert entry.object_id == made.number
    assert "周" not in str(entry.detail)


def test_the_same_child_or_key_gives_the_same_reference(room: SeasonRoom) -> None:
    key = uuid.uuid4()
    first = send(room, "mum", answers(), key)
    again = send(room, "mum", answers(), key)
    other_device = send(room, "mum", answers(), uuid.uuid4())
    assert {first.number, again.number, other_device.number} == {first.number}
    assert (again.is_new, other_device.is_new) == (False, False)
    assert Application.objects.count() == 1
    assert send(room, "mum", answers(2)).number != first.number


def test_a_submission_takes_few_statements_and_sees_what_changed(room: SeasonRoom) -> None:
    send(room, "mum", answers())
    room.family("dad")
    with CaptureQueriesContext(connection) as taken:
        made = send(room, "dad", answers(2))
    assert len(taken) <= 24, "each one is a round trip in the opening minute"
    assert Choice.objects.filter(application__case__number=made.number).count() == 2
    Redirection.objects.all().delete()
    made = send(room, "mum", answers(3))
    assert Choice.objects.filter(application__case__number=made.number).count() == 1
    ZonePart.objects.filter(community=room.communities["shore"]).update(zone=room.zones["hill"])
    made = send(room, "mum", answers(4))
    choice = Choice.objects.get(application__case__number=made.number)
    assert choice.intake == room.intakes["S3"]


def test_a_second_guardian_is_added_and_sees_nothing(room: SeasonRoom) -> None:
    first = send(room, "mum", answers())
    second = send(room, "dad", answers(guardian_name="周二河"))
    assert (second.number, second.own) == (first.number, False)
    application = Application.objects.get()
    assert application.custody_disputed
    assert Party.objects.get(main=False).confirmed is False
    dad = room.family("dad")
    with fenced(by=dad):
        assert not Application.objects.exists(), "row-level policy"
        assert not Application.objects.visible_to(dad).exists()
    Party.objects.filter(main=False).update(confirmed=True)
    with fenced(by=dad):
        assert Application.objects.visible_to(dad).count() == 1


@pytest.mark.parametrize(
    ("actor", "seen"),
    [("admit", 1), ("sec1", 1), ("sec3", 0), ("head2", 0), ("plan", 0), ("teacher1", 0)],
)
def test_row_level_policies_hold_without_visible_to(room, actor: str, seen: int) -> None:
    send(room, "mum", answers())
    with fenced(by=room.district.actor(actor)):
        assert Application.objects.count() == seen
        assert RollEntry.objects.count() == seen
        assert Choice.objects.count() == 2 * seen
        assert Party.objects.count() == seen


def test_nobody_moves_what_is_not_theirs(room: SeasonRoom) -> None:
    send(room, "mum", answers())
    application = Application.objects.select_related("case").get()
    with pytest.raises(PermissionDenied):
        withdraw(application, version=1, by=room.family("dad"))
    with fenced(by=room.family("mum")):
        withdraw(application, version=1, by=room.family("mum"))
    assert RollEntry.objects.get().outcome == ""
    assert send(room, "mum", answers()).is_new, "a child taken back may be registered again"


def test_outside_the_days_nothing_is_taken(room: SeasonRoom) -> None:
    room.season.closes_at = timezone.now() - dt.timedelta(seconds=1)
    room.season.save()
    with pytest.raises(StepRefused):
        send(room, "mum", answers())
    room.season.closes_at = timezone.now() + dt.timedelta(hours=1)
    room.season.state = Season.State.CHECKING
    room.season.save()
    with pytest.raises(StepRefused):
        send(room, "mum", answers())
    assert not RollEntry.objects.exists()


def test_all_faults_come_at_once() -> None:
    with pytest.raises(Faults) as refused:
        Answers(id_number="123", owner="grandparent").checked()
    assert set(refused.value.faults) == {
        "child_name", "guardian_name", "relation", "phone", "id_number", "born_on", "home",
        "grandparents_agreed",
    }  # fmt: skip


def test_what_a_register_confirmed_stands_before_what_was_typed(room: SeasonRoom) -> None:
    checks = {
        "police": {"state": "confirmed", "facts": {"register_date": "2021-02-03"}},
        "property": {"state": "not_found", "facts": {"share": 10}},
    }
    send(room, "mum", answers(checks=checks))
    application = Application.objects.get()
    assert application.register_date == dt.date(2021, 2, 3)
    assert application.share == 100
    assert application.papers_needed
    assert application.checks.count() == 2


def test_standings_follow_the_ladder(room: SeasonRoom) -> None:
    send(room, "mum", answers())
    hill = Address("999900002002", "山前路", 1)
    send(room, "dad", answers(2, register=hill, intakes=(room.intakes["P1"].id,)))
    Application.objects.update(state="verified")
    assert stand(room.season) == 5
    by_child = {
        application.applicant.name: [
            (c.intake.school.code, c.standing.code if hasattr(c, "standing") else None)
            for c in application.choices.all()
        ]
        for application in Application.objects.all()
    }
    assert by_child["mum"] == [("S1", "A"), ("S3", "RA")]
    assert by_child["dad"] == [("P1", "P2"), ("S3", "B"), ("S1", "C")]

"""Supervision sheets: the ladder, the night, the way to the file, who sees what."""

import datetime as dt
import io

import docx
import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import District, photo
from xuezheng.boards.board import build
from xuezheng.domains.workplan.jobs import desk
from xuezheng.domains.workplan.models import Commitment, LightChange, Plan, Supervision
from xuezheng.domains.workplan.rules import (
    Every,
    Kind,
    Ladder,
    Level,
    Light,
    due_days,
    first_level,
    level_after,
)
from xuezheng.domains.workplan.services import supervising
from xuezheng.domains.workplan.services.sheet import sheet_document
from xuezheng.domains.workplan.tests.test_services import adopted, owed, plan
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.cases.service import Conflict, StepRefused
from xuezheng.kernel.notices.models import Notice
from xuezheng.kernel.reference.calendar import due_after

pytestmark = pytest.mark.usefixtures("files_dir")
__all__ = ["plan"]
RULE = Ladder(leader_after=3, director_after=7, high_weight=3)


@pytest.mark.parametrize(
    ("level", "late", "expected"),
    [
        (Level.OFFICE, 0, Level.OFFICE),
        (Level.OFFICE, 2, Level.OFFICE),
        (Level.OFFICE, 3, Level.LEADER),
        (Level.OFFICE, 6, Level.LEADER),
        (Level.OFFICE, 7, Level.DIRECTOR),
        (Level.LEADER, 0, Level.LEADER),
        (Level.LEADER, 7, Level.DIRECTOR),
        (Level.DIRECTOR, 0, Level.DIRECTOR),
    ],
)
def test_the_ladder_rises_and_never_falls(level: Level, late: int, expected: Level) -> None:
    assert level_after(level, late, RULE) == expected


@pytest.mark.parametrize(
    ("weight", "level"), [(1, Level.OFFICE), (2, Level.OFFICE), (3, Level.LEADER)]
)
def test_important_ones_start_high(weight: int, level: Level) -> None:
    assert first_level(weight, RULE) == level


@pytest.mark.parametrize(
    ("every", "month", "day", "expected"),
    [
        (Every.MONTH, 1, 31, ["01-31", "02-28", "03-31", "04-30"]),
        (Every.QUARTER, 3, 10, ["03-10", "06-10", "09-10", "12-10"]),
        (Every.HALF, 6, 30, ["06-30", "12-30"]),
        (Every.YEAR, 12, 5, ["12-05"]),
        (Every.QUARTER, 9, 10, ["03-10", "06-10", "09-10", "12-10"]),
    ],
)
def test_due_days_of_a_year(every: Every, month: int, day: int, expected: list[str]) -> None:
    found = [f"{at:%m-%d}" for at in due_days(every, month, day, 2026)]
    assert found[: len(expected)] == expected
    assert len(found) == 12 // {"month": 1, "quarter": 3, "half": 6, "year": 12}[every]


def red(row: Commitment, since: int = 0) -> Commitment:
    """Turn a commitment red, some days ago."""
    day = timezone.localdate() - dt.timedelta(days=since)
    LightChange.objects.filter(commitment=row).delete()
    LightChange.objects.create(
        commitment=row, on=day - dt.timedelta(days=9), light=Light.GREEN, cause="on_plan"
    )
    LightChange.objects.create(commitment=row, on=day, light=Light.RED, cause="overdue")
    Commitment.objects.filter(id=row.id).update(light=Light.RED, light_order=0, cause="overdue")
    row.refresh_from_db()
    return row


@pytest.fixture
def document(district: District, plan: Plan) -> Commitment:
    """The commitment of a document in an adopted plan, all of whose lights are green."""
    made = adopted(district, plan)
    LightChange.objects.filter(commitment__plan=made).delete()
    made.commitments.update(light=Light.GREEN, light_order=2, cause="on_plan")
    return made.commitments.get(kind=Kind.DOCUMENT)


def issued(district: District, row: Commitment, **changes: object) -> Supervision:
    by = district.actor("plan")
    sheet = supervising.propose(
        issuer=row.plan.organisation,
        office=row.lead_office,
        title=row.title,
        note="进展慢",
        commitment=row,
        by=by,
    )
    values = {"demand": "限期办结", "due_on": due_after(timezone.localdate(), 10)} | changes
    supervising.issue(sheet, level=Level.OFFICE, by=by, **values)
    return fresh(sheet)


def fresh(sheet: Supervision) -> Supervision:
    return Supervision.objects.select_related("case", "issuer", "commitment__leader").get(
        pk=sheet.pk
    )


def test_from_proposal_to_the_file(district: District, document: Commitment) -> None:
    sheet = issued(district, document)
    year = timezone.localdate().year
    assert sheet.number == f"督〔{year}〕1号"
    assert "supervision" in owed(district, "base")
    supervising.sign(sheet, version=sheet.case.version, by=district.actor("base"))
    sheet = fresh(sheet)
    assert sheet.signed_by == district.users["base"]
    with pytest.raises(Conflict):
        supervising.reply(sheet, note="x", version=1, by=district.actor("base"))
    supervising.reply(
        sheet,
        note="已开协调会",
        evidence=[photo()],
        version=sheet.case.version,
        by=district.actor("base"),
    )
    sheet = fresh(sheet)
    assert (sheet.state, sheet.reply) == ("replied", "已开协调会")
    supervising.give_back(
        sheet, note="没有附件", version=sheet.case.version, by=district.actor("plan")
    )
    sheet = fresh(sheet)
    assert (sheet.state, sheet.reply, sheet.case.due) == ("acting", "", sheet.due_on)
    supervising.reply(sheet, note="补齐", version=sheet.case.version, by=district.actor("base"))
    sheet = fresh(sheet)
    supervising.settle(sheet, version=sheet.case.version, by=district.actor("plan"))
    sheet = fresh(sheet)
    assert sheet.settled_on == timezone.localdate()
    supervising.file_away(sheet, version=sheet.case.version, by=district.actor("plan"))
    assert not fresh(sheet).case.is_open
    second = issued(district, document)
    assert second.serial == 2


def test_whoever_answers_does_not_settle(district: District, document: Commitment) -> None:
    district.hold("plan", "office_head", "B-BASE")
    sheet = issued(district, document)
    for act, more in ((supervising.sign, {}), (supervising.reply, {"note": "x"})):
        act(fresh(sheet), version=fresh(sheet).case.version, by=district.actor("plan"), **more)
    with pytest.raises(StepRefused, match="另一人"):
        supervising.settle(
            fresh(sheet), version=fresh(sheet).case.version, by=district.actor("plan")
        )


def test_only_the_plan_office_issues(district: District, document: Commitment) -> None:
    for who in ("base", "deputy", "inspector"):
        with pytest.raises(PermissionDenied):
            supervising.propose(
                issuer=document.plan.organisation,
                office=document.lead_office,
                title="x",
                note="x",
                commitment=document,
                by=district.actor(who),
            )
    with pytest.raises(StepRefused, match="早于"):
        issued(district, document, due_on=timezone.localdate() - dt.timedelta(days=1))


def test_the_night_proposes_once_for_each_turn_to_red(
    district: District, document: Commitment
) -> None:
    by = JobActor("tests")
    assert supervising.propose_for_red(document.plan, by=by) == 0
    red(document)
    assert supervising.propose_for_red(document.plan, by=by) == 1
    assert supervising.propose_for_red(document.plan, by=by) == 0
    sheet = document.supervisions.get()
    assert sheet.automatic
    assert (sheet.state, sheet.serial, sheet.number) == ("proposed", None, "")
    assert "supervision" in owed(district, "plan")
    supervising.dismiss(
        fresh(sheet), note="已口头督办", version=sheet.case.version, by=district.actor("plan")
    )
    # Still the same red: not proposed again, until it has been another colour in between.
    assert supervising.propose_for_red(document.plan, by=by) == 0
    sheet.case.__class__.objects.filter(pk=sheet.pk).update(
        opened_at=timezone.now() - dt.timedelta(days=30)
    )
    assert supervising.propose_for_red(document.plan, by=by) == 1


def test_a_proposal_is_not_seen_by_the_office(district: District, document: Commitment) -> None:
    red(document)
    supervising.propose_for_red(document.plan, by=JobActor("tests"))

    def seen(who: str) -> int:
        return Supervision.objects.visible_to(district.actor(who)).count()

    assert [seen(who) for who in ("plan", "deputy", "base", "safety_office")] == [1, 1, 0, 0]
    sheet = document.supervisions.get()
    supervising.issue(
        sheet,
        demand="x",
        due_on=timezone.localdate(),
        level=Level.OFFICE,
        by=district.actor("plan"),
    )
    assert [seen(who) for who in ("base", "safety_office", "head1")] == [1, 0, 0]


def test_late_sheets_climb_and_leaders_hear(district: District, document: Commitment) -> None:
    sheet = issued(district, document)
    issuer = document.plan.organisation
    by = JobActor("tests")
    today = timezone.localdate()

    def late(days: int) -> None:
        day = today
        while supervising.working_days_late(day, today) < days:
            day -= dt.timedelta(days=1)
        Supervision.objects.filter(pk=sheet.pk).update(due_on=day)

    late(2)
    assert supervising.climb(issuer, by=by) == 0
    late(3)
    assert supervising.climb(issuer, by=by) == 1
    assert supervising.climb(issuer, by=by) == 0
    assert fresh(sheet).level == Level.LEADER
    deputy = district.users["deputy"]
    assert (
        Notice.objects.filter(user=deputy)
        .values_list("path", flat=True)[0]
        .endswith(f"/{sheet.case.number}/")
    )
    late(7)
    assert supervising.climb(issuer, by=by) == 1
    assert fresh(sheet).level == Level.DIRECTOR
    assert Notice.objects.filter(user=district.users["director"]).count() == 1
    assert fresh(sheet).case.urged_at is not None


def test_more_time_is_asked_before_the_day_and_decided_by_the_leader(
    district: District, document: Commitment
) -> None:
    sheet = issued(district, document)
    by = district.actor("base")
    supervising.sign(sheet, version=sheet.case.version, by=by)
    sheet = fresh(sheet)
    later = sheet.due_on + dt.timedelta(days=5)

    def ask(day: dt.date) -> None:
        supervising.ask_more_time(
            fresh(sheet), new_due=day, reason="x", version=fresh(sheet).case.version, by=by
        )

    with pytest.raises(StepRefused, match="晚于"):
        ask(sheet.due_on)
    ask(later)
    assert owed(district, "deputy") == ["supervision"]
    supervising.decide_more_time(
        fresh(sheet), granted=True, version=fresh(sheet).case.version, by=district.actor("deputy")
    )
    row = fresh(sheet)
    assert (row.state, row.due_on, row.case.due, row.extended) == ("acting", later, later, 1)
    ask(later + dt.timedelta(days=1))
    supervising.decide_more_time(
        fresh(sheet),
        granted=False,
        note="不再延期",
        version=fresh(sheet).case.version,
        by=district.actor("deputy"),
    )
    assert (fresh(sheet).due_on, fresh(sheet).asked_due) == (later, None)


def test_the_word_sheet_says_what_the_page_says(district: District, document: Commitment) -> None:
    sheet = issued(district, document)
    cells = {
        row.cells[0].text: row.cells[1].text
        for row in docx.Document(io.BytesIO(sheet_document(sheet))).tables[0].rows
    }
    assert cells["督办编号"] == sheet.number
    assert cells["办理要求"] == "限期办结"
    assert cells["办理期限"] == sheet.due_on.isoformat()
    assert cells["责任单位"] == "基础教育科"


def client_of(district: District, who: str) -> Client:
    client = Client()
    client.force_login(district.users[who])
    return client


def test_issue_answer_and_settle_through_the_pages(
    district: District, document: Commitment
) -> None:
    office = client_of(district, "plan")
    add = reverse("supervision_add") + f"?commitment={document.id}"
    page = office.get(add)
    assert page.status_code == 200
    due = due_after(timezone.localdate(), 5).isoformat()
    data = {
        "office": document.lead_office_id,
        "title": "办法起草滞后",
        "note": "未按时起草",
        "demand": "十日内完成",
        "due_on": due,
        "level": "2",
        "key": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    }
    assert office.post(add, data | {"demand": ""}).status_code == 422
    assert office.post(add, data).status_code == 302
    assert office.post(add, data).status_code == 302
    sheet = Supervision.objects.get()
    number = sheet.case.number
    base = client_of(district, "base")
    assert "十日内完成" in base.get(reverse("supervision_detail", args=[number])).text

    def step(client: Client, name: str, **more: object) -> int:
        version = fresh(sheet).case.version
        address = reverse("supervision_step", args=[number, name])
        return client.post(address, {"version": version, **more}).status_code

    assert step(base, "sign") == 302
    assert step(base, "reply", note="") == 422
    assert step(base, "reply", note="已完成初稿", evidence=[photo()]) == 302
    file_id = fresh(sheet).case.attachments.get().file_id
    answer = base.get(reverse("supervision_file", args=[number, file_id]))
    assert b"".join(answer.streaming_content)
    assert step(base, "settle", passed="yes") == 403
    assert step(office, "settle", passed="no", note="") == 422
    assert step(office, "settle", passed="yes") == 302
    for name in ("supervision_sheet", "supervision_word"):
        assert office.get(reverse(name, args=[number])).status_code == 200
    assert step(office, "file") == 302
    listed = office.get(reverse("supervision_list") + "?state=filed&level=2")
    assert "办法起草滞后" in listed.text
    assert office.get(reverse("supervision_list") + "?export=xlsx").status_code == 200


def test_the_weeks_turns_are_those_of_the_board(district: District, document: Commitment) -> None:
    red(document, since=2)
    page = client_of(district, "plan").get(reverse("plan_week", args=[document.plan_id]))
    board = build(document.plan, district.actor("plan"))
    assert [len(group["rows"]) for group in page.context["groups"]] == [
        board.turned_red,
        board.turned_green,
    ]
    assert board.turned_red == 1


def test_the_nightly_job_does_it_all(district: District, document: Commitment) -> None:
    red(document)
    desk(0)
    desk(0)
    assert document.supervisions.count() == 1


def test_list_queries_do_not_grow(
    district: District, document: Commitment, django_assert_max_num_queries: object
) -> None:
    client = client_of(district, "plan")
    counts = []
    for _round in range(2):
        issued(district, document)
        client.get(reverse("supervision_list"))
        with django_assert_max_num_queries(40) as seen:
            client.get(reverse("supervision_list"))
        counts.append(len(seen))
        for _more in range(5):
            issued(district, document)
    assert counts[0] == counts[1]

"""A school's new children: roll call, registry, pupil-status file, balanced classes; who may what."""

import datetime as dt
import io
import json

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from docx import Document

from tests.season import SeasonRoom, child_id
from xuezheng.domains.admissions.models import (
    Application,
    ClassDraw,
    DwellingLock,
    FollowUp,
    Party,
    RollEntry,
)
from xuezheng.domains.admissions.rules.draw import Tree, commitment, seed
from xuezheng.domains.admissions.services import arriving, classing
from xuezheng.domains.admissions.services.locks import lock_homes
from xuezheng.kernel.access.actors import OutOfScope
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.models import Case, CaseClock
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.models import Dwelling, Pupil, SchoolClass

TODAY = timezone.localdate()


def placed(room: SeasonRoom, number: int, *, school: str = "S1", state: str = "placed", **more):
    """A child with a place; its mother is its guardian."""
    born = dt.date(TODAY.year - 6, 3, 5)
    orgs = room.district.orgs
    entry = RollEntry.objects.create(
        season=room.season, code=f"C{number:03d}", name="周小禾", id_number=child_id(number, born),
        born_on=born, sex="1" if number % 2 else "2", sources=["police"], town=orgs["T1"],
        school=orgs["S1"], outcome="registered", outcome_on=TODAY,
    )  # fmt: skip
    case = Case.objects.create(
        number=f"RX-{number}", kind="application", title="小学入学登记", state=state,
        organisation=orgs[school], phase="acting", opened_at=timezone.now(),
        awaits="admissions.school",
    )  # fmt: skip
    CaseClock.objects.create(case=case, kind="arrival", basis="x", started=TODAY, due=TODAY)
    dwelling, _new = Dwelling.objects.get_or_create(
        community=room.communities["shore"], road="望海路", number=7
    )
    row = Application.objects.create(
        case=case, entry=entry, season=room.season, state=state, child_name=entry.name,
        born_on=born, sex=entry.sex, submitted_on=TODAY, zone_name="海沿社区片区",
        register_dwelling=dwelling, home_dwelling=dwelling, **more,
    )  # fmt: skip
    Party.objects.create(
        application=row, name="周大山", id_number=child_id(900, dt.date(1990, 5, 5)),
        phone="13900000001", relation="51", main=True, confirmed=True,
    )  # fmt: skip
    return row


def sec(room: SeasonRoom):
    return room.district.actor("sec1")


def enter(room: SeasonRoom, who: str = "sec1") -> arriving.Entered:
    """Take in as a request does: inside the fence."""
    by = room.district.actor(who)
    with fenced(by=by):
        return arriving.take_in(
            season=room.season, school=room.district.orgs["S1"], on=TODAY, by=by
        )


def test_who_came_is_arrived_once(room: SeasonRoom) -> None:
    rows = [placed(room, 1), placed(room, 2)]
    by = sec(room)
    with fenced(by=by):
        assert arriving.mark_arrived(rows, by=by) == 2
        assert arriving.mark_arrived(rows, by=by) == 0
    assert set(Application.objects.values_list("state", flat=True)) == {"arrived"}
    assert Case.objects.filter(closed_at__isnull=False).count() == 2


def test_who_did_not_come_is_followed_up_by_the_town(room: SeasonRoom) -> None:
    rows = [placed(room, 1), placed(room, 2, school="S3")]
    by = room.district.actor("sec3")
    with fenced(by=by):
        # S3 had a place for a child of the area of S1.
        assert arriving.mark_absent(rows[1:], by=by) == 1
    followed = FollowUp.objects.get()
    assert (followed.cause, followed.entry_id) == ("absent", rows[1].entry_id)
    assert followed.case.organisation == room.district.orgs["T1"]
    assert RollEntry.objects.get(pk=rows[1].entry_id).outcome == ""
    with fenced(by=by), pytest.raises((OutOfScope, PermissionDenied, ValueError)):
        arriving.mark_absent(rows[:1], by=by)
    assert FollowUp.objects.count() == 1


def test_arrived_children_are_pupils_once(room: SeasonRoom) -> None:
    row = placed(room, 1, state="arrived")
    placed(room, 2)
    done = enter(room)
    assert (done.new, done.known, done.problems) == (1, 0, [])
    pupil = Pupil.objects.get()
    assert pupil.organisation == room.district.orgs["S1"]
    assert pupil.guardianships.get().main
    assert pupil.residences.count() == 2
    row.entry.refresh_from_db()
    assert row.entry.pupil == pupil
    again = enter(room)
    assert (again.new, again.known, again.already) == (0, 0, 1)
    assert Pupil.objects.count() == 1


@pytest.mark.parametrize(
    ("known", "owner", "mode", "locked"),
    [
        ("nowhere", "parent", "zone", True),
        ("nowhere", "grandparent", "zone", True),
        ("kindergarten", "parent", "zone", True),
        ("nowhere", "none", "zone", False),
        ("nowhere", "parent", "choice", False),
    ],
)
def test_the_home_is_locked_when_the_child_is_in_the_registry(
    room: SeasonRoom, known: str, owner: str, mode: str, locked: bool
) -> None:
    row = placed(room, 1, state="arrived", owner=owner)
    room.intakes["S1"].mode = mode
    room.intakes["S1"].save()
    if known == "kindergarten":
        Pupil.objects.create(
            name="周小禾", born_on=row.born_on, sex="1", id_number=row.entry.id_number,
            organisation=room.district.orgs["K1"],
        )  # fmt: skip
    for _twice in range(2):
        enter(room)
        locks = DwellingLock.objects.filter(dwelling=row.home_dwelling)
        assert [lock.pupil for lock in locks] == ([Pupil.objects.get()] if locked else [])
    if locked:
        lock = locks[0]
        assert (lock.school, lock.from_year) == (room.district.orgs["S1"], room.season.year)
        assert lock.until_year - lock.from_year == 6, "of the parameter"


def test_who_does_not_come_leaves_the_home_free(room: SeasonRoom) -> None:
    row, by = placed(room, 1, owner="parent"), sec(room)
    row.entry.pupil = Pupil.objects.create(name="周小禾", born_on=row.born_on, sex="1")
    row.entry.save()
    assert lock_homes(room.season, [(row, room.district.orgs["S1"].id)]) == 1
    older = DwellingLock.objects.create(
        dwelling=row.home_dwelling, school=room.district.orgs["S1"], from_year=2020,
        until_year=2030, pupil=Pupil.objects.create(name="别人", born_on=row.born_on, sex="1"),
    )  # fmt: skip
    with fenced(by=by):
        arriving.mark_absent([row], by=by)
    assert list(DwellingLock.objects.all()) == [older]


def test_a_kindergarten_leaver_keeps_its_record(room: SeasonRoom) -> None:
    row = placed(room, 1, state="arrived")
    old = Pupil.objects.create(
        name=row.entry.name, id_number=row.entry.id_number, born_on=row.born_on, sex=row.sex,
        organisation=room.district.orgs["K1"],
    )  # fmt: skip
    began = TODAY - dt.timedelta(days=300)
    old.placements.create(organisation=room.district.orgs["K1"], valid_from=began)
    done = enter(room)
    assert (done.new, done.known) == (0, 1)
    old.refresh_from_db()
    assert old.organisation == room.district.orgs["S1"]
    closed = old.placements.get(valid_to__isnull=False)
    assert (closed.organisation.code, closed.exit_code) == ("K1", "")
    assert enter(room).already == 1


def test_what_cannot_be_entered_is_listed_and_the_rest_goes_in(room: SeasonRoom) -> None:
    placed(room, 1, state="arrived")
    wrong = placed(room, 2, state="arrived")
    RollEntry.objects.filter(pk=wrong.entry_id).update(
        born_on=TODAY + dt.timedelta(days=9), id_kind="Z"
    )
    done = enter(room)
    assert done.new == 1
    assert [problem.application for problem in done.problems] == [wrong]


def test_numbers_are_checked_before_the_file(room: SeasonRoom) -> None:
    good, wrong = placed(room, 1, state="arrived"), placed(room, 2, state="arrived")
    RollEntry.objects.filter(pk=wrong.entry_id).update(id_number="999900202003050999")
    wrong.parties.update(phone=None)
    rows = Application.objects.select_related("entry").prefetch_related("parties").order_by("pk")
    found = arriving.problems_of(rows)
    assert {problem.application.pk for problem in found} == {wrong.pk}
    assert len(found) == 2
    assert good.pk not in {problem.application.pk for problem in found}


def prepared(room: SeasonRoom, count: int = 9, classes: int = 2, **more) -> ClassDraw:
    for number in range(1, count + 1):
        placed(room, number, state="arrived", special_needs=number in (3, 4))
    return classing.prepare(
        season=room.season, school=room.district.orgs["S1"], classes=classes, by=sec(room), **more
    )


def test_classes_follow_from_what_was_published(room: SeasonRoom) -> None:
    row = prepared(room)
    lines = [f"{code} {letter}" for code, letter in row.given["children"]]
    assert Tree.of(lines).root == row.root
    assert commitment(row.secret) == row.commitment
    row = classing.draw_classes(row, digits="5 8 3 0 1 7", witnesses="家长代表5人", by=sec(room))
    assert row.seed == seed(row.root, "583017", [], row.secret)
    assert classing.outcome(row) == (row.result, row.sha256)
    sizes = [list(row.result["classes"].values()).count(number) for number in (1, 2)]
    assert sorted(sizes) == [4, 5]
    with pytest.raises(StepRefused):
        classing.draw_classes(row, digits="111111", witnesses="家长代表", by=sec(room))
    done = classing.carry_out(row, by=sec(room))
    assert done.new == 9
    assert SchoolClass.objects.filter(entry_year=room.season.year).count() == 2
    row.refresh_from_db()
    for code, number in row.result["classes"].items():
        pupil = RollEntry.objects.get(code=code).pupil
        assert pupil.school_class.number == number
    assert enter(room).already == 9
    with pytest.raises(StepRefused):
        classing.carry_out(row, by=sec(room))


@pytest.mark.parametrize("members", [(1, 3), (1, 3, 5)])
@pytest.mark.parametrize(
    ("said", "chosen", "sit"),
    [
        ("", None, "class"),
        ("class", None, "class"),
        ("split", None, "split"),
        ("school", None, "school"),
        ("class", "split", "split"),
        ("split", "school", "school"),
    ],
)
def test_twins_sit_as_their_family_wrote_or_told_the_school(
    room: SeasonRoom, members: tuple[int, ...], said: str, chosen: str | None, sit: str
) -> None:
    key = "00000000-0000-4000-8000-000000000001"
    for number in range(1, 21):
        more = {"together": key, "twin_wish": said} if number in members else {}
        placed(room, number, state="arrived", **more)
    group = tuple(f"C{number:03d}" for number in members)
    row = classing.prepare(
        season=room.season, school=room.district.orgs["S1"], classes=4,
        wishes={group: chosen} if chosen else None, by=sec(room),
    )  # fmt: skip
    row = classing.draw_classes(row, digits="123456", witnesses="家长代表", by=sec(room))
    at = {row.result["classes"][code] for code in group}
    expected = {"class": [1], "split": [len(members)], "school": [1, 2, 3]}[sit]
    assert len(at) in expected
    assert bool(row.given["together"]) is (sit == "class")
    assert bool(row.given["apart"]) is (sit == "split")
    assert row.result["unmet"] == []


def test_what_is_wrong_with_a_draw_is_refused(room: SeasonRoom) -> None:
    row = prepared(room, 4)
    school = room.district.orgs["S1"]
    with pytest.raises(StepRefused):
        classing.prepare(season=room.season, school=school, classes=2, by=sec(room))
    for digits, witnesses in (("12345", "家长代表"), ("12345a", "家长代表"), ("123456", "")):
        with pytest.raises(ValidationError):
            classing.draw_classes(row, digits=digits, witnesses=witnesses, by=sec(room))
    with pytest.raises(StepRefused):
        classing.carry_out(row, by=sec(room))
    classing.make_void(row, reason="名单有误", by=sec(room))
    for classes, teachers in ((0, []), (5, []), (2, [10**9, 10**9 + 1])):
        with pytest.raises((ValidationError, OutOfScope)):
            classing.prepare(
                season=room.season, school=school, classes=classes, teachers=teachers, by=sec(room)
            )
    with pytest.raises(PermissionDenied):
        classing.prepare(
            season=room.season, school=school, classes=1, by=room.district.actor("sec3")
        )


def client(room: SeasonRoom, who: str) -> Client:
    browser = Client()
    browser.force_login(room.district.users[who])
    return browser


@pytest.mark.parametrize(
    ("who", "list_answer", "page_answer"),
    [("sec1", 200, 200), ("sec3", 200, 404), ("admit", 403, 403), ("plan", 403, 403)],
)
def test_pages_are_for_the_school_alone(room: SeasonRoom, who, list_answer, page_answer) -> None:
    placed(room, 1)
    browser = client(room, who)
    listed = browser.get(reverse("school_intake"))
    assert listed.status_code == list_answer
    if list_answer == 200:
        assert ("RX-1" in listed.content.decode()) is (who == "sec1")
    for name in ("school_call", "school_file", "class_draw"):
        assert browser.get(reverse(name, args=[room.season.id, "S1"])).status_code == page_answer
    wrong = {403: 403, 404: 404, 200: 302}[page_answer]
    assert browser.post(reverse("school_enter", args=[room.season.id, "S1"])).status_code == wrong


def test_the_day_of_arrival_on_a_phone(room: SeasonRoom) -> None:
    placed(room, 1), placed(room, 2), placed(room, 3)
    browser = client(room, "sec1")
    url = reverse("school_call", args=[room.season.id, "S1"])
    page = browser.get(url).content.decode()
    assert page.count("data-row") == 3
    assert "******" in page
    answer = browser.post(url, {"mark": "arrived", "row": ["RX-1", "RX-2"]}, follow=True)
    assert answer.status_code == 200
    browser.post(url, {"mark": "absent", "row": ["RX-3", "RX-1"]})
    assert list(Application.objects.order_by("pk").values_list("state", flat=True)) == [
        "arrived", "arrived", "absent",
    ]  # fmt: skip


def test_the_file_needs_sound_rows_and_a_reason(room: SeasonRoom) -> None:
    placed(room, 1, state="arrived")
    wrong = placed(room, 2, state="arrived")
    RollEntry.objects.filter(pk=wrong.entry_id).update(id_number="999900202003050999")
    browser = client(room, "sec1")
    url = reverse("school_file", args=[room.season.id, "S1"])
    assert "校验不通过" in browser.get(url).content.decode()
    assert browser.post(url, {"reason": "上报学籍系统"}).status_code == 422
    answer = browser.post(url, {"reason": "上报学籍系统", "leave_out": "on"})
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    lines = list(sheet.iter_rows(values_only=True))
    assert lines[0][:3] == ("学校标识码", "学生姓名", "性别")
    assert len(lines) == 2
    assert child_id(1, dt.date(TODAY.year - 6, 3, 5)) in lines[1]
    entry = Entry.objects.get(action="school.pupil_file")
    assert (entry.reason, entry.detail) == ("上报学籍系统", {"rows": 1, "left_out": 1})


def test_export_masks_and_whole_numbers_need_a_reason(room: SeasonRoom) -> None:
    placed(room, 1)
    browser = client(room, "sec1")
    url = reverse("school_intake")
    number = child_id(1, dt.date(TODAY.year - 6, 3, 5))

    def cells(answer) -> set[str]:
        content = io.BytesIO(b"".join(answer.streaming_content))
        sheet = openpyxl.load_workbook(content).active
        return {str(cell) for line in sheet.iter_rows(values_only=True) for cell in line if cell}

    masked = cells(browser.get(url, {"export": "xlsx"}))
    assert not {number, "13900000001"} & masked
    whole = cells(browser.post(f"{url}?export=reveal", {"reason": "班主任家访联系"}))
    assert {number, "13900000001"} <= whole
    assert Entry.objects.get(action="list.reveal").reason == "班主任家访联系"


def test_a_draw_in_the_browser_and_its_public_proof(room: SeasonRoom) -> None:
    for number in range(1, 7):
        placed(room, number, state="arrived")
    browser = client(room, "sec1")
    url = reverse("class_draw", args=[room.season.id, "S1"])
    assert browser.post(url, {"classes": "99"}).status_code == 422
    assert browser.post(url, {"classes": "2"}).status_code == 302
    row = ClassDraw.objects.get()
    proof = reverse("class_proof", args=[row.pk])
    assert Client().get(proof).status_code == 404, "nothing is published before the draw"
    act = reverse("class_draw_act", args=[row.pk, "draw"])
    assert client(room, "sec3").post(act, {}).status_code == 404
    browser.post(act, {"digits": "583017", "witnesses": "家长代表5人"})
    assert browser.get(url).status_code == 200
    published = Client().get(proof).content.decode()
    assert "周小禾" not in published
    file = Client().get(reverse("class_proof_file", args=[row.pk]))
    content = json.loads(file.content)
    assert set(content["classes"].values()) == {1, 2}
    assert "周小禾" not in file.content.decode()
    carried = browser.post(reverse("class_draw_act", args=[row.pk, "carry-out"]))
    assert carried.status_code == 302
    assert Pupil.objects.filter(school_class__isnull=False).count() == 6
    assert browser.post(reverse("class_draw_act", args=[row.pk, "other"])).status_code == 404


def test_the_minutes_name_codes_and_nobody(room: SeasonRoom) -> None:
    for number in range(1, 8):
        placed(room, number, state="arrived")
    by, school = sec(room), room.district.orgs["S1"]
    draw = classing.prepare(season=room.season, school=school, classes=2, by=by)
    url = reverse("class_minutes", args=[draw.pk])
    client = Client()
    client.force_login(by.user)

    def words() -> str:
        book = Document(io.BytesIO(client.get(url).content))
        cells = [cell.text for table in book.tables for row in table.rows for cell in row.cells]
        return "\n".join([*(one.text for one in book.paragraphs), *cells])

    before = words()
    assert draw.commitment in before
    assert draw.secret not in before
    assert "C001" not in before
    row = classing.draw_classes(draw, digits="314159", witnesses="家长代表3人", by=by)
    after = words()
    for told in (row.seed, row.sha256, "314159", "家长代表3人", "1班", "2班"):
        assert told in after
    assert all(f"C{number:03d}" in after for number in range(1, 8))
    assert "周小禾" not in after
    for who, answer in (("sec3", 404), ("plan", 403)):
        client.force_login(room.district.actor(who).user)
        assert client.get(url).status_code == answer


def test_lists_ask_the_same_number_of_questions(
    room: SeasonRoom, django_assert_max_num_queries
) -> None:
    for number in range(1, 31):
        placed(room, number)
    browser = client(room, "sec1")
    with django_assert_max_num_queries(45):
        browser.get(reverse("school_intake"))
    with django_assert_max_num_queries(45):
        browser.get(reverse("school_call", args=[room.season.id, "S1"]))

"""Pupils by Excel: new, changed, unchanged, wrong; apply, undo, once and only once."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from tests.district import District
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.exchange import services, staging
from xuezheng.kernel.exchange.models import Batch, Part
from xuezheng.registry.exchange import PUPILS
from xuezheng.registry.exchange.common import prepared
from xuezheng.registry.exchange.tests.files import classes, confirmed, number, send
from xuezheng.registry.models import Guardian, Guardianship, Placement, Pupil

HEADINGS = ("姓名", "身份证件号", "学校", "入学年", "班号", "入学日期", "学生状态")


def line(serial: int, name: str = "", school: str = "东澳小学", **more: object) -> list:
    values = {
        "name": name or f"童{serial}",
        "id": number(serial),
        "school": school,
        "year": 2022,
        "class": 1,
        "on": dt.date(2022, 9, 1),
        "status": "在读",
    } | more
    return list(values.values())


#: A file that came out of an export: its rows say which record they are.
NUMBERED = (*HEADINGS, "记录编号")


def numbered(serial: int, name: str) -> list:
    """A row with the record number of the child that has this serial's identity number."""
    ref = Pupil.objects.get(id_number=number(serial)).pk
    return line(serial, name, ref=str(ref))


def problems(batch: Batch) -> list[tuple[int, str, str]]:
    return [
        (row.line, problem.field, problem.text)
        for _number, rows in staging.parts(batch)
        for row in rows
        for problem in row.problems
    ]


@pytest.fixture
def school(district: District) -> District:
    classes(district, "S1", "S2")
    return district


def test_the_way_of_a_file(school: District) -> None:
    rows = [line(1), line(2), line(3)]
    batch = send(school, "sec1", PUPILS, HEADINGS, rows)
    assert (batch.new, batch.error, batch.state) == (3, 0, "ready")
    assert batch.organisation == school.orgs["S1"]
    assert Pupil.objects.count() == 0, "nothing is written before it is confirmed"

    batch = confirmed(school, "sec1", batch)
    assert batch.state == "applied"
    pupil = Pupil.objects.get(id_number=number(1))
    assert (pupil.name, pupil.initials, pupil.sex) == ("童1", "t", "1")
    assert pupil.born_on == dt.date(2016, 5, 12)
    assert pupil.organisation == school.orgs["S1"]
    assert str(pupil.school_class.entry_year) == "2022"
    placement = pupil.placements.get()
    assert (placement.valid_from, placement.school_class) == (
        dt.date(2022, 9, 1),
        pupil.school_class,
    )
    entry = Entry.objects.get(action="import.apply")
    assert entry.detail["new"] == 3
    assert "童" not in str(entry.detail)

    again = send(school, "sec1", PUPILS, HEADINGS, rows)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 3)
    with pytest.raises(services.Refused):
        confirmed(school, "sec1", again)

    renamed = send(
        school, "sec1", PUPILS, NUMBERED, [numbered(1, "童新名"), numbered(2, ""), line(4, ref="")]
    )
    assert (renamed.new, renamed.changed, renamed.unchanged) == (1, 1, 1)
    renamed = confirmed(school, "sec1", renamed)
    pupil.refresh_from_db()
    assert (pupil.name, pupil.former_name, pupil.version) == ("童新名", "童1", 2)

    undone = services.undo(renamed, by=school.actor("sec1"))
    assert (undone.state, undone.left) == ("undone", 0)
    pupil.refresh_from_db()
    assert (pupil.name, pupil.former_name) == ("童1", "")
    assert Pupil.objects.count() == 3
    assert Placement.objects.count() == 3
    assert Entry.objects.filter(action="import.undo").count() == 1


def test_bulk_writes_what_a_single_save_writes(school: District) -> None:
    confirmed(school, "sec1", send(school, "sec1", PUPILS, HEADINGS, [line(7, "单 思远")]))
    by_bulk = Pupil.objects.get()
    by_hand = Pupil(name="单 思远", id_number=number(8))
    by_hand.prepare()
    assert prepared("单 思远", number(8)) == (
        by_hand.name,
        by_hand.initials,
        by_hand.id_number,
        by_hand.id_tail,
    )
    assert (by_bulk.name, by_bulk.initials) == ("单思远", "ssy")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, version, nationality FROM registry_pupil")
        sealed, version, nationality = cursor.fetchone()
    assert sealed.startswith("v1:") and "9999" not in sealed
    assert (version, nationality) == (1, "CHN")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (line(1, id=number(1)[:-1] + ("0" if number(1)[-1] != "0" else "1")), "id_number"),
        (line(1, id=float(int("999900201605120018"))), "id_number"),
        (line(1, id="9.99900201605120E+17"), "id_number"),
        (line(1, id=""), "id_number"),
        (line(1, school="西澳初中"), "school"),
        (line(1, school="没有的学校"), "school"),
        (line(1, **{"class": 9}), "class_number"),
        (line(1, year=""), "entry_year"),
        (line(1, status="毕业"), "status"),
        (line(1, status="胡写"), "status"),
        (line(1, on="2022-13-01"), "entered_on"),
        (line(1, on=dt.date(2999, 1, 1)), "entered_on"),
        (line(1, name=" "), "name"),
    ],
)
def test_wrong_rows(school: District, row: list, field: str) -> None:
    if row[0].strip() and field == "name":
        row[0] = " "
    batch = send(school, "sec1", PUPILS, HEADINGS, [row, line(2)])
    assert (batch.error, batch.new) == (1, 1)
    assert [found[:2] for found in problems(batch)] == [(2, field)]
    with pytest.raises(services.Refused):
        confirmed(school, "sec1", batch, "all")
    confirmed(school, "sec1", batch, "valid")
    assert [p.name for p in Pupil.objects.all()] == ["童2"]


def test_two_rows_of_one_child_are_both_wrong(school: District) -> None:
    batch = send(school, "sec1", PUPILS, HEADINGS, [line(1), line(2), line(1, "别名")])
    assert (batch.error, batch.new) == (2, 1)
    assert [found[0] for found in problems(batch)] == [2, 4]


def test_a_child_of_another_school_is_not_named(school: District) -> None:
    confirmed(
        school, "head2", send(school, "head2", PUPILS, HEADINGS, [line(1, school="西澳初中")])
    )
    with fenced(by=school.actor("sec1")):
        batch = send(school, "sec1", PUPILS, HEADINGS, [line(1)])
    ((_line, field, text),) = problems(batch)
    assert field == "id_number"
    assert "已在其他单位登记" in text
    assert "西澳" not in str(problems(batch))
    by_registrar = send(school, "registrar", PUPILS, HEADINGS, [line(1)])
    assert problems(by_registrar)[0][1] == "school"


def test_a_number_typed_wrong_does_not_rename_another_child(school: District) -> None:
    confirmed(school, "sec1", send(school, "sec1", PUPILS, HEADINGS, [line(1), line(2)]))
    wrong = send(school, "sec1", PUPILS, HEADINGS, [line(1, "另一个孩子"), line(2)])
    assert (wrong.error, wrong.changed, wrong.unchanged) == (1, 0, 1)
    ((_line, field, text),) = problems(wrong)
    assert field == "name"
    assert "另一个姓名" in text
    assert "童1" not in text


def test_a_row_changed_meanwhile_is_not_overwritten(school: District) -> None:
    confirmed(school, "sec1", send(school, "sec1", PUPILS, HEADINGS, [line(1), line(2)]))
    batch = send(school, "sec1", PUPILS, NUMBERED, [numbered(1, "甲"), numbered(2, "乙")])
    Pupil.objects.filter(id_number=number(1)).update(name="别人改的")
    stale = confirmed(school, "sec1", batch, "all")
    assert stale.state == "ready"
    assert set(Pupil.objects.values_list("name", flat=True)) == {"别人改的", "童2"}

    written = confirmed(school, "sec1", stale, "valid")
    assert (written.state, written.error, written.changed) == ("applied", 1, 1)
    assert set(Pupil.objects.values_list("name", flat=True)) == {"别人改的", "乙"}


def test_compared_again_after_somebody_changed_it(school: District) -> None:
    confirmed(school, "sec1", send(school, "sec1", PUPILS, HEADINGS, [line(1)]))
    batch = send(school, "sec1", PUPILS, NUMBERED, [numbered(1, "甲")])
    Pupil.objects.filter(id_number=number(1)).update(name="别人改的")
    again = services.compare_again(batch, by=school.actor("sec1"))
    ((_number, (row,)),) = staging.parts(again)
    assert row.old == {"name": "别人改的"}


def test_undo_leaves_what_was_touched_or_used(school: District) -> None:
    batch = confirmed(
        school, "sec1", send(school, "sec1", PUPILS, HEADINGS, [line(1), line(2), line(3)])
    )
    changed, used = (Pupil.objects.get(id_number=number(n)) for n in (1, 2))
    Pupil.objects.filter(pk=changed.pk).update(name="新名")
    Guardianship.objects.create(
        pupil=used,
        guardian=Guardian.objects.create(name="长"),
        relation="51",
        valid_from=dt.date(2023, 1, 1),
    )
    undone = services.undo(batch, by=school.actor("sec1"))
    assert undone.left == 2
    assert set(Pupil.objects.values_list("pk", flat=True)) == {changed.pk, used.pk}
    left = {row.line: row.left for row in staging.Rows(undone, "left")[0:10]}
    assert set(left) == {2, 3}
    assert "监护关系" in left[3]


def test_a_change_of_class_turns_the_placement_and_undo_turns_it_back(school: District) -> None:
    from xuezheng.registry.models import SchoolClass

    confirmed(school, "sec1", send(school, "sec1", PUPILS, HEADINGS, [line(1)]))
    second = SchoolClass.objects.create(
        organisation=school.orgs["S1"],
        stage="primary",
        entry_year=2022,
        number=2,
        valid_from=dt.date(2022, 9, 1),
    )
    batch = send(school, "sec1", PUPILS, HEADINGS, [line(1, **{"class": 2, "status": "休学"})])
    confirmed(school, "sec1", batch)
    pupil = Pupil.objects.get()
    assert (pupil.school_class, pupil.status) == (second, "02")
    now, before = pupil.placements.all()
    assert (now.school_class, now.valid_to) == (second, None)
    assert before.valid_to == now.valid_from - dt.timedelta(days=1)
    services.undo(batch, by=school.actor("sec1"))
    pupil.refresh_from_db()
    assert pupil.school_class.number == 1
    assert [(p.valid_to, p.exit_code) for p in pupil.placements.all()] == [(None, "")]


def test_who_may(school: District) -> None:
    with pytest.raises(PermissionDenied):
        send(school, "teacher1", PUPILS, HEADINGS, [line(1)])
    with pytest.raises(PermissionDenied):
        send(school, "sec1", PUPILS, HEADINGS, [line(1)], opening=True)
    batch = send(school, "sec1", PUPILS, HEADINGS, [line(1)])
    for username in ("head2", "director"):
        with pytest.raises(PermissionDenied):
            confirmed(school, username, batch)
        assert not Batch.objects.visible_to(school.actor(username)).exists()
    assert Batch.objects.visible_to(school.actor("registrar")).exists()


def test_confirmed_twice_is_written_once(school: District) -> None:
    batch = send(school, "sec1", PUPILS, HEADINGS, [line(1)])
    confirmed(school, "sec1", batch)
    with pytest.raises(services.Refused):
        confirmed(school, "sec1", batch)
    assert Pupil.objects.count() == 1


def test_what_waits_is_sealed_and_purged(school: District) -> None:
    batch = send(school, "sec1", PUPILS, HEADINGS, [line(1)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM exchange_part")
        assert all(body.startswith("v1:") for (body,) in cursor.fetchall())
    assert services.purge() == 0
    Batch.objects.update(created_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert services.purge() == 1
    assert not Part.objects.exists()
    batch.refresh_from_db()
    assert batch.new == 1
    with pytest.raises(services.Refused):
        confirmed(school, "sec1", batch)


def test_opening_balances_are_marked(school: District) -> None:
    batch = send(school, "registrar", PUPILS, HEADINGS, [line(1)], opening=True)
    confirmed(school, "registrar", batch)
    assert Pupil.objects.get().opening_balance


def test_the_dry_run_names_births_and_names_that_cannot_be(school: District) -> None:
    today = dt.date.today()
    rows = [
        ["幼儿", "", "2", today - dt.timedelta(days=400), "L9999000000000000011"],
        ["<b>", "", "1", dt.date(2016, 1, 1), "L9999000000000000012"],
        ["···", "", "1", dt.date(2016, 1, 1), "L9999000000000000013"],
        ["老童", number(4, dt.date(1950, 1, 1)), "", "", ""],
        ["阿依古丽·买买提", number(5), "", "", ""],
    ]
    headings = ("姓名", "身份证件号", "性别", "出生日期", "学籍号")
    batch = send(school, "sec1", PUPILS, headings, rows)
    assert [
        (line, field) for line, field, _text in problems(batch) if field != "student_number"
    ] == [
        (2, "born_on"),
        (3, "name"),
        (4, "name"),
        (5, "born_on"),
    ]
    text = next(text for line, _field, text in problems(batch) if line == 5)
    assert "2至30岁" in text
    assert not Pupil.objects.exists()

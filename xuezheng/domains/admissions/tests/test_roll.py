"""The roll: lists, one child one entry, follow-ups to an outcome, other ways, reviews, notices."""

import datetime as dt
import uuid
from io import BytesIO

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.people import People, search
from tests.season import SeasonRoom, child_id
from xuezheng.domains.admissions.exchange.roll import ROLL
from xuezheng.domains.admissions.flows import REVIEW
from xuezheng.domains.admissions.models import (
    Allocation,
    Application,
    FollowUp,
    Offer,
    PathRequest,
    Review,
    RollEntry,
)
from xuezheng.domains.admissions.services import (
    notices_of_admission,
    paths,
    reviews,
    rolling,
    tracing,
)
from xuezheng.domains.admissions.tests.test_applying import answers, send
from xuezheng.kernel.access.actors import JobActor, OutOfScope
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.service import StepRefused, open_case
from xuezheng.kernel.exchange.models import Batch
from xuezheng.kernel.exchange.services import undo
from xuezheng.kernel.notices.models import Notice
from xuezheng.registry.exchange.tests.files import confirmed
from xuezheng.registry.exchange.tests.files import send as sent

pytestmark = pytest.mark.usefixtures("files_dir")


def born(years: int = 6) -> dt.date:
    return dt.date(timezone.localdate().year - years, 3, 5)


def entry(room: SeasonRoom, serial: int = 1, **changes) -> RollEntry:
    """A child of the police list."""
    values = {
        "season": room.season,
        "code": f"CODE{serial:06d}",
        "name": "周小禾",
        "id_number": child_id(serial, born()),
        "born_on": born(),
        "sources": ["police"],
        "town": room.district.orgs["T1"],
        "phone": "13900000001",
    }
    return RollEntry.objects.create(**values | changes)


# -- lists ------------------------------------------------------------------------------------------
def test_leavers_come_from_the_registry_once(room: SeasonRoom, people: People) -> None:
    hua, last = people.pupils["hua"], people.classes["K1-1"]
    hua.born_on = born()
    hua.id_number = child_id(7, born())
    hua.save()
    last.entry_year = room.season.year - 3
    last.save()
    entry(room, 7)
    by = room.district.actor("admit")
    with fenced(by=by):
        done = rolling.list_leavers(season=room.season, by=by)
    assert (done.made, done.joined, done.too_young) == (0, 1, 0), "the police list had the child"
    held = RollEntry.objects.get()
    assert (held.sources, held.pupil) == (["kindergarten", "police"], hua)
    held.delete()
    assert rolling.list_leavers(season=room.season, by=by).made == 1
    assert rolling.list_leavers(season=room.season, by=by) == rolling.Listed(0, 0, 0)
    made = RollEntry.objects.get()
    assert made.address and made.town.code == "T1", "from the child's residence"
    hua.born_on = dt.date(room.season.year - 6, 9, 1)
    hua.id_number = None
    hua.save()
    assert rolling.list_leavers(season=room.season, by=by).too_young == 1


def test_listing_is_for_the_keeper_and_not_for_kindergartens(room: SeasonRoom) -> None:
    with pytest.raises(PermissionDenied):
        rolling.list_leavers(season=room.season, by=room.district.actor("sec1"))
    room.season.level = "kindergarten"
    with pytest.raises(StepRefused):
        rolling.list_leavers(season=room.season, by=room.district.actor("admit"))


def test_a_child_without_a_number_is_joined_by_hand(room: SeasonRoom) -> None:
    kept = entry(room, 1)
    loose = entry(room, 2, id_number=None, sources=["street"], address="望海路7号")
    entry(room, 3, name="别人")
    assert rolling.likely_pairs(room.season) == [(loose, kept)]
    by = room.district.actor("admit")
    other = entry(room, 8)
    assert {pair[1] for pair in rolling.likely_pairs(room.season)} == {kept, other}
    rolling.tell_apart(loose=loose, kept=other, by=by)
    assert rolling.likely_pairs(room.season) == [(loose, kept)]
    with pytest.raises(PermissionDenied):
        rolling.tell_apart(loose=loose, kept=kept, by=room.district.actor("sec1"))
    with pytest.raises(StepRefused):
        rolling.join(loose=kept, kept=loose, by=by)
    tracing.open_follow_ups(season=room.season, entry_ids=[loose.id], by=by)
    rolling.join(loose=loose, kept=kept, by=by)
    kept.refresh_from_db()
    assert (kept.sources, kept.address) == (["police", "street"], "望海路7号")
    assert FollowUp.objects.get().entry == kept
    assert rolling.likely_pairs(room.season) == []


HEADINGS = ("名单来源", "姓名", "出生日期", "身份证件号", "户籍地址", "镇街", "联系电话")


def load(room: SeasonRoom, rows: list[tuple], mode: str = "all") -> Batch:
    """Import a workbook and write it."""
    by = room.district.actor("admit")
    with fenced(by=by):
        batch = sent(room.district, "admit", ROLL, HEADINGS, rows)
        return confirmed(room.district, "admit", batch, mode)


def test_a_child_in_three_lists_is_one_entry(room: SeasonRoom) -> None:
    number = child_id(1, born())
    batch = load(
        room,
        [
            ("公安户籍名单", "周小禾", None, number, "望海路7号", "东澳镇", "13900000001"),
            ("街道排查", "周小禾", None, number, None, None, None),
            ("街道排查", "吴阳", born().isoformat(), None, "山前路1号", "西澳镇", None),
        ],
    )
    assert (batch.new, batch.error) == (3, 0)
    held = RollEntry.objects.get(name="周小禾")
    assert (held.sources, held.town.code, held.phone) == (["police", "street"], "T1", "13900000001")
    assert RollEntry.objects.get(name="吴阳").id_number is None
    again = load(room, [("幼儿园毕业生", "周小禾", None, number, "别处", None, None)])
    assert again.changed == 1
    held.refresh_from_db()
    assert (held.sources, held.address) == (["kindergarten", "police", "street"], "望海路7号")
    same = [("幼儿园毕业生", "周小禾", None, number, None, None, None)]
    assert sent(room.district, "admit", ROLL, HEADINGS, same).unchanged == 1
    with fenced(by=room.district.actor("admit")):
        undo(again, by=room.district.actor("admit"))
    held.refresh_from_db()
    assert held.sources == ["police", "street"]


def test_a_wrong_row_says_why(room: SeasonRoom) -> None:
    entry(room, 1, name="别的名字")
    young = dt.date(room.season.year - 6, 9, 1).isoformat()
    with fenced(by=room.district.actor("admit")):
        batch = sent(
            room.district,
            "admit",
            ROLL,
            HEADINGS,
            [
                ("公安户籍名单", "周小禾", None, child_id(1, born()), None, None, None),
                ("公安户籍名单", "钱小", young, None, None, None, None),
                (None, "孙小", born().isoformat(), None, None, None, None),
                ("街道排查", "李小", None, None, None, None, None),
                ("街道排查", "郑小", born().isoformat(), None, None, "没有的镇", None),
                ("街道排查", "王小", None, "123", None, None, None),
            ],
        )
    assert (batch.new, batch.error) == (0, 6)


# -- follow-ups -------------------------------------------------------------------------------------
def opened(room: SeasonRoom) -> FollowUp:
    entry(room)
    by = room.district.actor("admit")
    assert tracing.open_follow_ups(season=room.season, by=by) == (1, 0)
    return FollowUp.objects.select_related("case", "entry__season").get()


def test_who_is_missing_goes_to_the_town_once(room: SeasonRoom) -> None:
    entry(room, 2, outcome="elsewhere")
    entry(room, 3, born_on=dt.date(room.season.year - 6, 9, 1), id_number=None)
    row = opened(room)
    assert row.case.organisation.code == "T1"
    assert "周" not in row.case.title
    assert row.case.due and row.case.awaits == "admissions.follow_up"
    by = room.district.actor("admit")
    assert tracing.open_follow_ups(season=room.season, by=by) == (0, 0)
    with pytest.raises(PermissionDenied):
        tracing.open_follow_ups(season=room.season, by=room.district.actor("town1"))


def test_a_town_reports_and_another_person_settles(room: SeasonRoom) -> None:
    row, town = opened(room), room.district.actor("town1")
    said = {"outcome": "elsewhere", "note": "电话联系", "version": 1, "by": town}
    with pytest.raises(StepRefused):
        tracing.report(row, proof=" ", **said)
    with pytest.raises(StepRefused):
        tracing.report(row, proof="x", **said | {"outcome": "registered"})
    with fenced(by=town):
        tracing.report(row, proof="邻区小学在读证明", **said)
    by = room.district.actor("admit")
    tracing.send_back(row, note="证明没有公章", version=2, by=by)
    assert (row.outcome, row.case.state) == ("", "contacting")
    tracing.report(row, proof="重新开的证明", **said | {"version": 3})
    tracing.settle(row, version=4, by=by)
    held = RollEntry.objects.get()
    assert (held.outcome, held.outcome_on) == ("elsewhere", timezone.localdate())


def test_the_bureau_does_not_settle_its_own_report(room: SeasonRoom) -> None:
    row, by = opened(room), room.district.actor("admit")
    tracing.report(row, outcome="untraceable", proof="", note="三次上门", version=1, by=by)
    with pytest.raises(StepRefused):
        tracing.settle(row, version=2, by=by)


def test_another_town_sees_nothing(room: SeasonRoom) -> None:
    opened(room)
    other = room.district.hold("town2", "town_officer", "T2")
    with fenced(by=other):
        assert not FollowUp.objects.visible_to(other).exists()
        assert not RollEntry.objects.exists(), "row-level policy"


def test_registering_closes_it(room: SeasonRoom) -> None:
    opened(room)
    send(room, "mum", answers())
    job = JobActor("admissions.tracing")
    with fenced(by=job):
        assert tracing.close_registered(by=job) == 1
        assert tracing.close_registered(by=job) == 0
    row = FollowUp.objects.get()
    assert (row.state, row.outcome) == ("settled", "registered")


def test_who_does_not_arrive_is_followed_once(room: SeasonRoom) -> None:
    held = entry(room, school=room.district.orgs["S1"], outcome="registered")
    with pytest.raises(OutOfScope):
        tracing.open_absent(held, by=room.district.actor("sec3"))
    first = tracing.open_absent(held, by=room.district.actor("sec1"))
    assert tracing.open_absent(held, by=room.district.actor("sec1")) == first
    assert (first.cause, first.case.organisation.code) == ("absent", "T1")
    assert tracing.close_registered(by=JobActor("x")) == 0, "registered is what it was"


def test_untraceable_has_its_letter(room: SeasonRoom, client) -> None:
    row = opened(room)
    number = row.case.number
    letter = reverse("follow_up_letter", args=[number])
    client.force_login(room.district.users["town1"])
    assert client.get(letter).status_code == 404
    page = client.get(reverse("follow_up_detail", args=[number]))
    assert "13900000001" in page.content.decode()
    opening = Entry.objects.get(action="roll.open")
    assert opening.post.organisation.code == "T1"
    step = reverse("follow_up_step", args=[number, "report"])
    sent = {"version": 1, "outcome": "untraceable", "note": "三次上门无人"}
    assert client.post(step, sent).status_code == 302
    assert (
        client.post(reverse("follow_up_step", args=[number, "settle"]), {"version": 2}).status_code
        == 403
    )
    client.force_login(room.district.users["admit"])
    settle = reverse("follow_up_step", args=[number, "settle"])
    assert client.post(settle, {"version": 2}).status_code == 302
    text = client.get(letter).content.decode()
    assert "义务教育法" in text and "三次上门无人" in text


# -- pages ------------------------------------------------------------------------------------------
def test_the_roll_by_its_pages(room: SeasonRoom, client) -> None:
    entry(room, 1)
    entry(room, 2, id_number=None, sources=["street"])
    entry(room, 3, name="吴阳", outcome="elsewhere")
    client.force_login(room.district.users["admit"])
    assert client.get(reverse("roll_list")).url == reverse("roll", args=[room.season.id])
    assert client.get(reverse("roll_list") + "?all=1").status_code == 200
    url = reverse("roll", args=[room.season.id])
    for query, count in [
        ("", 3), ("outcome=open", 2), ("outcome=elsewhere", 1), ("source=street", 1),
        ("number=no", 1), (f"town={room.district.orgs['T1'].id}", 3),
        (f"town={room.district.orgs['T2'].id}", 0),
    ]:  # fmt: skip
        page = client.get(f"{url}?{query}")
        assert page.context["page"].paginator.count == count, query
    assert child_id(1, born()) not in page.content.decode()
    assert search(client, url, "吴阳").context["page"].paginator.count == 1
    book = b"".join(client.get(f"{url}?export=xlsx").streaming_content)
    sheet = openpyxl.load_workbook(BytesIO(book)).active
    assert child_id(1, born()) not in str([[c.value for c in row] for row in sheet.rows])
    assert sheet.max_row == 6
    assert client.get(reverse("roll_pairs", args=[room.season.id])).status_code == 200
    join = reverse("roll_join", args=[room.season.id, "CODE000002", "CODE000001"])
    assert client.post(join).status_code == 302
    follow = client.post(reverse("roll_follow", args=[room.season.id]))
    assert follow.status_code == 302 and FollowUp.objects.count() == 1
    assert client.post(reverse("roll_leavers", args=[room.season.id])).status_code == 302
    listed = client.get(reverse("follow_up_list"))
    assert listed.context["page"].paginator.count == 1
    assert client.get(reverse("follow_up_list") + "?export=xlsx").status_code == 200


def test_the_roll_keeps_its_query_count(room: SeasonRoom, client) -> None:
    client.force_login(room.district.users["admit"])
    counts = []
    for serial in range(1, 9):
        entry(room, serial)
        if serial in (2, 8):
            with CaptureQueriesContext(connection) as queries:
                client.get(reverse("roll", args=[room.season.id]))
            counts.append(len(queries))
    assert counts[0] == counts[1]


# -- ways beside the regular one --------------------------------------------------------------------
def ask(room: SeasonRoom, kind: str = "deferral", **changes) -> PathRequest:
    mum = room.family("mum")
    values = {
        "kind": kind, "season": room.season, "child_name": "周小禾",
        "id_number": child_id(1, born()), "guardian_name": "周大山", "phone": "13900000001",
        "ground": "身体原因", "until": dt.date(timezone.localdate().year + 1, 9, 1),
        "key": uuid.uuid4(), "by": mum,
    }  # fmt: skip
    with fenced(by=mum):
        paths.ask_path(**values | changes)
    return PathRequest.objects.select_related("case", "season").latest("case_id")


def decide(room: SeasonRoom, row: PathRequest, opinion: str = "同意缓学一年") -> None:
    by = room.district.actor("admit")
    with fenced(by=by):
        paths.examine(row, opinion=opinion, version=1, by=by)


@pytest.mark.parametrize(
    ("kind", "outcome"), [("deferral", "deferred"), ("home", "home"), ("special", "special")]
)
def test_a_granted_way_stands_on_the_roll(room: SeasonRoom, kind: str, outcome: str) -> None:
    entry(room)
    tracing.open_follow_ups(season=room.season, by=room.district.actor("admit"))
    row = ask(room, kind)
    decide(room, row)
    deputy = room.district.actor("deputy")
    with fenced(by=deputy):
        assert not RollEntry.objects.exists(), "whoever decides does not see the roll"
        paths.grant(PathRequest.objects.get(), version=2, by=deputy)
    held = RollEntry.objects.get()
    assert held.outcome == outcome
    assert FollowUp.objects.get().state == "settled"
    assert Notice.objects.filter(user=room.families["mum"]).count() == 1
    assert "缓学一年" not in str(list(row.case.moves.values_list("note", flat=True)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT opinion FROM admissions_pathrequest")
        assert "缓学" not in cursor.fetchone()[0], "sealed"


def test_whoever_examined_does_not_decide(room: SeasonRoom) -> None:
    room.district.hold("deputy", "admissions_officer", "B-BASE")
    row, both = ask(room), room.district.actor("deputy")
    paths.examine(row, opinion="同意", version=1, by=both)
    with pytest.raises(StepRefused):
        paths.grant(row, version=2, by=both)


def test_one_or_the_other(room: SeasonRoom) -> None:
    send(room, "mum", answers())
    row = ask(room)
    decide(room, row)
    with pytest.raises(StepRefused):
        paths.grant(row, version=2, by=room.district.actor("deputy"))
    assert RollEntry.objects.get().outcome == "registered"


@pytest.mark.parametrize(
    "changes",
    [
        {"id_number": "1"}, {"kind": "other"}, {"season": None}, {"ground": " "},
        {"kind": "transfer"}, {"kind": "transfer", "grade": 3, "school": None},
    ],
)  # fmt: skip
def test_what_is_missing_is_said(room: SeasonRoom, changes: dict) -> None:
    with pytest.raises(StepRefused):
        ask(room, **changes)


def test_the_same_key_asks_once_and_the_family_takes_back(room: SeasonRoom) -> None:
    key = uuid.uuid4()
    row = ask(room, key=key)
    assert ask(room, key=key) == row
    with pytest.raises(PermissionDenied):
        paths.withdraw_path(row, version=1, by=room.family("dad"))
    paths.withdraw_path(row, version=1, by=room.family("mum"))
    assert PathRequest.objects.get().state == "withdrawn"


def test_a_paper_form_is_typed_at_the_window(room: SeasonRoom, client) -> None:
    client.force_login(room.district.users["admit"])
    assert reverse("path_add", args=["home"]) in client.get(reverse("path_list")).content.decode()
    url = reverse("path_add", args=["home"])
    assert client.get(url).context["form"]["guardian_name"].value() is None
    sent = {
        "season": room.season.id, "child_name": "周小禾", "id_kind": "1", "sex": "0",
        "id_number": child_id(1, born()), "guardian_name": "周大山", "ground": "卧床",
        "key": uuid.uuid4(),
    }  # fmt: skip
    assert client.post(url, sent | {"ground": ""}).status_code == 422
    answers = [client.post(url, sent) for _time in range(2)]
    row = PathRequest.objects.select_related("case").get()
    assert [answer.url for answer in answers] == [
        reverse("path_detail", args=[row.case.number])
    ] * 2
    assert (row.applicant, row.phone) == (None, None)
    entry = Entry.objects.get(action="path.counter")
    assert entry.post.user == room.district.users["admit"]
    for who, status in (("sec1", 403), ("deputy", 403)):
        client.force_login(room.district.users[who])
        assert client.post(url, sent | {"key": uuid.uuid4()}).status_code == status
    with fenced(by=room.family("dad")), pytest.raises(PermissionDenied):
        ask(room, "home", at_counter=True, by=room.family("dad"))


def test_joining_mid_year_by_its_pages(room: SeasonRoom, client) -> None:
    row = ask(room, "transfer", season=None, school=room.district.orgs["S1"], grade=3)
    number = row.case.number
    client.force_login(room.district.users["admit"])
    assert client.get(reverse("path_list") + "?kind=transfer").context["page"].paginator.count == 1
    sent = {"version": 1, "opinion": "学位有余"}
    assert client.post(reverse("path_step", args=[number, "examine"]), sent).status_code == 302
    assert client.get(reverse("path_decision", args=[number])).status_code == 404
    client.force_login(room.district.users["deputy"])
    page = client.get(reverse("path_detail", args=[number])).content.decode()
    assert "学位有余" in page and child_id(1, born()) not in page
    assert (
        client.post(reverse("path_step", args=[number, "grant"]), {"version": 2}).status_code == 302
    )
    assert "转入学生" in client.get(reverse("path_detail", args=[number])).content.decode()
    letter = client.get(reverse("path_decision", args=[number])).content.decode()
    assert "同意" in letter and "学位有余" not in letter
    assert client.get(reverse("path_list") + "?export=xlsx").status_code == 200
    client.force_login(room.district.users["sec3"])
    assert client.get(reverse("path_detail", args=[number])).status_code == 403


# -- reviews and notices ----------------------------------------------------------------------------
@pytest.mark.parametrize(("step", "state"), [("uphold", "upheld"), ("change", "changed")])
def test_a_review_is_answered(room: SeasonRoom, client, step: str, state: str) -> None:
    send(room, "mum", answers())
    application = Application.objects.select_related("case").get()
    review, _new = open_case(
        REVIEW, Review, organisation_id=room.season.organisation_id, title="复核",
        by=room.family("mum"), terms={"review": Term(timezone.localdate(), "五日")},
        fields={"application": application, "ground": "落户日期不对"},
    )  # fmt: skip
    client.force_login(room.district.users["admit"])
    number = review.case.number
    page = client.get(reverse("review_detail", args=[number]))
    assert "落户日期不对" in page.content.decode()
    url = reverse("review_step", args=[number, step])
    assert client.post(url, {"version": 1}).status_code == 422
    assert client.post(url, {"version": 1, "note": "经查属实"}).status_code == 302
    assert Review.objects.get().state == state
    assert Notice.objects.filter(key=f"review.answered.{review.pk}").count() == 1
    desk = client.get(reverse("allocation_home", args=[room.season.id])).content.decode()
    assert ("经查属实" in desk) is (state == "changed"), "the allocation desk reads what was wrong"
    allocation = Allocation.objects.create(
        season=room.season, given={}, result={}, sha256="0" * 64, published_at=timezone.now()
    )
    Offer.objects.create(allocation=allocation, application=application, reason={})
    with fenced(by=room.district.actor("admit")):
        later = reviews.to_carry_out(room.season, by=room.district.actor("admit"))
        assert not later.exists(), "a later round has answered it"


def placed(room: SeasonRoom) -> Application:
    send(room, "mum", answers())
    Application.objects.update(state="placed")
    return Application.objects.select_related("case__organisation", "entry", "season").get()


def test_a_notice_says_only_whether_it_is_valid(room: SeasonRoom, client) -> None:
    application = placed(room)
    mine = reverse("notice_of_admission", args=[application.case.number])
    client.force_login(room.families["mum"])
    assert client.get(mine).status_code == 404, "not issued yet"
    with pytest.raises(OutOfScope):
        notices_of_admission.issue([application], by=room.district.actor("sec3"))
    by = room.district.actor("sec1")
    with fenced(by=by):
        assert notices_of_admission.issue([application], by=by) == 1
        assert notices_of_admission.issue([application], by=by) == 0
    page = client.get(mine)
    code = page.context["notices"][0].notice_code
    assert "<svg" in page.content.decode() and "style=" not in str(
        page.context["notices"][0].notice_qr
    )
    client.logout()
    for given, valid in [
        (code, True),
        (code.lower(), True),
        (code[:-1] + "?", False),
        ("x", False),
    ]:
        answer = client.post(reverse("notice_check"), {"code": given})
        assert answer.context["valid"] is valid, given
        assert "周小禾" not in answer.content.decode()
    assert client.get(reverse("notice_check_code", args=[code])).context["valid"] is True
    application.case.organisation = room.district.orgs["S3"]
    application.case.save()
    assert not notices_of_admission.is_valid(code), "the place is at another school now"


def test_a_school_issues_its_own_at_once(room: SeasonRoom, client) -> None:
    placed(room)
    url = reverse("school_notices", args=[room.season.id, "S1"])
    client.force_login(room.district.users["sec3"])
    assert client.get(url).status_code == 404
    client.force_login(room.district.users["sec1"])
    assert client.get(url).context["waiting"] == 1
    assert client.post(url).status_code == 302
    assert len(client.get(url).context["notices"]) == 1
    with pytest.raises(StepRefused):
        Application.objects.update(state="verified")
        row = Application.objects.select_related("case", "entry").get()
        notices_of_admission.issue([row], by=room.district.actor("sec1"))

"""A family after the reference: putting right, answering an offer, reviews, who looked, special paths."""

import datetime as dt
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.district import photo
from tests.season import SeasonRoom, child_id
from xuezheng.domains.admissions.models import (
    Application,
    Check,
    Draft,
    PathRequest,
    Rating,
    Review,
    RollEntry,
)
from xuezheng.domains.admissions.tests import test_family
from xuezheng.domains.admissions.tests.test_family import (
    BORN,
    CHILD,
    HOME,
    REGISTER,
    begin,
    enter,
    fill,
    page,
    post,
    registered,
    submit,
)
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.service import advance

pytestmark = pytest.mark.usefixtures("files_dir")
registers = test_family.registers


# -- afterwards ------------------------------------------------------------------------------------
def test_what_was_handed_in_is_changed_with_a_fresh_code_only(room: SeasonRoom) -> None:
    number = registered(room)
    url = reverse("my_application_act", args=[number, "withdraw"])
    asked = enter(room).post(url, {"version": 1})
    assert asked.url.startswith(reverse("again"))
    assert Application.objects.get().state == "submitted"
    assert enter(room, fresh=True).post(url, {"version": 1}).status_code == 302
    assert Application.objects.get().state == "withdrawn"
    assert RollEntry.objects.get().outcome == ""


def test_all_faults_are_put_right_on_one_page(room: SeasonRoom, registers) -> None:
    registers |= {"property": ("not_found", {})}
    number = registered(room)
    application = Application.objects.get()
    by = room.district.actor("sec1")
    day = timezone.localdate() + dt.timedelta(days=7)
    advance(
        application, "return", by=by, note="x", terms={"correction": Term(day, "x")},
        fields={"faults": [{"code": "deed", "note": "请补不动产权证"},
                           {"code": "register_date", "note": "落户日期与户口簿不符"}]},
    )  # fmt: skip
    mum = enter(room, fresh=True)
    text = page(mum, "my_application", number)
    assert "请补不动产权证" in text
    assert "落户日期与户口簿不符" in text
    url = reverse("my_application_act", args=[number, "correct"])
    assert "请补不动产权证" in page(mum, "my_application_act", number, "correct")
    data = REGISTER | HOME | {"register_date": "2021-02-03", "version": 2, "deed": photo()}
    answer = mum.post(url, data)
    assert answer.status_code == 302, answer.content.decode()[-5000:]
    application.refresh_from_db()
    assert (application.state, application.faults) == ("submitted", [])
    assert application.register_date == dt.date(2021, 2, 3)
    assert application.papers.get().kind == "deed"


def test_putting_right_keeps_twins_and_the_elder_child(room: SeasonRoom, registers) -> None:
    more = {"twin": "on", "sibling_id": child_id(7, dt.date(2015, 2, 2))}
    mum = enter(room, fresh=True)
    pk = begin(room, mum)
    fill(mum, pk, more=more)
    post(mum, pk, "twins", {"twin_wish": "class", "together": child_id(2, BORN)})
    number = submit(mum, pk).url.split("/")[-3]
    before = Application.objects.get()
    assert before.together
    day = timezone.localdate() + dt.timedelta(days=7)
    advance(
        before, "return", by=room.district.actor("sec1"), note="x",
        terms={"correction": Term(day, "x")}, fields={"faults": [{"code": "other", "note": "x"}]},
    )  # fmt: skip
    assert "已登记同校" in page(mum, "my_application_act", number, "correct")
    hill = {"register__community": "999900002002", "version": 2, "sibling_id": more["sibling_id"]}
    hill |= {"twin_wish": "class"}
    answer = mum.post(
        reverse("my_application_act", args=[number, "correct"]), REGISTER | HOME | hill
    )
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    after = Application.objects.select_related("entry").get()
    assert (after.together, after.twin_wish) == (before.together, "class")
    assert after.sibling_id == more["sibling_id"]
    assert after.entry.school == room.district.orgs["S3"], "the roll follows the address"


def test_another_grandparent_is_asked_about_anew(room: SeasonRoom, registers) -> None:
    first, second = (child_id(n, dt.date(1955, 5, 5)) for n in (901, 902))
    home = {"housing": "grandparent", "grandparent_name": "周老", "grandparents_agreed": "on"}
    mum = enter(room, fresh=True)
    pk = begin(room, mum)
    fill(mum, pk, home=home | {"grandparent_id": first})
    number = submit(mum, pk).url.split("/")[-3]
    row = Application.objects.get()
    assert first in row.grandparent
    Check.objects.filter(register="property").update(state="not_found", attempts=6)
    day = timezone.localdate() + dt.timedelta(days=7)
    advance(
        row, "return", by=room.district.actor("sec1"), note="x",
        terms={"correction": Term(day, "x")}, fields={"faults": [{"code": "other", "note": "x"}]},
    )  # fmt: skip
    data = REGISTER | HOME | home | {"version": 2, "grandparent_id": second}
    answer = mum.post(reverse("my_application_act", args=[number, "correct"]), data)
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert second in Application.objects.get().grandparent
    check = Check.objects.get(register="property")
    assert (check.state, check.attempts) == ("no_answer", 0), "the job asks again"


@pytest.mark.parametrize("act", ["correct", "confirm", "decline", "review", "rate"])
def test_what_cannot_be_done_now_has_no_page(room: SeasonRoom, act: str) -> None:
    number = registered(room)
    answer = enter(room, fresh=True).get(reverse("my_application_act", args=[number, act]))
    assert answer.url == reverse("my_application", args=[number])


def offered(room: SeasonRoom, *, respond_by: dt.date | None) -> Application:
    """A published place at the private school."""
    from xuezheng.domains.admissions.models import Allocation, Offer
    from xuezheng.kernel.cases.models import Case

    application = Application.objects.get()
    Application.objects.update(state="placed")
    Case.objects.filter(pk=application.pk).update(state="placed", phase="acting")
    allocation = Allocation.objects.create(
        season=room.season, given={}, result={}, sha256="0" * 64, published_at=timezone.now()
    )
    Offer.objects.create(
        allocation=allocation, application=application, intake=room.intakes["P1"],
        reason={"rule": "ladder", "steps": []}, respond_by=respond_by,
    )  # fmt: skip
    return Application.objects.select_related("case", "season").get()


@pytest.mark.parametrize(("days", "status", "answer"), [(0, 302, "confirmed"), (-1, 422, "")])
def test_a_place_is_confirmed_by_its_day(room, monkeypatch, days: int, status: int, answer) -> None:
    from xuezheng.domains.admissions.views import family_case

    monkeypatch.setattr(family_case, "reason_sentence", lambda offer: "第 1 顺位")
    number = registered(room)
    application = offered(room, respond_by=timezone.localdate() + dt.timedelta(days=days))
    mum = enter(room, fresh=True)
    text = page(mum, "my_application", number)
    assert "启航小学" in text
    assert "第 1 顺位" in text
    url = reverse("my_application_act", args=[number, "confirm"])
    version = {"version": application.case.version}
    assert mum.post(url, version).status_code == status
    assert application.offers.get().answer == answer
    if status == 302:
        assert mum.post(url, version).status_code == 302, "twice is once"
        decline = reverse("my_application_act", args=[number, "decline"])
        assert mum.post(decline, version).status_code == 302
        assert Application.objects.get().state == "declined"
        assert application.offers.get().answer == "declined"
        assert RollEntry.objects.get().outcome == ""


def test_a_review_is_asked_once_and_the_service_rated_once(room, monkeypatch) -> None:
    from xuezheng.domains.admissions.views import family_case

    monkeypatch.setattr(family_case, "reason_sentence", lambda offer: "x")
    number = registered(room)
    mum = enter(room)
    review = reverse("my_application_act", args=[number, "review"])
    data = {"ground": "户籍日期算错了", "key": str(uuid.uuid4())}
    assert mum.post(review, data).status_code == 422, "no result yet"
    offered(room, respond_by=None)
    assert mum.post(review, data).status_code == 302
    assert mum.post(review, data).status_code == 302
    assert Review.objects.get().case.organisation == room.district.orgs["B"]
    assert mum.post(review, data | {"key": str(uuid.uuid4())}).status_code == 422
    rate = reverse("my_application_act", args=[number, "rate"])
    assert mum.post(rate, {"grade": "5", "text": ""}).status_code == 302
    assert mum.post(rate, {"grade": "1"}).status_code == 422
    assert Rating.objects.get().grade == 5
    assert mum.post(rate, {"grade": "9"}).status_code == 422


def test_the_family_sees_which_post_looked_and_no_name(room: SeasonRoom) -> None:
    from xuezheng.kernel.audit.trail import record

    number = registered(room)
    by = room.district.actor("sec1")
    record("application.open", by=by, post=by.posts[0], object_type="application", object_id=number)
    text = page(enter(room), "my_application_looked", number)
    assert "东澳小学" in text
    assert "打开登记" in text
    assert by.user.name not in text
    assert enter(room, "dad").get(
        reverse("my_application_looked", args=[number])
    ).status_code == 404  # fmt: skip


def test_a_special_path_is_asked_seen_and_taken_back(room: SeasonRoom) -> None:
    mum = enter(room)
    url = reverse("my_path_new", args=["deferral"])
    data = {
        "season": room.season.id, "child_name": "周小禾", "id_kind": "1",
        "id_number": CHILD["id_number"], "guardian_name": "周大山", "phone": "13900000001",
        "until": (timezone.localdate() + dt.timedelta(days=365)).isoformat(), "ground": "病休",
        "key": str(uuid.uuid4()),
    }  # fmt: skip
    assert mum.get(url).status_code == 200
    answer = mum.post(url, data)
    assert answer.status_code == 302, answer.content.decode()[-4000:]
    assert mum.post(url, data).url == answer.url
    assert "病休" in mum.get(answer.url).content.decode()
    assert enter(room, "dad").get(answer.url).status_code == 404
    number = answer.url.split("/")[-2]
    back = reverse("my_path_withdraw", args=[number])
    assert mum.post(back, {"version": 1}).url.startswith(reverse("again"))
    assert enter(room, fresh=True).post(back, {"version": 1}).status_code == 302
    assert PathRequest.objects.get().state == "withdrawn"
    assert mum.get(reverse("my_path_new", args=["nothing"])).status_code == 404


@pytest.mark.parametrize("kind", PathRequest.Kind.values)
def test_every_special_path_has_its_form(room: SeasonRoom, kind: str) -> None:
    assert enter(room).get(reverse("my_path_new", args=[kind])).status_code == 200


def test_nobody_reaches_another_familys_draft(room: SeasonRoom) -> None:
    pk = begin(room, enter(room))
    dad = enter(room, "dad")
    for name, args in (
        ("my_draft", (pk,)), ("my_draft_page", (pk, "child")), ("my_draft_check", (pk,)),
    ):  # fmt: skip
        assert dad.get(reverse(name, args=args)).status_code == 404
    for name, args in (
        ("my_draft_save", (pk, "child")), ("my_draft_ask", (pk, "register")),
        ("my_draft_dispute", (pk, "register")), ("my_draft_discard", (pk,)),
        ("my_draft_submit", (pk,)), ("my_draft_detach", (pk, uuid.uuid4())),
    ):  # fmt: skip
        assert dad.post(reverse(name, args=args)).status_code == 404
    assert Draft.objects.count() == 1
    assert enter(room).post(reverse("my_draft_discard", args=[pk])).status_code == 302
    assert not Draft.objects.exists()

"""A family on a phone: consent, draft, registers, papers, handing in, what comes after."""

import datetime as dt
import json

import pytest
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from tests.district import photo
from tests.season import SeasonRoom, child_id
from xuezheng.domains.admissions.models import (
    Application,
    Check,
    Draft,
    Party,
)
from xuezheng.domains.admissions.registers import asking
from xuezheng.domains.admissions.services import answering, drafting, forgetting
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.signin import sessions
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.notices.models import Notice

pytestmark = pytest.mark.usefixtures("files_dir")
BORN = dt.date(timezone.localdate().year - 6, 3, 5)
CHILD = {"child_name": "周小禾", "id_kind": "1", "id_number": child_id(1, BORN)}
GUARDIAN = {
    "guardian_name": "周大山",
    "guardian_id": child_id(900, dt.date(1990, 5, 5)),
    "relation": "51",
    "phone": "13900000001",
}
SHORE = {"community": "999900002001", "road": "望海路", "number": 7}
REGISTER = {"register_here": "yes", "register_date": "2020-06-01"} | {
    f"register__{key}": value for key, value in SHORE.items()
}
HOME = {"housing": "own", "title": "deed", "title_date": "2019-01-01", "share": 100,
        "home_same": "yes"}  # fmt: skip
POLICE = {
    "register": SHORE | {"suffix": "", "building": "3", "room": "502"},
    "register_date": "2020-06-01",
    "registered_since_birth": False,
    "parents_named": True,
}
PROPERTY = {
    "home": SHORE, "owner": "parent", "share": 100, "title": "deed", "title_date": "2019-01-01",
    "residential": True, "parents_own_no_home": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def registers(monkeypatch) -> dict:
    """What each register says; none answers unless a test says so."""
    says: dict[str, tuple[str, dict]] = {}

    def ask(question, register, **_more):
        says.setdefault("asked", []).append((register, question))
        state, facts = says.get(register, ("no_answer", {}))
        now = timezone.now().isoformat()
        return {"state": state, "facts": facts, "asked_at": now, "answered_at": now}

    monkeypatch.setattr(asking, "ask", ask)
    monkeypatch.setattr(asking, "connected", lambda: list(Check.Register.values))
    return says


def enter(room: SeasonRoom, name: str = "mum", *, fresh: bool = False) -> Client:
    client = Client()
    client.force_login(room.family(name).user)
    if fresh:
        session = client.session
        session[sessions.FRESH] = 2**40
        session.save()
    return client


def begin(room: SeasonRoom, client: Client, *, lookups: bool = True) -> str:
    given = {"agreed": "1", "guardian": "1"} | ({"lookups": "1"} if lookups else {})
    answer = client.post(reverse("my_draft_new", args=[room.season.id]), given)
    assert answer.status_code == 302, answer.content.decode()
    return answer.url.split("/")[-2]


def post(client: Client, pk: str, step: str, data: dict, version: int | None = None):
    if version is None:
        version = Draft.objects.get(pk=pk).version
    return client.post(reverse("my_draft_page", args=[pk, step]), data | {"version": version})


def fill(client: Client, pk: str, **changes) -> None:
    for step, data in (
        ("child", CHILD), ("guardian", GUARDIAN), ("register", REGISTER), ("home", HOME),
        ("more", {}), ("choices", {}),
    ):  # fmt: skip
        answer = post(client, pk, step, data | changes.get(step, {}))
        assert answer.status_code == 302, (step, answer.content.decode()[-6000:])


def registered(room: SeasonRoom, name: str = "mum") -> str:
    client = enter(room, name)
    pk = begin(room, client)
    fill(client, pk)
    return submit(client, pk).url.split("/")[-3]


def submit(client: Client, pk: str, **data):
    return client.post(reverse("my_draft_submit", args=[pk]), data)


def given(pk: str) -> dict:
    return json.loads(Draft.objects.get(pk=pk).answers)


def page(client: Client, name: str, *args) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


# -- before a draft --------------------------------------------------------------------------------
def test_the_public_page_says_that_coming_first_is_no_advantage(room: SeasonRoom) -> None:
    text = page(Client(), "enrol")
    assert "先登记后登记机会一样" in text
    assert room.season.title in text
    assert "0000-1234567" in text
    room.season.state = "preparing"
    room.season.save()
    assert room.season.title not in page(Client(), "enrol")


@pytest.mark.parametrize("given", [{}, {"agreed": "1"}, {"guardian": "1", "lookups": "1"}])
def test_nothing_begins_without_both_consents(room: SeasonRoom, given: dict) -> None:
    answer = enter(room).post(reverse("my_draft_new", args=[room.season.id]), given)
    assert answer.status_code == 422
    assert not Draft.objects.exists()


def test_consent_is_kept_with_its_version_to_the_registration(room: SeasonRoom) -> None:
    registered(room)
    entry = Entry.objects.get(action="application.agree")
    assert entry.detail["consent"] == drafting.CONSENT_VERSION
    assert entry.detail["lookups"] is True
    assert entry.object_id == Application.objects.get().case.number


def test_an_empty_draft_is_taken_up_again_and_several_children_have_their_own(room) -> None:
    client = enter(room)
    first = begin(room, client)
    assert begin(room, client) == first
    post(client, first, "child", CHILD)
    assert begin(room, client) != first
    assert page(client, "my_admissions").count("草稿") == 2


# -- a draft ---------------------------------------------------------------------------------------
def test_each_change_is_saved_by_itself(room: SeasonRoom) -> None:
    client = enter(room)
    pk = begin(room, client)
    url = reverse("my_draft_save", args=[pk, "child"])
    version = Draft.objects.get().version
    answer = client.post(url, {"child_name": "周小禾", "changed": "child_name", "version": version})
    assert answer.json()["version"] == version + 1
    assert given(pk)["child_name"] == "周小禾"
    wrong = client.post(
        url, {"id_kind": "1", "id_number": "12", "changed": "id_number", "version": version + 1}
    )
    assert "id_number" in wrong.json()["errors"]
    assert "id_number" not in given(pk)
    other = enter(room).get(reverse("my_draft_page", args=[pk, "child"]))
    assert "周小禾" in other.content.decode(), "the same draft on another device"


def test_a_change_from_another_device_is_shown_and_not_overwritten(room: SeasonRoom) -> None:
    client = enter(room)
    pk = begin(room, client)
    old = Draft.objects.get().version
    post(client, pk, "child", CHILD)
    late = {"child_name": "周大禾", "changed": "child_name", "version": old}
    assert client.post(reverse("my_draft_save", args=[pk, "child"]), late).status_code == 409
    answer = post(client, pk, "child", CHILD | {"child_name": "周大禾"}, version=old)
    assert answer.status_code == 409
    assert "另一台设备" in answer.content.decode()
    assert "周大禾" in answer.content.decode(), "what was typed stays on the page"
    assert given(pk)["child_name"] == "周小禾"
    again = {"child_name": "周小禾", "changed": "child_name", "version": old}
    assert client.post(reverse("my_draft_save", args=[pk, "child"]), again).status_code == 200


def test_the_zone_school_is_told_as_soon_as_the_address_is_typed(room: SeasonRoom) -> None:
    client = enter(room)
    pk = begin(room, client)
    answer = client.post(
        reverse("my_draft_save", args=[pk, "register"]),
        REGISTER | {"changed": ["register__community", "register__road"], "version": 1},
    )
    assert answer.json()["zone"] == "东澳小学"


@pytest.mark.parametrize(
    ("born", "status"),
    [
        (dt.date(timezone.localdate().year - 6, 8, 31), 302),
        (dt.date(timezone.localdate().year - 6, 9, 1), 422),
    ],
)
def test_a_child_must_be_of_age(room: SeasonRoom, born: dt.date, status: int) -> None:
    client = enter(room)
    pk = begin(room, client)
    assert post(client, pk, "child", CHILD | {"id_number": child_id(5, born)}).status_code == status


# -- registers -------------------------------------------------------------------------------------
def test_what_registers_confirm_needs_no_paper_and_is_shown_without_doors(room, registers) -> None:
    registers |= {"police": ("confirmed", POLICE), "property": ("confirmed", PROPERTY),
                  "civil": ("confirmed", {"custody": "both"})}  # fmt: skip
    client = enter(room)
    pk = begin(room, client)
    post(client, pk, "child", CHILD)
    answer = post(client, pk, "guardian", GUARDIAN)
    assert {name for name, _q in registers["asked"]} == {"police", "property", "civil"}
    assert answer.url.endswith("/register/")
    text = page(client, "my_draft_page", pk, "register")
    assert "已核验，不用上传材料" in text
    assert "望海路" in text
    assert "502" not in text
    post(client, pk, "register", {})
    assert "title" not in drafting.whole(given(pk)) or "凭证日期" not in page(
        client, "my_draft_page", pk, "home"
    )
    post(client, pk, "home", {"housing": "own"})
    post(client, pk, "more", {})
    post(client, pk, "choices", {})
    assert "502" not in page(client, "my_draft_check", pk)
    assert submit(client, pk).status_code == 302
    application = Application.objects.get()
    assert application.papers_needed is False
    assert application.register_dwelling.room == "502"
    assert application.share == 100
    assert application.checks.count() == 3


@pytest.mark.parametrize(
    ("police", "civil"),
    [
        (POLICE | {"parents_named": False}, {"custody": "both"}),
        (POLICE, {"custody": "one"}),
    ],
)
def test_no_address_is_shown_to_who_may_not_be_the_familys(room, registers, police, civil) -> None:
    registers |= {"police": ("confirmed", police), "property": ("confirmed", PROPERTY),
                  "civil": ("confirmed", civil)}  # fmt: skip
    client = enter(room)
    pk = begin(room, client)
    post(client, pk, "child", CHILD)
    post(client, pk, "guardian", GUARDIAN)
    for name, args in (
        ("my_draft_page", (pk, "register")), ("my_draft_page", (pk, "home")),
        ("my_draft_check", (pk,)),
    ):  # fmt: skip
        text = page(client, name, *args)
        assert "望海路" not in text
        assert "东澳小学" not in text


def test_another_child_has_other_answers(room, registers) -> None:
    registers |= {"police": ("confirmed", POLICE)}
    client = enter(room)
    pk = begin(room, client)
    post(client, pk, "child", CHILD)
    post(client, pk, "guardian", GUARDIAN)
    assert given(pk)["checks"]["police"]["state"] == "confirmed"
    registers["police"] = ("not_found", {})
    post(client, pk, "child", CHILD | {"id_number": child_id(7, BORN)})
    assert given(pk)["checks"]["police"]["state"] == "not_found"


def test_a_failed_check_asks_for_its_paper_and_no_other(room, registers) -> None:
    registers |= {"police": ("confirmed", POLICE), "property": ("not_found", {})}
    client = enter(room)
    pk = begin(room, client)
    post(client, pk, "child", CHILD)
    post(client, pk, "guardian", GUARDIAN)
    post(client, pk, "home", HOME)
    assert drafting.papers_needed(given(pk)) == ["deed"]
    answer = client.post(reverse("my_draft_page", args=[pk, "papers"]), {"deed": photo()})
    assert answer.url.endswith("/check/")
    post(client, pk, "more", {})
    post(client, pk, "choices", {})
    assert submit(client, pk).status_code == 302
    paper = Application.objects.get().papers.get()
    assert paper.kind == "deed"
    number = Application.objects.get().case.number
    shown = client.get(reverse("my_paper", args=[number, paper.file_id]))
    assert b"".join(shown.streaming_content).startswith(b"\xff\xd8")
    assert enter(room, "dad").get(
        reverse("my_paper", args=[number, paper.file_id])
    ).status_code == 404  # fmt: skip


def test_a_paper_that_is_no_picture_is_refused_and_one_can_be_taken_out(room, registers) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    registers |= {"property": ("not_found", {})}
    client = enter(room)
    pk = begin(room, client)
    fill(client, pk)
    url = reverse("my_draft_page", args=[pk, "papers"])
    assert client.post(url, {"deed": SimpleUploadedFile("x.jpg", b"no")}).status_code == 422
    client.post(url, {"deed": photo()})
    kept = given(pk)["papers"]["deed"][0]
    client.post(reverse("my_draft_detach", args=[pk, kept]))
    assert given(pk)["papers"]["deed"] == []


def test_a_register_that_does_not_answer_blocks_nothing(room, registers) -> None:
    client = enter(room)
    pk = begin(room, client)
    fill(client, pk)
    assert drafting.papers_needed(given(pk)) == []
    assert "暂时没有回应" in page(client, "my_draft_page", pk, "register")
    registers["police"] = ("confirmed", POLICE)
    client.post(reverse("my_draft_ask", args=[pk, "register"]))
    assert given(pk)["checks"]["police"]["state"] == "confirmed"
    assert submit(client, pk).status_code == 302


def test_what_a_register_has_wrong_is_put_right_by_the_family(room, registers) -> None:
    registers |= {"police": ("confirmed", POLICE)}
    client = enter(room)
    pk = begin(room, client)
    post(client, pk, "child", CHILD)
    post(client, pk, "guardian", GUARDIAN)
    client.post(reverse("my_draft_dispute", args=[pk, "register"]), {"register": "police"})
    assert 'name="register__road"' in page(client, "my_draft_page", pk, "register")
    post(client, pk, "register", REGISTER | {"register__number": 9})
    assert drafting.whole(given(pk))["register"]["number"] == 9
    assert "register" in drafting.papers_needed(given(pk))


def test_registers_are_asked_with_consent_only_and_not_without_end(room, registers) -> None:
    client = enter(room)
    pk = begin(room, client, lookups=False)
    fill(client, pk)
    assert "asked" not in registers
    assert drafting.papers_needed(given(pk)) == ["register", "deed"]
    other = enter(room, "dad")
    pk = begin(room, other)
    post(other, pk, "guardian", GUARDIAN)
    for number in range(20):
        post(other, pk, "child", CHILD | {"id_number": child_id(100 + number, BORN)})
    asked = {question.child_id for _register, question in registers["asked"]}
    assert len(asked) == 12, "admissions.asks_per_hour"


def test_a_grandparents_home_is_looked_up_with_their_own_consent_only(room, registers) -> None:
    client = enter(room)
    pk = begin(room, client)
    post(client, pk, "child", CHILD)
    post(client, pk, "guardian", GUARDIAN)
    theirs = {
        "housing": "grandparent", "title": "deed", "home_same": "yes", "share": 100,
        "grandparent_name": "周老", "grandparent_id": child_id(901, dt.date(1955, 5, 5)),
    }  # fmt: skip
    assert post(client, pk, "home", theirs).status_code == 422
    assert all(not q.grandparent_id for _r, q in registers["asked"])
    assert post(client, pk, "home", theirs | {"grandparents_agreed": "on"}).status_code == 302
    register, question = registers["asked"][-1]
    assert (register, question.grandparent_name) == ("property", "周老")


# -- handing in ------------------------------------------------------------------------------------
def test_handing_in_twice_gives_the_same_reference(room: SeasonRoom) -> None:
    client = enter(room)
    pk = begin(room, client)
    fill(client, pk)
    version = Draft.objects.get().version
    first = submit(client, pk, version=version)
    again = submit(client, pk, version=version)
    second_device = submit(enter(room), pk)
    assert first.url == again.url == second_device.url
    assert Application.objects.count() == 1
    assert enter(room).get(reverse("my_draft", args=[pk])).url == first.url
    number = first.url.split("/")[-3]
    text = client.get(first.url).content.decode()
    assert number in text
    assert "接下来会怎样" in text
    assert enter(room, "dad").get(first.url).status_code == 404
    assert submit(enter(room, "dad"), pk).status_code == 404


def test_what_was_changed_elsewhere_is_read_over_before_it_is_handed_in(room: SeasonRoom) -> None:
    client = enter(room)
    pk = begin(room, client)
    fill(client, pk)
    version = Draft.objects.get().version
    post(client, pk, "child", CHILD | {"child_name": "周大禾"})
    assert submit(client, pk, version=version).url.endswith("/check/")
    assert not Application.objects.exists()


def test_an_unfinished_draft_is_refused_with_every_fault(room: SeasonRoom) -> None:
    client = enter(room)
    pk = begin(room, client)
    answer = submit(client, pk)
    assert answer.status_code == 422
    assert answer.content.decode().count("请填写。") >= 3
    assert "孩子信息" in answer.content.decode()


def test_a_second_guardian_learns_the_reference_and_no_more(room: SeasonRoom) -> None:
    number = registered(room)
    dad = enter(room, "dad")
    pk = begin(room, dad)
    fill(dad, pk, guardian={"guardian_name": "周二河", "phone": "13900000002"})
    answer = submit(dad, pk)
    assert submit(dad, pk).url == answer.url, "sent twice: the same reference"
    text = dad.get(answer.url).content.decode()
    assert number in text
    assert "监护关系核实中" in text
    assert "周" not in text
    assert "监护关系核实中" in dad.get(reverse("my_application", args=[number])).content.decode()
    assert dad.get(reverse("my_application_act", args=[number, "withdraw"])).status_code == 404
    assert dad.get(reverse("my_application_looked", args=[number])).status_code == 404
    assert "另一位监护人" in page(enter(room), "my_application", number)
    told = Notice.objects.filter(user=room.family("mum").user, key__contains="joined")
    assert told.count() == 1
    Party.objects.filter(main=False).update(confirmed=True)
    text = page(dad, "my_application", number)
    assert "望海路" not in text
    assert "撤回登记" not in text


def test_whoever_tries_children_of_others_is_stopped(room: SeasonRoom) -> None:
    with fenced(by=room.family("mum")):
        pass
    for number in range(1, 7):
        mum = enter(room)
        pk = begin(room, mum)
        fill(mum, pk, child={"id_number": child_id(number, BORN)})
        submit(mum, pk)
    statuses = []
    for number in range(1, 7):
        dad = enter(room, "dad")
        pk = begin(room, dad)
        fill(dad, pk, child={"id_number": child_id(number, BORN)})
        statuses.append(submit(dad, pk).status_code)
    assert statuses == [302] * 4 + [429] * 2
    assert Party.objects.filter(main=False).count() == 4


def test_the_telephone_of_a_guardian_links_without_showing(room: SeasonRoom) -> None:
    mum = enter(room)
    pk = begin(room, mum)
    fill(mum, pk, guardian={"second_name": "周二河", "second_phone": "13900000009"})
    submit(mum, pk)
    dad = room.family("dad").user
    assert answering.link_parties(dad) == 0, "no telephone"
    dad.phone = "13900000009"
    dad.save()
    assert answering.link_parties(dad) == 1
    assert answering.link_parties(dad) == 0
    party = Party.objects.get(main=False)
    assert (party.user, party.confirmed) == (dad, False)
    assert "核实中" in page(enter(room, "dad"), "my_admissions")


def test_drafts_that_were_never_handed_in_go(room: SeasonRoom, registers) -> None:
    registers |= {"property": ("not_found", {})}
    client = enter(room)
    pk = begin(room, client)
    fill(client, pk)
    answer = client.post(
        reverse("my_draft_page", args=[pk, "papers"]), {"deed": photo(), "version": 1}
    )
    assert answer.status_code == 302
    stored = StoredFile.objects.get()
    assert path_of(stored.sha256).exists()
    closed, by = timezone.localdate(room.season.closes_at), JobActor("tests")
    with fenced(by=by), TestCase.captureOnCommitCallbacks(execute=True):
        assert forgetting.forget_old(closed + dt.timedelta(days=30), by=by) == 0
        assert Draft.objects.count() == 1
        assert forgetting.forget_old(closed + dt.timedelta(days=31), by=by) == 1
        assert forgetting.forget_old(closed + dt.timedelta(days=31), by=by) == 0
    assert not Draft.objects.exists() and not StoredFile.objects.exists()
    assert not path_of(stored.sha256).exists()
    assert Entry.objects.get(action="draft.forget").detail == {"drafts": 1}

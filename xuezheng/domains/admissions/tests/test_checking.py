"""Verifying: the ways of a registration at the desk, registers, guardians, many at once, pages."""

import datetime as dt
import json
import uuid
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.district import photo
from tests.people import People, number
from tests.season import SeasonRoom, child_id
from xuezheng.domains.admissions import jobs
from xuezheng.domains.admissions.answers import Address
from xuezheng.domains.admissions.models import (
    Application,
    Check,
    Paper,
    Party,
    ReservedEntry,
    RollEntry,
    Standing,
)
from xuezheng.domains.admissions.registers import asking
from xuezheng.domains.admissions.services import checking
from xuezheng.domains.admissions.services.forgetting import forget_grandparents
from xuezheng.domains.admissions.tests.test_applying import answers, send
from xuezheng.domains.admissions.views.review_facts import registers
from xuezheng.kernel.access.actors import JobActor, OutOfScope
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import Conflict, StepRefused
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.notices.models import Notice
from xuezheng.registry.models import Guardianship

pytestmark = pytest.mark.usefixtures("files_dir")
CONFIRMED = {
    "police": {
        "state": "confirmed",
        "facts": {"register_date": "2020-06-01", "parents_named": True},
    },
    "property": {"state": "confirmed", "facts": {"share": 100}},
}


@pytest.fixture(autouse=True)
def nothing_is_down() -> None:
    asking._down_until.clear()


def fresh(number: str | None = None) -> Application:
    rows = Application.objects.select_related("case", "entry", "season__rule_set")
    return rows.get(case__number=number) if number else rows.get()


@pytest.fixture
def one(room: SeasonRoom) -> Application:
    """A registration of 海沿社区, so at S1."""
    send(room, "mum", answers())
    return fresh()


def test_verifying_gives_a_standing_a_term_and_a_notice(room: SeasonRoom, one: Application) -> None:
    by = room.district.actor("sec1")
    with fenced(by=by):
        checking.verify(one, version=1, by=by)
    row = fresh()
    assert (row.state, row.settled_on) == ("verified", timezone.localdate())
    assert row.case.due == room.season.result_on
    assert [s.code for s in Standing.objects.order_by("choice__rank")] == ["A", "RA"]
    assert Notice.objects.filter(user=room.families["mum"]).count() == 2


def test_a_school_verifies_by_lists_that_it_does_not_see(
    room: SeasonRoom, one: Application
) -> None:
    ReservedEntry.objects.create(
        season=room.season, list_code="military", department=room.district.orgs["B"],
        name="周小禾", id_number=one.entry.id_number, handed_in_on=timezone.localdate(),
    )  # fmt: skip
    by = room.district.actor("sec1")
    with fenced(by=by):
        assert not ReservedEntry.objects.exists()
        checking.verify(one, version=1, by=by)
        assert not ReservedEntry.objects.exists(), "the reach goes back"
    assert Standing.objects.order_by("choice__rank")[0].code == "0"


def test_the_jobs_run(room: SeasonRoom) -> None:
    for job in (jobs.registers, jobs.tracing):
        job(0)


@pytest.mark.parametrize("name", ["head2", "sec3"])
def test_a_neighbour_does_not_verify(room: SeasonRoom, one: Application, name: str) -> None:
    with pytest.raises(OutOfScope):
        checking.verify(one, version=1, by=room.district.actor(name))


def test_who_holds_no_permission_does_not(room: SeasonRoom, one: Application) -> None:
    with pytest.raises(PermissionDenied):
        checking.verify(one, version=1, by=room.district.actor("director"))
    with pytest.raises(PermissionDenied):
        checking.verify(one, version=1, by=room.family("mum"))


def test_all_faults_at_once_and_again_to_the_queue(room: SeasonRoom, one: Application) -> None:
    by = room.district.actor("sec1")
    with pytest.raises(StepRefused):
        checking.return_all(one, faults=[{"code": "nonsense"}], version=1, by=by)
    faults = [{"code": "home", "note": "第二页"}, {"code": "permit"}]
    checking.return_all(one, faults=faults, note="请白天来电", version=1, by=by)
    row = fresh()
    assert row.state == "correcting"
    assert [fault["code"] for fault in row.faults] == ["home", "permit", "other"]
    assert row.case.moves.last().note.count("；") == 2
    with pytest.raises(Conflict):
        checking.return_all(row, faults=faults, version=1, by=by)


@pytest.mark.parametrize(("days", "capped"), [(1, True), (400, False)])
def test_the_term_ends_with_the_seasons_last_day_for_faults(
    room: SeasonRoom, one: Application, days: int, capped: bool
) -> None:
    room.season.faults_until = timezone.localdate() + dt.timedelta(days=days)
    room.season.save()
    row = fresh()
    checking.return_all(row, faults=[{"code": "home"}], version=1, by=room.district.actor("sec1"))
    assert (fresh().case.due == room.season.faults_until) is capped


def test_refusing_opens_the_roll_again(room: SeasonRoom, one: Application) -> None:
    checking.refuse(one, note="未到年龄", version=1, by=room.district.actor("sec1"))
    assert fresh().state == "void"
    assert RollEntry.objects.get().outcome == ""
    assert send(room, "mum", answers()).is_new


def test_reopening_takes_the_standing(room: SeasonRoom, one: Application) -> None:
    by = room.district.actor("sec1")
    checking.verify(one, version=1, by=by)
    with pytest.raises(StepRefused):
        checking.reopen(fresh(), note=" ", version=2, by=by)
    checking.reopen(fresh(), note="房产有误", version=2, by=by)
    assert fresh().state == "submitted" and not Standing.objects.exists()


def test_handing_over_moves_the_work_and_the_sight(room: SeasonRoom, one: Application) -> None:
    district = room.district
    with pytest.raises(StepRefused):
        checking.hand_over(
            one, organisation_id=district.orgs["K1"].id, note="x", version=1,
            by=district.actor("sec1"),
        )  # fmt: skip
    checking.hand_over(
        one, organisation_id=district.orgs["S3"].id, note="住址在山前村", version=1,
        by=district.actor("sec1"),
    )  # fmt: skip
    with fenced(by=district.actor("sec1")):
        assert not Application.objects.exists()
    with fenced(by=district.actor("sec3")):
        row = fresh()
        assert (row.state, row.case.version) == ("submitted", 2)
        checking.verify(row, version=2, by=district.actor("sec3"))
    assert Entry.objects.filter(action="application.hand_over").count() == 1


# -- registers --------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    settings.REGISTERS = {key: {"folder": tmp_path} for key in ("police", "property")}
    for register in settings.REGISTERS:
        (tmp_path / register).mkdir()
    return tmp_path


def test_asking_again_replaces_what_was_typed(
    room: SeasonRoom, one: Application, folder: Path
) -> None:
    assert one.papers_needed
    by = room.district.actor("sec1")
    guardian = one.parties.get().id_number
    said = {"guardians": [guardian], "facts": {"register_date": "2021-02-03"}}
    (folder / "police" / f"{one.entry.id_number}.json").write_text(json.dumps(said))
    with fenced(by=by):
        check = checking.ask_again(one, register="police", by=by)
    assert (check.state, check.attempts) == ("confirmed", 1)
    assert fresh().register_date == dt.date(2021, 2, 3)
    assert fresh().papers_needed, "the home is not confirmed yet"
    (folder / "property" / f"{guardian}.json").write_text('{"facts": {"share": 51}}')
    checking.ask_again(fresh(), register="property", by=by)
    row = fresh()
    assert (row.share, row.papers_needed) == (51, False)


ELDER = {
    "owner": "grandparent",
    "grandparents_agreed": True,
    "grandparent_id": child_id(950, dt.date(1955, 1, 1)),
    "grandparent_name": "周老",
}


@pytest.mark.parametrize(
    ("state", "changes", "kept"),
    [
        ("no_answer", {}, True),
        ("not_found", {}, True),
        # The register has spoken, nobody agreed, nobody was named, the register was never asked.
        ("confirmed", {}, False),
        ("different", {}, False),
        ("no_answer", {"owner": "parent"}, False),
        ("no_answer", {"grandparent_id": ""}, False),
        (None, {}, False),
    ],
)
def test_a_grandparents_home_is_asked_for_again_with_consent_only(
    room: SeasonRoom, folder: Path, state: str | None, changes: dict, kept: bool
) -> None:
    checks = {"property": {"state": state, "facts": {}}} if state else {}
    send(room, "mum", answers(**(ELDER | changes), checks=checks))
    row, by = fresh(), room.district.actor("sec1")
    assert bool(row.grandparent) is kept
    assert checking.question_of(row, "police").grandparent_id == ""
    if row.owner == "grandparent" and not kept:
        with pytest.raises(StepRefused):
            checking.ask_again(row, register="property", by=by)
        return
    if not kept:
        return
    (folder / "property" / f"{ELDER['grandparent_id']}.json").write_text(
        '{"name": "周老", "facts": {"share": 60, "owner": "grandparent"}}'
    )
    Application.objects.update(grandparents_agreed=False)
    with pytest.raises(StepRefused):
        checking.ask_again(fresh(), register="property", by=by)
    Application.objects.update(grandparents_agreed=True)
    check = checking.ask_again(fresh(), register="property", by=by)
    assert (check.state, fresh().share) == ("confirmed", 60)
    assert fresh().grandparent is None, "nobody needs the number any more"


def test_the_job_asks_for_a_grandparents_home_that_did_not_answer(
    room: SeasonRoom, folder: Path
) -> None:
    send(room, "mum", answers(**ELDER, checks={"property": {"state": "no_answer", "facts": {}}}))
    (folder / "property" / f"{ELDER['grandparent_id']}.json").write_text(
        '{"name": "周老", "facts": {"share": 60, "owner": "grandparent"}}'
    )
    by = room.district.actor("admit")
    assert checking.ask_silent_registers(by=by, after=dt.timedelta(0)) == 1
    assert (Check.objects.get().state, fresh().grandparent) == ("confirmed", None)


def test_numbers_of_grandparents_go_when_checking_is_over(room: SeasonRoom) -> None:
    send(room, "mum", answers(**ELDER, checks={"property": {"state": "no_answer", "facts": {}}}))
    job = JobActor("admissions.drafts")
    assert forget_grandparents(by=job) == 0
    Application.objects.update(state="verified")
    assert forget_grandparents(by=job) == 1
    assert fresh().grandparent is None


def test_the_job_asks_what_got_no_answer_and_gives_up(room: SeasonRoom, folder: Path) -> None:
    checks = {"police": {"state": "no_answer", "facts": {}}}
    send(room, "mum", answers(checks=checks))
    by = room.district.actor("admit")
    assert checking.ask_silent_registers(by=by) == 0, "it was asked just now"
    assert checking.ask_silent_registers(by=by, after=dt.timedelta(0)) == 1
    check = Check.objects.get()
    assert (check.state, check.attempts) == ("not_found", 2)
    Check.objects.update(state="no_answer", attempts=checking.MAX_ATTEMPTS)
    assert checking.ask_silent_registers(by=by, after=dt.timedelta(0)) == 0


@pytest.mark.parametrize(
    ("facts", "same"),
    [
        ({"share": 100}, True),
        ({"share": "100"}, True),
        ({"share": 51}, False),
        ({"title": "deed"}, True),
        ({"title": "contract"}, False),
        ({"title_date": "2019-01-01"}, True),
        ({"title_date": "2019-01-02"}, False),
        ({"residential": True}, True),
    ],
)
def test_the_review_page_compares_what_a_register_means(
    room: SeasonRoom, facts: dict, same: bool
) -> None:
    checks = {"property": {"state": "different", "facts": facts}}
    send(
        room, "mum", answers(share=100, title="deed", title_date=dt.date(2019, 1, 1), checks=checks)
    )
    said = next(one for one in registers(fresh()) if one.register == "property")
    assert [fact.same for fact in said.facts] == [same]


# -- guardians --------------------------------------------------------------------------------------
def test_custody_is_decided_by_a_paper(room: SeasonRoom, one: Application) -> None:
    send(room, "dad", answers(guardian_name="周二河"))
    by, row = room.district.actor("sec1"), fresh()
    with pytest.raises(StepRefused):
        checking.verify(row, version=row.case.version, by=by)
    second = row.parties.get(main=False)
    with pytest.raises(StepRefused):
        checking.decide_party(row, second, confirmed=True, reason=" ", by=by)
    with pytest.raises(StepRefused):
        checking.decide_party(row, row.parties.get(main=True), confirmed=False, reason="xx", by=by)
    checking.decide_party(row, second, confirmed=True, reason="离婚协议", by=by)
    assert not fresh().custody_disputed
    dad = room.family("dad")
    with fenced(by=dad):
        assert Application.objects.visible_to(dad).count() == 1
    assert Entry.objects.get(action="application.party").detail == {"confirmed": True}


def test_who_is_no_guardian_learns_nothing(room: SeasonRoom, one: Application) -> None:
    send(room, "dad", answers(guardian_name="周二河"))
    row = fresh()
    checking.decide_party(
        row,
        row.parties.get(main=False),
        confirmed=False,
        reason="判决书",
        by=room.district.actor("sec1"),
    )
    assert Party.objects.count() == 1 and not fresh().custody_disputed
    dad = room.family("dad")
    with fenced(by=dad):
        assert not Application.objects.exists()


def test_brothers_and_sisters_come_from_the_registry(room: SeasonRoom, people: People) -> None:
    father = people.guardians["father"]
    send(room, "mum", answers(guardian_id=father.id_number))
    by, row = room.district.actor("sec1"), fresh()
    with fenced(by=by):
        found = checking.look_up_family(row, by=by)
    assert found["sibling"] == room.district.orgs["S1"], "ming is at S1"
    assert found["staff"] is None
    assert fresh().sibling_school == room.district.orgs["S1"]
    Guardianship.objects.all().delete()
    assert checking.look_up_family(fresh(), by=by)["sibling"] is None
    assert fresh().sibling_school is None
    chen = people.staff["chen"]
    chen.id_number = number(dt.date(1985, 1, 1), 77)
    chen.save()
    send(room, "dad", answers(2, guardian_id=chen.id_number))
    other = Application.objects.select_related("case", "entry", "season").latest("case_id")
    assert checking.look_up_family(other, by=by)["staff"] == room.district.orgs["S1"]


# -- many at once -----------------------------------------------------------------------------------
def test_only_what_registers_confirm_whole_is_verified_at_once(room: SeasonRoom) -> None:
    for serial in range(1, 5):
        send(room, f"f{serial}", answers(serial, checks=CONFIRMED))
    send(room, "typed", answers(8))
    send(room, "renter", answers(9, register=Address(), checks={}))
    by = room.district.actor("admit")
    stranger = CONFIRMED | {
        "police": CONFIRMED["police"] | {"facts": {"register_date": "2020-06-01"}}
    }
    send(room, "stranger", answers(10, checks=stranger))
    assert Application.objects.get(applicant__name="stranger").papers_needed, "and whose is it?"
    # What was handed in before the police said whose child it is.
    Application.objects.filter(applicant__name="stranger").update(papers_needed=False)
    unnamed = Application.objects.get(applicant__name="stranger")
    with fenced(by=by):
        rows = checking.confirmed_by_registers(Application.objects.filter(pk=unnamed.pk))
        rows = rows.select_related("case", "entry", "season__rule_set")
        assert checking.verify_confirmed(rows, percent=0, by=by) == (0, 1)
    Application.objects.filter(pk=unnamed.pk).update(papers_needed=True)
    rows = checking.confirmed_by_registers(Application.objects.all()).select_related(
        "case", "entry", "season__rule_set"
    )
    assert rows.count() == 4
    numbers = list(rows.values_list("case__number", flat=True))
    kept = sum(checking.in_sample(number, 40) for number in numbers)
    assert checking.verify_confirmed(rows, percent=40, by=by) == (4 - kept, kept)
    assert Application.objects.filter(state="verified").count() == 4 - kept
    assert Standing.objects.count() == 2 * (4 - kept)


@pytest.mark.parametrize("percent", [0, 5, 100])
def test_the_sample_is_its_share(percent: int) -> None:
    drawn = sum(checking.in_sample(f"RX2026-{n:06d}", percent) for n in range(4000))
    assert abs(drawn / 40 - percent) < 1.2


# -- pages ------------------------------------------------------------------------------------------
def test_revealing_needs_a_reason_and_leaves_it(room: SeasonRoom, one: Application, client) -> None:
    by = room.district.actor("sec1")
    with pytest.raises(ValidationError):
        checking.reveal(one, field="phone", reason=" ", by=by)
    with pytest.raises(KeyError):
        checking.reveal(one, field="name", reason="核对", by=by)
    client.force_login(room.district.users["sec1"])
    url = reverse("application_reveal", args=[one.case.number])
    page = client.post(url, {"field": "id_number", "reason": "核对户口簿"})
    assert one.entry.id_number in page.content.decode()
    assert client.post(url, {"field": "id_number", "reason": ""}).status_code == 422
    assert Entry.objects.get(action="application.reveal").reason == "核对户口簿"
    page = client.get(reverse("application_detail", args=[one.case.number]))
    assert one.entry.id_number not in page.content.decode()


def test_the_review_page_shows_both_sides_and_is_noted(
    room: SeasonRoom, one: Application, client
) -> None:
    stored = keep(photo(), organisation_id=room.district.orgs["S1"].id, by=room.family("mum"))
    Paper.objects.create(application=one, kind="deed", file=stored)
    Check.objects.create(
        application=one, register="police", state="confirmed", asked_at=timezone.now(),
        answered_at=timezone.now(),
        answer='{"register": {"community": "999900002002"}, "register_date": "2020-06-01"}',
    )  # fmt: skip
    client.force_login(room.district.users["sec1"])
    page = client.get(reverse("application_detail", args=[one.case.number]))
    text = page.content.decode()
    assert page.status_code == 200
    assert "户房一致" in text and "山前村" in text and "与填写不一致" in text
    entry = Entry.objects.get(action="application.open")
    assert entry.post.organisation.code == "S1" and entry.object_id == one.case.number
    paper = client.get(reverse("application_paper", args=[one.case.number, stored.id]))
    assert paper["Content-Type"] == "image/jpeg"
    assert b"".join(paper.streaming_content)[:2] == b"\xff\xd8"
    assert (
        client.get(reverse("application_paper", args=[one.case.number, uuid.uuid4()])).status_code
        == 404
    )


def test_the_desk_by_its_pages(room: SeasonRoom, client) -> None:
    send(room, "mum", answers(checks=CONFIRMED))
    send(room, "dad", answers(2))
    client.force_login(room.district.users["sec1"])
    first = client.get(reverse("application_next"))
    number = first.url.split("/")[-2]
    second = client.get(reverse("application_next") + f"?after={number}")
    assert second.url != first.url
    faults = {"version": 1, "faults": ["home"], "note": ""}
    done = client.post(reverse("application_step", args=[number, "return"]), faults)
    assert done.status_code == 302
    empty = client.post(reverse("application_step", args=[number, "verify"]), {"version": 2})
    assert empty.status_code == 422, "it waits for the family now"
    bulk = client.get(reverse("application_bulk"))
    assert bulk.status_code == 200
    assert client.post(reverse("application_bulk"), {}).status_code == 422
    assert client.post(reverse("application_bulk"), {"sure": "on"}).status_code == 302


def test_the_list_is_narrowed_and_exported(room: SeasonRoom, client) -> None:
    send(room, "mum", answers(checks=CONFIRMED))
    send(room, "dad", answers(2))
    client.force_login(room.district.users["admit"])
    url = reverse("application_list")
    for query, count in [
        ("", 2), ("state=submitted", 2), ("state=confirmed", 1), ("state=verified", 0),
        ("papers=no", 1), ("register=confirmed", 1), ("left=over", 0), ("left=7", 2),
        ("channel=paper", 0), ("state=disputed", 0), ("w=unknown", 0),
    ]:  # fmt: skip
        page = client.get(f"{url}?{query}")
        assert page.context["page"].paginator.count == count, query
    book = client.get(f"{url}?export=xlsx")
    assert book.status_code == 200 and "spreadsheet" in book["Content-Type"]
    assert Entry.objects.get(action="application.export")


def test_the_list_keeps_its_query_count(room: SeasonRoom, client) -> None:
    client.force_login(room.district.users["admit"])
    counts = []
    for serial in (1, 2, 3, 4, 5, 6):
        send(room, f"f{serial}", answers(serial))
        if serial in (2, 6):
            with CaptureQueriesContext(connection) as queries:
                client.get(reverse("application_list"))
            counts.append(len(queries))
    assert counts[0] == counts[1]


# -- the counter ------------------------------------------------------------------------------------
def typed(room: SeasonRoom, **changes) -> dict:
    born = dt.date(timezone.localdate().year - 6, 3, 5)
    return {
        "season": room.season.id, "channel": "paper", "child_name": "周小禾", "id_kind": "1",
        "id_number": child_id(1, born), "guardian_name": "周大山", "relation": "51",
        "register__community": "999900002002", "register__road": "山前路",
        "register__number": "3", "owner": "none", "key": str(uuid.uuid4()),
    } | changes  # fmt: skip


def test_the_counter_takes_a_paper_form_of_any_zone(room: SeasonRoom, client) -> None:
    client.force_login(room.district.users["sec1"])
    url = reverse("counter_register")
    assert client.get(url).status_code == 200
    wrong = client.post(url, typed(room, id_number="1", guardian_name=""))
    assert wrong.status_code == 422
    assert {"id_number", "guardian_name"} <= set(wrong.context["form"].errors)
    sent = typed(room)
    done = client.post(url, sent)
    assert done.status_code == 302
    row = fresh()
    assert (row.channel, row.applicant, row.case.organisation.code) == ("paper", None, "S3")
    assert client.post(url, sent | {"key": str(uuid.uuid4())}).url == done.url, "the same reference"
    receipt = client.get(done.url).content.decode()
    assert row.case.number in receipt and "周小禾" not in receipt, "it is another school's"
    client.force_login(room.district.users["sec3"])
    assert "周小禾" in client.get(done.url).content.decode()
    client.force_login(room.district.users["head2"])
    assert client.get(done.url).status_code == 404


def test_a_family_does_not_reach_the_desk(room: SeasonRoom, one: Application, client) -> None:
    client.force_login(room.families["mum"])
    for name in ("application_list", "counter_register", "roll_list", "follow_up_list"):
        assert client.get(reverse(name)).status_code == 403
    assert client.get(reverse("application_detail", args=[one.case.number])).status_code == 403

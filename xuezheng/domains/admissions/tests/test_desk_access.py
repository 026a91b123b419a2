"""Who may open the pages of the desks: own first, then the neighbour (404), then the rest (403)."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.access_admissions import DESK
from tests.district import POSTS
from tests.season import SeasonRoom
from xuezheng.domains.admissions.flows import REVIEW
from xuezheng.domains.admissions.models import Application, FollowUp, PathRequest, Review, RollEntry
from xuezheng.domains.admissions.services import tracing
from xuezheng.domains.admissions.tests.test_applying import answers, send
from xuezheng.domains.admissions.tests.test_roll import ask, entry
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import open_case

pytestmark = pytest.mark.usefixtures("files_dir")
OFFICE = {"admit"}
SCHOOL = {"sec1", "head1"}
NEIGHBOURS = {"sec3", "head2"}
TOWN = {"town1"}
DECIDE = {"deputy", "director"}
EVERYBODY = {username for username, _role, _org in POSTS} | {"admit", "sec3", "mum"}


@dataclass
class World:
    room: SeasonRoom
    application: str
    follow_up: str
    path: str
    review: str

    def client(self, name: str) -> Client:
        client = Client()
        users = self.room.families if name == "mum" else self.room.district.users
        client.force_login(users[name])
        return client


@pytest.fixture
def world(room: SeasonRoom) -> World:
    send(room, "mum", answers())
    entry(room, 5)
    tracing.open_follow_ups(season=room.season, by=room.district.actor("admit"))
    application = Application.objects.get()
    review, _new = open_case(
        REVIEW, Review, organisation_id=room.season.organisation_id, title="复核",
        by=room.family("mum"), terms={"review": Term(timezone.localdate(), "五日")},
        fields={"application": application, "ground": "x"},
    )  # fmt: skip
    path = ask(room, "home").case.number
    return World(
        room, application.case.number, FollowUp.objects.get().case.number, path, review.case.number
    )


#: name -> (arguments, who may, who is out of scope); everybody else lacks the permission.
Row = tuple[Callable[[World], list], set[str], set[str]]
ROWS: dict[str, Row] = {
    "application_list": (lambda w: [], OFFICE | SCHOOL | NEIGHBOURS, set()),
    "application_next": (lambda w: [], OFFICE | SCHOOL | NEIGHBOURS, set()),
    "application_bulk": (lambda w: [], OFFICE | SCHOOL | NEIGHBOURS, set()),
    "application_detail": (lambda w: [w.application], OFFICE | SCHOOL, NEIGHBOURS),
    "counter_register": (lambda w: [], OFFICE | SCHOOL | NEIGHBOURS, set()),
    "counter_receipt": (lambda w: [w.application], OFFICE | SCHOOL, NEIGHBOURS),
    "roll_list": (lambda w: [], OFFICE, set()),
    "roll": (lambda w: [w.room.season.id], OFFICE, set()),
    "roll_pairs": (lambda w: [w.room.season.id], OFFICE, set()),
    "follow_up_list": (lambda w: [], OFFICE | TOWN, set()),
    "follow_up_detail": (lambda w: [w.follow_up], OFFICE | TOWN, {"town2"}),
    "path_list": (lambda w: [], OFFICE | DECIDE, set()),
    "path_detail": (lambda w: [w.path], OFFICE | DECIDE, set()),
    "path_add": (lambda w: ["deferral"], OFFICE, set()),
    "review_detail": (lambda w: [w.review], OFFICE, set()),
    "school_notices": (lambda w: [w.room.season.id, "S1"], OFFICE | SCHOOL, NEIGHBOURS),
}
#: POST only, or of a state: services refuse them (test_checking.py, test_roll.py); who has no
#: permission must not get so far.
POSTS_ONLY: dict[str, Row] = {
    "application_step": (lambda w: [w.application, "verify"], SCHOOL | OFFICE, NEIGHBOURS),
    "application_hand_over": (lambda w: [w.application], SCHOOL | OFFICE, NEIGHBOURS),
    "application_family": (lambda w: [w.application], SCHOOL | OFFICE, NEIGHBOURS),
    "application_party": (lambda w: [w.application], SCHOOL | OFFICE, NEIGHBOURS),
    "application_reveal": (lambda w: [w.application], SCHOOL | OFFICE, NEIGHBOURS),
    "application_ask": (lambda w: [w.application, "police"], SCHOOL | OFFICE, NEIGHBOURS),
    "roll_leavers": (lambda w: [w.room.season.id], OFFICE, set()),
    "roll_follow": (lambda w: [w.room.season.id], OFFICE, set()),
    "roll_join": (lambda w: [w.room.season.id, "a", "b"], OFFICE, set()),
    "roll_apart": (lambda w: [w.room.season.id, "a", "b"], OFFICE, set()),
    "review_step": (lambda w: [w.review, "uphold"], OFFICE, set()),
}
#: Files and letters are asked for in the tests of their pages.
BY_THEIR_PAGES = {
    "application_paper", "follow_up_file", "follow_up_step", "follow_up_letter", "path_file",
    "path_step", "path_decision", "notice_of_admission", "notice_check", "notice_check_code",
}  # fmt: skip


def test_every_address_of_the_desks_is_asked() -> None:
    assert set(ROWS) | set(POSTS_ONLY) | BY_THEIR_PAGES == DESK


@pytest.mark.parametrize("name", ROWS)
def test_pages(world: World, name: str) -> None:
    if "town2" in ROWS[name][2]:
        world.room.district.hold("town2", "town_officer", "T2")
    arguments, may, outside = ROWS[name]
    url = reverse(name, args=arguments(world))
    for who in sorted(may):
        assert world.client(who).get(url).status_code in (200, 302), who
    before = Move.objects.count(), RollEntry.objects.count()
    for who in sorted(outside):
        assert world.client(who).get(url).status_code == 404, who
    for who in sorted(EVERYBODY - may - outside):
        assert world.client(who).get(url).status_code == 403, who
    assert (Move.objects.count(), RollEntry.objects.count()) == before


@pytest.mark.parametrize("name", POSTS_ONLY)
def test_acts(world: World, name: str) -> None:
    arguments, may, outside = POSTS_ONLY[name]
    url = reverse(name, args=arguments(world))
    before = Move.objects.count(), PathRequest.objects.count()
    for who in sorted(outside):
        assert world.client(who).post(url, {"field": "phone", "reason": "xx"}).status_code == 404
    for who in sorted(EVERYBODY - may - outside):
        assert world.client(who).post(url, {}).status_code == 403, who
    assert (Move.objects.count(), PathRequest.objects.count()) == before
    assert not Entry.objects.filter(action="application.reveal").exists()


def test_a_file_that_is_not_of_the_case_is_not_given(world: World) -> None:
    for who, name, number in [
        ("sec1", "application_paper", world.application),
        ("town1", "follow_up_file", world.follow_up),
        ("admit", "path_file", world.path),
    ]:
        url = reverse(name, args=[number, uuid.uuid4()])
        assert world.client(who).get(url).status_code == 404
        assert world.client("teacher1").get(url).status_code == 403

"""The machine interface: tokens, one registration for one child, a client sees its own and no more."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone

from tests.season import SeasonRoom, child_id
from xuezheng.api.models import Client, Scope, add_client, digest_of, revoke_client
from xuezheng.config.clients import run_client
from xuezheng.domains.admissions.models import Allocation, Application, Offer, RollEntry
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.reference.models import Parameter

BASE = "/api/v1/admissions"
BY = JobActor("tests")
TODAY = timezone.localdate()


def token(name: str = "portal", *scopes: str) -> str:
    return add_client(name=name, scopes=list(scopes or Scope.values), days=30, by=BY)[1]


def call(
    method: str, path: str, given: str | None, data: Any = None, **headers: str
) -> HttpResponse:
    more = {"Authorization": f"Bearer {given}"} if given is not None else {}
    # The browser of the tests checks the forgery token too: programs have none.
    browser = Browser(enforce_csrf_checks=True)
    body = json.dumps(data) if data is not None else ""
    return browser.generic(
        method, path if path.startswith("/api") else BASE + path, body,
        content_type="application/json", headers=more | headers,
    )  # fmt: skip


def registration(number: int = 1, **changes: Any) -> dict[str, Any]:
    home = {"community": "999900002001", "road": "望海路", "number": 7}
    return {
        "reference": "P-1",
        "child_name": "周小禾",
        "id_number": child_id(number, dt.date(TODAY.year - 6, 3, 5)),
        "guardian_name": "周大山",
        "guardian_id": child_id(900, dt.date(1990, 5, 5)),
        "relation": "51",
        "phone": "13900000001",
        "register": home,
        "home": home,
        "register_date": "2020-06-01",
        "owner": "parent",
        "share": 100,
        "title": "deed",
        "title_date": "2019-01-01",
    } | changes


def hand_in(room: SeasonRoom, given: str, data: Any = None, key: str | None = None):
    path = f"/seasons/{room.season.id}/applications"
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return call("POST", path, given, data or registration(), **headers)


@pytest.mark.parametrize("given", [None, "", "wrong", "xz_" + "a" * 43])
def test_without_a_token_nothing_is_told(room: SeasonRoom, given: str | None) -> None:
    for method, path in (
        ("GET", "/seasons"),
        ("POST", f"/seasons/{room.season.id}/applications"),
        ("GET", "/applications/RX2026-1"),
        ("GET", "/api/v1/openapi.json"),
    ):
        answer = call(method, path, given, {} if method == "POST" else None)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "token"
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_signed_in_person_is_no_client(room: SeasonRoom) -> None:
    browser = Browser()
    browser.force_login(room.district.users["admit"])
    assert browser.get(f"{BASE}/seasons").status_code == 401


def test_a_token_ends_and_can_be_revoked(room: SeasonRoom) -> None:
    given = token()
    assert call("GET", "/seasons", given).status_code == 200
    Client.objects.update(expires_on=TODAY)
    assert call("GET", "/seasons", given).status_code == 200, "the last day counts"
    Client.objects.update(expires_on=TODAY - dt.timedelta(days=1))
    assert call("GET", "/seasons", given).status_code == 401
    Client.objects.update(expires_on=TODAY)
    assert revoke_client(name="portal", by=BY)
    assert call("GET", "/seasons", given).status_code == 401
    assert not revoke_client(name="portal", by=BY)
    assert token() != given, "the name is free again"


def test_only_the_hash_of_a_token_is_kept(room: SeasonRoom) -> None:
    given = token()
    row = Client.objects.get()
    assert row.digest == digest_of(given)
    assert given not in str(vars(row))
    assert given not in str(Entry.objects.get(action="client.add").detail)


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"scopes": ["x"]}, {"days": 0}, {"name": "portal"}]
)
def test_a_client_that_makes_no_sense_is_refused(db, wrong: dict[str, Any]) -> None:
    token("portal")
    with pytest.raises(ValueError):
        add_client(**{"name": "other", "scopes": [Scope.SUBMIT], "days": 1, "by": BY} | wrong)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.LOOK_UP, {"seasons", "zones"}),
        (Scope.SUBMIT, {"applications"}),
        (Scope.FOLLOW, {"status"}),
    ],
)
def test_a_scope_opens_its_calls_only(room: SeasonRoom, scope: str, allowed: set[str]) -> None:
    given = token("portal", scope)
    season = f"/seasons/{room.season.id}"
    answers = {
        "seasons": call("GET", "/seasons", given),
        "zones": call("POST", f"{season}/zones", given, {"community": "999900002001"}),
        "applications": hand_in(room, given),
        "status": call("GET", "/applications/RX2026-1", given),
    }
    for name, answer in answers.items():
        assert (answer.status_code != 403) is (name in allowed), name
        if answer.status_code == 403:
            assert answer.json()["error"]["code"] == "scope"


def test_seasons_and_areas(room: SeasonRoom) -> None:
    given = token()
    (season,) = call("GET", "/seasons", given).json()
    assert season["id"] == room.season.id
    assert [one["school"]["code"] for one in season["intakes"]] == ["P1"]
    path = f"/seasons/{room.season.id}/zones"
    found = call("POST", path, given, {"community": "999900002001", "number": 3}).json()
    assert [school["code"] for school in found["zones"][0]["schools"]] == ["S1"]
    assert "海沿社区" in found["sentence"]
    nowhere = call("POST", path, given, {"community": "999900009999"}).json()
    assert (nowhere["found"], nowhere["zones"]) == (False, [])
    assert call("POST", "/seasons/999999/zones", given, {}).status_code == 404


def test_one_child_has_one_reference_whatever_is_retried(room: SeasonRoom) -> None:
    given, key = token(), str(uuid.uuid4())
    first = hand_in(room, given, key=key)
    assert (first.status_code, first.json()["is_new"]) == (201, True)
    again = hand_in(room, given, key=key)
    other = hand_in(room, given)
    assert (again.status_code, other.status_code) == (200, 200)
    numbers = {answer.json()["number"] for answer in (first, again, other)}
    assert len(numbers) == 1
    row = Application.objects.get()
    assert (row.channel, row.client, row.applicant) == ("portal", "portal:P-1", None)
    assert row.case.organisation == room.district.orgs["S1"]
    assert row.entry.outcome == RollEntry.Outcome.REGISTERED
    assert Entry.objects.get(action="application.submit").actor == "client:portal"


def test_two_clients_that_use_one_key_do_not_meet(room: SeasonRoom) -> None:
    key = str(uuid.uuid4())
    mine = hand_in(room, token("one"), key=key)
    theirs = hand_in(room, token("two"), registration(2), key=key)
    assert (mine.status_code, theirs.status_code) == (201, 201)


def test_faults_come_all_at_once_and_nothing_is_written(room: SeasonRoom) -> None:
    wrong = registration(id_number="999900202003050999", child_name=" ", register={}, home={})
    answer = hand_in(room, token(), wrong)
    assert answer.status_code == 422
    assert {"child_name", "id_number", "home"} <= set(answer.json()["error"]["fields"])
    assert not RollEntry.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"child_name": "周\0禾"},
        {"share": 101},
        {"relation": "00"},
        {"born_on": "2020-02-30"},
        {"intakes": [0]},
        {"home": {"community": "1"}},
        {"child_name": "周" * 61},
    ],
)
def test_what_has_not_the_shape_is_refused(room: SeasonRoom, changes: dict[str, Any]) -> None:
    answer = hand_in(room, token(), registration(**changes))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"
    assert not Application.objects.exists()


def test_a_key_is_needed_and_a_closed_season_takes_nothing(room: SeasonRoom) -> None:
    given = token()
    path = f"/seasons/{room.season.id}/applications"
    assert call("POST", path, given, registration()).status_code == 422
    room.season.state = "checking"
    room.season.save()
    answer = hand_in(room, given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "closed")
    room.season.state = "preparing"
    room.season.save()
    assert hand_in(room, given).status_code == 404


def test_a_client_reads_its_own_and_nothing_else(room: SeasonRoom) -> None:
    mine, theirs = token("one"), token("one-b")
    number = hand_in(room, mine).json()["number"]
    status = call("GET", f"/applications/{number}", mine).json()
    assert (status["state"], status["reference"]) == ("submitted", "P-1")
    assert "周" not in json.dumps(status, ensure_ascii=False)
    for given in (theirs, token("on")):
        assert call("GET", f"/applications/{number}", given).status_code == 404
    assert call("GET", "/applications/RX2026-999999", mine).status_code == 404
    assert call("GET", "/applications/RX2026-1' OR 1", mine).status_code == 422
    opened = Entry.objects.filter(action="application.open")
    assert [entry.actor for entry in opened] == ["client:one"]


def test_the_result_is_there_once_it_is_published(room: SeasonRoom) -> None:
    given = token()
    number = hand_in(room, given).json()["number"]
    path = f"/applications/{number}/result"
    assert call("GET", path, given).json()["error"]["code"] == "no_result"
    allocation = Allocation.objects.create(season=room.season, given={}, result={}, sha256="x")
    Offer.objects.create(
        allocation=allocation, application=Application.objects.get(), intake=room.intakes["S3"],
        respond_by=TODAY,
    )  # fmt: skip
    assert call("GET", path, given).status_code == 404, "not published"
    Allocation.objects.update(published_at=timezone.now())
    result = call("GET", path, given).json()
    assert result["school"]["code"] == "S3"
    assert result["published_on"] == TODAY.isoformat()
    assert result["respond_by"] == TODAY.isoformat()
    assert result["reason"]


def test_calls_and_wrong_tokens_have_a_limit(room: SeasonRoom) -> None:
    Parameter.objects.filter(key__startswith="api.").update(value=2)
    given = token()
    answers = [call("GET", "/seasons", given).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    wrong = [call("GET", "/seasons", "x") for _ in range(3)]
    assert [answer.status_code for answer in wrong] == [401, 401, 429]
    assert int(wrong[-1]["Retry-After"]) > 0
    assert wrong[-1].json()["error"]["code"] == "too_many"


def test_the_description_is_json_and_there_is_no_page_of_it(room: SeasonRoom) -> None:
    given = token()
    answer = call("GET", "/api/v1/openapi.json", given)
    schema = answer.json()
    assert schema["openapi"].startswith("3.1")
    assert f"{BASE}/applications/{{number}}" in schema["paths"]
    assert call("GET", "/api/v1/docs", given).status_code == 404


def test_the_command_line_opens_and_closes_access(db, capsys) -> None:
    import argparse

    add = argparse.Namespace(action="add", name="portal", scope=None, days=10)
    assert run_client(add) == 0
    shown = capsys.readouterr().out
    assert "xz_" in shown
    assert run_client(add) == 2
    assert run_client(argparse.Namespace(action="list")) == 0
    assert "portal" in capsys.readouterr().out
    gone = argparse.Namespace(action="revoke", name="portal")
    assert (run_client(gone), run_client(gone)) == (0, 2)


def test_it_is_part_of_the_program() -> None:
    assert "xuezheng.api" in settings.INSTALLED_APPS

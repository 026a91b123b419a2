"""Asking registers: a clear state whatever they do, nothing personal in the trail, no waiting twice."""

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from xuezheng.config.environment import ConfigurationError, Environment, registers_of
from xuezheng.domains.admissions.registers import asking
from xuezheng.domains.admissions.registers.base import Question
from xuezheng.domains.admissions.registers.http import HttpConnector
from xuezheng.kernel.audit.models import Entry

CHILD, GUARDIAN, GRANNY = "999900201903050014", "999900199005059009", "999900195505059008"
QUESTION = Question("1", CHILD, "周小禾", GUARDIAN, "周大山")


@pytest.fixture(autouse=True)
def nothing_is_down() -> None:
    asking._down_until.clear()


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    settings.REGISTERS = {
        key: {"folder": tmp_path} for key in ("police", "property", "labour", "civil")
    }
    for register in settings.REGISTERS:
        (tmp_path / register).mkdir()
    return tmp_path


def put(folder: Path, register: str, number: str, entry: object) -> None:
    (folder / register / f"{number}.json").write_text(json.dumps(entry), encoding="utf-8")


POLICE = {"name": "周小禾", "facts": {"register_date": "2020-06-01", "weight": 3}}


@pytest.mark.parametrize(
    ("entry", "state", "facts"),
    [
        (POLICE, "confirmed", {"register_date": "2020-06-01", "parents_named": False}),
        (
            POLICE | {"guardians": [GUARDIAN]},
            "confirmed",
            {"register_date": "2020-06-01", "parents_named": True},
        ),
        ({"name": "周小荷", "facts": {}}, "different", {}),
        # One file serves whoever asks: it cannot say of everybody that they are the parents.
        ({"facts": {"parents_named": True}}, "confirmed", {"parents_named": False}),
        (None, "not_found", {}),
        ({"down": True}, "no_answer", {}),
        ([1], "no_answer", {}),
        ({"facts": {"register_date": "soon"}}, "no_answer", {}),
    ],
)
@pytest.mark.django_db
def test_a_folder_answers(folder: Path, entry, state: str, facts: dict) -> None:
    if entry is not None:
        put(folder, "police", CHILD, entry)
    said = asking.ask(QUESTION, "police")
    assert (said["state"], said["facts"]) == (state, facts)
    assert bool(said["answered_at"]) == (state != "no_answer")
    line = Entry.objects.get(action="register.ask")
    assert line.detail["state"] == state
    assert CHILD not in str(vars(line)) and "周" not in str(vars(line))


@pytest.mark.django_db
def test_each_register_looks_up_its_own_person(folder: Path) -> None:
    put(folder, "property", GUARDIAN, {"facts": {"share": 100}})
    put(folder, "property", GRANNY, {"name": "周奶奶", "facts": {"share": 50}})
    assert asking.ask(QUESTION, "property")["facts"] == {"share": 100}
    granny = Question("1", CHILD, "周小禾", GUARDIAN, "周大山", GRANNY, "周奶奶")
    assert asking.ask(granny, "property")["facts"] == {"share": 50}


@pytest.mark.django_db
def test_a_number_is_never_a_path(folder: Path) -> None:
    put(folder, "labour", "secret", {"facts": {"points": 1}})
    question = Question("1", "x", "x", "../labour/secret", "x")
    assert asking.ask(question, "labour")["state"] == "not_found"


@pytest.mark.django_db
def test_a_register_without_connector_gives_no_answer(settings) -> None:
    settings.REGISTERS = {}
    assert asking.connected() == []
    assert asking.ask(QUESTION, "civil")["state"] == "no_answer"


@pytest.mark.django_db
def test_one_that_was_found_down_rests(folder: Path) -> None:
    put(folder, "police", CHILD, {"down": True})
    assert asking.ask(QUESTION, "police")["state"] == "no_answer"
    put(folder, "police", CHILD, POLICE)
    assert asking.ask(QUESTION, "police")["state"] == "no_answer", "it rests"
    asking._down_until["police"] = time.monotonic() - 1
    assert asking.ask(QUESTION, "police")["state"] == "confirmed"


class _Handler(BaseHTTPRequestHandler):
    answers: list = []
    asked: list = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.headers["Authorization"], body))
        status, data, delay = self.answers.pop(0)
        time.sleep(delay)
        with suppress(BrokenPipeError):  # the other side waits no longer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@pytest.fixture
def server(settings):
    _Handler.answers, _Handler.asked = [], []
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    settings.REGISTERS = {
        "police": {
            "url": f"http://127.0.0.1:{made.server_port}/",
            "token": "t0",
            "seconds": 0.3,
            "tries": 2,
        }
    }
    yield _Handler
    made.shutdown()
    thread.join()
    made.server_close()


def found(**more) -> bytes:
    return json.dumps({"found": True, **more}).encode()


@pytest.mark.parametrize(
    ("answers", "state", "tries"),
    [
        ([(200, found(facts={"register_date": "2020-06-01"}), 0)], "confirmed", 1),
        ([(200, found(matches=False), 0)], "different", 1),
        ([(200, b'{"found": false}', 0)], "not_found", 1),
        ([(503, b"", 0), (200, found(), 0)], "confirmed", 2),
        ([(503, b"", 0), (500, b"", 0)], "no_answer", 2),
        ([(403, b"", 0)], "no_answer", 1),
        ([(302, b"", 0)], "no_answer", 1),
        ([(200, b"<html>", 0)], "no_answer", 1),
        ([(200, b"x" * 70_000, 0)], "no_answer", 1),
        ([(200, found(), 0.6), (200, found(), 0)], "confirmed", 2),
    ],
)
@pytest.mark.django_db
def test_an_address_answers(server, answers: list, state: str, tries: int) -> None:
    server.answers[:] = answers
    assert asking.ask(QUESTION, "police")["state"] == state
    assert len(server.asked) == tries
    authorization, body = server.asked[0]
    assert authorization == "Bearer t0"
    assert body["child"] == {"id_kind": "1", "id_number": CHILD, "name": "周小禾"}
    assert body["grandparent"] is None


def test_nobody_listens() -> None:
    way = HttpConnector("police", "http://127.0.0.1:9/", "t", seconds=0.2, tries=2)
    with pytest.raises(asking.RegisterDown):
        way.ask(QUESTION)


@pytest.mark.parametrize(
    ("variables", "police"),
    [
        ({}, None),
        ({"XUEZHENG_REGISTERS_DIR": "/r"}, {"folder": "/r"}),
        (
            {
                "XUEZHENG_REGISTERS_DIR": "/r",
                "XUEZHENG_REGISTER_POLICE_URL": "https://x.example/",
                "XUEZHENG_REGISTER_POLICE_TOKEN": "t",
            },
            {"url": "https://x.example/", "token": "t", "seconds": 3, "tries": 2},
        ),
    ],
)
def test_configuration(variables: dict, police) -> None:
    assert registers_of(Environment(variables)).get("police") == police


@pytest.mark.parametrize("url", ["http://x.example/", "https://x.example/"])
def test_an_address_needs_its_token_and_tls(url: str) -> None:
    with pytest.raises(ConfigurationError):
        registers_of(Environment({"XUEZHENG_REGISTER_CIVIL_URL": url}))

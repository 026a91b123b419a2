"""Log lines: what is in them, and above all what is not."""

import json
import logging
import re
from io import StringIO

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from tests.district import District
from tests.people import search
from xuezheng.kernel.access.models import User
from xuezheng.kernel.telemetry import requests
from xuezheng.kernel.telemetry.logs import Json, Line
from xuezheng.kernel.telemetry.words import error_chain, error_name

PERSONAL = "张三13800001111"


@pytest.fixture
def lines():
    """Everything that the program and its libraries log, as it would be written."""
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Json())
    root, ours = logging.getLogger(), logging.getLogger("xuezheng")
    levels = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    ours.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def of_requests(lines) -> list[dict]:
    return [line for line in lines() if line.get("event") == "request"]


def test_one_line_tells_what_was_asked(district: District, lines) -> None:
    client = Client()
    client.force_login(district.users["safety"])
    answer = client.get(reverse("hazard_list"), {"q": PERSONAL})
    (line,) = of_requests(lines)
    assert line["route"] == "hazards/"
    assert line["view"] == "hazard_list"
    assert (line["method"], line["status"], line["level"]) == ("GET", 200, "INFO")
    assert line["user"] == district.users["safety"].pk
    assert line["queries"] > 3
    assert line["ms"] > 0
    assert line["slow"] is False
    assert line["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0123456789abcdef0123456789abcdef", True),
        ("2f1e0d6c-1234-4abc-8def-0123456789ab", True),
        ("", False),
        ("999999201203040011", False),  # the form of an identity number
        ("13800001111", False),
        ("0123456789ABCDEF0123456789ABCDEF", False),
        ("0123456789abcdef0123456789abcdef\n", False),
        ("zhangsan", False),
        ("x" * 5000, False),
    ],
)
def test_only_what_a_proxy_makes_is_taken_as_request_id(given: str, kept: bool) -> None:
    name = requests.identity(given)
    assert (name == given) is kept
    assert re.fullmatch("[0-9a-f]{32}|[0-9a-f-]{36}", name)


def test_nothing_personal_gets_in(district: District, lines, monkeypatch) -> None:
    """Names in the path, query, form, header, cookie, in an error's message and in a library's."""
    client = Client(raise_request_exception=False)
    client.force_login(district.users["safety"])
    client.get(f"/hazards/{PERSONAL}/")
    client.get(f"/no-such-page/{PERSONAL}/", {"q": PERSONAL})
    client.get("/hazards/", headers={"X-Request-ID": "zhangsan-13800001111"})
    client.get("/hazards/", headers={"Host": "zhangsan.13800001111.example"})
    client.post("/sign-in/", {"username": PERSONAL, "password": PERSONAL})
    Client(enforce_csrf_checks=True).post(f"/sign-in/?next={PERSONAL}", {"username": PERSONAL})

    def fail(*_args, **_kwargs):
        raise ValueError(f"bad value {PERSONAL}")

    monkeypatch.setattr("xuezheng.boards.views.search.render", fail)
    search(client, "/search/", PERSONAL)
    logging.getLogger("somelibrary").error("cannot read %s", PERSONAL, extra={"value": PERSONAL})
    logging.getLogger("somelibrary").error(f"cannot read {PERSONAL}")
    text = json.dumps(lines(), ensure_ascii=False)
    assert not re.search("张三|13800001111|zhangsan|屿州|人0", text)
    failed = [line for line in of_requests(lines) if line["status"] == 500]
    assert [line["level"] for line in failed] == ["ERROR"]
    traces = [error for line in lines() for error in line.get("errors", [])]
    assert any(error.startswith("builtins.ValueError xuezheng/") for error in traces)


def test_slow_statements_are_flagged_and_counted(district: District, lines, monkeypatch) -> None:
    monkeypatch.setattr(requests, "SLOW_QUERY_SECONDS", 0)
    before = requests.SLOW_QUERIES._value.get()
    client = Client()
    client.force_login(district.users["safety"])
    client.get(reverse("hazard_list"))
    (line,) = of_requests(lines)
    assert line["slow"] is True
    assert line["level"] == "WARNING"
    assert line["slow_queries"] == line["queries"]
    assert requests.SLOW_QUERIES._value.get() == before + line["queries"]


def test_a_method_of_the_callers_invention_is_counted_as_other(db, lines) -> None:
    Client().generic("ZHANGSAN", "/health/live")
    (line,) = of_requests(lines)
    assert line["method"] == "OTHER"


def test_an_error_of_the_database_keeps_its_code_and_loses_its_values(db) -> None:
    User.objects.create(username=PERSONAL, name="x")
    with pytest.raises(IntegrityError) as caught:
        User.objects.create(username=PERSONAL, name="x")
    assert PERSONAL in str(caught.value)
    assert error_name(caught.value) == "django.db.utils.IntegrityError 23505"
    assert PERSONAL not in "".join(error_chain(caught.value))


def test_a_line_for_a_terminal_says_the_same() -> None:
    record = logging.getLogger("xuezheng.request").makeRecord(
        "xuezheng.request", logging.INFO, "", 0, "request", (), None, extra={"status": 200}
    )
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d INFO xuezheng.request event=request status=200", Line().format(record)
    )

"""A family hands in while the database dies: a clear word, nothing half done, no registration twice."""

import datetime as dt
import json
import threading

import psycopg
import pytest
from django.core import signals
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import make_district
from tests.season import SeasonRoom, child_id, make_season
from xuezheng.config.postgres import Cluster
from xuezheng.domains.admissions.models import Application, Draft, RollEntry
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.notices.models import Notice

#: Beginnings of the statements of a submission at which the database is lost, in their order.
MOMENTS = [
    "SELECT entry, live",
    "WITH next AS",
    'INSERT INTO "admissions_application"',
    "WITH part0 AS",
    "WITH gone AS",
]


@pytest.fixture
def room(own_database: str) -> SeasonRoom:
    return make_season(make_district())


def draft_of(room: SeasonRoom, name: str) -> tuple[Draft, Client]:
    """A family's finished draft, and its browser."""
    today = timezone.localdate()
    home = {"community": "999900002001", "road": "望海路", "number": 7}
    given = {
        "child_name": "周小禾",
        "id_number": child_id(1, dt.date(today.year - 6, 3, 5)),
        "guardian_name": "周大山",
        "guardian_id": child_id(900, dt.date(1990, 5, 5)),
        "relation": "51",
        "phone": "13900000001",
        "register": home,
        "home": home,
        "housing": "rental",
    }
    person = room.family(name).user
    draft = Draft.objects.create(
        season=room.season,
        user=person,
        answers=json.dumps(given),
        consented_at=timezone.now(),
        consent_version="1",
    )
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return draft, client


def press(client: Client, draft: Draft) -> HttpResponse:
    # What a server does between two requests; the test client leaves it out.
    signals.request_started.send(sender=None)
    return client.post(reverse("my_draft_submit", args=[draft.pk]))


def lose_database(name: str) -> None:
    owner = Cluster().login("owner", name)
    with psycopg.connect(owner.conninfo()) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_the_database_is_lost_at_any_moment(room: SeasonRoom, own_database: str) -> None:
    """Each time the family reads that it must try again, and nothing is kept; then it succeeds once."""
    draft, client = draft_of(room, "mum")
    for moment in MOMENTS:
        reached = []

        def lose(execute, sql, params, many, context, moment=moment, reached=reached):
            if str(sql).startswith(moment) and not reached:
                reached.append(moment)
                lose_database(own_database)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(lose):
            answer = press(client, draft)
        assert reached == [moment]
        assert answer.status_code == 503
        assert "数据库暂时连不上" in answer.content.decode()
        connection.close()
        kept = [model.objects.count() for model in (Application, Case, RollEntry, Notice)]
        assert kept == [0, 0, 0, 0]
        assert Draft.objects.filter(pk=draft.pk).exists()
    first, again = press(client, draft), press(client, draft)
    assert first.status_code == again.status_code == 302
    assert first.headers["Location"] == again.headers["Location"]
    assert Application.objects.count() == Notice.objects.count() == 1
    assert Entry.objects.filter(action="application.submit").count() == 1


def test_two_taps_at_once_are_one_registration(room: SeasonRoom) -> None:
    draft, client = draft_of(room, "mum")
    session = client.cookies["sessionid"].value
    answers: list[HttpResponse] = []
    begin = threading.Barrier(4)

    def tap() -> None:
        other = Client(raise_request_exception=False)
        other.cookies["sessionid"] = session
        begin.wait()
        answers.append(press(other, draft))
        connections.close_all()

    taps = [threading.Thread(target=tap) for _n in range(4)]
    for each in taps:
        each.start()
    for each in taps:
        each.join()
    assert [answer.status_code for answer in answers] == [302] * 4
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert Application.objects.count() == 1

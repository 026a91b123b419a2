"""A full disk, a read-only disk, a lost database, a clock set back: a clear word, nothing half done."""

import datetime as dt
import errno
import os
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core import signals
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import District, photo
from xuezheng.config.postgres import Cluster
from xuezheng.domains.oversight.models import Hazard
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.audit.seal import seal_next, verify
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.telemetry.faults import DATABASE, DISK, fault_of

DISK_ERRORS = [errno.ENOSPC, errno.EDQUOT, errno.EROFS]


def with_cause(state: str | None) -> OperationalError:
    error = OperationalError("x")
    error.__cause__ = psycopg.OperationalError("x")
    if state:
        error.__cause__ = psycopg.errors.lookup(state)("x")
    return error


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        *((OSError(number, "x"), DISK) for number in DISK_ERRORS),
        (OSError(errno.ENOENT, "x"), ""),
        (with_cause("53100"), DISK),
        (with_cause("57P01"), DATABASE),
        (with_cause(None), DATABASE),
        (OperationalError("x"), DATABASE),
        (ValueError("x"), ""),
        (None, ""),
    ],
)
def test_what_is_a_fault(error: BaseException | None, fault: str) -> None:
    assert fault_of(error) == fault


@pytest.fixture
def school(district: District, files_dir: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(district.users["sec1"])
    return client


def report(client: Client) -> HttpResponse:
    form = client.get(reverse("hazard_report")).context["form"]
    data = {
        "organisation": form["organisation"].initial.pk,
        "key": form["key"].initial,
        "category": "fire",
        "place": "走廊",
        "description": "灯坏了",
        "photos": photo(),
    }
    return client.post(reverse("hazard_report"), data)


def stored() -> list[Path]:
    return [path for path in Path(settings.FILES_DIR).rglob("*") if path.is_file()]


@pytest.mark.parametrize("number", DISK_ERRORS)
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_no_room_for_a_photo(school: Client, monkeypatch, number: int, call: str) -> None:
    """The reporter reads why on the form; neither report nor file is there, not even half of it."""

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    if call == "fsync":
        monkeypatch.setattr("xuezheng.kernel.files.store.os.fsync", fail)
    else:
        monkeypatch.setattr("xuezheng.kernel.files.store.tempfile.mkstemp", fail)
    answer = report(school)
    assert answer.status_code == 422
    assert "磁盘已满或只读" in answer.content.decode()
    assert stored() == []
    assert not StoredFile.objects.exists()
    assert not Hazard.objects.exists()
    monkeypatch.undo()


def test_after_the_disk_has_room_the_same_form_works(school: Client, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("xuezheng.kernel.files.store.os.fsync", _full)
        report(school)
    assert report(school).status_code == 302
    assert len(stored()) == 1


def _full(*_arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_elsewhere_is_a_page_of_its_own(school: Client, monkeypatch) -> None:
    monkeypatch.setattr("xuezheng.boards.views.search.render", _full)
    answer = school.get(reverse("search"))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    text = answer.content.decode()
    assert "服务器磁盘已满或只读" in text
    assert "Traceback" not in text


def test_lost_connection_is_503_and_the_next_request_works(own_database: str) -> None:
    client = Client(raise_request_exception=False)
    assert client.get("/health/ready").status_code == 200
    owner = Cluster().login("owner", own_database)
    with psycopg.connect(owner.conninfo()) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "数据库暂时连不上" in answer.content.decode()
    # What a server does between two requests; the test client leaves it out.
    signals.request_started.send(sender=None)
    assert client.get("/health/ready").status_code == 200


def test_database_that_is_not_there(own_database: str, monkeypatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    answer = Client(raise_request_exception=False).get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"


def test_clock_set_back_breaks_no_seal(own_database: str, files_dir: None, monkeypatch) -> None:
    """The chain follows numbers, not times."""
    real = timezone.now
    for jump in (dt.timedelta(), dt.timedelta(days=-400), dt.timedelta(days=2)):
        moment = real() + jump
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        Entry.objects.create(action="x", actor="job", at=moment)
        assert seal_next() is not None
    assert verify().problems == []
    assert verify().seals == 3


def test_a_torn_head_line_is_no_forgery(own_database: str, files_dir: None) -> None:
    """The disk was full while the head was appended; the seals go on."""
    heads = Path(settings.AUDIT_HEAD_FILE)
    Entry.objects.create(action="x", actor="job")
    seal_next()
    heads.write_text(heads.read_text() + "2 1 abc")
    Entry.objects.create(action="y", actor="job")
    second = seal_next()
    assert heads.read_text().splitlines()[-1] == f"{second.id} 1 {second.digest}"
    assert verify().problems == []

"""A worker that dies in the middle: nothing half written, and the next one finishes.  Real transactions."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.district import ORGANISATIONS, POSTS, SINCE, District
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, User
from xuezheng.kernel.exchange import jobs, services, staging
from xuezheng.kernel.exchange.models import Batch, State
from xuezheng.registry.exchange import PUPILS
from xuezheng.registry.exchange.pupils import PupilKeeper
from xuezheng.registry.exchange.tests.files import classes, number, workbook
from xuezheng.registry.models import Placement, Pupil

ROWS = 4_500


class Killed(BaseException):
    """As sudden as a signal: nothing catches it."""


@pytest.fixture
def school(own_database: str) -> Iterator[District]:
    orgs: dict[str, Organisation] = {}
    for order, (code, name, kind, authority, town) in enumerate(ORGANISATIONS):
        orgs[code] = Organisation.objects.create(code=code, name=name, kind=kind, order=order)
        for parent, edge in ((authority, EdgeKind.AUTHORITY), (town, EdgeKind.AREA)):
            if parent:
                OrganisationEdge.objects.create(
                    parent=orgs[parent], child=orgs[code], kind=edge, valid_from=SINCE
                )
    made = District(orgs, {})
    for username, role, org in POSTS:
        if username in {"sec1", "registrar"}:
            made.hold(username, role, org)
    classes(made, "S1")
    yield made


def long_batch(school: District) -> Batch:
    rows = [
        (f"童{n}", number(n % 500, dt.date(2015, 1, 1) + dt.timedelta(days=n // 500)), 2022, 1)
        for n in range(ROWS)
    ]
    upload = workbook(("姓名", "身份证件号", "入学年", "班号"), rows)
    return services.receive(table=PUPILS, upload=upload, by=school.actor("sec1"))


def kill_after(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, calls: int) -> None:
    """The named function works so many times, then the worker is gone."""
    real, left = getattr(owner, name), [calls]

    def dying(*args: object, **kwargs: object) -> object:
        if not left[0]:
            raise Killed
        left[0] -= 1
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, dying)


def test_killed_while_reading_and_while_writing(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = long_batch(school)
    with monkeypatch.context() as patch:
        kill_after(patch, staging, "put", 1)
        with pytest.raises(Killed):
            jobs.stage(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.new) == (State.READING, staging.CHUNK), (
        "the page shows how far it was"
    )
    jobs.stage(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.new, batch.error) == (State.READY, ROWS, 0)

    services.confirm(batch, mode="all", by=school.actor("sec1"))
    with monkeypatch.context() as patch:
        kill_after(patch, PupilKeeper, "create", 1)
        with pytest.raises(Killed):
            jobs.apply(str(batch.pk))
    connection.close()
    assert (Pupil.objects.count(), Placement.objects.count()) == (0, 0)
    jobs.apply(str(batch.pk))
    jobs.apply(str(batch.pk))
    batch.refresh_from_db()
    assert batch.state == State.APPLIED
    assert (Pupil.objects.count(), Placement.objects.count()) == (ROWS, ROWS)

    services.undo(batch, by=school.actor("sec1"))
    with monkeypatch.context() as patch:
        kill_after(patch, PupilKeeper, "remove", 1)
        with pytest.raises(Killed):
            jobs.undo(str(batch.pk))
    connection.close()
    assert Pupil.objects.count() == ROWS
    jobs.undo(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.left, Pupil.objects.count()) == (State.UNDONE, 0, 0)
    assert User.objects.count() == 2

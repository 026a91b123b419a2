"""Rows of several tables in one statement."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.audit.trail import entry
from xuezheng.kernel.notices.models import Notice
from xuezheng.kernel.notices.services import notice
from xuezheng.kernel.reference.together import write_together

pytestmark = pytest.mark.django_db


def lines(count: int) -> list[Entry]:
    job = JobActor("test")
    return [entry("x", by=job, object_id=str(n), detail={"n": n}) for n in range(count)]


def test_two_tables_in_one_statement_and_defaults_of_the_database() -> None:
    person = get_user_model().objects.create_user("somebody")
    with CaptureQueriesContext(connection) as asked:
        write_together([*lines(2), notice(person.pk, key="k", title="t", path="/")])
    assert len(asked) == 1
    assert list(Entry.objects.values_list("object_id", "detail")) == [
        ("0", {"n": 0}),
        ("1", {"n": 1}),
    ]
    assert all(row.at and row.transaction for row in Entry.objects.all())
    assert Notice.objects.get().key == "k"


@pytest.mark.parametrize(("count", "statements"), [(0, 0), (1, 1), (5, 1), (6, 2), (25, 5)])
def test_more_values_than_one_statement_takes(count: int, statements: int) -> None:
    """An entry has ten values; a statement takes fifty."""
    with CaptureQueriesContext(connection) as asked:
        write_together(lines(count))
    assert len(asked) == statements
    assert Entry.objects.count() == count

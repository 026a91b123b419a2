"""What a process keeps is read again after every change of a watched table, and only then."""

import datetime as dt

import pytest
from django.db import connection, transaction

from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.reference.changes import kept, state_of_changes
from xuezheng.kernel.reference.models import CalendarDay, Parameter

DAY = dt.date(2031, 3, 3)


def read() -> list[bool]:
    return list(CalendarDay.objects.filter(day=DAY).values_list("working", flat=True))


@pytest.mark.django_db
def test_kept_until_a_watched_table_changes(django_assert_num_queries) -> None:
    assert kept("calendar", read) == []
    with django_assert_num_queries(1):
        assert kept("calendar", read) == []
    CalendarDay.objects.create(day=DAY, working=True)
    assert kept("calendar", read) == [True]
    CalendarDay.objects.filter(day=DAY).update(working=False)
    assert kept("calendar", read) == [False], "changed twice in one transaction"
    Parameter.objects.all().delete()
    with django_assert_num_queries(2):
        assert kept("calendar", read) == [False]


@pytest.mark.django_db
def test_what_was_undone_is_not_kept() -> None:
    assert kept("undone", read) == []
    with transaction.atomic():
        CalendarDay.objects.create(day=DAY, working=True)
        assert kept("undone", read) == [True]
        transaction.set_rollback(True)
    assert kept("undone", read) == []
    CalendarDay.objects.create(day=DAY, working=False)
    assert kept("undone", read) == [False]


@pytest.mark.django_db
def test_a_table_that_is_not_watched_changes_nothing() -> None:
    before = state_of_changes()
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cases_number')")
    assert state_of_changes() == before
    Organisation.objects.create(code="Z9", name="某处", name_en="Z9", kind="town", order=1)
    assert state_of_changes() != before, "admissions watches who stands over whom"

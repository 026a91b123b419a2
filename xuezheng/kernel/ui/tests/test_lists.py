"""Pages of lists: the same rows as by plain slicing, in one query each."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.lists import Pages

pytestmark = pytest.mark.django_db
MANY = 47


@pytest.fixture
def organisations() -> None:
    Organisation.objects.bulk_create(
        Organisation(
            code=f"P{number:03}",
            name=f"单位{number % 7}",
            kind="office",
            order=number % 5,
            opened=dt.date(2020, 1, 1 + number % 9) if number % 3 else None,
        )
        for number in range(MANY)
    )


@pytest.mark.parametrize(
    "order",
    [
        (),
        ("-name", "id"),
        (F("opened").asc(nulls_last=True), "id"),
        (F("opened").desc(nulls_last=True), "-id"),
    ],
    ids=["of the model", "descending", "nulls last", "descending, nulls last"],
)
@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("size", [1, 10, 46, 47, 48])
def test_pages_are_slices(organisations: None, order: Any, distinct: bool, size: int) -> None:
    rows = Organisation.objects.filter(code__startswith="P")
    rows = rows.order_by(*order) if order else rows
    rows = rows.distinct() if distinct else rows
    plain = list(rows.all())
    pages = Pages(rows, size)
    assert pages.count == MANY
    found = []
    for number in pages.page_range:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page = list(pages.page(number))
        assert len(captured) == 1
        assert page == plain[(number - 1) * size : number * size]
        found += page
    assert found == plain


def test_no_rows_and_no_table_have_pages_too() -> None:
    assert list(Pages(Organisation.objects.none(), 20).get_page("9")) == []
    assert list(Pages(range(30), 20).get_page("2")) == list(range(20, 30))

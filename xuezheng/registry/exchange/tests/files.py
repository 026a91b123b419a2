"""Workbooks as people send them, and a school with two classes."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.district import District
from xuezheng.kernel.exchange import services
from xuezheng.kernel.exchange.models import Batch
from xuezheng.kernel.exchange.table import Table
from xuezheng.registry.codes import citizen_check
from xuezheng.registry.models import SchoolClass

AREA = "999900"


def number(serial: int, born: dt.date = dt.date(2016, 5, 12), sex: int = 1) -> str:
    """A citizen number valid in form, of an area code that nobody has."""
    body = f"{AREA}{born:%Y%m%d}{(serial % 500) * 2 + sex % 2:03d}"
    return body + citizen_check(body)


def workbook(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, name: str = "名册.xlsx"
) -> SimpleUploadedFile:
    """An upload with one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(headings))
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile(name, out.getvalue())


def send(
    district: District, username: str, table: Table, headings: Sequence[str], rows: Any, **more: Any
) -> Batch:
    """Upload rows under a user; the compared batch."""
    upload = workbook(headings, rows)
    return services.receive(table=table, upload=upload, by=district.actor(username), **more)


def confirmed(district: District, username: str, batch: Batch, mode: str = "all") -> Batch:
    """Written."""
    return services.confirm(batch, mode=mode, by=district.actor(username))


def classes(district: District, *codes: str) -> dict[str, SchoolClass]:
    """Class 1 of the entry year 2022 at each school."""
    stages = {"S1": "primary", "S2": "junior", "K1": "kindergarten"}
    return {
        code: SchoolClass.objects.create(
            organisation=district.orgs[code],
            stage=stages[code],
            entry_year=2022,
            number=1,
            valid_from=dt.date(2022, 9, 1),
        )
        for code in codes
    }

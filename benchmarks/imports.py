"""An .xlsx of 40,000 pupils through dry run and apply, against reading the file and against raw COPY.

The file is made here: invented names, numbers valid in form, of an area code that nobody has.  Everything
runs in one transaction under the web role and the registrar's reach, and is rolled back.
"""

import datetime as dt
import io
import resource
import time
from collections.abc import Callable
from typing import Any

import openpyxl
import python_calamine as calamine
import xlsxwriter

PUPILS = 40_000
SITES = 40
CLASSES = 20
AREA = "999900"


def _file(sites: list[str]) -> bytes:
    from xuezheng.registry.codes import citizen_check

    out = io.BytesIO()
    headings = (
        "姓名", "性别", "出生日期", "身份证件类型", "身份证件号", "学籍号", "学校", "学段", "入学年",
        "班号", "学生状态", "就读方式", "入学日期", "民族", "国籍", "户籍区划",
    )  # fmt: skip
    surnames, given = "赵钱孙李周吴郑王冯陈", "一二三四五六七八九十山川河海星云风雨林石"
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for at, heading in enumerate(headings):
            sheet.write_string(0, at, heading)
        for serial in range(PUPILS):
            born = dt.date(2012, 1, 1) + dt.timedelta(days=serial % 1500)
            body = f"{AREA}{born:%Y%m%d}{serial // 1500 * 2 + 1:03d}"
            number = body + citizen_check(body)
            name = surnames[serial % 10] + given[serial // 10 % 20] + given[serial // 200 % 20]
            site = sites[serial % SITES]
            row = (
                name, "男", born, "居民身份证", number, f"G{number}", site, "小学", 2022,
                serial // SITES % CLASSES + 1, "在读", "走读", dt.date(2022, 9, 1), "汉族", "中国", AREA,
            )  # fmt: skip
            for at, value in enumerate(row):
                if isinstance(value, dt.date):
                    sheet.write_datetime(serial + 1, at, value, day)
                elif isinstance(value, int):
                    sheet.write_number(serial + 1, at, value)
                else:
                    sheet.write_string(serial + 1, at, value)
    return out.getvalue()


def _district() -> Any:
    """A bureau with schools and classes, and its registrar."""
    from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, Post, User
    from xuezheng.registry import roles
    from xuezheng.registry.models import SchoolClass

    bureau = Organisation.objects.create(code="BENCH", name="试测局", kind="bureau")
    since = dt.date(2020, 1, 1)
    for at in range(SITES):
        site = Organisation.objects.create(code=f"BENCH{at}", name=f"试测{at}校", kind="primary")
        OrganisationEdge.objects.create(
            parent=bureau, child=site, kind=EdgeKind.AUTHORITY, valid_from=since
        )
        SchoolClass.objects.bulk_create(
            SchoolClass(
                organisation=site, stage="primary", entry_year=2022, number=n, valid_from=since
            )
            for n in range(1, CLASSES + 1)
        )
    user = User.objects.create_user("bench", name="试测")
    Post.objects.create(user=user, organisation=bureau, role=roles.REGISTRAR, valid_from=since)
    return user


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def _peak() -> float:
    """Peak memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _read(data: bytes) -> int:
    sheet = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    return sum(len(row) for row in sheet.iter_rows())


def _read_by_openpyxl(data: bytes) -> int:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    return sum(len(row) for row in book.worksheets[0].iter_rows(values_only=True))


def _copied(cursor: Any) -> None:
    """The written rows once more, by bare COPY out and in, with indexes and without our work."""
    for table in ("registry_pupil", "registry_placement"):
        cursor.execute(f"CREATE TEMPORARY TABLE bench (LIKE {table} INCLUDING INDEXES)")
        with cursor.copy(f"COPY {table} TO STDOUT") as out:
            rows = b"".join(bytes(piece) for piece in out)
        began = time.perf_counter()
        with cursor.copy("COPY bench FROM STDIN") as into:
            into.write(rows)
        _copied.seconds += time.perf_counter() - began
        cursor.execute("DROP TABLE bench")


def run() -> bool:
    """Print the times, ratios and peak memory; whether both stay within twice the reading."""
    from django.conf import settings
    from django.db import connection, transaction

    from xuezheng.kernel.access.actors import StaffActor
    from xuezheng.kernel.access.fence import fenced
    from xuezheng.kernel.exchange import applying, comparing
    from xuezheng.kernel.exchange.models import Batch, Mode
    from xuezheng.kernel.exchange.reading import Book
    from xuezheng.kernel.exchange.table import Run
    from xuezheng.registry.exchange import PUPILS as TABLE

    settings.FENCE_ROLE = "xuezheng_web"
    with transaction.atomic():
        user = _district()
        data = _file([f"试测{at}校" for at in range(SITES)])
        read = min(_timed(lambda: _read(data))[0] for _ in range(3))
        slow, _count = _timed(lambda: _read_by_openpyxl(data))
        start = _peak()
        actor = StaffActor(user)
        with fenced(by=actor):
            batch = Batch.objects.create(
                table=TABLE.key, user=user, file_name="bench", language="zh-hans", mode=Mode.ALL
            )
            dry, _none = _timed(
                lambda: comparing.stage(batch, Book(data, TABLE, actor), Run(actor))
            )
            assert (batch.new, batch.error) == (PUPILS, 0), (batch.new, batch.error)
            after_dry = _peak()
            wrote, _none = _timed(lambda: applying.apply(batch, Run(actor)))
            assert batch.new == PUPILS
            after_write = _peak()
            second = Batch.objects.create(
                table=TABLE.key, user=user, file_name="bench", language="zh-hans", mode=Mode.ALL
            )
            again, _none = _timed(
                lambda: comparing.stage(second, Book(data, TABLE, actor), Run(actor))
            )
            assert second.unchanged == PUPILS
        _copied.seconds = 0.0
        with connection.cursor() as cursor:
            _copied(cursor)
        transaction.set_rollback(True)
    settings.FENCE_ROLE = ""
    print(f"import of {PUPILS:,} pupils, {len(data) / 1e6:.1f} MB .xlsx, 16 columns")
    lines = [
        ("read the file only (calamine)", read, start),
        ("read the file only (openpyxl)", slow, start),
        ("bare COPY of the written rows", _copied.seconds, start),
        ("dry run, all new", dry, after_dry),
        ("apply", wrote, after_write),
        ("dry run again, all unchanged", again, _peak()),
    ]
    for name, seconds, peak in lines:
        print(
            f"  {name:<32} {seconds:6.2f} s   {seconds / read:5.1f} x calamine"
            f"   {seconds / slow:4.2f} x openpyxl   peak {peak:5.0f} MB"
        )
    return dry <= 2 * slow and wrote <= 2 * slow

"""Lists and pages of 40,000 children against 200 ms at the server, and the demo's load against COPY."""

import datetime as dt
import logging
import random
import time

from benchmarks.serving import Client, measure, serving, session_of

LIMIT_MS = 200
ROUNDS = 40
#: The load of the demo's people is to reach this share of the speed of the bare COPY.
LEAST_SHARE = 0.5


def _pages() -> tuple[dict[str, str], dict[str, str]]:
    """What is measured -> address; and the words searched by, by the handle that stands for them."""
    from xuezheng.registry.models import Pupil, SchoolClass, StaffMember

    pupils = Pupil.objects.filter(organisation__isnull=False, id_number__isnull=False)
    child = pupils.select_related("organisation").order_by("id")[pupils.count() // 2]
    klass = SchoolClass.objects.filter(pupils__isnull=False).order_by("id").first()
    member = StaffMember.objects.filter(organisation__isnull=False).order_by("id").first()
    found = pupils.count()
    listed = "/registry/pupils/"

    words = {
        "name": child.name,
        "surname": child.name[0],
        "initials": child.initials,
        "tail": child.id_number[-4:],
        "number": child.id_number,
    }
    pages = {
        f"list of {found:,} pupils, first page": listed,
        "  last page": f"{listed}?page=999999",
        "  search by name": f"{listed}?w=name",
        "  search by surname": f"{listed}?w=surname",
        "  search by initials": f"{listed}?w=initials",
        "  search by last four": f"{listed}?w=tail",
        "  search by whole number": f"{listed}?w=number",
        "  of one school": f"{listed}?site={child.organisation_id}",
        "  sorted by class": f"{listed}?sort=class",
        "one child": child.get_absolute_url(),
        "list of staff": "/registry/staff/",
        "one member of staff": member.get_absolute_url(),
        "list of sites": "/registry/sites/",
        "one site": f"/registry/sites/{child.organisation.code}/",
        "list of classes": "/registry/classes/",
        "one class": f"/registry/classes/{klass.pk}/",
        "list of guardians": "/registry/guardians/",
        "list of dwellings": "/registry/dwellings/",
        "first page of the registry": "/registry/",
    }
    return pages, words


def _queries(pages: dict[str, str], words: dict[str, str]) -> dict[str, int]:
    """Queries of each page, counted inside this process."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client as InProcess
    from django.test.utils import CaptureQueriesContext

    # Lines of the requests would drown the figures.
    logging.getLogger("xuezheng").setLevel(logging.WARNING)
    client = InProcess(SERVER_NAME="127.0.0.1")
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of("registrar", words).partition("=")[2]
    found = {}
    for name, path in pages.items():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(path)
        found[name] = len(captured)
    return found


def run() -> bool:
    """Print p50, p95 and queries; whether every page holds its limit."""
    pages, words = _pages()
    print(f"people, one client, {ROUNDS} rounds, limit {LIMIT_MS} ms at p95")
    with serving() as port:
        good = measure(Client(port, session_of("registrar", words)), pages, ROUNDS, LIMIT_MS)
    queries = _queries(pages, words)
    print("  queries: " + ", ".join(f"{name.strip()} {n}" for name, n in queries.items()))
    first, last = (queries[name] for name in list(pages)[:2])
    if first != last:
        print(f"  the last page takes {last} queries, the first {first}")
    return good and first == last


def loading() -> bool:
    """Inventing and writing the people against the bare COPY of the same lines; whether fast enough."""
    from django.db import connection, transaction
    from django.utils import timezone

    from xuezheng.demo.load import SEED, read
    from xuezheng.registry.demo.load import Scale, tell_people
    from xuezheng.registry.demo.rows import write

    today: dt.date = timezone.localdate()
    spec = read("people")
    began = time.perf_counter()
    told = tell_people(spec, Scale.DISTRICT, random.Random(SEED), today)
    invented = time.perf_counter() - began
    tables = ", ".join(stream.table for stream in told.streams)
    # Ready bytes: what is left is the server's work with indexes, checks and the commit.
    ready = [(s.statement, [chunk for _n, chunk in s.chunks()]) for s in told.streams]

    def bare() -> None:
        with connection.cursor() as cursor:
            for statement, chunks in ready:
                with cursor.copy(statement) as copy:
                    for chunk in chunks:
                        copy.write(chunk)

    def timed(work) -> float:
        """Into empty tables, which the surrounding transaction fills again by rolling back."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {tables} CASCADE")
            start = time.perf_counter()
            work()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            taken = time.perf_counter() - start
            transaction.set_rollback(True)
        return taken

    ours = invented + timed(lambda: write(told.streams, lambda share: None))
    floor = timed(bare)
    share = floor / ours
    print(
        f"demo load: {told.rows:,} rows in {ours:.1f} s (inventing {invented:.1f} s),"
        f" bare COPY of the same lines {floor:.1f} s: {share:.0%} of its speed,"
        f" aim {LEAST_SHARE:.0%}; {told.rows / ours:,.0f} rows/s"
    )
    return share >= LEAST_SHARE

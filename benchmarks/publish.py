"""Freezing, allocating and publishing 5,000 children, against COPY of the rows that publishing writes.

Runs in one transaction under the web role and is rolled back.  The children are invented; each has the
school of its area and the one that it redirects to.
"""

import datetime as dt
import io
import time
from typing import Any

CHILDREN = 5_000
SCHOOLS = 40
#: table -> the rows of this run that publishing wrote.
WRITTEN = {
    "admissions_offer": "true",
    "cases_move": "step IN ('place', 'leave')",
    "cases_caseclock": "kind = 'arrival'",
    "audit_entry": "action IN ('application.place', 'application.leave')",
    "notices_notice": "key LIKE 'application.result.%'",
}
#: Publishing also moves cases and works out every reason and check; so many times the raw COPY is fair.
MOST_TIMES_COPY = 150
MOST_SECONDS = 20.0


def _season() -> tuple[Any, Any, Any]:
    """A season of verified children and its two officers."""
    from django.db import connection
    from django.utils import timezone

    from xuezheng.domains.admissions.models import (
        Application,
        Choice,
        Intake,
        RollEntry,
        Season,
    )
    from xuezheng.kernel.access.actors import StaffActor
    from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, Post, User
    from xuezheng.kernel.cases.models import Case, CaseClock

    now, today = timezone.now(), timezone.localdate()
    bureau = Organisation.objects.get(kind="bureau")
    actors = []
    for role in ("admissions_officer", "deputy"):
        user = User.objects.create_user(f"bench-{role}", "secret-word-1", name=role)
        Post.objects.create(
            user=user, organisation=bureau, role=role, title=role, valid_from=dt.date(2020, 1, 1)
        )
        actors.append(StaffActor(user))
    season = Season.objects.create(
        organisation=bureau, year=today.year + 7, level="primary", title="bench",
        state=Season.State.CHECKING,
    )  # fmt: skip
    schools = [
        Organisation.objects.create(code=f"BENCH{n:02d}", name=f"bench {n}", kind="primary")
        for n in range(SCHOOLS)
    ]
    OrganisationEdge.objects.bulk_create(
        OrganisationEdge(
            parent=bureau, child=school, kind=EdgeKind.AUTHORITY, valid_from=dt.date(2020, 1, 1)
        )
        for school in schools
    )
    intakes = Intake.objects.bulk_create(
        Intake(
            season=season, school=school, places=CHILDREN // SCHOOLS, mode="choice",
            draw_when_over=True,
        )
        for school in schools
    )  # fmt: skip
    applicants = User.objects.bulk_create(
        User(username=f"bench{n}", name="x", password="!") for n in range(CHILDREN)
    )
    entries = RollEntry.objects.bulk_create(
        RollEntry(
            season=season, code=f"B{n:09d}", name="x", initials="x", id_number=f"X{n}",
            born_on=dt.date(2020, 1, 1),
        )
        for n in range(CHILDREN)
    )  # fmt: skip
    cases = Case.objects.bulk_create(
        Case(
            number=f"RX{season.year}-{n:06d}", kind="application", title="x",
            organisation=schools[n % SCHOOLS], state="verified", phase="checking", opened_at=now,
        )
        for n in range(CHILDREN)
    )  # fmt: skip
    CaseClock.objects.bulk_create(
        CaseClock(case=case, kind="result", basis="x", started=today, due=today) for case in cases
    )
    rows = Application.objects.bulk_create(
        Application(
            case=cases[n], entry=entries[n], season=season, state="verified",
            applicant=applicants[n], child_name="x", born_on=dt.date(2020, 1, 1), sex="1",
            submitted_on=today, residence_permit=True,
        )
        for n in range(CHILDREN)
    )  # fmt: skip
    Choice.objects.bulk_create(
        Choice(application=row, intake=intakes[(n * 7 + step) % SCHOOLS], rank=step + 1)
        for n, row in enumerate(rows)
        for step in range(5)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return season, actors[0], actors[1]


def _copy_seconds() -> tuple[float, int]:
    """Seconds that PostgreSQL takes to COPY the written rows into tables of the same shape."""
    from django.db import connection

    seconds, count = 0.0, 0
    with connection.cursor() as cursor:
        for table, which in WRITTEN.items():
            text = io.BytesIO()
            with cursor.copy(f"COPY (SELECT * FROM {table} WHERE {which}) TO STDOUT") as source:
                for block in source:
                    text.write(block)
            cursor.execute(f"CREATE TEMP TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
            began = time.perf_counter()
            with cursor.copy(f"COPY bench_{table} FROM STDIN") as target:
                target.write(text.getvalue())
            seconds += time.perf_counter() - began
            count += text.getvalue().count(b"\n")
    return seconds, count


def run() -> bool:
    """Print the seconds of each step; False when publishing is slower than its limits."""
    from django.db import transaction
    from django.urls import reverse

    from xuezheng.domains.admissions.models import Season
    from xuezheng.domains.admissions.services import drawing, freezing, publishing
    from xuezheng.domains.admissions.services.allocating import allocate_season
    from xuezheng.kernel.access.fence import fenced

    steps: dict[str, float] = {}

    def timed(name: str, by: Any, call: Any) -> Any:
        began = time.perf_counter()
        with fenced(by=by):
            made = call()
        steps[name] = time.perf_counter() - began
        return made

    # A running program has read its addresses long ago.
    reverse("inbox")
    with transaction.atomic():
        season, officer, publisher = _season()
        frozen = timed("freeze", officer, lambda: freezing.freeze(season, by=officer))
        draw = drawing.commit(frozen, sources=[], by=officer)
        for place, digit in enumerate("314159"):
            drawing.enter_digit(draw, place=place, digit=digit, who="x", witnesses="x", by=officer)
        drawing.open_secret(draw, witnesses="x", by=officer)
        season = Season.objects.get(pk=season.pk)
        run_ = timed("allocate", officer, lambda: allocate_season(season, by=officer))
        timed("publish", publisher, lambda: publishing.publish(run_, by=publisher))
        floor, rows = _copy_seconds()
        transaction.set_rollback(True)
    times = steps["publish"] / floor
    print(f"publish: {CHILDREN:,} children, {rows:,} rows written; COPY of them {floor:.2f} s")
    print("  " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in steps.items()))
    print(f"  publish is {times:.1f} x COPY (limit {MOST_TIMES_COPY}), limit {MOST_SECONDS:.0f} s")
    return times <= MOST_TIMES_COPY and steps["publish"] <= MOST_SECONDS

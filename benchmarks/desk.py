"""Every page of the plan desk with five years behind it, against 200 ms; and the work of its nights.

A plan of 2,000 commitments, four more behind it, a report on each in every month.  Beside each list
stands what the least program would do: the rows of one page, read by psycopg in a statement of its own.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable

from benchmarks import desk_rows
from benchmarks.serving import Client, measure, percentile, serving, session_of

LIMIT_MS = 200
ROUNDS = 25
#: Seconds that a night's work, or an officer who waits for a draft, may take.
NIGHT_S, DRAFT_S, OPENING_S = 30.0, 5.0, 60.0
#: The rows of one page of the great lists, as bare as they can be asked for: name -> SQL with %(key)s.
PEERS = {
    "plan, page 1": "SELECT c.code, c.title, c.light, s.title, o.name FROM workplan_commitment c"
    " JOIN workplan_section s ON s.id = c.section_id"
    " JOIN access_organisation o ON o.id = c.lead_office_id WHERE c.plan_id = %(plan)s"
    " ORDER BY c.light_order, c.behind DESC LIMIT 20",
    "reports of a round": "SELECT k.number, r.text, c.title, o.name FROM workplan_roundreport r"
    " JOIN cases_case k ON k.id = r.case_id JOIN workplan_commitment c ON c.id = r.commitment_id"
    " JOIN access_organisation o ON o.id = k.organisation_id WHERE r.round_id = %(round)s"
    ' ORDER BY o."order", c."order" LIMIT 20',
    "overview of a round": "SELECT k.organisation_id, r.state, count(*) FROM workplan_roundreport r"
    " JOIN cases_case k ON k.id = r.case_id WHERE r.round_id = %(round)s GROUP BY 1, 2",
    "board": "SELECT section_id, light, count(*), sum(weight * progress), sum(weight * planned)"
    " FROM workplan_commitment WHERE plan_id = %(plan)s AND NOT withdrawn GROUP BY 1, 2",
}


def _pages() -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """Who -> what is measured -> address; and the keys that the bare statements take."""
    from xuezheng.domains.workplan.models import Commitment, Plan, RoundReport, Source, Supervision
    from xuezheng.kernel.indicators.models import Reading

    plan = Plan.objects.filter(status="adopted").latest("year")
    row = Commitment.objects.filter(plan=plan, targets__isnull=False).order_by("id")[1]
    current = plan.rounds.latest("ends_on")
    report = RoundReport.objects.filter(round=current, commitment=row).select_related("case").get()
    sheet = Supervision.objects.select_related("case").latest("case_id")
    source = Source.objects.latest("id")
    reading = Reading.objects.filter(
        organisation=plan.organisation, indicator="hazard_rectified_in_time"
    ).latest("as_of")
    at = f"/plans/{plan.id}/"
    reads = {
        "board": "/board/",
        "board, red": "/board/?light=red",
        "plan, page 1": at,
        "plan, last page": f"{at}?page=9999",
        "plan, one section": f"{at}?section={row.section_id}",
        "plan, one office": f"{at}?office={row.lead_office_id}",
        "plans": "/plans/",
        "one task": row.get_absolute_url(),
        "week": f"{at}week/",
        "rounds of a plan": f"{at}rounds/",
        "overview of a round": f"/rounds/{current.id}/",
        "reports of a round": f"/rounds/{current.id}/reports/",
        "reports, last page": f"/rounds/{current.id}/reports/?page=9999",
        "one report": f"/rounds/reports/{report.case.number}/",
        "sheets": "/supervision/",
        "one sheet": f"/supervision/{sheet.case.number}/",
        "sources": "/sources/",
        "one source": f"/sources/{source.id}/",
        "recurring reports": "/recurring/",
        "inbox": "/inbox/",
        "search": "/search/",
        "indicators": "/indicators/",
        "indicator": f"/indicators/{reading.indicator}/",
        "rows of an indicator": f"/readings/{reading.id}/",
    }
    pages = {
        "director": reads | {"leader's page": "/leader/", "drafts": "/drafts/"},
        "plan": {
            name: reads[name]
            for name in (
                "board",
                "plan, page 1",
                "one task",
                "reports of a round",
                "sheets",
                "inbox",
            )
        }
        | {
            "my rounds": "/rounds/mine/",
            "drafts": "/drafts/",
            "edit a task": f"{row.get_absolute_url()}edit/",
        },
        "office-basic": {name: reads[name] for name in ("board", "plan, page 1", "inbox", "sheets")}
        | {"my rounds": "/rounds/mine/"},
    }
    return pages, {"plan": plan.id, "round": current.id}


def _queries(who: str, pages: dict[str, str]) -> str:
    """Queries of each page, counted inside this process."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client as InProcess
    from django.test.utils import CaptureQueriesContext

    logging.getLogger("xuezheng").setLevel(logging.WARNING)
    client = InProcess(SERVER_NAME="127.0.0.1")
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(who).partition("=")[2]
    found = []
    for name, path in pages.items():
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        found.append(f"{name} {len(captured)}")
    return ", ".join(found)


def _bare(keys: dict[str, int]) -> None:
    """Print what psycopg alone takes for the rows of the great pages."""
    from django.db import connection

    for name, statement in PEERS.items():
        times = []
        with connection.cursor() as cursor:
            for _ in range(ROUNDS):
                began = time.perf_counter()
                cursor.execute(statement, keys)
                cursor.fetchall()
                times.append((time.perf_counter() - began) * 1000)
        print(f"  bare SQL of {name:<22} p50 {percentile(times, 0.5):6.1f} ms")


def _timed(name: str, limit: float, work: Callable[[], object]) -> bool:
    """Do the work and undo it; whether it took less than its limit (seconds)."""
    from django.db import transaction

    with transaction.atomic():
        began = time.perf_counter()
        said = work()
        taken = time.perf_counter() - began
        transaction.set_rollback(True)
    print(f"  {name:<34} {taken:6.1f} s of {limit:.0f} s ({said})")
    return taken < limit


def _nights(today: dt.date) -> bool:
    """Lights, opening a round, the yearly report, the digest's counting; each undone."""
    from xuezheng.domains.workplan.models import Draft, Plan, Round
    from xuezheng.domains.workplan.services import drafting, lights, rounds
    from xuezheng.kernel.access.actors import JobActor, StaffActor
    from xuezheng.kernel.access.models import User

    plan = Plan.objects.filter(status="adopted").select_related("organisation").latest("year")
    officer, job = StaffActor(User.objects.get(username="plan")), JobActor("bench")

    def opening() -> int:
        last = plan.rounds.latest("ends_on")
        row = Round.objects.create(
            plan=plan,
            months=1,
            starts_on=last.ends_on + dt.timedelta(days=1),
            ends_on=last.ends_on + dt.timedelta(days=31),
            opens_on=last.ends_on,
            closes_on=last.ends_on + dt.timedelta(days=40),
        )
        return rounds.open_round(row, by=job)

    def annual() -> object:
        begins = dt.date(plan.year, 1, 1)
        return drafting.make_draft(
            plan, kind=Draft.Kind.ANNUAL, begins=begins, ends=today, by=officer
        ).title

    works = [
        ("lights of a night", NIGHT_S, lambda: lights.refresh_lights(plan, today)),
        ("opening a round of 2,000", OPENING_S, opening),
        ("drafting the annual report", DRAFT_S, annual),
    ]
    return all([_timed(*work) for work in works])


def run() -> bool:
    """Print p50, p95 and queries of each page for each person, then the nights; whether all hold."""
    from django.utils import timezone

    from benchmarks import digest

    today = timezone.localdate()
    began = time.perf_counter()
    count = desk_rows.fill(today)
    print(f"desk: {count:,} rows of five years written in {time.perf_counter() - began:.1f} s")
    pages, keys = _pages()
    print(f"plan desk, one client, {ROUNDS} rounds, limit {LIMIT_MS} ms at p95")
    good = True
    with serving() as port:
        for who, theirs in pages.items():
            print(f"  -- {who}")
            good &= measure(Client(port, session_of(who)), theirs, ROUNDS, LIMIT_MS)
    for who, theirs in pages.items():
        print(f"  queries, {who}: {_queries(who, theirs)}")
    _bare(keys)
    good &= _nights(today)
    return digest.run() and good

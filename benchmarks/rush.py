"""The opening minute: families press the button at once.  Rate against pgbench, none lost, none double.

The web server runs as in service; everything shares the machine.  A submission is the signed-in POST of
the form's last page: session, CSRF, fence, draft, registration with case, clock, move, list, checks,
notice and trail, committed durably.  pgbench writes the same rows, before and after, with as many clients.
"""

import os
import re
import selectors
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from benchmarks.families import TOKEN, Family, prepare
from benchmarks.rush_cpu import spent
from benchmarks.serving import WORKERS, percentile, serving

SECONDS = 8
CLIENTS = 16
GATE, AIM = 0.15, 0.25
LIMIT_MS = 20
#: The minute: so many families, so many of whom tap twice, over so many connections.
FAMILIES, DOUBLES, CROWD = 5000, 500, 64


@dataclass
class Answer:
    """What came back for one press: milliseconds, HTTP status, where it leads."""

    family: Family
    ms: float
    status: int
    leads_to: str


@dataclass
class Slot:
    """One kept connection, with what it has sent and not yet had answered."""

    port: int
    wire: socket.socket = field(init=False)
    family: Family | None = None
    began: float = 0.0
    got: bytes = b""

    def __post_init__(self) -> None:
        self.wire = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def press(port: int, family: Family) -> bytes:
    """The request that the button sends."""
    body = f"csrfmiddlewaretoken={TOKEN}".encode()
    return (
        f"POST {address(family.draft)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Origin: http://127.0.0.1:{port}\r\nCookie: {family.cookie}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def address(draft: str) -> str:
    """The address of the button of a draft."""
    from django.urls import reverse

    return reverse("my_draft_submit", args=[draft])


def _whole(got: bytes) -> bool:
    head, blank, body = got.partition(b"\r\n\r\n")
    if not blank:
        return False
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return len(body) >= (int(length[1]) if length else 0)


def send(
    port: int, families: Iterable[Family], clients: int, seconds: float = 3600
) -> Iterator[Answer]:
    """Press for one family after the other on each connection, until the time is over.

    One process with all connections: a client of its own for each would take the processor from
    what is measured.
    """
    waiting = iter(families)
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as ready:

        def next_one(slot: Slot) -> bool:
            family = next(waiting, None) if time.monotonic() < until else None
            if family is None:
                ready.unregister(slot.wire)
                slot.wire.close()
                return False
            slot.family, slot.began, slot.got = family, time.perf_counter(), b""
            slot.wire.sendall(press(port, family))
            return True

        busy = 0
        for _n in range(clients):
            slot = Slot(port)
            ready.register(slot.wire, selectors.EVENT_READ, slot)
            busy += next_one(slot)
        while busy:
            for key, _events in ready.select():
                slot = key.data
                some = slot.wire.recv(65536)
                if not some:
                    raise RuntimeError("the server closed a connection")
                slot.got += some
                if _whole(slot.got):
                    yield _answer(slot)
                    busy -= not next_one(slot)


def _answer(slot: Slot) -> Answer:
    head = slot.got.partition(b"\r\n\r\n")[0].decode("latin-1")
    leads_to = re.search(r"(?i)location: (\S+)", head)
    return Answer(
        slot.family,
        (time.perf_counter() - slot.began) * 1000,
        int(head.split()[1]),
        leads_to[1] if leads_to else "",
    )


def _counted() -> int:
    from xuezheng.domains.admissions.models import Application

    return Application.objects.count()


#: Tables in the order of writing -> columns that differ from row to row (pgbench's variables).
SCRIPT = {
    "admissions_rollentry": {
        "id": None,
        "code": "left(md5(:client_id || 'c' || :n || ':run'), 12)",
        "id_number": "md5(:client_id || '-' || :n || ':run')",
    },
    "cases_case": {
        "id": None,
        "number": "'PG' || :client_id || '-' || :n || ':run'",
        "idempotency_key": "md5(:client_id || '-' || :n || ':run')::uuid",
    },
    "admissions_application": {"case_id": ":case_id", "entry_id": ":entry_id"},
    "cases_caseclock": {"id": None, "case_id": ":case_id"},
    "cases_move": {"id": None, "case_id": ":case_id"},
    "audit_entry": {
        "id": None,
        "transaction": "(pg_current_xact_id()::text)::numeric",
        "object_id": "'PG' || :client_id || '-' || :n || ':run'",
        "seal_id": "NULL",
    },
    "admissions_party": {"id": None, "application_id": ":case_id"},
    "admissions_choice": {"id": None, "application_id": ":case_id"},
    "admissions_check": {"id": None, "application_id": ":case_id"},
    "notices_notice": {"id": None, "key": "'pg.' || :client_id || '.' || :n || ':run'"},
}
#: How the rows of one registration are found.
ROWS = {
    "admissions_rollentry": "id = (SELECT entry_id FROM admissions_application WHERE case_id = {case})",
    "cases_case": "id = {case}",
    "audit_entry": "object_id = (SELECT number FROM cases_case WHERE id = {case})",
    "notices_notice": "key = 'application.submitted.{case}'",
    "cases_caseclock": "case_id = {case}",
    "cases_move": "case_id = {case}",
    "admissions_application": "case_id = {case}",
}


def script(case: int, run: str) -> tuple[str, int]:
    """pgbench's transaction: the rows of a real registration again; and how many statements it has.

    Each table's rows are one INSERT; keys and what must be unique are drawn anew.
    """
    from django.db import connection

    lines = [r"\set n :n + 1", "BEGIN;"]
    with connection.cursor() as cursor:
        for table, differing in SCRIPT.items():
            where = ROWS.get(table, "application_id = {case}").format(case=case)
            cursor.execute(f"SELECT * FROM {table} WHERE {where}")
            names = [column.name for column in cursor.description]
            kept = [name for name in names if differing.get(name, "") is not None]
            texts = ", ".join(f"quote_nullable({name}::text)" for name in kept)
            cursor.execute(f"SELECT {texts} FROM {table} WHERE {where}")
            rows = [
                "("
                + ", ".join(
                    differing.get(name, _plain(text)).replace(":run", run)
                    for name, text in zip(kept, row, strict=True)
                )
                + ")"
                for row in cursor.fetchall()
            ]
            insert = f"INSERT INTO {table} ({', '.join(kept)}) VALUES {', '.join(rows)}"
            if table == "admissions_rollentry":
                lines.append(f"{insert} RETURNING id AS entry_id \\gset")
            elif table == "cases_case":
                lines.append(f"{insert} RETURNING id AS case_id \\gset")
            else:
                lines.append(f"{insert};")
    lines += [
        "UPDATE admissions_rollentry SET outcome = 'registered' WHERE id = :entry_id;",
        f"DELETE FROM admissions_draft WHERE id = md5(:client_id || '-' || :n || '{run}')::uuid;",
        "COMMIT;",
    ]
    return "\n".join(lines) + "\n", len(lines) - 3


def _plain(literal: str) -> str:
    # In a sealed value, `v1:abc`, pgbench would see a variable.
    return re.sub(r":(?=[A-Za-z_])", ";", literal)


def _drafts(run: str, transactions: int) -> None:
    """Drafts for pgbench to delete, as the registration does."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO admissions_draft (id, season_id, user_id, answers, consented_at,"
            " consent_version, saved_at, version)"
            " SELECT md5(c || '-' || n || %s)::uuid, d.season_id, d.user_id, d.answers, now(), '1',"
            " now(), 1 FROM (SELECT * FROM admissions_draft LIMIT 1) d,"
            " generate_series(0, %s) c, generate_series(1, %s) n",
            [run, CLIENTS - 1, transactions // CLIENTS],
        )
        cursor.execute("ANALYZE admissions_draft")
    _settle()


def _settle() -> None:
    """Have written to disk what preparing left, which would hinder what is measured next."""
    import psycopg

    from xuezheng.config.postgres import Cluster

    superuser = Cluster().ensure_running().superuser()
    with psycopg.connect(superuser.conninfo(), autocommit=True) as other:
        other.execute("CHECKPOINT")


def pgbench(case: int, run: str) -> float:
    """Committed transactions a second of the same rows, prepared, with as many clients."""
    from django.db import connection
    from psycopg.conninfo import conninfo_to_dict

    from xuezheng.config.pg_tools import conninfo_of
    from xuezheng.config.postgres import tool

    text, _count = script(case, run)
    # Enough for any machine: what is not there costs less to delete, which would favour pgbench.
    _drafts(run, 4000 * SECONDS)
    connection.close()
    values = conninfo_to_dict(conninfo_of("owner"))
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            [
                *(str(tool("pgbench")), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"),
                *("-T", str(SECONDS), "-D", "n=0", "-f", file.name),
            ],
            env=os.environ
            | {
                "PGHOST": str(values["host"]),
                "PGPORT": str(values.get("port", "")),
                "PGUSER": str(values["user"]),
                "PGDATABASE": str(values["dbname"]),
                "PGPASSWORD": str(values.get("password", "")),
                "LC_ALL": "C",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return float(re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)[1])


def _rate(
    port: int, families: list[Family]
) -> tuple[float, list[float], Counter[int], dict[str, float]]:
    """(committed a second, milliseconds, statuses, ms of processor per registration by part)."""
    _settle()
    before, began = _counted(), time.monotonic()
    used = spent()
    answers = list(send(port, families, CLIENTS, SECONDS))
    taken = time.monotonic() - began
    after = spent()
    committed = _counted() - before
    if committed != len({answer.leads_to for answer in answers}):
        raise RuntimeError(f"{committed} kept, {len(answers)} answered")
    statuses = Counter(answer.status for answer in answers)
    cpu = {part: (after[part] - used[part]) * 1000 / committed for part in used}
    return committed / taken, [a.ms for a in answers], statuses, cpu


def _newest() -> int:
    from xuezheng.domains.admissions.models import Application

    return Application.objects.order_by("-pk").values_list("pk", flat=True)[0]


def rate(rounds: int = 3) -> bool:
    """Print registrations a second beside pgbench's, several times; whether the median holds the gate."""
    cores = len(os.sched_getaffinity(0))
    print(
        f"opening minute: {CLIENTS} clients, {SECONDS} s, {cores} cores for client, web ({WORKERS}"
        f" processes) and database; gate {GATE}, aim {AIM} of pgbench with p95 <= {LIMIT_MS} ms"
    )
    shares = []
    with serving() as port:
        list(send(port, prepare(300), CLIENTS))  # statements are prepared, caches are filled
        case = _newest()
        print(f"  the same rows in pgbench: {script(case, 'x')[1]} statements, prepared")
        for number in range(rounds):
            families = prepare(900 * SECONDS)
            first = pgbench(case, f"a{number}{os.getpid()}")
            per_second, times, statuses, cpu = _rate(port, families)
            second = pgbench(case, f"b{number}{os.getpid()}")
            shares.append(per_second / ((first + second) / 2))
            print(
                f"  {per_second:6.0f} committed/s  p50 {percentile(times, 0.5):5.1f}"
                f"  p95 {percentile(times, 0.95):5.1f}  p99 {percentile(times, 0.99):5.1f} ms"
                f"  pgbench {first:.0f} and {second:.0f}/s: {shares[-1]:.3f}"
                f"  (load {os.getloadavg()[0]:.1f}; answers {dict(statuses)})\n"
                f"         processor: {sum(cpu.values()):.1f} ms a registration,"
                f" {', '.join(f'{part} {ms:.1f}' for part, ms in cpu.items())}"
            )
    median = percentile(shares, 0.5)
    print(f"  median {median:.3f}, best {max(shares):.3f} of pgbench")
    return median >= GATE


def minute() -> bool:
    """5,000 families at once, every tenth of whom taps twice; whether none is lost and none is double."""
    with serving() as port:
        list(send(port, prepare(300), CLIENTS))
        families = prepare(FAMILIES)
        # The second tap follows the first at once: it runs into it on another connection.
        taps = [
            family
            for number, family in enumerate(families)
            for family in [family] * (1 + (number % (FAMILIES // DOUBLES) == 0))
        ]
        before, began = _counted(), time.monotonic()
        answers = list(send(port, taps, CROWD))
        taken = time.monotonic() - began
    kept = _counted() - before
    references: dict[str, set[str]] = {}
    for answer in answers:
        if answer.status == 302:
            references.setdefault(answer.family.draft, set()).add(answer.leads_to)
    lost = len(families) - len(references)
    double = sum(len(found) > 1 for found in references.values()) + max(0, kept - len(families))
    times = [answer.ms for answer in answers]
    print(
        f"  {len(families)} families, {len(taps) - len(families)} tapped twice, {CROWD} connections:"
        f" {taken:.1f} s, p50 {percentile(times, 0.5):.0f}, p95 {percentile(times, 0.95):.0f},"
        f" p99 {percentile(times, 0.99):.0f} ms; {kept} kept, {lost} lost, {double} double,"
        f" statuses {dict(Counter(answer.status for answer in answers))}"
    )
    return taken < 60 and not lost and not double and kept == len(families)

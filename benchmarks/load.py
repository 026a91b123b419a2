"""Signed-in people at work at the same time: requests a second and p95, with 4 and 16 clients.

Every client is a process of its own, so that the clients' interpreter is not what is measured; their
share of the processor is printed.  Pages and persons are mixed as on a working day; reads of children's
pages are noted in the trail, as in service.
"""

import json
import multiprocessing
import os
import random
import resource
import time

from benchmarks.serving import WORKERS, Client, percentile, serving, session_of

SECONDS = 8
LIMIT_MS = 1000
CLIENTS = (4, 16)
#: What the registrar searches by: handle -> words.
WORDS = {"initials": "wxh", "surname": "王"}


def _mix() -> dict[str, list[str]]:
    """User name -> the pages that the person goes through, more often the ones that stand twice."""
    from xuezheng.domains.workplan.models import Plan
    from xuezheng.kernel.access.models import Organisation
    from xuezheng.registry.models import Pupil

    own = Organisation.objects.get(code="991001")
    children = [
        f"/registry/pupils/{pk}/"
        for pk in Pupil.objects.filter(organisation=own).values_list("pk", flat=True)[:40]
    ]
    anybody = [
        f"/registry/pupils/{pk}/"
        for pk in Pupil.objects.filter(organisation__isnull=False)
        .order_by("id")
        .values_list("pk", flat=True)[:200]
    ]
    plan = Plan.objects.get()
    return {
        "school": ["/registry/pupils/", "/registry/pupils/?page=5", *children[:6], "/inbox/", "/hazards/", "/registry/classes/"],
        "registrar": ["/registry/pupils/", "/registry/pupils/?w=initials", "/registry/pupils/?w=surname", "/registry/sites/", *anybody[:8], "/registry/staff/"],
        "director": ["/board/", "/board/", f"/plans/{plan.pk}/", "/indicators/", "/registry/sites/", "/inbox/"],
        "office-basic": ["/inbox/", f"/plans/{plan.pk}/", "/board/"],
        "town": ["/hazards/", "/registry/sites/", "/inbox/"],
        "kindergarten": ["/registry/pupils/", "/inbox/", "/hazards/"],
    }  # fmt: skip


def _work(port: int, cookie: str, pages: list[str], seed: int, until: float, results) -> None:
    """One client: pages by chance, one after the other, until the time is over."""
    chance = random.Random(seed)
    client = Client(port, cookie)
    times, errors = [], 0
    while time.monotonic() < until:
        try:
            times.append(client.get(chance.choice(pages)))
        except (OSError, RuntimeError):
            errors += 1
            client = Client(port, cookie)
    used = resource.getrusage(resource.RUSAGE_SELF)
    results.put(json.dumps([times, errors, used.ru_utime + used.ru_stime]))


def _together(port: int, people: list[tuple[str, list[str]]], seconds: float) -> tuple:
    # Forked before they open anything: they share no connection with us.
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    until = time.monotonic() + seconds
    clients = [
        context.Process(target=_work, args=(port, cookie, pages, number, until, results))
        for number, (cookie, pages) in enumerate(people)
    ]
    for client in clients:
        client.start()
    answers = [json.loads(results.get(timeout=seconds + 120)) for _ in clients]
    for client in clients:
        client.join()
    times = [t for one, _errors, _cpu in answers for t in one]
    return times, sum(e for _t, e, _cpu in answers), sum(cpu for _t, _e, cpu in answers)


def run() -> bool:
    """Print requests a second and latencies for each number of clients; whether all is answered."""
    from django.db import connections

    mix = _mix()
    cores = len(os.sched_getaffinity(0))
    print(
        f"signed-in mix of {len(mix)} persons, {cores} cores for clients, web ({WORKERS} processes)"
        f" and database together, limit {LIMIT_MS} ms at p95 with {CLIENTS[-1]} clients"
    )
    good = True
    with serving() as port:
        for count in CLIENTS:
            names = list(mix)
            people = [
                (session_of(names[n % len(names)], WORDS), mix[names[n % len(names)]])
                for n in range(count)
            ]
            connections.close_all()
            _together(port, people, 2)
            times, errors, cpu = _together(port, people, SECONDS)
            p95 = percentile(times, 0.95)
            good &= errors == 0 and p95 < LIMIT_MS
            print(
                f"  {count:>2} clients {len(times) / SECONDS:6.0f} requests/s  p50"
                f" {percentile(times, 0.5):6.1f}  p95 {p95:6.1f} ms  errors {errors};"
                f" the clients took {cpu / SECONDS / cores:.0%} of the processors"
            )
    return good

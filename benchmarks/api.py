"""A portal's call against a family's own page of the same act, in turn, in one run.

Submit, status, look-up of an area, result: over a real socket on kept connections, one client, durable
commits.  The portal's registrations ask no register; the families' drafts hold the answers already.
"""

import http.client
import json
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlencode

from benchmarks.families import TOKEN, _addresses, _answers, prepare, season
from benchmarks.serving import percentile, serving, session_of

#: Fewer than the look-ups that one address has in an hour.
ROUNDS, WARM = 50, 5
LIMIT_MS = 200
#: A call has no words to lay out, so it takes no longer than a page.  But it is counted by the hour,
#: durably and in a transaction of its own, which a family's submission is not: there two commits stand
#: against one.
LIMIT_RATIO = {"submit": 2.0, "zone": 1.1, "status": 1.1, "result": 1.1}
BASE = "/api/v1/admissions"
#: Serials of children whom no other benchmark registers.
FIRST = 700_000


@dataclass(frozen=True)
class Call:
    """One request, and what it must answer."""

    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


def _timed(wire: http.client.HTTPConnection, call: Call) -> float:
    """Milliseconds until the whole answer has come.  Raises RuntimeError for another status."""
    began = time.perf_counter()
    wire.request(call.method, call.path, body=call.body or None, headers=call.headers)
    answer = wire.getresponse()
    text = answer.read()
    if answer.status != call.status:
        raise RuntimeError(f"{call.path} answered {answer.status}: {text[:200]!r}")
    return (time.perf_counter() - began) * 1000


def _form(port: int, path: str, cookie: str, given: dict, status: int = 200) -> Call:
    headers = {
        "Cookie": cookie,
        "Origin": f"http://127.0.0.1:{port}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Call("POST", path, urlencode(given | {"csrfmiddlewaretoken": TOKEN}), headers, status)


def _submitting(port: int, bearer: dict[str, str], count: int) -> list[tuple[Call, Call]]:
    from django.urls import reverse

    in_season = season()
    families, dwellings = prepare(count), _addresses(in_season.id, count)
    path = f"{BASE}/seasons/{in_season.id}/applications"
    pairs = []
    for number, (family, dwelling) in enumerate(zip(families, dwellings, strict=True)):
        data = _answers(FIRST + number, dwelling) | {"reference": f"B{number}"}
        del data["checks"]
        headers = bearer | {"Idempotency-Key": str(uuid.uuid4())}
        page = reverse("my_draft_submit", args=[family.draft])
        pairs.append(
            (
                Call("POST", path, json.dumps(data), headers, 201),
                _form(port, page, family.cookie, {}, 302),
            )
        )
    return pairs


def _looking_up(port: int, bearer: dict[str, str]) -> tuple[Call, Call]:
    from django.urls import reverse

    from xuezheng.domains.admissions.models import ZonePart

    in_season = season()
    part = ZonePart.objects.filter(zone__season=in_season).exclude(road="")
    part = part.select_related("community").order_by("id")[0]
    code = part.community.code
    body = json.dumps({"community": code, "road": part.road, "number": 7})
    given = {
        "season": in_season.id, "community": code, "was": code, "step": "address",
        "road": part.road, "number": 7,
    }  # fmt: skip
    page = _form(port, reverse("zone_lookup"), f"csrftoken={TOKEN}", given)
    return Call("POST", f"{BASE}/seasons/{in_season.id}/zones", body, bearer), page


def _reading(bearer: dict[str, str], client: str) -> dict[str, tuple[Call, Call]]:
    """Status and result of a placed child of the demo, for its family and for a portal that handed it in."""
    from django.urls import reverse

    from xuezheng.domains.admissions.models import Application

    placed = Application.objects.filter(state="placed", applicant__isnull=False)
    row = placed.select_related("case", "applicant").order_by("case_id").first()
    Application.objects.filter(pk=row.pk).update(client=f"{client}:1")
    own = f"{BASE}/applications/{row.case.number}"
    page = Call(
        "GET",
        reverse("my_application", args=[row.case.number]),
        headers={"Cookie": session_of(row.applicant.username)},
    )
    return {
        "status": (Call("GET", own, headers=bearer), page),
        "result": (Call("GET", f"{own}/result", headers=bearer), page),
    }


def run() -> bool:
    """Print p50 and p95 of call and page, and their ratio beside the limit; whether all hold."""
    from xuezheng.api.models import Scope, add_client
    from xuezheng.kernel.access.actors import JobActor

    _client, token = add_client(
        name="bench", scopes=list(Scope.values), days=1, by=JobActor("benchmarks")
    )
    bearer = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    print(
        f"machine interface against the page of the same act, in turn, {ROUNDS} rounds, limit"
        f" {LIMIT_MS} ms at p95"
    )
    good = True
    with serving() as port:
        acts = {"submit": _submitting(port, bearer, ROUNDS + WARM)}
        acts["zone"] = [_looking_up(port, bearer)] * (ROUNDS + WARM)
        for name, pair in _reading(bearer, "bench").items():
            acts[name] = [pair] * (ROUNDS + WARM)
        wires = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _side in range(2)]
        for name, pairs in acts.items():
            took = [[_timed(wire, call) for wire, call in zip(wires, pair, strict=True)]
                    for pair in pairs][WARM:]  # fmt: skip
            calls, pages = zip(*took, strict=True)
            p50, p95, page = (
                percentile(calls, 0.5), percentile(calls, 0.95), percentile(pages, 0.5)
            )  # fmt: skip
            good &= p95 < LIMIT_MS and p50 / page < LIMIT_RATIO[name]
            print(
                f"  {name:<8} call p50 {p50:6.1f}  p95 {p95:6.1f} ms   page p50 {page:6.1f} ms"
                f"   ratio {p50 / page:5.2f}"
                f" (limit {LIMIT_RATIO[name]})"
            )
    return good

"""The primary season from the frozen roll to the published result, by the rules of the real ones."""

import datetime as dt
import hashlib
import json
from collections import defaultdict
from typing import Any

from django.db import connection

from xuezheng.domains.admissions.allocation import Problem, allocate
from xuezheng.domains.admissions.demo.areas import Term, moment
from xuezheng.domains.admissions.demo.telling import Office
from xuezheng.domains.admissions.models import (
    Allocation,
    Choice,
    Draw,
    DrawStep,
    Freeze,
    Intake,
    Offer,
)
from xuezheng.domains.admissions.rules.draw import Tree, commitment, draw_numbers, seed
from xuezheng.domains.admissions.services.allocating import Reasons, input_of
from xuezheng.domains.admissions.services.freezing import Line, by_place, line_text
from xuezheng.domains.admissions.services.standing import stand
from xuezheng.registry.demo.rows import Stream, write

#: Days before the day of the demo.
FROZEN, DRAWN, ALLOCATED, PUBLISHED = 20, 18, 14, 12
DIGITS = "583017"
SOURCES = ["当日中国福利彩票双色球开奖号码", "抽签日前一交易日上证综指收盘点位"]
VALUES = ["03 08 14 21 27 30 + 11", "3318.76"]
STEPS = (
    ("commit", "公布密值承诺和公开值来源", "公证员、家长代表2人"),
    ("digits", "家长代表依次摸出六个数字：5、8、3、0、1、7", "家长代表6人"),
    ("public", "读取并公布两个公开值", "公证员"),
    ("open", "开启密封的密值，核对与承诺一致", "公证员、派驻纪检"),
    ("seed", "算出种子，排出全部登记代码的抽签号", "家长代表6人、公证员"),
)


def close(term: Term, office: Office, today: dt.date) -> Allocation:
    """Freeze, draw, allocate and publish a season whose registrations are verified."""
    season = term.season
    stand(season)
    lists = _lists(season.id)
    secret = hashlib.sha256(f"demo {season.year}".encode()).hexdigest()
    freeze = _freeze(season, lists, secret, office, today)
    draw = _draw(freeze, secret, office, today)
    given = _given(season, lists, draw)
    result = allocate(Problem.from_json(given))
    allocation = Allocation.objects.create(
        season=season, freeze=freeze, draw=draw, given=given, result=result.as_json(),
        sha256=result.sha256, made_by=office.officer.user,
        published_at=moment(today - dt.timedelta(days=PUBLISHED)),
        published_by=office.publisher.user,
    )  # fmt: skip
    made = moment(today - dt.timedelta(days=ALLOCATED), 15)
    Allocation.objects.filter(pk=allocation.pk).update(made_at=made)
    _offers(term, allocation, lists, today)
    _advance(term, allocation, office, today)
    return allocation


def _lists(season_id: int) -> dict[str, dict[str, Any]]:
    """Code -> application, and per school of its list in order the standing and the intake."""
    rows = (
        Choice.objects.filter(
            application__season=season_id, application__state="verified", standing__isnull=False
        )
        .order_by("application__entry__code", "rank")
        .values_list(
            "application_id", "application__entry__code", "intake_id", "intake__school__code",
            "standing__tier", "standing__code", "standing__order",
        )
    )  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    for application, code, intake, school, tier, name, order in rows:
        one = found.setdefault(code, {"application": application, "schools": {}})
        one["schools"][school] = (intake, tier, name, order)
    return found


def _freeze(season: Any, lists: dict, secret: str, office: Office, today: dt.date) -> Freeze:
    lines, orders = by_place(_lines(lists))
    texts = [
        line_text(line, hashlib.sha256(f"{secret}{line.code}".encode()).hexdigest()[:32])
        for line in lines
    ]
    freeze = Freeze.objects.create(
        season=season, root=Tree.of(texts).root, count=len(texts), orders=orders,
        frozen_at=moment(today - dt.timedelta(days=FROZEN), 16), frozen_by=office.officer.user,
    )  # fmt: skip
    leaves = Stream("admissions_leaf", ("freeze_id", "index", "application_id", "text"))
    leaves.columns = ("freeze_id", '"index"', "application_id", "text")
    for index, (one, text) in enumerate(zip(lists.values(), texts, strict=True)):
        leaves.add(freeze.id, index, one["application"], text)
    write([leaves], lambda share: None)
    return freeze


def _draw(freeze: Freeze, secret: str, office: Office, today: dt.date) -> Draw:
    day = today - dt.timedelta(days=DRAWN)
    draw = Draw.objects.create(
        freeze=freeze, state=Draw.State.DRAWN, commitment=commitment(secret), secret=secret,
        public_sources=SOURCES, public_values=VALUES, digits=DIGITS,
        seed=seed(freeze.root, DIGITS, VALUES, secret),
        committed_at=moment(day - dt.timedelta(days=1), 10), drawn_at=moment(day, 10),
    )  # fmt: skip
    steps = DrawStep.objects.bulk_create(
        DrawStep(draw=draw, kind=kind, text=text, witnesses=who, by=office.officer.user)
        for kind, text, who in STEPS
    )
    for minute, step in enumerate(steps):
        step.at = moment(day, 9, 10 + 8 * minute)
    DrawStep.objects.bulk_update(steps, ["at"])
    return draw


def _lines(lists: dict) -> list[Line]:
    """What stands in the frozen roll, as the real one writes it."""
    return [
        Line(code, {s: ((row[1], *row[3]), row[2]) for s, row in one["schools"].items()}, None)
        for code, one in lists.items()
    ]


def _given(season: Any, lists: dict, draw: Draw) -> dict[str, Any]:
    intakes = Intake.objects.filter(season=season).order_by("school__code")
    places = dict(intakes.values_list("school__code", "places"))
    numbers = draw_numbers(draw.seed, lists)
    lines, orders = by_place(_lines(lists))
    return input_of(season.mechanism, lines, numbers, places) | {"orders": orders}


def _offers(term: Term, allocation: Allocation, lists: dict, today: dt.date) -> None:
    """What the result says to each child; the private school's are confirmed, some declined."""
    result, reasons = allocation.result, Reasons(allocation)
    private = term.intakes[term.private].id if term.private in term.intakes else None
    answered = moment(today - dt.timedelta(days=PUBLISHED - 2), 19)
    stream = Stream(
        "admissions_offer",
        (
            "allocation_id",
            "application_id",
            "intake_id",
            "reason",
            "respond_by",
            "answer",
            "answered_at",
        ),
    )
    for code, school in result["assignments"].items():
        one = lists[code]
        intake = one["schools"][school][0] if school else None
        confirms = intake is not None and intake == private
        stream.add(
            allocation.id, one["application"], intake, json.dumps(reasons.of(code)),
            term.season.confirm_until if confirms else None,
            "confirmed" if confirms else "", answered if confirms else None,
        )  # fmt: skip
    write([stream], lambda share: None)


def _advance(term: Term, allocation: Allocation, office: Office, today: dt.date) -> None:
    """Every case goes to the school that placed its child; who has no place waits for one."""
    at = allocation.published_at
    day = today - dt.timedelta(days=PUBLISHED)
    publisher = office.publisher
    offers = Offer.objects.filter(allocation=allocation).values_list(
        "application_id", "intake__school_id"
    )
    moves = Stream(
        "cases_move",
        ("case_id", "at", "step", "source", "target", "user_id", "post_id", "note", "bars_next"),
    )
    clocks = Stream("cases_caseclock", ("case_id", "kind", "basis", "started", "due", "stopped"))
    by_school: dict[int | None, list[int]] = defaultdict(list)
    for case_id, school in offers:
        step, target = ("place", "placed") if school else ("leave", "unplaced")
        moves.add(case_id, at, step, "verified", target, publisher.user_id, publisher.id, "", "f")
        if school:
            arrival = term.season.arrival_on
            clocks.add(case_id, "arrival", "按招生日程报到", day, arrival, None)
        else:
            until = day + dt.timedelta(days=20)
            clocks.add(case_id, "result", "统筹安排", day, until, None)
        by_school[school].append(case_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_caseclock SET stopped = %s WHERE stopped IS NULL AND case_id IN"
            " (SELECT application_id FROM admissions_offer WHERE allocation_id = %s)",
            [day, allocation.id],
        )
    write([moves, clocks], lambda share: None)
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, {"allocation": allocation.id, "arrival": term.season.arrival_on,
                                "wait": day + dt.timedelta(days=20)})  # fmt: skip
        cursor.execute(_STATES, [allocation.id])


_PLACE = """
UPDATE cases_case c SET
    state = CASE WHEN i.id IS NULL THEN 'unplaced' ELSE 'placed' END,
    phase = CASE WHEN i.id IS NULL THEN 'checking' ELSE 'acting' END,
    awaits = CASE WHEN i.id IS NULL THEN '' ELSE 'admissions.school' END,
    due = CASE WHEN i.id IS NULL THEN %(wait)s::date ELSE %(arrival)s::date END,
    organisation_id = COALESCE(i.school_id, c.organisation_id),
    version = c.version + 1
FROM admissions_offer o LEFT JOIN admissions_intake i ON i.id = o.intake_id
WHERE o.allocation_id = %(allocation)s AND c.id = o.application_id
"""
_STATES = """
UPDATE admissions_application a SET state = c.state
FROM admissions_offer o JOIN cases_case c ON c.id = o.application_id
WHERE o.allocation_id = %s AND a.case_id = o.application_id
"""

"""What the records say about the offices in a quarter, and what the pages of scores read."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, Min, OuterRef
from django.utils import timezone

from xuezheng.domains.workplan.models import (
    POINT_KINDS,
    Closing,
    Commitment,
    Milestone,
    RoundReport,
    ScoreLine,
    ScoreSheet,
    Supervision,
)
from xuezheng.domains.workplan.rules import Level
from xuezheng.domains.workplan.scoring_rules import (
    PointKind,
    Rule,
    is_ahead,
    is_late,
    quarter_days,
    sums,
)
from xuezheng.kernel.access.models import Organisation, Post
from xuezheng.kernel.access.scope import below
from xuezheng.kernel.cases.models import Attachment, Move
from xuezheng.kernel.reference.calendar import add_working_days, calendar_exceptions
from xuezheng.kernel.reference.parameters import settings_on
from xuezheng.registry import roles
from xuezheng.registry.organisations import OrganisationKind


@dataclass(frozen=True)
class Found:
    """An event that the records show: whose, of which kind, how many points, and its record."""

    office_id: int
    kind: str
    points: int
    on: dt.date
    title: str
    origin: str
    source_id: int
    made_by_id: int | None = None


def scored_offices(sheet: ScoreSheet) -> list[Organisation]:
    """The bureau's own offices at the quarter's end, in the order in which its plan names them first.

    Only organisations of kind office: schools, towns and outside units are never scored.
    """
    last = quarter_days(sheet.year, sheet.quarter)[1]
    reached = below({sheet.bureau_id}, last)[sheet.bureau_id]
    offices = Organisation.objects.filter(id__in=reached, kind=OrganisationKind.OFFICE)
    led = Commitment.objects.live().filter(
        plan__organisation=sheet.bureau_id, plan__year=sheet.year, lead_office__in=offices
    )
    firsts = dict(
        led.order_by()
        .values("lead_office")
        .annotate(first=Min("order"))
        .values_list("lead_office", "first")
    )
    behind = max(firsts.values(), default=0) + 1
    return sorted(offices, key=lambda o: (firsts.get(o.id, behind), o.order, o.code))


def found_events(
    sheet: ScoreSheet, offices: Iterable[Organisation], rules: dict[str, Rule]
) -> list[Found]:
    """The events of a quarter from the records, for these offices (a constant number of queries).

    Boundary days: the quarter's first and last day belong to it; done on the due day is in time.
    """
    first, last = quarter_days(sheet.year, sheet.quarter)
    ids = [office.id for office in offices]
    found = [
        *_milestones(sheet, ids, first, last),
        *_reports(ids, first, last),
        *_returns(ids, first, last),
        *_raised(sheet, ids, first, last),
        *_closings(ids, first, last),
    ]
    return [
        Found(office, kind, rules[kind].points, on, title, f"{kind}:{source}{more}", source, user)
        for office, kind, on, title, source, more, user in found
        if rules[kind].points
    ]


def _milestones(sheet: ScoreSheet, ids: list[int], first: dt.date, last: dt.date) -> Iterable:
    days = int(sheet.rules["ahead_days"])
    rows = Milestone.objects.live().exclude(state="draft").filter(case__organisation__in=ids)
    for row in rows.filter(due_on__range=(first, last)).select_related("case"):
        if is_late(row.due_on, row.done_on):
            yield _found(row, PointKind.MILESTONE_LATE, row.due_on, row.title)
    for row in rows.filter(state="accepted", done_on__range=(first, last)).select_related("case"):
        if is_ahead(row.due_on, row.done_on, days):
            yield _found(row, PointKind.AHEAD, row.done_on, row.title)


def _reports(ids: list[int], first: dt.date, last: dt.date) -> Iterable:
    rows = RoundReport.objects.filter(
        case__organisation__in=ids, round__closes_on__range=(first, last)
    )
    for row in rows.late(timezone.localdate()).select_related("case", "round"):
        yield _found(row, PointKind.REPORT_LATE, row.round.closes_on, row.case.title)


def _returns(ids: list[int], first: dt.date, last: dt.date) -> Iterable:
    rows = Move.objects.filter(
        case__organisation__in=ids,
        case__kind__in=("milestone", "round_report"),
        step="return",
        at__date__range=(first, last),
    )
    for row in rows.select_related("case"):
        case = row.case
        day = timezone.localdate(row.at)
        more = f":{row.id}"
        yield case.organisation_id, PointKind.RETURNED, day, case.title, case.id, more, row.user_id


def _raised(sheet: ScoreSheet, ids: list[int], first: dt.date, last: dt.date) -> Iterable:
    """Sheets at the director's level that were unanswered on the day on which they rise there."""
    rows = Supervision.objects.filter(
        case__organisation__in=ids, issuer=sheet.bureau_id, level=Level.DIRECTOR, due_on__lte=last
    ).exclude(state__in=("proposed", "dismissed"))
    settings = settings_on(last, "workplan.supervision", sheet.bureau.code)
    after = int(settings["director_after"].value)
    span = dt.timedelta(days=after * 2 + 30)
    exceptions = calendar_exceptions(first - span, last + span)
    for row in rows.filter(due_on__gte=first - span).select_related("case"):
        rose = add_working_days(row.due_on, after, exceptions)
        if first <= rose <= last and (row.replied_on is None or row.replied_on >= rose):
            yield _found(row, PointKind.RAISED, rose, row.case.title)


def _closings(ids: list[int], first: dt.date, last: dt.date) -> Iterable:
    rows = Closing.objects.filter(
        Exists(Attachment.objects.filter(case=OuterRef("pk"))),
        case__organisation__in=ids,
        state="closed",
        case__closed_at__date__range=(first, last),
    )
    for row in rows.select_related("case"):
        yield _found(row, PointKind.CLOSED, timezone.localdate(row.case.closed_at), row.case.title)


def _found(row, kind: str, on: dt.date, title: str) -> tuple:
    return row.case.organisation_id, kind, on, title, row.case.id, "", None


def staff_of(office_ids: Iterable[int]) -> set[int]:
    """User ids of heads and officers of the offices today."""
    held = Post.objects.current(timezone.localdate()).filter(
        organisation__in=list(office_ids), role__in=(roles.OFFICE_HEAD, roles.OFFICER)
    )
    return set(held.values_list("user_id", flat=True))


@dataclass(frozen=True)
class Cell:
    """Points of one kind in an office's line, after the cap."""

    kind: str
    label: str
    points: int
    events: int


@dataclass(frozen=True)
class Row:
    """A line of the matrix with a cell for every kind; `rank` only where the bureau ranks."""

    line: ScoreLine
    cells: list[Cell]
    rank: int | None


def matrix(sheet: ScoreSheet, lines: Iterable[ScoreLine], rules: dict[str, Rule]) -> list[Row]:
    """Lines in the plan's order, or by score where the sheet ranks.  Events must be prefetched."""
    rows = list(lines)
    ranked = bool(sheet.rules.get("ranked"))
    if ranked:
        rows.sort(key=lambda line: (-line.total, line.order))
    totals = [line.total for line in rows]
    found = []
    for line in rows:
        events = list(line.events.all())
        standing = [(e.kind, e.points) for e in events if not e.struck and not e.pending]
        points = sums(standing, rules)
        cells = [
            Cell(kind, label, points.get(kind, 0), sum(e.kind == kind for e in events))
            for kind, label in POINT_KINDS
        ]
        found.append(Row(line, cells, totals.index(line.total) + 1 if ranked else None))
    return found

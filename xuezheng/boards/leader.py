"""What a leader sees on a phone: what waits for their word, which tasks are red, where to write a note."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission as PlanPermission
from xuezheng.domains.workplan.models import (
    Closing,
    Commitment,
    Extension,
    Plan,
    RoundReport,
    Source,
    SourceKind,
    Supervision,
)
from xuezheng.domains.workplan.round_selectors import owed_reports
from xuezheng.domains.workplan.rules import Light
from xuezheng.domains.workplan.services import carrying, closing, rounds, supervising
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.cases.flows import FLOWS, Flow
from xuezheng.kernel.cases.models import Case

#: A kind of which more wait is one line that leads to the inbox: thousands of places wait for one act.
OF_A_KIND = 10
#: How many are shown; the plan has all.
RED_SHOWN = 10
#: So many reports are signed at once; what is left is shown next.
SIGNED_AT_ONCE = 30
NOTES_SHOWN = 5


@dataclass(frozen=True)
class Decider:
    """How a kind of case is decided in place: where its rows are, what they ask for, and the service.

    `decide` takes the row and granted, note, version, by; `asks` says in words what is asked.
    """

    rows: Callable[[], Any]
    asks: Callable[[Any], str]
    decide: Callable[..., Any]


def _extension_asks(row: Extension) -> str:
    return _("期限 %(old)s → %(new)s。%(reason)s") % {
        "old": row.old_due.isoformat(),
        "new": row.new_due.isoformat(),
        "reason": row.reason,
    }


def _sheet_asks(row: Supervision) -> str:
    return _("期限 %(old)s → %(new)s。%(reason)s") % {
        "old": row.due_on.isoformat(),
        "new": row.asked_due.isoformat(),
        "reason": row.demand,
    }


def _close(row: Closing, *, granted: bool, note: str, version: int, by: Actor) -> None:
    verb = closing.approve_closing if granted else closing.decline_closing
    verb(row, note=note, version=version, by=by)


def _sign(row: RoundReport, *, granted: bool, note: str, version: int, by: Actor) -> None:
    verb = rounds.sign_report if granted else rounds.object_to_report
    verb(row, note=note, version=version, by=by)


#: Kind of case -> how it is decided on the leader's page; others open their own page.
DECIDERS = {
    "extension": Decider(
        lambda: Extension.objects.select_related(
            "case", "milestone__case", "milestone__commitment"
        ),
        _extension_asks,
        carrying.decide_extension,
    ),
    "closing": Decider(
        lambda: Closing.objects.select_related("case", "commitment"),
        lambda row: row.statement,
        _close,
    ),
    "supervision": Decider(
        lambda: Supervision.objects.select_related("case", "commitment"),
        _sheet_asks,
        supervising.decide_more_time,
    ),
    "round_report": Decider(
        lambda: RoundReport.objects.select_related("case", "round", "commitment__leader"),
        lambda row: row.text,
        _sign,
    ),
}


@dataclass(frozen=True)
class Item:
    """A case that waits.  `asks`: what is asked, when it is decided in place; else ""."""

    case: Case
    asks: str


def waiting(actor: Actor) -> tuple[list[Item], list[tuple[Flow, int]]]:
    """What the leader owes, the most pressing first; and the kinds of which too many wait to be listed."""
    owed = Case.objects.owed_by(actor).exclude(kind="round_report", awaits=PlanPermission.SIGN)
    counts = dict(owed.order_by().values_list("kind").annotate(n=Count("id")))
    many = {kind: number for kind, number in counts.items() if number > OF_A_KIND}
    cases = list(owed.exclude(kind__in=many).select_related("organisation").order_by("due", "id"))
    asks: dict[int, str] = {}
    for kind, decider in DECIDERS.items():
        ids = [case.id for case in cases if case.kind == kind and _decides(case)]
        if ids:
            asks |= {row.pk: decider.asks(row) for row in decider.rows().filter(pk__in=ids)}
    # What is decided here stands above what only leads elsewhere.
    items = [Item(case, asks.get(case.id, "")) for case in cases]
    items.sort(key=lambda item: not item.asks)
    return items, [(FLOWS[kind], number) for kind, number in sorted(many.items())]


def to_sign(actor: Actor) -> tuple[list[RoundReport], int]:
    """Reports of rounds that wait for the leader's signature, in the plan's order; and how many in all."""
    rows = owed_reports(actor).filter(state="confirmed")
    shown = rows.order_by("round__ends_on", "commitment__order")[:SIGNED_AT_ONCE]
    return list(shown), rows.count()


def sign_together(numbers: list[str], *, by: Actor) -> rounds.Taken:
    """Sign the reports with these case numbers, of those that wait for this leader; none: all shown.

    Raises PermissionDenied, OutOfScope.
    """
    rows = owed_reports(by).filter(state="confirmed")
    if numbers:
        rows = rows.filter(case__number__in=numbers)
    ordered = rows.order_by("round__ends_on", "commitment__order")
    return rounds.take_together("sign", ordered[:SIGNED_AT_ONCE], by=by)


def _decides(case: Case) -> bool:
    return case.awaits == PlanPermission.DECIDE


def red(plan: Plan | None) -> list[Commitment]:
    """The red tasks of a plan, the farthest behind first."""
    if plan is None:
        return []
    rows = plan.commitments.live().filter(light=Light.RED)
    return list(
        rows.select_related("lead_office", "leader").order_by("-behind", "order")[:RED_SHOWN]
    )


def notes(actor: Actor) -> list[Source]:
    """The leader's own last notes."""
    own = Source.objects.visible_to(actor).filter(kind=SourceKind.NOTE, noted_by=actor.user)
    own = own.select_related("file")
    return list(own.order_by("-registered_at", "-id")[:NOTES_SHOWN])


def decide(case: Case, *, granted: bool, note: str, version: int, by: Actor) -> None:
    """Decide a case in place.  Raises KeyError for a kind that is not decided here, and what its
    service raises."""
    decider = DECIDERS[case.kind]
    row = decider.rows().get(pk=case.pk)
    decider.decide(row, granted=granted, note=note, version=version, by=by)

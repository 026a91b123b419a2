"""Children of age whom nobody registered, or who did not arrive: followed to an outcome.

《义务教育法》 art. 11 and 13: every child of age enters school, and the township sees to it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import FOLLOW_UP
from xuezheng.domains.admissions.models import FollowUp, RollEntry, Season
from xuezheng.domains.admissions.rules.ages import Level, birth_span
from xuezheng.domains.admissions.selectors import admission_settings, working_days
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Phase, Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case

UNREGISTERED, ABSENT = "unregistered", "absent"
#: Opened in one go at most, so that a click ends within seconds.
AT_ONCE = 300
#: Outcomes that a town may report; registration settles a follow-up by itself.
REPORTABLE = (
    RollEntry.Outcome.ELSEWHERE,
    RollEntry.Outcome.DEFERRED,
    RollEntry.Outcome.HOME,
    RollEntry.Outcome.SPECIAL,
    RollEntry.Outcome.UNTRACEABLE,
)


def unregistered(season: Season) -> QuerySet[RollEntry]:
    """Entries of age without an outcome and without an open follow-up."""
    rows = RollEntry.objects.filter(season=season, outcome=RollEntry.Outcome.OPEN)
    span = birth_span(Level(season.level), season.year)
    if span:
        rows = rows.filter(born_on__lte=span[1])
    followed = FollowUp.objects.exclude(case__phase=Phase.CLOSED).values("entry")
    return rows.exclude(id__in=followed)


@transaction.atomic
def open_follow_ups(
    *, season: Season, entry_ids: Iterable[int] | None = None, by: Actor
) -> tuple[int, int]:
    """Hand every unregistered child of age to its town; gives (opened, still waiting).

    `entry_ids` narrows; at most AT_ONCE are opened.  A child whose town is unknown stays with the bureau.
    Raises PermissionDenied, OutOfScope.
    """
    by.post_for(Permission.ROLL, season.organisation_id)
    rows = unregistered(season)
    if entry_ids is not None:
        rows = rows.filter(id__in=list(entry_ids))
    waiting = rows.count()
    entries = list(rows.order_by("code").select_for_update()[:AT_ONCE])
    term = _contact_term(season, timezone.localdate())
    for entry in entries:
        _open(entry, UNREGISTERED, entry.town_id or season.organisation_id, term, by=by)
    return len(entries), waiting - len(entries)


def open_absent(entry: RollEntry, *, school_id: int | None = None, by: Actor) -> FollowUp:
    """A child did not arrive on the day: its town follows up.  The school (SCHOOL) reports it.

    `school_id`: the school that had a place for the child, where that is not the one of its area.  The
    open follow-up of the child is given back where there is one.
    """
    school_id = school_id or entry.school_id
    by.post_for(Permission.SCHOOL, school_id or entry.season.organisation_id)
    held = FollowUp.objects.filter(entry=entry).exclude(case__phase=Phase.CLOSED).first()
    if held:
        return held
    record(
        "enrolment_follow_up.absent",
        by=by,
        organisation_id=school_id,
        object_type="roll",
        object_id=entry.code,
    )
    # The school reports, the roll keeper's office opens: no school holds ROLL.
    return _open(
        entry,
        ABSENT,
        entry.town_id or entry.season.organisation_id,
        _contact_term(entry.season, timezone.localdate()),
        by=JobActor("admissions.arrival"),
    )


def _open(entry: RollEntry, cause: str, organisation_id: int, term: Term, *, by: Actor) -> FollowUp:
    title = _("适龄儿童未登记") if cause == UNREGISTERED else _("录取后未报到")
    row, _is_new = open_case(
        FOLLOW_UP,
        FollowUp,
        organisation_id=organisation_id,
        title=title,
        by=by,
        terms={"contact": term},
        fields={"entry": entry, "cause": cause},
    )
    return row


def _contact_term(season: Season, day: dt.date) -> Term:
    settings = admission_settings(day, authority_code(season.organisation_id, day))
    basis = _("交办后%(days)d个工作日内联系核实") % {"days": settings["contact_days"].value}
    return Term(working_days(settings, "contact_days", day), basis)


def report(
    follow_up: FollowUp,
    *,
    outcome: str,
    proof: str,
    note: str,
    uploads: Sequence[UploadedFile] = (),
    version: int,
    by: Actor,
) -> Move:
    """The town says what became of the child.  Elsewhere needs proof: words that name it, or a file.

    Raises StepRefused, and what `advance` raises.
    """
    if outcome not in REPORTABLE:
        raise StepRefused(_("没有这种去向。"))
    if outcome == RollEntry.Outcome.ELSEWHERE and not (proof.strip() or uploads):
        raise StepRefused(_("在外地就读须有证明：写明学校和学籍证明，或上传证明。"))
    return advance(
        follow_up,
        "report",
        by=by,
        version=version,
        note=note,
        uploads=uploads,
        fields={"outcome": outcome, "proof": proof.strip()},
    )


def send_back(follow_up: FollowUp, *, note: str, version: int, by: Actor) -> Move:
    """The report does not convince: the town looks again, with a new term."""
    term = _contact_term(follow_up.entry.season, timezone.localdate())
    return advance(
        follow_up,
        "return",
        by=by,
        version=version,
        note=note,
        terms={"contact": term},
        fields={"outcome": "", "proof": ""},
    )


@transaction.atomic
def settle(follow_up: FollowUp, *, note: str = "", version: int, by: Actor) -> Move:
    """Accept the reported outcome, by another person; it stands on the roll from today.

    "Untraceable" is told to the street formally: the page offers the letter.
    """
    move = advance(follow_up, "settle", by=by, version=version, note=note)
    RollEntry.objects.filter(id=follow_up.entry_id).exclude(
        outcome=RollEntry.Outcome.REGISTERED
    ).update(outcome=follow_up.outcome, outcome_on=timezone.localdate())
    return move


def close_registered(*, by: Actor, entry_ids: Iterable[int] | None = None) -> int:
    """Close the open follow-ups of children who have an outcome by now; gives how many.

    A job does so every few minutes, so that registering in the rush costs no statement more.
    """
    rows = (
        FollowUp.objects.exclude(case__phase=Phase.CLOSED)
        .filter(cause=UNREGISTERED)
        .exclude(entry__outcome=RollEntry.Outcome.OPEN)
    )
    if entry_ids is not None:
        rows = rows.filter(entry__in=list(entry_ids))
    count = 0
    for follow_up in rows.select_related("case", "entry").order_by("pk")[:2000]:
        advance(follow_up, "registered", by=by, fields={"outcome": follow_up.entry.outcome})
        count += 1
    return count

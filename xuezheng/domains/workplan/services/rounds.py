"""Rounds of reports: planning the year's, opening one, what offices, leaders and the plan office do."""

import calendar
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import ROUND
from xuezheng.domains.workplan.models import Milestone, Plan, Round, RoundReport, Target
from xuezheng.domains.workplan.selectors import people, plan_readings
from xuezheng.domains.workplan.services.acting import acting_for, right_handler
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Post
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case, urge
from xuezheng.kernel.notices.services import notify
from xuezheng.kernel.reference.calendar import due_after
from xuezheng.kernel.reference.parameters import settings_on
from xuezheng.registry import roles

#: Longest text of a report, in characters.
LONGEST_TEXT = 2000


def periods(year: int, months: int) -> list[tuple[dt.date, dt.date]]:
    """First and last day of each month (1) or quarter (3) of a year."""
    return [
        (
            dt.date(year, last - months + 1, 1),
            dt.date(year, last, calendar.monthrange(year, last)[1]),
        )
        for last in range(months, 13, months)
    ]


def plan_rounds(plan: Plan, *, months: int, since: dt.date | None = None, by: Actor) -> list[Round]:
    """Make the rounds of the plan's year whose last day is not past on `since` (today).

    Rounds that have not opened are made anew, so that the rhythm may change within a year.  Raises
    PermissionDenied, OutOfScope, StepRefused for a plan that is not being carried out, or when the
    year has no period left.
    """
    plan = (
        Plan.objects.select_for_update(of=("self",)).select_related("organisation").get(id=plan.id)
    )
    post = by.post_for(Permission.EDIT, plan.organisation_id)
    if plan.status != Plan.Status.ADOPTED:
        raise StepRefused(_("只有执行中的计划可以安排填报轮次。"))
    since = since or timezone.localdate()
    terms = settings_on(since, "workplan.round", plan.organisation.code)
    plan.rounds.filter(opened_at__isnull=True).delete()
    opened = set(plan.rounds.values_list("ends_on", flat=True))
    rows = []
    for starts_on, ends_on in periods(plan.year, months):
        closes_on = due_after(ends_on, int(terms["close_days"].value))
        if closes_on < since or ends_on in opened:
            continue
        rows.append(
            Round(
                plan=plan,
                months=months,
                starts_on=starts_on,
                ends_on=ends_on,
                opens_on=ends_on - dt.timedelta(days=int(terms["open_days"].value)),
                closes_on=closes_on,
            )
        )
    if not rows:
        raise StepRefused(_("本年度已没有可安排的填报期。"))
    Round.objects.bulk_create(rows)
    record(
        "round.plan",
        by=by,
        post=post,
        organisation_id=plan.organisation_id,
        object_type="plan",
        object_id=plan.id,
        detail={"months": months, "rounds": len(rows)},
    )
    return rows


@transaction.atomic
def open_round(row: Round, *, by: Actor) -> int:
    """Give every lead office its reports; ends the rounds before.  Returns the number of reports.

    Each is filled beforehand: last round's text, readings of its indicators, states of its
    milestones.  Ten statements for a report.  Raises StepRefused when it is open already.
    """
    row = Round.objects.select_for_update(of=("self",)).select_related("plan").get(id=row.id)
    plan = row.plan
    post = by.post_for(Permission.EDIT, plan.organisation_id)
    if row.opened_at or plan.status != Plan.Status.ADOPTED:
        raise StepRefused(_("这一轮已经开始，或计划不在执行中。"))
    for earlier in plan.rounds.open().exclude(id=row.id):
        close_round(earlier, by=by)
    due = [
        c
        for c in plan.commitments.live()
        .filter(lead_office__isnull=False, accepted_on__isnull=True)
        .select_related("handler", "lead_office")
        if c.start_on is None or c.start_on <= row.ends_on
    ]
    carried = last_texts(plan)
    figures = _figures(plan, [c.id for c in due])
    basis = _("%s进展填报截止") % row.label
    for commitment in due:
        open_case(
            ROUND,
            RoundReport,
            organisation_id=commitment.lead_office_id,
            title=_("%(round)s进展：%(task)s") % {"round": row.label, "task": commitment.title},
            by=by,
            terms={"round": Term(row.closes_on, basis)},
            handler=right_handler("filling", commitment),
            fields={
                "round": row,
                "commitment": commitment,
                "light": commitment.light,
                "cause": commitment.cause,
                "carried": carried.get(commitment.id, ""),
                "figures": figures.get(commitment.id, []),
            },
        )
    row.opened_at = timezone.now()
    row.save(update_fields=["opened_at"])
    _tell_offices(row, {c.lead_office_id for c in due})
    record(
        "round.open",
        by=by,
        post=post,
        organisation_id=plan.organisation_id,
        object_type="round",
        object_id=row.id,
        detail={"reports": len(due)},
    )
    return len(due)


def _tell_offices(row: Round, office_ids: set[int]) -> None:
    holders = Post.objects.current(timezone.localdate()).filter(
        organisation__in=office_ids,
        role__in=(roles.OFFICE_HEAD, roles.OFFICER, roles.OUTSIDE_CONTACT),
    )
    notify(
        set(holders.values_list("user_id", flat=True)),
        key=f"round-{row.id}-open",
        title=_("%s进展开始填报") % row.label,
        path=reverse("my_rounds"),
    )


def last_texts(plan: Plan) -> dict[int, str]:
    """Commitment id -> the newest text that an office handed on (one query)."""
    told = RoundReport.objects.filter(round__plan=plan).exclude(text="").exclude(state="filling")
    newest = told.order_by("commitment_id", "-round__ends_on").distinct("commitment_id")
    return dict(newest.values_list("commitment_id", "text"))


def _figures(plan: Plan, commitment_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """Commitment id -> what the systems know of it now: readings of targets, states of milestones."""
    readings = plan_readings(plan)
    found: dict[int, list[dict[str, Any]]] = {}
    for target in Target.objects.filter(commitment__in=commitment_ids):
        reading = readings.get(target.indicator)
        if reading is not None and reading.shown is not None:
            found.setdefault(target.commitment_id, []).append(
                {"kind": "target", "words": target.text, "value": round(float(reading.shown), 2)}
            )
    for milestone in Milestone.objects.live().filter(commitment__in=commitment_ids):
        found.setdefault(milestone.commitment_id, []).append(
            {
                "kind": "milestone",
                "words": milestone.title,
                "value": milestone.state,
                "due": milestone.due_on.isoformat(),
            }
        )
    return found


@transaction.atomic
def close_round(row: Round, *, by: Actor) -> int:
    """End a round: what never reached the plan office is counted as missing.  Returns how many.

    What waits for the plan office stays there.
    """
    post = by.post_for(Permission.EDIT, row.plan.organisation_id)
    missing = list(
        row.reports.filter(state__in=("filling", "filled", "confirmed")).select_related("case")
    )
    for report in missing:
        advance(report, "lapse", by=by, note=_("本轮填报已结束，未报出。"))
    Round.objects.filter(id=row.id).update(closed_at=timezone.now())
    record(
        "round.close",
        by=by,
        post=post,
        organisation_id=row.plan.organisation_id,
        object_type="round",
        object_id=row.id,
        detail={"missing": len(missing)},
    )
    return len(missing)


def save_text(report: RoundReport, *, text: str, by: Actor) -> RoundReport:
    """Keep what an office has written so far, without handing it on.

    Raises PermissionDenied, OutOfScope, StepRefused for a report that has left the office's desk.
    """
    post = by.post_for(Permission.REPORT, report.case.organisation_id)
    row = RoundReport.objects.select_for_update(of=("self",)).get(pk=report.pk)
    if row.state != "filling":
        raise StepRefused(_("这份进展已经报出，不能再改。"))
    row.text, row.unchanged = text.strip()[:LONGEST_TEXT], False
    row.save(update_fields=["text", "unchanged"])
    record(
        "round_report.save",
        by=by,
        post=post,
        organisation_id=report.case.organisation_id,
        object_type="round_report",
        object_id=report.case.number,
    )
    return row


def report_progress(
    report: RoundReport,
    *,
    text: str = "",
    unchanged: bool = False,
    evidence: Sequence[UploadedFile] = (),
    version: int | None = None,
    by: Actor,
) -> Move:
    """Hand a report to the head of office; a head's own goes to the leader in charge at once.

    `unchanged` repeats last round's text.  Raises StepRefused without a text, or without one to
    repeat, and what `advance` raises.
    """
    text = (report.carried if unchanged else text).strip()
    if not text:
        raise StepRefused(
            _("上期没有填过进展，请写明本期情况。") if unchanged else _("请填写进展。")
        )
    fields: dict[str, Any] = {"text": text[:LONGEST_TEXT], "unchanged": unchanged}
    step, note = "fill", ""
    try:
        note = acting_for("confirm", report, by)
        step, fields["handed_on"] = "submit", report.handed_on or timezone.localdate()
    except StepRefused:
        pass  # no head: somebody else confirms
    return _move(report, step, by=by, version=version, note=note, uploads=evidence, fields=fields)


def confirm_report(
    report: RoundReport, *, note: str = "", version: int | None = None, by: Actor
) -> Move:
    """The head of office, or whoever stands in, confirms what a handler wrote."""
    mark = acting_for("confirm", report, by)
    fields = {"handed_on": report.handed_on or timezone.localdate()}
    return _move(report, "confirm", by=by, version=version, note=mark + note, fields=fields)


def rework_report(report: RoundReport, *, note: str, version: int | None = None, by: Actor) -> Move:
    """The head of office sends a report back to the handler with a reason."""
    acting_for("confirm", report, by)
    return _move(report, "rework", by=by, version=version, note=note)


def sign_report(
    report: RoundReport, *, note: str = "", version: int | None = None, by: Actor
) -> Move:
    """The leader in charge, the director, or whoever stands in, signs."""
    mark = acting_for("sign", report, by)
    return _move(report, "sign", by=by, version=version, note=mark + note)


def object_to_report(
    report: RoundReport, *, note: str, version: int | None = None, by: Actor
) -> Move:
    """The leader does not sign and says why."""
    acting_for("sign", report, by)
    return _move(report, "object", by=by, version=version, note=note)


def accept_report(
    report: RoundReport, *, note: str = "", version: int | None = None, by: Actor
) -> Move:
    """The plan office takes a report in."""
    return _move(report, "accept", by=by, version=version, note=note)


def return_report(report: RoundReport, *, note: str, version: int | None = None, by: Actor) -> Move:
    """The plan office sends a report back with a reason; it is counted."""
    fields = {"returned": report.returned + 1}
    move = _move(report, "return", by=by, version=version, note=note, fields=fields)
    heads = people(roles.OFFICE_HEAD, roles.OFFICER).filter(
        posts__organisation=report.case.organisation_id
    )
    notify(
        set(heads.values_list("id", flat=True)),
        key=f"round-return-{report.pk}-{report.returned}",
        title=_("一份进展被退回，请看理由"),
        path=report.case.get_absolute_url(),
    )
    return move


def _move(report: RoundReport, step: str, **kwargs: Any) -> Move:
    target = ROUND.step(step).target
    return advance(report, step, handler=right_handler(target, report.commitment), **kwargs)


@dataclass
class Taken:
    """What became of many reports at once."""

    done: int = 0
    refused: list[str] = field(default_factory=list)


#: What one tap may do with all of mine.
TOGETHER: dict[str, Callable[..., Move]] = {
    "unchanged": lambda report, by: report_progress(report, unchanged=True, by=by),
    "confirm": confirm_report,
    "sign": sign_report,
    "accept": accept_report,
}


def take_together(action: str, reports: Iterable[RoundReport], *, by: Actor) -> Taken:
    """The same step for many reports; each refusal is told with its task's number.

    Raises KeyError for an unknown action, PermissionDenied, OutOfScope.
    """
    taken = Taken()
    for report in reports:
        try:
            with transaction.atomic():
                TOGETHER[action](report, by=by)
        except StepRefused as refused:
            taken.refused.append(f"{report.commitment.code}：{refused}")
        else:
            taken.done += 1
    return taken


def urge_late(row: Round, *, by: Actor) -> int:
    """Urge every office that owes a report whose last day is past.  Returns how many were urged.

    Who was urged today already is left in peace.
    """
    today = timezone.localdate()
    by.post_for(Permission.URGE, row.plan.organisation_id)
    urged = 0
    late = row.reports.late(today).filter(state__in=("filling", "filled"))
    for report in late.select_related("case"):
        try:
            with transaction.atomic():
                urge(report.case, permission=Permission.URGE, note="", by=by)
        except StepRefused:
            continue
        urged += 1
    return urged

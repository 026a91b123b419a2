"""Supervision sheets: proposed by night or issued by hand, answered, settled, filed; the ladder."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import SUPERVISION
from xuezheng.domains.workplan.models import (
    LEVELS,
    Commitment,
    LightChange,
    Milestone,
    Plan,
    Source,
    Supervision,
)
from xuezheng.domains.workplan.rules import Level, Light, first_level, level_after
from xuezheng.domains.workplan.selectors import ladder, people, supervision_settings
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case, urge
from xuezheng.kernel.notices.services import notify
from xuezheng.kernel.reference.calendar import calendar_exceptions, due_after, is_working_day
from xuezheng.kernel.reference.parameters import Setting
from xuezheng.registry import roles


def _settings(issuer: Organisation) -> dict[str, Setting]:
    return supervision_settings(timezone.localdate(), issuer.code)


def _terms(clock: str, settings: dict[str, Setting]) -> dict[str, Term]:
    """The term of a clock that is counted in working days from today."""
    words = {
        "issuing": _("提出后%(days)d个工作日内签发"),
        "signing": _("签发后%(days)d个工作日内签收"),
        "checking": _("回复后%(days)d个工作日内审核"),
        "filing": _("办结后%(days)d个工作日内归档"),
        "decision": _("申请后%(days)d个工作日内审批"),
    }
    days = int(settings[f"{clock}_days"].value)
    return {clock: Term(due_after(timezone.localdate(), days), words[clock] % {"days": days})}


def _work(row: Supervision) -> dict[str, Term]:
    return {"work": Term(row.due_on, _("督办单 %s 的办理期限") % row.number)}


def usual_due(issuer: Organisation) -> dt.date:
    """The due day of a sheet that is issued today, unless another is set."""
    days = int(_settings(issuer)["work_days"].value)
    return due_after(timezone.localdate(), days)


def propose(
    *,
    issuer: Organisation,
    office: Organisation,
    title: str,
    note: str,
    commitment: Commitment | None = None,
    milestone: Milestone | None = None,
    source: Source | None = None,
    level: Level | None = None,
    automatic: bool = False,
    key: uuid.UUID | None = None,
    by: Actor,
) -> Supervision:
    """Propose a sheet to an office, on a commitment, one of its milestones, or a source.

    Without `level` a heavy commitment begins with the leader in charge.  Raises PermissionDenied,
    OutOfScope, StepRefused without a basis or words.
    """
    if commitment is None and source is None:
        raise StepRefused(_("请选定督办依据：任务或来源。"))
    if not note.strip():
        raise StepRefused(_("请写明督办事由。"))
    basis = Supervision.Basis.COMMITMENT
    if milestone is not None:
        basis = Supervision.Basis.MILESTONE
    elif source is not None:
        known = {"note": Supervision.Basis.NOTE, "minutes": Supervision.Basis.MINUTES}
        basis = known.get(source.kind, Supervision.Basis.OTHER)
    settings = _settings(issuer)
    weight = commitment.weight if commitment else 0
    row, _is_new = open_case(
        SUPERVISION,
        Supervision,
        organisation_id=office.id,
        title=title,
        by=by,
        note=note,
        key=key,
        terms=_terms("issuing", settings),
        fields={
            "issuer": issuer,
            "year": timezone.localdate().year,
            "basis": basis,
            "commitment": commitment,
            "milestone": milestone,
            "source": source,
            "automatic": automatic,
            "level": level or first_level(weight, ladder(settings)),
            "note": note.strip()[:1000],
        },
    )
    return row


def issue(
    row: Supervision,
    *,
    demand: str,
    due_on: dt.date,
    level: Level,
    note: str = "",
    version: int | None = None,
    by: Actor,
) -> Move:
    """Issue a proposed sheet: it gets the year's next number, and its terms begin.

    Raises StepRefused without a demand or for a day that has passed.
    """
    if not demand.strip():
        raise StepRefused(_("请写明办理要求。"))
    if due_on < timezone.localdate():
        raise StepRefused(_("办理期限不能早于今天。"))
    # Numbers of a year are given one after the other: whoever issues at the same time waits here.
    issuer = Organisation.objects.select_for_update(of=("self",)).get(id=row.issuer_id)
    settings = _settings(issuer)
    year = timezone.localdate().year
    given = Supervision.objects.filter(issuer=issuer, year=year)
    row.serial = (given.aggregate(last=Max("serial"))["last"] or 0) + 1
    row.year = year
    row.number = str(settings["number_format"].value).format(year=year, serial=row.serial)
    row.due_on = due_on
    move = advance(
        row,
        "issue",
        by=by,
        version=version,
        note=note,
        terms=_terms("signing", settings) | _work(row),
        fields={
            "serial": row.serial,
            "year": year,
            "number": row.number,
            "due_on": due_on,
            "level": level,
            "demand": demand.strip()[:1000],
            "issued_on": timezone.localdate(),
        },
    )
    _tell_leaders(row)
    return move


def sign(row: Supervision, *, note: str = "", version: int, by: Actor) -> Move:
    """The office signs for the sheet: who and when stand on it."""
    return advance(
        row,
        "sign",
        by=by,
        version=version,
        note=note,
        fields={"signed_by": by.user, "signed_at": timezone.now()},
    )


def reply(
    row: Supervision,
    *,
    note: str,
    evidence: Sequence[UploadedFile] = (),
    version: int,
    by: Actor,
) -> Move:
    """The office answers, with evidence; the plan office then checks it."""
    return advance(
        row,
        "reply",
        by=by,
        version=version,
        note=note,
        uploads=evidence,
        terms=_terms("checking", _settings(row.issuer)),
        fields={"reply": note.strip(), "replied_on": timezone.localdate()},
    )


def give_back(row: Supervision, *, note: str, version: int, by: Actor) -> Move:
    """The answer does not do: back to the office, under the old due day."""
    return advance(
        row,
        "return",
        by=by,
        version=version,
        note=note,
        terms=_work(row),
        fields={"replied_on": None, "reply": ""},
    )


def settle(row: Supervision, *, note: str = "", version: int, by: Actor) -> Move:
    """The answer does: the matter is settled; not by whoever answered."""
    return advance(
        row,
        "settle",
        by=by,
        version=version,
        note=note,
        terms=_terms("filing", _settings(row.issuer)),
        fields={"settled_on": timezone.localdate()},
    )


def file_away(row: Supervision, *, note: str = "", version: int, by: Actor) -> Move:
    """File a settled sheet."""
    return advance(row, "file", by=by, version=version, note=note)


def dismiss(row: Supervision, *, note: str, version: int, by: Actor) -> Move:
    """Take a sheet back, or do not issue what was proposed; with a reason."""
    return advance(row, "dismiss", by=by, version=version, note=note)


def ask_more_time(
    row: Supervision, *, new_due: dt.date, reason: str, version: int, by: Actor
) -> Move:
    """The office asks for more time, until the due day; the leader in charge decides.

    Raises StepRefused after the due day or for a day that is not later.
    """
    if timezone.localdate() > row.due_on:
        raise StepRefused(_("期限已过，延期须在期限届满前申请。"))
    if new_due <= row.due_on:
        raise StepRefused(_("新期限须晚于原期限 %s。") % row.due_on.isoformat())
    return advance(
        row,
        "ask",
        by=by,
        version=version,
        note=reason,
        terms=_terms("decision", _settings(row.issuer)),
        handler=row.commitment.leader if row.commitment else None,
        fields={"asked_due": new_due},
    )


def decide_more_time(
    row: Supervision, *, granted: bool, note: str = "", version: int, by: Actor
) -> Move:
    """Grant or refuse; a granted request moves the sheet's due day and is counted."""
    if not granted:
        return advance(row, "refuse", by=by, version=version, note=note, fields={"asked_due": None})
    row.due_on = row.asked_due
    return advance(
        row,
        "grant",
        by=by,
        version=version,
        note=note,
        terms=_work(row),
        fields={"due_on": row.due_on, "asked_due": None, "extended": row.extended + 1},
    )


def urge_supervision(row: Supervision, *, note: str = "", by: Actor) -> Move:
    """The plan office or a leader urges whoever owes the next step."""
    return urge(row.case, permission=Permission.URGE, note=note, by=by)


def propose_for_red(plan: Plan, *, by: Actor) -> int:
    """Propose a sheet for each commitment that has turned red since it last had one.

    Returns how many.  A commitment without lead office has nobody to supervise and is passed over.
    """
    red = plan.commitments.live().filter(light=Light.RED, lead_office__isnull=False)
    made = 0
    for row in red.select_related("lead_office"):
        since = _red_since(row)
        sheets = row.supervisions.all()
        if sheets.open().exists() or sheets.filter(case__opened_at__date__gte=since).exists():
            continue
        propose(
            issuer=plan.organisation,
            office=row.lead_office,
            title=row.title,
            note=_("%(day)s 起亮红灯：%(cause)s。")
            % {"day": since.isoformat(), "cause": row.get_cause_display()},
            commitment=row,
            automatic=True,
            by=by,
        )
        made += 1
    return made


def _red_since(row: Commitment) -> dt.date:
    """The day on which it turned red for the last time."""
    other = LightChange.objects.filter(commitment=row).exclude(light=Light.RED)
    last_other = other.aggregate(last=Max("on"))["last"]
    reds = LightChange.objects.filter(commitment=row, light=Light.RED)
    if last_other:
        reds = reds.filter(on__gt=last_other)
    first = reds.order_by("on").values_list("on", flat=True).first()
    return first or timezone.localdate()


def climb(issuer: Organisation, *, by: Actor) -> int:
    """Raise sheets that are late up the ladder and tell the leaders.  Returns how many rose."""
    today = timezone.localdate()
    rule = ladder(_settings(issuer))
    late = Supervision.objects.filter(
        issuer=issuer, state__in=["issued", "acting", "asked"], due_on__lt=today
    ).select_related("case", "commitment__leader")
    rose = 0
    for row in late:
        days = working_days_late(row.due_on, today)
        level = level_after(Level(row.level), days, rule)
        if level == row.level:
            continue
        row.level = level
        row.save(update_fields=["level"])
        words = _("逾期%(days)d个工作日，升至%(level)s督办") % {
            "days": days,
            "level": dict(LEVELS)[level],
        }
        # Already urged by hand today: it stands on top of the inbox as it is.
        with contextlib.suppress(StepRefused):
            urge(row.case, permission=Permission.URGE, note=words, by=by)
        record(
            "supervision.raise",
            by=by,
            organisation_id=row.case.organisation_id,
            object_type="supervision",
            object_id=row.case.number,
            detail={"level": int(level), "days": days},
        )
        _tell_leaders(row)
        rose += 1
    return rose


def working_days_late(due_on: dt.date, today: dt.date) -> int:
    """Working days after the due day, up to and with today."""
    exceptions = calendar_exceptions(due_on, today)
    span = range(1, (today - due_on).days + 1)
    return sum(is_working_day(due_on + dt.timedelta(days=n), exceptions) for n in span)


def _tell_leaders(row: Supervision) -> None:
    """The leader in charge hears of sheets of their level, the director of the highest."""
    told: set[int] = set()
    if row.level >= Level.LEADER and row.commitment and row.commitment.leader_id:
        told.add(row.commitment.leader_id)
    if row.level == Level.DIRECTOR:
        told |= set(people(roles.DIRECTOR).values_list("id", flat=True))
    notify(
        sorted(told),
        key=f"supervision.{row.case.number}.{int(row.level)}",
        title=_("督办单 %s 需要您关注") % row.number,
        path=row.case.get_absolute_url(),
    )

"""One function for each verb.  Each checks permission and scope on the row, writes, and audits."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.oversight.access import Permission
from xuezheng.domains.oversight.flows import HAZARD
from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.oversight.rules import Grade, must_stop_use
from xuezheng.domains.oversight.selectors import hazard_settings, terms
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case, urge
from xuezheng.kernel.jobs.queue import enqueue
from xuezheng.kernel.reference.calendar import due_after


def report_hazard(
    *,
    organisation_id: int,
    category: str,
    place: str,
    description: str,
    immediate_danger: bool,
    photos: Sequence[UploadedFile],
    key: uuid.UUID | None,
    by: Actor,
) -> Hazard:
    """Report a hazard of an organisation.  The grading clock starts.

    The same idempotency key gives the hazard of the first call.  Raises PermissionDenied, OutOfScope,
    ValidationError for a photo.
    """
    today = timezone.localdate()
    days = terms(hazard_settings(today)).grading_days
    case, is_new = open_case(
        HAZARD,
        organisation_id=organisation_id,
        title=place,
        by=by,
        note=description,
        key=key,
        due=due_after(today, days),
        basis=_("上报后%(days)d个工作日内定级") % {"days": days},
        uploads=photos,
    )
    if not is_new:
        return Hazard.objects.get(case=case)
    return Hazard.objects.create(
        case=case,
        state=case.state,
        category=category,
        place=place,
        description=description,
        immediate_danger=immediate_danger,
        reported_by=by.user,
        reported_on=today,
    )


def grade_hazard(
    hazard: Hazard,
    *,
    grade: Grade,
    category: str,
    due_on: dt.date | None = None,
    stop_use: bool = False,
    note: str = "",
    version: int,
    by: Actor,
) -> Move:
    """Grade a report and start the term of rectification.

    Without `due_on` the term of the grade applies, in working days from today; an earlier day may be
    set, a later one needs a note.  Raises StepRefused and what `advance` raises.
    """
    today = timezone.localdate()
    rule = terms(hazard_settings(today))
    days = rule.rectification_days(grade)
    latest = due_after(today, days)
    due_on = due_on or latest
    if due_on < today:
        raise StepRefused(_("整改期限不能早于今天。"))
    if due_on > latest and not note.strip():
        raise StepRefused(_("期限晚于规定的 %(day)s，请写明理由。") % {"day": latest.isoformat()})
    return advance(
        hazard,
        "grade",
        by=by,
        version=version,
        note=note,
        due=due_on,
        basis=_("定级后%(days)d个工作日内整改") % {"days": days},
        grade=grade,
        category=category,
        due_on=due_on,
        supervised=grade == Grade.MAJOR,
        stop_use=stop_use or must_stop_use(grade, immediate_danger=hazard.immediate_danger),
    )


def dismiss_hazard(hazard: Hazard, *, note: str, version: int, by: Actor) -> Move:
    """Close a report that is no hazard; the note goes back to whoever reported it."""
    return advance(hazard, "dismiss", by=by, version=version, note=note)


def rectify_hazard(
    hazard: Hazard, *, note: str, photos: Sequence[UploadedFile], version: int, by: Actor
) -> Move:
    """Report that the hazard is put right, with photos; the re-check clock starts.

    Raises StepRefused without a photo: somebody else must be able to see what was done.
    """
    if not photos:
        raise StepRefused(_("请附上整改后的照片。"))
    today = timezone.localdate()
    days = terms(hazard_settings(today)).recheck_days
    move = advance(
        hazard,
        "rectify",
        by=by,
        version=version,
        note=note,
        due=due_after(today, days),
        basis=_("报告整改后%(days)d个工作日内复查") % {"days": days},
        uploads=photos,
        rectified_on=today,
    )
    refresh_figures()
    return move


def recheck_hazard(
    hazard: Hazard,
    *,
    passed: bool,
    note: str = "",
    photos: Sequence[UploadedFile] = (),
    version: int,
    by: Actor,
) -> Move:
    """Re-check, by another person than the one who reported the rectification.

    A general hazard that passes is closed; a major one waits for its release.  One that fails goes
    back under its old term: a failed re-check gives no extra time.
    """
    today = timezone.localdate()
    if not passed:
        move = advance(
            hazard,
            "fail",
            by=by,
            version=version,
            note=note,
            due=hazard.due_on,
            basis=_("复查不通过，原期限不变"),
            uploads=photos,
            rectified_on=None,
        )
    elif hazard.grade == Grade.MAJOR:
        days = terms(hazard_settings(today)).recheck_days
        move = advance(
            hazard,
            "pass_major",
            by=by,
            version=version,
            note=note,
            due=due_after(today, days),
            basis=_("复查通过后%(days)d个工作日内摘牌") % {"days": days},
            uploads=photos,
        )
    else:
        move = advance(
            hazard, "pass", by=by, version=version, note=note, uploads=photos, closed_on=today
        )
    refresh_figures()
    return move


def release_hazard(hazard: Hazard, *, note: str = "", version: int, by: Actor) -> Move:
    """Take a major hazard off the supervised list and close it; not by whoever re-checked it."""
    move = advance(
        hazard,
        "release",
        by=by,
        version=version,
        note=note,
        closed_on=timezone.localdate(),
        stop_use=False,
    )
    refresh_figures()
    return move


def urge_hazard(hazard: Hazard, *, note: str = "", by: Actor) -> Move:
    """Urge whoever owes the next step."""
    return urge(hazard.case, permission=Permission.URGE, note=note, by=by)


def refresh_figures() -> None:
    """Have the hazard indicators computed again, once, after this transaction."""
    enqueue("indicators.compute", only_one="indicators.compute")

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
from xuezheng.domains.oversight.selectors import categories, hazard_settings, terms
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case, urge
from xuezheng.kernel.reference.calendar import due_after
from xuezheng.kernel.reference.parameters import Setting
from xuezheng.registry.organisations import SITE_KINDS


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
    settings = _settings(organisation_id, today)
    _check_place(organisation_id)
    _check_category(category, settings)
    days = terms(settings).grading_days
    hazard, _is_new = open_case(
        HAZARD,
        Hazard,
        organisation_id=organisation_id,
        title=place,
        by=by,
        note=description,
        key=key,
        terms={
            "grading": Term(
                due_after(today, days), _("上报后%(days)d个工作日内定级") % {"days": days}
            )
        },
        uploads=photos,
        fields={
            "category": category,
            "place": place,
            "description": description,
            "immediate_danger": immediate_danger,
            "reported_by": by.user,
            "reported_on": today,
        },
    )
    return hazard


def _settings(organisation_id: int, day: dt.date) -> dict[str, Setting]:
    return hazard_settings(day, authority_code(organisation_id, day))


def _check_place(organisation_id: int) -> None:
    sites = Organisation.objects.filter(kind__in=SITE_KINDS, closed__isnull=True)
    if not sites.filter(id=organisation_id).exists():
        raise StepRefused(_("隐患只能报在学校、幼儿园等场所名下。"))


def _check_category(category: str, settings: dict[str, Setting]) -> None:
    if category not in dict(categories(settings)):
        raise StepRefused(_("没有这个隐患类别。"))


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
    settings = _settings(hazard.case.organisation_id, today)
    _check_category(category, settings)
    days = terms(settings).rectification_days(grade)
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
        terms={"rectification": Term(due_on, _("定级后%(days)d个工作日内整改") % {"days": days})},
        fields={
            "grade": grade,
            "category": category,
            "due_on": due_on,
            "supervised": grade == Grade.MAJOR,
            "stop_use": stop_use or must_stop_use(grade, immediate_danger=hazard.immediate_danger),
        },
    )


def dismiss_hazard(hazard: Hazard, *, note: str, version: int, by: Actor) -> Move:
    """Close a report that is no hazard; the note stands on its page for whoever reported it."""
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
    days = terms(_settings(hazard.case.organisation_id, today)).recheck_days
    return advance(
        hazard,
        "rectify",
        by=by,
        version=version,
        note=note,
        terms={
            "recheck": Term(
                due_after(today, days), _("报告整改后%(days)d个工作日内复查") % {"days": days}
            )
        },
        uploads=photos,
        fields={"rectified_on": today},
    )


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
    common = {"by": by, "version": version, "note": note, "uploads": photos}
    if not passed:
        old = Term(hazard.due_on, _("复查不通过，原期限不变"))
        return advance(
            hazard,
            "fail",
            terms={"rectification": old},
            fields={"rectified_on": None},
            **common,
        )
    if hazard.grade == Grade.MAJOR:
        days = terms(_settings(hazard.case.organisation_id, today)).recheck_days
        term = Term(due_after(today, days), _("复查通过后%(days)d个工作日内摘牌") % {"days": days})
        return advance(hazard, "pass_major", terms={"recheck": term}, **common)
    return advance(hazard, "pass", fields={"closed_on": today}, **common)


def release_hazard(hazard: Hazard, *, note: str = "", version: int, by: Actor) -> Move:
    """Take a major hazard off the supervised list and close it; not by whoever re-checked it."""
    return advance(
        hazard,
        "release",
        by=by,
        version=version,
        note=note,
        fields={"closed_on": timezone.localdate(), "stop_use": False},
    )


def urge_hazard(hazard: Hazard, *, note: str = "", by: Actor) -> Move:
    """Urge whoever owes the next step."""
    return urge(hazard.case, permission=Permission.URGE, note=note, by=by)

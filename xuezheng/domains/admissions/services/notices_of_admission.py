"""入学通知书: a printable notice whose code says, to whoever checks it, only whether it is valid.

The code is the child's pseudonym with a keyed check over school and day of issue: it cannot be guessed,
holds nothing personal, and an earlier notice of another school is no longer valid.
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application, RollEntry
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused

SALT = "xuezheng.admissions.notice"
#: States in which a child has the place that its notice speaks of.
HAS_PLACE = ("placed", "arrived")


@transaction.atomic
def issue(applications: Sequence[Application], *, by: Actor) -> int:
    """Issue notices for children who have a place; gives how many are new.

    Schools (SCHOOL) for their own, the bureau for all.  Raises PermissionDenied, OutOfScope,
    StepRefused for a child without a place.
    """
    for organisation_id in {row.case.organisation_id for row in applications}:
        by.post_for(Permission.SCHOOL if _is_school(by) else Permission.ROLL, organisation_id)
    if any(row.state not in HAS_PLACE for row in applications):
        raise StepRefused(_("只有已录取的孩子才有入学通知书。"))
    entries = [row.entry_id for row in applications]
    fresh = RollEntry.objects.filter(id__in=entries, notice_issued_on__isnull=True)
    count = fresh.update(notice_issued_on=timezone.localdate())
    if count:
        record(
            "roll.notice",
            by=by,
            organisation_id=applications[0].case.organisation_id,
            object_type="season",
            object_id=applications[0].season_id,
            detail={"issued": count},
        )
    return count


def _is_school(by: Actor) -> bool:
    return not by.can(Permission.ROLL)


def code_of(application: Application) -> str:
    """The code on an issued notice: pseudonym, dash, check."""
    return f"{application.entry.code}-{_check(application)}"


def _check(application: Application) -> str:
    entry = application.entry
    said = f"{entry.code}|{application.case.organisation_id}|{entry.notice_issued_on}"
    return salted_hmac(SALT, said, algorithm="sha256").hexdigest()[:12].upper()


def is_valid(code: str) -> bool:
    """Whether a notice with this code is in force.  Read with the program's reach; says nothing else."""
    pseudonym, _dash, check = code.strip().upper().partition("-")
    with fenced(by=JobActor("admissions.notice")):
        application = (
            Application.objects.filter(
                entry__code=pseudonym,
                entry__notice_issued_on__isnull=False,
                state__in=HAS_PLACE,
            )
            .select_related("entry", "case")
            .first()
        )
        return application is not None and constant_time_compare(_check(application), check)

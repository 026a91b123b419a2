"""A leaving class goes in one step, and comes back in one step when that was a mistake.

The school lets its own class go; taking it back is for the registrar, because children who are at no
school any more are in nobody else's reach.  Works inside the fence only: `registry_let_go` asks whose
reach the children are in.
"""

import datetime as dt
import uuid
from collections.abc import Collection

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.reference.parameters import setting
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import AT_SCHOOL, STAGE_YEARS
from xuezheng.registry.models import Placement, Pupil, SchoolClass
from xuezheng.registry.rules import leaving_span
from xuezheng.registry.services.common import Stale, allowed, locked, not_later_than_today
from xuezheng.registry.services.placing import SUSPENDED

#: 学生当前状态 XSDQZT: 毕业, 结业.
GRADUATED, COMPLETED = "07", "08"
#: 学籍异动类别 XJYDLB of 结业.  Graduating is the usual leaving and has none: 61 is to graduate early.
USUAL, WITHOUT_DIPLOMA = "", "62"


def _year_of(school_class: SchoolClass) -> int:
    return school_class.entry_year + STAGE_YEARS[school_class.stage]


def span_of(school_class: SchoolClass) -> tuple[dt.date, dt.date]:
    """First and last day on which the class may go, by the parameter of its authority."""
    year = _year_of(school_class)
    owner = authority_code(school_class.organisation_id, timezone.localdate())
    days = setting("registry.graduation.days", dt.date(year, 8, 31), owner).value
    return leaving_span(year, first=days["first"], last=days["last"])


def check_day(school_class: SchoolClass, on: dt.date) -> None:
    """Raise ValidationError for a last day that has not come or is not one of leaving."""
    first, last = span_of(school_class)
    not_later_than_today(on)
    if not first <= on <= last:
        raise ValidationError(
            {"on": _("这个班的毕业日期应在%(first)s至%(last)s之间。")
             % {"first": first.isoformat(), "last": last.isoformat()}}
        )  # fmt: skip


def may_go(school_class: SchoolClass) -> bool:
    """Whether the class is open and its first day of leaving has come."""
    today = timezone.localdate()
    if school_class.valid_to is not None or today.year < _year_of(school_class):
        return False
    return span_of(school_class)[0] <= today


def leaving(school_class: SchoolClass) -> QuerySet[Pupil]:
    """The pupils who go with the class, by name.  Suspended ones stay: they come back to a later class."""
    rows = Pupil.objects.live().filter(school_class=school_class)
    return rows.exclude(status=SUSPENDED).order_by("initials", "id")


def graduated(school_class: SchoolClass) -> QuerySet[Placement]:
    """The last placements of those who left with the class and have been at no school since."""
    if timezone.localdate().year < _year_of(school_class):
        return Placement.objects.none()
    return Placement.objects.filter(
        school_class=school_class,
        valid_to__range=span_of(school_class),
        exit_code__in=(USUAL, WITHOUT_DIPLOMA),
        pupil__status__in=(GRADUATED, COMPLETED),
        pupil__organisation__isnull=True,
        pupil__merged_into__isnull=True,
    )


@transaction.atomic
def graduate(
    school_class: SchoolClass,
    *,
    on: dt.date,
    without: Collection[uuid.UUID],
    expected: int,
    by: Actor,
) -> int:
    """Let a whole leaving class go; `on` is its last day.  Returns how many pupils went.

    `without` are the keys of those who complete without a diploma, `expected` the number that the
    preview told.  The class is closed on the day when nobody is left in it.  Raises PermissionDenied,
    OutOfScope, ValidationError, StepRefused.
    """
    post = allowed(by, Permission.PUPIL_EDIT, school_class.organisation_id)
    row = locked(school_class)
    check_day(row, on)
    keys = set(leaving(row).select_for_update(of=("self",)).values_list("pk", flat=True))
    if not keys:
        raise StepRefused(_("班里没有可以毕业的学生。"))
    if len(keys) != expected or not keys.issuperset(without):
        raise Stale(_("班里的学生刚有变动，请重新核对人数。"))
    running = Placement.objects.filter(pupil__in=keys, valid_to__isnull=True)
    late = running.filter(valid_from__gt=on).count()
    if late:
        raise ValidationError(
            {
                "on": ngettext(
                    "有%d名学生在这一天之后才进班，请核对日期。",
                    "有%d名学生在这一天之后才进班，请核对日期。",
                    late,
                )
                % late
            }
        )
    for status, code, who in (
        (COMPLETED, WITHOUT_DIPLOMA, keys.intersection(without)),
        (GRADUATED, USUAL, keys.difference(without)),
    ):
        running.filter(pupil__in=who).update(valid_to=on, exit_code=code)
        _let_go(who, status)
        for key in sorted(who):
            record(
                "pupil.leave",
                by=by,
                post=post,
                organisation_id=row.organisation_id,
                object_type="pupil",
                object_id=key,
                detail={"on": on.isoformat(), "status": status},
            )
    if not row.pupils.filter(merged_into__isnull=True).exists():
        row.valid_to = on
    row.version += 1
    row.save()
    detail = {"on": on.isoformat(), "pupils": len(keys), "without": len(without)}
    _note("class.graduate", row, post, by, "", detail)
    return len(keys)


def _let_go(keys: Collection[uuid.UUID], status: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT registry_let_go(%s::uuid[], %s)", [list(keys), status])
        if cursor.fetchone()[0] != len(keys):
            raise PermissionDenied("a pupil out of reach")


@transaction.atomic
def take_back(school_class: SchoolClass, *, reason: str, by: Actor) -> int:
    """Undo `graduate`: whoever has been at no school since is in the class again, as if never gone.

    Returns how many.  For whoever reaches all.  Raises PermissionDenied, OutOfScope, StepRefused.
    """
    post = allowed(by, Permission.PUPIL_EDIT, None)
    row = locked(school_class)
    if not reason.strip():
        raise ValidationError({"reason": _("请写明更正的理由。")})
    keys = list(graduated(row).values_list("pupil_id", flat=True))
    if not keys:
        raise StepRefused(_("没有可以撤回毕业的学生。"))
    graduated(row).update(valid_to=None, exit_code="")
    Pupil.objects.filter(pk__in=keys).update(
        organisation=row.organisation_id,
        school_class=row,
        status=AT_SCHOOL,
        version=F("version") + 1,
        updated_at=timezone.now(),
    )
    for key in keys:
        record(
            "pupil.correct",
            by=by,
            post=post,
            organisation_id=row.organisation_id,
            object_type="pupil",
            object_id=key,
            reason=reason,
        )
    row.valid_to = None
    row.version += 1
    row.save()
    _note("class.take_back", row, post, by, reason, {"pupils": len(keys)})
    return len(keys)


def _note(action: str, row: SchoolClass, post, by: Actor, reason: str, detail: dict) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=row.organisation_id,
        object_type="class",
        object_id=row.id,
        reason=reason,
        detail=detail,
    )

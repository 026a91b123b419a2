"""One school continued by another: merger, split, change of name or kind.

All in one transaction: classes, pupils, staff and posts pass to the successor from a day; what was
before stays with the predecessor, so that figures of the past do not move.
"""

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, Post
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.models import Employment, Pupil, SchoolClass, StaffMember, Succession
from xuezheng.registry.selectors import stages_of
from xuezheng.registry.services.common import allowed, not_later_than_today
from xuezheng.registry.services.placing import hand_over

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Effects:
    """What a succession does: numbers of each, and whether the predecessor is closed."""

    classes: int
    pupils: int
    staff: int
    posts: int
    closes: bool


def _classes(site: Organisation, chosen: list[SchoolClass] | None) -> list[SchoolClass]:
    running = list(site.classes.filter(valid_to__isnull=True).order_by("stage", "entry_year", "id"))
    if chosen is None:
        return running
    ids = {row.id for row in chosen}
    return [row for row in running if row.id in ids]


def effects(
    predecessor: Organisation, *, kind: str, classes: list[SchoolClass] | None, on: dt.date
) -> Effects:
    """What would happen; reads only.  `classes` are those that pass over in a split."""
    whole = kind != Succession.Kind.SPLIT
    moving = _classes(predecessor, None if whole else classes or [])
    pupils = Pupil.objects.live().filter(organisation=predecessor)
    if not whole:
        pupils = pupils.filter(school_class__in=moving)
    return Effects(
        classes=len(moving),
        pupils=pupils.count(),
        staff=_employments(predecessor).count() if whole else 0,
        posts=_posts(predecessor, on).count() if whole else 0,
        closes=whole,
    )


def _employments(site: Organisation):
    return Employment.objects.filter(organisation=site, valid_to__isnull=True)


def _posts(site: Organisation, on: dt.date):
    return Post.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=on), organisation=site)


def examine(
    predecessor: Organisation,
    *,
    successor: Organisation,
    kind: str,
    classes: list[SchoolClass] | None,
    on: dt.date,
) -> list[SchoolClass]:
    """The classes that would pass over; reads only.  Raises ValidationError, StepRefused.

    The day may lie before neither school was there nor a class began that passes over: history that
    never was would be written.
    """
    not_later_than_today(on)
    if predecessor.closed or successor.closed:
        raise StepRefused(_("已撤销的单位不能再合并、分设或承接。"))
    if Succession.objects.filter(predecessor=predecessor, successor=successor).exists():
        raise StepRefused(_("这两个单位的沿革已经登记过。"))
    whole = kind != Succession.Kind.SPLIT
    moving = _classes(predecessor, None if whole else classes or [])
    if not whole and not moving:
        raise ValidationError({"classes": _("分设至少要选一个班。")})
    stages = stages_of(successor)
    if any(row.stage not in stages for row in moving):
        raise ValidationError({"successor": _("承接单位没有这些班级的学段，请先修改它的类别。")})
    if predecessor.opened and on <= predecessor.opened:
        raise ValidationError({"on": _("应晚于本单位的设立日。")})
    if successor.opened and on < successor.opened:
        raise ValidationError({"on": _("不能早于承接单位的设立日。")})
    begun = max((row.valid_from for row in moving), default=on)
    if on < begun:
        words = _("有班级在这一天之后才建（最晚%s），不能从更早的日子移交。")
        raise ValidationError({"on": words % begun.isoformat()})
    return moving


@transaction.atomic
def succeed(
    predecessor: Organisation,
    *,
    successor: Organisation,
    kind: str,
    on: dt.date,
    document: str,
    classes: list[SchoolClass] | None = None,
    by: Actor,
) -> Effects:
    """Carry a succession out.  Returns what was done.

    A merger and a change hand everything over and close the predecessor on the day before; a split
    hands over the chosen classes with their pupils and leaves the rest.  `document` is the number of
    the approval.  Raises PermissionDenied, OutOfScope, ValidationError, StepRefused.
    """
    post = allowed(by, Permission.SITE_EDIT, predecessor.id)
    allowed(by, Permission.SITE_EDIT, successor.id)
    both = Organisation.objects.select_for_update().order_by("id")
    both = {row.id: row for row in both.filter(id__in=[predecessor.id, successor.id])}
    if len(both) != 2:
        raise ValidationError({"successor": _("承接单位不能是它自己。")})
    predecessor, successor = both[predecessor.id], both[successor.id]
    if not document.strip():
        raise ValidationError({"document": _("请填写批准文号。")})
    whole = kind != Succession.Kind.SPLIT
    moving = examine(predecessor, successor=successor, kind=kind, classes=classes, on=on)
    done = effects(predecessor, kind=kind, classes=classes, on=on)
    Succession.objects.create(
        predecessor=predecessor, successor=successor, on=on, kind=kind, document=document.strip()
    )
    continued = _continue_classes(moving, successor, on)
    hand_over(source=predecessor, target=successor, classes=continued, everybody=whole, on=on)
    if whole:
        _hand_over_staff(predecessor, successor, on)
        _hand_over_posts(predecessor, successor, on)
        predecessor.closed = on - DAY
        predecessor.save()
    record(
        "site.succeed",
        by=by,
        post=post,
        organisation_id=predecessor.id,
        object_type="site",
        object_id=predecessor.code,
        detail={
            "successor": successor.code,
            "kind": kind,
            "on": on.isoformat(),
            "document": document.strip(),
            "classes": done.classes,
            "pupils": done.pupils,
            "staff": done.staff,
            "posts": done.posts,
        },
    )
    return done


def _continue_classes(
    moving: list[SchoolClass], successor: Organisation, on: dt.date
) -> dict[int, SchoolClass]:
    """New classes of the successor; each keeps its number where free, else takes the next one."""
    continued = {}
    for row in moving:
        alike = SchoolClass.objects.filter(
            organisation=successor, stage=row.stage, entry_year=row.entry_year
        )
        number = row.number
        if alike.filter(number=number).exists():
            number = (alike.aggregate(last=Max("number"))["last"] or 0) + 1
        continued[row.id] = SchoolClass.objects.create(
            organisation=successor,
            stage=row.stage,
            entry_year=row.entry_year,
            number=number,
            name=row.name,
            valid_from=on,
        )
        row.valid_to = max(on - DAY, row.valid_from)
        row.version += 1
        row.save()
    return continued


def _hand_over_staff(predecessor: Organisation, successor: Organisation, on: dt.date) -> None:
    there = set(_employments(successor).values_list("staff_id", flat=True))
    for row in _employments(predecessor).select_for_update(of=("self",)):
        main = row.main
        row.valid_to = max(on - DAY, row.valid_from)
        row.save()
        if row.staff_id in there:
            if main:
                _employments(successor).filter(staff_id=row.staff_id).update(main=True)
            continue
        Employment.objects.create(
            staff_id=row.staff_id,
            organisation=successor,
            established=row.established,
            main=main,
            valid_from=on,
        )
    StaffMember.objects.filter(organisation=predecessor).update(organisation=successor)


def _hand_over_posts(predecessor: Organisation, successor: Organisation, on: dt.date) -> None:
    held = set(_posts(successor, on).values_list("user_id", "role"))
    for row in _posts(predecessor, on).select_for_update(of=("self",)):
        if row.valid_from < on:
            row.valid_to = on - DAY
            row.save()
        elif (row.user_id, row.role) not in held:
            row.organisation = successor
            row.save()
            continue
        if (row.user_id, row.role) not in held:
            Post.objects.create(
                user_id=row.user_id,
                organisation=successor,
                role=row.role,
                title=row.title,
                title_en=row.title_en,
                valid_from=on,
            )

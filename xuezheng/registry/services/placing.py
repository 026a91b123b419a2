"""Where a pupil is, from which day to which.  The only writers of placements.

Every function leaves `Pupil.organisation` and `Pupil.school_class` in step with the open placement;
there is at most one.  A change takes effect on a day that has come, so that lists of today are right.
Moving a child to another school, and letting one go, are for whoever reaches both places: row-level
policies refuse a school that tries.
"""

import datetime as dt
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import AT_SCHOOL
from xuezheng.registry.models import Placement, Pupil, SchoolClass
from xuezheng.registry.services.common import allowed, locked, not_later_than_today

DAY = dt.timedelta(days=1)
SUSPENDED = "02"
#: 学籍异动类别 XJYDLB (JY/T 1001).
OUT, IN, OTHER_CLASS, SUSPENSION, RETURN, OTHER = "21", "22", "29", "11", "12", "99"
#: Way of leaving -> the status that the pupil has afterwards.
LEAVING = {OUT: "10", "61": "07", "62": "08", "63": "09", "31": "03", "51": "11", OTHER: "99"}
BATCH = 2000


def open_placement(pupil: Pupil) -> Placement | None:
    """The pupil's open placement, locked."""
    rows = pupil.placements.filter(valid_to__isnull=True).select_for_update(of=("self",))
    return rows.select_related("organisation").first()


def _must_fit(school_class: SchoolClass | None, organisation: Organisation, on: dt.date) -> None:
    if school_class is None:
        return
    if school_class.organisation_id != organisation.id:
        raise ValidationError({"school_class": _("这个班不属于所选学校。")})
    ended = school_class.valid_to is not None and school_class.valid_to < on
    if on < school_class.valid_from or ended:
        raise ValidationError({"school_class": _("这个班在那一天不存在。")})


def _in_step(pupil: Pupil, placement: Placement | None, **fields: str) -> None:
    """Write the open placement's place onto the pupil."""
    pupil.organisation_id = placement.organisation_id if placement else None
    pupil.school_class_id = placement.school_class_id if placement else None
    for name, value in fields.items():
        setattr(pupil, name, value)
    pupil.version += 1
    pupil.save()


def _free_from(pupil: Pupil, on: dt.date, apart_from: int | None = None) -> None:
    """Refuse a placement from a day on which, or after which, another one already holds."""
    later = pupil.placements.exclude(pk=apart_from).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=on)
    )
    if later.exists():
        raise ValidationError({"on": _("这个日子之后已经有就读经历，请核对日期。")})


def begin(
    pupil: Pupil,
    *,
    organisation: Organisation,
    school_class: SchoolClass | None,
    on: dt.date,
    entry_code: str = "",
    status: str = AT_SCHOOL,
) -> Placement:
    """Open a placement of a pupil who has none; for services of this storey, which check the actor."""
    not_later_than_today(on)
    _must_fit(school_class, organisation, on)
    _free_from(pupil, on)
    placement = Placement.objects.create(
        pupil=pupil,
        organisation=organisation,
        school_class=school_class,
        valid_from=on,
        entry_code=entry_code,
    )
    _in_step(pupil, placement, status=status)
    return placement


def _turn(
    pupil: Pupil,
    at: Placement,
    *,
    organisation: Organisation,
    school_class: SchoolClass | None,
    on: dt.date,
    exit_code: str,
    entry_code: str,
    status: str,
) -> None:
    """End the open placement on the day before and open the next one."""
    not_later_than_today(on)
    _must_fit(school_class, organisation, on)
    if on < at.valid_from:
        raise ValidationError(
            {"on": _("不能早于现在这段就读经历的起始日（%s）。") % at.valid_from.isoformat()}
        )
    if on == at.valid_from:
        # Nothing of the old one is left: it is the same beginning, elsewhere.
        at.organisation, at.school_class = organisation, school_class
        at.entry_code = at.entry_code or entry_code
        at.save()
        _in_step(pupil, at, status=status)
        return
    at.valid_to, at.exit_code = on - DAY, exit_code
    at.save()
    begin(
        pupil,
        organisation=organisation,
        school_class=school_class,
        on=on,
        entry_code=entry_code,
        status=status,
    )


def _placed(pupil: Pupil) -> Placement:
    at = open_placement(pupil)
    if at is None:
        raise StepRefused(_("这名学生现在不在任何学校，请先办理转入。"))
    return at


@transaction.atomic
def take_in(
    pupil: Pupil,
    *,
    organisation: Organisation,
    school_class: SchoolClass | None,
    on: dt.date,
    reason: str = "",
    by: Actor,
) -> None:
    """Place a pupil who is nowhere, or transfer one from another school of the district.

    The actor must reach both schools.  Raises PermissionDenied, OutOfScope, ValidationError.
    """
    post = allowed(by, Permission.PUPIL_EDIT, organisation.id)
    pupil = locked(pupil)
    allowed(by, Permission.PUPIL_EDIT, pupil.organisation_id)
    at = open_placement(pupil)
    if at and at.organisation_id == organisation.id:
        raise StepRefused(_("这名学生已经在这所学校；换班请用“调班”。"))
    left = at.organisation_id if at else None
    if at:
        _turn(
            pupil,
            at,
            organisation=organisation,
            school_class=school_class,
            on=on,
            exit_code=OUT,
            entry_code=IN,
            status=AT_SCHOOL,
        )
    else:
        begin(
            pupil,
            organisation=organisation,
            school_class=school_class,
            on=on,
            entry_code=IN if pupil.placements.exists() else "",
        )
    _note("pupil.take_in", pupil, organisation.id, post, by, reason, on, {"left": left})


@transaction.atomic
def move_up(
    pupil: Pupil,
    *,
    organisation: Organisation,
    school_class: SchoolClass | None,
    on: dt.date,
    by: Actor,
) -> None:
    """Begin the next stage: the place of the one before, wherever it was, ends the day before.

    Nothing is written of a transfer.  Who is at the school without a class gets the class.  The actor
    must reach the new school; the caller sees to it that the row is in reach of the transaction.
    Raises PermissionDenied, OutOfScope, ValidationError, StepRefused for who is there in a class.
    """
    post = allowed(by, Permission.PUPIL_EDIT, organisation.id)
    pupil = locked(pupil)
    at = open_placement(pupil)
    if at and at.organisation_id == organisation.id and at.school_class_id is None:
        _must_fit(school_class, organisation, on)
        at.school_class = school_class
        at.save()
        _in_step(pupil, at)
    elif at:
        if at.school_class_id and school_class and at.school_class_id == school_class.id:
            raise StepRefused(_("已经在这个班。"))
        _turn(
            pupil,
            at,
            organisation=organisation,
            school_class=school_class,
            on=on,
            exit_code="",
            entry_code="",
            status=AT_SCHOOL,
        )
    else:
        begin(pupil, organisation=organisation, school_class=school_class, on=on)
    if pupil.entered_on is None or not at or at.organisation_id != organisation.id:
        Pupil.objects.filter(pk=pupil.pk).update(entered_on=on)
    _note("pupil.take_in", pupil, organisation.id, post, by, "", on, {})


@transaction.atomic
def change_class(
    pupil: Pupil, *, school_class: SchoolClass, on: dt.date, reason: str = "", by: Actor
) -> None:
    """Move a pupil to another class of the same school from a day."""
    pupil = locked(pupil)
    at = _placed(pupil)
    post = allowed(by, Permission.PUPIL_EDIT, at.organisation_id)
    if at.school_class_id == school_class.id:
        raise ValidationError({"school_class": _("已经在这个班。")})
    _turn(
        pupil,
        at,
        organisation=at.organisation,
        school_class=school_class,
        on=on,
        exit_code=OTHER_CLASS,
        entry_code=OTHER_CLASS,
        status=pupil.status,
    )
    detail = {"class": school_class.id}
    _note("pupil.change_class", pupil, at.organisation_id, post, by, reason, on, detail)


@transaction.atomic
def suspend(pupil: Pupil, *, on: dt.date, reason: str = "", by: Actor) -> None:
    """休学 from a day: the pupil keeps school and class."""
    _pause(pupil, on, reason, by, code=SUSPENSION, status=SUSPENDED, action="pupil.suspend")


@transaction.atomic
def resume(pupil: Pupil, *, on: dt.date, reason: str = "", by: Actor) -> None:
    """复学 from a day."""
    _pause(pupil, on, reason, by, code=RETURN, status=AT_SCHOOL, action="pupil.resume")


def _pause(
    pupil: Pupil, on: dt.date, reason: str, by: Actor, *, code: str, status: str, action: str
) -> None:
    pupil = locked(pupil)
    at = _placed(pupil)
    post = allowed(by, Permission.PUPIL_EDIT, at.organisation_id)
    if (pupil.status == SUSPENDED) is (status == SUSPENDED):
        raise StepRefused(_("学生已经是这个状态。"))
    _turn(
        pupil,
        at,
        organisation=at.organisation,
        school_class=at.school_class,
        on=on,
        exit_code=code,
        entry_code=code,
        status=status,
    )
    _note(action, pupil, at.organisation_id, post, by, reason, on, {})


@transaction.atomic
def leave(pupil: Pupil, *, on: dt.date, exit_code: str, reason: str = "", by: Actor) -> None:
    """End the placement; `on` is the last day at school.  `exit_code` is a key of LEAVING."""
    pupil = locked(pupil)
    at = _placed(pupil)
    allowed(by, Permission.PUPIL_EDIT, None)
    post = allowed(by, Permission.PUPIL_EDIT, at.organisation_id)
    not_later_than_today(on)
    if on < at.valid_from:
        raise ValidationError({"on": _("不能早于起始日（%s）。") % at.valid_from.isoformat()})
    at.valid_to, at.exit_code = on, exit_code
    at.save()
    _in_step(pupil, None, status=LEAVING[exit_code])
    _note("pupil.leave", pupil, at.organisation_id, post, by, reason, on, {"code": exit_code})


@transaction.atomic
def correct(
    placement: Placement,
    *,
    school_class: SchoolClass | None,
    valid_from: dt.date,
    valid_to: dt.date | None,
    reason: str,
    by: Actor,
) -> None:
    """Put a placement's days or class right; a reason is asked because figures of the past change.

    It may not overlap another placement, nor open a closed one beside an open one.
    """
    post = allowed(by, Permission.PUPIL_EDIT, placement.organisation_id)
    pupil = locked(placement.pupil)
    placement = Placement.objects.select_for_update(of=("self",)).get(pk=placement.pk)
    if not reason.strip():
        raise ValidationError({"reason": _("请写明更正的理由。")})
    not_later_than_today(valid_from, "valid_from")
    if valid_to is not None:
        not_later_than_today(valid_to, "valid_to")
        if valid_to < valid_from:
            raise ValidationError({"valid_to": _("截止日不能早于起始日。")})
    if (valid_to is None) != (placement.valid_to is None):
        raise ValidationError({"valid_to": _("结束或恢复就读请用“离校”“转入”，这里只更正日期。")})
    _must_fit(school_class, placement.organisation, valid_from)
    others = pupil.placements.exclude(pk=placement.pk)
    clash = Q(valid_to__isnull=True) | Q(valid_to__gte=valid_from)
    if valid_to is not None:
        clash &= Q(valid_from__lte=valid_to)
    if others.filter(clash).exists():
        raise ValidationError({"valid_from": _("与另一段就读经历重叠。")})
    before = {"from": placement.valid_from.isoformat(), "class": placement.school_class_id}
    placement.school_class, placement.valid_from, placement.valid_to = (
        school_class,
        valid_from,
        valid_to,
    )
    placement.save()
    if placement.valid_to is None:
        _in_step(pupil, placement)
    detail = {"before": before, "placement": placement.id}
    _note("pupil.correct", pupil, placement.organisation_id, post, by, reason, valid_from, detail)


def hand_over(
    *,
    source: Organisation,
    target: Organisation,
    classes: Mapping[int, SchoolClass],
    everybody: bool,
    on: dt.date,
) -> int:
    """Move the open placements of a school to its successor from a day; returns how many.

    `classes`: id of an old class -> the class that continues it; with `everybody` also the pupils
    of no class.  For the succession of schools, which checks the actor.
    """
    which = Q(school_class__in=list(classes))
    if everybody:
        which |= Q(school_class__isnull=True)
    rows = Placement.objects.filter(which, organisation=source, valid_to__isnull=True)
    begun = list(rows.filter(valid_from__lt=on).values_list("pupil_id", "school_class_id"))
    rows.filter(valid_from__gte=on).update(organisation=target)
    rows.filter(valid_from__lt=on).update(valid_to=on - DAY, exit_code=OTHER)
    Placement.objects.bulk_create(
        (
            Placement(
                pupil_id=pupil_id,
                organisation=target,
                school_class=classes.get(class_id),
                valid_from=on,
                entry_code=OTHER,
            )
            for pupil_id, class_id in begun
        ),
        batch_size=BATCH,
    )
    moved = 0
    for old, new in classes.items():
        Placement.objects.filter(
            organisation=target, school_class=old, valid_to__isnull=True
        ).update(school_class=new)
        moved += Pupil.objects.filter(organisation=source, school_class=old).update(
            organisation=target, school_class=new, version=F("version") + 1
        )
    if everybody:
        moved += Pupil.objects.filter(organisation=source, school_class__isnull=True).update(
            organisation=target, version=F("version") + 1
        )
    return moved


def _note(
    action: str,
    pupil: Pupil,
    organisation_id: int,
    post,
    by: Actor,
    reason: str,
    on: dt.date,
    detail: dict,
) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=organisation_id,
        object_type="pupil",
        object_id=pupil.id,
        reason=reason,
        detail={"on": on.isoformat()} | detail,
    )

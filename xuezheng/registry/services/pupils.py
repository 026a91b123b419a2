"""Entering and editing pupils."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import student_number_problem
from xuezheng.registry.models import Pupil, SchoolClass
from xuezheng.registry.models.merging import PersonKind
from xuezheng.registry.names import normal_name
from xuezheng.registry.selectors import pupil_ids_with
from xuezheng.registry.services.common import (
    allowed,
    apply,
    check_names,
    locked,
    settle_identity,
    tidy_number,
    unique,
)
from xuezheng.registry.services.placing import begin

#: Fields that a form may set; the placement has services of its own.
EDITABLE = (
    "name", "former_name", "sex", "born_on", "id_kind", "id_number", "student_number", "ethnicity",
    "nationality", "register_division", "boarding", "entered_on",
)  # fmt: skip
TAKEN = gettext_lazy("这个证件号码或学籍号已有登记；如在其他学校，请联系学籍管理员办理转入。")
STUDENT_NUMBER = gettext_lazy("学籍号应为 G 加身份证号，或 J、L 开头的编号；请核对每一位。")


def _settled(
    fields: dict[str, Any], by: Actor, born_before: dt.date | None = None
) -> dict[str, Any]:
    check_names(fields, "name", "former_name")
    fields = settle_identity(
        {name: fields.get(name) for name in EDITABLE if name in fields},
        kind=PersonKind.PUPIL,
        by=by,
        born_before=born_before,
    )
    fields["name"] = normal_name(fields["name"])
    number = tidy_number(fields.get("student_number") or "", "")
    if number and student_number_problem(number):
        raise ValidationError({"student_number": str(STUDENT_NUMBER)})
    return fields | {"student_number": number or None}


def _refuse_taken(fields: dict[str, Any], own: Pupil | None = None) -> None:
    """A number that a live row holds, in reach or not.  The school is not named."""
    for name in ("id_number", "student_number"):
        others = pupil_ids_with(fields[name]) if fields.get(name) else []
        if any(own is None or found != own.id for found in others):
            raise ValidationError({name: str(TAKEN)})


@transaction.atomic
def create_pupil(
    *,
    fields: dict[str, Any],
    organisation: Organisation,
    school_class: SchoolClass | None,
    on: dt.date,
    by: Actor,
) -> Pupil:
    """Enter a pupil who begins at a school on a day.

    `fields`: values by name, of EDITABLE.  Raises PermissionDenied, OutOfScope, ValidationError (a
    number that is wrong or taken, a day to come, a class of another school).
    """
    post = allowed(by, Permission.PUPIL_EDIT, organisation.id)
    fields = _settled(fields, by)
    _refuse_taken(fields)
    pupil = Pupil(organisation=organisation, school_class=school_class, **fields)
    if pupil.entered_on is None:
        pupil.entered_on = on
    with unique(str(TAKEN)):
        pupil.save(force_insert=True)
    begin(pupil, organisation=organisation, school_class=school_class, on=on)
    record(
        "pupil.create",
        by=by,
        post=post,
        organisation_id=organisation.id,
        object_type="pupil",
        object_id=pupil.id,
        detail={"on": on.isoformat()},
    )
    return pupil


@transaction.atomic
def edit_pupil(pupil: Pupil, *, fields: dict[str, Any], version: int, by: Actor) -> Pupil:
    """Change what identifies and describes a pupil.  A new name keeps the old one as former name.

    Raises PermissionDenied, OutOfScope, Stale, ValidationError, StepRefused for a merged row.
    """
    post = allowed(by, Permission.PUPIL_EDIT, pupil.organisation_id)
    pupil = locked(pupil, version)
    if pupil.merged_into_id:
        raise StepRefused(_("这条记录已并入另一条，不能再改。"))
    fields = _settled(fields, by, pupil.born_on)
    _refuse_taken(fields, own=pupil)
    old_name = pupil.name
    changed = apply(pupil, fields)
    if not changed:
        return pupil
    if "name" in changed and not fields.get("former_name"):
        pupil.former_name = old_name
    pupil.version += 1
    with unique(str(TAKEN)):
        pupil.save()
    record(
        "pupil.edit",
        by=by,
        post=post,
        organisation_id=pupil.organisation_id,
        object_type="pupil",
        object_id=pupil.id,
        detail={"fields": changed},
    )
    return pupil

"""Classes: opening several at once, naming, closing.  Grades follow from the day by themselves."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.models import SchoolClass
from xuezheng.registry.selectors import stages_of
from xuezheng.registry.services.common import allowed, locked, not_later_than_today, unique

#: More classes of one grade than any school opens at once.
MOST = 30


@transaction.atomic
def create_classes(
    *,
    organisation: Organisation,
    stage: str,
    entry_year: int,
    count: int,
    valid_from: dt.date,
    by: Actor,
) -> list[SchoolClass]:
    """Open `count` classes (1..30) that enter in a year, numbered after the last one there is."""
    post = allowed(by, Permission.CLASS_EDIT, organisation.id)
    if organisation.closed:
        raise StepRefused(_("这个单位已经撤销。"))
    if stage not in stages_of(organisation):
        raise ValidationError({"stage": _("这个单位没有该学段。")})
    if not 1 <= count <= MOST:
        raise ValidationError({"count": _("一次可建1至30个班。")})
    alike = SchoolClass.objects.filter(
        organisation=organisation, stage=stage, entry_year=entry_year
    )
    last = alike.aggregate(last=Max("number"))["last"] or 0
    with unique(_("别人刚建了同样的班，请刷新后再试。")):
        made = SchoolClass.objects.bulk_create(
            SchoolClass(
                organisation=organisation,
                stage=stage,
                entry_year=entry_year,
                number=last + offset,
                valid_from=valid_from,
            )
            for offset in range(1, count + 1)
        )
    record(
        "class.create",
        by=by,
        post=post,
        organisation_id=organisation.id,
        object_type="class",
        object_id=made[0].id,
        detail={"stage": stage, "entry_year": entry_year, "count": count},
    )
    return made


@transaction.atomic
def rename_class(school_class: SchoolClass, *, name: str, version: int, by: Actor) -> None:
    """Give a class a name of its own; empty for grade and number."""
    post = allowed(by, Permission.CLASS_EDIT, school_class.organisation_id)
    row = locked(school_class, version)
    row.name = name.strip()
    row.version += 1
    row.save()
    _note("class.rename", row, post, by, {})


@transaction.atomic
def close_class(school_class: SchoolClass, *, on: dt.date, version: int, by: Actor) -> None:
    """Close a class that has nobody left; `on` is its last day."""
    post = allowed(by, Permission.CLASS_EDIT, school_class.organisation_id)
    row = locked(school_class, version)
    not_later_than_today(on)
    if row.valid_to is not None:
        raise StepRefused(_("这个班已经撤销。"))
    if on < row.valid_from:
        raise ValidationError({"on": _("不能早于建班日（%s）。") % row.valid_from.isoformat()})
    left = row.pupils.filter(merged_into__isnull=True).count()
    if left:
        raise StepRefused(
            ngettext(
                "班里还有%d名学生，请先调班或办理离校。",
                "班里还有%d名学生，请先调班或办理离校。",
                left,
            )
            % left
        )
    row.valid_to = on
    row.version += 1
    row.save()
    _note("class.close", row, post, by, {"on": on.isoformat()})


def _note(action: str, row: SchoolClass, post, by: Actor, detail: dict[str, str]) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=row.organisation_id,
        object_type="class",
        object_id=row.id,
        detail=detail,
    )

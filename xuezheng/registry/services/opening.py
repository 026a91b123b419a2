"""The first month: names matched once, systems switched on school by school."""

import datetime as dt
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor, OutOfScope
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.registry.access import Permission
from xuezheng.registry.models import SiteAlias, SystemSwitch
from xuezheng.registry.services.common import allowed


@transaction.atomic
def match_names(names: Mapping[str, Organisation], *, by: Actor) -> int:
    """Remember which unit each name of another program means; a name matched before is corrected.

    Raises PermissionDenied, OutOfScope.
    """
    post = allowed(by, Permission.OPENING, None)
    reach = by.scope(Permission.OPENING)
    for name, unit in names.items():
        if unit.id not in reach:
            raise OutOfScope(str(Permission.OPENING))
        SiteAlias.objects.update_or_create(
            name=name[:100], defaults={"organisation": unit, "matched_by": by.user}
        )
        record(
            "opening.match",
            by=by,
            post=post,
            organisation_id=unit.id,
            object_type="site",
            object_id=unit.code,
        )
    return len(names)


@transaction.atomic
def forget_name(alias: SiteAlias, *, by: Actor) -> None:
    """A name that was matched wrongly means nothing again."""
    post = allowed(by, Permission.OPENING, alias.organisation_id)
    record(
        "opening.unmatch",
        by=by,
        post=post,
        organisation_id=alias.organisation_id,
        object_type="site",
        object_id=alias.organisation.code,
    )
    alias.delete()


@transaction.atomic
def switch_system(
    system: str, *, units: Iterable[Organisation], on: bool, day: dt.date | None, by: Actor
) -> int:
    """Let units work with a system from a day, or no longer from a day; without a day: not yet.

    Gives how many units.  Raises PermissionDenied, OutOfScope, ValidationError.
    """
    post = allowed(by, Permission.OPENING, None)
    reach = by.scope(Permission.OPENING)
    units = list(units)
    if not units:
        raise ValidationError(_("请选择学校。"))
    if on and day is None:
        raise ValidationError(_("请写启用日。"))
    for unit in units:
        if unit.id not in reach:
            raise OutOfScope(str(Permission.OPENING))
        row, _made = SystemSwitch.objects.get_or_create(system=system, organisation=unit)
        if on:
            row.on_from, row.off_from = day, None
        elif day is not None and row.on_from and row.on_from < day:
            row.off_from = day
        else:
            row.on_from, row.off_from = None, None
        row.save()
        record(
            "opening.switch",
            by=by,
            post=post,
            organisation_id=unit.id,
            object_type="system",
            object_id=system,
            detail={"on": on, "day": day.isoformat() if day else None},
        )
    return len(units)

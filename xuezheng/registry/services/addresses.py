"""Communities, dwellings, and where a pupil is registered and lives."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.registry.access import Permission
from xuezheng.registry.models import Community, Dwelling, Pupil, Residence
from xuezheng.registry.services.common import allowed, apply, locked, not_later_than_today, unique

DAY = dt.timedelta(days=1)


def _check_code(code: str) -> None:
    """A statistics code has twelve digits: province to village (国家统计局 统计用区划代码)."""
    if not (len(code) == 12 and code.isdigit()):
        raise ValidationError({"code": _("统计用区划代码是12位数字。")})


@transaction.atomic
def save_community(
    community: Community | None,
    *,
    town: Organisation,
    code: str,
    name: str,
    kind: str,
    island: str,
    by: Actor,
) -> Community:
    """Create (None) or edit a community of a town."""
    post = allowed(by, Permission.ADDRESS_EDIT, town.id)
    if community is not None:
        allowed(by, Permission.ADDRESS_EDIT, community.town_id)
    _check_code(code)
    row = community or Community()
    apply(row, {"town": town, "code": code, "name": name, "kind": kind, "island": island})
    with unique(_("这个区划代码已经用过。")):
        row.save()
    _note("community.save", "community", row.id, town.id, post, by)
    return row


@transaction.atomic
def save_dwelling(
    dwelling: Dwelling | None,
    *,
    community: Community,
    road: str,
    number: int | None,
    suffix: str,
    building: str,
    room: str,
    by: Actor,
) -> Dwelling:
    """Create (None) or edit a dwelling.  Whoever lives there moves with it."""
    post = allowed(by, Permission.ADDRESS_EDIT, community.town_id)
    if dwelling is not None:
        allowed(by, Permission.ADDRESS_EDIT, dwelling.community.town_id)
    row = dwelling or Dwelling()
    apply(
        row,
        {
            "community": community,
            "road": road,
            "number": number,
            "suffix": suffix,
            "building": building,
            "room": room,
        },
    )
    with unique(_("这个住址已经登记过。")):
        row.save()
    _note("dwelling.save", "dwelling", row.id, community.town_id, post, by)
    return row


@transaction.atomic
def set_residence(
    pupil: Pupil, *, dwelling: Dwelling, kind: str, on: dt.date, by: Actor
) -> Residence:
    """Say where a pupil is registered or lives from a day; the earlier one of the kind ends.

    On the same first day as the earlier one, that is corrected instead.  Raises PermissionDenied,
    OutOfScope, ValidationError.
    """
    post = allowed(by, Permission.PUPIL_EDIT, pupil.organisation_id)
    pupil = locked(pupil)
    not_later_than_today(on)
    present = pupil.residences.filter(kind=kind, valid_to__isnull=True).first()
    if present and on < present.valid_from:
        message = _("不能早于现住址的起始日（%s）。") % present.valid_from.isoformat()
        raise ValidationError({"on": message})
    if present and present.valid_from == on:
        present.dwelling = dwelling
        present.save()
        row = present
    else:
        if present:
            present.valid_to = on - DAY
            present.save()
        row = Residence.objects.create(pupil=pupil, dwelling=dwelling, kind=kind, valid_from=on)
    detail = {"kind": kind, "on": on.isoformat()}
    _note("pupil.residence", "pupil", pupil.id, pupil.organisation_id, post, by, detail)
    return row


def _note(
    action: str,
    object_type: str,
    object_id: object,
    organisation_id: int | None,
    post,
    by: Actor,
    detail: dict[str, Any] | None = None,
) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=organisation_id,
        object_type=object_type,
        object_id=object_id,
        detail=detail,
    )

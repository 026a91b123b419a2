"""Who answers for a pupil: adding, editing, ending, and who comes first."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.models import Guardian, Guardianship, Pupil
from xuezheng.registry.names import normal_name
from xuezheng.registry.services.common import (
    allowed,
    apply,
    check_names,
    locked,
    not_later_than_today,
    settle_identity,
    tidy_phone,
    unique,
)
from xuezheng.registry.services.families import telephones_changed

EDITABLE = ("name", "id_kind", "id_number", "sex", "born_on", "phone")


def _settled(fields: dict[str, Any], by: Actor) -> dict[str, Any]:
    check_names(fields, "name")
    fields = settle_identity({name: fields.get(name) for name in EDITABLE}, by=by)
    phone = tidy_phone(fields.get("phone") or "")
    if phone and not (phone.lstrip("+").isdigit() and 7 <= len(phone) <= 16):
        raise ValidationError({"phone": _("电话号码只写数字，7至16位。")})
    return fields | {"name": normal_name(fields["name"]), "phone": phone or None}


def _known(fields: dict[str, Any], by: Actor) -> Guardian | None:
    """A guardian in reach with the same number and name: siblings share one row."""
    if not fields["id_number"]:
        return None
    rows = Guardian.objects.visible_to(by).live()
    return rows.filter(
        id_kind=fields["id_kind"], id_number=fields["id_number"], name=fields["name"]
    ).first()


@transaction.atomic
def add_guardian(
    pupil: Pupil, *, fields: dict[str, Any], relation: str, main: bool, by: Actor
) -> Guardianship:
    """Add a guardian from today; one who is in reach already (a sibling's) is used again.

    The first guardian of a pupil is the main one.  Raises PermissionDenied, OutOfScope,
    ValidationError, StepRefused when the person is a guardian of the pupil already.
    """
    post = allowed(by, Permission.PUPIL_EDIT, pupil.organisation_id)
    pupil = locked(pupil)
    fields = _settled(fields, by)
    guardian, written = _known(fields, by), False
    if guardian is None:
        guardian = Guardian(**fields)
        guardian.save(force_insert=True)
        written = True
    elif fields["phone"] and apply(guardian, {"phone": fields["phone"]}):
        guardian.version += 1
        guardian.save()
        written = True
    if written:
        telephones_changed([guardian.pk])
    current = pupil.guardianships.filter(valid_to__isnull=True)
    main = main or not current.exists()
    if main:
        current.update(main=False)
    with unique(_("这个人已经是这名学生的监护人。")):
        held = Guardianship.objects.create(
            pupil=pupil,
            guardian=guardian,
            relation=relation,
            main=main,
            valid_from=timezone.localdate(),
        )
    _note("guardian.add", held, post, by, {"relation": relation, "main": main})
    return held


@transaction.atomic
def edit_guardian(
    held: Guardianship,
    *,
    fields: dict[str, Any],
    relation: str,
    main: bool,
    version: int,
    by: Actor,
) -> None:
    """Change a guardian's own facts, the relation to this pupil, and whether this one comes first."""
    post = allowed(by, Permission.PUPIL_EDIT, held.pupil.organisation_id)
    guardian = locked(held.guardian, version)
    changed = apply(guardian, _settled(fields, by))
    if changed:
        guardian.version += 1
        guardian.save()
    if "phone" in changed:
        telephones_changed([guardian.pk])
    held = Guardianship.objects.select_for_update(of=("self",)).get(pk=held.pk)
    if main and not held.main:
        Guardianship.objects.filter(pupil_id=held.pupil_id, valid_to__isnull=True).update(
            main=False
        )
    changed += apply(held, {"relation": relation, "main": main or held.main})
    held.save()
    _note("guardian.edit", held, post, by, {"fields": changed})


@transaction.atomic
def end_guardianship(held: Guardianship, *, on: dt.date, reason: str = "", by: Actor) -> None:
    """End a guardianship; the next one becomes the main one when it was the main one.

    Raises StepRefused for the last guardian: somebody must be reachable.
    """
    post = allowed(by, Permission.PUPIL_EDIT, held.pupil.organisation_id)
    locked(held.pupil)
    held = Guardianship.objects.select_for_update(of=("self",)).get(pk=held.pk)
    if held.valid_to is not None:
        raise StepRefused(_("这段监护关系已经结束。"))
    not_later_than_today(on)
    if on < held.valid_from:
        raise ValidationError({"on": _("不能早于起始日（%s）。") % held.valid_from.isoformat()})
    others = Guardianship.objects.filter(pupil_id=held.pupil_id, valid_to__isnull=True)
    following = others.exclude(pk=held.pk).order_by("relation", "id").first()
    if following is None:
        raise StepRefused(_("至少要留一位监护人：请先登记另一位。"))
    was_main, held.main, held.valid_to = held.main, False, on
    held.save()
    if was_main:
        following.main = True
        following.save()
    _note("guardian.end", held, post, by, {"on": on.isoformat()}, reason)


def _note(
    action: str, held: Guardianship, post, by: Actor, detail: dict[str, Any], reason: str = ""
) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=held.pupil.organisation_id,
        object_type="pupil",
        object_id=held.pupil_id,
        reason=reason,
        detail=detail | {"guardian": str(held.guardian_id)},
    )

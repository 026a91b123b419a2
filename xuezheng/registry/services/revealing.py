"""Showing one whole number to somebody who says why."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.registry.services.common import allowed

#: What may be shown of which kind of person.
FIELDS = {
    "pupil": ("id_number", "student_number"),
    "guardian": ("id_number", "phone"),
    "staff": ("id_number", "phone"),
}


def reveal(
    person: models.Model,
    *,
    kind: str,
    field: str,
    organisation_id: int | None,
    permission: str,
    reason: str,
    by: Actor,
) -> str:
    """The whole number.  The trail keeps who, whose, which field and why; never the number.

    Raises PermissionDenied, OutOfScope, ValidationError without a reason, KeyError for a field that
    is not among FIELDS.
    """
    if field not in FIELDS[kind]:
        raise KeyError(field)
    post = allowed(by, permission, organisation_id)
    if len(reason.strip()) < 2:
        raise ValidationError({"reason": _("请写明查看的理由。")})
    record(
        f"{kind}.reveal",
        by=by,
        post=post,
        organisation_id=organisation_id,
        object_type=kind,
        object_id=person.pk,
        reason=reason.strip(),
        detail={"field": field},
    )
    return getattr(person, field) or ""

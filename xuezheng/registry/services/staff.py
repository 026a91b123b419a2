"""Members of staff, where they are employed, and the account that they sign in with."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.models import Employment, StaffMember
from xuezheng.registry.models.merging import PersonKind
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

EDITABLE = (
    "name", "sex", "born_on", "id_kind", "id_number", "work_number", "phone", "education",
    "category", "subject", "employed_on",
)  # fmt: skip
TAKEN = gettext_lazy("这个证件号码已有登记；如在其他单位，请联系管理员增加任职。")
NUMBER_TAKEN = gettext_lazy("这个工号已有人用。")


def _settled(
    fields: dict[str, Any], by: Actor, born_before: dt.date | None = None
) -> dict[str, Any]:
    check_names(fields, "name")
    fields = settle_identity(
        {name: fields.get(name) for name in EDITABLE if name in fields},
        kind=PersonKind.STAFF,
        by=by,
        born_before=born_before,
    )
    return fields | {
        "name": normal_name(fields["name"]),
        "phone": tidy_phone(fields.get("phone") or "") or None,
        "work_number": (fields.get("work_number") or "").strip() or None,
    }


def _save(row: StaffMember, **more: bool) -> None:
    with unique(str(TAKEN), registry_staffmember_work_number_key=str(NUMBER_TAKEN)):
        row.save(**more)


@transaction.atomic
def create_staff(
    *,
    fields: dict[str, Any],
    organisation: Organisation,
    established: bool,
    on: dt.date,
    by: Actor,
) -> StaffMember:
    """Enter a member of staff with the main employment from a day."""
    post = allowed(by, Permission.STAFF_EDIT, organisation.id)
    not_later_than_today(on)
    member = StaffMember(organisation=organisation, **_settled(fields, by))
    _save(member, force_insert=True)
    Employment.objects.create(
        staff=member, organisation=organisation, established=established, valid_from=on
    )
    _note("staff.create", member, organisation.id, post, by, {"on": on.isoformat()})
    return member


@transaction.atomic
def edit_staff(member: StaffMember, *, fields: dict[str, Any], version: int, by: Actor) -> None:
    """Change what identifies and describes a member of staff.  Raises Stale and ValidationError."""
    post = allowed(by, Permission.STAFF_EDIT, member.organisation_id)
    member = locked(member, version)
    if member.merged_into_id:
        raise StepRefused(_("这条记录已并入另一条，不能再改。"))
    changed = apply(member, _settled(fields, by, member.born_on))
    if changed:
        member.version += 1
        _save(member)
        _note("staff.edit", member, member.organisation_id, post, by, {"fields": changed})


@transaction.atomic
def employ(
    member: StaffMember,
    *,
    organisation: Organisation,
    established: bool,
    main: bool,
    on: dt.date,
    by: Actor,
) -> Employment:
    """Add an employment from a day; as the main one it takes that from the present main one."""
    post = allowed(by, Permission.STAFF_EDIT, organisation.id)
    allowed(by, Permission.STAFF_EDIT, member.organisation_id)
    member = locked(member)
    not_later_than_today(on)
    running = member.employments.filter(valid_to__isnull=True)
    if running.filter(organisation=organisation).exists():
        raise StepRefused(_("已在这个单位任职。"))
    main = main or not running.exists()
    if main:
        running.update(main=False)
    row = Employment.objects.create(
        staff=member,
        organisation=organisation,
        established=established,
        main=main,
        valid_from=on,
    )
    _settle_place(member)
    _note("staff.employ", member, organisation.id, post, by, {"on": on.isoformat(), "main": main})
    return row


@transaction.atomic
def end_employment(employment: Employment, *, on: dt.date, reason: str = "", by: Actor) -> None:
    """End an employment; `on` is its last day.  Another running one becomes the main one."""
    post = allowed(by, Permission.STAFF_EDIT, employment.organisation_id)
    member = locked(employment.staff)
    employment = Employment.objects.select_for_update(of=("self",)).get(pk=employment.pk)
    if employment.valid_to is not None:
        raise StepRefused(_("这段任职已经结束。"))
    not_later_than_today(on)
    if on < employment.valid_from:
        message = _("不能早于起始日（%s）。") % employment.valid_from.isoformat()
        raise ValidationError({"on": message})
    employment.valid_to = on
    employment.save()
    if employment.main:
        following = member.employments.filter(valid_to__isnull=True).order_by("valid_from").first()
        if following:
            following.main = True
            following.save()
    _settle_place(member)
    _note(
        "staff.leave",
        member,
        employment.organisation_id,
        post,
        by,
        {"on": on.isoformat()},
        reason,
    )


def _settle_place(member: StaffMember) -> None:
    """The member's organisation is that of the running main employment."""
    main = member.employments.filter(valid_to__isnull=True, main=True).first()
    member.organisation_id = main.organisation_id if main else None
    member.version += 1
    member.save()


@transaction.atomic
def link_account(member: StaffMember, *, user: User | None, by: Actor) -> None:
    """Link the account that the person signs in with, or take the link away.

    The account must hold a post within the actor's reach: a school cannot claim anybody's account.
    """
    post = allowed(by, Permission.STAFF_EDIT, member.organisation_id)
    reach = by.scope(Permission.STAFF_EDIT).organisations
    if user is not None and not user.posts.filter(organisation_id__in=reach).exists():
        raise ValidationError({"username": _("这个账号不在您管理的单位任职。")})
    member = locked(member)
    member.user = user
    member.version += 1
    with unique(_("这个账号已关联另一名教职工。")):
        member.save()
    detail = {"user": user.id if user else None}
    _note("staff.account", member, member.organisation_id, post, by, detail)


def _note(
    action: str,
    member: StaffMember,
    organisation_id: int | None,
    post,
    by: Actor,
    detail: dict[str, Any],
    reason: str = "",
) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=organisation_id,
        object_type="staff",
        object_id=member.id,
        reason=reason,
        detail=detail,
    )

"""Schools, kindergartens and other sites: creating, editing, moving under another town, closing."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, in_force
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import credit_code_problem, school_code_problem
from xuezheng.registry.models import SiteProfile
from xuezheng.registry.selectors import authority
from xuezheng.registry.services.common import (
    allowed,
    apply,
    locked,
    not_later_than_today,
    unique,
)

DAY = dt.timedelta(days=1)
ORGANISATION = ("name", "name_en", "short_name", "kind")
PROFILE = (
    "school_code", "credit_code", "ownership", "locality", "island", "places", "address", "phone",
)  # fmt: skip
SCHOOL_CODE = gettext_lazy("学校标识码是10位数字，前两位是学校类别（幼儿园11、小学21、初中31等）。")
CREDIT = {
    "shape": gettext_lazy("统一社会信用代码是18位大写字母和数字，不含 I、O、S、V、Z。"),
    "check": gettext_lazy("统一社会信用代码末位与前17位对不上，请逐位核对。"),
}


def _settled(fields: dict[str, Any]) -> dict[str, Any]:
    school_code = (fields.get("school_code") or "").strip()
    credit_code = (fields.get("credit_code") or "").strip().upper()
    wrong = {}
    if school_code and school_code_problem(school_code):
        wrong["school_code"] = str(SCHOOL_CODE)
    problem = credit_code_problem(credit_code) if credit_code else ""
    if problem:
        wrong["credit_code"] = str(CREDIT[problem])
    if wrong:
        raise ValidationError(wrong)
    return fields | {"school_code": school_code or None, "credit_code": credit_code}


def _write(site: Organisation, profile: SiteProfile, fields: dict[str, Any]) -> list[str]:
    changed = apply(site, {name: fields[name] for name in ORGANISATION if name in fields})
    changed += apply(profile, {name: fields[name] for name in PROFILE if name in fields})
    with unique(_("这个代码已有单位使用。")):
        site.save()
        profile.organisation = site
        profile.save()
    return changed


@transaction.atomic
def create_site(
    *, code: str, town: Organisation, opened: dt.date, fields: dict[str, Any], by: Actor
) -> Organisation:
    """Open a site under the authority and in a town, from a day.

    `fields`: values by name, of ORGANISATION and PROFILE.  Raises PermissionDenied, OutOfScope,
    ValidationError for a code that is wrong, StepRefused for one that is taken.
    """
    post = allowed(by, Permission.SITE_EDIT, town.id)
    site = Organisation(code=code.strip(), opened=opened)
    _write(site, SiteProfile(), _settled(fields))
    top = authority(by)
    for parent, kind in ((top, EdgeKind.AUTHORITY), (town, EdgeKind.AREA)):
        OrganisationEdge.objects.create(parent=parent, child=site, kind=kind, valid_from=opened)
    _note("site.create", site, post, by, {"town": town.code})
    return site


@transaction.atomic
def edit_site(site: Organisation, *, fields: dict[str, Any], version: int, by: Actor) -> None:
    """Change a site's name, kind and profile.  `version` is the profile's (0: none yet)."""
    post = allowed(by, Permission.SITE_EDIT, site.id)
    site = Organisation.objects.select_for_update().get(pk=site.pk)
    profile = SiteProfile.objects.filter(pk=site.pk).first()
    profile = locked(profile, version) if profile else SiteProfile(version=0)
    changed = _write(site, profile, _settled(fields))
    if changed:
        profile.version += 1
        profile.save()
        _note("site.edit", site, post, by, {"fields": changed})


@transaction.atomic
def move_site(site: Organisation, *, town: Organisation, on: dt.date, by: Actor) -> None:
    """Put a site under another town from a day; figures of earlier days stay with the old town."""
    post = allowed(by, Permission.SITE_EDIT, site.id)
    allowed(by, Permission.SITE_EDIT, town.id)
    not_later_than_today(on)
    edges = OrganisationEdge.objects.select_for_update().filter(child=site, kind=EdgeKind.AREA)
    present = edges.filter(in_force(on)).first()
    if present and present.parent_id == town.id:
        raise StepRefused(_("这个单位已经在该镇街。"))
    if edges.filter(valid_from__gt=on).exists():
        raise ValidationError({"on": _("这个日子之后已经调整过所属镇街。")})
    if present and present.valid_from == on:
        present.parent = town
        present.save()
    else:
        if present:
            present.valid_to = on - DAY
            present.save()
        OrganisationEdge.objects.create(parent=town, child=site, kind=EdgeKind.AREA, valid_from=on)
    _note("site.move", site, post, by, {"town": town.code, "on": on.isoformat()})


@transaction.atomic
def close_site(site: Organisation, *, on: dt.date, document: str, by: Actor) -> None:
    """Close a site that has no pupils, classes or staff left; `on` is its last day.

    The edges stay: its history must remain visible to whoever saw it.  Raises StepRefused while
    somebody is left: use the succession.
    """
    post = allowed(by, Permission.SITE_EDIT, site.id)
    not_later_than_today(on)
    site = Organisation.objects.select_for_update().get(pk=site.pk)
    if site.closed:
        raise StepRefused(_("这个单位已经撤销。"))
    if site.opened and on < site.opened:
        raise ValidationError({"on": _("不能早于设立日。")})
    left = {
        _("在校学生"): site.pupils.filter(merged_into__isnull=True).count(),
        _("班级"): site.classes.filter(valid_to__isnull=True).count(),
        _("在职人员"): site.employments.filter(valid_to__isnull=True).count(),
    }
    waiting = [f"{label} {count}" for label, count in left.items() if count]
    if waiting:
        message = _("还有%s，请先用“合并、分设或更名”移交，或逐项办结。")
        raise StepRefused(message % _("、").join(waiting))
    site.closed = on
    site.save()
    detail = {"on": on.isoformat(), "document": document[:80]}
    _note("site.close", site, post, by, detail)


def _note(action: str, site: Organisation, post, by: Actor, detail: dict[str, Any]) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=site.id,
        object_type="site",
        object_id=site.code,
        detail=detail,
    )

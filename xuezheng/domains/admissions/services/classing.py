"""Balanced classes: the list is fixed and the secret committed to, digits are drawn, classes follow."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application, ClassDraw, Season
from xuezheng.domains.admissions.rules.classing import deal, stratum
from xuezheng.domains.admissions.rules.draw import Tree, commitment, seed
from xuezheng.domains.admissions.services.arriving import Entered, at_school, take_in
from xuezheng.domains.admissions.services.twins import Group, Wish, groups_of
from xuezheng.kernel.access.actors import Actor, OutOfScope
from xuezheng.kernel.access.models import Organisation, Post
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.services.classes import create_classes


def arrived(season: Season, school: Organisation, *, by: Actor) -> list[Application]:
    """The children to be dealt out, with their entries."""
    rows = at_school(by).filter(season=season, state="arrived", case__organisation=school)
    return list(rows.select_related("entry").order_by("entry__code"))


def teachers_of(school: Organisation) -> list[Post]:
    """Posts of the school's teachers in force."""
    today = timezone.localdate()
    rows = Post.objects.filter(organisation=school, role="teacher", valid_from__lte=today)
    return list(rows.exclude(valid_to__lt=today).select_related("user").order_by("id"))


@transaction.atomic
def prepare(
    *,
    season: Season,
    school: Organisation,
    classes: int,
    wishes: Mapping[Group, str] | None = None,
    teachers: Sequence[int] = (),
    by: Actor,
) -> ClassDraw:
    """Fix the list and publish the commitment.

    `wishes`: groups of twins -> CLASS, SPLIT or SCHOOL (chance decides) where it is not what the family
    wrote in the registration.  `teachers` are posts of the school, one for each class, or none.  Raises PermissionDenied, OutOfScope,
    StepRefused where a draw is in force, ValidationError.
    """
    post = by.post_for(Permission.SCHOOL, school.id)
    if ClassDraw.objects.filter(season=season, school=school, void_reason="").exists():
        raise StepRefused(_("已经有一次分班；要重来请先作废并写明理由。"))
    rows = arrived(season, school, by=by)
    if not 1 <= classes <= max(1, len(rows)):
        raise ValidationError({"classes": _("班数从1到已报到人数。")})
    if teachers and len(set(teachers)) != classes:
        raise ValidationError({"teachers": _("每班一位班主任：选的人数要等于班数，或者都不选。")})
    if set(teachers) - {one.id for one in teachers_of(school)}:
        raise OutOfScope(str(Permission.SCHOOL))
    tied = {group: (wishes or {}).get(group, wish) for group, wish in groups_of(rows).items()}
    children = [[row.entry.code, stratum(row.sex, row.special_needs)] for row in rows]
    secret = secrets.token_hex(32)
    draw = ClassDraw.objects.create(
        season=season,
        school=school,
        given={
            "classes": classes,
            "children": children,
            "together": [list(group) for group, wish in tied.items() if wish == Wish.CLASS],
            "apart": [list(group) for group, wish in tied.items() if wish == Wish.SPLIT],
            "teachers": [str(key) for key in sorted(teachers)],
        },
        root=Tree.of(f"{code} {letter}" for code, letter in children).root,
        commitment=commitment(secret),
        secret=secret,
        committed_at=timezone.now(),
        committed_by=by.user,
    )
    detail = {"children": len(children), "classes": classes, "root": draw.root}
    _note("class_draw.prepare", draw, post, by, detail)
    return draw


def _locked(draw: ClassDraw) -> ClassDraw:
    row = ClassDraw.objects.select_for_update(of=("self",)).get(pk=draw.pk)
    if row.void_reason:
        raise StepRefused(_("这次分班已经作废。"))
    return row


@transaction.atomic
def draw_classes(draw: ClassDraw, *, digits: str, witnesses: str, by: Actor) -> ClassDraw:
    """Open the secret with the digits that were drawn in front of witnesses, and deal.

    Raises PermissionDenied, OutOfScope, StepRefused once drawn, ValidationError.
    """
    post = by.post_for(Permission.SCHOOL, draw.school_id)
    row = _locked(draw)
    if row.drawn_at:
        raise StepRefused(_("已经抽过，结果不能再变。"))
    digits = "".join(digits.split())
    if not digits.isdigit() or not 6 <= len(digits) <= 60:
        raise ValidationError({"digits": _("请填现场摸出的至少六个数字。")})
    if len(witnesses.strip()) < 2:
        raise ValidationError({"witnesses": _("请写明在场见证的人（身份，不写孩子姓名）。")})
    row.seed = seed(row.root, digits, [], row.secret)
    row.result, row.sha256 = outcome(row)
    row.digits, row.witnesses = digits, witnesses.strip()[:200]
    row.drawn_at, row.drawn_by = timezone.now(), by.user
    row.save()
    _note("class_draw.draw", row, post, by, {"seed": row.seed, "sha256": row.sha256})
    return row


def outcome(row: ClassDraw) -> tuple[dict, str]:
    """The result that list and seed give, and its hash over the sorted lines `code,class`."""
    given = row.given
    dealt = deal(
        row.seed,
        {code: letter for code, letter in given["children"]},
        given["classes"],
        together=[tuple(pair) for pair in given["together"]],
        apart=[tuple(pair) for pair in given["apart"]],
        teachers=given["teachers"],
    )
    lines = sorted(f"{code},{number}" for code, number in dealt.classes.items())
    result = {
        "classes": dict(sorted(dealt.classes.items())),
        "teachers": dict(dealt.teachers),
        "unmet": [list(pair) for pair in dealt.unmet],
    }
    return result, hashlib.sha256("\n".join(lines).encode()).hexdigest()


@transaction.atomic
def carry_out(draw: ClassDraw, *, by: Actor) -> Entered:
    """Open the drawn classes in the registry and put the children into them.

    Raises PermissionDenied, OutOfScope, StepRefused before the draw or when it was done.
    """
    by.post_for(Permission.SCHOOL, draw.school_id)
    row = _locked(draw)
    if not row.drawn_at:
        raise StepRefused(_("还没有抽签。"))
    if row.applied_at:
        raise StepRefused(_("班级已经建好。"))
    today = timezone.localdate()
    made = create_classes(
        organisation=row.school,
        stage=row.season.level,
        entry_year=row.season.year,
        count=row.given["classes"],
        valid_from=today,
        by=by,
    )
    row.result["rows"] = [one.id for one in made]
    row.applied_at = timezone.now()
    row.save(update_fields=["result", "applied_at"])
    return take_in(season=row.season, school=row.school, on=today, by=by)


@transaction.atomic
def make_void(draw: ClassDraw, *, reason: str, by: Actor) -> None:
    """Give up a draw whose classes do not exist yet; it stays readable with the reason."""
    post = by.post_for(Permission.SCHOOL, draw.school_id)
    row = _locked(draw)
    if row.applied_at:
        raise StepRefused(_("班级已经建好，不能作废；换班请用“调班”。"))
    if len(reason.strip()) < 4:
        raise ValidationError({"reason": _("请写明作废的理由。")})
    row.void_reason = reason.strip()[:300]
    row.save(update_fields=["void_reason"])
    _note("class_draw.void", row, post, by, {}, reason=row.void_reason)


def _note(
    action: str, draw: ClassDraw, post: Post | None, by: Actor, detail: dict, reason: str = ""
) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=draw.school_id,
        object_type="class_draw",
        object_id=draw.pk,
        reason=reason,
        detail=detail,
    )

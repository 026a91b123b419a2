"""What the services of this storey share: who may, locking with version, unique numbers, identity."""

import datetime as dt
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg.errors import UniqueViolation

from xuezheng.kernel.access.actors import Actor, OutOfScope
from xuezheng.kernel.access.models import Post
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.codes import complete_citizen_id
from xuezheng.registry.limits import WORDS, Ages
from xuezheng.registry.names import name_problem
from xuezheng.registry.rules import identity
from xuezheng.registry.selectors import authority

Row = TypeVar("Row", bound=models.Model)
PROBLEMS = {
    "shape": gettext_lazy("身份证号应为18位：前17位是数字，末位是数字或X。"),
    "date": gettext_lazy("身份证号第7至14位不是一个日期，请核对。"),
    "check": gettext_lazy("身份证号末位与前17位对不上，请逐位核对。"),
    "birth": gettext_lazy("出生日期与身份证号里的不一致，请核对哪一个写错了。"),
    "sex": gettext_lazy("性别与身份证号里的不一致，请核对哪一个写错了。"),
    "future": gettext_lazy("出生日期不合理：晚于今天或早于1900年。"),
}
NAME_PROBLEMS = {
    "marks": gettext_lazy("不能含有“<”“>”或看不见的字符，请删去后重新输入。"),
    "writing": gettext_lazy("只有标点或数字，没有文字，请照证件填写。"),
}
#: The field on which a problem is shown.
PROBLEM_FIELDS = {"birth": "born_on", "sex": "sex", "future": "born_on"}


class Stale(StepRefused):
    """Somebody else has changed the row since the form was opened."""


def allowed(by: Actor, permission: str, organisation_id: int | None) -> Post | None:
    """The post under which the actor may use the permission on a row of an organisation.

    A row of no organisation is for whoever reaches everything.  Raises PermissionDenied, OutOfScope.
    """
    if organisation_id is not None:
        return by.post_for(permission, organisation_id)
    if not by.can(permission):
        raise PermissionDenied(str(permission))
    if not by.scope(permission).everything:
        raise OutOfScope(str(permission))
    for post in getattr(by, "posts", ()):
        with suppress_denied():
            return by.post_for(permission, post.organisation_id)
    return None


@contextmanager
def suppress_denied() -> Iterator[None]:
    """Go on where a post does not grant the permission."""
    try:
        yield
    except PermissionDenied:
        return


def locked(row: Row, version: int | None = None) -> Row:
    """The row read again and locked.  Raises Stale when its version is another one."""
    fresh = type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
    if version is not None and fresh.version != version:
        raise Stale(_("这条记录刚被别人改过，请刷新后再改；您填写的内容仍在下面。"))
    return fresh


@contextmanager
def unique(message: str, **messages: str) -> Iterator[None]:
    """Turn a broken unique constraint into a refusal.

    `messages` has the words by constraint name, `message` those for any other.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        constraint = error.__cause__.diag.constraint_name or ""
        raise StepRefused(messages.get(constraint, message)) from error


def not_later_than_today(day: dt.date, field: str = "on") -> None:
    """Changes take effect on a day that has come: lists show today's state."""
    if day > timezone.localdate():
        raise ValidationError({field: _("不能晚于今天：到了那天再办理。")})


def tidy_number(number: str, kind: str) -> str:
    """A typed number as it is stored: half-width, no blanks, upper case; 15 digits become 18."""
    text = "".join(unicodedata.normalize("NFKC", number or "").split()).upper()
    return complete_citizen_id(text) if kind == "1" else text


def tidy_phone(number: str) -> str:
    """A telephone number without blanks and dashes."""
    return "".join(unicodedata.normalize("NFKC", number or "").split()).replace("-", "")


def check_names(fields: dict[str, Any], *names: str) -> None:
    """Raise ValidationError on the field whose name is none (names.name_problem)."""
    for name in names:
        if problem := name_problem(fields.get(name) or ""):
            raise ValidationError({name: str(NAME_PROBLEMS[problem])})


def settle_identity(
    fields: dict[str, Any], *, kind: str = "", by: Actor, born_before: dt.date | None = None
) -> dict[str, Any]:
    """`fields` with number, birth and sex brought into step.

    A citizen number gives birth and sex.  `kind` of person: where it has ages (limits.Ages) a birth
    must be within them, unless it is the one that was written before: rows of long ago stay editable.
    Raises ValidationError on the field that is wrong.
    """
    number = tidy_number(fields.get("id_number") or "", fields["id_kind"])
    day = timezone.localdate()
    ages = Ages(kind, day, authority(by).code) if kind in WORDS else None
    found = identity(
        fields["id_kind"],
        number,
        born_on=fields.get("born_on"),
        sex=fields.get("sex") or "0",
        day=day,
        span=ages and ages.span,
    )
    if found.problem == "age":
        if found.born_on != born_before:
            raise ValidationError({"born_on": ages.problem})
    elif found.problem:
        field = PROBLEM_FIELDS.get(found.problem, "id_number")
        raise ValidationError({field: str(PROBLEMS[found.problem])})
    return fields | {"id_number": number or None, "born_on": found.born_on, "sex": found.sex}


def apply(row: models.Model, fields: dict[str, Any]) -> list[str]:
    """Set the fields on the row; returns the names of those that changed.

    A relation that a new row does not have yet counts as none.
    """
    changed = [name for name, value in fields.items() if getattr(row, name, None) != value]
    for name in changed:
        setattr(row, name, fields[name])
    return changed

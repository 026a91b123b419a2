"""Families as users: an account for whoever proves a telephone, and the guardian that it belongs to.

Such an account has no password and no post.  What it may do is granted to PERSON, with rows of its
own.
"""

import secrets
from collections.abc import Callable, Collection

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor, JobActor, StaffActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import User, in_force
from xuezheng.kernel.audit.trail import record
from xuezheng.registry.models import Guardian, Guardianship, Pupil, StaffMember
from xuezheng.registry.names import name_problem, normal_name
from xuezheng.registry.services.common import NAME_PROBLEMS

#: Who writes of people that are not signed in.
DOOR = "sign_in"
#: What other systems do when a person with a proved telephone has signed in (AppConfig.ready adds).
COMES_IN: list[Callable[[User], object]] = []


@transaction.atomic
def open_account(phone: str) -> User | None:
    """The account of a proved telephone, made when there is none; None when it was closed.

    Two browsers that prove one number at once get one account.
    """
    user, is_new = User.objects.get_or_create(
        phone=phone,
        defaults={
            "username": f"p-{secrets.token_hex(6)}",
            "password": make_password(None),
        },
    )
    if is_new:
        record("account.opened", by=StaffActor(user), object_type="user", object_id=user.pk)
        _link_guardian(user)
    return user if user.is_active else None


def _link_guardian(user: User) -> None:
    """Link the one guardian whom schools registered with this telephone; leave it where it is unclear."""
    with fenced(by=JobActor(DOOR)):
        found = list(Guardian.objects.live().filter(phone=user.phone).select_for_update()[:2])
        if len(found) != 1 or found[0].user_id:
            return
        Guardian.objects.filter(pk=found[0].pk).update(user=user)
    record("guardian.linked", by=JobActor(DOOR), object_type="guardian", object_id=str(found[0].pk))


def telephone_of(user: User) -> str:
    """The number that a code for this person goes to; "" when none is known.

    Read with the door's reach: one's own telephone is nobody's secret from oneself.
    """
    if user.phone:
        return user.phone
    with fenced(by=JobActor(DOOR)):
        for people in (StaffMember, Guardian):
            own = people.objects.live().filter(user=user).first()
            if own and own.phone:
                return own.phone
    return ""


def telephones_of(user_ids: Collection[int]) -> dict[int, str]:
    """User id -> the number that texts for that person go to, of those who have one (three queries).

    For jobs, whose reach shows everybody.
    """
    ids = list(user_ids)
    found: dict[int, str] = {}
    for people in (Guardian, StaffMember):
        rows = people.objects.live().filter(user__in=ids, phone__isnull=False)
        found |= {user: phone for user, phone in rows.values_list("user", "phone") if phone}
    own = User.objects.filter(pk__in=ids, phone__isnull=False)
    return found | {user: phone for user, phone in own.values_list("pk", "phone") if phone}


def children_of(user: User) -> list[Pupil]:
    """The pupils for whom the account's guardian answers today, by name; none without a guardian.

    Read with the door's reach: families reach no school.  Show of them what is the family's own.
    """
    held = Guardianship.objects.filter(in_force(timezone.localdate()), guardian__user=user)
    with fenced(by=JobActor(DOOR)):
        return list(Pupil.objects.live().filter(guardianships__in=held).order_by("name", "id"))


@transaction.atomic
def state_name(*, name: str, by: Actor) -> User:
    """A family says what it is called.  Staff cannot: the security administrator keeps their names.

    Raises PermissionDenied, ValidationError.
    """
    user = by.user
    if user is None or not user.phone:
        raise PermissionDenied
    if not name.strip():
        raise ValidationError({"name": _("请填写姓名。")})
    if problem := name_problem(name):
        raise ValidationError({"name": str(NAME_PROBLEMS[problem])})
    user.name = normal_name(name)
    user.save(update_fields=["name"])
    record("account.named", by=by, object_type="user", object_id=user.pk)
    return user

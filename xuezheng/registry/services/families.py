"""Families as users: an account for whoever proves a telephone, and the guardian that it belongs to.

Such an account has no password and no post.  What it may do is granted to PERSON, with rows of its
own.
"""

import secrets
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

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
    return user if user.is_active else None


@transaction.atomic
def link_accounts(phones: Collection[str]) -> int:
    """Link each account that proved one of these telephones to the guardian whom schools registered with it.

    Called when such a person signs in, and when a school writes the telephone of a guardian, whichever
    comes later.  Where it is unclear (two guardians with the number, a guardian or an account that is
    linked already) nothing changes.  Returns how many were linked.
    """
    linked = []
    with fenced(by=JobActor(DOOR)):
        accounts = User.objects.filter(phone__in=set(phones), is_active=True, guardian__isnull=True)
        users = {user.phone: user for user in accounts}
        held: dict[str, list[Guardian]] = defaultdict(list)
        if users:
            rows = Guardian.objects.live().filter(phone__in=set(users)).order_by("id")
            for guardian in rows.select_for_update(of=("self",)):
                held[guardian.phone].append(guardian)
        for phone, (guardian, *others) in held.items():
            if not others and guardian.user_id is None:
                Guardian.objects.filter(pk=guardian.pk).update(user=users[phone])
                linked.append(guardian.pk)
    _note("guardian.linked", linked)
    return len(linked)


@transaction.atomic
def telephones_changed(guardian_ids: Collection[uuid.UUID]) -> None:
    """Schools wrote telephones of these guardians: links follow the number.

    An account that proved a number which is not the guardian's any more is not this guardian's: the
    number was all that spoke for it.
    """
    with fenced(by=JobActor(DOOR)):
        rows = Guardian.objects.live().filter(pk__in=guardian_ids).select_related("user")
        rows = list(rows.select_for_update(of=("self",)))
        gone = [one.pk for one in rows if one.user and one.user.phone not in (None, one.phone)]
        Guardian.objects.filter(pk__in=gone).update(user=None)
    _note("guardian.unlinked", gone)
    link_accounts([one.phone for one in rows if one.phone])


def _note(act: str, guardian_ids: Iterable[uuid.UUID]) -> None:
    for key in guardian_ids:
        record(act, by=JobActor(DOOR), object_type="guardian", object_id=str(key))


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

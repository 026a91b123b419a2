"""Accounts: opened, closed and given posts by the security administrator, each act with a reason.

Nobody changes their own account here.  A new password is random, shown once, good for a number of days
(parameter access.signin.one_time_days), and must be replaced at the first sign-in.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor, JobActor, OutOfScope
from xuezheng.kernel.access.models import Attempts, Organisation, Post, SecondFactor, User
from xuezheng.kernel.access.permissions import roles as known_roles
from xuezheng.kernel.access.signin import factor, lockout, passwords, sessions
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.names import name_problem, normal_name
from xuezheng.registry.organisations import OrganisationKind
from xuezheng.registry.roles import SECURITY_OFFICER, conflicting_roles
from xuezheng.registry.services.common import NAME_PROBLEMS, allowed
from xuezheng.registry.services.signing_in import todays_rules

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,63}")
#: (organisation id, role key, title)
PostSpec = tuple[int, str, str]


@dataclass(frozen=True)
class NewAccount:
    """An account to be opened."""

    username: str
    name: str
    posts: Sequence[PostSpec] = ()


# -- reading ----------------------------------------------------------------------------------------
def visible_accounts(by: Actor) -> QuerySet[User]:
    """All accounts for who administers an authority's; none for anybody else."""
    rows = User.objects.all()
    return rows if by.scope(Permission.ACCOUNTS).everything else rows.none()


def with_state(rows: QuerySet[User], now: dt.datetime) -> QuerySet[User]:
    """Adds `is_locked` (its name, or its codes) and `has_factor`."""
    locked = Attempts.objects.filter(user=OuterRef("pk"), locked_until__gt=now)
    return rows.annotate(
        is_locked=Exists(locked),
        has_factor=Exists(SecondFactor.objects.filter(user=OuterRef("pk"))),
    )


def assignable(by: Actor) -> QuerySet[Organisation]:
    """Organisations in which the actor may give posts: open ones in reach."""
    reach = by.scope(Permission.ACCOUNTS).organisations
    return Organisation.objects.filter(id__within=reach, closed__isnull=True)


# -- opening ----------------------------------------------------------------------------------------
def create_account(
    *,
    username: str,
    name: str,
    posts: Sequence[PostSpec],
    by: Actor,
    reason: str,
    since: dt.date | None = None,
) -> tuple[User, str]:
    """Open one account; returns it and its one-time password, which is kept nowhere else.

    Raises as `create_accounts`.
    """
    return create_accounts(
        [NewAccount(username, name, tuple(posts))], by=by, reason=reason, since=since
    )[0]


@transaction.atomic
def create_accounts(
    accounts: Iterable[NewAccount], *, by: Actor, reason: str, since: dt.date | None = None
) -> list[tuple[User, str]]:
    """Open many accounts, all or none; returns each with its one-time password, in order.

    Raises PermissionDenied and OutOfScope; ValidationError with every fault of user name, name, role
    and conflicting posts (params["index"] is the account's place, from 0).
    """
    post = allowed(by, Permission.ACCOUNTS, None)
    _need_reason(reason)
    accounts = list(accounts)
    since = since or timezone.localdate()
    _check(accounts, by)
    rules, now = todays_rules(), timezone.now()
    users, one_times = [], []
    for account in accounts:
        user = User(username=account.username, name=normal_name(account.name))
        user.password_changed_at = now
        one_times.append(passwords.give_one_time(user, rules, now))
        users.append(user)
    User.objects.bulk_create(users)
    held = [
        Post(user=user, organisation_id=org, role=role, title=title, valid_from=since)
        for user, account in zip(users, accounts, strict=True)
        for org, role, title in account.posts
    ]
    Post.objects.bulk_create(held)
    for user, account in zip(users, accounts, strict=True):
        detail = {"posts": [{"organisation": org, "role": role} for org, role, _t in account.posts]}
        _note("account.created", user, by, post, reason, detail)
    return list(zip(users, one_times, strict=True))


@transaction.atomic
def open_first_account(*, username: str, name: str, bureau_code: str, bureau_name: str) -> str:
    """Open the account of the first security administrator, from whom all others come.

    Makes the bureau where there is none yet.  For the command line of whoever installs: refused
    (StepRefused) once somebody holds that post.  Returns the one-time password.
    """
    today = timezone.localdate()
    if Post.objects.current(today).filter(role=SECURITY_OFFICER).exists():
        raise StepRefused(_("已有安全保密管理员，请由其开通账号。"))
    bureau = Organisation.objects.filter(kind=OrganisationKind.BUREAU).order_by("id").first()
    if bureau is None:
        if not (bureau_code.strip() and bureau_name.strip()):
            raise StepRefused(_("还没有教育局：请给出名称和单位代码。"))
        bureau = Organisation.objects.create(
            code=bureau_code.strip(), name=bureau_name.strip(), kind=OrganisationKind.BUREAU
        )
    _user, one_time = create_account(
        username=username,
        name=name,
        posts=[(bureau.id, SECURITY_OFFICER, "")],
        by=JobActor("first-account"),
        reason="first-account",
    )
    return one_time


def _check(accounts: list[NewAccount], by: Actor) -> None:
    """Raises ValidationError with all faults, OutOfScope at the first post out of reach."""
    faults: list[ValidationError] = []
    scope = by.scope(Permission.ACCOUNTS)
    wanted = [account.username.lower() for account in accounts]
    taken = _taken(wanted)
    for index, account in enumerate(accounts):

        def fault(message: str, code: str, index: int = index) -> None:
            faults.append(ValidationError(message, code=code, params={"index": index}))

        lowered = account.username.lower()
        if not USERNAME.fullmatch(account.username):
            fault(
                _("用户名须为 3 至 64 位字母、数字、点、横线或下划线，以字母或数字开头。"),
                "username",
            )
        elif lowered in taken:
            fault(_("用户名已有人使用，请换一个。"), "username")
        taken.add(lowered)
        if not account.name.strip():
            fault(_("请填写姓名。"), "name")
        elif problem := name_problem(account.name):
            fault(str(NAME_PROBLEMS[problem]), "name")
        held: set[str] = set()
        for organisation_id, role, _title in account.posts:
            if organisation_id not in scope:
                raise OutOfScope(str(Permission.ACCOUNTS))
            if role not in known_roles():
                fault(_("没有这种岗位。"), "role")
                continue
            if conflict := conflicting_roles(held, role):
                fault(_conflict_words(conflict, role), "conflict")
            held.add(role)
    if faults:
        raise ValidationError(faults)


def _taken(lowered: list[str]) -> set[str]:
    """Which of the lower-case names somebody has, whatever the case.  One query."""
    rows = User.objects.annotate(lowered=Lower("username")).filter(lowered__in=lowered)
    return set(rows.values_list("lowered", flat=True))


def _conflict_words(held: str, new: str) -> str:
    labels = known_roles()
    return _("同一人不能既是“%(held)s”又是“%(new)s”：三员分立，互相监督。") % {
        "held": labels[held].label,
        "new": labels[new].label,
    }


# -- changing ---------------------------------------------------------------------------------------
@transaction.atomic
def grant_post(
    user: User,
    *,
    organisation_id: int,
    role: str,
    title: str,
    valid_from: dt.date,
    valid_to: dt.date | None,
    by: Actor,
    reason: str,
) -> Post:
    """Give a post from a day, perhaps to a day.

    Raises StepRefused for the actor's own account, for a post that forbids another held at the same
    time, and for one already held; OutOfScope; ValidationError for a span that ends before it begins.
    """
    user, under = _locked(user, by, reason)
    if organisation_id not in by.scope(Permission.ACCOUNTS):
        raise OutOfScope(str(Permission.ACCOUNTS))
    if role not in known_roles():
        raise ValidationError({"role": _("没有这种岗位。")})
    if valid_to and valid_to < valid_from:
        raise ValidationError({"valid_to": _("离任日不能早于任职日。")})
    together = Post.objects.filter(user=user).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=valid_from)
    )
    if valid_to:
        together = together.filter(valid_from__lte=valid_to)
    held = list(together)
    if conflict := conflicting_roles({post.role for post in held}, role):
        raise StepRefused(_conflict_words(conflict, role))
    if any((p.organisation_id, p.role, p.title) == (organisation_id, role, title) for p in held):
        raise StepRefused(_("这段时间里已任这一岗位。"))
    same = Post.objects.filter(user=user, organisation=organisation_id, role=role)
    if same.filter(valid_from=valid_from).exists():
        raise StepRefused(_("同一天已在该单位任这一岗位，请改任职日。"))
    post = Post.objects.create(
        user=user,
        organisation_id=organisation_id,
        role=role,
        title=title,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    detail = {"role": role, "organisation": organisation_id, "from": valid_from.isoformat()}
    _note("account.post_granted", user, by, under, reason, detail)
    return post


@transaction.atomic
def end_post(held: Post, *, last_day: dt.date, by: Actor, reason: str) -> None:
    """End a post after its last day.

    Raises StepRefused when it has ended by then already, or begins only after that day.
    """
    user, under = _locked(held.user, by, reason)
    held = Post.objects.select_for_update().get(pk=held.pk)
    if held.organisation_id not in by.scope(Permission.ACCOUNTS):
        raise OutOfScope(str(Permission.ACCOUNTS))
    if held.valid_to and held.valid_to <= last_day:
        raise StepRefused(_("这一岗位到那天已经结束。"))
    if last_day < held.valid_from:
        raise StepRefused(_("离任日不能早于任职日。"))
    held.valid_to = last_day
    held.save(update_fields=["valid_to"])
    detail = {"role": held.role, "organisation": held.organisation_id, "to": last_day.isoformat()}
    _note("account.post_ended", user, by, under, reason, detail)


@transaction.atomic
def disable(user: User, *, by: Actor, reason: str) -> None:
    """Close an account: it is signed out everywhere and cannot sign in.  Its acts stay its own."""
    user, post = _locked(user, by, reason)
    if not user.is_active:
        raise StepRefused(_("账号已经停用。"))
    user.is_active = False
    user.save(update_fields=["is_active"])
    sessions.end_all(user)
    _note("account.disabled", user, by, post, reason)


@transaction.atomic
def enable(user: User, *, by: Actor, reason: str) -> None:
    """Open a closed account again."""
    user, post = _locked(user, by, reason)
    if user.is_active:
        raise StepRefused(_("账号已经启用。"))
    user.is_active = True
    user.save(update_fields=["is_active"])
    _note("account.enabled", user, by, post, reason)


@transaction.atomic
def reset_password(user: User, *, by: Actor, reason: str) -> str:
    """Void the password; returns a one-time password, to be shown once.  All sessions end."""
    user, post = _locked(user, by, reason)
    one_time = passwords.give_one_time(user, todays_rules(), timezone.now())
    user.save(update_fields=list(passwords.one_time_fields()))
    sessions.end_all(user)
    _note("account.password_reset", user, by, post, reason)
    return one_time


@transaction.atomic
def reset_factor(user: User, *, by: Actor, reason: str) -> None:
    """Take the second factor away: the person enrols anew, and is told at the next sign-in."""
    user, post = _locked(user, by, reason)
    if not factor.drop(user):
        raise StepRefused(_("这个账号没有绑定动态验证码。"))
    user.factor_reset_at = timezone.now()
    user.save(update_fields=["factor_reset_at"])
    sessions.end_all(user)
    _note("account.factor_reset", user, by, post, reason)


@transaction.atomic
def unlock(user: User, *, by: Actor, reason: str) -> None:
    """Lift the locks on an account's name and codes."""
    user, post = _locked(user, by, reason)
    found = Attempts.objects.filter(user=user, locked_until__gt=timezone.now())
    if not found.exists():
        raise StepRefused(_("账号没有被锁定。"))
    kinds = sorted(found.values_list("kind", flat=True))
    Attempts.objects.filter(user=user).delete()
    _note("account.unlocked", user, by, post, reason, {"kinds": kinds})


@transaction.atomic
def unlock_key(attempts_id: int, *, by: Actor, reason: str) -> None:
    """Lift a lock that is on no account: an address, or a name that nobody has.

    Raises StepRefused when it is over, or is an account's own lock.
    """
    post = allowed(by, Permission.ACCOUNTS, None)
    _need_reason(reason)
    row = lockout.locks(timezone.now()).filter(pk=attempts_id, user__isnull=True).first()
    if row is None:
        raise StepRefused(_("锁定已经解除。"))
    kind = row.kind
    row.delete()
    record("sign_in.unlocked", by=by, post=post, reason=reason, detail={"kind": kind})


def _locked(user: User, by: Actor, reason: str) -> tuple[User, Post | None]:
    """The account, locked, and the post under which the actor changes it.

    Raises PermissionDenied, OutOfScope, ValidationError without a reason; StepRefused for one's own.
    """
    post = allowed(by, Permission.ACCOUNTS, None)
    _need_reason(reason)
    if by.user and by.user.pk == user.pk:
        raise StepRefused(_("不能改自己的账号和岗位，请另一位安全保密管理员办理。"))
    return User.objects.select_for_update().get(pk=user.pk), post


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": _("请写明理由。")})


def _note(
    action: str,
    user: User,
    by: Actor,
    post: Post | None,
    reason: str,
    detail: dict[str, Any] | None = None,
) -> None:
    about = {"object_type": "user", "object_id": user.pk}
    record(action, by=by, post=post, reason=reason, detail=detail, **about)

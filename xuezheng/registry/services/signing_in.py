"""Signing in, with its trail: password, other ways, second factor, sessions, change of password.

Whoever is refused learns only that; which of name, password or state of the account was wrong, and
whether the account exists, stays inside.  Callers let the transaction of a refusal commit: the count of
failures is in it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xuezheng.kernel.access.actors import JobActor, StaffActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import AttemptKind, Organisation, SecondFactor, User
from xuezheng.kernel.access.signin import factor, lockout, passwords, sessions
from xuezheng.kernel.access.signin.rules import SignInRules, password_days_left
from xuezheng.kernel.access.signin.ways import Subject, Way, WayRefused
from xuezheng.kernel.access.signin.ways.sms import normal_number
from xuezheng.kernel.audit.trail import record
from xuezheng.registry.models import Guardian, StaffMember
from xuezheng.registry.organisations import OrganisationKind
from xuezheng.registry.services import families
from xuezheng.registry.services.families import DOOR


class SignInRefused(Exception):
    """The message tells the person what to do."""


@dataclass(frozen=True)
class Entered:
    """What the sign-in page must tell: days until the password expires (None: no reminder), and
    whether somebody else took the second factor away since the last time."""

    days_left: int | None = None
    factor_reset: bool = False


def todays_rules() -> SignInRules:
    """The rules in force today in this installation."""
    codes = Organisation.objects.filter(kind=OrganisationKind.BUREAU).order_by("id")
    return passwords.rules_for(codes.values_list("code", flat=True).first() or "")


def _locked_words(until: dt.datetime, now: dt.datetime) -> str:
    minutes = max(1, -(-int((until - now).total_seconds()) // 60))
    return (
        ngettext(
            "登录失败次数过多，已暂时锁定。请 %d 分钟后再试，或请安全保密管理员解锁。",
            "登录失败次数过多，已暂时锁定。请 %d 分钟后再试，或请安全保密管理员解锁。",
            minutes,
        )
        % minutes
    )


def authenticate(*, username: str, password: str, address: str) -> tuple[User, bool]:
    """The user whose name and password these are, and whether it was a one-time password.

    Raises SignInRefused, after counting the failure under the name and under the network address.
    """
    now, rules = timezone.now(), todays_rules()
    # The name is held until the end: tries sent at once are counted one after another.
    until = lockout.hold(AttemptKind.NAME, username, now) or lockout.locked_until(
        AttemptKind.ADDRESS, address, now
    )
    if until:
        raise SignInRefused(_locked_words(until, now))
    user = User.objects.filter(username=username).first()
    one_time = user is not None and passwords.is_one_time(user, password, now)
    if user is None:
        make_password(password)  # takes the time that a check takes
        right = False
    else:
        right = one_time or user.check_password(password)
    if user is not None and right and user.is_active:
        lockout.forget(AttemptKind.NAME, username)
        return user, one_time
    _count_failure(user, username, address, now, rules)
    raise SignInRefused(
        _("用户名或密码不对，或账号已停用。忘记密码请联系本单位管理员或安全保密管理员重置。")
    )


def _count_failure(
    user: User | None, username: str, address: str, now: dt.datetime, rules: SignInRules
) -> None:
    door = JobActor(DOOR)
    about = {"object_type": "user", "object_id": user.pk if user else ""}
    record("sign_in.failed", by=door, **about)
    if lockout.count_failure(AttemptKind.NAME, username, now, rules, user):
        record("sign_in.locked", by=door, detail={"by": "name"}, **about)
    if lockout.count_failure(AttemptKind.ADDRESS, address, now, rules):
        record("sign_in.locked", by=door, detail={"by": "address"})


def enter(request: HttpRequest, user: User, *, way: str, one_time: bool = False) -> Entered:
    """Begin the session of a user who proved who they are; the second factor may still be owed."""
    now = timezone.now()
    actor = StaffActor(user)
    rules = passwords.rules_for(actor.authority_code)
    must_change, days_left = "", None
    if one_time:
        must_change = "one_time"
    elif way == "password" and not user.is_sample:
        # Passwords of the demo district are printed at each start: they do not grow old.
        left = password_days_left(user.password_changed_at, now, rules)
        if left <= 0:
            must_change = "old"
        elif left <= rules.password_warn_days:
            days_left = left
    reset = user.factor_reset_at is not None
    if reset:
        user.factor_reset_at = None
        user.save(update_fields=["factor_reset_at"])
    due = SecondFactor.objects.filter(user=user).exists()
    sessions.begin(request, user, rules, sessions.Entrance(way, must_change, due))
    record("sign_in", by=actor, object_type="user", object_id=user.pk, detail={"way": way})
    if way == "sms":
        if user.phone:
            families.link_accounts([user.phone])
        for come_in in families.COMES_IN:
            come_in(user)
    return Entered(days_left, reset)


# -- other ways -------------------------------------------------------------------------------------
def sms_given(number: str, request: HttpRequest, *, anyone: bool) -> dict[str, Any]:
    """What the SMS way needs to begin.  Raises SignInRefused for what is no mobile number.

    Where `anyone` may come in, every number gets a code and none is looked up, so that neither words
    nor time tell whether it has an account.
    """
    normal = normal_number(number)
    if not normal:
        raise SignInRefused(_("请填写 11 位手机号码。"))
    return {
        "number": normal,
        "known": anyone or account_of(Subject("sms", "phone", normal)) is not None,
        "rules": todays_rules(),
        "from": lockout.client_address(request),
        "told": settings.IS_DEMO and not _holds_posts(normal),
    }


def _holds_posts(number: str) -> bool:
    """Whether the number opens an account with posts: of such a one not even the demo tells the code."""
    user = account_of(Subject("sms", "phone", number))
    return user is not None and bool(StaffActor(user).posts)


def again_given(request: HttpRequest) -> dict[str, Any]:
    """What the SMS way needs to send a signed-in person a fresh code.  Raises SignInRefused."""
    number = families.telephone_of(request.user)
    if not number:
        raise SignInRefused(_("您的账号没有登记手机号码，请到窗口办理。"))
    return {
        "number": number,
        "known": True,
        "rules": todays_rules(),
        "from": lockout.client_address(request),
        "again": True,
        "told": settings.IS_DEMO and not request.actor.posts,
    }


def prove_again(request: HttpRequest, way: Way, code: str, begun: dict[str, Any]) -> None:
    """Take the code of a signed-in person; the session is then fresh.  Raises WayRefused."""
    rules = todays_rules()
    subject = way.finish({"code": code, "rules": rules}, begun, "")
    if subject.value != families.telephone_of(request.user):
        raise WayRefused("state")
    sessions.code_proved(request, rules)
    about = {"object_type": "user", "object_id": request.user.pk}
    record("code.proved", by=request.actor, **about)


def account_of(subject: Subject) -> User | None:
    """The one active account that the subject names; None when there is none, or more than one.

    People are looked up with the door's own reach: whoever signs in reaches nobody yet.  A telephone
    leads to the member of staff who has it; else to the account that proved it; else to a guardian.
    """
    if subject.link == "username":
        return User.objects.filter(username=subject.value, is_active=True).first()
    if subject.link == "identity":
        keys = {"id_number": subject.value.strip().upper()}
        return _one(_linked(StaffMember, **keys) | _linked(Guardian, **keys))
    if staff := _linked(StaffMember, phone=subject.value):
        return _one(staff)
    if own := User.objects.filter(phone=subject.value).first():
        return own if own.is_active else None
    return _one(_linked(Guardian, phone=subject.value))


def _linked(people: type[StaffMember] | type[Guardian], **keys: str) -> set[int]:
    """Active accounts of the people with these keys."""
    with fenced(by=JobActor(DOOR)):
        found = people.objects.live().filter(**keys, user__is_active=True)
        return set(found.values_list("user", flat=True))


def _one(found: set[int]) -> User | None:
    return User.objects.get(pk=found.pop()) if len(found) == 1 else None


def user_of(subject: Subject) -> User:
    """The account of a subject; where anyone may come in, a family's is made.  Raises SignInRefused."""
    user = account_of(subject)
    if user is None and subject.anyone and subject.link == "phone":
        user = families.open_account(subject.value)
    if user is None:
        record("sign_in.unlinked", by=JobActor(DOOR), detail={"way": subject.way})
        raise SignInRefused(_("没有与您的身份关联的账号，请联系本单位的安全保密管理员。"))
    return user


def way_refused(way: Way, refused: WayRefused) -> str:
    """Note that a way refused somebody; returns what the page says."""
    record("sign_in.failed", by=JobActor(DOOR), detail={"way": way.key, "code": refused.code})
    return way_words(refused)


def way_words(refused: WayRefused) -> str:
    """What the page says of a refusal."""
    return {
        "state": _("这次登录已经失效，请重新开始。"),
        "denied": _("对方没有确认您的身份，请重试。"),
        "ticket": _("登录凭证无效或已过期，请重新登录。"),
        "code": _("验证码不对，请核对后重填。"),
        "expired": _("验证码已过期或试错次数过多，请重新获取。"),
        "many": _("获取验证码次数过多，请一小时后再试。"),
        "upstream": _("对方系统暂时没有应答，请稍后再试或改用密码登录。"),
    }[refused.code]


# -- second factor ----------------------------------------------------------------------------------
def prove_factor(request: HttpRequest, given: str) -> str:
    """Check a code of the signed-in user; returns "code" or "recovery".

    Raises SignInRefused, after counting the failure.
    """
    user, now = request.user, timezone.now()
    key = str(user.pk)
    until = lockout.hold(AttemptKind.FACTOR, key, now)
    if until:
        raise SignInRefused(_locked_words(until, now))
    actor = StaffActor(user)
    about = {"by": actor, "object_type": "user", "object_id": user.pk}
    how = factor.verify(user, given, now)
    if not how:
        record("second_factor.failed", **about)
        rules = passwords.rules_for(actor.authority_code)
        if lockout.count_failure(AttemptKind.FACTOR, key, now, rules, user):
            record("sign_in.locked", detail={"by": "factor"}, **about)
        raise SignInRefused(_("验证码不对，或已经用过。请等下一个验证码。"))
    lockout.forget(AttemptKind.FACTOR, key)
    record("second_factor.verified", detail={"how": how}, **about)
    sessions.verified(request)
    return how


def must_prove_first(request: HttpRequest) -> bool:
    """Whether a generator is bound that this session has not proved: bound in another one meanwhile.

    Then the code is owed here too.  Otherwise whoever only has the password could bind their own.
    """
    if request.session.get(sessions.FACTOR) == "verified":
        return False
    bound = SecondFactor.objects.filter(user=request.user).exists()
    if bound:
        request.session[sessions.FACTOR] = "due"
    return bound


def enrol_factor(request: HttpRequest, given: str) -> list[str]:
    """Bind the code generator whose secret waits in the session; returns recovery codes to show once.

    Raises SignInRefused for a wrong code.
    """
    user = request.user
    waiting = request.session.get(sessions.WAITING_SECRET, "")
    codes = (
        factor.enrol(user, factor.waiting_secret(waiting), given, timezone.now())
        if waiting
        else None
    )
    if codes is None:
        raise SignInRefused(_("验证码不对。请核对手机时间是否准确，再填最新的验证码。"))
    record("second_factor.enrolled", by=StaffActor(user), object_type="user", object_id=user.pk)
    sessions.verified(request)
    return codes


def renew_recovery_codes(user: User) -> list[str]:
    """New recovery codes in place of all earlier ones, to show once."""
    codes = factor.new_recovery_codes(user)
    record("second_factor.codes", by=StaffActor(user), object_type="user", object_id=user.pk)
    return codes


# -- password and sessions --------------------------------------------------------------------------
def check_present_password(user: User, given: str) -> None:
    """Raises SignInRefused for a wrong one, counting it as a failed sign-in under the user's name."""
    now = timezone.now()
    until = lockout.hold(AttemptKind.NAME, user.username, now)
    if until:
        raise SignInRefused(_locked_words(until, now))
    if user.check_password(given):
        lockout.forget(AttemptKind.NAME, user.username)
        return
    actor = StaffActor(user)
    about = {"by": actor, "object_type": "user", "object_id": user.pk}
    record("password.failed", **about)
    rules = passwords.rules_for(actor.authority_code)
    if lockout.count_failure(AttemptKind.NAME, user.username, now, rules, user):
        record("sign_in.locked", detail={"by": "name"}, **about)
    raise SignInRefused(_("现在的密码不对。"))


def change_password(request: HttpRequest, password: str) -> int:
    """Set the signed-in user's validated new password; returns how many other sessions ended."""
    user = request.user
    actor = StaffActor(user)
    passwords.replace_password(user, password, passwords.rules_for(actor.authority_code))
    ended = sessions.password_changed(request, user)
    record("password.changed", by=actor, object_type="user", object_id=user.pk)
    return ended


def sign_out(request: HttpRequest) -> None:
    """End this session."""
    user = request.user
    if user.is_authenticated:
        record("sign_out", by=StaffActor(user), object_type="user", object_id=user.pk)
    request.session.flush()


def end_session(request: HttpRequest, handle: str) -> bool:
    """End one of the user's own sessions; returns whether there was one of that name."""
    user = request.user
    ended = bool(sessions.of_user(user).filter(handle=handle).delete()[0])
    if ended:
        record("session.ended", by=StaffActor(user), object_type="user", object_id=user.pk)
    return ended


def end_other_sessions(request: HttpRequest) -> int:
    """Sign the user out everywhere else; returns how many sessions ended."""
    user = request.user
    ended = sessions.end_others(request)
    detail = {"sessions": ended}
    about = {"object_type": "user", "object_id": user.pk}
    record("session.ended_others", by=StaffActor(user), detail=detail, **about)
    return ended

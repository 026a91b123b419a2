"""Passwords: the rules as a Django validator, the ones used before, and one-time passwords."""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import PastPassword, User
from xuezheng.kernel.access.signin.rules import SignInRules, password_faults
from xuezheng.kernel.reference.parameters import settings_on

PREFIX = "access.signin"
ONE_TIME_BYTES = 13  # 104 bits: too many to try, so one round of SHA-256 is enough
_BASE32 = str.maketrans("01", "OI")


def rules_for(owner: str, day: dt.date | None = None) -> SignInRules:
    """The rules of an authority (its organisation code; "" for the shipped ones) on a day.  One query."""
    values = settings_on(day or timezone.localdate(), PREFIX, owner)
    return SignInRules.of({name: setting.value for name, setting in values.items()})


class PasswordRules:
    """Length, kinds of characters, not the user name, not one used before: as the bureau set them."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError with every fault."""
        rules = rules_for(StaffActor(user).authority_code if user and user.pk else "")
        words = {
            "length": _("密码至少 %d 位。") % rules.password_length,
            "classes": _("密码须含大写字母、小写字母、数字、符号中的至少 %d 类。")
            % rules.password_classes,
            "name": _("密码里不能有用户名。"),
        }
        username = user.username if user else ""
        faults = [words[code] for code in password_faults(password, username, rules)]
        if not faults and user and user.pk and used_before(user, password, rules.password_history):
            faults.append(_("这是最近用过的密码，请换一个。"))
        if faults:
            raise ValidationError(faults)

    def get_help_text(self) -> str:
        """Said under the field, from the shipped numbers or the bureau's own."""
        return password_help(rules_for(""))


def password_help(rules: SignInRules) -> str:
    """The rules in one sentence."""
    return _(
        "至少 %(length)d 位，含大写字母、小写字母、数字、符号中的至少 %(classes)d 类；"
        "不能含用户名，不能与最近 %(history)d 次相同。"
    ) % {
        "length": rules.password_length,
        "classes": rules.password_classes,
        "history": rules.password_history,
    }


def used_before(user: User, password: str, history: int) -> bool:
    """Whether the password is the present one or among the last `history`."""
    hashes = [user.password] if user.has_usable_password() else []
    hashes += user.past_passwords.values_list("password", flat=True)[:history]
    return any(check_password(password, encoded) for encoded in dict.fromkeys(hashes) if encoded)


def replace_password(user: User, password: str, rules: SignInRules) -> None:
    """Set a validated password and remember it among those used.  Hash only; saves the user."""
    user.set_password(password)
    user.save(
        update_fields=["password", "password_changed_at", "one_time_digest", "one_time_until"]
    )
    PastPassword.objects.create(user=user, password=user.password)
    kept = user.past_passwords.values_list("id", flat=True)[: max(rules.password_history, 1)]
    user.past_passwords.exclude(id__in=list(kept)).delete()


def _digest(one_time: str) -> str:
    compact = "".join(char for char in one_time.upper() if char.isalnum()).translate(_BASE32)
    return hashlib.sha256(compact.encode()).hexdigest()


def give_one_time(user: User, rules: SignInRules, now: dt.datetime) -> str:
    """Void the user's password and set a random one-time password (not saved).  Returns it, in groups.

    It works until a password of the person's own is set, at most `one_time_days`.
    """
    text = base64.b32encode(secrets.token_bytes(ONE_TIME_BYTES)).decode().rstrip("=")[:20]
    user.set_unusable_password()
    user.one_time_digest = _digest(text)
    user.one_time_until = now + dt.timedelta(days=rules.one_time_days)
    return "-".join(text[at : at + 5] for at in range(0, 20, 5))


def is_one_time(user: User, given: str, now: dt.datetime) -> bool:
    """Whether what was typed is the user's one-time password, and it is still good."""
    if not user.one_time_digest or user.one_time_until is None or now >= user.one_time_until:
        return False
    return hmac.compare_digest(_digest(given), user.one_time_digest)


def one_time_fields() -> tuple[Any, ...]:
    """The columns that `give_one_time` changes."""
    return ("password", "one_time_digest", "one_time_until")

"""A code by SMS: for guardians and residents, who have no account at the bureau's identity provider.

Six digits, kept as a keyed hash, good for a few minutes and tries.  Whether a number belongs to an
account is never told: where anybody may come in, every number gets a code; else, without an account,
nothing is sent and every code is wrong.
"""

import datetime as dt
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from xuezheng.kernel.access.models import AttemptKind, SmsChallenge
from xuezheng.kernel.access.signin import lockout
from xuezheng.kernel.access.signin.rules import SignInRules
from xuezheng.kernel.access.signin.ways.base import TIMEOUT, Begun, Subject, WayRefused

DIGITS = 6
#: 11 digits beginning with 1 (mainland mobile numbers).
NUMBER = re.compile(r"1[3-9]\d{9}")
#: The telephones of the demo district, which no network uses.
INVENTED = re.compile(r"100\d{8}")


class Sender(Protocol):
    """Whatever carries a text to a telephone."""

    def send(self, number: str, text: str) -> None:
        """Raises WayRefused("upstream") when it could not be handed over."""
        ...


@dataclass(frozen=True)
class FileSender:
    """Appends to a file: for trying out, and for gateways that watch a folder."""

    path: Path

    def send(self, number: str, text: str) -> None:
        """One line for each text; the file is its owner's only."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self.path, flags, 0o600), "a", encoding="utf-8") as out:
            out.write(f"{number}\t{text}\n")


@dataclass(frozen=True)
class GatewaySender:
    """A gateway that takes JSON {"to", "text"} with a bearer token."""

    url: str
    token: str

    def send(self, number: str, text: str, message_id: str = "") -> None:
        """Hand over; any answer but 2xx is a refusal.

        `message_id` goes along as "id": a gateway that knows it has had the text already may drop it.
        """
        try:
            answer = requests.post(
                self.url,
                json={"to": number, "text": text} | ({"id": message_id} if message_id else {}),
                headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            answer.raise_for_status()
        except requests.RequestException as error:
            raise WayRefused("upstream") from error


def sender_of(address: str, token: str) -> Sender:
    """The sender of the configuration: https:// a gateway, anything else a file."""
    if address.startswith(("https://", "http://")):
        return GatewaySender(address, token)
    return FileSender(Path(address))


def normal_number(text: str) -> str:
    """A mainland mobile number without blanks, dashes and +86; "" when it is none.

    The demo also takes the numbers of its own people.
    """
    compact = re.sub(r"[\s-]", "", text)
    compact = re.sub(r"^(\+86|0086)", "", compact)
    if settings.IS_DEMO and INVENTED.fullmatch(compact):
        return compact
    return compact if NUMBER.fullmatch(compact) else ""


def _digest(challenge_id: str, code: str) -> str:
    return salted_hmac(f"xuezheng.sms.{challenge_id}", code, algorithm="sha256").hexdigest()


@dataclass(frozen=True)
class SmsWay:
    """Codes by SMS.  `anyone`: also for numbers of no account, which is then made."""

    address: str
    token: str
    label: str
    anyone: bool = False
    key: str = "sms"
    own_pages: bool = True

    @property
    def writes_to_file(self) -> bool:
        """Whether no real telephone gets the codes."""
        return isinstance(sender_of(self.address, self.token), FileSender)

    def begin(self, given: Mapping[str, Any], callback: str) -> Begun:
        """Send a code to `given["number"]`, if `given["known"]`; the two limits count either way.

        `given` also carries `rules` (SignInRules), `from` (network address), `again` for a
        signed-in person who changes something, and `told`: whether the page may tell the code (the demo), which the session then remembers as "told".
        """
        rules: SignInRules = given["rules"]
        number, now = given["number"], timezone.now()
        limits = (
            (AttemptKind.NUMBER, number, rules.sms_per_number),
            (AttemptKind.SENDER, given["from"], rules.sms_per_address),
        )
        if any(lockout.hold(kind, value, now) for kind, value, _limit in limits):
            raise WayRefused("many")
        for kind, value, limit in limits:
            lockout.count(kind, value, now, limit=limit, window=lockout.HOUR, lock=lockout.HOUR)
        challenge = SmsChallenge(
            number=number, expires_at=now + dt.timedelta(minutes=rules.sms_minutes)
        )
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        # Without an account no code fits: not even a hash of one is kept.
        challenge.digest = _digest(str(challenge.id), code) if given["known"] else ""
        challenge.save()
        if given["known"]:
            # The text says for what: whoever is talked into passing a code on can see that.
            text = (
                _("修改已提交内容的验证码 %(code)s，%(minutes)d 分钟内有效。切勿告诉他人。")
                if given.get("again")
                else _("登录验证码 %(code)s，%(minutes)d 分钟内有效。切勿告诉他人。")
            )
            sender_of(self.address, self.token).send(
                number, text % {"code": code, "minutes": rules.sms_minutes}
            )
        told = {"told": code} if given.get("told") and self.writes_to_file else {}
        return Begun("", {"challenge": str(challenge.id), **told})

    def finish(
        self, given: Mapping[str, Any], remembered: Mapping[str, Any], callback: str
    ) -> Subject:
        """The number that was proved; a wrong code counts as a try of this code."""
        rules: SignInRules = given["rules"]
        challenge = (
            SmsChallenge.objects.select_for_update().filter(id=remembered.get("challenge")).first()
        )
        if challenge is None:
            raise WayRefused("state")
        if (
            challenge.used
            or challenge.tries >= rules.sms_tries
            or timezone.now() >= challenge.expires_at
        ):
            raise WayRefused("expired")
        challenge.tries += 1
        code = "".join(given.get("code", "").split())
        right = hmac.compare_digest(challenge.digest, _digest(str(challenge.id), code))
        challenge.used = right
        challenge.save(update_fields=["tries", "used"])
        if not right:
            raise WayRefused("code")
        return Subject(self.key, "phone", challenge.number, anyone=self.anyone)

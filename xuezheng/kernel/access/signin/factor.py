"""The second factor: codes of six digits every thirty seconds (RFC 6238), and recovery codes.

A code is accepted one step early or late, for clocks that differ, and only once.
"""

import base64
import datetime as dt
import hmac
import io
import secrets

import pyotp
import segno
from django.db import transaction
from django.utils.crypto import salted_hmac

from xuezheng.kernel.access.ciphers import seal, unseal
from xuezheng.kernel.access.models import RecoveryCode, SecondFactor, User

STEP_SECONDS = 30
SKEW = 1
RECOVERY_CODES = 10
#: Associated data of a secret that waits in the session until its first code is given.
_WAITING = "access_session.waiting_secret"


def new_secret() -> str:
    """A random secret of 160 bits, base32."""
    return pyotp.random_base32()


def sealed_secret(secret: str) -> str:
    """A waiting secret as the session may keep it."""
    return seal(secret, _WAITING)


def waiting_secret(sealed: str) -> str:
    """The secret again.  Raises CannotUnseal."""
    return unseal(sealed, _WAITING)


def address(secret: str, username: str, issuer: str) -> str:
    """otpauth:// address for a code generator."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def picture(text: str) -> bytes:
    """A QR code as SVG, without style attributes."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=5, border=2, xmldecl=False)
    return out.getvalue()


def step_of(now: dt.datetime) -> int:
    """The number of the time step of a moment."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """The code of a time step."""
    return pyotp.TOTP(secret).generate_otp(step)


def accepted_step(secret: str, given: str, now: dt.datetime, last_step: int) -> int | None:
    """The time step whose code was given: this one, or one before or after, later than `last_step`.

    None for any other code, so also for one that was used already.
    """
    compact = "".join(given.split())
    present = step_of(now)
    found = None
    for step in range(present - SKEW, present + SKEW + 1):
        # No early way out: the time taken tells nothing.
        if hmac.compare_digest(code_at(secret, step).encode(), compact.encode()) and (
            step > last_step
        ):
            found = step if found is None else found
    return found


@transaction.atomic
def verify(user: User, given: str, now: dt.datetime) -> str:
    """How the user proved the second factor: "code", "recovery", or "" when they did not.

    The code's step, or the recovery code, is spent.
    """
    enrolled = SecondFactor.objects.select_for_update().filter(user=user).first()
    if enrolled is None:
        return ""
    step = accepted_step(enrolled.secret, given, now, enrolled.last_step)
    if step is not None:
        enrolled.last_step = step
        enrolled.save(update_fields=["last_step"])
        return "code"
    spent = RecoveryCode.objects.filter(
        user=user, digest=_recovery_digest(given), used_at__isnull=True
    ).update(used_at=now)
    return "recovery" if spent else ""


@transaction.atomic
def enrol(user: User, secret: str, given: str, now: dt.datetime) -> list[str] | None:
    """Keep the secret if the code is right; returns new recovery codes, None for a wrong code.

    Replaces an earlier generator.
    """
    step = accepted_step(secret, given, now, 0)
    if step is None:
        return None
    drop(user)
    SecondFactor.objects.create(user=user, secret=secret, last_step=step)
    return new_recovery_codes(user)


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten new codes, to be shown once; earlier ones are void."""
    texts = [base64.b32encode(secrets.token_bytes(7)).decode()[:10] for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, digest=_recovery_digest(text)) for text in texts
    )
    return [f"{text[:5]}-{text[5:]}" for text in texts]


def drop(user: User) -> bool:
    """Take generator and recovery codes away; returns whether there was a generator."""
    RecoveryCode.objects.filter(user=user).delete()
    return bool(SecondFactor.objects.filter(user=user).delete()[0])


def _recovery_digest(given: str) -> str:
    compact = "".join(char for char in given.upper() if char.isalnum())
    return salted_hmac("xuezheng.recovery", compact, algorithm="sha256").hexdigest()


def usable_code(enrolled: SecondFactor, now: dt.datetime) -> str:
    """The next code that would be accepted, for the demo district; empty when it must be waited for."""
    step = max(step_of(now), enrolled.last_step + 1)
    return code_at(enrolled.secret, step) if step <= step_of(now) + SKEW else ""

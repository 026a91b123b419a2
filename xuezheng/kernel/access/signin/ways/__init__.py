"""Ways to sign in besides the password, behind one interface: begin, then finish.

`configured()` gives those that this installation has set up (XUEZHENG_SIGNIN_*).  A way says who is at
the door; which account that is, registry/services/signing_in.py decides.  A way makes no
accounts; codes by SMS may be declared open to anyone, and the registry then opens one.
"""

from django.conf import settings

from xuezheng.kernel.access.signin.ways.base import Begun, Subject, Way, WayRefused
from xuezheng.kernel.access.signin.ways.cas import CasWay
from xuezheng.kernel.access.signin.ways.oidc import OidcWay
from xuezheng.kernel.access.signin.ways.sms import SmsWay

__all__ = ["Begun", "Subject", "Way", "WayRefused", "configured"]

KINDS: dict[str, type] = {"oidc": OidcWay, "cas": CasWay, "sms": SmsWay}


def configured() -> dict[str, Way]:
    """Key -> way, in the order of the sign-in page."""
    return {key: KINDS[key](**options) for key, options in settings.SIGNIN_WAYS.items()}

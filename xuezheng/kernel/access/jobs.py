"""Every night: what signing in leaves behind and nobody needs any more."""

from django.utils import timezone
from procrastinate.contrib.django import app

from xuezheng.kernel.access.models import Session, SmsChallenge
from xuezheng.kernel.access.signin import lockout
from xuezheng.kernel.reference.schedule import daily


@app.periodic(cron=daily(3, 40))
@app.task(name="access.purge", queueing_lock="access.purge")
def purge(timestamp: int) -> None:
    """Delete sessions, codes and counts that are over."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    SmsChallenge.objects.filter(expires_at__lt=now).delete()
    lockout.purge(now)

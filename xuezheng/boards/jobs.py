"""Messages go out: urgent ones within the minute, the digest once a day."""

from django.utils import timezone
from procrastinate.contrib.django import app

from xuezheng.boards import digest
from xuezheng.boards.context import bureau
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.notices import sending
from xuezheng.kernel.notices.channels import configured
from xuezheng.kernel.reference.parameters import setting
from xuezheng.kernel.reference.schedule import daily
from xuezheng.registry.services.families import telephones_of


class NotDelivered(Exception):
    """Texts were given up after several tries: the job fails, so that the operator sees it."""


@app.periodic(cron="* * * * *")
@app.task(name="notices.send", queueing_lock="notices.send", lock="notices.send", pass_context=True)
def send(context, timestamp: int) -> None:
    """Hand over what is due.  Run again by the operator, it also tries what was given up.

    Raises NotDelivered when something was given up in this run.
    """
    if not configured():
        return
    by = JobActor("notices.send")
    if context.job.attempts > 0:
        sending.send_again(by=by)
    sending.take_urgent(telephones_of, by=by)
    given_up = sending.send_due(telephones_of, by=by).given_up
    if given_up:
        raise NotDelivered(str(given_up))


@app.periodic(cron="7 * * * *")
@app.task(name="notices.digest", queueing_lock="notices.digest", lock="notices.digest")
def make_digest(timestamp: int) -> None:
    """The day's digest, at its hour or, when the program was down then, at the next one."""
    now = timezone.localtime()
    if now.hour >= digest.hour():
        digest.compose(now.date(), by=JobActor("notices.digest"))


@app.periodic(cron=daily(3, 50))
@app.task(name="notices.purge", queueing_lock="notices.purge")
def purge(timestamp: int) -> None:
    """Delete texts and read notices that are old enough."""
    top = bureau()
    day = timezone.localdate()
    days = setting("notices.keep_days", day, top.code if top else "").value
    with fenced(by=JobActor("notices.purge")):
        sending.purge(int(days))

"""What admissions does by itself."""

from django.utils import timezone
from procrastinate.contrib.django import app

from xuezheng.domains.admissions.services.checking import ask_silent_registers
from xuezheng.domains.admissions.services.forgetting import forget_grandparents, forget_old
from xuezheng.domains.admissions.services.publishing import lapse_unanswered
from xuezheng.domains.admissions.services.tracing import close_registered
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.reference.schedule import daily


@app.periodic(cron="*/10 * * * *")
@app.task(name="admissions.registers", queueing_lock="admissions.registers")
def registers(timestamp: int) -> None:
    """Every ten minutes: registers that gave no answer are asked again."""
    by = JobActor("admissions.registers")
    with fenced(by=by):
        ask_silent_registers(by=by)


@app.periodic(cron="*/10 * * * *")
@app.task(name="admissions.tracing", queueing_lock="admissions.tracing")
def tracing(timestamp: int) -> None:
    """Every ten minutes: follow-ups of children who were registered meanwhile are closed."""
    by = JobActor("admissions.tracing")
    with fenced(by=by):
        close_registered(by=by)


@app.periodic(cron=daily(0, 20))
@app.task(name="admissions.lapse", queueing_lock="admissions.lapse")
def lapse(timestamp: int) -> None:
    """Every night: places that had to be confirmed by yesterday and were not are free again."""
    by = JobActor("admissions.lapse")
    with fenced(by=by):
        lapse_unanswered(timezone.localdate(), by=by)


@app.periodic(cron=daily(0, 40))
@app.task(name="admissions.drafts", queueing_lock="admissions.drafts")
def drafts(timestamp: int) -> None:
    """Every night: what families never handed in is deleted some weeks after registration closed, and the
    numbers of grandparents when checking is over."""
    by = JobActor("admissions.drafts")
    with fenced(by=by):
        forget_old(timezone.localdate(), by=by)
        forget_grandparents(by=by)

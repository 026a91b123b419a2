"""Lights every night and whenever figures were computed."""

from django.utils import timezone
from procrastinate.contrib.django import app

from xuezheng.domains.workplan.models import Plan
from xuezheng.domains.workplan.services.lights import refresh_lights
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.indicators.jobs import AFTER_COMPUTE
from xuezheng.kernel.reference.schedule import daily

AFTER_COMPUTE.append("workplan.lights")


@app.task(name="workplan.lights", queueing_lock="workplan.lights")
def lights() -> None:
    """Assess every plan that is being carried out."""
    for plan in Plan.objects.filter(status=Plan.Status.ADOPTED).select_related("organisation"):
        with fenced(by=JobActor("workplan.lights")):
            refresh_lights(plan, timezone.localdate())


@app.periodic(cron=daily(0, 55))
@app.task(name="workplan.nightly", queueing_lock="workplan.nightly")
def nightly(timestamp: int) -> None:
    """A day has passed: what was due yesterday may be late now."""
    lights()

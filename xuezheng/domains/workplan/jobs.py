"""Lights every night, after the figures."""

from django.utils import timezone
from procrastinate.contrib.django import app

from xuezheng.domains.workplan.models import Plan
from xuezheng.domains.workplan.services.lights import refresh_lights


@app.periodic(cron="55 0 * * *")
@app.task(name="workplan.lights", queueing_lock="workplan.lights")
def nightly_lights(timestamp: int) -> None:
    """Assess every plan that is being carried out."""
    for plan in Plan.objects.filter(status=Plan.Status.ADOPTED).select_related("organisation"):
        refresh_lights(plan, timezone.localdate())

"""Work on people and places in the background."""

from procrastinate.contrib.django import app

from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.reference.schedule import daily
from xuezheng.registry.organisations import OrganisationKind
from xuezheng.registry.services.duplicates import find_duplicates


@app.periodic(cron=daily(2, 20))
@app.task(name="registry.duplicates", queueing_lock="registry.duplicates")
def duplicates(timestamp: int) -> None:
    """Every night: pairs of rows that may be one person.  Nothing to do before there is a bureau."""
    by = JobActor("registry.duplicates")
    with fenced(by=by):
        if Organisation.objects.filter(kind=OrganisationKind.BUREAU).exists():
            find_duplicates(by=by)

"""Lights every night and whenever figures were computed."""

from django.db.models import Exists, OuterRef
from django.utils import timezone
from procrastinate.contrib.django import app

from xuezheng.domains.workplan.models import Plan, Round, ScoreSheet
from xuezheng.domains.workplan.scoring_rules import quarter_before
from xuezheng.domains.workplan.services import acting, rounds, scoring
from xuezheng.domains.workplan.services.lights import refresh_lights
from xuezheng.domains.workplan.services.recurring import remind_reports, remind_reviews
from xuezheng.domains.workplan.services.supervising import climb, propose_for_red
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


@app.task(name="workplan.rounds", queueing_lock="workplan.rounds")
def open_rounds() -> None:
    """Open the rounds whose day has come, and let open duties follow their posts."""
    today = timezone.localdate()
    job = JobActor("workplan.rounds")
    later = Round.objects.filter(
        plan=OuterRef("plan"), ends_on__gt=OuterRef("ends_on"), opens_on__lte=today
    )
    # After days without the program only the newest of a plan is opened: the others are past.
    due = Round.objects.filter(
        ~Exists(later),
        plan__status=Plan.Status.ADOPTED,
        opened_at__isnull=True,
        opens_on__lte=today,
    )
    for row in due.select_related("plan"):
        with fenced(by=job):
            rounds.open_round(row, by=job)
    for plan in Plan.objects.filter(status=Plan.Status.ADOPTED):
        with fenced(by=job):
            acting.follow_posts(plan, by=job)


@app.periodic(cron=daily(0, 55))
@app.task(name="workplan.nightly", queueing_lock="workplan.nightly")
def nightly(timestamp: int) -> None:
    """A day has passed: what was due yesterday may be late now."""
    lights()
    open_rounds()


@app.periodic(cron=daily(1, 10))
@app.task(name="workplan.desk", queueing_lock="workplan.desk")
def desk(timestamp: int) -> None:
    """After the lights: sheets proposed and raised, reports and reviews reminded of."""
    today = timezone.localdate()
    by = JobActor("workplan.desk")
    for plan in Plan.objects.filter(status=Plan.Status.ADOPTED).select_related("organisation"):
        with fenced(by=by):
            propose_for_red(plan, by=by)
            climb(plan.organisation, by=by)
            remind_reports(plan.organisation, today, by=by)
            remind_reviews(plan.organisation, today, by=by)


@app.periodic(cron=daily(1, 40))
@app.task(name="workplan.scores", queueing_lock="workplan.scores")
def scores(timestamp: int) -> None:
    """Where a bureau keeps scores: last quarter's sheet is made, open ones follow their records."""
    year, quarter = quarter_before(timezone.localdate())
    by = JobActor("workplan.scores")
    for plan in Plan.objects.filter(status=Plan.Status.ADOPTED).select_related("organisation"):
        bureau = plan.organisation
        if not scoring.is_on(scoring.score_settings(bureau)):
            continue
        with fenced(by=by):
            scoring.compute_sheet(bureau, year=year, quarter=quarter, by=by)
            for sheet in ScoreSheet.objects.filter(bureau=bureau, state__in=scoring.OPEN):
                scoring.recompute(sheet, by=by)

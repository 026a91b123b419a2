"""Reads of rounds used by more than one caller."""

import datetime as dt

from django.db.models import Count, Q, QuerySet, Sum

from xuezheng.domains.workplan.flows import ROUND
from xuezheng.domains.workplan.models import Round, RoundReport
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.cases.models import Case


def owed_reports(actor: Actor) -> QuerySet[RoundReport]:
    """Reports of rounds whose next step stands in the actor's inbox."""
    cases = Case.objects.owed_by(actor).filter(kind=ROUND.kind)
    return RoundReport.objects.filter(case__in=cases).select_related(
        "case__organisation", "round", "commitment__leader", "commitment__handler"
    )


def round_matrix(row: Round, today: dt.date) -> list[dict]:
    """For each office of a round: reports by state, late ones, how often returned (one query)."""
    late = Q(handed_on__gt=row.closes_on)
    if today > row.closes_on:
        late |= Q(handed_on__isnull=True)
    counts = {state: Count("pk", filter=Q(state=state)) for state in ROUND.states}
    return list(
        row.reports.order_by()
        .values("case__organisation", "case__organisation__name")
        .annotate(
            total=Count("pk"),
            late=Count("pk", filter=late),
            sent_back=Sum("returned"),
            **counts,
        )
        .order_by("case__organisation__order", "case__organisation")
    )

"""What families began and never handed in is not kept."""

import datetime as dt
import uuid

from django.db import transaction
from django.utils import timezone

from xuezheng.domains.admissions.models import Application, Draft, Paper, Season
from xuezheng.domains.admissions.selectors import admission_settings
from xuezheng.domains.admissions.services.checking import OPEN
from xuezheng.domains.admissions.services.drafting import answers_in
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.files.store import forget


def forget_grandparents(*, by: JobActor) -> int:
    """Numbers of grandparents whose homes nobody will ask for any more: checking is over.  How many.

    Run by the program every night.
    """
    rows = Application.objects.filter(grandparent__isnull=False).exclude(state__in=OPEN)
    gone = rows.update(grandparent=None)
    if gone:
        record("application.forget", by=by, object_type="application", detail={"numbers": gone})
    return gone


@transaction.atomic
def forget_old(today: dt.date, *, by: JobActor) -> int:
    """Delete drafts of seasons that closed long enough ago (parameter draft_days), with their papers.

    What was never handed in is nobody's to keep.  Run by the program every night; returns how many.
    """
    gone = 0
    closed = Season.objects.filter(drafts__isnull=False, closes_at__date__lt=today).distinct()
    for season in closed:
        settings = admission_settings(today, authority_code(season.organisation_id, today))
        kept_until = timezone.localdate(season.closes_at) + dt.timedelta(
            days=settings["draft_days"].value
        )
        if kept_until >= today:
            continue
        rows = list(Draft.objects.filter(season=season).select_for_update(of=("self",)))
        papers = {
            uuid.UUID(key)
            for row in rows
            for keys in answers_in(row).get("papers", {}).values()
            for key in keys
        }
        Draft.objects.filter(pk__in=[row.pk for row in rows]).delete()
        attached = Paper.objects.filter(file_id__in=papers).values_list("file_id", flat=True)
        forget(papers - set(attached))
        record(
            "draft.forget",
            by=by,
            organisation_id=season.organisation_id,
            object_type="season",
            object_id=season.id,
            detail={"drafts": len(rows)},
        )
        gone += len(rows)
    return gone

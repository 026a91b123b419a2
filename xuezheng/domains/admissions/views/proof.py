"""What anybody may see and take home to check a season.  No names, nothing to look up."""

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application, Draw, Freeze, Season
from xuezheng.domains.admissions.selectors import admission_settings
from xuezheng.domains.admissions.services import proving
from xuezheng.domains.admissions.services.allocating import by_school
from xuezheng.domains.admissions.services.drawing import draw_of
from xuezheng.domains.admissions.services.explaining import Words
from xuezheng.domains.admissions.services.freezing import freeze_of, own_leaf
from xuezheng.domains.admissions.services.publishing import published
from xuezheng.kernel.access.guards import public, requires
from xuezheng.kernel.access.limits import limited
from xuezheng.kernel.access.scope import authority_code


def _season(pk: int) -> Season:
    return get_object_or_404(Season.objects.announced().select_related("rule_set"), pk=pk)


@require_GET
@public
def proof(request: HttpRequest, pk: int) -> HttpResponse:
    """Seal of the roll, the draw, the cut-offs of each round, and how to check them in three steps."""
    season = _season(pk)
    frozen = freeze_of(season)
    draw = draw_of(frozen) if frozen else None
    words = Words(season)
    rounds = [
        {
            "run": run,
            "schools": [
                row
                | {
                    "name": words.schools.get(row["code"], row["code"]),
                    "words": words.cutoff(row["cutoff"], row["tier"], row["width"]),
                }
                for row in by_school(run)
            ],
        }
        for run in published(season)
    ]
    context = {
        "season": season,
        "frozen": frozen,
        "draw": draw,
        "drawn": draw is not None and draw.state == Draw.State.DRAWN,
        "sources": list(zip(draw.public_sources, draw.public_values, strict=True)) if draw else [],
        "rounds": rounds,
        "voided": Freeze.objects.filter(season=season).exclude(void_reason=""),
        "void_draws": _void_draws(season),
    }
    return render(request, "admissions/proof.html", context)


def _void_draws(season: Season) -> list[tuple[Draw, str]]:
    """Draws that were given up, each with its reason."""
    rows = Draw.objects.filter(freeze__season=season, rehearsal=False, state=Draw.State.VOID)
    return [
        (draw, "；".join(step.text for step in draw.steps.all() if step.kind == "void"))
        for draw in rows.order_by("committed_at").prefetch_related("steps")
    ]


@require_GET
@public
def proof_file(request: HttpRequest, pk: int, number: int, name: str) -> HttpResponseBase:
    """One of the files that replay.py reads, or the script itself."""
    season = _season(pk)
    limit_files(request, season)
    found = proving.file_of(season, number, name)
    if found is None:
        raise Http404
    response: HttpResponseBase = (
        HttpResponse(found) if isinstance(found, bytes) else FileResponse(found.open("rb"))
    )
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def limit_files(request: HttpRequest, season: Season) -> None:
    """Count one download of what anybody may take home.  Raises TooMany."""
    today = timezone.localdate()
    settings = admission_settings(today, authority_code(season.organisation_id, today))
    limited(request, "admissions.proof", per_hour=settings["proofs_per_hour"].value)


@require_GET
@requires(Permission.APPLY)
def my_leaf(request: HttpRequest, number: str) -> HttpResponse:
    """A family's own line of the roll with its way to the seal, as the script reads it."""
    rows = Application.objects.visible_to(request.actor)
    found = own_leaf(get_object_or_404(rows, case__number=number))
    if found is None:
        raise Http404
    response = JsonResponse(found, json_dumps_params={"ensure_ascii": False})
    response.headers["Content-Disposition"] = 'attachment; filename="mine.json"'
    return response

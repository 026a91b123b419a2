"""Admissions for programs: seasons, areas, submitting, status, result.

A client reads what it has handed in itself and nothing else: other numbers do not exist for it.
"""

import uuid
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Header, Path, Router, Status

from xuezheng.api.errors import refusal
from xuezheng.api.models import Scope
from xuezheng.api.schemas import (
    AddressIn,
    ApplicationIn,
    ErrorOut,
    ResultOut,
    SeasonOut,
    StatusOut,
    SubmittedOut,
    ZonesOut,
)
from xuezheng.domains.admissions.answers import Address, Answers, Faults
from xuezheng.domains.admissions.models import Application, Intake, Offer, Season
from xuezheng.domains.admissions.rules.zones import Place
from xuezheng.domains.admissions.selectors import open_seasons
from xuezheng.domains.admissions.services.applying import submit
from xuezheng.domains.admissions.services.explaining import reason_sentence
from xuezheng.domains.admissions.services.zoning import explain_zone
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused

router = Router(tags=["admissions"])
REFUSALS = {code: ErrorOut for code in (400, 401, 403, 404, 409, 422, 429)}
SeasonId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Number = Annotated[str, Path(pattern=r"^[A-Z]{2}[0-9]{4}-[0-9]{1,9}$")]


class Forbidden(Exception):
    """The client has no such scope."""


def _need(request: HttpRequest, scope: Scope) -> None:
    if scope not in request.client.scopes:
        raise Forbidden(scope)


def _season(season_id: int) -> Season | None:
    return Season.objects.announced().filter(pk=season_id).first()


def _missing() -> HttpResponse:
    return refusal(404, "not_found", _("没有这个编号。"))


def _school(organisation: Any) -> dict[str, str]:
    return {"code": organisation.code, "name": organisation.name}


@router.get("/seasons", response={200: list[SeasonOut], **REFUSALS}, operation_id="seasons")
def seasons(request: HttpRequest) -> list[dict[str, Any]]:
    """Seasons that take registrations now, with the schools that a family can put on its list."""
    _need(request, Scope.LOOK_UP)
    rows = open_seasons()
    intakes = Intake.objects.filter(season__in=rows, mode=Intake.Mode.CHOICE)
    intakes = intakes.select_related("school").order_by("school__order", "pk")
    return [
        {
            "id": season.id, "year": season.year, "level": season.level, "title": season.title,
            "opens_at": season.opens_at, "closes_at": season.closes_at,
            "intakes": [
                {
                    "id": one.id, "school": _school(one.school), "places": one.places,
                    "draw_when_over": one.draw_when_over,
                }
                for one in intakes
                if one.season_id == season.id
            ],
        }
        for season in rows
    ]  # fmt: skip


@router.post(
    "/seasons/{season_id}/zones",
    response={200: ZonesOut, **REFUSALS},
    operation_id="look_up_zone",
)
def zones(request: HttpRequest, season_id: SeasonId, address: AddressIn) -> Any:
    """Whose area an address lies in.  A POST, so that no address stands in a log; it changes nothing."""
    _need(request, Scope.LOOK_UP)
    season = _season(season_id)
    if season is None:
        return _missing()
    place = Place(address.community, address.road, address.number, address.building)
    answer = explain_zone(season, place)
    return {
        "found": bool(answer.hits),
        "sentence": answer.sentence,
        "advice": answer.advice,
        "zones": [
            {
                "code": hit.zone.code,
                "name": hit.zone.name,
                "schools": [_school(school) for school in hit.schools],
            }
            for hit in answer.hits
        ],
    }


@router.post(
    "/seasons/{season_id}/applications",
    response={200: SubmittedOut, 201: SubmittedOut, **REFUSALS},
    operation_id="submit_application",
)
def submit_application(
    request: HttpRequest,
    season_id: SeasonId,
    data: ApplicationIn,
    idempotency_key: Annotated[uuid.UUID, Header(alias="Idempotency-Key")],
) -> Any:
    """Register a child.  The same key, or the same child, gives the reference of the first time."""
    _need(request, Scope.SUBMIT)
    season = _season(season_id)
    if season is None:
        return _missing()
    given = data.dict(exclude={"reference"})
    given["register"] = Address(**given.pop("registered"))
    given["home"] = Address(**given["home"])
    try:
        made = submit(
            season=season,
            answers=Answers.read(given).checked(),
            # Two clients that make up the same key do not meet.
            key=uuid.uuid5(uuid.UUID(int=request.client.pk), str(idempotency_key)),
            channel=Application.Channel.PORTAL,
            client=f"{request.client.name}:{data.reference}",
            by=request.actor,
        )
    except Faults as faults:
        return refusal(422, "faults", _("填写的内容有误。"), faults.faults)
    except StepRefused as refused:
        return refusal(409, "closed", str(refused))
    content = {"number": made.number, "is_new": made.is_new}
    return Status(201 if made.is_new else 200, content)


def _own(request: HttpRequest, number: str) -> Application | None:
    """A registration that this client handed in."""
    rows = Application.objects.visible_to(request.actor).select_related("case")
    own = rows.filter(client__startswith=f"{request.client.name}:", case__number=number).first()
    if own is not None:
        record_read(
            request,
            "application.open",
            organisation_id=own.case.organisation_id,
            object_type="application",
            object_id=number,
        )
    return own


@router.get("/applications/{number}", response={200: StatusOut, **REFUSALS}, operation_id="status")
def status(request: HttpRequest, number: Number) -> Any:
    """Where a registration of this client stands, with everything that must be put right."""
    _need(request, Scope.FOLLOW)
    row = _own(request, number)
    if row is None:
        return _missing()
    return {
        "number": number,
        "reference": row.client.partition(":")[2],
        "state": row.state,
        "state_label": row.get_state_display(),
        "submitted_on": row.submitted_on,
        "due": row.case.due,
        "papers_needed": row.papers_needed,
        "faults": [
            {"code": str(one.get("code", "")), "note": str(one.get("note", ""))}
            for one in row.faults
        ],
    }


@router.get(
    "/applications/{number}/result", response={200: ResultOut, **REFUSALS}, operation_id="result"
)
def result(request: HttpRequest, number: Number) -> Any:
    """The published result of a registration of this client; 404 before there is one."""
    _need(request, Scope.FOLLOW)
    row = _own(request, number)
    if row is None:
        return _missing()
    offers = Offer.objects.filter(application=row, allocation__published_at__isnull=False)
    offer = (
        offers.select_related("allocation__season", "intake__school")
        .order_by("-allocation__round")
        .first()
    )
    if offer is None:
        return refusal(404, "no_result", _("结果还没有公布。"))
    return {
        "number": number,
        "school": _school(offer.intake.school) if offer.intake else None,
        "reason": reason_sentence(offer),
        "published_on": timezone.localdate(offer.allocation.published_at),
        "respond_by": offer.respond_by,
        "answer": offer.answer,
    }

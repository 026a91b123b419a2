"""What anybody may look up: the area of an address, locks on a dwelling, forecast, consultations.

Addresses are posted, so that none stands in an address bar, a log or a bookmark, and look-ups are
limited, so that nobody copies the register of dwellings question by question.
"""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.domains.admissions.forms.consultations import CommentForm
from xuezheng.domains.admissions.forms.zones import AddressForm
from xuezheng.domains.admissions.models import Season, ZonePart
from xuezheng.domains.admissions.rules.forecast import Warning
from xuezheng.domains.admissions.selectors import admission_settings
from xuezheng.domains.admissions.services import consulting
from xuezheng.domains.admissions.services.filing import areas_of, changes_of
from xuezheng.domains.admissions.services.forecasting import forecast
from xuezheng.domains.admissions.services.standing import locks_of
from xuezheng.domains.admissions.services.zoning import explain_zone, place_words
from xuezheng.kernel.access.guards import public
from xuezheng.kernel.access.limits import limited
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.ui.steps import attempt
from xuezheng.registry.models import Community, Dwelling

#: Comments that one network address may leave an hour.
COMMENTS = 10


def _announced() -> list[Season]:
    """Seasons that families know of and that are not over, the newest first."""
    rows = Season.objects.announced().exclude(state=Season.State.FINISHED)
    return list(rows.select_related("organisation").order_by("-year", "level"))


def _roads(code: str) -> list[str]:
    """Roads and hamlets of a community: those of its dwellings and of the areas' lines."""
    found = set(
        Dwelling.objects.filter(community__code=code).values_list("road", flat=True).distinct()
    )
    found |= set(
        ZonePart.objects.filter(community__code=code).values_list("road", flat=True).distinct()
    )
    return sorted(found - {""})


def _counted(request: HttpRequest, seasons: Sequence[Season]) -> None:
    today = timezone.localdate()
    owner = authority_code(seasons[0].organisation_id, today)
    limit = admission_settings(today, owner)["lookups_per_hour"].value
    limited(request, "admissions.address", per_hour=limit)


def _address_form(
    request: HttpRequest, seasons: Sequence[Season], *, with_room: bool
) -> tuple[AddressForm, bool]:
    """The form, and whether a whole address was sent rather than a community alone."""
    code = request.POST.get("community", "")
    known = bool(code) and Community.objects.filter(code=code[:12]).exists()
    whole = known and request.POST.get("step") == "address" and request.POST.get("was") == code
    if request.method == "POST" and known and not whole:
        initial = {"community": code, "season": request.POST.get("season", "")}
        form = AddressForm(
            initial=initial, seasons=list(seasons), roads=_roads(code), with_room=with_room
        )
        return form, False
    roads = _roads(code) if known else None
    form = AddressForm(
        request.POST if request.method == "POST" else None,
        seasons=list(seasons), roads=roads, with_room=with_room,
    )  # fmt: skip
    return form, whole


def _place_name(form: AddressForm) -> str:
    name = Community.objects.values_list("name", flat=True).get(code=form.place.community)
    return place_words(form.place, name)


@require_http_methods(["GET", "POST"])
@public
def zone_lookup(request: HttpRequest) -> HttpResponse:
    """Which area an address belongs to, and why."""
    seasons = _announced()
    context: dict[str, object] = {"title": _("查服务区"), "seasons": seasons}
    if not seasons:
        return render(request, "admissions/zone_lookup.html", context)
    form, whole = _address_form(request, seasons, with_room=False)
    context |= {
        "form": form,
        "whole": "road" in form.fields,
        "lead": _("看住址属于哪所学校的服务区。"),
    }
    if request.method == "POST":
        _counted(request, seasons)
    if whole and form.is_valid():
        season = next(s for s in seasons if s.id == form.cleaned_data["season"])
        context |= {
            "answer": explain_zone(season, form.place),
            "place": _place_name(form),
            "chosen": season,
        }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "admissions/zone_lookup.html", context, status=status)


@require_http_methods(["GET", "POST"])
@public
def lock_lookup(request: HttpRequest) -> HttpResponse:
    """Whether a dwelling has given a place: school and years, nothing of a child."""
    seasons = _announced()
    context: dict[str, object] = {"title": _("查住房学位锁定"), "seasons": seasons}
    if not seasons:
        return render(request, "admissions/zone_lookup.html", context)
    form, whole = _address_form(request, seasons[:1], with_room=True)
    context |= {
        "form": form,
        "whole": "road" in form.fields,
        "lead": _("买房、租房前看看这套住房是否已用于入学。只显示学校和年份。"),
    }
    if request.method == "POST":
        _counted(request, seasons)
    if whole and form.is_valid():
        place = form.place
        found = Dwelling.objects.filter(
            community__code=place.community, road=place.road, number=place.number,
            building=place.building, room=form.cleaned_data["room"].strip(),
        )  # fmt: skip
        locks = [
            lock for dwelling in found[:20] for lock in locks_of(dwelling, timezone.localdate())
        ]
        context |= {"locks": locks, "known": found.exists(), "place": _place_name(form)}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "admissions/lock_lookup.html", context, status=status)


@require_GET
@public
def enrol_forecast(request: HttpRequest) -> HttpResponse:
    """Yellow and red warnings of announced seasons."""
    today = timezone.localdate()
    sections = [(season, forecast(season, today)) for season in _announced()]
    warned = sum(row.light != Warning.NONE for _season, rows in sections for row in rows)
    context = {"title": _("学位预警"), "sections": sections, "warned": warned}
    return render(request, "admissions/enrol_forecast.html", context)


@require_GET
@public
def enrol_consultations(request: HttpRequest) -> HttpResponse:
    """Consultations that are open to the public, and what came of earlier ones."""
    rows = consulting.announced().order_by("-case_id")[:50]
    return render(
        request, "admissions/enrol_consultations.html",
        {"title": _("服务区征求意见"), "rows": rows},
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@public
def enrol_consultation(request: HttpRequest, number: str) -> HttpResponse:
    """A draft with its opinions and answers; anybody may comment, without a name."""
    row = get_object_or_404(consulting.announced(), case__number=number)
    form = CommentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        limited(request, "admissions.comment", per_hour=COMMENTS)
        if form.is_valid():
            attempt(form, lambda: consulting.comment(row, text=form.cleaned_data["text"]))
        if not form.errors:
            messages.success(request, _("意见已收到，答复后会公布在这一页。"))
            return redirect("enrol_consultation", number)
    context = {
        "title": row.case.title,
        "row": row,
        "areas": areas_of(row),
        "changes": changes_of(row),
        "replies": row.replies.exclude(answer="").select_related("organisation"),
        "form": form if consulting.takes_comments(row) else None,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "admissions/enrol_consultation.html", context, status=status)

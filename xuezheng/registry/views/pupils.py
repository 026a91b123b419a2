"""Pages of pupils: list, one pupil, entering, editing, revealing a number."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import BELONGING
from xuezheng.registry.exchange import PUPILS
from xuezheng.registry.filters import PupilFilter
from xuezheng.registry.forms.base import RevealForm
from xuezheng.registry.forms.people import PupilForm
from xuezheng.registry.lists import word
from xuezheng.registry.looking import REVEALED
from xuezheng.registry.models import Guardianship, Pupil
from xuezheng.registry.services import pupils
from xuezheng.registry.services.common import allowed, tidy_number
from xuezheng.registry.services.placing import SUSPENDED
from xuezheng.registry.services.revealing import FIELDS, reveal
from xuezheng.registry.views.common import chosen_site, form_page, list_page, page


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_SEE)
def pupil_list(request: HttpRequest) -> HttpResponse:
    """Pupils in reach, by name.  Looking somebody up by words is noted; the words are not kept."""
    actor = request.actor
    rows = (
        Pupil.objects.visible_to(actor)
        .live()
        .select_related("organisation", "school_class__organisation")
    )
    filterset = PupilFilter(request.GET, queryset=rows, request=request)

    def prepare(shown: list[Pupil]) -> dict[str, Any]:
        for row in shown:
            row.status_word = word("status", row.status)
        return {}

    return list_page(
        request,
        filterset,
        section="pupils",
        template="pupil_list",
        title=_("学生"),
        table=PUPILS,
        may_export=actor.can(Permission.PUPIL_EXPORT),
        may_reveal=actor.can(Permission.PUPIL_REVEAL),
        searched="pupil",
        prepare=prepare,
        chips=[
            ("", _("在校")),
            ("suspended", _("休学")),
            ("unplaced", _("未落实学校")),
            ("classless", _("未编班")),
            ("all", _("全部")),
        ],
        may_edit=actor.can(Permission.PUPIL_EDIT),
        sees_all=actor.scope(Permission.PUPIL_SEE).everything,
    )


def visible_pupil(request: HttpRequest, pk: Any, permission: str = Permission.PUPIL_SEE) -> Pupil:
    """A live pupil in reach on which the permission holds too; else 404."""
    rows = Pupil.objects.visible_to(request.actor).live()
    pupil = get_object_or_404(rows.select_related("organisation", "school_class"), pk=pk)
    if not holds(request.actor, permission, pupil.organisation_id):
        raise Http404
    return pupil


def holds(actor: Actor, permission: str, organisation_id: int | None) -> bool:
    """Whether the permission reaches a row of an organisation (None: only who reaches all)."""
    scope = actor.scope(permission)
    return scope.everything or organisation_id in scope.organisations


def pupil_trail(pupil: Pupil) -> list[tuple[str, str]]:
    """Breadcrumb of the pages below a pupil's."""
    return [
        (reverse("pupil_list"), _("学生")),
        (reverse("pupil_detail", args=[pupil.pk]), pupil.name),
    ]


@require_GET
@requires(Permission.PUPIL_SEE)
def pupil_detail(request: HttpRequest, pk: Any) -> HttpResponse:
    """One pupil.  That the page was opened stands in the trail.

    The address of a row that was merged leads to the one that stayed.
    """
    merged = Pupil.objects.visible_to(request.actor).filter(merged_into__isnull=False)
    gone = merged.filter(pk=pk).first()
    if gone is not None:
        return redirect("pupil_detail", gone.merged_into_id)
    pupil = visible_pupil(request, pk)
    record_read(
        request,
        "pupil.open",
        post=allowed(request.actor, Permission.PUPIL_SEE, pupil.organisation_id),
        organisation_id=pupil.organisation_id,
        object_type="pupil",
        object_id=pupil.pk,
    )
    return _detail(request, pupil)


def _detail(
    request: HttpRequest,
    pupil: Pupil,
    *,
    shown: dict[str, str] | None = None,
    refused: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `shown` has revealed numbers by "kind-key-field"."""
    actor = request.actor
    may_edit = holds(actor, Permission.PUPIL_EDIT, pupil.organisation_id)
    held = list(pupil.guardianships.select_related("guardian").order_by("-main", "relation", "id"))
    placements = list(pupil.placements.select_related("organisation", "school_class"))
    for row in placements:
        row.entry_word = word("change", row.entry_code) if row.entry_code else ""
        row.exit_word = word("change", row.exit_code) if row.exit_code else ""
    context = {
        "title": pupil.name,
        "pupil": pupil,
        "status_word": word("status", pupil.status),
        "unplaced": pupil.organisation_id is None and pupil.status in BELONGING,
        "ethnicity": word("ethnicity", pupil.ethnicity) if pupil.ethnicity else "",
        "nationality": word("nationality", pupil.nationality),
        "boarding": word("boarding", pupil.boarding),
        "placements": placements,
        "guardians": [row for row in held if row.valid_to is None],
        "past_guardians": [row for row in held if row.valid_to is not None],
        "residences": pupil.residences.select_related("dwelling__community"),
        "may_edit": may_edit,
        "may_move": may_edit and actor.scope(Permission.PUPIL_EDIT).everything,
        "may_reveal": holds(actor, Permission.PUPIL_REVEAL, pupil.organisation_id),
        "may_look": holds(actor, Permission.LOOKED_AT_OWN, pupil.organisation_id)
        or actor.can(Permission.LOOKED_AT),
        "suspended": pupil.status == SUSPENDED,
        "shown": shown or {},
        "refused": refused,
    }
    return page(request, "pupil_detail", "pupils", context, status)


@require_POST
@requires(Permission.PUPIL_REVEAL)
def pupil_reveal(request: HttpRequest, pk: Any) -> HttpResponse:
    """Show one whole number of the pupil on this one answer; who, which and why are kept."""
    pupil = visible_pupil(request, pk, Permission.PUPIL_REVEAL)
    return revealed(request, pupil, "pupil", pupil)


@require_POST
@requires(Permission.PUPIL_REVEAL)
def guardian_reveal(request: HttpRequest, pk: Any, held: int) -> HttpResponse:
    """Show one whole number of a guardian of the pupil."""
    pupil = visible_pupil(request, pk, Permission.PUPIL_REVEAL)
    row = get_object_or_404(Guardianship.objects.filter(pupil=pupil), pk=held)
    return revealed(request, pupil, "guardian", row.guardian)


def revealed(request: HttpRequest, pupil: Pupil, kind: str, person: Any) -> HttpResponse:
    """The pupil's page with one number shown; a missing reason gives the page with a message."""
    form = RevealForm(request.POST)
    if not form.is_valid() or form.cleaned_data["field"] not in FIELDS[kind]:
        return _detail(request, pupil, refused=form, status=422)
    field = form.cleaned_data["field"]
    try:
        number = reveal(
            person,
            kind=kind,
            field=field,
            organisation_id=pupil.organisation_id,
            permission=Permission.PUPIL_REVEAL,
            reason=form.cleaned_data["reason"],
            by=request.actor,
        )
    except ValidationError as error:
        form.add_error(None, error.messages[0])
        return _detail(request, pupil, refused=form, status=422)
    label = REVEALED[field]
    answer = _detail(
        request, pupil, shown={"kind": kind, "key": str(person.pk), "field": field,
                               "label": str(label), "number": number, "name": person.name},
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _known(request: HttpRequest, form: PupilForm) -> Pupil | None:
    """The pupil in reach who holds a number that was refused as taken, to be linked to."""
    if not form.errors.keys() & {"id_number", "student_number"}:
        return None
    ids = []
    for name in ("id_number", "student_number"):
        ids += selectors.pupil_ids_with(
            tidy_number(form.cleaned_data.get(name) or form.data.get(name) or "", "1")
        )
    return Pupil.objects.visible_to(request.actor).live().filter(pk__in=ids).first()


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def pupil_add(request: HttpRequest) -> HttpResponse:
    """Enter a pupil at a school."""
    back = reverse("pupil_list")
    title = _("登记学生")
    site = chosen_site(request, Permission.PUPIL_EDIT, section="pupils", title=title, back=back)
    if isinstance(site, HttpResponse):
        return site
    initial = {"school_class": request.GET.get("class", "")}
    form = PupilForm(request.POST or None, actor=request.actor, site=site, initial=initial)

    def call() -> Pupil:
        data = form.cleaned_data
        return pupils.create_pupil(
            fields=form.values(),
            organisation=data["organisation"],
            school_class=data["school_class"],
            on=data["on"],
            by=request.actor,
        )

    return form_page(
        request,
        form,
        call,
        section="pupils",
        title=title,
        lead=str(site),
        done=lambda pupil: reverse("pupil_detail", args=[pupil.pk]),
        message=_("已登记，请接着补上监护人和住址。"),
        back=back,
        trail=[(back, _("学生"))],
        # Called by the template, after the form was tried.
        known=lambda: _known(request, form),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def pupil_edit(request: HttpRequest, pk: Any) -> HttpResponse:
    """Edit what identifies and describes a pupil."""
    pupil = visible_pupil(request, pk, Permission.PUPIL_EDIT)
    form = PupilForm(request.POST or None, actor=request.actor, instance=pupil)
    back = reverse("pupil_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: pupils.edit_pupil(
            pupil,
            fields=form.values(),
            version=form.cleaned_data["version"] or 0,
            by=request.actor,
        ),
        section="pupils",
        title=_("修改学生信息"),
        done=back,
        message=_("已保存。"),
        back=back,
        trail=pupil_trail(pupil),
        known=lambda: _known(request, form),
    )

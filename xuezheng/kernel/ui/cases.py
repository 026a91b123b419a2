"""What the pages of all cases share: forms of the open steps, taking one, history, attachments."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from django.contrib import messages
from django.db import models
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.cases.flows import Flow, Step
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.cases.service import barred
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.ui.steps import StepForm, attempt


class StepPage(NamedTuple):
    """The form of a step, the flow's steps that it takes, the words on its button."""

    form: type[StepForm]
    steps: tuple[str, ...]
    label: str


#: URL name of a step -> how it is taken on the page.
Catalogue = Mapping[str, StepPage]
#: Renders the page of a freshly read row with these forms: (forms, status).
Page = Callable[[dict[str, StepForm], int], HttpResponse]


def permissions_of(flow: Flow, catalogue: Catalogue) -> set[str]:
    """The permissions of all steps of a catalogue, for the view's guard."""
    return {flow.step(key).permission for page in catalogue.values() for key in page.steps}


def open_forms(row: models.Model, actor: Actor, catalogue: Catalogue) -> dict[str, StepForm]:
    """Unbound forms of the steps that the actor may take now with the typed row of a case."""
    case = row.case
    leaving = {step.key: step for step in case.flow.leaving(case.state)}
    forms = {}
    for name, page in catalogue.items():
        taken = [leaving[key] for key in page.steps if key in leaving]
        if any(_may(step, case, actor) for step in taken):
            forms[name] = page.form(row=row, actor=actor, label=page.label, name=name)
    return forms


def _may(step: Step, case: Case, actor: Actor) -> bool:
    if case.organisation_id not in actor.scope(step.permission):
        return False
    return not (actor.user and actor.user.id in barred(case, step))


def take_step(
    request: HttpRequest, row: models.Model, name: str, catalogue: Catalogue, page: Page
) -> HttpResponse:
    """Take a step by its form; what was typed stays on the page if it is refused.

    Goes to the case's page afterwards, or shows `page` with the bound form and status 422.  Raises
    Http404 for a step that the catalogue does not have.
    """
    if name not in catalogue:
        raise Http404
    spec = catalogue[name]
    form = spec.form(
        request.POST, request.FILES, row=row, actor=request.actor, label=spec.label, name=name
    )
    if form.is_valid():
        attempt(form, form.save)
    if form.errors:
        return page({name: form}, 422)
    messages.success(request, _("已办理：%s。") % spec.label)
    return redirect(row.case.get_absolute_url())


def history(case: Case) -> models.QuerySet[Move]:
    """The moves of a case with people, posts and attachments, newest first (three queries)."""
    moves = case.moves.select_related("user", "post__organisation")
    return moves.prefetch_related("attachments__file").order_by("-at", "-id")


def attachment_response(case: Case, file_id: str) -> FileResponse:
    """An attachment of a case that the view has found visible.  Raises Http404.

    Pictures are shown, everything else is downloaded, so that nothing uploaded runs in our origin.
    """
    attachment = (
        case.attachments.select_related("file").filter(file_id=file_id).order_by("id").first()
    )
    if attachment is None:
        raise Http404
    stored = attachment.file
    response = FileResponse(
        path_of(stored.sha256).open("rb"),
        content_type=stored.media_type,
        as_attachment=not stored.is_picture,
        filename=stored.name,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response

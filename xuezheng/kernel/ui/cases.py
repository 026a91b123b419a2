"""What the pages of all cases share: forms of the open steps, the way so far, attachments."""

from collections.abc import Mapping

from django.db import models
from django.http import FileResponse
from django.shortcuts import get_object_or_404

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.ui.steps import StepForm

#: URL name of a step -> (form, the flow's steps that it takes, words on its button).
Catalogue = Mapping[str, tuple[type[StepForm], tuple[str, ...], str]]


def open_forms(row: models.Model, actor: Actor, catalogue: Catalogue) -> dict[str, StepForm]:
    """Unbound forms of the steps that the actor may take now with the typed row of a case."""
    leaving = {step.key: step for step in row.case.flow.leaving(row.state)}
    forms = {}
    for name, (form_class, steps, label) in catalogue.items():
        taken = [leaving[key] for key in steps if key in leaving]
        if taken and row.case.organisation_id in actor.scope(taken[0].permission):
            forms[name] = form_class(row=row, actor=actor, label=label, name=name)
    return forms


def way_so_far(case: Case) -> models.QuerySet[Move]:
    """The moves of a case with people, posts and attachments, newest first (three queries)."""
    moves = case.moves.select_related("user", "post__organisation")
    return moves.prefetch_related("attachments__file").order_by("-at", "-id")


def attachment_response(case: Case, file_id: str) -> FileResponse:
    """An attachment of a case that the view has found visible.  Raises Http404.

    Pictures are shown, everything else is downloaded, so that nothing uploaded runs in our origin.
    """
    attachment = get_object_or_404(case.attachments.select_related("file"), file_id=file_id)
    stored = attachment.file
    response = FileResponse(
        path_of(stored.sha256).open("rb"),
        content_type=stored.media_type,
        as_attachment=not stored.is_picture,
        filename=stored.name,
    )
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response

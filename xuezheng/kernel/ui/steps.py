"""Forms that take a step with a case, and running a service so that a refusal becomes an error."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models, transaction

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.cases.service import StepRefused

T = TypeVar("T")


class StepForm(forms.Form):
    """A form for one step of the typed row of a case.

    Carries the case's version, so that a step on a case moved by somebody else ends on the conflict
    page.  `name` is the step's URL name, `label` the words on its button.  Field ids have the name as
    prefix, because several step forms stand on one page.  A subclass adds `save()`, which calls the one
    service of the step.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, row: models.Model, actor: Actor, label: str, name: str, **kwargs: Any
    ):
        kwargs.setdefault("auto_id", f"{name}_%s")
        super().__init__(*args, **kwargs)
        self.row = row
        self.actor = actor
        self.label = label
        self.name = name
        self.fields["version"].initial = row.case.version


def attempt(form: forms.Form, call: Callable[[], T]) -> T | None:
    """Run a service in a savepoint; what it refuses is put on the form, and nothing is written.

    Returns the service's result, or None with errors on the form.  Permission errors and conflicts
    pass through to their pages.
    """
    try:
        with transaction.atomic():
            return call()
    except StepRefused as refused:
        form.add_error(None, str(refused))
    except ValidationError as error:
        form.add_error(None, error)
    return None

"""`makemigrations` without labels: rewording or translating a label is no change of the database."""

from typing import Any

from django.core.management.commands import makemigrations
from django.db.migrations.state import ModelState
from django.db.models import Field

LABELS = ("verbose_name", "help_text", "choices")
OPTIONS = ("verbose_name", "verbose_name_plural")


def _without_labels(deconstruct: Any) -> Any:
    def stripped(self: Field) -> tuple:
        name, path, args, kwargs = deconstruct(self)
        return name, path, args, {k: v for k, v in kwargs.items() if k not in LABELS}

    return stripped


def _without_options(from_model: Any) -> Any:
    def stripped(model: Any, exclude_rels: bool = False) -> ModelState:
        state = from_model(model, exclude_rels)
        for option in OPTIONS:
            state.options.pop(option, None)
        return state

    return stripped


class Command(makemigrations.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Make migrations while fields and models describe themselves without labels."""
        deconstruct, from_model = Field.deconstruct, ModelState.from_model
        Field.deconstruct = _without_labels(deconstruct)
        ModelState.from_model = staticmethod(_without_options(from_model))
        try:
            super().handle(*args, **options)
        finally:
            Field.deconstruct, ModelState.from_model = deconstruct, from_model

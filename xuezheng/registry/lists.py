"""The code lists of codes.yaml in the reader's language."""

from functools import cache
from pathlib import Path

import yaml
from django.utils.translation import get_language


@cache
def _lists() -> dict[str, dict[str, list[str]]]:
    return yaml.safe_load(Path(__file__).with_name("codes.yaml").read_text(encoding="utf-8"))


def choices(name: str, *, only: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """(code, label) of a list such as "status"; `only` keeps the given codes, in the list's order."""
    at = 1 if get_language() == "en" else 0
    return [
        (code, labels[at]) for code, labels in _lists()[name].items() if not only or code in only
    ]


def word(name: str, code: str) -> str:
    """The label of a code; the code itself when the list does not know it."""
    labels = _lists()[name].get(code)
    return labels[1 if get_language() == "en" else 0] if labels else code


def chosen_lazily(name: str, *, only: tuple[str, ...] = (), blank: str = ""):
    """A callable for a form field's `choices`; `blank` is the label of "nothing chosen"."""
    return lambda: ([("", blank)] if blank else []) + choices(name, only=only)

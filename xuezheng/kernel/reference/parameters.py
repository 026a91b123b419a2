"""Reading policy parameters, and loading the shipped ones from YAML.

A system ships `parameters/*.yaml`: a list of {key, value, label, label_en, unit, from, to, source,
certainty}.  `xuezheng migrate` writes them; a bureau's own values are never touched by that.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.apps import apps
from django.db.models import Q

from xuezheng.kernel.reference.models import Certainty, Parameter

#: Key of a parameter -> what a system says against a value of the right shape ("" when it is fine).
_CHECKS: dict[str, Callable[[Any], str]] = {}


def check_values(key: str, problem: Callable[[Any], str]) -> None:
    """Have values of a parameter checked by its system before a bureau may set them."""
    _CHECKS[key] = problem


def value_problem(key: str, value: Any) -> str:
    """What the parameter's system says against a value; "" when nothing."""
    check = _CHECKS.get(key)
    return check(value) if check else ""


class MissingParameter(LookupError):
    """No value of the parameter is in force on that day."""


@dataclass(frozen=True)
class Setting:
    """A parameter's value on a day, with what a screen must show beside it."""

    key: str
    value: Any
    label: str
    label_en: str
    unit: str
    source: str
    certainty: str

    @property
    def unconfirmed(self) -> bool:
        """True where the screen has to show 待确认."""
        return self.certainty == Certainty.UNCONFIRMED


def settings_on(day: dt.date, prefix: str, owner: str) -> dict[str, Setting]:
    """All parameters below `prefix` in force on `day`, the owner's own value before the shipped one.

    `owner` is the code of the authority concerned (access.scope.authority_code); it has no default,
    because forgetting it would silently ignore what the bureau has decided.  One query.  Keys of the
    result have the prefix and its dot removed.
    """
    rows = Parameter.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=day),
        key__startswith=prefix + ".",
        valid_from__lte=day,
        owner__in={"", owner},
    ).order_by("owner", "valid_from")
    # Later rows of the order win: the owner's after the shipped, the newer after the older.
    return {
        row.key.removeprefix(prefix + "."): Setting(
            row.key, row.value, row.label, row.label_en, row.unit, row.source, row.certainty
        )
        for row in rows
    }


def setting(key: str, day: dt.date, owner: str) -> Setting:
    """One parameter on a day.  Raises MissingParameter."""
    prefix, _, name = key.rpartition(".")
    try:
        return settings_on(day, prefix, owner)[name]
    except KeyError:
        raise MissingParameter(key) from None


def shipped() -> list[Parameter]:
    """The parameters of all installed systems, read from their YAML, not yet saved."""
    rows = []
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path, "parameters").glob("*.yaml")):
            rows += [_row(entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]
    return rows


def _row(entry: dict[str, Any]) -> Parameter:
    return Parameter(
        key=entry["key"],
        value=entry["value"],
        label=entry["label"],
        label_en=entry["label_en"],
        unit=entry.get("unit", ""),
        valid_from=entry["from"],
        valid_to=entry.get("to"),
        source=entry["source"],
        certainty=Certainty(entry["certainty"]),
    )


def load_shipped() -> int:
    """Replace the shipped parameters by those of the files.  Returns how many there are."""
    rows = shipped()
    Parameter.objects.filter(owner="").delete()
    Parameter.objects.bulk_create(rows)
    return len(rows)

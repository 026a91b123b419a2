"""Reads used by more than one caller."""

import datetime as dt

from django.utils.translation import get_language

from xuezheng.domains.oversight.rules import Terms
from xuezheng.kernel.reference.parameters import Setting, settings_on

PREFIX = "oversight.hazard"


def hazard_settings(day: dt.date, owner: str) -> dict[str, Setting]:
    """All hazard parameters in force on a day for an authority, by its code (one query)."""
    return settings_on(day, PREFIX, owner)


def terms(settings: dict[str, Setting]) -> Terms:
    """The terms out of the parameters."""
    return Terms(
        general_days=settings["general_days"].value,
        major_days=settings["major_days"].value,
        grading_days=settings["grading_days"].value,
        recheck_days=settings["recheck_days"].value,
    )


def categories(settings: dict[str, Setting]) -> list[tuple[str, str]]:
    """(code, label in the user's language) of the hazard categories."""
    label = "en" if get_language() == "en" else "zh"
    return [(entry["code"], entry[label]) for entry in settings["categories"].value]

"""What the lists of a season share: which season a row belongs to, schools named in one cell."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.models import Intake, Season
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.exchange.table import Field, Kind, Row, Run
from xuezheng.registry.exchange import common

#: What people put between names in one cell.
_BETWEEN = re.compile(r"[、，,;；/\n]+")
BETWEEN = "、"


def seasons_in(*states: str) -> Callable[[Actor], dict[str, Any]]:
    """Choices of a season field: id -> title, of the stages in which the list may change."""

    def choices(_by: Actor) -> dict[str, Any]:
        return {str(row.id): row.title for row in Season.objects.filter(state__in=states)}

    return choices


def season_field(*states: str) -> Field:
    """The column that names the season."""
    return Field(
        "season", gettext_lazy("招生批次"), Kind.CHOICE, choices=seasons_in(*states), width=22,
        help=gettext_lazy("只有一个批次时可以不填。"),
    )  # fmt: skip


def settle_season(row: Row, run: Run, permission: str, *states: str) -> Season | None:
    """The row's season; a problem where there is none that the actor may change."""
    if "seasons" not in run.memo:
        reached = run.by.scope(permission).organisations
        rows = Season.objects.filter(state__in=states, organisation__within=reached)
        run.memo["seasons"] = {str(season.id): season for season in rows}
    known: dict[str, Season] = run.memo["seasons"]
    given = row.values.get("season", "")
    if not given and len(known) == 1:
        given = row.values["season"] = next(iter(known))
    if given not in known:
        row.wrong("season", _("没有写招生批次，或这个批次不能再改。"), _("从下拉列表里选。"))
    return known.get(given)


def split(text: str) -> list[str]:
    """Names in one cell, each once."""
    return list(dict.fromkeys(part.strip() for part in _BETWEEN.split(text) if part.strip()))


def joined(parts: Iterable[Any]) -> str:
    """Names as an export writes them into one cell."""
    return BETWEEN.join(str(part) for part in parts)


def settle_schools(row: Row, run: Run, key: str) -> list[Organisation]:
    """The schools that a cell names, in order; a problem for each that nobody knows."""
    found = []
    for name in split(row.values.get(key, "")):
        school = common.find_unit(name, run)
        if school is None:
            row.wrong(
                key, _("没有叫“%s”的学校。") % name, _("写全称、简称或代码，几所用顿号隔开。")
            )
        else:
            found.append(school)
    return found


def intakes_of(season: Season, run: Run) -> dict[int, Intake]:
    """Places of a season by school id, read once in a run."""
    memo = run.memo.setdefault("intakes", {})
    if season.id not in memo:
        rows = season.intakes.select_related("school")
        memo[season.id] = {row.school_id: row for row in rows}
    return memo[season.id]

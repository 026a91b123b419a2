"""Brothers and sisters born on one day who register in one season: who they are, what their family wants."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xuezheng.domains.admissions.models import Application, Draft
from xuezheng.registry.codes import CITIZEN_ID, citizen_birth, citizen_id_problem

Wish = Application.TwinWish
#: Codes of the children of one birth who are tied, in order.
Group = tuple[str, ...]


def born_on(given: Mapping[str, Any]) -> str:
    """The day of birth in a draft, ISO; empty while it is unknown."""
    number = given.get("id_number") or ""
    if given.get("id_kind", CITIZEN_ID) == CITIZEN_ID:
        return "" if citizen_id_problem(number) else citizen_birth(number).isoformat()
    return given.get("born_on") or ""


def same_day(draft: Draft, given: Mapping[str, Any]) -> list[str]:
    """Numbers of other children born that day whom the same person registers in the season.

    Looks at the person's own drafts and registrations only (two queries).
    """
    day, own = born_on(given), given.get("id_number")
    if not day:
        return []
    found = []
    for other in Draft.objects.filter(user=draft.user_id, season=draft.season_id).exclude(
        pk=draft.pk
    ):
        held = json.loads(other.answers)
        if born_on(held) == day:
            found.append(held["id_number"])
    rows = Application.objects.filter(
        applicant=draft.user_id, season=draft.season_id, born_on=day
    ).live()
    found += [row.entry.id_number for row in rows.select_related("entry")]
    return sorted({number for number in found if number and number != own})


def groups_of(rows: Iterable[Application]) -> dict[Group, str]:
    """Tied children among registrations -> what their family wants, as far as all of them say it.

    What nobody says counts as one class, as it always did; where they differ chance decides the class.
    """
    tied: dict[object, list[Application]] = defaultdict(list)
    for row in rows:
        if row.together:
            tied[row.together].append(row)
    return {
        tuple(sorted(row.entry.code for row in group)): agreed(row.twin_wish for row in group)
        for group in sorted(tied.values(), key=lambda group: min(row.entry.code for row in group))
        if len(group) > 1
    }


def agreed(wishes: Iterable[str]) -> str:
    """One wish for a group: what all who say something say; CLASS if nobody does, else SCHOOL."""
    said = {wish for wish in wishes if wish}
    return said.pop() if len(said) == 1 else Wish.SCHOOL if said else Wish.CLASS


def found_partners(application: Application) -> int:
    """How many others of the season carry the same tie (one query)."""
    same = Application.objects.filter(season=application.season_id, together=application.together)
    return same.live().exclude(pk=application.pk).count()


def filled(values: Mapping[str, Any], given: Mapping[str, Any], known: Sequence[str]) -> dict:
    """Changed answers, with the numbers of known brothers and sisters where a tie is wanted without any."""
    made = dict(values)
    wish = made.get("twin_wish", given.get("twin_wish", ""))
    if (
        "twin_wish" in made
        and wish != Wish.APART
        and not (made.get("together") or given.get("together"))
    ):
        made["together"] = " ".join(known)
    return made

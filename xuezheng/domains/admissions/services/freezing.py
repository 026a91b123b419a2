"""Freezing the roll: one line for each verified child, in order of code, under one Merkle root.

What decides afterwards (list, tier, place in the tier, twin) stands in the line, so that nothing which
changes between freezing and allocating can change a result: allocating.py reads lines, not applications.
A line holds the place in the tier, not the date that gave it: what goes in is published by code, and
whoever knows the day on which a family moved in must not find its child there.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import (
    Application,
    Choice,
    Draw,
    DrawStep,
    Freeze,
    Leaf,
    Season,
)
from xuezheng.domains.admissions.rules.draw import Tree
from xuezheng.domains.admissions.services.standing import stand
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused

#: States in which the checking of a registration is not finished.
UNFINISHED = ("submitted", "correcting")
TIED = "with="


@dataclass(frozen=True)
class Line:
    """What a line of the roll says: code, the school codes in order with (key without draw, tier code).

    The key is (tier, place in the tier) once `by_place` was applied, as in every frozen line.

    `together` is the word that twins share, or None.
    """

    code: str
    wishes: dict[str, tuple[tuple[int, ...], str]]
    together: str | None = None

    @classmethod
    def read(cls, text: str) -> "Line":
        """From the text of a leaf, as `line_text` writes it."""
        code, _salt, *words = text.split(" ")
        together, wishes = None, {}
        for word in words:
            if word.startswith(TIED):
                together = word.removeprefix(TIED)
                continue
            school, _is, rest = word.partition("=")
            numbers, _colon, tier = rest.partition(":")
            wishes[school] = (tuple(int(number) for number in numbers.split(",")), tier)
        return cls(code, wishes, together)


def line_text(line: Line, salt: str) -> str:
    """`CODE SALT [with=WORD] SCHOOL=TIER,ORDER...:CODE OF TIER ...`: nothing personal.

    The salt is known to the family alone, so that nobody finds a child's line by trying.
    """
    words = [f"{TIED}{line.together}"] if line.together else []
    words += [
        f"{school}={','.join(map(str, key))}:{tier.replace(' ', '_')}"
        for school, (key, tier) in line.wishes.items()
    ]
    return " ".join([line.code, salt, *words])


def locked(season: Season, *states: str) -> Season:
    """The season's row, locked until the transaction ends.  Raises StepRefused in another state."""
    row = Season.objects.select_for_update().get(pk=season.pk)
    if row.state not in states:
        raise StepRefused(_("这一批次现在是“%s”，不能这样做。") % row.get_state_display())
    return row


def unfinished(season: Season) -> int:
    """Registrations whose checking is not finished."""
    return Application.objects.filter(season=season, state__in=UNFINISHED).count()


@transaction.atomic
def freeze(season: Season, *, reason: str = "", by: Actor) -> Freeze:
    """Freeze the roll of all verified children; the season goes from checking to frozen.

    With registrations still being checked a reason is needed: they stay out of this roll.  Raises
    PermissionDenied, OutOfScope, StepRefused.
    """
    post = by.post_for(Permission.ALLOCATE, season.organisation_id)
    season = locked(season, Season.State.CHECKING)
    left_out = unfinished(season)
    if left_out and not reason.strip():
        raise StepRefused(_("还有 %d 件登记没有核验完；要现在封存，请写明理由。") % left_out)
    stand(season)
    found = _lines(season)
    if not found:
        raise StepRefused(_("没有已核验的孩子，不能封存。"))
    placed, orders = by_place([line for _key, line in found])
    lines = [(key, line) for (key, _line), line in zip(found, placed, strict=True)]
    texts = [line_text(line, secrets.token_hex(16)) for line in placed]
    made = Freeze.objects.create(
        season=season,
        root=Tree.of(texts).root,
        count=len(lines),
        orders=orders,
        frozen_at=timezone.now(),
        frozen_by=by.user,
    )
    Leaf.objects.bulk_create(
        (
            Leaf(freeze=made, index=index, application_id=key, text=text)
            for index, ((key, _line), text) in enumerate(zip(lines, texts, strict=True))
        ),
        batch_size=5000,
    )
    season.state = Season.State.FROZEN
    season.save(update_fields=["state"])
    record(
        "admissions.freeze",
        by=by,
        post=post,
        organisation_id=season.organisation_id,
        object_type="season",
        object_id=season.pk,
        reason=reason,
        detail={"root": made.root, "count": made.count, "left_out": left_out},
    )
    return made


@transaction.atomic
def void_freeze(frozen: Freeze, *, reason: str, by: Actor) -> None:
    """A wrong roll was found: void it with its draws and go back to checking; nothing is deleted.

    Refused once a result is published.  Raises PermissionDenied, OutOfScope, StepRefused.
    """
    season = frozen.season
    post = by.post_for(Permission.ALLOCATE, season.organisation_id)
    if not reason.strip():
        raise StepRefused(_("请写明说明。"))
    season = locked(season, Season.State.FROZEN, Season.State.DRAWN, Season.State.ALLOCATED)
    if not Freeze.objects.filter(pk=frozen.pk, void_reason="").update(void_reason=reason[:300]):
        raise StepRefused(_("这份名册已经作废。"))
    for draw in frozen.draws.exclude(state=Draw.State.VOID):
        DrawStep.objects.create(draw=draw, kind="void", text=reason[:400], by=by.user)
    frozen.draws.update(state=Draw.State.VOID)
    season.state = Season.State.CHECKING
    season.save(update_fields=["state"])
    record(
        "admissions.freeze_void",
        by=by,
        post=post,
        organisation_id=season.organisation_id,
        object_type="season",
        object_id=season.pk,
        reason=reason,
        detail={"root": frozen.root},
    )


def freeze_of(season: Season) -> Freeze | None:
    """The roll in force."""
    return Freeze.objects.filter(season=season, void_reason="").first()


def tree_of(frozen: Freeze) -> tuple[list[str], Tree]:
    """All lines in order, and their tree (one query; 5,000 lines take some milliseconds)."""
    texts = list(frozen.leaves.order_by("index").values_list("text", flat=True))
    return texts, Tree.of(texts)


def own_leaf(application: Application) -> dict[str, Any] | None:
    """A family's own line with its way to the root, as `replay.py leaf` reads it; None if not frozen.

    The caller has found the application among those visible to the reader.
    """
    leaf = (
        Leaf.objects.filter(application=application, freeze__void_reason="")
        .select_related("freeze")
        .first()
    )
    if leaf is None:
        return None
    _texts, tree = tree_of(leaf.freeze)
    return {"root": tree.root, "line": leaf.text, "path": tree.path(leaf.index)}


def _lines(season: Season) -> list[tuple[int, Line]]:
    """(application id, line) of every verified child, in order of code (three queries)."""
    rows = Application.objects.filter(season=season, state__in=("verified", "unplaced"))
    rows = rows.select_related("entry").order_by("entry__code")
    wishes: dict[int, dict[str, tuple[tuple[int, ...], str]]] = defaultdict(dict)
    choices = Choice.objects.filter(application__in=rows, standing__isnull=False)
    choices = choices.order_by("rank").select_related("standing", "intake__school")
    for choice in choices:
        found = choice.standing
        wishes[choice.application_id][choice.intake.school.code] = (
            (found.tier, *found.order),
            found.code,
        )
    words = tied_words((row.together, row.entry.code) for row in rows)
    lists = {row.entry.code: wishes[row.pk] for row in rows}
    shared = _shared_lists(words, lists)
    return [
        (
            row.pk,
            Line(row.entry.code, shared[row.entry.code], words.get(row.entry.code)),
        )
        for row in rows
    ]


#: School code -> tier as text -> what gave each place in the tier, the first one first.
Orders = dict[str, dict[str, list[list[int]]]]


def by_place(lines: Sequence[Line]) -> tuple[list[Line], Orders]:
    """The lines with places in their tiers for what gave them; and what gave each place.

    Who has the same numbers has the same place.  Compared, the new keys order as the old ones did.
    """
    seen: dict[str, dict[int, set[tuple[int, ...]]]] = defaultdict(lambda: defaultdict(set))
    for line in lines:
        for school, (key, _tier) in line.wishes.items():
            seen[school][key[0]].add(key[1:])
    ranked = {
        school: {tier: sorted(orders) for tier, orders in tiers.items()}
        for school, tiers in seen.items()
    }
    places = {
        (school, tier, order): place
        for school, tiers in ranked.items()
        for tier, orders in tiers.items()
        for place, order in enumerate(orders, start=1)
    }
    placed = [
        Line(
            line.code,
            {
                school: ((key[0], places[school, key[0], key[1:]]), tier)
                for school, (key, tier) in line.wishes.items()
            },
            line.together,
        )
        for line in lines
    ]
    kept = {
        school: {str(tier): [list(order) for order in orders] for tier, orders in tiers.items()}
        for school, tiers in ranked.items()
    }
    return placed, kept


def in_full(orders: Orders, school: str, key: Sequence[int]) -> list[int]:
    """A key with the numbers that gave the place for the place itself, for words and sentences."""
    tiers = orders.get(school)
    if not tiers or not key:
        return list(key)
    return [key[0], *tiers[str(key[0])][key[1] - 1], *key[2:]]


def tied_words(pairs: Iterable[tuple[Any, str]]) -> dict[str, str]:
    """Code -> word of its group, for (group or None, code) pairs; who has no partner is not tied."""
    groups: dict[Any, list[str]] = defaultdict(list)
    for group, code in pairs:
        if group is not None:
            groups[group].append(code)
    return {
        code: f"T-{min(codes)}" for codes in groups.values() if len(codes) > 1 for code in codes
    }


def _shared_lists(words: dict[str, str], lists: dict[str, dict[str, Any]]) -> dict[str, dict]:
    """Twins have one list: the schools that both can have, in the order of the first by code."""
    groups: dict[str, list[str]] = defaultdict(list)
    for code, word in words.items():
        groups[word].append(code)
    shared = dict(lists)
    for codes in groups.values():
        first = lists[min(codes)]
        common = [school for school in first if all(school in lists[code] for code in codes)]
        for code in codes:
            shared[code] = {school: lists[code][school] for school in common}
    return shared

"""Giving the places of a season, what-ifs beside it, and why each child is where it is."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Count, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.allocation import (
    BadInput,
    Problem,
    Result,
    allocate,
    problems_of,
)
from xuezheng.domains.admissions.allocation.verify import admits
from xuezheng.domains.admissions.models import (
    Allocation,
    Application,
    Choice,
    Draw,
    Freeze,
    Intake,
    Offer,
    Season,
    Zone,
)
from xuezheng.domains.admissions.selectors import ground_of
from xuezheng.domains.admissions.services.drawing import draw_of, numbers_of
from xuezheng.domains.admissions.services.freezing import (
    Line,
    freeze_of,
    in_full,
    locked,
    tied_words,
)
from xuezheng.domains.admissions.services.standing import (
    EVERYBODY_CODE,
    OWN_CODE,
    REDIRECTED,
    Circumstances,
    listed,
)
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Post
from xuezheng.kernel.access.permissions import grants
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.notices.services import notify
from xuezheng.registry.models import Pupil

#: States of a season in which places can be given: after the draw, and for later rounds.
READY = (Season.State.DRAWN, Season.State.ALLOCATED, Season.State.PUBLISHED)


@dataclass(frozen=True)
class AreaChange:
    """A what-if about an area: a school is added to it (`replace` false) or takes the others' place."""

    zone_id: int
    school_id: int
    replace: bool = False


@dataclass(frozen=True)
class WhatIf:
    """What would be different: places by intake id, another mechanism, other schools of areas."""

    name: str
    mechanism: str = ""
    places: Mapping[int, int] = field(default_factory=dict)
    areas: Sequence[AreaChange] = ()


@dataclass(frozen=True)
class Figures:
    """What decides between two results.  `envy`: (child, school) pairs where a child that would rather
    be at a school has a better key there than somebody who got in, or the school has room.
    """

    children: int
    first: int
    unplaced: int
    displaced: int
    envy: int


def round_of(season: Season) -> int:
    """The round that is to be allocated: one more than the last published."""
    last = season.allocations.filter(published_at__isnull=False).aggregate(n=Max("round"))["n"]
    return (last or 0) + 1


@transaction.atomic
def allocate_season(season: Season, *, by: Actor) -> Allocation:
    """Run the allocation of the present round and seal it.  Drawn -> allocated in the first round.

    It may be run again before publication (after places were changed, say); every run stays, and only
    one of a round is ever published.  Raises PermissionDenied, OutOfScope, StepRefused.
    """
    post = by.post_for(Permission.ALLOCATE, season.organisation_id)
    season = locked(season, *READY)
    frozen, draw = _basis(season)
    number = round_of(season)
    places = free_places(season) if number > 1 else planned_places(season)
    given = input_of(season.mechanism, _waiting(frozen, number), numbers_of(draw), places)
    given["orders"] = frozen.orders
    made = _sealed(season, frozen, draw, number, given, by=by)
    if season.state == Season.State.DRAWN:
        season.state = Season.State.ALLOCATED
        season.save(update_fields=["state"])
    # Nobody's inbox holds thousands of places to give: whoever may publish is told of the one act.
    publishers = [role for role, held in grants().items() if str(Permission.PUBLISH) in held]
    held = Post.objects.current(timezone.localdate()).filter(role__in=publishers)
    notify(
        held.values_list("user", flat=True).distinct(),
        key=f"allocation.sealed.{made.pk}",
        title=_("%s：学位分配已封存，待公布") % season,
        path=reverse("allocation_home", args=[season.pk]),
    )
    record(
        "admissions.allocate",
        by=by,
        post=post,
        organisation_id=season.organisation_id,
        object_type="allocation",
        object_id=made.pk,
        detail={"sha256": made.sha256, "round": number, "children": len(given["children"])},
    )
    return made


@transaction.atomic
def try_what_if(season: Season, what_if: WhatIf, *, by: Actor) -> Allocation:
    """What the result would be if.  Kept to be compared; the database refuses to publish it.

    Starts from the frozen roll and the real draw numbers; with areas changed, lists and standings are
    worked out anew from the applications of that roll.
    """
    post = by.post_for(Permission.ALLOCATE, season.organisation_id)
    if season.state not in READY:
        raise StepRefused(_("先封存名册、公开抽签，再分配。"))
    if not what_if.name.strip():
        raise StepRefused(_("请给假设起个名字。"))
    frozen, draw = _basis(season)
    places = planned_places(season) | {
        row.school.code: what_if.places[row.id]
        for row in _intakes(season)
        if row.id in what_if.places
    }
    lines = _redrawn_lines(season, frozen, what_if.areas) if what_if.areas else _lines(frozen)
    given = input_of(what_if.mechanism or season.mechanism, lines, numbers_of(draw), places)
    given["orders"] = {} if what_if.areas else frozen.orders
    given["what_if"] = {
        "places": dict(what_if.places),
        "mechanism": what_if.mechanism,
        "areas": [asdict(change) for change in what_if.areas],
    }
    made = _sealed(season, frozen, draw, 1, given, what_if=what_if.name.strip()[:120], by=by)
    record(
        "admissions.what_if",
        by=by,
        post=post,
        organisation_id=season.organisation_id,
        object_type="allocation",
        object_id=made.pk,
    )
    return made


def planned_places(season: Season) -> dict[str, int]:
    """School code -> places of the plan."""
    return {row.school.code: row.places for row in _intakes(season)}


def free_places(season: Season) -> dict[str, int]:
    """School code -> places of the plan that nobody holds: declined and lapsed ones are free again."""
    held = (
        Offer.objects.filter(
            allocation__season=season, application__state__in=("placed", "arrived")
        )
        .exclude(answer__in=(Offer.Answer.DECLINED, Offer.Answer.LAPSED))
        .filter(intake__isnull=False)
        .values_list("intake__school__code")
        .annotate(n=Count("application", distinct=True))
    )
    taken = dict(held)
    return {
        code: max(0, places - taken.get(code, 0)) for code, places in planned_places(season).items()
    }


def what_is_wrong(allocation: Allocation) -> list[str]:
    """Everything that is wrong with a stored run, worked out anew: seal, result, draw numbers."""
    try:
        problem = Problem.from_json(allocation.given)
        result = Result.from_json(allocation.result)
    except BadInput as error:
        return [str(error)]
    wrong = problems_of(problem, result)
    if result.sha256 != allocation.sha256:
        wrong.append("the seal is not that of the result")
    if allocation.draw:
        drawn = numbers_of(allocation.draw)
        wrong += [
            f"child {code}: not its drawn number"
            for code, child in problem.children.items()
            if any(key[-1] != drawn.get(code) for key in child.keys.values())
        ]
    return wrong


def figures(allocation: Allocation, base: Allocation | None = None) -> Figures:
    """First choices, unplaced, envy; displaced against another run (children elsewhere than there)."""
    problem, result = Problem.from_json(allocation.given), Result.from_json(allocation.result)
    where = result.assignments
    other = base.result["assignments"] if base else where
    return Figures(
        children=len(where),
        first=sum(
            1
            for code, child in problem.children.items()
            if child.preferences and where[code] == child.preferences[0]
        ),
        unplaced=sum(1 for school in where.values() if school is None),
        displaced=sum(1 for code, school in where.items() if other.get(code) != school),
        envy=envy_of(problem, result),
    )


def envy_of(problem: Problem, result: Result) -> int:
    """Pairs of child and better liked school that its key would have opened (justified envy)."""
    keys: dict[str, list[Any]] = defaultdict(list)
    for code, school in result.assignments.items():
        if school is not None:
            keys[school].append(problem.key(code, school))
    last = {school: max(entries) for school, entries in keys.items()}
    pairs = 0
    for code, child in problem.children.items():
        passed = result.passed_over.get(code, ())
        for school in child.preferences:
            if school == result.assignments[code]:
                break
            room = len(keys[school]) < problem.places[school]
            better = school in last and problem.key(code, school) < last[school]
            pairs += (room or better) and school not in passed
    return pairs


class Reasons:
    """Why each child of a run is where it is: its way down the list, in codes and numbers.

    `of(code)` gives {"rule": none, draw, redirected or ladder, "school", "draw", "list": [{"school", "tier", "code", "order", "places",
    "cutoff", "place", "admits", "passed"}]}, the list ending at the school that took the child.
    `place` is its position among all who came to ask there.
    """

    def __init__(self, allocation: Allocation):
        self.problem = Problem.from_json(allocation.given)
        self.result = Result.from_json(allocation.result)
        self.tiers = {
            entry["code"]: entry.get("tiers", {}) for entry in allocation.given["children"]
        }
        self.orders = allocation.given.get("orders", {})
        self.asking: dict[str, list[Any]] = defaultdict(list)
        for code in self.problem.children:
            for school in self.way(code):
                self.asking[school].append(self.problem.key(code, school))
        for keys in self.asking.values():
            keys.sort()

    def way(self, code: str) -> tuple[str, ...]:
        """The schools of a list down to the one that took the child."""
        schools, end = self.problem.children[code].preferences, self.result.assignments[code]
        return schools if end is None else schools[: schools.index(end) + 1]

    def of(self, code: str) -> dict[str, Any]:
        """The reason of one child.  Raises KeyError for a code that is not in the run."""
        child = self.problem.children[code]
        steps = []
        for school in self.way(code):
            key, cutoff = self.problem.key(code, school), self.result.cutoffs[school]
            own = child.keys[school]
            steps.append(
                {
                    "school": school,
                    "tier": own[0],
                    "code": self.tiers[code].get(school, ""),
                    "order": in_full(self.orders, school, own)[1:-1],
                    "places": self.problem.places[school],
                    "cutoff": None if cutoff is None else in_full(self.orders, school, cutoff),
                    "place": bisect_left(self.asking[school], key) + 1,
                    "asked": len(self.asking[school]),
                    "admits": admits(cutoff, key),
                    "passed": school in self.result.passed_over.get(code, ()),
                }
            )
        draw = next(iter(child.keys.values()))[-1] if child.keys else None
        school = self.result.assignments[code]
        rule = _rule(steps[-1]["code"]) if school else "none"
        return {"rule": rule, "school": school, "draw": draw, "list": steps}


def _rule(tier: str) -> str:
    if tier in (OWN_CODE, EVERYBODY_CODE):
        return "draw"
    return "redirected" if tier.startswith(REDIRECTED) else "ladder"


def _basis(season: Season) -> tuple[Freeze, Draw]:
    frozen = freeze_of(season)
    draw = draw_of(frozen) if frozen else None
    if frozen is None or draw is None or draw.state != Draw.State.DRAWN:
        raise StepRefused(_("先封存名册、公开抽签，再分配。"))
    return frozen, draw


def _intakes(season: Season) -> list[Intake]:
    return list(Intake.objects.filter(season=season).select_related("school").order_by("id"))


def _lines(frozen: Freeze) -> list[Line]:
    texts = frozen.leaves.order_by("index").values_list("text", flat=True)
    return [Line.read(text) for text in texts]


def _waiting(frozen: Freeze, number: int) -> list[Line]:
    """Lines of the children of a round: all that still want a place; later, who has none.

    A school whose place the family declined or let lapse is not offered again; twins whose partner has
    a place go on alone.
    """
    states = ("verified", "unplaced") if number == 1 else ("unplaced",)
    waiting = set(
        frozen.leaves.filter(application__state__in=states).values_list("index", flat=True)
    )
    lines = [line for index, line in enumerate(_lines(frozen)) if index in waiting]
    if number == 1:
        return _regrouped(lines)
    refused: dict[str, set[str]] = defaultdict(set)
    offers = Offer.objects.filter(
        allocation__season=frozen.season,
        answer__in=(Offer.Answer.DECLINED, Offer.Answer.LAPSED),
        intake__isnull=False,
    )
    for code, school in offers.values_list("application__entry__code", "intake__school__code"):
        refused[code].add(school)
    return _regrouped(
        Line(
            line.code,
            {s: wish for s, wish in line.wishes.items() if s not in refused[line.code]},
            line.together,
        )
        for line in lines
    )


def _regrouped(lines: Iterable[Line]) -> list[Line]:
    """Ties only between lines that are there and have the same list."""
    lines = list(lines)
    kept = tied_words(
        ((line.together, *line.wishes) if line.together else None, line.code) for line in lines
    )
    return [Line(line.code, line.wishes, kept.get(line.code)) for line in lines]


def input_of(
    mechanism: str, lines: Sequence[Line], drawn: Mapping[str, int], places: Mapping[str, int]
) -> dict[str, Any]:
    """The documented JSON of an allocation; `tiers` beside the keys is for explaining only."""
    return {
        "mechanism": mechanism,
        "children": [
            {
                "code": line.code,
                "preferences": [school for school in line.wishes if school in places],
                "keys": {
                    school: [*key, drawn[line.code]]
                    for school, (key, _tier) in line.wishes.items()
                    if school in places
                },
                "together": line.together,
                "tiers": {school: tier for school, (_key, tier) in line.wishes.items()},
            }
            for line in lines
        ],
        "schools": [{"code": code, "places": number} for code, number in places.items()],
    }


def _sealed(
    season: Season,
    frozen: Freeze,
    draw: Draw,
    number: int,
    given: dict[str, Any],
    *,
    what_if: str = "",
    by: Actor,
) -> Allocation:
    try:
        result = allocate(Problem.from_json(given))
    except BadInput as error:
        raise StepRefused(_("不能分配：%s") % error) from None
    return Allocation.objects.create(
        season=season,
        freeze=frozen,
        draw=draw,
        round=number,
        what_if=what_if,
        given=given,
        result=result.as_json(),
        sha256=result.sha256,
        made_by=by.user,
    )


def _redrawn_lines(season: Season, frozen: Freeze, changes: Sequence[AreaChange]) -> list[Line]:
    """The lines as they would be with other schools of areas (a few queries, whatever the roll)."""
    known = Circumstances(season)
    zones = set(Zone.objects.filter(season=season).values_list("id", flat=True))
    for change in changes:
        if change.zone_id not in zones:
            raise StepRefused(_("没有这个服务区。"))
        schools = known.schools[str(change.zone_id)]
        if change.replace:
            schools.clear()
        schools.add(change.school_id)
    intakes = {row.id: row for row in _intakes(season)}
    ground = ground_of(season, timezone.localdate())
    rows = Application.objects.filter(pk__in=frozen.leaves.values("application")).select_related(
        "entry", "register_dwelling__community", "home_dwelling__community"
    )
    chosen: dict[int, list[int]] = defaultdict(list)
    wishes = Choice.objects.filter(application__in=rows, by_rule=False).order_by("rank")
    for application_id, intake_id in wishes.values_list("application_id", "intake_id"):
        chosen[application_id].append(intake_id)
    rows = list(rows.order_by("entry__code"))
    at = dict(
        Pupil.objects.filter(
            id__in=[row.entry.pupil_id for row in rows if row.entry.pupil_id]
        ).values_list("id", "organisation_id")
    )
    words = tied_words((row.together, row.entry.code) for row in rows)
    lines = []
    for row in rows:
        near = [*known.schools_at(row.register_dwelling), *known.schools_at(row.home_dwelling)]
        on_list = [
            Choice(application=row, intake=intakes[item.intake_id], by_rule=item.by_rule)
            for item in listed(ground, list(dict.fromkeys(near)), chosen[row.pk])
        ]
        found = known.stand(row, on_list, at.get(row.entry.pupil_id))
        lines.append(
            Line(
                row.entry.code,
                {
                    standing.choice.intake.school.code: (
                        (standing.tier, *standing.order),
                        standing.code,
                    )
                    for standing in found
                },
                words.get(row.entry.code),
            )
        )
    return _regrouped(lines)


def by_school(allocation: Allocation) -> list[dict[str, Any]]:
    """For each school: places, first choices, how many got in, and the cut-off with its tier's code.

    `width` is how many numbers stand in its keys between tier and draw number.
    """
    given, result = allocation.given, allocation.result
    orders = given.get("orders", {})
    first, admitted, width, tiers = Counter(), Counter(), {}, {}
    for child in given["children"]:
        if child["preferences"]:
            first[child["preferences"][0]] += 1
        for school, key in child["keys"].items():
            width.setdefault(school, len(in_full(orders, school, key)) - 2)
        school = result["assignments"][child["code"]]
        if school is not None:
            admitted[school] += 1
            tiers[school, child["keys"][school][0]] = child.get("tiers", {}).get(school, "")
    rows = []
    for entry in given["schools"]:
        code, cutoff = entry["code"], result["cutoffs"][entry["code"]]
        rows.append(
            {
                "code": code,
                "places": entry["places"],
                "first": first[code],
                "admitted": admitted[code],
                "cutoff": cutoff and in_full(orders, code, cutoff),
                # The last one admitted may be a twin that counts with the other's key.
                "tier": tiers.get((code, cutoff[0]), "") if cutoff else "",
                "width": width.get(code, 0),
            }
        )
    return rows

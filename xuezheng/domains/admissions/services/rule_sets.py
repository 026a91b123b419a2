"""Rule sets: begun from a shipped ladder or an earlier version, edited, tried on real families, adopted."""

import copy
import datetime as dt
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max, ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.allocation import Problem, allocate
from xuezheng.domains.admissions.models import Application, Choice, Intake, RuleSet, Season
from xuezheng.domains.admissions.rules.draw import draw_numbers
from xuezheng.domains.admissions.rules.ladder import Ladder
from xuezheng.domains.admissions.services.ladder_words import ladder_problems
from xuezheng.domains.admissions.services.standing import Circumstances
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.models import Pupil
from xuezheng.registry.selectors import authority
from xuezheng.registry.services.common import locked

LADDERS = Path(__file__).parents[1] / "ladders"


def shipped_ladders() -> dict[str, dict[str, Any]]:
    """Name of a file -> the ladder: the seven met in practice."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(LADDERS.glob("*.json"))
    }


@transaction.atomic
def create_rule_set(
    *, name: str, level: str, data: Mapping[str, Any], note: str = "", by: Actor
) -> RuleSet:
    """The next version of a named rule set of the actor's authority, not yet adopted.

    Raises PermissionDenied, OutOfScope, StepRefused (a ladder that cannot be used).
    """
    organisation = authority(by)
    post = by.post_for(Permission.SEASON, organisation.id)
    _check(data)
    same = RuleSet.objects.filter(organisation=organisation, name=name)
    if same.exclude(level=level).exists():
        raise StepRefused(_("另一个学段已有叫这个名称的规则。"))
    last = same.aggregate(n=Max("number"))["n"] or 0
    made = RuleSet.objects.create(
        organisation=organisation, name=name, level=level, number=last + 1,
        data=copy.deepcopy(dict(data)), note=note, made_by=by.user,
    )  # fmt: skip
    record(
        "admissions.rule_set_add", by=by, post=post, organisation_id=organisation.id,
        object_type="rule_set", object_id=made.pk, detail={"number": made.number},
    )  # fmt: skip
    return made


def _check(data: Mapping[str, Any]) -> None:
    problems = ladder_problems(data)
    if problems:
        raise StepRefused("；".join(problems))


@transaction.atomic
def edit_rule_set(
    rule_set: RuleSet, *, data: Mapping[str, Any], note: str, version: int, by: Actor
) -> RuleSet:
    """Change one that is not adopted.  Raises PermissionDenied, OutOfScope, StepRefused."""
    post = by.post_for(Permission.SEASON, rule_set.organisation_id)
    rule_set = locked(rule_set, version)
    if rule_set.adopted_on:
        raise StepRefused(_("已经通过的规则不能改，请做一个新版本。"))
    _check(data)
    rule_set.data, rule_set.note = dict(data), note
    rule_set.version += 1
    rule_set.save()
    record(
        "admissions.rule_set_edit", by=by, post=post, organisation_id=rule_set.organisation_id,
        object_type="rule_set", object_id=rule_set.pk, detail={"tiers": len(data["tiers"])},
    )  # fmt: skip
    return rule_set


@transaction.atomic
def adopt_rule_set(
    rule_set: RuleSet, *, meeting_number: str, adopted_on: dt.date, version: int, by: Actor
) -> RuleSet:
    """Note the meeting that adopted it; from then on it never changes.

    Raises PermissionDenied, OutOfScope, StepRefused (adopted before, a day to come, no number).
    """
    post = by.post_for(Permission.SEASON, rule_set.organisation_id)
    rule_set = locked(rule_set, version)
    if rule_set.adopted_on:
        raise StepRefused(_("这一版已经通过。"))
    if not meeting_number.strip():
        raise StepRefused(_("请写会议编号。"))
    if adopted_on > timezone.localdate():
        raise StepRefused(_("通过日不能晚于今天。"))
    _check(rule_set.data)
    rule_set.meeting_number, rule_set.adopted_on = meeting_number.strip(), adopted_on
    rule_set.version += 1
    rule_set.save()
    record(
        "admissions.rule_set_adopt", by=by, post=post, organisation_id=rule_set.organisation_id,
        object_type="rule_set", object_id=rule_set.pk, detail={"on": adopted_on.isoformat()},
    )  # fmt: skip
    return rule_set


@transaction.atomic
def remove_rule_set(rule_set: RuleSet, *, by: Actor) -> None:
    """Throw a draft away.  Raises PermissionDenied, OutOfScope, StepRefused (adopted, in use)."""
    post = by.post_for(Permission.SEASON, rule_set.organisation_id)
    if locked(rule_set).adopted_on:
        raise StepRefused(_("已经通过的规则不能删除。"))
    key = rule_set.pk
    try:
        rule_set.delete()
    except ProtectedError:
        raise StepRefused(_("有批次用着这套规则，不能删除。")) from None
    record(
        "admissions.rule_set_remove", by=by, post=post,
        organisation_id=rule_set.organisation_id, object_type="rule_set", object_id=key,
    )  # fmt: skip


# -- trying out -------------------------------------------------------------------------------------
@dataclass
class SchoolTrial:
    """A school under a ladder: children by tier whose first school by rule or wish it is, who got in.

    `last`: code of the last tier admitted, "" where there is room; `redirected`: who had it before
    the school that took them.
    """

    intake: Intake
    tiers: Counter[str] = field(default_factory=Counter)
    admitted: int = 0
    redirected: int = 0
    last: str = ""


@dataclass(frozen=True)
class Trial:
    """A ladder tried on the families of a season.  `seed` makes the rehearsal's draw repeatable."""

    schools: Mapping[str, SchoolTrial]
    children: int
    placed: int
    nowhere: int
    where: Mapping[str, str | None]


@dataclass(frozen=True)
class Families:
    """The applications of a season with their lists, read once for several ladders."""

    season: Season
    rows: list[Application]
    lists: Mapping[int, list[Choice]]
    schools: Mapping[Any, int | None]
    intakes: Mapping[int, Intake]


def families_of(season: Season, *, by: Actor) -> Families:
    """All live applications that the actor may see (four queries)."""
    rows = list(
        Application.objects.visible_to(by)
        .live()
        .filter(season=season)
        .select_related("entry", "register_dwelling__community", "home_dwelling__community")
        .order_by("pk")
    )
    intakes = {row.id: row for row in season.intakes.select_related("school")}
    lists: dict[int, list[Choice]] = defaultdict(list)
    choices = Choice.objects.filter(application__season=season).order_by("application", "rank")
    for choice in choices:
        choice.intake = intakes[choice.intake_id]
        lists[choice.application_id].append(choice)
    pupils = [row.entry.pupil_id for row in rows if row.entry.pupil_id]
    schools = dict(Pupil.objects.filter(id__in=pupils).values_list("id", "organisation_id"))
    return Families(season, rows, lists, schools, intakes)


def try_ladder(families: Families, data: Mapping[str, Any]) -> Trial:
    """What a ladder would give the families of a season, with a rehearsal's draw.

    Nothing is written.  Twins count one by one: what is compared is ladders, not results.
    """
    season, ladder = families.season, Ladder.read(data)
    circumstances = Circumstances(season, ladder)
    seed = hashlib.sha256(f"rehearsal|{season.pk}".encode()).hexdigest()
    drawn = draw_numbers(seed, [row.entry.code for row in families.rows])
    schools = {row.school.code: SchoolTrial(row) for row in families.intakes.values()}
    names: dict[str, dict[int, str]] = defaultdict(dict)
    children = []
    for row in families.rows:
        standings = circumstances.stand(
            row, families.lists.get(row.pk, []), families.schools.get(row.entry.pupil_id)
        )
        keys = {}
        for standing in standings:
            code = standing.choice.intake.school.code
            keys[code] = [standing.tier, *standing.order, drawn[row.entry.code]]
            names[code][standing.tier] = standing.code
        if standings:
            first = standings[0]
            schools[first.choice.intake.school.code].tiers[first.code] += 1
        children.append({"code": row.entry.code, "preferences": list(keys), "keys": keys})
    places = [{"code": code, "places": row.intake.places} for code, row in schools.items()]
    result = allocate(
        Problem.from_json({"mechanism": season.mechanism, "children": children, "schools": places})
    )
    for child in children:
        school = result.assignments[child["code"]]
        if school:
            schools[school].admitted += 1
        if child["preferences"] and school != child["preferences"][0]:
            schools[child["preferences"][0]].redirected += 1
    for code, cutoff in result.cutoffs.items():
        if cutoff:
            schools[code].last = names[code].get(cutoff[0], "")
    placed = sum(school is not None for school in result.assignments.values())
    nowhere = sum(not child["preferences"] for child in children)
    return Trial(schools, len(children), placed, nowhere, result.assignments)


def try_rule_set(
    rule_set: RuleSet, season: Season, *, by: Actor
) -> tuple[Trial, Trial | None, int]:
    """A rule set on a season's families, the season's own beside it, and how many children would be
    elsewhere.  Raises PermissionDenied, OutOfScope, StepRefused.
    """
    by.post_for(Permission.SEASON, season.organisation_id)
    _check(rule_set.data)
    families = families_of(season, by=by)
    tried = try_ladder(families, rule_set.data)
    own = season.rule_set
    if own is None or own.pk == rule_set.pk:
        return tried, None, 0
    present = try_ladder(families, own.data)
    moved = sum(tried.where[code] != school for code, school in present.where.items())
    return tried, present, moved

"""A school receives its new children: who came, who did not, and their places in the registry."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application, ClassDraw, RollEntry, Season
from xuezheng.domains.admissions.services.locks import lock_homes, unlock_homes
from xuezheng.domains.admissions.services.tracing import open_absent
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused, advance_many
from xuezheng.registry.codes import CITIZEN_ID, citizen_id_problem
from xuezheng.registry.models import Pupil, Residence, SchoolClass
from xuezheng.registry.selectors import pupil_ids_with
from xuezheng.registry.services.addresses import set_residence
from xuezheng.registry.services.guardians import add_guardian
from xuezheng.registry.services.placing import move_up
from xuezheng.registry.services.pupils import create_pupil

#: Of a guardian whose number is no citizen's: 其他 of SFZJLX.
OTHER_KIND = "Z"
#: States in which a school has a child on its list.
HERE = ("placed", "arrived", "absent")


def at_school(by: Actor) -> QuerySet[Application]:
    """Registrations that have, or had, a place at a school whose intake the actor receives."""
    schools = by.scope(Permission.SCHOOL).organisations
    rows = Application.objects.visible_to(by).filter(state__in=HERE)
    return rows.filter(case__organisation__within=schools)


def _waiting(rows: Iterable[Application]) -> list[Application]:
    """Those that are still expected: what was ticked twice is no error."""
    return [row for row in rows if row.state == "placed"]


@transaction.atomic
def mark_arrived(rows: Sequence[Application], *, by: Actor) -> int:
    """They came (SCHOOL).  Returns how many had not been marked before."""
    return advance_many(_waiting(rows), "arrive", by=by)


@transaction.atomic
def mark_absent(rows: Sequence[Application], *, by: Actor) -> int:
    """They did not come: each is followed up by its town.  Returns how many."""
    waiting = _waiting(rows)
    schools = {row.pk: row.case.organisation_id for row in waiting}
    count = advance_many(waiting, "miss", by=by)
    for row in waiting:
        RollEntry.objects.filter(pk=row.entry_id).update(
            outcome=RollEntry.Outcome.OPEN, outcome_on=None
        )
        open_absent(row.entry, school_id=schools[row.pk], by=by)
    unlock_homes(waiting)
    return count


@dataclass(frozen=True)
class Problem:
    """Why a child cannot go into the registry or the file as it is, and what to do."""

    application: Application
    text: str
    advice: str


@dataclass
class Entered:
    """What taking in did: children new to the registry, those known there, those that were in already."""

    new: int = 0
    known: int = 0
    already: int = 0
    problems: list[Problem] = field(default_factory=list)


def problems_of(rows: Iterable[Application]) -> list[Problem]:
    """What must be put right before the children go into the national pupil-status system.

    Rows need entry and parties.  One child may have several problems.
    """
    found, seen = [], set()
    for row in rows:
        entry = row.entry
        number = entry.id_number or ""
        if entry.id_kind == CITIZEN_ID and citizen_id_problem(number):
            found.append(_problem(row, _("身份证号校验不通过"), _("对照户口簿核对18位号码。")))
        elif not number:
            found.append(
                _problem(row, _("没有证件号码"), _("请家长补交证件；确无证件的走问题学籍。"))
            )
        elif number in seen:
            found.append(_problem(row, _("名单里有相同的证件号码"), _("核对两个孩子的证件。")))
        seen.add(number)
        if row.sex not in {"1", "2"}:
            found.append(_problem(row, _("性别未填"), _("在登记材料中补填。")))
        if not any(party.main and party.name and party.phone for party in row.parties.all()):
            found.append(_problem(row, _("没有监护人电话"), _("联系家长补填。")))
    return found


def _problem(row: Application, text: str, advice: str) -> Problem:
    return Problem(row, text, advice)


@transaction.atomic
def take_in(*, season: Season, school: Organisation, on: dt.date, by: Actor) -> Entered:
    """Put the arrived children of a school into the registry, each in its drawn class if there is one.

    Matched by identity number, also where the child is at a kindergarten or another school out of
    reach; else entered with guardians and homes.  The home that gave the place is locked then, if it was
    not at publication.  Repeating it changes nothing.  What cannot be written
    is listed and the others are.  Raises PermissionDenied, OutOfScope.
    """
    post = by.post_for(Permission.SCHOOL, school.id)
    rows = (
        at_school(by)
        .filter(season=season, state="arrived", case__organisation=school)
        .select_related("entry", "register_dwelling", "home_dwelling", "case")
        .prefetch_related("parties")
        .order_by("pk")
    )
    classes = _classes(season, school)
    done = Entered()
    for row in rows:
        try:
            with transaction.atomic():
                _enter(row, school, classes.get(row.entry.code), on, done, by=by)
        except (ValidationError, StepRefused) as refused:
            text = "；".join(refused.messages if hasattr(refused, "messages") else [str(refused)])
            done.problems.append(_problem(row, text, _("改正后再点一次，已录入的不会重复。")))
    lock_homes(season, [(row, school.id) for row in rows])
    record(
        "school.take_in",
        by=by,
        post=post,
        organisation_id=school.id,
        object_type="season",
        object_id=season.id,
        detail={"new": done.new, "known": done.known, "problems": len(done.problems)},
    )
    return done


def _classes(season: Season, school: Organisation) -> dict[str, SchoolClass]:
    """Code -> class of the draw that was carried out."""
    draw = ClassDraw.objects.filter(
        season=season, school=school, void_reason="", applied_at__isnull=False
    ).first()
    if draw is None:
        return {}
    rows = SchoolClass.objects.in_bulk(draw.result["rows"])
    by_number = dict(enumerate((rows[key] for key in draw.result["rows"]), start=1))
    return {code: by_number[number] for code, number in draw.result["classes"].items()}


def _enter(
    row: Application, school: Organisation, school_class: SchoolClass | None, on: dt.date,
    done: Entered, *, by: Actor,
) -> None:  # fmt: skip
    entry = row.entry
    found = pupil_ids_with(entry.id_number or "")
    if len(found) > 1:
        raise StepRefused(_("这个证件号码在学籍中有两条记录，请学籍管理员先合并。"))
    if not found:
        pupil = _create(row, school, school_class, on, by=by)
        done.new += 1
    else:
        # The row lies with the kindergarten or school before: out of the school's reach until now.
        with fenced(by=JobActor("admissions.arrival")):
            pupil = Pupil.objects.select_related("school_class").get(pk=found[0])
            if _is_in(pupil, row.season, school, school_class):
                done.already += 1
            else:
                move_up(pupil, organisation=school, school_class=school_class, on=on, by=by)
                done.known += 1
    if entry.pupil_id != pupil.pk:
        RollEntry.objects.filter(pk=entry.pk).update(pupil=pupil)
        entry.pupil = pupil


def _is_in(
    pupil: Pupil, season: Season, school: Organisation, school_class: SchoolClass | None
) -> bool:
    if pupil.organisation_id != school.id:
        return False
    at = pupil.school_class
    if at is None:
        return school_class is None
    return (at.stage, at.entry_year) == (season.level, season.year)


def _create(
    row: Application, school: Organisation, school_class: SchoolClass | None, on: dt.date,
    *, by: Actor,
) -> Pupil:  # fmt: skip
    entry = row.entry
    fields: dict[str, Any] = {
        "name": entry.name,
        "sex": entry.sex,
        "born_on": entry.born_on,
        "id_kind": entry.id_kind,
        "id_number": entry.id_number,
        "entered_on": on,
    }
    pupil = create_pupil(
        fields=fields, organisation=school, school_class=school_class, on=on, by=by
    )
    for party in row.parties.all():
        if not party.confirmed:
            continue
        number = party.id_number or ""
        kind = CITIZEN_ID if not number or not citizen_id_problem(number) else OTHER_KIND
        person = {
            "name": party.name, "id_kind": kind, "id_number": number, "sex": "0",
            "born_on": None, "phone": party.phone or "",
        }  # fmt: skip
        add_guardian(pupil, fields=person, relation=party.relation, main=party.main, by=by)
    for kind, dwelling in (
        (Residence.Kind.REGISTER, row.register_dwelling),
        (Residence.Kind.ACTUAL, row.home_dwelling),
    ):
        if dwelling:
            set_residence(pupil, dwelling=dwelling, kind=kind, on=on, by=by)
    return pupil

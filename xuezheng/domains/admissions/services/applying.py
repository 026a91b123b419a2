"""A family registers a child: submit, put right, withdraw.  Accepts, never decides.

Nothing is rationed in the rush: a submission is deduplicated on (season, child), gets its reference and
one durable row; checking and places come later, so that coming first is no advantage.
"""

import json
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.answers import Address, Answers, numbers
from xuezheng.domains.admissions.flows import APPLICATION
from xuezheng.domains.admissions.models import (
    Application,
    Check,
    Draft,
    Paper,
    Party,
    RollEntry,
    Season,
)
from xuezheng.domains.admissions.registers.base import CONFIRMS, is_sure
from xuezheng.domains.admissions.selectors import Ground, ground_of
from xuezheng.domains.admissions.services.standing import choices_of, listed, write_choices
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import entry, record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case
from xuezheng.kernel.notices.services import notice
from xuezheng.registry.models import Dwelling

#: States of a question to a register after which it may be put again.
SILENT = (Check.State.NO_ANSWER, Check.State.NOT_FOUND)
#: Letters and digits that cannot be mistaken for each other.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Submitted:
    """`number`: the reference.  `own`: false for a second guardian, who sees no more than that."""

    number: str
    is_new: bool
    own: bool


def new_code() -> str:
    """A pseudonym for a child in a season: ten letters from a random source, meaning nothing."""
    return "".join(secrets.choice(_ALPHABET) for _i in range(10))


def submit(
    *,
    season: Season,
    answers: Answers,
    key: uuid.UUID,
    draft: Draft | None = None,
    paper_ids: dict[str, list[uuid.UUID]] | None = None,
    agreed: Mapping[str, Any] | None = None,
    channel: str = Application.Channel.ONLINE,
    client: str = "",
    by: Actor,
) -> Submitted:
    """Register a child.  The same child, or the same key, gives the reference of the first time.

    `answers` must come from `Answers.checked`.  A family (channel ONLINE) holds APPLY; the counter
    (COUNTER, PAPER) and a portal (PORTAL, with `client`) hold COUNTER.  `paper_ids` are stored files by
    kind of paper; `agreed` is what the family agreed to, for the trail.  Raises StepRefused outside the days of registration, PermissionDenied.
    """
    online = channel == Application.Channel.ONLINE
    if not by.can(Permission.APPLY if online else Permission.COUNTER):
        raise PermissionDenied(str(Permission.APPLY if online else Permission.COUNTER))
    now = timezone.now()
    if not season.takes_applications(now):
        raise StepRefused(_("现在不是登记时间。"))
    # No savepoint within a request: whatever fails from here on fails the whole of it.
    with transaction.atomic(savepoint=False):
        entry_id, live, is_own = _claim(season, answers)
        if live:
            return _again(live, is_own, answers, by=by, online=online)
        ground = ground_of(season, timezone.localdate(now))
        register, home = _dwellings(answers, ground)
        zones, schools = ground.areas(register, home)
        application, is_new = open_case(
            APPLICATION,
            Application,
            organisation_id=schools[0] if len(schools) == 1 else season.organisation_id,
            title=_("%(level)s入学登记") % {"level": season.get_level_display()},
            by=by,
            key=key,
            terms=_verification(ground, _("提交后%(days)d个工作日内核验")),
            fields=_fields(answers)
            | {
                "entry_id": entry_id,
                "season": season,
                "applicant": by.user if online else None,
                "channel": channel,
                "client": client,
                "register_dwelling": register,
                "home_dwelling": home,
                "zone_name": "、".join(zones)[:60],
                "papers_needed": bool(_unconfirmed(answers)),
                "submitted_on": ground.day,
            },
            beside=lambda row: [
                *_parties(row, answers, by=by, online=online),
                *choices_of(row, listed(ground, schools, answers.intakes)),
                *_checks(row, answers),
                *_papers(row, paper_ids),
                *_told(row, agreed, by=by, online=online),
            ],
        )
        if not is_new:
            return Submitted(application.case.number, False, True)
        # As text, with what follows: to have them made anew each time took a tenth of the time.
        changes = {
            "outcome": RollEntry.Outcome.REGISTERED.value,
            "outcome_on": ground.day,
            **_place(register, home, schools),
        }
        names = ", ".join(f"{name} = %s" for name in changes)
        # The draft goes with it: what a WITH deletes is deleted, read or not.
        gone = "WITH gone AS (DELETE FROM admissions_draft WHERE id = %s) " if draft else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f"{gone}UPDATE admissions_rollentry SET {names} WHERE id = %s",
                [*([draft.id] if draft else []), *changes.values(), entry_id],
            )
    return Submitted(application.case.number, True, True)


def _told(
    application: Application, agreed: Mapping[str, Any] | None, *, by: Actor, online: bool
) -> list[models.Model]:
    """The family's notice, and what it agreed to."""
    number, rows = application.case.number, []
    if agreed is not None:
        rows.append(
            entry("application.agree", by=by, object_type="application", object_id=number,
                  detail=dict(agreed))
        )  # fmt: skip
    if by.user and online:
        rows.append(
            notice(
                by.user.id,
                key=f"application.submitted.{application.pk}",
                title=_("入学登记已收到，编号 %s") % number,
                path=reverse("my_application", args=[number]),
            )
        )
    return rows


def _claim(season: Season, answers: Answers) -> tuple[int, str | None, bool]:
    """The child's entry, locked; the reference of the application that lives on it; whose it is."""
    fresh = RollEntry(name=answers.child_name, id_kind=answers.id_kind, id_number=answers.id_number)
    fresh.prepare()
    sealed = RollEntry._meta.get_field("id_number").get_prep_value(fresh.id_number)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry, live, is_own FROM admissions_claim(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                season.id, fresh.id_kind, sealed, fresh.id_tail, fresh.name, fresh.initials,
                answers.born_on, answers.sex, new_code(),
            ],
        )  # fmt: skip
        return cursor.fetchone()


def _again(number: str, is_own: bool, answers: Answers, *, by: Actor, online: bool) -> Submitted:
    """The child is registered: the same person gets the reference, another guardian is added."""
    if is_own or not online:
        return Submitted(number, False, True)
    guardian_id = Party._meta.get_field("id_number").get_prep_value(answers.guardian_id or None)
    phone = Party._meta.get_field("phone").get_prep_value(answers.phone or None)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT admissions_join(%s, %s, %s, %s, %s, %s)",
            [number, by.user.id, answers.guardian_name, guardian_id, phone, answers.relation],
        )
    record("application.join", by=by, object_type="application", object_id=number)
    return Submitted(number, False, False)


def _dwellings(answers: Answers, ground: Ground) -> tuple[Dwelling | None, Dwelling | None]:
    """The dwellings of register and home; None for an address outside the district's communities."""
    found = {
        address: _dwelling(address, ground) for address in {answers.register, answers.home} - {None}
    }
    return found[answers.register], found[answers.home]


def _place(
    register: Dwelling | None, home: Dwelling | None, schools: Sequence[int]
) -> dict[str, Any]:
    """Where the roll has a child that is registered: the one school of its areas, town, dwelling."""
    lives = register or home
    return {
        "school_id": schools[0] if len(schools) == 1 else None,
        "town_id": lives.community.town_id if lives else None,
        "dwelling_id": register.id if register else None,
    }


def _dwelling(address: Address, ground: Ground) -> Dwelling | None:
    """The dwelling, made if nobody has lived there yet; None where the district has no such community."""
    community = ground.communities.get(address.community)
    if community is None:
        return None
    parts = {
        "road": address.road[:40],
        "number": address.number,
        "suffix": address.suffix[:12],
        "building": address.building[:12],
        "room": address.room[:12],
    }
    where = " AND ".join(
        f"{name} IS NULL" if value is None else f"{name} = %s" for name, value in parts.items()
    )
    values = [value for value in parts.values() if value is not None]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM registry_dwelling WHERE community_id = %s AND {where}",
            [community.id, *values],
        )
        known = cursor.fetchone()
    if known:
        return Dwelling(id=known[0], community=community, **parts)
    dwelling, _is_new = Dwelling.objects.get_or_create(community=community, **parts)
    dwelling.community = community
    return dwelling


def _verification(ground: Ground, words: str) -> dict[str, Term]:
    """The clock of checking."""
    days = ground.settings["verification_days"].value
    return {"verification": Term(ground.verified_by, words % {"days": days})}


def _papers(
    application: Application, paper_ids: Mapping[str, Iterable[uuid.UUID]] | None
) -> list[Paper]:
    return [
        Paper(application=application, kind=kind, file_id=file_id)
        for kind, ids in (paper_ids or {}).items()
        for file_id in ids
    ]


def _unconfirmed(answers: Answers) -> list[str]:
    """Registers that did not confirm what the family needs them for."""
    needed = []
    if answers.register:
        needed.append(Check.Register.POLICE)
    if answers.owner in ("self", "parent", "grandparent"):
        needed.append(Check.Register.PROPERTY)
    if answers.residence_permit:
        needed.append(Check.Register.LABOUR)
    given = {key: answers.checks.get(key, {}) for key in needed}
    return [
        key
        for key, check in given.items()
        if not is_sure(key, check.get("state", ""), check.get("facts", {}))
    ]


def _fields(answers: Answers) -> dict[str, Any]:
    """Columns of the application; what a register confirmed stands before what was typed."""
    confirmed: dict[str, Any] = {}
    for register, given in answers.checks.items():
        if given.get("state") == Check.State.CONFIRMED:
            facts = given.get("facts", {})
            confirmed |= {key: facts[key] for key in CONFIRMS.get(register, ()) if key in facts}
    sure = Answers.read(
        {
            name: getattr(answers, name)
            for name in (
                "register_date", "registered_since_birth", "owner", "share", "title", "title_date",
                "residential", "parents_own_no_home", "residence_permit", "permit_date", "points",
            )
        }
        | confirmed
    )  # fmt: skip
    return {
        "child_name": answers.child_name,
        "born_on": answers.born_on,
        "sex": answers.sex,
        "register_date": sure.register_date,
        "registered_since_birth": sure.registered_since_birth,
        "owner": sure.owner,
        "share": sure.share,
        "title": sure.title,
        "title_date": sure.title_date,
        "residential": sure.residential,
        "parents_own_no_home": sure.parents_own_no_home,
        "residence_permit": sure.residence_permit,
        "permit_date": sure.permit_date,
        "points": sure.points,
        "grandparents_agreed": answers.grandparents_agreed,
        "grandparent": _grandparent(answers),
        "sibling_id": answers.sibling_id or None,
        "together": _twin_key(answers),
        "twin_wish": answers.twin_wish,
    }


def _grandparent(answers: Answers) -> str | None:
    """Who agreed to be looked up and could not be, as JSON; nobody else is kept."""
    check = answers.checks.get(Check.Register.PROPERTY, {})
    wanted = answers.owner == Application.Owner.GRANDPARENT and answers.grandparents_agreed
    if not wanted or not answers.grandparent_id or check.get("state") not in SILENT:
        return None
    person = {"id": answers.grandparent_id.strip().upper(), "name": answers.grandparent_name}
    return json.dumps(person, ensure_ascii=False)


def _twin_key(answers: Answers) -> uuid.UUID | None:
    """One key for all who are tied, whichever is registered first; from their sealed numbers' order."""
    if not answers.together:
        return None
    field = RollEntry._meta.get_field("id_number")
    named = {answers.id_number, *numbers(answers.together)}
    return uuid.uuid5(
        uuid.NAMESPACE_OID, "|".join(sorted(field.get_prep_value(number) for number in named))
    )


def _parties(application: Application, answers: Answers, *, by: Actor, online: bool) -> list[Party]:
    parties = [
        Party(
            application=application,
            user=by.user if online else None,
            name=answers.guardian_name,
            id_number=answers.guardian_id or None,
            phone=answers.phone or None,
            relation=answers.relation,
            main=True,
            confirmed=True,
        )
    ]
    if answers.second_name:
        parties.append(
            Party(
                application=application,
                name=answers.second_name,
                phone=answers.second_phone or None,
                relation=answers.second_relation or answers.relation,
            )
        )
    return parties


def _checks(application: Application, answers: Answers) -> list[Check]:
    now = timezone.now()
    return [
        Check(
            application=application,
            register=register,
            state=given.get("state", Check.State.NO_ANSWER),
            attempts=1,
            asked_at=parse_datetime(given.get("asked_at") or "") or now,
            answered_at=parse_datetime(given.get("answered_at") or ""),
            answer=json.dumps(given.get("facts", {}), ensure_ascii=False),
        )
        for register, given in answers.checks.items()
        if register in Check.Register.values
    ]


def _own(application: Application, by: Actor) -> None:
    """A person permission reaches no organisation: the row itself must be the person's."""
    if by.user is None or application.applicant_id != by.user.id:
        raise PermissionDenied("application of somebody else")


def withdraw(application: Application, *, version: int, by: Actor) -> Move:
    """The family takes its registration back; the child is traced again if nobody registers it."""
    _own(application, by)
    move = advance(application, "withdraw", by=by, version=version)
    RollEntry.objects.filter(id=application.entry_id).update(
        outcome=RollEntry.Outcome.OPEN, outcome_on=None
    )
    return move


def correct(
    application: Application,
    *,
    answers: Answers,
    paper_ids: dict[str, list[uuid.UUID]] | None = None,
    note: str = "",
    version: int,
    by: Actor,
) -> Move:
    """The family puts right what was asked for, all at once; checking begins again.

    Registers whose answer is none any more (another grandparent, say) are asked anew by the job.
    """
    _own(application, by)
    season = application.season
    ground = ground_of(season, timezone.localdate())
    with transaction.atomic():
        register, home = _dwellings(answers, ground)
        zones, schools = ground.areas(register, home)
        fields = _fields(answers)
        # A tie of twins is a key of all numbers, which nobody can type again from it.
        if answers.twin_wish != Application.TwinWish.APART:
            fields["together"] = fields["together"] or application.together
        move = advance(
            application,
            "correct",
            by=by,
            version=version,
            note=note,
            terms=_verification(ground, _("补正后%(days)d个工作日内核验")),
            fields=fields
            | {
                "register_dwelling": register,
                "home_dwelling": home,
                "zone_name": "、".join(zones)[:60],
                "papers_needed": bool(_unconfirmed(answers)),
                "faults": [],
            },
        )
        write_choices(application, listed(ground, schools, answers.intakes))
        silent = [
            register
            for register, given in answers.checks.items()
            if given.get("state") == Check.State.NO_ANSWER
        ]
        application.checks.filter(register__in=silent).update(
            state=Check.State.NO_ANSWER, attempts=0, answered_at=None, answer="{}"
        )
        Paper.objects.bulk_create(_papers(application, paper_ids))
        RollEntry.objects.filter(id=application.entry_id).update(**_place(register, home, schools))
    return move

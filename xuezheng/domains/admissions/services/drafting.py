"""A family's draft: saved at each change, on whatever device; what registers answered is kept in it.

Beside the keys of `answers.Answers` a draft holds `lookups` (agreed to be looked up), `register_here`,
`housing`, `home_same` (how the family answered), `twin` (says that there are twins), `papers` ({kind: [file ids]}), `number` (the child was
registered already).  Saving is not written to the trail: it is the family's own paper until it is
handed in; beginning, asking registers, throwing away and handing in are.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.answers import Answers
from xuezheng.domains.admissions.models import Application, Check, Draft, PaperKind, Season
from xuezheng.domains.admissions.registers import asking
from xuezheng.domains.admissions.registers.base import CONFIRMS, Question, is_sure
from xuezheng.domains.admissions.services import applying, twins
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.notices.services import notify

#: The words that a family agreed to; a new version when they change (templates/admissions/my_new.html).
CONSENT_VERSION = "2026-1"
#: Drafts that one person may have in a season: more than any family has children.
MAX_DRAFTS = 8
MAX_PAPERS = 6
#: Whoever is another person has other answers from registers.
PERSON_KEYS = {"child_name", "id_kind", "id_number", "guardian_name", "guardian_id"}
GRANDPARENT_KEYS = {"housing", "grandparents_agreed", "grandparent_name", "grandparent_id"}
OWNED = ("own", "grandparent")
PAPER_OF_TITLE = {
    "contract": PaperKind.CONTRACT,
    "demolition": PaperKind.DEMOLITION,
    "public_rental": PaperKind.RENTAL,
}


class DraftConflict(Exception):
    """The draft was changed elsewhere since the page was opened.  Holds the fresh draft."""

    def __init__(self, draft: Draft):
        super().__init__(str(draft.id))
        self.draft = draft


def answers_in(draft: Draft) -> dict[str, Any]:
    """What a draft holds."""
    return json.loads(draft.answers)


def start(*, season: Season, lookups: bool, by: Actor) -> Draft:
    """A draft for one more child; one that holds no child yet is taken up again.

    The family has agreed to the text of CONSENT_VERSION; `lookups`: also to being looked up.  Raises
    PermissionDenied, StepRefused outside the days of registration or for too many drafts.
    """
    if by.user is None or not by.can(Permission.APPLY):
        raise PermissionDenied(str(Permission.APPLY))
    if not season.takes_applications():
        raise StepRefused(_("现在不是登记时间。"))
    own = list(Draft.objects.visible_to(by).filter(season=season))
    for draft in own:
        given = answers_in(draft)
        if not given.get("child_name") and not given.get("id_number"):
            _write(draft, given | {"lookups": lookups})
            return draft
    if len(own) >= MAX_DRAFTS:
        raise StepRefused(_("草稿太多了，请先完成或删除已有的草稿。"))
    begun = {"lookups": lookups, "guardian_name": by.user.name, "phone": by.user.phone or ""}
    draft = Draft.objects.create(
        season=season,
        user=by.user,
        answers=json.dumps(begun, ensure_ascii=False),
        consented_at=timezone.now(),
        consent_version=CONSENT_VERSION,
    )
    record(
        "draft.begin",
        by=by,
        object_type="draft",
        object_id=draft.id,
        detail={"consent": CONSENT_VERSION, "lookups": lookups},
    )
    return draft


def _write(draft: Draft, given: Mapping[str, Any]) -> None:
    draft.answers = json.dumps(given, ensure_ascii=False)
    draft.version += 1
    draft.save(update_fields=["answers", "version", "saved_at"])


@cache
def _lock_question() -> str:
    """A person's draft, locked, with its season, in fixed words: everybody hands in at the same time."""
    columns = ", ".join(
        f'{name}."{field.column}"'
        for name, model in (("d", Draft), ("s", Season))
        for field in model._meta.concrete_fields
    )
    return (
        f"SELECT {columns} FROM admissions_draft d JOIN admissions_season s ON s.id = d.season_id"
        " WHERE d.id = %s AND d.user_id = %s FOR UPDATE OF d"
    )


def _read(model: type[models.Model], values: Iterable[Any]) -> Any:
    fields = model._meta.concrete_fields
    opened = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, values, strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], opened)


def _lock(draft: Draft, version: int | None, by: Actor) -> Draft:
    """The person's own draft, locked.  Raises Draft.DoesNotExist, DraftConflict."""
    # What `visible_to` would ask.
    with connection.cursor() as cursor:
        cursor.execute(_lock_question(), [draft.pk, by.user.pk if by.user else None])
        found = cursor.fetchone()
    if found is None:
        raise Draft.DoesNotExist
    width = len(Draft._meta.concrete_fields)
    row = _read(Draft, found[:width])
    row.season = _read(Season, found[width:])
    if version is not None and row.version != version:
        raise DraftConflict(row)
    return row


def put(given: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Answers with some changed; `register.road` names a part of an address.

    Answers of registers about another person, or another grandparent, go; the wish of twins goes with
    the word that there are any.
    """
    made = json.loads(json.dumps(given))
    for name, value in values.items():
        outer, _dot, inner = name.partition(".")
        if inner:
            made.setdefault(outer, {})[inner] = value
        else:
            made[name] = value
    changed = {key for key in made if made[key] != given.get(key)}
    if changed & PERSON_KEYS:
        made["checks"] = {}
    if changed & GRANDPARENT_KEYS and "grandparent" in (made.get("housing"), given.get("housing")):
        made.get("checks", {}).pop(Check.Register.PROPERTY, None)
    if given.get("twin") and not made["twin"]:
        made |= {"twin_wish": "", "together": ""}
    return made


@transaction.atomic
def save(draft: Draft, *, values: Mapping[str, Any], version: int, by: Actor) -> Draft:
    """Keep changed answers.  The same change sent twice is kept once.

    Raises DraftConflict when the draft was changed elsewhere, Draft.DoesNotExist.
    """
    row = _lock(draft, None, by)
    given = answers_in(row)
    if "twin_wish" in values:
        values = twins.filled(values, given, twins.same_day(row, given))
    made = put(given, values)
    if made == given:
        return row
    if row.version != version:
        raise DraftConflict(row)
    _write(row, made)
    return row


def due_registers(given: Mapping[str, Any], *, again: bool = False) -> list[str]:
    """Registers to be asked about the people in a draft; with `again` also those that did not answer."""
    named = all(given.get(key) for key in PERSON_KEYS - {"id_kind"})
    if not named or not given.get("lookups"):
        return []
    wanted = [Check.Register.POLICE, Check.Register.PROPERTY, Check.Register.CIVIL]
    if given.get("residence_permit"):
        wanted.append(Check.Register.LABOUR)
    checks = given.get("checks", {})
    return [
        str(register)
        for register in wanted
        if register not in checks or (again and checks[register]["state"] == Check.State.NO_ANSWER)
    ]


@transaction.atomic
def ask_registers(draft: Draft, *, again: bool = False, by: Actor) -> Draft:
    """Ask the registers that have not been asked; one that does not answer blocks nothing."""
    row = _lock(draft, None, by)
    given = answers_in(row)
    registers = due_registers(given, again=again)
    if not registers:
        return row
    agreed = given.get("housing") == "grandparent" and given.get("grandparents_agreed")
    question = Question(
        id_kind=given.get("id_kind", "1"),
        child_id=given["id_number"],
        child_name=given["child_name"],
        guardian_id=given["guardian_id"],
        guardian_name=given["guardian_name"],
        grandparent_id=given.get("grandparent_id", "") if agreed else "",
        grandparent_name=given.get("grandparent_name", "") if agreed else "",
    )
    checks = given.setdefault("checks", {})
    for register in registers:
        checks[register] = asking.ask(question, register, by=by)
    found = checks.get(Check.Register.PROPERTY, {})
    if found.get("state") == Check.State.CONFIRMED and not given.get("housing"):
        is_grandparent = found["facts"].get("owner") == "grandparent"
        given["housing"] = "grandparent" if is_grandparent else "own"
    _write(row, given)
    return row


@transaction.atomic
def dispute(draft: Draft, *, register: str, by: Actor) -> Draft:
    """The family says that what a register holds is wrong: it types its own answer and sends a paper."""
    row = _lock(draft, None, by)
    given = answers_in(row)
    check = given.get("checks", {}).get(register)
    if check and check["state"] == Check.State.CONFIRMED:
        check["state"] = str(Check.State.DIFFERENT)
        _write(row, given)
    return row


@transaction.atomic
def attach(draft: Draft, *, kind: str, uploads: Iterable[UploadedFile], by: Actor) -> Draft:
    """Add papers of a kind.  Raises StepRefused for too many, ValidationError for a file."""
    row = _lock(draft, None, by)
    given = answers_in(row)
    files = given.setdefault("papers", {}).setdefault(PaperKind(kind).value, [])
    for upload in uploads:
        if len(files) >= MAX_PAPERS:
            raise StepRefused(_("每种材料最多传%(most)d个文件。") % {"most": MAX_PAPERS})
        kept = keep(upload, organisation_id=row.season.organisation_id, by=by)
        files.append(str(kept.id))
    _write(row, given)
    return row


@transaction.atomic
def detach(draft: Draft, *, file_id: uuid.UUID, by: Actor) -> Draft:
    """Take a paper out of the draft."""
    row = _lock(draft, None, by)
    given = answers_in(row)
    papers = given.get("papers", {})
    for kind in papers:
        papers[kind] = [key for key in papers[kind] if key != str(file_id)]
    _write(row, given)
    return row


@transaction.atomic
def discard(draft: Draft, *, by: Actor) -> None:
    """Throw a draft away."""
    row = _lock(draft, None, by)
    record("draft.discard", by=by, object_type="draft", object_id=row.id)
    row.delete()


# -- from a draft to a registration ----------------------------------------------------------------
def whole(given: Mapping[str, Any]) -> dict[str, Any]:
    """A draft as the keys of `Answers`: how the family lives in words of rules, registers' facts first."""
    data = dict(given)
    housing, checks = given.get("housing", ""), given.get("checks", {})
    data["owner"] = {"own": "parent", "grandparent": "grandparent"}.get(housing, "none")
    data["title"] = given.get("title", "") if housing in OWNED else ""
    if housing == "public_rental":
        data["title"] = "public_rental"
    if housing not in OWNED:
        data |= {"share": 0, "title_date": None}
    if given.get("register_here") == "no":
        data |= {"register": {}, "register_date": None, "registered_since_birth": False}
    known: dict[str, Any] = {}
    for register, check in checks.items():
        is_of_use = register != Check.Register.PROPERTY or housing in OWNED
        if check.get("state") == Check.State.CONFIRMED and is_of_use:
            facts = check.get("facts", {})
            known |= {key: facts[key] for key in CONFIRMS.get(register, ()) if key in facts}
    data |= known
    if "home" not in known and given.get("home_same") == "yes":
        data["home"] = data.get("register") or {}
    return data


def papers_needed(given: Mapping[str, Any]) -> list[str]:
    """Kinds of paper that only the family can give: where a register was not asked or did not find it.

    A register that did not answer is asked again later, and nothing is needed for it now; one that is
    not connected never will.
    """
    data, connected = whole(given), asking.connected()

    def sure(register: str) -> bool:
        check = given.get("checks", {}).get(register, {})
        state = check.get("state", "")
        waits = state == Check.State.NO_ANSWER and register in connected
        return waits or is_sure(register, state, check.get("facts", {}))

    needed = []
    if data.get("register") and not sure(Check.Register.POLICE):
        needed += [PaperKind.REGISTER]
    if data.get("owner") != "none" and not sure(Check.Register.PROPERTY):
        needed += [PAPER_OF_TITLE.get(data["title"], PaperKind.DEED)]
    if given.get("housing") in ("rental", "public_rental"):
        needed += [PaperKind.RENTAL]
    if given.get("parents_own_no_home") and not sure(Check.Register.PROPERTY):
        needed += [PaperKind.NO_HOME]
    if given.get("residence_permit") and not sure(Check.Register.LABOUR):
        needed += [PaperKind.PERMIT]
    return [str(kind) for kind in needed]


def earlier_number(draft_id: uuid.UUID, by: Actor) -> str | None:
    """The reference that a draft became, for the person whose draft it was."""
    own = Application.objects.visible_to(by).filter(
        applicant=by.user, case__idempotency_key=draft_id
    )
    return own.values_list("case__number", flat=True).first()


def submit_draft(
    draft_id: uuid.UUID, *, version: int | None = None, by: Actor
) -> applying.Submitted:
    """Hand a draft in.  However often it is sent, from whatever device: the same reference.

    Raises Draft.DoesNotExist, DraftConflict when it was changed since it was read over, Faults with
    every fault, StepRefused outside the days of registration: all before anything is written.  Runs in
    the caller's transaction, without savepoints of its own, which would be round trips in the rush.
    """
    try:
        row = _lock(Draft(pk=draft_id), version, by)
    except Draft.DoesNotExist:
        if number := earlier_number(draft_id, by):
            return applying.Submitted(number, False, True)
        raise
    given = answers_in(row)
    answers = Answers.read(whole(given)).checked()
    done = applying.submit(
        season=row.season,
        answers=answers,
        key=row.id,
        draft=row,
        paper_ids={
            kind: [uuid.UUID(key) for key in keys] for kind, keys in given.get("papers", {}).items()
        },
        agreed={
            "consent": row.consent_version,
            "lookups": bool(given.get("lookups")),
            "on": timezone.localdate(row.consented_at).isoformat(),
        },
        by=by,
    )
    if not done.is_new:
        if not done.own:
            _tell_first_guardian(done.number)
        # Kept, so that sending it again finds the same reference.
        _write(row, given | {"number": done.number})
    return done


def _tell_first_guardian(number: str) -> None:
    """Both guardians are told that the other has registered the child; neither is told more."""
    with fenced(by=JobActor("admissions.parties")):
        row = Application.objects.select_related("case").get(case__number=number)
        if row.applicant_id:
            notify(
                [row.applicant_id],
                key=f"application.joined.{row.pk}",
                title=_("另一位监护人也登记了编号 %s 的孩子") % number,
                path=reverse("my_application", args=[number]),
            )

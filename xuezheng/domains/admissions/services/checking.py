"""Checking a registration: verify, return with all faults at once, refuse, reopen, hand over, ask again.

Everything that is settled here comes from a register, from a paper that somebody looked at, or from the
district's own registry; standings are worked out anew when a registration is verified.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.answers import Answers
from xuezheng.domains.admissions.models import (
    Application,
    Check,
    Intake,
    Party,
    Standing,
)
from xuezheng.domains.admissions.registers.asking import ask
from xuezheng.domains.admissions.registers.base import CONFIRMS, Question, is_sure
from xuezheng.domains.admissions.selectors import admission_settings, working_days
from xuezheng.domains.admissions.services.applying import SILENT
from xuezheng.domains.admissions.services.standing import stand
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import Organisation, in_force
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, hand_over_case, lock_case
from xuezheng.kernel.notices.services import notify
from xuezheng.kernel.reference.parameters import Setting
from xuezheng.registry.models import Employment, Guardian, Guardianship, Pupil

#: How often a register that gave no answer is asked by itself.
MAX_ATTEMPTS = 6
#: Verified in one go at most.
AT_ONCE = 200
#: State of an application in which its facts may still change.
OPEN = ("submitted", "correcting")


def settings_of(application: Application) -> dict[str, Setting]:
    """The parameters in force today for the authority of the application's season."""
    today = timezone.localdate()
    return admission_settings(today, authority_code(application.season.organisation_id, today))


def reasons(settings: Mapping[str, Setting], name: str) -> list[tuple[str, str]]:
    """(code, label in the reader's language) of a list of reasons among the parameters."""
    label = "en" if get_language() == "en" else "zh"
    return [(entry["code"], entry[label]) for entry in settings[name].value]


def verify(application: Application, *, note: str = "", version: int, by: Actor) -> Move:
    """What the family says is established; it gets its place on the ladder.

    Raises StepRefused while guardians are in dispute.
    """
    with transaction.atomic():
        move = _verified(application, note=note, version=version, by=by)
        stand(application.season, [application])
    return move


def _verified(application: Application, *, note: str, version: int, by: Actor) -> Move:
    if application.custody_disputed:
        raise StepRefused(_("两位监护人都来登记，监护关系还没有核实：请先核对监护权证明。"))
    today, season = timezone.localdate(), application.season
    settings = settings_of(application)
    until = season.result_on or today + dt.timedelta(days=settings["result_days"].value)
    move = advance(
        application,
        "verify",
        by=by,
        version=version,
        note=note,
        terms={"result": Term(max(until, today), _("结果公布日"))},
        fields={"settled_on": today, "faults": []},
    )
    _tell(application, _("入学登记 %s 已核验") % application.case.number)
    return move


def return_all(
    application: Application,
    *,
    faults: Sequence[Mapping[str, str]],
    note: str = "",
    version: int,
    by: Actor,
) -> Move:
    """Give back with every fault at once (一次性告知); the family's term begins.

    `faults`: [{"code", "note"}] with codes of the parameter `fault_reasons`.  The term never ends after
    the season's last day for faults, if that day is still to come.  Raises StepRefused without a fault.
    """
    settings, today = settings_of(application), timezone.localdate()
    labels = dict(reasons(settings, "fault_reasons"))
    told = [
        {"code": fault["code"], "note": fault.get("note", "").strip()[:200]}
        for fault in faults
        if fault["code"] in labels
    ]
    if not told and not note.strip():
        raise StepRefused(_("请勾选须补正的内容，一次列全。"))
    if note.strip():
        told.append({"code": "other", "note": note.strip()[:500]})
    due = working_days(settings, "correction_days", today)
    last = application.season.faults_until
    if last and today <= last < due:
        due = last
    move = advance(
        application,
        "return",
        by=by,
        version=version,
        note="；".join(
            labels.get(f["code"], "") + (f"：{f['note']}" if f["note"] else "") for f in told
        ),
        terms={"correction": Term(due, _("一次告知后补正"))},
        fields={"faults": told},
    )
    _tell(application, _("入学登记 %s 需要补正") % application.case.number, urgent=True)
    return move


def refuse(application: Application, *, note: str, version: int, by: Actor) -> Move:
    """Not taken (another district's child, of no age ...); the child goes back to the open roll."""
    with transaction.atomic():
        move = advance(application, "refuse", by=by, version=version, note=note)
        entry = application.entry
        entry.outcome, entry.outcome_on = "", None
        entry.save()
    title = _("入学登记 %s 不予受理，请查看理由") % application.case.number
    _tell(application, title, urgent=True)
    return move


def reopen(application: Application, *, note: str, version: int, by: Actor) -> Move:
    """Something verified must be looked at again; its standings go."""
    today, settings = timezone.localdate(), settings_of(application)
    days = settings["verification_days"].value
    term = Term(
        working_days(settings, "verification_days", today),
        _("重新核验后%(days)d个工作日内") % {"days": days},
    )
    with transaction.atomic():
        move = advance(
            application,
            "reopen",
            by=by,
            version=version,
            note=note,
            terms={"verification": term},
            fields={"settled_on": None},
        )
        Standing.objects.filter(choice__application=application).delete()
    return move


def _tell(application: Application, title: str, *, urgent: bool = False) -> None:
    """A notice to every guardian who may see the registration; once for each turn of the case.

    `urgent`: something is asked of the family, or it must look elsewhere: also by SMS.
    """
    people = set(
        application.parties.filter(user__isnull=False, confirmed=True).values_list(
            "user", flat=True
        )
    )
    if application.applicant_id:
        people.add(application.applicant_id)
    notify(
        people,
        key=f"application.{application.case.state}.{application.pk}.{application.case.version}",
        title=title,
        path=reverse("my_application", args=[application.case.number]),
        urgent=urgent,
    )


# -- whose it is to check ---------------------------------------------------------------------------
def receivers(application: Application) -> QuerySet[Organisation]:
    """Organisations that may take a registration over: the season's schools, and the bureau."""
    schools = Intake.objects.filter(season=application.season).values("school")
    takes = Q(id__in=schools) | Q(id=application.season.organisation_id)
    rows = Organisation.objects.filter(takes).exclude(id=application.case.organisation_id)
    return rows.order_by("order", "id")


def hand_over(
    application: Application, *, organisation_id: int, note: str, version: int, by: Actor
) -> Move:
    """Give a registration to another school of the season, or to the bureau, to check.

    Raises StepRefused outside checking, without a reason, or for an organisation that is no receiver.
    """
    if application.state not in OPEN:
        raise StepRefused(_("只有核验中的登记可以转交。"))
    if not note.strip():
        raise StepRefused(_("请写明转交的理由。"))
    if not receivers(application).filter(id=organisation_id).exists():
        raise StepRefused(_("只能转交给本批次的学校或教育局。"))
    return hand_over_case(
        application.case,
        organisation_id=organisation_id,
        permission=Permission.VERIFY,
        note=note,
        version=version,
        by=by,
    )


# -- registers --------------------------------------------------------------------------------------
def question_of(application: Application, register: str) -> Question:
    """Whom a register is asked about: a grandparent of nobody but the register of property."""
    entry = application.entry
    main = application.parties.filter(main=True).first()
    about_home = register == Check.Register.PROPERTY and application.grandparents_agreed
    elder = json.loads(application.grandparent or "{}") if about_home else {}
    return Question(
        id_kind=entry.id_kind,
        child_id=entry.id_number or "",
        child_name=entry.name,
        guardian_id=(main and main.id_number) or "",
        guardian_name=main.name if main else "",
        grandparent_id=elder.get("id", ""),
        grandparent_name=elder.get("name", ""),
    )


def can_be_asked(application: Application, register: str) -> bool:
    """Whether a register may be asked about a stored registration.

    For a grandparent's home only while their number is kept, which is with their consent.
    """
    if register != Check.Register.PROPERTY or application.owner != Application.Owner.GRANDPARENT:
        return True
    return bool(application.grandparent) and application.grandparents_agreed


@transaction.atomic
def ask_again(application: Application, *, register: str, by: Actor) -> Check:
    """Ask one register again; what it confirms takes the place of what was typed.

    Once the register of property has spoken, whose grandparent it was asked about is forgotten.  Raises
    StepRefused outside checking, and for a grandparent's home without consent: there their paper decides.
    """
    by.post_for(Permission.VERIFY, application.case.organisation_id)
    if application.state not in OPEN:
        raise StepRefused(_("只有核验中的登记可以再查。"))
    if not can_be_asked(application, register):
        raise StepRefused(_("祖辈房产须祖辈本人同意并填写证件号码才能查：请看材料。"))
    lock_case(application.pk)
    said = ask(question_of(application, register), register, by=by)
    held = Check.objects.filter(application=application, register=register).first()
    check, _is_new = Check.objects.update_or_create(
        application=application,
        register=register,
        defaults={
            "state": said["state"],
            "attempts": (held.attempts if held else 0) + 1,
            "asked_at": parse_datetime(said["asked_at"]),
            "answered_at": parse_datetime(said["answered_at"]) if said["answered_at"] else None,
            "answer": json.dumps(said["facts"], ensure_ascii=False),
        },
    )
    if register == Check.Register.PROPERTY and said["state"] not in SILENT:
        application.grandparent = None
        application.save(update_fields=["grandparent"])
    _settle_facts(application)
    return check


def _settle_facts(application: Application) -> None:
    """Confirmed facts onto the columns; papers are needed for what no register confirms."""
    sure_of, facts = set(), {}
    for check in application.checks.all():
        said = json.loads(check.answer)
        if is_sure(check.register, check.state, said):
            sure_of.add(check.register)
        if check.state == Check.State.CONFIRMED:
            facts |= {key: said[key] for key in CONFIRMS[check.register] if key in said}
    sure = Answers.read(
        {key: value for key, value in facts.items() if key not in ("register", "home")}
    )
    names = [key for key in facts if key not in ("register", "home")]
    for name in names:
        setattr(application, name, getattr(sure, name))
    application.papers_needed = any(key not in sure_of for key in needed(application))
    application.save(update_fields=[*names, "papers_needed"])


def needed(application: Application) -> list[str]:
    """Registers whose word the registration rests on."""
    found = []
    if application.register_dwelling_id:
        found.append(Check.Register.POLICE)
    if application.owner in ("self", "parent", "grandparent"):
        found.append(Check.Register.PROPERTY)
    if application.residence_permit:
        found.append(Check.Register.LABOUR)
    return found


def ask_silent_registers(*, by: Actor, after: dt.timedelta = dt.timedelta(minutes=9)) -> int:
    """For the job: ask again what got no answer, up to MAX_ATTEMPTS; gives how many were asked."""
    rows = Check.objects.filter(
        state=Check.State.NO_ANSWER,
        attempts__lt=MAX_ATTEMPTS,
        asked_at__lt=timezone.now() - after,
        application__state__in=OPEN,
    ).select_related("application__case", "application__entry")
    asked = 0
    for check in rows.order_by("asked_at")[:200]:
        if can_be_asked(check.application, check.register):
            ask_again(check.application, register=check.register, by=by)
            asked += 1
    return asked


# -- guardians, brothers and sisters ----------------------------------------------------------------
@transaction.atomic
def decide_party(
    application: Application, party: Party, *, confirmed: bool, reason: str, by: Actor
) -> None:
    """Say, after seeing the custody paper, whether somebody is a guardian.

    Confirmed: they see the registration.  Not: their entry goes, and they learn nothing more.  Raises
    StepRefused for the applicant and without a reason.
    """
    post = by.post_for(Permission.VERIFY, application.case.organisation_id)
    lock_case(application.pk)
    if party.application_id != application.pk or party.main:
        raise StepRefused(_("申请人的监护关系不在这里改。"))
    if len(reason.strip()) < 2:
        raise StepRefused(_("请写明依据哪份证明。"))
    if confirmed:
        party.confirmed = True
        party.save(update_fields=["confirmed"])
    else:
        party.delete()
    open_claims = application.parties.filter(confirmed=False, user__isnull=False)
    application.custody_disputed = open_claims.exists()
    application.save(update_fields=["custody_disputed"])
    record(
        "application.party",
        by=by,
        post=post,
        organisation_id=application.case.organisation_id,
        object_type="application",
        object_id=application.case.number,
        reason=reason.strip(),
        detail={"confirmed": confirmed},
    )


@transaction.atomic
def look_up_family(application: Application, *, by: Actor) -> dict[str, Any]:
    """Ask the district's own registry whether a guardian has another child at a school of the list, or
    works at one; gives {"sibling": Organisation | None, "staff": Organisation | None}.

    By identity number of the guardians, with the program's reach; the verifier learns the school and no
    name.  What is found is written on the registration.
    """
    post = by.post_for(Permission.VERIFY, application.case.organisation_id)
    numbers = [p.id_number for p in application.parties.filter(confirmed=True) if p.id_number]
    schools = [
        choice.intake.school for choice in application.choices.select_related("intake__school")
    ]
    with fenced(by=JobActor("admissions.family")):
        found = {
            "sibling": _sibling_school(application, numbers, schools),
            "staff": _staff_school(numbers, schools),
        }
    application.sibling_school, application.staff_school = found["sibling"], found["staff"]
    application.save(update_fields=["sibling_school", "staff_school"])
    record(
        "application.family",
        by=by,
        post=post,
        organisation_id=application.case.organisation_id,
        object_type="application",
        object_id=application.case.number,
        detail={key: bool(value) for key, value in found.items()},
    )
    return found


def _sibling_school(
    application: Application, numbers: Sequence[str], schools: Sequence[Any]
) -> Any | None:
    guardians = Guardian.objects.filter(id_number__in=numbers)
    held = Guardianship.objects.filter(
        pupil=OuterRef("pk"), guardian__in=guardians, valid_to__isnull=True
    )
    others = Pupil.objects.live().filter(Exists(held), organisation__in=schools)
    if application.entry.id_number:
        others = others.exclude(id_number=application.entry.id_number)
    if application.entry.pupil_id:
        others = others.exclude(pk=application.entry.pupil_id)
    at = set(others.values_list("organisation", flat=True))
    return next((school for school in schools if school.id in at), None)


def _staff_school(numbers: Sequence[str], schools: Sequence[Any]) -> Any | None:
    rows = Employment.objects.filter(
        in_force(timezone.localdate()),
        staff__id_number__in=numbers,
        organisation__in=schools,
    )
    at = set(rows.values_list("organisation", flat=True))
    return next((school for school in schools if school.id in at), None)


# -- many at once -----------------------------------------------------------------------------------
def confirmed_by_registers(rows: QuerySet[Application]) -> QuerySet[Application]:
    """Registrations of which registers confirmed everything: no papers, no dispute, register known."""
    police = Check.objects.filter(
        application=OuterRef("pk"), register=Check.Register.POLICE, state=Check.State.CONFIRMED
    )
    return rows.filter(
        Exists(police), state="submitted", papers_needed=False, custody_disputed=False
    )


def in_sample(number: str, percent: int) -> bool:
    """Whether a registration is among those that are looked at by hand although registers confirm all.

    By the hash of its number: nobody chooses, and asking twice gives the same.
    """
    return int(hashlib.sha256(number.encode()).hexdigest()[:8], 16) % 100 < percent


@transaction.atomic
def verify_confirmed(rows: Iterable[Application], *, percent: int, by: Actor) -> tuple[int, int]:
    """Verify what registers confirmed whole, save a sample; gives (verified, left to be looked at).

    Left are also those whose guardian the police do not name beside the child: their answers are
    sealed, so the list cannot leave them out.
    """
    done: list[Application] = []
    kept = 0
    chosen = list(rows)[:AT_ONCE]
    police = Check.objects.filter(application__in=chosen, register=Check.Register.POLICE)
    named = {
        check.application_id
        for check in police
        if is_sure(check.register, check.state, json.loads(check.answer))
    }
    for application in chosen:
        if application.pk not in named or in_sample(application.case.number, percent):
            kept += 1
            continue
        note = _("数据核验全部一致")
        _verified(application, note=note, version=application.case.version, by=by)
        done.append(application)
    for season in {application.season_id: application.season for application in done}.values():
        stand(season, [row for row in done if row.season_id == season.id])
    return len(done), kept


# -- numbers ----------------------------------------------------------------------------------------
def reveal(application: Application, *, field: str, reason: str, by: Actor) -> str:
    """One whole number: "id_number" of the child, "guardian_id", "phone".  The trail keeps why.

    Raises ValidationError without a reason, KeyError for another field.
    """
    if field not in {"id_number", "guardian_id", "phone"}:
        raise KeyError(field)
    post = by.post_for(Permission.VERIFY, application.case.organisation_id)
    if len(reason.strip()) < 2:
        raise ValidationError({"reason": _("请写明查看的理由。")})
    record(
        "application.reveal",
        by=by,
        post=post,
        organisation_id=application.case.organisation_id,
        object_type="application",
        object_id=application.case.number,
        reason=reason.strip(),
        detail={"field": field},
    )
    if field == "id_number":
        return application.entry.id_number or ""
    main = application.parties.filter(main=True).first()
    if main is None:
        return ""
    return (main.id_number if field == "guardian_id" else main.phone) or ""

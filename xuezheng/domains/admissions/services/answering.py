"""What a family does after the reference: answers an offer, asks for a review, rates, learns who looked.

A second guardian becomes known by the telephone that the first one gave, when signing in with it; that
the two belong together a verifier confirms.
"""

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.answers import Address, Answers
from xuezheng.domains.admissions.flows import APPLICATION, REVIEW
from xuezheng.domains.admissions.models import (
    Application,
    Check,
    Offer,
    Party,
    Rating,
    Review,
    RollEntry,
)
from xuezheng.domains.admissions.selectors import admission_settings, working_days
from xuezheng.domains.admissions.services import applying
from xuezheng.domains.admissions.services.drafting import put, whole
from xuezheng.domains.admissions.services.locks import unlock_homes
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import User
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, lock_case, open_case
from xuezheng.kernel.files.store import keep
from xuezheng.registry.models import Dwelling

#: States after which the service can be judged.
RATED_FROM = ("placed", "unplaced", "arrived", "declined", "absent")


def _own(application: Application, by: Actor) -> None:
    """A person permission reaches no organisation: the row itself must be the person's."""
    if by.user is None or application.applicant_id != by.user.id:
        raise PermissionDenied("application of somebody else")


def current_offer(application: Application) -> Offer | None:
    """The newest published result of an application."""
    published = application.offers.filter(allocation__published_at__isnull=False)
    rows = published.select_related("intake__school", "allocation").order_by("-allocation__round")
    return rows.first()


def _open_offer(application: Application, by: Actor) -> Offer:
    """The offer that waits for an answer, locked with its case."""
    _own(application, by)
    offer = current_offer(application)
    if offer is None:
        raise StepRefused(_("结果还没有公布。"))
    offer = Offer.objects.select_for_update(of=("self",)).get(pk=offer.pk)
    if offer.answer == Offer.Answer.LAPSED:
        raise StepRefused(_("确认期限已过，学位已进入下一轮。"))
    if offer.answer == Offer.Answer.DECLINED:
        raise StepRefused(_("这个学位您已经放弃。"))
    return offer


@transaction.atomic
def confirm(application: Application, *, version: int, by: Actor) -> Offer:
    """Take the place.  Confirmed twice is confirmed once.

    Raises PermissionDenied, Conflict, StepRefused: no place, none to be confirmed, or too late.
    """
    lock_case(application.pk, version=version)
    offer = _open_offer(application, by)
    if offer.answer == Offer.Answer.CONFIRMED:
        return offer
    if offer.intake_id is None or offer.respond_by is None:
        raise StepRefused(_("这个结果不用确认，请按时报到。"))
    if timezone.localdate() > offer.respond_by:
        raise StepRefused(_("确认期限已过。"))
    _answer(offer, Offer.Answer.CONFIRMED)
    record(
        "application.confirm", by=by, object_type="application", object_id=application.case.number
    )
    return offer


def _answer(offer: Offer, answer: str) -> None:
    offer.answer, offer.answered_at = answer, timezone.now()
    offer.save(update_fields=["answer", "answered_at"])


@transaction.atomic
def decline(application: Application, *, version: int, by: Actor) -> Move:
    """Give the place up; the child is traced again.  Raises like `confirm`."""
    offer = _open_offer(application, by)
    move = advance(application, "decline", by=by, version=version)
    _answer(offer, Offer.Answer.DECLINED)
    RollEntry.objects.filter(id=application.entry_id).update(
        outcome=RollEntry.Outcome.OPEN, outcome_on=None
    )
    unlock_homes([application])
    return move


@transaction.atomic
def ask_review(application: Application, *, ground: str, key: uuid.UUID, by: Actor) -> Review:
    """Ask the bureau to look at the result again.  The same key gives the review of the first time.

    Raises PermissionDenied, StepRefused: no result, no ground, or a review under way.
    """
    _own(application, by)
    if not by.can(Permission.APPLY):
        raise PermissionDenied(str(Permission.APPLY))
    if current_offer(application) is None:
        raise StepRefused(_("结果公布以后才能申请复核。"))
    if not ground.strip():
        raise StepRefused(_("请写明申请复核的理由。"))
    lock_case(application.pk)
    under_way = application.reviews.filter(state="asked").select_related("case").first()
    if under_way and under_way.case.idempotency_key != key:
        raise StepRefused(_("已有一个复核在办理，请等待答复。"))
    today = timezone.localdate()
    settings = _settings(application, today)
    review, _is_new = open_case(
        REVIEW,
        Review,
        organisation_id=application.season.organisation_id,
        title=application.season.get_level_display() + _("录取复核"),
        by=by,
        key=key,
        parent=application.case,
        terms={
            "review": Term(
                working_days(settings, "review_days", today),
                _("申请后%(days)d个工作日内答复") % {"days": settings["review_days"].value},
            )
        },
        fields={"application": application, "ground": ground.strip()[:1000]},
    )
    return review


def _settings(application: Application, day: dt.date) -> dict[str, Any]:
    return admission_settings(day, authority_code(application.season.organisation_id, day))


def review_days(application: Application) -> int:
    """Working days within which a review is answered."""
    return _settings(application, timezone.localdate())["review_days"].value


@transaction.atomic
def rate(application: Application, *, grade: int, text: str = "", by: Actor) -> Rating:
    """Judge the service, once, from 1 to 5 (GB/T 39735-2020).  Raises PermissionDenied, StepRefused."""
    _own(application, by)
    if application.state not in RATED_FROM:
        raise StepRefused(_("办完以后再评价。"))
    if grade not in range(1, 6):
        raise StepRefused(_("请选择一个评价。"))
    try:
        with transaction.atomic():
            rating = Rating.objects.create(
                application=application,
                grade=grade,
                text=text.strip()[:300],
                given_on=timezone.localdate(),
                organisation_id=application.case.organisation_id,
            )
    except IntegrityError as twice:
        raise StepRefused(_("您已经评价过，谢谢。")) from twice
    record(
        "application.rate",
        by=by,
        object_type="application",
        object_id=application.case.number,
        detail={"grade": grade},
    )
    return rating


def link_parties(user: User) -> int:
    """Guardians named with a telephone become users when it is proved.  Returns how many were linked.

    Being linked shows no more than the reference until a verifier has confirmed the guardianship.
    """
    if not user.phone:
        return 0
    door, linked = JobActor("admissions.parties"), 0
    with fenced(by=door):
        taken = Party.objects.filter(user=user).values("application")
        waiting = Party.objects.filter(phone=user.phone, user__isnull=True)
        for party in waiting.exclude(application__in=taken).select_for_update(of=("self",)):
            party.user = user
            party.save(update_fields=["user"])
            linked += 1
            number = Application.objects.values_list("case__number", flat=True).get(
                pk=party.application_id
            )
            record("application.linked", by=door, object_type="application", object_id=number)
    return linked


def readings(application: Application) -> QuerySet[Entry]:
    """Who of the bureau and the schools opened or changed a registration, newest first."""
    rows = Entry.objects.filter(object_type="application", object_id=application.case.number)
    family = [party.user_id for party in application.parties.all() if party.user_id]
    rows = rows.filter(user__isnull=False).exclude(user__in=[*family, application.applicant_id])
    return rows.select_related("user", "post__organisation").order_by("-id")


def act_words(entry: Entry) -> str:
    """What was done with a registration, in the reader's language."""
    known = {
        "open": _("打开登记"),
        "paper": _("查看材料"),
        "reveal": _("查看完整号码"),
        "recheck": _("重新查询数据"),
    } | {step.key: str(step.label) for step in APPLICATION.steps}
    return known.get(entry.action.rpartition(".")[2], _("查看或办理"))


def typed_answers(application: Application) -> Answers:
    """A registration as its family would type it, to be put right.

    What registers confirmed stays theirs: `checks` go along.
    """
    entry, parties = application.entry, list(application.parties.all())
    main = next(party for party in parties if party.main)
    chosen = application.choices.filter(by_rule=False).order_by("rank")
    elder = json.loads(application.grandparent or "{}")
    checks = {
        check.register: {
            "state": check.state,
            "facts": json.loads(check.answer),
            "asked_at": check.asked_at.isoformat(),
            "answered_at": check.answered_at.isoformat() if check.answered_at else "",
        }
        for check in application.checks.all()
    }
    return Answers(
        child_name=application.child_name,
        id_kind=entry.id_kind,
        id_number=entry.id_number or "",
        born_on=application.born_on,
        sex=application.sex,
        guardian_name=main.name,
        guardian_id=main.id_number or "",
        relation=main.relation,
        phone=main.phone or "",
        register=_address(application.register_dwelling),
        register_date=application.register_date,
        registered_since_birth=application.registered_since_birth,
        home=_address(application.home_dwelling),
        owner=application.owner,
        share=application.share,
        title=application.title,
        title_date=application.title_date,
        residential=application.residential,
        parents_own_no_home=application.parents_own_no_home,
        grandparents_agreed=application.grandparents_agreed,
        grandparent_id=elder.get("id", ""),
        grandparent_name=elder.get("name", ""),
        residence_permit=application.residence_permit,
        permit_date=application.permit_date,
        points=application.points,
        sibling_id=application.sibling_id or "",
        twin_wish=application.twin_wish,
        intakes=tuple(chosen.values_list("intake_id", flat=True)),
        checks=checks,
    )


def _address(dwelling: Dwelling | None) -> Address:
    if dwelling is None:
        return Address()
    return Address(
        community=dwelling.community.code,
        road=dwelling.road,
        number=dwelling.number,
        suffix=dwelling.suffix,
        building=dwelling.building,
        room=dwelling.room,
    )


def given_of(application: Application) -> dict[str, Any]:
    """A registration in the shape of a draft, for the pages that ask for its parts."""
    answers = typed_answers(application)
    given = {
        key: value.isoformat() if isinstance(value, dt.date) else value
        for key, value in dataclasses.asdict(answers).items()
    }
    housing = {"self": "own", "parent": "own", "grandparent": "grandparent"}.get(answers.owner)
    rented = "public_rental" if answers.title == "public_rental" else "none"
    return given | {
        "intakes": list(answers.intakes),
        "lookups": True,
        "housing": housing or rented,
        "register_here": "yes" if answers.register else "no",
        "home_same": "yes" if answers.register == answers.home else "no",
        # The other child's number is not kept: the tie stays as it is unless one is given.
        "tied": application.together is not None,
    }


@transaction.atomic
def put_right(
    application: Application,
    *,
    values: Mapping[str, Any],
    uploads: Mapping[str, Sequence[UploadedFile]],
    note: str = "",
    version: int,
    by: Actor,
) -> Move:
    """Everything that was asked for, at once: changed answers by key of a draft, papers by kind.

    Raises PermissionDenied, Conflict, StepRefused, Faults, ValidationError for a file.
    """
    _own(application, by)
    before = given_of(application)
    given = put(before, values)
    for register in before["checks"].keys() - given["checks"].keys():
        given["checks"][register] = {"state": str(Check.State.NO_ANSWER), "facts": {}}
    answers = Answers.read(whole(given)).checked()
    paper_ids = {
        kind: [keep(u, organisation_id=application.case.organisation_id, by=by).id for u in files]
        for kind, files in uploads.items()
    }
    return applying.correct(
        application, answers=answers, paper_ids=paper_ids, note=note, version=version, by=by
    )

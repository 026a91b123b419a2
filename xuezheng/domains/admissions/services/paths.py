"""Ways beside the regular one: deferral, teaching at home, special placement, joining mid-year.

Whoever examines writes an opinion (for special placement the expert committee's, 《残疾人教育条例》
art. 19-20); another person decides.  Opinions are sealed and stand on this request's page alone.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import PATH
from xuezheng.domains.admissions.models import Application, PathRequest, RollEntry, Season
from xuezheng.domains.admissions.selectors import admission_settings, working_days
from xuezheng.domains.admissions.services.applying import new_code
from xuezheng.domains.admissions.services.tracing import close_registered
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case
from xuezheng.kernel.notices.services import notify
from xuezheng.registry.codes import CITIZEN_ID, citizen_birth, citizen_id_problem, citizen_sex
from xuezheng.registry.names import normal_name
from xuezheng.registry.organisations import SITE_KINDS, OrganisationKind

Kind = PathRequest.Kind
#: What a granted request writes on the roll.
OUTCOMES = {
    Kind.DEFERRAL: RollEntry.Outcome.DEFERRED,
    Kind.HOME: RollEntry.Outcome.HOME,
    Kind.SPECIAL: RollEntry.Outcome.SPECIAL,
}


@transaction.atomic
def ask_path(
    *,
    kind: str,
    season: Season | None,
    child_name: str,
    id_kind: str = CITIZEN_ID,
    id_number: str = "",
    born_on: dt.date | None = None,
    sex: str = "0",
    guardian_name: str,
    phone: str,
    ground: str,
    school: Organisation | None = None,
    grade: int | None = None,
    until: dt.date | None = None,
    uploads: Sequence[UploadedFile] = (),
    at_counter: bool = False,
    key: uuid.UUID,
    by: Actor,
) -> PathRequest:
    """A family asks, or the office types its paper form (`at_counter`, which needs PATHS).  The same
    key gives the request of the first call.

    `season` for all kinds but joining mid-year, which names `school` and `grade` instead; `until` is the
    day to which a deferral is asked.  A citizen number gives birth and sex.  Raises PermissionDenied,
    StepRefused with what is missing, ValidationError for a file.
    """
    needed = Permission.PATHS if at_counter else Permission.APPLY
    if not by.can(needed):
        raise PermissionDenied(str(needed))
    id_number = id_number.strip().upper()
    if id_kind == CITIZEN_ID and id_number:
        if citizen_id_problem(id_number):
            raise StepRefused(_("证件号码不正确，请对照户口簿核对18位号码。"))
        born_on, sex = citizen_birth(id_number), citizen_sex(id_number)
    organisation_id = _who_examines(kind, season, school, grade)
    if not (child_name.strip() and guardian_name.strip() and ground.strip() and born_on):
        raise StepRefused(_("请填写孩子姓名、出生日期、监护人和申请理由。"))
    post = by.post_for(Permission.PATHS, organisation_id) if at_counter else None
    today = timezone.localdate()
    settings = admission_settings(today, authority_code(organisation_id, today))
    days = settings["path_examination_days"].value
    row, is_new = open_case(
        PATH,
        PathRequest,
        organisation_id=organisation_id,
        title=_("特殊入学申请：%s") % Kind(kind).label,
        by=by,
        key=key,
        uploads=uploads,
        terms={
            "examination": Term(
                working_days(settings, "path_examination_days", today),
                _("提出后%(days)d个工作日内审核") % {"days": days},
            )
        },
        fields={
            "kind": kind,
            "season": season,
            "applicant": None if at_counter else by.user,
            "child_name": normal_name(child_name),
            "id_kind": id_kind,
            "id_number": id_number or None,
            "born_on": born_on,
            "sex": sex,
            "guardian_name": normal_name(guardian_name),
            "phone": phone.strip() or None,
            "school": school,
            "grade": grade,
            "ground": ground.strip(),
            "until": until,
        },
    )
    if at_counter and is_new:
        record(
            "path.counter",
            by=by,
            post=post,
            organisation_id=organisation_id,
            object_type="admission_path",
            object_id=row.case.number,
        )
    return row


def _who_examines(
    kind: str, season: Season | None, school: Organisation | None, grade: int | None
) -> int:
    """The organisation of the case: the bureau."""
    if kind not in Kind.values:
        raise StepRefused(_("没有这个类别。"))
    if kind != Kind.TRANSFER:
        if season is None:
            raise StepRefused(_("请选择招生批次。"))
        return season.organisation_id
    if school is None or school.kind not in SITE_KINDS or not grade:
        raise StepRefused(_("请选择要转入的学校和年级。"))
    return Organisation.objects.filter(kind=OrganisationKind.BUREAU).order_by("id")[0].id


def examine(
    request: PathRequest,
    *,
    opinion: str,
    until: dt.date | None = None,
    uploads: Sequence[UploadedFile] = (),
    version: int,
    by: Actor,
) -> Move:
    """Write the opinion: sealed, not in the timeline.  `until`: to which day a deferral should run."""
    if not opinion.strip():
        raise StepRefused(_("请写明审核意见。"))
    today = timezone.localdate()
    settings = admission_settings(today, authority_code(request.case.organisation_id, today))
    return advance(
        request,
        "examine",
        by=by,
        version=version,
        # The note of a move is plain text that more people read.
        note=_("意见已密封，见申请页"),
        uploads=uploads,
        terms={
            "decision": Term(
                working_days(settings, "path_decision_days", today),
                _("审核后%(days)d个工作日内决定") % {"days": settings["path_decision_days"].value},
            )
        },
        fields={"opinion": opinion.strip()} | ({"until": until} if until else {}),
    )


@transaction.atomic
def grant(request: PathRequest, *, note: str = "", version: int, by: Actor) -> Move:
    """Decide for it; the outcome stands on the child's entry of the roll.

    Raises StepRefused while the child has a registration in the same season: one or the other.
    """
    if request.kind == Kind.DEFERRAL and not request.until:
        raise StepRefused(_("缓学须写明缓到哪一天：请退回审核人补上。"))
    move = advance(request, "grant", by=by, version=version, note=note)
    if request.season_id and request.kind in OUTCOMES:
        # Whoever decides (a leader) does not see the roll: the program writes the one line.
        with fenced(by=JobActor("admissions.paths")):
            request.entry_id = _write_outcome(request)
    _tell(request, _("特殊入学申请 %s 已有决定") % request.case.number)
    return move


def _write_outcome(request: PathRequest) -> int:
    entry = _entry_of(request)
    if Application.objects.filter(entry=entry).live().exists():
        raise StepRefused(_("孩子已有本批次的入学登记，请先由家长撤回登记。"))
    entry.outcome, entry.outcome_on = OUTCOMES[Kind(request.kind)], timezone.localdate()
    entry.save()
    PathRequest.objects.filter(pk=request.pk).update(entry=entry)
    close_registered(by=JobActor("admissions.paths"), entry_ids=[entry.id])
    return entry.id


def _entry_of(request: PathRequest) -> RollEntry:
    """The child's entry, found by number, else by name and birth; made where no list has it."""
    rows = RollEntry.objects.filter(season_id=request.season_id).select_for_update()
    if request.id_number:
        held = rows.filter(id_kind=request.id_kind, id_number=request.id_number).first()
    else:
        held = rows.filter(
            id_number__isnull=True, name=request.child_name, born_on=request.born_on
        ).first()
    return held or RollEntry(
        season_id=request.season_id,
        code=new_code(),
        name=request.child_name,
        id_kind=request.id_kind,
        id_number=request.id_number,
        born_on=request.born_on,
        sex=request.sex,
        sources=["self"],
    )


def refuse(request: PathRequest, *, note: str, version: int, by: Actor) -> Move:
    """Decide against it, with the reason that the family reads."""
    move = advance(request, "refuse", by=by, version=version, note=note)
    _tell(request, _("特殊入学申请 %s 已有决定") % request.case.number)
    return move


def withdraw_path(request: PathRequest, *, version: int, by: Actor) -> Move:
    """The family takes it back."""
    if by.user is None or request.applicant_id != by.user.id:
        raise PermissionDenied("request of somebody else")
    return advance(request, "withdraw", by=by, version=version)


def _tell(request: PathRequest, title: str) -> None:
    if request.applicant_id:
        notify(
            [request.applicant_id],
            key=f"path.decided.{request.pk}",
            title=title,
            path=reverse("my_path", args=[request.case.number]),
        )

"""The quarterly score of offices: computing, showing, contests, approval, corrections.

Off unless the bureau sets workplan.score.enabled.  Points follow from records (scoring_selectors); only a
bonus or malus is entered by hand, with a reason, a document and a second person's confirmation.
"""

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import ScoreContest, ScoreEvent, ScoreLine, ScoreSheet
from xuezheng.domains.workplan.scoring_flows import SCORE_CONTEST, SCORE_SHEET
from xuezheng.domains.workplan.scoring_rules import PointKind, Rule, quarter_days, score
from xuezheng.domains.workplan.scoring_selectors import (
    Found,
    found_events,
    scored_offices,
    staff_of,
)
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused, advance, open_case
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.notices.services import notify
from xuezheng.kernel.reference.calendar import due_after
from xuezheng.kernel.reference.parameters import Setting, settings_on
from xuezheng.registry.organisations import OrganisationKind

OPEN = ("draft", "shown", "waiting")


def score_settings(bureau: Organisation) -> dict[str, Setting]:
    """Parameters workplan.score.* in force today for a bureau (one query)."""
    return settings_on(timezone.localdate(), "workplan.score", bureau.code)


def is_on(settings: dict[str, Setting]) -> bool:
    """Whether the bureau has switched scoring on."""
    return bool(int(settings["enabled"].value))


def _rules(settings: dict[str, Setting]) -> dict[str, Any]:
    """What a sheet keeps of the parameters: it is never read with later ones."""
    named = {kind: settings.get(f"points_{kind.value}") for kind in PointKind}
    return {
        "kinds": {
            kind.value: {
                "points": int(points.value) if points else 0,
                "cap": int(settings[f"cap_{kind.value}"].value),
            }
            for kind, points in named.items()
        },
        "ahead_days": int(settings["ahead_days"].value),
        "ranked": bool(int(settings["ranked"].value)),
    }


def rules_of(sheet: ScoreSheet) -> dict[str, Rule]:
    """Kind -> the rule that the sheet was computed with."""
    return {kind: Rule(r["points"], r["cap"]) for kind, r in sheet.rules["kinds"].items()}


def _refuse_when_off(settings: dict[str, Setting]) -> None:
    if not is_on(settings):
        raise StepRefused(_("本局没有启用科室季度评分。"))


def _term(clock: str, settings: dict[str, Setting], words: str) -> dict[str, Term]:
    days = int(settings[f"{'show' if clock == 'showing' else clock}_days"].value)
    return {clock: Term(due_after(timezone.localdate(), days), words % {"days": days})}


@transaction.atomic
def compute_sheet(bureau: Organisation, *, year: int, quarter: int, by: Actor) -> ScoreSheet:
    """The sheet of a quarter that has ended: made, or recomputed while it is open; a published or
    withdrawn one is returned as it is.  Repeating it changes nothing.

    Raises PermissionDenied, OutOfScope, StepRefused when scoring is off or the quarter runs on.
    """
    by.post_for(Permission.SCORE, bureau.id)
    settings = score_settings(bureau)
    _refuse_when_off(settings)
    if quarter_days(year, quarter)[1] >= timezone.localdate():
        raise StepRefused(_("这个季度还没有结束。"))
    # Two computations of one quarter wait for each other here.
    Organisation.objects.select_for_update(of=("self",)).get(id=bureau.id)
    newest = ScoreSheet.objects.filter(bureau=bureau, year=year, quarter=quarter).first()
    if newest is None:
        newest = _open(bureau, year, quarter, settings, by)
    if newest.state in OPEN:
        recompute(newest, by=by)
    return newest


def _open(
    bureau: Organisation,
    year: int,
    quarter: int,
    settings: dict[str, Setting],
    by: Actor,
    **more: Any,
) -> ScoreSheet:
    words = _("%(year)d年第%(n)d季度科室评分") % {"year": year, "n": quarter}
    row, _is_new = open_case(
        SCORE_SHEET,
        ScoreSheet,
        organisation_id=bureau.id,
        title=words,
        by=by,
        note=more.get("reason", ""),
        terms=_term("showing", settings, _("计算后%(days)d个工作日内交科室核对")),
        fields={
            "bureau": bureau,
            "year": year,
            "quarter": quarter,
            "base": int(settings["base"].value),
            "rules": _rules(settings),
            **more,
        },
    )
    return row


@transaction.atomic
def recompute(sheet: ScoreSheet, *, by: Actor) -> int:
    """Bring an open sheet in line with the records; returns how many events changed.

    A draft takes new events in.  Once shown it only loses what no longer holds (a term that was
    extended), struck out with the reason, so that no office gets points after its window.
    """
    post = by.post_for(Permission.SCORE, sheet.bureau_id)
    offices = scored_offices(sheet)
    found = {(f.office_id, f.origin): f for f in found_events(sheet, offices, rules_of(sheet))}
    lines = {line.office_id: line for line in sheet.lines.all()}
    if sheet.state == "draft":
        missing = [
            ScoreLine(sheet=sheet, office=office, order=at, total=sheet.base)
            for at, office in enumerate(offices)
            if office.id not in lines
        ]
        ScoreLine.objects.bulk_create(missing)
        lines |= {line.office_id: line for line in missing}
    kept = ScoreEvent.objects.filter(line__sheet=sheet).exclude(kind=PointKind.HAND)
    present = {(e.line.office_id, e.origin): e for e in kept.select_related("line")}
    gone = [e for key, e in present.items() if key not in found and not e.struck]
    changed = len(gone)
    if sheet.state == "draft":
        ScoreEvent.objects.filter(id__in=[e.id for e in gone]).delete()
        new = [f for key, f in found.items() if key not in present]
        ScoreEvent.objects.bulk_create(_event(lines[f.office_id], f) for f in new)
        changed += len(new)
    else:
        ScoreEvent.objects.filter(id__in=[e.id for e in gone], contest__isnull=True).update(
            struck=True, struck_reason=_("记录已更正（如期限经批准延后），这一项不再成立。")
        )
    _recount(sheet)
    if changed:
        record(
            "score_sheet.recompute",
            by=by,
            post=post,
            organisation_id=sheet.bureau_id,
            object_type="score_sheet",
            object_id=sheet.pk,
            detail={"changed": changed},
        )
    return changed


def _event(line: ScoreLine, found: Found) -> ScoreEvent:
    return ScoreEvent(
        line=line,
        kind=found.kind,
        points=found.points,
        on=found.on,
        title=found.title[:300],
        origin=found.origin,
        source_id=found.source_id,
        made_by_id=found.made_by_id,
    )


def _recount(sheet: ScoreSheet) -> None:
    rules = rules_of(sheet)
    lines = list(sheet.lines.all())
    events: dict[int, list[tuple[str, int]]] = {line.id: [] for line in lines}
    standing = ScoreEvent.objects.filter(line__sheet=sheet).standing()
    for line_id, kind, points in standing.values_list("line_id", "kind", "points"):
        events[line_id].append((kind, points))
    for line in lines:
        line.total = score(sheet.base, events[line.id], rules)
    ScoreLine.objects.bulk_update(lines, ["total"])


@transaction.atomic
def add_by_hand(
    sheet: ScoreSheet,
    *,
    office: Organisation,
    points: int,
    reason: str,
    document: UploadedFile,
    by: Actor,
) -> ScoreEvent:
    """A bonus or malus with reason and document; it counts once a second person confirms it.

    Raises PermissionDenied, OutOfScope, StepRefused (not a draft, no office of the bureau, too many
    points), ValidationError (the document).
    """
    post = by.post_for(Permission.SCORE, sheet.bureau_id)
    most = int(score_settings(sheet.bureau)["hand_most"].value)
    if _locked(sheet).state != "draft":
        raise StepRefused(_("只能在计算稿里加减分。"))
    line = sheet.lines.filter(office=office, office__kind=OrganisationKind.OFFICE).first()
    if line is None:
        raise StepRefused(_("只给教育局的科室评分，学校等单位不参加。"))
    if not reason.strip():
        raise StepRefused(_("请写明理由。"))
    if points == 0 or abs(points) > most:
        raise StepRefused(_("每次加减1到%d分。") % most)
    stored = keep(document, organisation_id=sheet.bureau_id, by=by)
    event = ScoreEvent.objects.create(
        line=line,
        kind=PointKind.HAND,
        points=points,
        on=timezone.localdate(),
        title=reason.strip()[:300],
        origin=f"hand:{stored.id}",
        document=stored,
        made_by=by.user,
    )
    record(
        "score_event.hand",
        by=by,
        post=post,
        organisation_id=office.id,
        object_type="score_event",
        object_id=event.id,
        detail={"points": points},
    )
    return event


@transaction.atomic
def confirm_by_hand(event: ScoreEvent, *, by: Actor) -> None:
    """A second person has seen the document: the points count.  Raises StepRefused for whoever
    entered them, and once the sheet is shown."""
    sheet = event.line.sheet
    post = by.post_for(Permission.SCORE_ANSWER, sheet.bureau_id)
    if not event.pending or _locked(sheet).state != "draft":
        raise StepRefused(_("这一项不在等确认。"))
    if by.user is None or by.user.id == event.made_by_id:
        raise StepRefused(_("须由另一人确认：加减分是您提出的。"))
    ScoreEvent.objects.filter(id=event.id).update(confirmed_by=by.user)
    _recount(sheet)
    record(
        "score_event.confirm",
        by=by,
        post=post,
        organisation_id=event.line.office_id,
        object_type="score_event",
        object_id=event.id,
    )


def _locked(sheet: ScoreSheet) -> ScoreSheet:
    return ScoreSheet.objects.select_for_update(of=("self",)).get(pk=sheet.pk)


@transaction.atomic
def show(sheet: ScoreSheet, *, note: str = "", version: int | None = None, by: Actor) -> Move:
    """Let each office see its own events; the window for contests begins.

    Raises StepRefused when scoring is off or something entered by hand waits for confirmation.
    """
    settings = score_settings(sheet.bureau)
    _refuse_when_off(settings)
    waiting = ScoreEvent.objects.filter(line__sheet=sheet, kind=PointKind.HAND, confirmed_by=None)
    if waiting.exists():
        raise StepRefused(_("还有手工加减分没有经另一人确认。"))
    terms = _term("contest", settings, _("科室可在%(days)d个工作日内提出异议"))
    fields = {"contest_until": terms["contest"].due}
    move = advance(sheet, "show", by=by, version=version, note=note, terms=terms, fields=fields)
    notify(
        staff_of(sheet.lines.values_list("office_id", flat=True)),
        key=f"score.{sheet.pk}.shown",
        title=_("%s评分请核对，有异议可以提出") % sheet.label,
        path=sheet.case.get_absolute_url(),
    )
    return move


@transaction.atomic
def contest(
    event: ScoreEvent, *, reason: str, evidence: Sequence[UploadedFile], by: Actor
) -> ScoreContest:
    """An office contests an event of its own, once, within the window, with reason and evidence.

    Raises PermissionDenied, OutOfScope, StepRefused.
    """
    line = event.line
    by.post_for(Permission.REPORT, line.office_id)
    sheet = _locked(line.sheet)
    if sheet.state != "shown" or sheet.contest_until < timezone.localdate():
        raise StepRefused(_("现在不在异议期内。"))
    event = ScoreEvent.objects.select_for_update(of=("self",)).get(id=event.id)
    if event.struck or ScoreContest.objects.filter(event=event).exists():
        raise StepRefused(_("这一项已剔除，或已提出过异议。"))
    if not reason.strip():
        raise StepRefused(_("请写明异议理由。"))
    if not evidence:
        raise StepRefused(_("请上传佐证材料。"))
    settings = score_settings(sheet.bureau)
    row, _is_new = open_case(
        SCORE_CONTEST,
        ScoreContest,
        organisation_id=line.office_id,
        title=_("评分异议：%s") % event.title,
        by=by,
        note=reason,
        terms=_term("answer", settings, _("提出后%(days)d个工作日内答复")),
        uploads=evidence,
        parent=sheet.case,
        fields={"event": event, "reason": reason.strip()[:1000]},
    )
    return row


def _refuse_own(row: ScoreContest, by: Actor) -> None:
    if by.user and by.user.id == row.event.made_by_id:
        raise StepRefused(_("须由另一人答复：这一项是由您办理产生的。"))


@transaction.atomic
def strike(row: ScoreContest, *, note: str, version: int | None = None, by: Actor) -> Move:
    """The contest is right: the event no longer counts; not by who caused the event."""
    _refuse_own(row, by)
    move = advance(row, "strike", by=by, version=version, note=note)
    ScoreEvent.objects.filter(id=row.event_id).update(struck=True, struck_reason=note.strip()[:500])
    _recount(row.event.line.sheet)
    return move


@transaction.atomic
def uphold(row: ScoreContest, *, note: str, version: int | None = None, by: Actor) -> Move:
    """The event stands, with a reason; not by who caused the event."""
    _refuse_own(row, by)
    return advance(row, "uphold", by=by, version=version, note=note)


def _refuse_unready(sheet: ScoreSheet) -> None:
    _refuse_when_off(score_settings(sheet.bureau))
    if sheet.contest_until is None or sheet.contest_until >= timezone.localdate():
        raise StepRefused(_("异议期还没有结束。"))
    if ScoreContest.objects.filter(event__line__sheet=sheet, state="asked").exists():
        raise StepRefused(_("还有异议没有答复。"))


@transaction.atomic
def submit(sheet: ScoreSheet, *, note: str = "", version: int | None = None, by: Actor) -> Move:
    """The window is over and every contest answered: to the director.  Raises StepRefused."""
    _locked(sheet)
    _refuse_unready(sheet)
    recompute(sheet, by=by)
    terms = _term("approval", score_settings(sheet.bureau), _("报审后%(days)d个工作日内审定"))
    return advance(sheet, "submit", by=by, version=version, note=note, terms=terms)


@transaction.atomic
def publish(sheet: ScoreSheet, *, note: str = "", version: int | None = None, by: Actor) -> Move:
    """The director approves; the bureau's staff see all offices.  Nothing of it changes afterwards."""
    _locked(sheet)
    _refuse_unready(sheet)
    fields = {"published_on": timezone.localdate()}
    move = advance(sheet, "publish", by=by, version=version, note=note, fields=fields)
    notify(
        staff_of(sheet.lines.values_list("office_id", flat=True)),
        key=f"score.{sheet.pk}.published",
        title=_("%s评分已公布") % sheet.label,
        path=sheet.case.get_absolute_url(),
    )
    return move


def refuse(sheet: ScoreSheet, *, note: str, version: int | None = None, by: Actor) -> Move:
    """The director sends the sheet back with a reason; the window is not opened again."""
    terms = {"contest": Term(sheet.contest_until, _("原异议期"))}
    return advance(sheet, "refuse", by=by, version=version, note=note, terms=terms)


def withdraw(sheet: ScoreSheet, *, note: str, version: int | None = None, by: Actor) -> Move:
    """Give an open sheet up, with a reason; also when scoring was switched off meanwhile.

    Its open contests fall with it: their events are struck, as nothing will be published.
    """
    with transaction.atomic():
        for row in ScoreContest.objects.filter(event__line__sheet=sheet, state="asked"):
            words = _("本季评分已撤回。")
            advance(row, "strike", note=words, by=by)
            ScoreEvent.objects.filter(id=row.event_id).update(struck=True, struck_reason=words)
        return advance(sheet, "withdraw", by=by, version=version, note=note)


@transaction.atomic
def correct(sheet: ScoreSheet, *, reason: str, by: Actor) -> ScoreSheet:
    """A new version of a published (or withdrawn) sheet, with a reason; the old one stays as it was.

    What was struck out or entered by hand is taken over.  Raises PermissionDenied, OutOfScope,
    StepRefused when scoring is off or the sheet is not the newest version.
    """
    by.post_for(Permission.SCORE, sheet.bureau_id)
    settings = score_settings(sheet.bureau)
    _refuse_when_off(settings)
    if sheet.state in OPEN or ScoreSheet.objects.filter(replaces=sheet).exists():
        raise StepRefused(_("只能更正已公布或已撤回的最新一版。"))
    if not reason.strip():
        raise StepRefused(_("请写明更正理由。"))
    new = _open(
        sheet.bureau,
        sheet.year,
        sheet.quarter,
        settings,
        by,
        version=sheet.version + 1,
        replaces=sheet,
        reason=reason.strip()[:300],
    )
    recompute(new, by=by)
    _take_over(sheet, new)
    return new


def _take_over(old: ScoreSheet, new: ScoreSheet) -> None:
    lines = {line.office_id: line for line in new.lines.all()}
    for event in ScoreEvent.objects.filter(line__sheet=old).select_related("line"):
        line = lines.get(event.line.office_id)
        if line is None:
            continue
        if event.kind == PointKind.HAND:
            event.pk, event.line = None, line
            event.save(force_insert=True)
        elif event.struck:
            ScoreEvent.objects.filter(line=line, origin=event.origin).update(
                struck=True, struck_reason=event.struck_reason
            )
    _recount(new)

"""Two quarters of the offices' score: one published after a contest, one still in its window."""

import datetime as dt
import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from PIL import Image, ImageDraw

from xuezheng.domains.workplan.models import Plan, ScoreContest, ScoreEvent, ScoreSheet
from xuezheng.domains.workplan.scoring_rules import quarter_before, quarter_days
from xuezheng.domains.workplan.services import scoring
from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import Post, User
from xuezheng.kernel.cases.models import Case, CaseClock, Move
from xuezheng.kernel.reference.models import Certainty, Parameter

ON = "workplan.score.enabled"
#: Days after the end of a quarter on which its published sheet was told.
AFTER = 9
REASON = "材料按期交到办公室，因系统更换当日未能登记，附签收照片。"
ANSWER = "签收记录属实，这一项剔除。"


def load_scores(plan: Plan, people: dict[str, User], today: dt.date) -> None:
    """Through the services, as office, plan office and director would; then put back in time."""
    officer, director = StaffActor(people["plan"]), StaffActor(people["director"])
    bureau = plan.organisation
    shipped = Parameter.objects.get(key=ON, owner="")
    Parameter.objects.create(
        key=ON, owner=bureau.code, value=1, label=shipped.label, label_en=shipped.label_en,
        valid_from=dt.date(today.year - 1, 1, 1), source="局务会决定试行", certainty=Certainty.LOCAL,
        reason="先试行一年，只对机关科室",
    )  # fmt: skip
    last = quarter_before(today)
    earlier = quarter_before(quarter_days(*last)[0])
    for (year, quarter), published in ((earlier, True), (last, False)):
        sheet = scoring.compute_sheet(bureau, year=year, quarter=quarter, by=officer)
        scoring.show(sheet, version=sheet.case.version, by=officer)
        row = _contest(sheet)
        if not published:
            continue
        if row:
            scoring.strike(row, note=ANSWER, by=director)
        # Its window is over: all of it happened after the quarter's end.
        end = quarter_days(year, quarter)[1]
        _put_back(sheet, (today - end).days - AFTER)
        sheet = ScoreSheet.objects.get(pk=sheet.pk)
        scoring.submit(sheet, by=officer)
        sheet.refresh_from_db()
        scoring.publish(sheet, by=director)
        _put_back(sheet, (today - end).days - 2 * AFTER, only=("submit", "publish"))


def _contest(sheet: ScoreSheet) -> ScoreContest | None:
    """The head of an office contests its first event that took points, if there is one."""
    events = ScoreEvent.objects.filter(line__sheet=sheet, points__lt=0).order_by("id")
    for event in events.select_related("line__sheet"):
        head = Post.objects.filter(organisation=event.line.office_id, role="office_head").first()
        if head:
            return scoring.contest(
                event, reason=REASON, evidence=[_photo()], by=StaffActor(head.user)
            )
    return None


def _put_back(sheet: ScoreSheet, days: int, only: tuple[str, ...] = ()) -> None:
    back = dt.timedelta(days=max(days, 0))
    cases = [sheet.pk, *Case.objects.filter(parent=sheet.pk).values_list("id", flat=True)]
    moves = Move.objects.filter(case__in=cases)
    if only:
        moves.filter(step__in=only).update(at=F("at") - back)
        Case.objects.filter(id=sheet.pk).update(closed_at=F("closed_at") - back)
        CaseClock.objects.filter(case=sheet.pk, kind="approval").update(**_earlier(back))
        ScoreSheet.objects.filter(pk=sheet.pk).update(published_on=F("published_on") - back)
        return
    moves.update(at=F("at") - back)
    Case.objects.filter(id__in=cases).update(
        opened_at=F("opened_at") - back, closed_at=F("closed_at") - back, due=F("due") - back
    )
    CaseClock.objects.filter(case__in=cases).update(**_earlier(back))
    ScoreSheet.objects.filter(pk=sheet.pk).update(contest_until=F("contest_until") - back)


def _earlier(back: dt.timedelta) -> dict[str, Any]:
    return {name: F(name) - back for name in ("started", "due", "stopped")}


def _photo() -> SimpleUploadedFile:
    picture = Image.new("RGB", (480, 320), (244, 240, 230))
    ImageDraw.Draw(picture).text((30, 30), "SAMPLE - receipt, invented", fill=(150, 60, 50))
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return SimpleUploadedFile("receipt.jpg", out.getvalue(), content_type="image/jpeg")

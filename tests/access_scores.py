"""The access matrix of quarterly scores: one draft and one sheet that offices check, with a contest."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.workplan.models import ScoreEvent, ScoreSheet
from xuezheng.domains.workplan.scoring_rules import quarter_before, quarter_days
from xuezheng.domains.workplan.services import scoring
from xuezheng.kernel.reference.models import Certainty, Parameter

PLAN_OFFICE = frozenset({"plan"})
KEEPS = PLAN_OFFICE | {"director", "deputy"}
OFFICE, NEIGHBOUR = frozenset({"base"}), frozenset({"safety_office"})
#: Whoever sees plans, but a sheet only once it is published.
LATER = frozenset({"safety", "safety_head", "inspector", "auditor", "statistician"})
TABLES = (
    "workplan_scoresheet", "workplan_scoreline", "workplan_scoreevent", "workplan_scorecontest",
)  # fmt: skip


def scores_world(district: District) -> dict[str, Any]:
    """Last quarter's sheet shown and contested, the one before it a draft with points to confirm."""
    Parameter.objects.create(
        key="workplan.score.enabled",
        owner="B",
        value=1,
        label="x",
        label_en="x",
        valid_from=dt.date(2020, 1, 2),
        source="x",
        certainty=Certainty.LOCAL,
        reason="x",
    )
    year, quarter = quarter_before(timezone.localdate())
    earlier = quarter_before(quarter_days(year, quarter)[0])
    by, bureau = district.actor("plan"), district.orgs["B"]

    def sheet(when: tuple[int, int]) -> tuple[ScoreSheet, list[ScoreEvent]]:
        made = scoring.compute_sheet(bureau, year=when[0], quarter=when[1], by=by)
        events = [
            scoring.add_by_hand(
                made,
                office=district.orgs["B-BASE"],
                points=1,
                reason="x",
                document=SimpleUploadedFile("x.pdf", b"%PDF-1.7 x", "application/pdf"),
                by=by,
            )
            for _n in range(2)
        ]
        return ScoreSheet.objects.select_related("case", "bureau").get(pk=made.pk), events

    draft, waiting = sheet(earlier)
    shown, events = sheet((year, quarter))
    for event in events:
        scoring.confirm_by_hand(event, by=district.actor("deputy"))
    scoring.show(shown, by=by)
    event = ScoreEvent.objects.select_related("line__sheet__bureau").get(id=events[0].id)
    contest = scoring.contest(event, reason="x", evidence=[photo()], by=district.actor("base"))
    return {
        "score_draft": draft.case.number,
        "score_waiting": waiting[0].id,
        "score_shown": shown.case.number,
        "score_line": event.line_id,
        "score_event": events[1].id,
        "score_contest": contest.case.number,
        "score_contest_file": str(contest.case.attachments.get().file_id),
    }


def scores_addresses(ids: dict[str, Any], address: Callable) -> list:
    """The entries of the matrix."""
    draft, shown, contest = (ids["score_draft"],), (ids["score_shown"],), (ids["score_contest"],)
    event = (*shown, ids["score_event"])
    both, others = KEEPS | OFFICE, NEIGHBOUR | LATER
    exports = frozenset({"safety_head", "auditor"})
    return [
        address("score_list", may=KEEPS | OFFICE | NEIGHBOUR | LATER),
        address("score_detail", draft, KEEPS, OFFICE | others),
        address("score_detail", shown, both | NEIGHBOUR, LATER),
        address("score_office", (*shown, ids["score_line"]), both, others),
        address("score_excel", shown, both | NEIGHBOUR, exports),
        address("score_word", shown, both | NEIGHBOUR, exports),
        address("score_document", event, both, others),
        address("score_hand", draft, PLAN_OFFICE),
        address("score_correct", draft, PLAN_OFFICE),
        address("score_contest", event, OFFICE, NEIGHBOUR),
        address("score_contest_detail", contest, both, NEIGHBOUR),
        address("score_contest_file", (*contest, ids["score_contest_file"]), both, NEIGHBOUR),
        address("score_confirm", (*draft, ids["score_waiting"]), KEEPS, post=True),
        address(
            "score_contest_step",
            (*contest, "uphold"),
            KEEPS,
            data={"version": 1, "note": "x"},
            post=True,
        ),
        address(
            "score_step",
            (*draft, "withdraw"),
            PLAN_OFFICE,
            data={"version": 1, "note": "x"},
            post=True,
        ),
    ]

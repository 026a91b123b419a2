"""The access matrix of supervision: sheets, sources, recurring reports, issued documents, drafts."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.workplan.models import (
    Draft,
    Milestone,
    Plan,
    RecurringReport,
    SourceKind,
    Supervision,
)
from xuezheng.domains.workplan.rules import Every, Level
from xuezheng.domains.workplan.services import drafting, recurring, sources, supervising
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.reference.calendar import due_after

PLAN_OFFICE = frozenset({"plan"})
LEADERS = frozenset({"director", "deputy"})
#: Whoever sees plans in the whole bureau.
BUREAU = PLAN_OFFICE | LEADERS | {"safety", "safety_head", "inspector", "auditor", "statistician"}
OFFICE = frozenset({"base"})
NEIGHBOUR = frozenset({"safety_office"})
SEES = BUREAU | OFFICE | NEIGHBOUR
TABLES = (
    "workplan_supervision", "workplan_source", "workplan_source_commitments",
    "workplan_recurringreport", "workplan_reportturn", "workplan_issueddocument",
    "workplan_documentreview", "workplan_draft",
)  # fmt: skip
#: With own tests, because they need a basis or work only once: workplan/tests/test_sources.py and
#: test_supervising.py.
ELSEWHERE = {
    "source_read", "source_take_over", "document_register", "supervision_add", "plan_carry_over",
    "report_turn_file",
}  # fmt: skip


def supervision_world(district: District, plan: Plan) -> dict[str, Any]:
    """Sheets in two states, a source with a file, a turn, an issued document in review, a draft."""
    by, today = district.actor("plan"), timezone.localdate()
    row = plan.commitments.select_related("lead_office", "plan__organisation").get(code="1.2-01")

    def sheet() -> Supervision:
        made = supervising.propose(
            issuer=plan.organisation,
            office=row.lead_office,
            title="x",
            note="x",
            commitment=row,
            by=by,
        )
        supervising.issue(made, demand="x", due_on=due_after(today, 9), level=Level.OFFICE, by=by)
        return Supervision.objects.select_related("case", "issuer", "commitment").get(pk=made.pk)

    first, second = sheet(), sheet()
    office = district.actor("base")
    supervising.sign(second, version=second.case.version, by=office)
    second = Supervision.objects.select_related("case", "issuer").get(pk=second.pk)
    supervising.reply(second, note="x", evidence=[photo()], version=second.case.version, by=office)
    pdf = SimpleUploadedFile("x.pdf", b"%PDF-1.7 x", content_type="application/pdf")
    source = sources.register_source(
        organisation=plan.organisation,
        kind=SourceKind.DOCUMENT,
        title="x",
        dated_on=today,
        file=keep(pdf, organisation_id=plan.organisation_id, by=by),
        by=by,
    )
    spoken = sources.write_note(
        organisation=plan.organisation,
        text="",
        commitments=[row],
        voice=SimpleUploadedFile("x", b"OggS-x"),
        by=district.actor("director"),
    )
    report = recurring.set_recurring(
        organisation=plan.organisation,
        title="x",
        receiver="x",
        office=row.lead_office,
        every=Every.YEAR,
        month=1,
        day=1,
        by=by,
    )
    turn = recurring.open_turn(report, today, by=JobActor("tests"))
    issuing = Milestone.objects.select_related("case").get(commitment=row, role="issued")
    pdf.seek(0)
    recurring.register_document(
        issuing,
        number="x",
        issued_on=today,
        file=pdf,
        review_on=today + dt.timedelta(days=1),
        version=issuing.case.version,
        by=office,
    )
    recurring.remind_reviews(plan.organisation, today, by=JobActor("tests"))
    draft = drafting.make_draft(plan, kind=Draft.Kind.BULLETIN, begins=today, ends=today, by=by)
    return {
        "supervision": first.case.number,
        "answered": second.case.number,
        "answer_file": str(second.case.attachments.get().file_id),
        "work_source": source.id,
        "spoken": spoken.id,
        "recurring": RecurringReport.objects.get(id=report.id).id,
        "report_turn": turn.case.number,
        "issuing": issuing.case.number,
        "document_review": issuing.document.reviews.get().case.number,
        "desk_draft": draft.id,
    }


def supervision_addresses(plan: int, ids: dict[str, Any], address: Callable) -> list:
    """The entries of the matrix."""
    reads = SEES - NEIGHBOUR

    def sheet(name: str, *more: Any, key: str = "supervision") -> Any:
        return address(name, (ids[key], *more), reads, NEIGHBOUR)

    turn, review = (ids["report_turn"],), (ids["document_review"],)
    doc = (plan, "1.2-01")
    return [
        address("supervision_list", may=SEES),
        sheet("supervision_detail"),
        sheet("supervision_sheet"),
        sheet("supervision_word"),
        sheet("supervision_file", ids["answer_file"], key="answered"),
        address("plan_week", (plan,), SEES),
        address("source_list", may=SEES),
        address("source_add", may=PLAN_OFFICE),
        address("source_detail", (ids["work_source"],), SEES),
        address("source_file", (ids["work_source"],), SEES),
        address("recurring_list", may=SEES),
        address("recurring_add", may=PLAN_OFFICE),
        address("recurring_edit", (ids["recurring"],), PLAN_OFFICE),
        address("report_turn_detail", turn, SEES),
        address("document_slip", (ids["issuing"],), SEES),
        address("document_file", (ids["issuing"],), SEES),
        address("document_review_detail", review, SEES),
        address("draft_list", may=PLAN_OFFICE | LEADERS),
        address("draft_make", may=PLAN_OFFICE),
        address("draft_detail", (ids["desk_draft"],), PLAN_OFFICE | LEADERS),
        address("draft_file", (ids["desk_draft"],), PLAN_OFFICE | LEADERS),
        address("supervision_urge", (ids["supervision"],), PLAN_OFFICE | LEADERS, post=True),
        address(
            "supervision_step",
            (ids["supervision"], "sign"),
            OFFICE,
            NEIGHBOUR,
            data={"version": 2},
            post=True,
        ),
        address("source_note", (ids["work_source"],), LEADERS, data={"text": "x"}, post=True),
        address("source_write_down", (ids["spoken"],), PLAN_OFFICE, data={"text": "x"}, post=True),
        address("commitment_note", doc, LEADERS, data={"text": "x"}, post=True),
        address("source_link", (ids["work_source"],), PLAN_OFFICE, post=True),
        address("report_turn_urge", turn, PLAN_OFFICE | LEADERS, post=True),
        address(
            "report_turn_step",
            (*turn, "send"),
            OFFICE,
            data={"version": 1, "receipt": "x"},
            post=True,
        ),
        address(
            "document_review_step",
            (*review, "conclude"),
            OFFICE,
            data={"version": 1, "outcome": "repeal", "note": "x"},
            post=True,
        ),
    ]

"""Sources and minutes, leaders' notes, carrying over, recurring reports, issued documents."""

import datetime as dt
import io

import docx
import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import District
from xuezheng.domains.workplan.models import (
    Commitment,
    DocumentReview,
    IssuedDocument,
    Milestone,
    Plan,
    RecurringReport,
    ReportTurn,
    Source,
    SourceKind,
)
from xuezheng.domains.workplan.rules import Every, Kind
from xuezheng.domains.workplan.services import adopting, recurring, reviewing, sources
from xuezheng.domains.workplan.services.carrying_over import carry_over
from xuezheng.domains.workplan.tests.test_services import adopted, owed, plan
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.cases.service import StepRefused

pytestmark = pytest.mark.usefixtures("files_dir")
__all__ = ["plan"]
MINUTES = "一、会议议定事项\n1.校车安全。9月底前完成全部校车检查。\n2.食堂。制定食堂管理办法。"


def register(district: District, kind: SourceKind = SourceKind.DOCUMENT, **more: object) -> Source:
    values = {"title": "校车专题会", "text": MINUTES, "number": "局务会〔2026〕9号"} | more
    return sources.register_source(
        organisation=district.orgs["B"],
        kind=kind,
        dated_on=timezone.localdate(),
        by=district.actor("plan"),
        **values,
    )


def client_of(district: District, who: str) -> Client:
    client = Client()
    client.force_login(district.users[who])
    return client


def test_a_source_keeps_its_original_and_may_be_answered_by_several(
    district: District, plan: Plan
) -> None:
    rows = list(adopted(district, plan).commitments.select_related("plan"))
    document, promise = register(district), register(district, SourceKind.PROPOSAL)
    by = district.actor("plan")
    sources.link(document, commitments=rows[:2], by=by)
    sources.link(promise, commitments=rows[:1], by=by)
    assert {source.kind for source in rows[0].sources.all()} == {"document", "proposal"}
    assert document.commitments.count() == 2
    assert document.text == MINUTES
    with pytest.raises(StepRefused, match="原文"):
        register(district, text="")
    with pytest.raises(PermissionDenied):
        sources.link(document, commitments=[], by=district.actor("base"))


def test_minutes_become_tasks_of_the_plan(district: District, plan: Plan) -> None:
    year_plan = adopted(district, plan)
    source = register(district, SourceKind.MINUTES)
    by = district.actor("plan")
    draft = sources.read_minutes(source, by=by)
    assert draft.in_review
    assert draft.commitments.count() >= 2
    with pytest.raises(StepRefused, match="识别过"):
        sources.read_minutes(source, by=by)
    with pytest.raises(StepRefused, match="来源页"):
        adopting.adopt_plan(draft, meeting_number="1", by=by)

    def take() -> list[Commitment]:
        return sources.take_over(
            Source.objects.get(id=source.id), reason="专题会议定", meeting_number="9", by=by
        )

    with pytest.raises(StepRefused, match="未核"):
        take()
    for item in draft.review_items.all():
        reviewing.resolve_item(item, resolution="x", by=by)
    struck, *kept = draft.commitments.order_by("-order")
    for row in (struck, *kept):
        reviewing.edit_commitment(
            row,
            version=row.version,
            lead_office=district.orgs["B-BASE"],
            start_on=timezone.localdate(),
            due_on=timezone.localdate() + dt.timedelta(days=60),
            by=by,
        )
    first = Commitment.objects.get(id=kept[0].id)
    reviewing.propose_milestones(first, by=by)
    reviewing.withdraw_commitment(Commitment.objects.get(id=struck.id), by=by)
    taken = take()
    assert {row.id for row in taken} == {row.id for row in kept}
    assert not Plan.objects.filter(id=draft.id).exists()
    assert set(source.commitments.all()) == set(taken)
    assert all(
        row.plan_id == year_plan.id
        for row in Commitment.objects.filter(id__in=source.commitments.values("id"))
    )
    assert set(Milestone.objects.filter(commitment=first).values_list("state", flat=True)) == {
        "planned"
    }
    assert year_plan.versions.first().meeting_number == "9"
    assert Source.objects.get(id=source.id).text == MINUTES
    page = client_of(district, "plan").get(reverse("source_detail", args=[source.id]))
    assert taken[0].title in page.text


def test_a_leader_writes_on_a_document_and_on_a_task(district: District, plan: Plan) -> None:
    row = adopted(district, plan).commitments.select_related("plan").first()
    document = register(district)
    sources.link(document, commitments=[row], by=district.actor("plan"))
    deputy = client_of(district, "deputy")
    address = reverse("source_note", args=[document.id])
    assert deputy.post(address, {"text": ""}).status_code == 422
    assert deputy.post(address, {"text": "请月底前报方案"}).status_code == 302
    note = Source.objects.get(kind="note")
    assert (note.parent, note.noted_by) == (document, district.users["deputy"])
    assert list(note.commitments.all()) == [row]
    deputy.post(reverse("commitment_note", args=[row.plan_id, row.code]), {"text": "抓紧"})
    assert Source.objects.filter(kind="note").count() == 2
    assert "抓紧" in deputy.get(row.get_absolute_url()).text
    assert client_of(district, "base").post(address, {"text": "x"}).status_code == 403
    with pytest.raises(StepRefused, match="本人"):
        register(district, SourceKind.NOTE)


def test_open_tasks_carry_over_once_with_their_origin(district: District, plan: Plan) -> None:
    year_plan = adopted(district, plan)
    by = district.actor("plan")
    done = year_plan.commitments.get(kind=Kind.STANDING)
    Commitment.objects.filter(id=done.id).update(accepted_on=timezone.localdate())
    draft, count = carry_over(year_plan, by=by)
    assert (draft.year, count) == (year_plan.year + 1, year_plan.commitments.count() - 1)
    gap = year_plan.commitments.get(code="1.1-01")
    copy = draft.commitments.get(carried_from=gap)
    assert (copy.lead_office, copy.due_on) == (gap.lead_office, None)
    assert copy.targets.get().indicator == "hazard_rectified_in_time"
    assert [s.organisation.code for s in copy.supports.all()] == ["B-BASE"]
    assert draft.review_items.count() == count
    assert not adopting.readiness(draft).ready
    with pytest.raises(StepRefused, match="没有未完成"):
        carry_over(year_plan, by=by)
    reviewing.withdraw_commitment(copy, by=by)
    again, added = carry_over(year_plan, by=by)
    assert (again, added) == (draft, 1)
    with pytest.raises(PermissionDenied):
        carry_over(year_plan, by=district.actor("deputy"))


def calendar_row(district: District, **more: object) -> RecurringReport:
    today = timezone.localdate()
    values = {"every": Every.MONTH, "month": 1, "day": today.day, "title": "月报"} | more
    return recurring.set_recurring(
        organisation=district.orgs["B"],
        receiver="市教育局",
        office=district.orgs["B-BASE"],
        by=district.actor("plan"),
        **values,
    )


def test_recurring_reports_enter_the_inbox_and_are_sent(district: District) -> None:
    report = calendar_row(district)
    by, today = JobActor("tests"), timezone.localdate()
    assert recurring.remind_reports(district.orgs["B"], today, by=by) == 1
    assert recurring.remind_reports(district.orgs["B"], today, by=by) == 0
    turn = ReportTurn.objects.select_related("case").get()
    assert turn.due_on == today
    assert owed(district, "base") == ["report_turn"]
    with pytest.raises(StepRefused, match="回执"):
        recurring.send_report(turn, version=1, by=district.actor("base"))
    number = turn.case.number
    assert (
        client_of(district, "plan").post(reverse("report_turn_urge", args=[number])).status_code
        == 302
    )
    base = client_of(district, "base")
    turn.case.refresh_from_db()
    answer = base.post(
        reverse("report_turn_step", args=[number, "send"]),
        {"version": turn.case.version, "receipt": "市收〔1〕号", "files": [pdf()]},
    )
    assert answer.status_code == 302
    sent = turn.case.attachments.get().file_id
    file = reverse("report_turn_file", args=[number, sent])
    assert b"".join(base.get(file).streaming_content)
    assert client_of(district, "head1").get(file).status_code == 403
    turn.refresh_from_db()
    assert (turn.state, turn.sent_on, turn.receipt) == ("sent", today, "市收〔1〕号")
    page = base.get(reverse("recurring_list"))
    assert "市收〔1〕号" in page.text
    assert page.context["page"].paginator.count == 12
    recurring.set_recurring(
        report=report,
        organisation=report.organisation,
        title="月报",
        receiver="市教育局",
        office=report.office,
        every=Every.MONTH,
        month=1,
        day=report.day,
        ended_on=today - dt.timedelta(days=1),
        by=district.actor("plan"),
    )
    report.turns.all().delete()
    assert recurring.remind_reports(district.orgs["B"], today, by=by) == 0


def pdf() -> SimpleUploadedFile:
    return SimpleUploadedFile("issued.pdf", b"%PDF-1.7 x", content_type="application/pdf")


def test_an_issued_document_comes_back_and_is_watched(district: District, plan: Plan) -> None:
    document = adopted(district, plan).commitments.get(kind=Kind.DOCUMENT)
    issuing = document.milestones.select_related("case").get(role="issued")
    number = issuing.case.number
    base = client_of(district, "base")
    slip = base.get(reverse("document_slip", args=[number]))
    cells = [c.text for c in docx.Document(io.BytesIO(slip.content)).tables[0].columns[1].cells]
    assert document.wording in cells
    assert "登记印发文件" in base.get(reverse("milestone_detail", args=[number])).text
    today = timezone.localdate()
    data = {
        "number": "屿教〔2026〕8号",
        "issued_on": today.isoformat(),
        "review_on": today.isoformat(),
        "version": issuing.case.version,
    }
    address = reverse("document_register", args=[number])
    assert base.post(address, data | {"file": pdf()}).status_code == 422
    review_on = today + dt.timedelta(days=30)
    data["review_on"] = review_on.isoformat()
    assert base.post(address, data | {"file": pdf()}).status_code == 302
    issuing.refresh_from_db()
    assert (issuing.state, issuing.reference) == ("reported", "屿教〔2026〕8号")
    answer = base.get(reverse("document_file", args=[number]))
    assert b"".join(answer.streaming_content).startswith(b"%PDF")
    by, bureau = JobActor("tests"), district.orgs["B"]
    assert recurring.remind_reviews(bureau, today - dt.timedelta(days=1), by=by) == 0
    assert recurring.remind_reviews(bureau, today, by=by) == 1
    assert recurring.remind_reviews(bureau, today, by=by) == 0
    review = DocumentReview.objects.select_related("case", "document").get()
    assert "document_review" in owed(district, "base")
    values = {"note": "x", "version": review.case.version, "by": district.actor("base")}
    with pytest.raises(StepRefused, match="下次"):
        recurring.conclude_review(review, outcome=DocumentReview.Outcome.KEEP, **values)
    step = reverse("document_review_step", args=[review.case.number, "conclude"])
    answer = base.post(
        step, {"version": review.case.version, "outcome": "repeal", "note": "已替代"}
    )
    assert answer.status_code == 302
    assert IssuedDocument.objects.get().repealed_on == today
    assert recurring.remind_reviews(bureau, today + dt.timedelta(days=99), by=by) == 0


def test_pages_of_sources_and_calendar(district: District, plan: Plan) -> None:
    year_plan = adopted(district, plan)
    office = client_of(district, "plan")
    today = timezone.localdate().isoformat()
    data = {"kind": "minutes", "title": "专题会", "dated_on": today, "text": MINUTES}
    assert office.post(reverse("source_add"), data | {"text": ""}).status_code == 422
    assert office.post(reverse("source_add"), data).status_code == 302
    source = Source.objects.get()
    answer = office.post(reverse("source_read", args=[source.id]))
    draft = Source.objects.get().draft
    assert answer.url == reverse("plan_review", args=[draft.id])
    assert reverse("source_detail", args=[source.id]) in office.get(answer.url).text
    take = reverse("source_take_over", args=[source.id])
    assert office.post(take, {"reason": "x", "meeting_number": "1"}).status_code == 422
    row = year_plan.commitments.first()
    link = reverse("source_link", args=[source.id])
    assert office.post(link, {"commitments": [row.id]}).status_code == 302
    assert "专题会" in office.get(row.get_absolute_url()).text
    assert "专题会" in office.get(reverse("source_list") + "?answered=yes&kind=minutes").text
    assert office.get(reverse("source_list") + "?export=xlsx").status_code == 200
    form = {
        "title": "季报",
        "receiver": "省厅",
        "office": district.orgs["B-BASE"].id,
        "every": "quarter",
        "month": 3,
        "day": 32,
    }
    assert office.post(reverse("recurring_add"), form).status_code == 422
    assert office.post(reverse("recurring_add"), form | {"day": 20}).status_code == 302
    report = RecurringReport.objects.get()
    edit = reverse("recurring_edit", args=[report.id])
    assert office.post(edit, form | {"day": 25}).status_code == 302
    report.refresh_from_db()
    assert report.day == 25
    carry = reverse("plan_carry_over", args=[year_plan.id])
    assert office.post(carry).status_code == 302
    assert Plan.objects.filter(year=year_plan.year + 1).count() == 1

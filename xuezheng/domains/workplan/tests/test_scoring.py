"""Quarterly scores: rules with boundary days, contests, publication, switching off, schools."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.workplan import jobs
from xuezheng.domains.workplan.models import (
    Commitment,
    Milestone,
    Plan,
    ScoreContest,
    ScoreEvent,
    ScoreLine,
    ScoreSheet,
)
from xuezheng.domains.workplan.scoring_rules import (
    Rule,
    is_ahead,
    is_late,
    quarter_before,
    quarter_days,
    score,
)
from xuezheng.domains.workplan.scoring_selectors import scored_offices
from xuezheng.domains.workplan.services import scoring
from xuezheng.domains.workplan.tests.test_rounds import live, plan  # noqa: F401
from xuezheng.kernel.access.actors import JobActor, OutOfScope
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.notices.models import Notice
from xuezheng.kernel.reference.models import Certainty, Parameter

# ruff: noqa: F811
pytestmark = pytest.mark.usefixtures("files_dir")
JOB = JobActor("tests")


def set_parameter(name: str, value: int) -> None:
    Parameter.objects.filter(key=f"workplan.score.{name}", owner="B").delete()
    Parameter.objects.create(
        key=f"workplan.score.{name}",
        owner="B",
        value=value,
        label="x",
        label_en="x",
        valid_from=dt.date(2020, 1, 2),
        source="x",
        certainty=Certainty.LOCAL,
        reason="x",
    )


@pytest.mark.parametrize(
    ("year", "quarter", "first", "last"),
    [
        (2026, 1, "2026-01-01", "2026-03-31"),
        (2026, 2, "2026-04-01", "2026-06-30"),
        (2026, 3, "2026-07-01", "2026-09-30"),
        (2026, 4, "2026-10-01", "2026-12-31"),
    ],
)
def test_quarters(year: int, quarter: int, first: str, last: str) -> None:
    days = quarter_days(year, quarter)
    assert [day.isoformat() for day in days] == [first, last]
    assert quarter_before(days[1] + dt.timedelta(days=1)) == (year, quarter)
    assert quarter_before(days[1]) != (year, quarter)


DUE = dt.date(2026, 9, 30)


@pytest.mark.parametrize(
    ("done", "late"), [(None, True), (-1, False), (0, False), (1, True), (30, True)]
)
def test_late_from_the_day_after(done: int | None, late: bool) -> None:
    day = None if done is None else DUE + dt.timedelta(days=done)
    assert is_late(DUE, day) is late


@pytest.mark.parametrize(("days", "ahead"), [(0, False), (4, False), (5, True), (6, True)])
def test_ahead_by_five_days(days: int, ahead: bool) -> None:
    assert is_ahead(DUE, DUE - dt.timedelta(days=days), 5) is ahead


@pytest.mark.parametrize(
    ("events", "total"),
    [
        ([], 100),
        ([("a", -2)], 98),
        ([("a", -2)] * 5, 90),
        ([("a", -2)] * 6, 90),
        ([("b", 1)] * 4, 103),
        ([("a", -2)] * 9 + [("b", 1)] * 2, 92),
    ],
)
def test_points_add_up_to_a_cap(events: list, total: int) -> None:
    assert score(100, events, {"a": Rule(-2, 10), "b": Rule(1, 3)}) == total


@pytest.fixture
def quarter(district: District, live: Plan) -> tuple[int, int]:
    """Last quarter, scoring on, the plan being that year's, two milestones due on its last day."""
    set_parameter("enabled", 1)
    year, number = quarter_before(timezone.localdate())
    Plan.objects.filter(id=live.id).update(year=year)
    last = quarter_days(year, number)[1]
    rows = list(
        Milestone.objects.filter(case__organisation=district.orgs["B-BASE"]).order_by("pk")[:4]
    )
    Milestone.objects.exclude(pk__in=[r.pk for r in rows]).update(
        due_on=last + dt.timedelta(days=400)
    )
    for row, due, done in zip(rows, (0, 0, 0, 1), (None, 0, 1, None), strict=True):
        Milestone.objects.filter(pk=row.pk).update(
            due_on=last + dt.timedelta(days=due),
            done_on=None if done is None else last + dt.timedelta(days=done),
            state="planned" if done is None else "accepted",
        )
    return year, number


def compute(district: District, quarter: tuple[int, int]) -> ScoreSheet:
    sheet = scoring.compute_sheet(
        district.orgs["B"], year=quarter[0], quarter=quarter[1], by=district.actor("plan")
    )
    return fresh(sheet)


def fresh(sheet: ScoreSheet) -> ScoreSheet:
    return ScoreSheet.objects.select_related("case", "bureau").get(pk=sheet.pk)


def total(sheet: ScoreSheet, code: str = "B-BASE") -> int:
    return ScoreLine.objects.get(sheet=sheet, office__code=code).total


def shown(district: District, quarter: tuple[int, int]) -> ScoreSheet:
    sheet = compute(district, quarter)
    scoring.show(sheet, by=district.actor("plan"))
    return fresh(sheet)


def end_window(sheet: ScoreSheet) -> ScoreSheet:
    past = timezone.localdate() - dt.timedelta(days=1)
    ScoreSheet.objects.filter(pk=sheet.pk).update(contest_until=past)
    return fresh(sheet)


def published(district: District, sheet: ScoreSheet) -> ScoreSheet:
    scoring.submit(end_window(sheet), by=district.actor("plan"))
    scoring.publish(fresh(sheet), by=district.actor("director"))
    return fresh(sheet)


def test_off_by_default(district: District, live: Plan) -> None:
    year, number = quarter_before(timezone.localdate())
    with pytest.raises(StepRefused, match="没有启用"):
        scoring.compute_sheet(
            district.orgs["B"], year=year, quarter=number, by=district.actor("plan")
        )
    jobs.scores(0)
    assert not ScoreSheet.objects.exists()


def test_switched_off_again_nothing_goes_on(district: District, quarter: tuple[int, int]) -> None:
    sheet = compute(district, quarter)
    set_parameter("enabled", 0)
    with pytest.raises(StepRefused, match="没有启用"):
        scoring.show(sheet, by=district.actor("plan"))
    scoring.withdraw(sheet, note="不再评分", by=district.actor("plan"))
    assert fresh(sheet).state == "withdrawn"


def test_computed_from_records_with_boundary_days(
    district: District, quarter: tuple[int, int]
) -> None:
    sheet = compute(district, quarter)
    events = ScoreEvent.objects.filter(line__sheet=sheet)
    assert [(e.kind, e.points) for e in events] == [("milestone_late", -2)] * 2
    assert total(sheet) == 96
    assert total(sheet, "B-SAFE") == 100
    assert all(e.source.get_absolute_url() for e in events), "every point opens on its record"


def test_replay_is_equal_and_the_job_repeats_nothing(
    district: District, quarter: tuple[int, int]
) -> None:
    sheet = compute(district, quarter)
    before = sorted(ScoreEvent.objects.values_list("id", "origin", "points"))
    jobs.scores(0)
    assert ScoreSheet.objects.count() == 1
    assert sorted(ScoreEvent.objects.values_list("id", "origin", "points")) == before
    assert scoring.recompute(sheet, by=JOB) == 0
    ScoreEvent.objects.all().delete()
    scoring.recompute(sheet, by=JOB)
    assert sorted(ScoreEvent.objects.values_list("origin", "points")) == [
        b[1:] for b in sorted(before, key=lambda row: row[1:])
    ]


def test_a_term_extended_afterwards_takes_the_event_away(
    district: District, quarter: tuple[int, int]
) -> None:
    sheet = shown(district, quarter)
    event = ScoreEvent.objects.filter(source__milestone__done_on__isnull=False).get()
    Milestone.objects.filter(pk=event.source_id).update(
        due_on=timezone.localdate() + dt.timedelta(days=20)
    )
    assert scoring.recompute(sheet, by=JOB) == 1
    event.refresh_from_db()
    assert event.struck
    assert "期限" in event.struck_reason
    assert total(sheet) == 98
    assert scoring.recompute(sheet, by=JOB) == 0


def test_a_quarter_that_runs_on_is_not_computed(district: District, live: Plan) -> None:
    set_parameter("enabled", 1)
    today = timezone.localdate()
    with pytest.raises(StepRefused, match="没有结束"):
        scoring.compute_sheet(
            district.orgs["B"],
            year=today.year,
            quarter=(today.month + 2) // 3,
            by=district.actor("plan"),
        )


def test_a_school_is_never_scored(district: District, quarter: tuple[int, int]) -> None:
    school, town = district.orgs["S1"], district.orgs["T1"]
    for org, old in ((school, "1.1-01"), (town, "1.1-02")):
        Commitment.objects.filter(code=old).update(lead_office=org)
    last = quarter_days(*quarter)[1]
    Case.objects.filter(milestone__isnull=False).update(organisation=school)
    Milestone.objects.update(due_on=last, done_on=None, state="planned")
    sheet = compute(district, quarter)
    assert {o.kind for o in scored_offices(sheet)} == {"office"}
    assert set(sheet.lines.values_list("office__kind", flat=True)) == {"office"}
    assert not ScoreEvent.objects.exists()
    with pytest.raises(StepRefused, match="学校"):
        by_hand(district, sheet, "S1")


def by_hand(district: District, sheet: ScoreSheet, code: str = "B-BASE", points: int = 2):
    pdf = SimpleUploadedFile("x.pdf", b"%PDF-1.7 x", content_type="application/pdf")
    return scoring.add_by_hand(
        sheet,
        office=district.orgs[code],
        points=points,
        reason="承办全国现场会",
        document=pdf,
        by=district.actor("plan"),
    )


def test_points_by_hand_need_a_second_person(district: District, quarter: tuple[int, int]) -> None:
    sheet = compute(district, quarter)
    for points in (0, 6, -6):
        with pytest.raises(StepRefused, match="1到5"):
            by_hand(district, sheet, points=points)
    event = by_hand(district, sheet)
    assert total(sheet) == 96, "not before it is confirmed"
    with pytest.raises(StepRefused, match="没有经另一人确认"):
        scoring.show(sheet, by=district.actor("plan"))
    with pytest.raises(StepRefused, match="另一人"):
        scoring.confirm_by_hand(event, by=district.actor("plan"))
    with pytest.raises(PermissionDenied):
        scoring.confirm_by_hand(event, by=district.actor("base"))
    scoring.confirm_by_hand(event, by=district.actor("deputy"))
    assert total(sheet) == 98
    scoring.show(fresh(sheet), by=district.actor("plan"))
    with pytest.raises(StepRefused, match="计算稿"):
        by_hand(district, fresh(sheet))


def contested(district: District, sheet: ScoreSheet) -> ScoreContest:
    event = ScoreEvent.objects.filter(line__sheet=sheet).first()
    return scoring.contest(
        event, reason="已在期限内报出", evidence=[photo()], by=district.actor("base")
    )


def test_a_contest_that_is_struck_out_changes_the_sum(
    district: District, quarter: tuple[int, int]
) -> None:
    sheet = shown(district, quarter)
    assert Notice.objects.filter(user=district.users["base"], title__contains="评分").exists()
    row = contested(district, sheet)
    with pytest.raises(StepRefused, match="提出过"):
        contested(district, sheet)
    assert row.case in Case.objects.owed_by(district.actor("plan"))
    with pytest.raises(PermissionDenied):
        scoring.strike(row, note="x", by=district.actor("base"))
    with pytest.raises(StepRefused):
        scoring.strike(row, note="", by=district.actor("plan"))
    scoring.strike(row, note="核实属实", by=district.actor("plan"))
    assert total(sheet) == 98
    row.event.refresh_from_db()
    assert (row.event.struck, row.event.struck_reason) == (True, "核实属实")


def test_upheld_leaves_the_sum(district: District, quarter: tuple[int, int]) -> None:
    sheet = shown(district, quarter)
    scoring.uphold(contested(district, sheet), note="系统记录无误", by=district.actor("plan"))
    assert total(sheet) == 96


def test_whoever_returned_a_report_does_not_answer(
    district: District, quarter: tuple[int, int]
) -> None:
    case = Case.objects.filter(milestone__isnull=False, organisation__code="B-BASE").first()
    at = timezone.make_aware(dt.datetime.combine(quarter_days(*quarter)[1], dt.time(23, 30)))
    for moment in (at, at + dt.timedelta(hours=1)):  # the second falls into the next quarter
        Move.objects.create(
            case=case, at=moment, step="return", source="reported", target="planned",
            user=district.users["plan"], note="x",
        )  # fmt: skip
    sheet = shown(district, quarter)
    event = ScoreEvent.objects.get(kind="returned")
    row = scoring.contest(event, reason="x", evidence=[photo()], by=district.actor("base"))
    with pytest.raises(StepRefused, match="另一人"):
        scoring.strike(row, note="x", by=district.actor("plan"))
    scoring.strike(row, note="x", by=district.actor("deputy"))
    assert total(sheet) == 96


def test_contests_are_the_own_offices_within_the_window(
    district: District, quarter: tuple[int, int]
) -> None:
    sheet = shown(district, quarter)
    event = ScoreEvent.objects.first()
    with pytest.raises(OutOfScope):
        scoring.contest(event, reason="x", evidence=[photo()], by=district.actor("safety_office"))
    with pytest.raises(StepRefused, match="佐证"):
        scoring.contest(event, reason="x", evidence=[], by=district.actor("base"))
    ScoreSheet.objects.filter(pk=sheet.pk).update(contest_until=timezone.localdate())
    contested(district, sheet)  # the last day counts
    end_window(sheet)
    other = ScoreEvent.objects.filter(contest__isnull=True).first()
    with pytest.raises(StepRefused, match="异议期"):
        scoring.contest(other, reason="x", evidence=[photo()], by=district.actor("base"))


def test_not_published_while_the_window_runs_or_contests_are_open(
    district: District, quarter: tuple[int, int]
) -> None:
    sheet = shown(district, quarter)
    row = contested(district, sheet)
    with pytest.raises(StepRefused, match="异议期"):
        scoring.submit(sheet, by=district.actor("plan"))
    sheet = end_window(sheet)
    with pytest.raises(StepRefused, match="没有答复"):
        scoring.submit(sheet, by=district.actor("plan"))
    scoring.uphold(row, note="x", by=district.actor("plan"))
    scoring.submit(fresh(sheet), by=district.actor("plan"))
    for who in ("plan", "deputy", "base"):
        with pytest.raises(PermissionDenied):
            scoring.publish(fresh(sheet), by=district.actor(who))
    scoring.refuse(fresh(sheet), note="请再核", by=district.actor("director"))
    sheet = published(district, sheet)
    assert (sheet.state, sheet.published_on) == ("published", timezone.localdate())


def test_published_never_changes_a_correction_is_a_new_version(
    district: District, quarter: tuple[int, int]
) -> None:
    draft = compute(district, quarter)
    scoring.confirm_by_hand(by_hand(district, draft), by=district.actor("deputy"))
    scoring.show(fresh(draft), by=district.actor("plan"))
    scoring.strike(contested(district, draft), note="属实", by=district.actor("plan"))
    old = published(district, draft)
    Milestone.objects.update(done_on=timezone.localdate(), due_on=timezone.localdate())
    assert compute(district, quarter).pk == old.pk
    assert total(old) == 100
    with pytest.raises(StepRefused, match="理由"):
        scoring.correct(old, reason="", by=district.actor("plan"))
    new = scoring.correct(old, reason="漏计", by=district.actor("plan"))
    assert (new.version, new.replaces_id, new.state) == (2, old.pk, "draft")
    assert (total(old), total(new)) == (100, 102)
    with pytest.raises(StepRefused):
        scoring.correct(old, reason="又一次", by=district.actor("plan"))


def page(client: Client, district: District, who: str, name: str, *args, **query):
    client.force_login(district.users[who])
    return client.get(reverse(name, args=args), query)


def test_an_office_sees_only_its_own_until_published(
    client: Client, district: District, quarter: tuple[int, int]
) -> None:
    sheet = compute(district, quarter)
    number = sheet.case.number
    assert page(client, district, "base", "score_detail", number).status_code == 404
    scoring.show(sheet, by=district.actor("plan"))
    text = page(client, district, "base", "score_detail", number).content.decode()
    assert "基础教育科" in text
    assert "安全管理科</a>" not in text
    mine, other = (
        ScoreLine.objects.get(sheet=sheet, office__code=code) for code in ("B-BASE", "B-SAFE")
    )
    assert page(client, district, "base", "score_office", number, other.id).status_code == 404
    answer = page(client, district, "base", "score_office", number, mine.id)
    assert "提出异议" in answer.content.decode()
    published(district, fresh(sheet))
    assert page(client, district, "base", "score_office", number, other.id).status_code == 200
    assert page(client, district, "head1", "score_list").status_code == 403


def test_ranking_is_off_unless_set(
    client: Client, district: District, quarter: tuple[int, int]
) -> None:
    def offices(sheet: ScoreSheet) -> list[str]:
        answer = page(client, district, "plan", "score_detail", sheet.case.number)
        return [(row.line.office.code, row.rank) for row in answer.context["rows"]]

    sheet = compute(district, quarter)
    in_plan = offices(sheet)
    assert {rank for _code, rank in in_plan} == {None}
    scoring.withdraw(sheet, note="x", by=district.actor("plan"))
    set_parameter("ranked", 1)
    again = scoring.correct(fresh(sheet), reason="改为排名", by=district.actor("plan"))
    ranked = offices(fresh(again))
    assert ranked[-1] == ("B-BASE", 3)


def test_pages_exports_and_forms(
    client: Client, district: District, quarter: tuple[int, int]
) -> None:
    sheet = compute(district, quarter)
    number = sheet.case.number
    pdf = SimpleUploadedFile("x.pdf", b"%PDF-1.7 x", content_type="application/pdf")
    client.force_login(district.users["plan"])
    answer = client.post(
        reverse("score_hand", args=[number]),
        {"office": district.orgs["B-BASE"].id, "points": "1", "reason": "x", "document": pdf},
    )
    assert answer.status_code == 302
    event = ScoreEvent.objects.get(kind="hand")
    document = client.get(reverse("score_document", args=[number, event.id]))
    assert document.getvalue() == b"%PDF-1.7 x"
    client.force_login(district.users["deputy"])
    client.post(reverse("score_confirm", args=[number, event.id]))
    assert total(sheet) == 97
    client.force_login(district.users["plan"])
    version = fresh(sheet).case.version
    client.post(reverse("score_step", args=[number, "show"]), {"version": version})
    assert fresh(sheet).state == "shown"
    for name in ("score_excel", "score_word"):
        answer = client.get(reverse(name, args=[number]))
        assert answer.status_code == 200
        assert answer.content[:2] == b"PK"
    assert client.get(reverse("score_list"), {"export": "xlsx"}).content[:2] == b"PK"
    client.force_login(district.users["base"])
    late = ScoreEvent.objects.filter(kind="milestone_late").first()
    url = reverse("score_contest", args=[number, late.id])
    assert client.get(url).status_code == 200
    assert client.post(url, {"reason": "x"}).status_code == 422
    answer = client.post(url, {"reason": "x", "evidence": photo()})
    row = ScoreContest.objects.select_related("case").get()
    assert answer.headers["Location"] == row.case.get_absolute_url()
    file_id = row.case.attachments.get().file_id
    kept = client.get(reverse("score_contest_file", args=[row.case.number, file_id]))
    assert kept.getvalue()[:2] == b"\xff\xd8"
    assert (
        client.get(reverse("score_contest_file", args=[row.case.number, uuid.uuid4()])).status_code
        == 404
    )
    client.force_login(district.users["plan"])
    assert client.get(row.case.get_absolute_url()).status_code == 200
    client.post(
        reverse("score_contest_step", args=[row.case.number, "strike"]),
        {"version": row.case.version, "note": "属实"},
    )
    assert total(sheet) == 99
    published(district, fresh(sheet))
    assert client.get(reverse("score_correct", args=[number])).status_code == 200
    answer = client.post(reverse("score_correct", args=[number]), {"reason": "漏计"})
    assert answer.status_code == 302
    assert "漏计" in client.get(answer.headers["Location"]).content.decode()


def test_list_asks_the_same_number_of_questions(
    client: Client, district: District, quarter: tuple[int, int], django_assert_max_num_queries
) -> None:
    sheet = shown(district, quarter)
    client.force_login(district.users["plan"])
    with django_assert_max_num_queries(40):
        client.get(sheet.case.get_absolute_url())

"""Rounds of reports: filled beforehand, four eyes, stand-ins, late, returned, missed."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import SINCE, District
from xuezheng.domains.workplan import jobs
from xuezheng.domains.workplan.models import Commitment, Milestone, Plan, Round, RoundReport
from xuezheng.domains.workplan.round_selectors import owed_reports, round_matrix
from xuezheng.domains.workplan.services import acting, rounds
from xuezheng.domains.workplan.tests.test_services import adopted, plan  # noqa: F401
from xuezheng.kernel.access.actors import JobActor, OutOfScope
from xuezheng.kernel.access.models import Post
from xuezheng.kernel.cases.models import Move
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.notices.models import Notice
from xuezheng.registry import roles

pytestmark = pytest.mark.usefixtures("files_dir")


@pytest.fixture
def live(district: District, plan: Plan) -> Plan:  # noqa: F811
    """The adopted plan; a handler in the office of basic education."""
    district.hold("clerk", roles.OFFICER, "B-BASE")
    row = adopted(district, plan)
    mine = row.commitments.filter(lead_office=district.orgs["B-BASE"])
    mine.update(handler=district.users["clerk"])
    return row


def make_round(row: Plan, *, closes: int = 3, ends: int = 0) -> Round:
    today = timezone.localdate()
    ends_on = today + dt.timedelta(days=ends)
    return Round.objects.create(
        plan=row,
        months=1,
        starts_on=ends_on - dt.timedelta(days=30),
        ends_on=ends_on,
        opens_on=min(today, today + dt.timedelta(days=closes)),
        closes_on=today + dt.timedelta(days=closes),
    )


def opened(district: District, row: Plan, **days: int) -> Round:
    made = make_round(row, **days)
    rounds.open_round(made, by=district.actor("plan"))
    made.refresh_from_db()
    return made


def of(made: Round, code: str) -> RoundReport:
    return RoundReport.objects.select_related("case", "commitment", "round").get(
        round=made, commitment__code=code
    )


def owes(district: District, who: str) -> list[str]:
    rows = owed_reports(district.actor(who)).order_by("commitment__order")
    return [row.commitment.code for row in rows]


@pytest.mark.parametrize(
    ("months", "ends"),
    [
        (1, ["01-31", "02-28", "03-31", "12-31"]),
        (3, ["03-31", "06-30", "09-30", "12-31"]),
    ],
)
def test_periods_end_on_the_last_day(months: int, ends: list[str]) -> None:
    found = [last.strftime("%m-%d") for _first, last in rounds.periods(2026, months)]
    assert set(ends) <= set(found)
    assert len(found) == 12 / months
    first, last = rounds.periods(2028, 1)[1]
    assert (first, last) == (dt.date(2028, 2, 1), dt.date(2028, 2, 29))


def test_the_rhythm_may_change_for_what_has_not_opened(district: District, live: Plan) -> None:
    by, start = district.actor("plan"), dt.date(live.year, 1, 1)
    made = rounds.plan_rounds(live, months=1, since=start, by=by)
    assert len(made) == 12
    assert (made[0].opens_on, made[0].ends_on) == (
        dt.date(live.year, 1, 26),
        dt.date(live.year, 1, 31),
    )
    rounds.open_round(made[2], by=by)
    quarters = rounds.plan_rounds(live, months=3, since=start, by=by)
    # March is open already, so its quarter is not asked again.
    assert [row.ends_on.month for row in quarters] == [6, 9, 12]
    assert live.rounds.count() == 4
    with pytest.raises(PermissionDenied):
        rounds.plan_rounds(live, months=1, by=district.actor("base"))


def test_opening_fills_in_what_is_known(district: District, live: Plan) -> None:
    made = opened(district, live)
    assert made.reports.count() == 3
    document = of(made, "1.2-01")
    assert document.case.organisation == district.orgs["B-BASE"]
    assert document.case.due == made.closes_on
    assert document.case.handler == district.users["clerk"]
    assert [f["kind"] for f in document.figures] == ["milestone"] * 5
    assert document.light == live.commitments.get(code="1.2-01").light
    assert owes(district, "clerk") == ["1.2-01"]
    assert owes(district, "safety_office") == ["1.1-01", "1.1-02"]
    assert owes(district, "base") == [], "it stands in the handler's inbox"
    told = set(Notice.objects.values_list("user__username", flat=True))
    assert told == {"clerk", "base", "safety_office"}
    with pytest.raises(StepRefused):
        rounds.open_round(made, by=district.actor("plan"))


def test_handler_head_leader_plan_office(district: District, live: Plan) -> None:
    made = opened(district, live)
    report = of(made, "1.2-01")
    with pytest.raises(StepRefused, match="请填写进展"):
        rounds.report_progress(report, text="  ", by=district.actor("clerk"))
    rounds.report_progress(report, text="已征求意见", by=district.actor("clerk"))
    assert (report.state, report.handed_on) == ("filled", None)
    assert owes(district, "base") == ["1.2-01"]
    # A clerk holds the permission only to stand in: neither the one who filled it nor a colleague.
    district.hold("clerk2", roles.OFFICER, "B-BASE")
    for who in ("clerk", "clerk2"):
        with pytest.raises(StepRefused):
            rounds.confirm_report(report, by=district.actor(who))
    with pytest.raises(OutOfScope):
        rounds.confirm_report(report, by=district.actor("safety_office"))
    rounds.confirm_report(report, by=district.actor("base"))
    assert (report.state, report.handed_on) == ("confirmed", timezone.localdate())
    assert owes(district, "deputy") == ["1.2-01"]
    assert owes(district, "director") == [], "it stands in the leader's inbox"
    rounds.sign_report(report, by=district.actor("deputy"))
    assert owes(district, "plan") == ["1.2-01"]
    with pytest.raises(StepRefused, match="说明"):
        rounds.return_report(report, note=" ", by=district.actor("plan"))
    report = of(made, "1.2-01")
    rounds.return_report(report, note="请写数字", by=district.actor("plan"))
    report = of(made, "1.2-01")
    assert (report.state, report.returned) == ("filling", 1)
    assert Notice.objects.filter(key__startswith="round-return").count() == 2 + 1
    # A head's own report goes to the leader at once, who is the second pair of eyes.
    rounds.report_progress(report, text="征求意见30条", by=district.actor("base"))
    assert of(made, "1.2-01").state == "confirmed"
    rounds.sign_report(of(made, "1.2-01"), by=district.actor("director"))
    rounds.accept_report(of(made, "1.2-01"), by=district.actor("plan"))
    report = of(made, "1.2-01")
    assert (report.state, report.text, report.returned) == ("accepted", "征求意见30条", 1)
    assert not report.is_late(timezone.localdate() + dt.timedelta(days=90))


def test_a_leader_not_in_charge_does_not_sign(district: District, live: Plan) -> None:
    district.hold("deputy2", roles.DEPUTY, "B")
    made = opened(district, live)
    report = of(made, "1.2-01")
    rounds.report_progress(report, text="好", by=district.actor("base"))
    with pytest.raises(StepRefused, match="分管领导"):
        rounds.sign_report(report, by=district.actor("deputy2"))
    today = timezone.localdate()
    acting.set_stand_in(
        district.orgs["B"],
        absent=district.users["deputy"],
        deputy=district.users["deputy2"],
        starts_on=today,
        ends_on=today,
        by=district.actor("plan"),
    )
    acting.follow_posts(live, by=district.actor("plan"))
    assert owes(district, "deputy2") == ["1.2-01"]
    rounds.sign_report(of(made, "1.2-01"), by=district.actor("deputy2"))
    move = Move.objects.get(case=report.case, step="sign")
    assert "B岗代" in move.note
    assert district.users["deputy"].name in move.note


def test_a_stand_in_confirms_for_the_head_and_not_after(district: District, live: Plan) -> None:
    district.hold("clerk2", roles.OFFICER, "B-BASE")
    by, today = district.actor("plan"), timezone.localdate()
    kwargs = {"absent": district.users["base"], "starts_on": today, "ends_on": today}
    office = district.orgs["B-BASE"]
    with pytest.raises(StepRefused, match="任职"):
        acting.set_stand_in(office, deputy=district.users["safety_office"], by=by, **kwargs)
    with pytest.raises(StepRefused, match="另一人"):
        acting.set_stand_in(office, deputy=district.users["base"], by=by, **kwargs)
    row = acting.set_stand_in(office, deputy=district.users["clerk2"], by=by, **kwargs)
    made = opened(district, live)
    report = of(made, "1.2-01")
    rounds.report_progress(report, text="好", by=district.actor("clerk"))
    assert owes(district, "clerk2") == ["1.2-01"]
    acting.end_stand_in(row, by=by)
    with pytest.raises(StepRefused):
        rounds.confirm_report(report, by=district.actor("clerk2"))
    acting.follow_posts(live, by=by)
    assert owes(district, "base") == ["1.2-01"]


def test_open_duties_follow_the_post(district: District, live: Plan) -> None:
    opened(district, live)
    acting.follow_posts(live, by=JobActor("test"))
    assert owes(district, "clerk") == ["1.2-01"]
    assert Milestone.objects.filter(case__handler=district.users["clerk"]).count() == 5
    Post.objects.filter(user=district.users["clerk"]).update(
        valid_to=timezone.localdate() - dt.timedelta(days=1)
    )
    district.hold("newcomer", roles.OFFICER, "B-BASE")
    assert acting.follow_posts(live, by=JobActor("test")) == 6, "a report, milestones"
    assert owes(district, "newcomer") == ["1.2-01"]
    assert not Milestone.objects.filter(
        case__handler=district.users["clerk"], state="planned"
    ).exists()


def test_no_change_repeats_last_time_and_the_missing_are_counted(
    district: District, live: Plan
) -> None:
    first = opened(district, live, ends=-20)
    report = of(first, "1.2-01")
    with pytest.raises(StepRefused, match="上期没有"):
        rounds.report_progress(report, unchanged=True, by=district.actor("base"))
    rounds.report_progress(report, text="起草完成", by=district.actor("base"))
    rounds.sign_report(of(first, "1.2-01"), by=district.actor("deputy"))
    second = opened(district, live)
    first.refresh_from_db()
    assert first.closed_at
    assert of(first, "1.1-01").state == "missed"
    assert of(first, "1.2-01").state == "signed", "what waits for the plan office stays"
    report = of(second, "1.2-01")
    assert report.carried == "起草完成"
    rows = owed_reports(district.actor("clerk")).filter(round=second)
    taken = rounds.take_together("unchanged", rows, by=district.actor("clerk"))
    assert (taken.done, taken.refused) == (1, [])
    report = of(second, "1.2-01")
    assert (report.state, report.text, report.unchanged) == ("filled", "起草完成", True)


def test_late_is_counted_by_office_and_urged_once_a_day(district: District, live: Plan) -> None:
    made = opened(district, live, closes=-1)
    today = timezone.localdate()
    report = of(made, "1.2-01")
    rounds.report_progress(report, text="好", by=district.actor("base"))
    offices = {row["case__organisation__name"]: row for row in round_matrix(made, today)}
    assert offices["基础教育科"]["late"] == 1, "handed on after the last day stays late"
    assert offices["安全管理科"]["late"] == 2
    assert offices["安全管理科"]["filling"] == 2
    assert round_matrix(made, made.closes_on)[0]["late"] + 0 <= 1
    assert rounds.urge_late(made, by=district.actor("plan")) == 2, "not what the leader has"
    assert rounds.urge_late(made, by=district.actor("plan")) == 0
    with pytest.raises(PermissionDenied):
        rounds.urge_late(made, by=district.actor("base"))


def test_the_job_opens_only_the_newest_that_is_due(district: District, live: Plan) -> None:
    old, new = make_round(live, closes=-40, ends=-40), make_round(live)
    jobs.open_rounds.func()
    old.refresh_from_db()
    new.refresh_from_db()
    assert new.opened_at
    assert not old.opened_at
    jobs.open_rounds.func()
    old.refresh_from_db()
    assert not old.opened_at, "nor the day after"
    assert new.reports.count() == 3


def test_pages(district: District, live: Plan) -> None:
    made = opened(district, live)

    def client(who: str) -> Client:
        found = Client()
        found.force_login(district.users[who])
        return found

    clerk, head, leader, office = (client(who) for who in ("clerk", "base", "deputy", "plan"))
    report = of(made, "1.2-01")
    page = clerk.get(reverse("my_rounds"))
    assert "1.2-01" in page.content.decode()
    quick = reverse("round_quick", args=[report.case.number])
    clerk.post(quick, {"action": "save", "text": "一半", "version": report.case.version})
    assert of(made, "1.2-01").text == "一半"
    clerk.post(quick, {"action": "report", "text": "全部", "version": report.case.version})
    assert of(made, "1.2-01").state == "filled"
    stale = clerk.post(quick, {"action": "save", "text": "x", "version": report.case.version})
    assert stale.status_code == 409
    assert "全部" in head.get(reverse("my_rounds")).content.decode()
    head.post(reverse("my_rounds_together", args=["confirm"]), {"report": [report.case.number]})
    step = reverse("round_report_step", args=[report.case.number, "object"])
    version = of(made, "1.2-01").case.version
    assert leader.post(step, {"version": version, "note": ""}).status_code == 422
    leader.post(reverse("my_rounds_together", args=["sign"]))
    assert of(made, "1.2-01").state == "signed"
    matrix = office.get(reverse("round_detail", args=[made.pk])).content.decode()
    assert "基础教育科" in matrix
    rows = reverse("round_reports", args=[made.pk])
    narrowed = office.get(rows, {"state": "signed", "office": district.orgs["B-BASE"].id})
    assert [r.commitment.code for r in narrowed.context["page"]] == ["1.2-01"]
    assert office.get(rows, {"export": "xlsx"}).status_code == 200
    assert client("inspector").get(rows, {"export": "xlsx"}).status_code == 403
    listed = office.get(reverse("round_list", args=[live.id])).content.decode()
    assert "安排全年填报" in listed
    assert "安排全年填报" not in head.get(reverse("round_list", args=[live.id])).content.decode()
    detail = reverse("round_report", args=[report.case.number])
    assert "全部" in head.get(detail).content.decode()
    assert client("head1").get(detail).status_code == 403


def test_a_withdrawn_or_accepted_task_is_not_asked(district: District, live: Plan) -> None:
    Commitment.objects.filter(plan=live, code="1.1-01").update(withdrawn=True)
    Commitment.objects.filter(plan=live, code="1.1-02").update(accepted_on=SINCE)
    assert {r.commitment.code for r in opened(district, live).reports.all()} == {"1.2-01"}

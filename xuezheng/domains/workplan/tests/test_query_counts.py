"""Pages of the desk and the boards ask as often for nine rows as for three."""

import datetime as dt
import itertools

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.workplan.models import (
    Commitment,
    Draft,
    LightChange,
    Milestone,
    Plan,
    RecurringReport,
    ReportTurn,
    Round,
    RoundReport,
    Source,
    Supervision,
    Target,
)
from xuezheng.domains.workplan.tests.test_services import adopted, plan  # noqa: F401
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.indicators.models import Reading

# ruff: noqa: F811
pytestmark = pytest.mark.usefixtures("files_dir")
numbers = itertools.count(1)
INDICATOR = "hazard_rectified_in_time"


class Desk:
    """A plan that is carried out, with an open round, and what stands on its lists."""

    def __init__(self, district: District, plan: Plan):
        self.district, self.today = district, timezone.localdate()
        self.plan = adopted(district, plan)
        self.bureau = district.orgs["B"]
        self.round = Round.objects.create(
            plan=self.plan,
            months=1,
            starts_on=self.today - dt.timedelta(days=20),
            ends_on=self.today,
            opens_on=self.today - dt.timedelta(days=5),
            closes_on=self.today + dt.timedelta(days=5),
            opened_at=timezone.now(),
        )
        self.file = keep(photo(), organisation_id=self.bureau.id, by=district.actor("plan"))

    def case(self, kind: str, state: str, awaits: str = "") -> Case:
        number = next(numbers)
        return Case.objects.create(
            number=f"Q{number}",
            kind=kind,
            title=f"事项{number}",
            organisation=self.district.orgs["B-BASE"],
            state=state,
            phase="acting" if awaits else "closed",
            awaits=awaits,
            due=self.today,
            opened_at=timezone.now(),
        )

    def grow(self) -> None:
        """One more of everything."""
        number, today = next(numbers), self.today
        row = Commitment.objects.create(
            plan=self.plan,
            section=self.plan.sections.last(),
            code=f"9-{number}",
            title="任务",
            wording="任务。",
            order=100 + number,
            kind="project",
            lead_office=self.district.orgs["B-BASE"],
            leader=self.district.users["deputy"],
            handler=self.district.users["base"],
            light="red",
            light_order=0,
            due_on=today,
        )
        Target.objects.create(
            commitment=row, text="95%", value=95, unit="%", comparator=">=", indicator=INDICATOR
        )
        LightChange.objects.create(
            commitment=row, on=today - dt.timedelta(days=9), light="green", cause="on_plan"
        )
        Milestone.objects.create(
            case=self.case("milestone", "planned", "workplan.milestone.report"),
            commitment=row,
            state="planned",
            title="节点",
            due_on=today,
        )
        RoundReport.objects.create(
            case=self.case("round_report", "filling", "workplan.milestone.report"),
            round=self.round,
            commitment=row,
            state="filling",
            light="red",
            cause="overdue",
        )
        RoundReport.objects.create(
            case=self.case("round_report", "confirmed", "workplan.round.sign"),
            round=Round.objects.create(
                plan=self.plan,
                months=1,
                starts_on=today - dt.timedelta(days=60 * number + 30),
                ends_on=today - dt.timedelta(days=60 * number),
                opens_on=today - dt.timedelta(days=60 * number),
                closes_on=today - dt.timedelta(days=60 * number - 5),
            ),
            commitment=row,
            state="confirmed",
            text="有进展",
            light="red",
            cause="overdue",
        )
        source = Source.objects.create(
            organisation=self.bureau,
            kind="document",
            title="来源",
            dated_on=today,
            registered_at=timezone.now(),
        )
        source.commitments.add(row)
        Supervision.objects.create(
            case=self.case("supervision", "acting", "workplan.milestone.report"),
            state="acting",
            issuer=self.bureau,
            year=today.year,
            serial=number,
            number=f"督〔{number}〕",
            basis="commitment",
            commitment=row,
            note="滞后",
            due_on=today,
            issued_on=today,
        )
        report = RecurringReport.objects.create(
            organisation=self.bureau,
            title="报告",
            receiver="市局",
            office=self.district.orgs["B-BASE"],
            every="month",
            day=10,
        )
        ReportTurn.objects.create(
            case=self.case("report_turn", "sent"),
            state="sent",
            report=report,
            due_on=dt.date(today.year, 1, 10),
        )
        Draft.objects.create(
            plan=self.plan,
            kind="bulletin",
            title="通报",
            begins=today,
            ends=today,
            as_of=today,
            file=self.file,
            made_at=timezone.now(),
        )
        Reading.objects.create(
            indicator=INDICATOR,
            definition_version=1,
            organisation=self.bureau,
            period_from=dt.date(self.plan.year, 1, 1),
            period_to=dt.date(self.plan.year, 12, 31),
            as_of=dt.date(self.plan.year, 1, 1) + dt.timedelta(days=number),
            numerator=9,
            denominator=10,
            value=90.0,
            computed_at=timezone.now(),
        )

    def queries(self, who: str, path: str) -> int:
        """Of the page when it is opened a second time: the first may fill what is kept."""
        client = Client()
        client.force_login(self.district.users[who])
        assert client.get(path).status_code == 200, path
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        return len(captured)


PAGES = {
    "director": [
        *("/board/", "/board/?light=red", "/leader/", "/inbox/", "/plans/", "/plans/{plan}/"),
        *("/plans/{plan}/week/", "/plans/{plan}/rounds/", "/rounds/{round}/"),
        *("/rounds/{round}/reports/", "/supervision/", "/sources/", "/recurring/", "/drafts/"),
        *("/indicators/", f"/indicators/{INDICATOR}/", "/rounds/mine/"),
    ],
    "plan": ["/board/", "/inbox/", "/plans/{plan}/", "/sources/", "/drafts/", "/supervision/"],
    "base": ["/inbox/", "/rounds/mine/", "/supervision/", "/plans/{plan}/"],
}


def test_more_rows_ask_no_more_questions(district: District, plan: Plan) -> None:
    desk = Desk(district, plan)

    def counted() -> dict[tuple[str, str], int]:
        keys = {"plan": desk.plan.id, "round": desk.round.id}
        return {
            (who, path): desk.queries(who, path.format(**keys))
            for who, paths in PAGES.items()
            for path in paths
        }

    for _ in range(3):
        desk.grow()
    few = counted()
    for _ in range(6):
        desk.grow()
    assert counted() == few


def test_the_calendar_of_reports_lies_open_at_today(district: District, plan: Plan) -> None:
    desk, year = Desk(district, plan), timezone.localdate().year
    for _ in range(17):
        desk.grow()
    client = Client()
    client.force_login(district.users["director"])
    pages = client.get("/recurring/").context["page"].paginator
    assert (pages.count, pages.num_pages) == (17 * 12, 3)
    assert client.get(f"/recurring/?year={year - 1}").context["page"].number == 3
    assert client.get(f"/recurring/?year={year + 1}").context["page"].number == 1
    assert len(client.get(f"/recurring/?year={year}&page=1").context["page"]) == 100

"""A year of twelve rounds, played day by day: lights at each month's end equal a table made by hand."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from django.db.models import Sum
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.workplan import jobs
from xuezheng.domains.workplan.models import Commitment, LightChange, Milestone, Plan, RoundReport
from xuezheng.domains.workplan.rules import Kind, Light
from xuezheng.domains.workplan.selectors import lights_at
from xuezheng.domains.workplan.services import (
    adopting,
    carrying,
    closing,
    importing,
    lights,
    reviewing,
    rounds,
)
from xuezheng.domains.workplan.tests.test_services import TEXT, parsed
from xuezheng.kernel.indicators.models import Reading

pytestmark = pytest.mark.usefixtures("files_dir")
YEAR = 2026
#: Light of each commitment at the end of January … December, worked out by hand:
#: 1.1-01 is a rate of 95 % and 1.1-03 grows to 100 % over the year, both by their indicators;
#: 1.1-02 is checked each quarter; 1.2-01 walks a document's five steps.
TABLE = {
    "1.1-01": (
        # No reading; 15 points short; 7 short; met; nothing new; just missed; met; no case at all
        # by now; exactly 10 short; more than that, but a leader's word; amended to 90 and 2 short; met.
        [
            "grey",
            "red",
            "yellow",
            "green",
            "green",
            "yellow",
            "green",
            "grey",
            "yellow",
            "yellow",
            "yellow",
            "green",
        ]
    ),
    "1.1-03": (
        # From 20 January to 20 December are 334 days.  Months without a reading fall behind: in April
        # by 4.9 points, in May by 14.2, in August by 6.8, in October by 5.03; in November by 10.01.
        [
            "grey",
            "yellow",
            "green",
            "yellow",
            "red",
            "yellow",
            "green",
            "yellow",
            "green",
            "yellow",
            "red",
            "green",
        ]
    ),
    "1.1-02": (
        # Q1 in time; Q2 is due on 30 June, then overdue; a leader's word in August; Q3 due on 30
        # September and soon; all done later.
        ["green"] * 5 + ["yellow", "red", "yellow", "yellow", "green", "green", "green"]
    ),
    "1.2-01": (
        # The draft is due on 31 March and late in April; comments extended from 20 May to 25 June and
        # only reported on 30 June; a step of 25 October comes by amendment; closed on 24 December.
        ["green", "green", "yellow"] + ["green"] * 6 + ["red", "green", "blue"]
    ),
}
RATE, GROWING = "hazard_rectified_in_time", "pupils_with_checked_number"
#: Month, on whose 20th day a reading comes -> per cent; None says that there was nothing to count.
READINGS = {
    RATE: {
        2: 80.0,
        3: 88.0,
        4: 95.0,
        6: 94.9,
        7: 96.0,
        8: None,
        9: 85.0,
        10: 84.9,
        11: 88.0,
        12: 97.0,
    },
    GROWING: {2: 10.0, 3: 25.0, 6: 40.0, 7: 60.0, 9: 80.0, 11: 84.0, 12: 100.0},
}
CHECKS = [("一季度", (3, 31)), ("二季度", (6, 30)), ("三季度", (9, 30)), ("四季度", (12, 20))]
STEPS = [
    ("draft", (3, 31)),
    ("comments", (5, 20)),
    ("legality", (7, 10)),
    ("meeting", (9, 10)),
    ("issued", (12, 10)),
]


class Year:
    """The clock, the people, and what happens on which day."""

    def __init__(self, district: District, monkeypatch: pytest.MonkeyPatch):
        self.district, self.by = district, district.actor
        self.moment = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: self.moment)
        self.at(1, 10)
        self.plan = self.adopt()

    def at(self, month: int, day: int, hour: int = 10) -> None:
        self.moment = timezone.make_aware(dt.datetime(YEAR, month, day, hour))

    def adopt(self) -> Plan:
        plan = importing.import_plan(
            parsed(),
            organisation=self.district.orgs["B"],
            year=YEAR,
            source_text=TEXT,
            source_file=None,
            by=self.by("plan"),
        )
        for item in plan.review_items.all():
            reviewing.resolve_item(item, resolution="已核", by=self.by("plan"))
        self.measure(plan)
        for row in plan.commitments.all():
            row = reviewing.edit_commitment(
                row,
                version=row.version,
                by=self.by("plan"),
                lead_office=row.lead_office or self.district.orgs["B-BASE"],
                leader=self.district.users["deputy"],
                start_on=dt.date(YEAR, 1, 20),
                due_on=dt.date(YEAR, 12, 20),
            )
            steps = {"1.1-02": [(t, "check", d) for t, d in CHECKS]}.get(row.code, [])
            if row.code == "1.2-01":
                steps = [(role, role, day) for role, day in STEPS]
            for title, role, (month, day) in steps:
                reviewing.add_milestone(
                    row,
                    title=title,
                    role=role,
                    due_on=dt.date(YEAR, month, day),
                    by=self.by("plan"),
                )
        adopting.adopt_plan(plan, meeting_number="局务会〔1〕号", by=self.by("plan"))
        return Plan.objects.get(id=plan.id)

    def measure(self, plan: Plan) -> None:
        """One target gets its indicator, one more commitment comes with one that grows."""
        by = self.by("plan")
        rate = plan.commitments.get(code="1.1-01")
        reviewing.set_target(rate, target=rate.targets.get(), indicator=RATE, value=95, by=by)
        growing = reviewing.add_commitment(rate.section, wording="证件核验年内完成。", by=by)
        assert growing.code == "1.1-03"
        reviewing.edit_commitment(growing, version=growing.version, kind=Kind.QUANTITY, by=by)
        reviewing.set_target(
            growing,
            target=None,
            text="达到100%",
            value=100,
            unit="%",
            comparator=">=",
            indicator=GROWING,
            cumulative=True,
            by=by,
        )

    def read(self, indicator: str, per_cent: float | None) -> None:
        Reading.objects.create(
            indicator=indicator,
            definition_version=1,
            organisation=self.district.orgs["B"],
            period_from=dt.date(YEAR, 1, 1),
            period_to=dt.date(YEAR, 12, 31),
            as_of=self.moment.date(),
            numerator=round((per_cent or 0) * 10),
            denominator=0 if per_cent is None else 1000,
            value=per_cent,
            computed_at=self.moment,
        )

    def lower(self) -> None:
        """A meeting asks for less."""
        row = self.commitment("1.1-01")
        reviewing.set_target(
            row,
            target=row.targets.get(),
            value=90,
            amendment=reviewing.Amendment("口径调整", "局务会〔10〕号"),
            by=self.by("plan"),
        )

    def milestone(self, title: str) -> Milestone:
        return Milestone.objects.select_related("case", "commitment__plan__organisation").get(
            title=title
        )

    def version(self, title: str) -> int:
        return self.milestone(title).case.version

    def report(self, title: str) -> None:
        who = "safety_office" if "季度" in title else "base"
        carrying.report_milestone(
            self.milestone(title),
            note="好了",
            reference="1号",
            version=self.version(title),
            by=self.by(who),
        )

    def accept(self, title: str) -> None:
        carrying.accept_milestone(
            self.milestone(title), version=self.version(title), by=self.by("plan")
        )

    def send_back(self, title: str) -> None:
        carrying.return_milestone(
            self.milestone(title), note="缺材料", version=self.version(title), by=self.by("plan")
        )

    def ask(self) -> None:
        carrying.ask_extension(
            self.milestone("comments"),
            new_due=dt.date(YEAR, 6, 25),
            reason="部门反馈慢",
            by=self.by("base"),
        )

    def grant(self) -> None:
        extension = self.milestone("comments").extensions.select_related("case").get()
        carrying.decide_extension(
            extension, granted=True, version=extension.case.version, by=self.by("deputy")
        )

    def override(self, code: str, until: dt.date) -> None:
        lights.override_light(
            self.commitment(code),
            light=Light.YELLOW,
            reason="检查组改期",
            until=until,
            by=self.by("deputy"),
        )

    def amend(self) -> None:
        reviewing.add_milestone(
            self.commitment("1.2-01"),
            title="宣讲",
            due_on=dt.date(YEAR, 10, 25),
            amendment=reviewing.Amendment("增加宣讲", "局务会〔9〕号"),
            by=self.by("plan"),
        )

    def apply(self) -> None:
        closing.apply_closing(
            self.commitment("1.2-01"), statement="已印发", evidence=[photo()], by=self.by("base")
        )

    def check(self) -> None:
        closing.check_closing(self.commitment("1.2-01").closings.get(), by=self.by("plan"))

    def approve(self) -> None:
        closing.approve_closing(self.commitment("1.2-01").closings.get(), by=self.by("deputy"))

    def commitment(self, code: str) -> Commitment:
        return Commitment.objects.select_related("plan__organisation").get(
            plan=self.plan, code=code
        )

    def round_report(self, month: int) -> RoundReport:
        return RoundReport.objects.select_related("case", "round__plan", "commitment").get(
            round__ends_on__month=month, commitment__code="1.2-01"
        )

    def tell(self, month: int) -> None:
        rounds.report_progress(self.round_report(month), text=f"{month}月", by=self.by("base"))
        rounds.sign_report(self.round_report(month), by=self.by("deputy"))

    def take_in(self, month: int) -> None:
        rounds.accept_report(self.round_report(month), by=self.by("plan"))

    def give_back(self, month: int) -> None:
        rounds.return_report(self.round_report(month), note="写数字", by=self.by("plan"))


def happenings(year: Year) -> dict[tuple[int, int], list[Callable[[], None]]]:
    """(month, day) -> what happens."""
    found: dict[tuple[int, int], list[Callable[[], None]]] = {}

    def on(month: int, day: int, *deeds: Callable[[], None]) -> None:
        found.setdefault((month, day), []).extend(deeds)

    def report(title: str, *day: int) -> None:
        on(*day, lambda: year.report(title))

    def accept(title: str, *day: int) -> None:
        on(*day, lambda: year.accept(title))

    on(1, 16, lambda: rounds.plan_rounds(year.plan, months=1, by=year.by("plan")))
    report("一季度", 3, 28)
    accept("一季度", 3, 30)
    report("draft", 4, 8)
    on(4, 10, lambda: year.send_back("draft"))
    report("draft", 4, 12)
    accept("draft", 4, 14)
    on(5, 15, year.ask)
    on(5, 17, year.grant)
    report("comments", 6, 24)
    accept("comments", 7, 3)
    report("legality", 7, 9)
    accept("legality", 7, 12)
    on(8, 5, lambda: year.override("1.1-02", dt.date(YEAR, 8, 31)))
    on(10, 25, lambda: year.override("1.1-01", dt.date(YEAR, 11, 5)))
    on(11, 10, year.lower)
    for indicator, values in READINGS.items():
        for month, per_cent in values.items():
            on(month, 20, lambda key=indicator, value=per_cent: year.read(key, value))
    report("meeting", 9, 9)
    accept("meeting", 9, 11)
    report("二季度", 9, 12)
    accept("二季度", 9, 14)
    report("三季度", 10, 9)
    accept("三季度", 10, 12)
    on(10, 20, year.amend)
    report("宣讲", 11, 5)
    accept("宣讲", 11, 6)
    report("issued", 12, 8)
    accept("issued", 12, 9)
    report("四季度", 12, 18)
    accept("四季度", 12, 19)
    on(12, 22, year.apply)
    on(12, 23, year.check)
    on(12, 24, year.approve)
    # The office of 1.2-01 reports on the last day: late in April, returned once in May, never in July.
    for month, (_first, last) in enumerate(rounds.periods(YEAR, 1)[:11], start=1):
        if month == 4:
            on(5, 12, lambda: year.tell(4), lambda: year.take_in(4))
        elif month == 5:
            on(5, 31, lambda: year.tell(5), lambda: year.give_back(5), lambda: year.tell(5))
            on(6, 1, lambda: year.take_in(5))
        elif month != 7:
            on(month, last.day, lambda m=month: (year.tell(m), year.take_in(m)))
    return found


def days() -> Iterator[dt.date]:
    day = dt.date(YEAR, 1, 16)
    while day.year == YEAR:
        yield day
        day += dt.timedelta(days=1)


def test_lights_at_each_month_end_are_those_of_the_table(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = Year(district, monkeypatch)
    deeds = happenings(year)
    ends = [last for _first, last in rounds.periods(YEAR, 1)]
    seen: dict[str, list[str]] = {code: [] for code in TABLE}
    for day in days():
        year.at(day.month, day.day, hour=1)
        lights.refresh_lights(year.plan, day)
        jobs.open_rounds.func()
        year.at(day.month, day.day, hour=10)
        for deed in deeds.get((day.month, day.day), []):
            deed()
        if day in ends:
            for row in year.plan.commitments.all():
                seen[row.code].append(row.light)
    assert seen == TABLE
    # The history replays: what stands in it gives the same table at the end of the year.
    codes = {row.id: row.code for row in year.plan.commitments.all()}
    replayed: dict[str, list[str]] = {code: [] for code in TABLE}
    for end in ends:
        for commitment_id, change in lights_at(year.plan, end).items():
            replayed[codes[commitment_id]].append(change.light)
    assert replayed == TABLE
    for month, overridden in ((8, {"1.1-02"}), (10, {"1.1-01"}), (11, set())):
        then = lights_at(year.plan, ends[month - 1])
        assert {codes[key] for key, change in then.items() if change.overridden} == overridden
    assert LightChange.objects.filter(commitment__code="1.1-02", on=dt.date(YEAR, 9, 1)).exists()
    # The reports of the year, counted by hand.
    mine = RoundReport.objects.filter(commitment__code="1.2-01")
    assert mine.count() == 11, "none after it was closed"
    assert mine.filter(state="accepted").count() == 10
    assert [r.round.ends_on.month for r in mine.filter(state="missed")] == [7]
    late = mine.late(dt.date(YEAR, 12, 31)).order_by("round__ends_on")
    assert [r.round.ends_on.month for r in late] == [4, 7]
    assert mine.aggregate(n=Sum("returned"))["n"] == 1
    assert year.round_report(8).carried == "6月", "what was missed has no text to carry over"

"""Three years of hazards for the demo district, written as the services would have left them.

Written in bulk, because three thousand hazards through the services would take minutes; a test walks
every one of them along the flow.
"""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from xuezheng.domains.oversight.flows import HAZARD
from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.oversight.rules import Grade
from xuezheng.domains.oversight.selectors import hazard_settings, terms
from xuezheng.kernel.access.models import Organisation, Post
from xuezheng.kernel.cases.models import Case, CaseClock, Move
from xuezheng.kernel.reference.calendar import add_working_days, calendar_exceptions
from xuezheng.registry import roles
from xuezheng.registry.organisations import SITE_KINDS, OrganisationKind

#: How often a kind of place reports, relative to a kindergarten.
SHARE = {
    OrganisationKind.PRIMARY: 3,
    OrganisationKind.JUNIOR: 4,
    OrganisationKind.NINE_YEAR: 5,
    OrganisationKind.SENIOR: 6,
    OrganisationKind.VOCATIONAL: 6,
    OrganisationKind.TRAINING: 1,
}


@dataclass
class Story:
    """One hazard's life: rows collected until all tables are written."""

    hazard: Hazard
    case: Case
    moves: list[Move] = field(default_factory=list)
    clocks: list[CaseClock] = field(default_factory=list)


class Teller:
    """Invents hazards day by day."""

    def __init__(self, spec: dict[str, Any], chance: random.Random, today: dt.date):
        self.spec, self.chance, self.today = spec, chance, today
        sites = list(Organisation.objects.filter(kind__in=SITE_KINDS))
        self.sites = sites
        self.weights = [SHARE.get(OrganisationKind(site.kind), 2) for site in sites]
        self.staff: dict[int, list[Post]] = {}
        held = Post.objects.filter(organisation__in=sites).exclude(role=roles.TEACHER)
        for post in held.select_related("user"):
            self.staff.setdefault(post.organisation_id, []).append(post)
        self.graders = list(Post.objects.filter(role=roles.SAFETY_OFFICER))
        self.checkers = list(Post.objects.filter(role__in=[roles.SAFETY_OFFICER, roles.INSPECTOR]))
        self.heads = list(Post.objects.filter(role=roles.SAFETY_HEAD))
        first = dt.date(today.year - 2, 1, 1)
        self.days_off = calendar_exceptions(first, today + dt.timedelta(days=120))
        self.terms = terms(hazard_settings(today, "XL"))

    def due(self, day: dt.date, days: int) -> dt.date:
        return add_working_days(day, days, self.days_off)

    def at(self, day: dt.date) -> dt.datetime:
        naive = dt.datetime.combine(
            day, dt.time(self.chance.randint(8, 16), self.chance.randint(0, 59))
        )
        return timezone.make_aware(naive)

    def tell(self, number: int, day: dt.date) -> Story:
        """The hazard reported on a day, as far as it has come by today."""
        site = self.chance.choices(self.sites, self.weights)[0]
        category = self.chance.choice(list(self.spec["templates"]))
        place, what = self.chance.choice(self.spec["templates"][category])
        reporter = self.chance.choice(self.staff[site.id])
        opened = self.at(day)
        case = Case(
            id=number,
            number=f"YH{day.year}-{number:06d}",
            kind="hazard",
            title=place,
            organisation=site,
            state="reported",
            opened_at=opened,
        )
        hazard = Hazard(
            case=case,
            state="reported",
            category=category,
            place=place,
            description=what + "。",
            reported_by=reporter.user,
            reported_on=day,
        )
        story = Story(hazard, case)
        self.move(story, "report", day, reporter, what + "。", opened)
        self.clock(story, "grading", day, self.due(day, self.terms.grading_days), "上报后定级")
        self.grade(story, day)
        self.finish(story)
        return story

    def grade(self, story: Story, day: dt.date) -> None:
        graded = self.due(day, self.chance.choice([0, 1, 1]))
        if graded > self.today or (graded == self.today and self.chance.random() < 0.7):
            return
        grader = self.chance.choice(self.graders)
        if self.chance.random() < self.spec["dismissed_share"]:
            self.move(story, "dismiss", graded, grader, "现场核对不构成隐患")
            return
        hazard = story.hazard
        major = self.chance.random() < self.spec["major_share"]
        hazard.grade = Grade.MAJOR if major else Grade.GENERAL
        hazard.supervised = hazard.stop_use = major
        hazard.due_on = self.due(graded, self.terms.rectification_days(Grade(hazard.grade)))
        self.move(story, "grade", graded, grader, "")
        self.clock(story, "rectification", graded, hazard.due_on, "定级后整改")
        self.rectify(story, graded, hazard.due_on, may_fail=True)

    def rectify(self, story: Story, start: dt.date, due: dt.date, *, may_fail: bool) -> None:
        promptness = self.spec["in_time"][self.today.year - story.hazard.reported_on.year]
        span = max(1, (due - start).days)
        if self.chance.random() < promptness:
            done = start + dt.timedelta(days=self.chance.randint(1, span))
        else:
            done = due + dt.timedelta(days=self.chance.randint(1, 12))
        if done > self.today:
            return
        hazard = story.hazard
        by = self.chance.choice(self.staff[story.case.organisation_id])
        hazard.rectified_on = done
        self.move(story, "rectify", done, by, self.chance.choice(self.spec["rectified"]))
        self.clock(story, "recheck", done, self.due(done, self.terms.recheck_days), "整改后复查")
        checked = self.due(done, self.chance.choice([1, 1, 2, 3]))
        if checked > self.today:
            return
        checker = self.chance.choice(self.checkers)
        if may_fail and self.chance.random() < self.spec["failed_recheck_share"]:
            self.move(story, "fail", checked, checker, self.chance.choice(self.spec["failed"]))
            hazard.rectified_on = None
            self.clock(story, "rectification", checked, due, "复查不通过，原期限不变")
            self.rectify(story, checked, max(due, checked), may_fail=False)
            return
        words = self.chance.choice(self.spec["checked"])
        if hazard.grade != Grade.MAJOR:
            hazard.closed_on = checked
            self.move(story, "pass", checked, checker, words)
            return
        self.move(story, "pass_major", checked, checker, words)
        self.clock(story, "recheck", checked, self.due(checked, self.terms.recheck_days), "摘牌")
        released = self.due(checked, 2)
        if released <= self.today:
            hazard.closed_on, hazard.stop_use = released, False
            self.move(story, "release", released, self.chance.choice(self.heads), "同意摘牌")

    def move(
        self,
        story: Story,
        key: str,
        day: dt.date,
        post: Post,
        note: str,
        at: dt.datetime | None = None,
    ) -> None:
        step = HAZARD.opening if key == HAZARD.opening.key else HAZARD.step(key)
        source = story.hazard.state if story.moves else ""
        # Within a day a later step comes later.
        last = story.moves[-1].at if story.moves else None
        at = at or self.at(day)
        if last and at <= last:
            at = last + dt.timedelta(minutes=20)
        story.moves.append(
            Move(
                case=story.case,
                at=at,
                step=key,
                source=source,
                target=step.target,
                user_id=post.user_id,
                post=post,
                note=note,
            )
        )
        story.hazard.state = step.target

    def clock(self, story: Story, kind: str, start: dt.date, due: dt.date, basis: str) -> None:
        for earlier in story.clocks:
            earlier.stopped = earlier.stopped or start
        story.clocks.append(
            CaseClock(case=story.case, kind=kind, basis=basis, started=start, due=due)
        )

    def finish(self, story: Story) -> None:
        """Set the envelope from the state that was reached."""
        case, state = story.case, HAZARD.states[story.hazard.state]
        duty = HAZARD.duty(story.hazard.state)
        last = story.moves[-1]
        case.state = story.hazard.state
        case.phase = state.phase
        case.awaits = HAZARD.awaited(story.hazard.state)
        case.version = len(story.moves)
        running = [clock for clock in story.clocks if clock.stopped is None]
        for clock in running:
            if clock.kind not in state.clocks:
                clock.stopped = timezone.localdate(last.at)
        due = [clock.due for clock in running if clock.stopped is None]
        case.due = min(due) if due else None
        if not state.clocks:
            case.closed_at = last.at
        if duty and duty.not_by:
            for key in duty.not_by:
                barring = [move for move in story.moves if move.step == key]
                if barring:
                    barring[-1].bars_next = True


def load_hazards(spec: dict[str, Any], chance: random.Random, today: dt.date) -> None:
    """Write the hazards of this year so far and the two years before."""
    teller = Teller(spec, chance, today)
    days = []
    for year in (today.year - 2, today.year - 1, today.year):
        for _ in range(spec["per_year"]):
            month = chance.choices(range(1, 13), spec["months"])[0]
            day = dt.date(year, month, chance.randint(1, 28))
            if day <= today:
                days.append(day)
    stories = [teller.tell(number, day) for number, day in enumerate(sorted(days), start=1)]
    Case.objects.bulk_create([story.case for story in stories], batch_size=1000)
    Hazard.objects.bulk_create([story.hazard for story in stories], batch_size=1000)
    Move.objects.bulk_create([m for story in stories for m in story.moves], batch_size=2000)
    CaseClock.objects.bulk_create([c for story in stories for c in story.clocks], batch_size=2000)
    with connection.cursor() as cursor:
        # Keys were given by hand: the sequences go on after them.
        for table, column in (("cases_case", "id"),):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max(id)) FROM {table}"
            )
        cursor.execute("SELECT setval('cases_number', %s)", [len(stories)])

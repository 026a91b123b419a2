"""What families registered and what became of it, child by child, as rows for COPY."""

import datetime as dt
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from xuezheng.domains.admissions.demo.areas import LABELS, Term, moment
from xuezheng.domains.admissions.demo.cases import Cases, Clock, Taken
from xuezheng.domains.admissions.demo.rolls import Child
from xuezheng.domains.admissions.flows import APPLICATION, FOLLOW_UP
from xuezheng.domains.admissions.models import Application, Check, RollEntry
from xuezheng.kernel.access.ciphers import seal, tail_token
from xuezheng.kernel.access.models import Post, User
from xuezheng.kernel.reference.calendar import add_working_days
from xuezheng.registry.demo.rows import Stream

_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
#: Without registration: share of the roll -> outcome ("" is still followed up).
OTHERWISE = (
    (0.010, RollEntry.Outcome.ELSEWHERE),
    (0.013, RollEntry.Outcome.DEFERRED),
    (0.015, RollEntry.Outcome.HOME),
    (0.017, RollEntry.Outcome.SPECIAL),
    (0.020, RollEntry.Outcome.UNTRACEABLE),
    (0.024, RollEntry.Outcome.OPEN),
)
PROOFS = {
    RollEntry.Outcome.ELSEWHERE: "外地学校录取通知书复印件",
    RollEntry.Outcome.DEFERRED: "缓学批准书",
    RollEntry.Outcome.HOME: "送教上门评估结论",
    RollEntry.Outcome.SPECIAL: "特殊教育学校接收函",
    RollEntry.Outcome.UNTRACEABLE: "镇街走访记录，已函告镇街继续查找",
}
FAULTS = (
    ("register", "户口簿首页照片看不清，请重新拍照上传。"),
    ("deed", "不动产权证缺附图页，请补拍。"),
    ("no_home", "请补交父母无房证明。"),
)


@dataclass(frozen=True)
class Pace:
    """How a season goes: shares of families, and how quickly and well the office works.

    `registered`: of the roll by now.  `open`: of those, still with the verifier or the family.
    """

    registered: float
    open: float
    connected: float
    late: float
    rated: float
    grades: Sequence[int]
    follows: bool = True


@dataclass
class Registered:
    """A registration as written: what closing the season needs."""

    child: Child
    code: str
    case_id: int
    number: str
    entry_id: int
    organisation_id: int
    submitted: dt.date
    settled: dt.date | None


@dataclass
class Office:
    """Who acts: verifiers by school, follow-up by town, the admissions officers."""

    officer: Post
    second: Post
    publisher: Post
    schools: dict[int, Post]
    towns: dict[int, Post]

    @classmethod
    def read(cls, officer: User, second: User, publisher: User) -> "Office":
        """From the posts of the district (two queries)."""
        posts = {
            post.user_id: post
            for post in Post.objects.filter(user__in=[officer, second, publisher])
        }
        by_role = {}
        for role in ("site_secretary", "town_officer"):
            rows = Post.objects.filter(role=role).order_by("-id")
            by_role[role] = {post.organisation_id: post for post in rows}
        return cls(
            posts[officer.id], posts[second.id], posts[publisher.id],
            by_role["site_secretary"], by_role["town_officer"],
        )  # fmt: skip


@dataclass
class Book:
    """All rows of admissions, in an order that foreign keys allow."""

    cases: Cases
    days_off: dict[dt.date, bool]
    entries: int = 0
    follow_ups: int = 0
    streams: dict[str, Stream] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table, columns in COLUMNS.items():
            self.streams[table] = Stream(f"admissions_{table}", columns)

    def add(self, table: str, *values: object) -> None:
        """One row."""
        self.streams[table].add(*values)

    def due(self, day: dt.date, days: int) -> dt.date:
        """So many working days after a day."""
        return add_working_days(day, days, self.days_off)


COLUMNS = {
    "rollentry": (
        *("id", "season_id", "pupil_id", "code", "name", "initials", "id_kind", "id_number"),
        *("id_tail", "born_on", "sex", "address", "dwelling_id", "phone", "sources", "town_id"),
        *("school_id", "outcome", "outcome_on", "notice_issued_on"),
    ),
    "application": (
        *("case_id", "entry_id", "season_id", "state", "applicant_id", "channel", "child_name"),
        *("born_on", "sex", "custody_disputed", "register_dwelling_id", "register_date"),
        *("registered_since_birth", "home_dwelling_id", "owner", "share", "title", "title_date"),
        *("residential", "parents_own_no_home", "residence_permit", "permit_date", "points"),
        *("special_needs", "sibling_school_id", "staff_school_id", "grandparents_agreed"),
        *("together", "twin_wish", "faults", "client", "zone_name", "papers_needed"),
        "submitted_on",
        "settled_on",
    ),
    "party": (
        *("application_id", "name", "id_number", "phone", "relation", "main", "confirmed"),
        "added_at",
    ),
    "choice": ("application_id", "intake_id", "rank", "by_rule"),
    "check": (
        *("application_id", "register", "state", "attempts", "asked_at", "answered_at", "answer"),
    ),
    "paper": ("application_id", "kind", "file_id", "added_at"),
    "rating": ("application_id", "grade", "text", "given_on", "organisation_id"),
    "followup": ("case_id", "entry_id", "state", "cause", "outcome", "proof"),
}


def flag(value: bool) -> str:
    """COPY's boolean."""
    return "t" if value else "f"


class Teller:
    """Tells one season."""

    def __init__(
        self, term: Term, book: Book, office: Office, pace: Pace, chance: random.Random,
        today: dt.date, paper_file: object, *, past: bool = False,
    ):  # fmt: skip
        self.term, self.book, self.office, self.pace = term, book, office, pace
        self.chance, self.paper_file = chance, paper_file
        self.opens = timezone.localdate(term.season.opens_at)
        self.closes = timezone.localdate(term.season.closes_at)
        self.today, self.past = today, past
        self.registered: list[Registered] = []
        self.title = LABELS[term.level] + "入学登记"

    # -- the roll

    def code(self) -> str:
        """A pseudonym like applying.new_code, from the source of chance."""
        return "".join(_SIGNS[int(self.chance.random() * len(_SIGNS))] for _ in range(10))

    def tell(self, child: Child) -> None:
        """A child's entry, and its registration or follow-up."""
        share = self.chance.random()
        day = self._day()
        if share < self.pace.registered and day <= self.today:
            self.register(child, day)
            return
        outcome = RollEntry.Outcome.OPEN
        if self.pace.follows:
            part = self.chance.random() * OTHERWISE[-1][0]
            outcome = next(name for limit, name in OTHERWISE if part < limit)
            if self.past and outcome == RollEntry.Outcome.OPEN:
                outcome = RollEntry.Outcome.ELSEWHERE
        self.follow(child, outcome)

    def _day(self) -> dt.date:
        """Half of the families come on the first two days, although that is no advantage."""
        span = (self.closes - self.opens).days
        share = self.chance.random() ** 2
        return self.opens + dt.timedelta(days=int(span * share))

    def entry(self, child: Child, outcome: str, on: dt.date | None, issued: dt.date | None) -> int:
        """A row of the roll; returns its key.  The lists know most children, twice many of them."""
        self.book.entries += 1
        key = self.book.entries
        sources = ["police"] if child.register else []
        if child.pupil:
            sources.append("kindergarten" if self.term.level == "primary" else "grade6")
        if not sources:
            sources = ["street"]
        place = child.register or child.home
        schools = self.term.schools_at(place)
        self.last_code = self.code()
        self.book.add(
            "rollentry",
            key, self.term.season.id, child.pupil, self.last_code, child.name, child.initials,
            child.id_kind, seal(child.id_number, "admissions_rollentry.id_number"),
            tail_token(child.id_number), child.born, child.sex, place.words, place.id,
            seal(child.guardians[0][3], "admissions_rollentry.phone")
            if child.guardians and child.guardians[0][3] else None,
            json.dumps(sources), child.town_id, (child.at if self.past else None) or
            (schools[0] if schools else None), outcome, on, issued,
        )  # fmt: skip
        return key

    def follow(self, child: Child, outcome: str) -> None:
        """Nobody registered the child: the town finds out why."""
        begun = self.closes + dt.timedelta(days=3)
        towns = self.office.towns
        if not self.pace.follows or begun > self.today or child.town_id not in towns:
            self.entry(child, RollEntry.Outcome.OPEN, None, None)
            return
        book, chance, officer = self.book, self.chance, self.office.officer
        if outcome == RollEntry.Outcome.OPEN and chance.random() < 0.85:
            # Lately found on a list that came late.
            begun = min(self.today, begun + dt.timedelta(days=44))
        due = book.due(begun, 10)
        taken = [Taken(moment(begun, 9, int(chance.random() * 60)), "open", officer)]
        settled = None
        if outcome != RollEntry.Outcome.OPEN:
            days = int(chance.random() ** 2 * 16) + 1
            reported = begun + dt.timedelta(days=days)
            settled = reported + dt.timedelta(days=1 + int(chance.random() * 2))
            town = towns[child.town_id]
            if reported <= self.today:
                taken.append(Taken(moment(reported, 10), "report", town, note=PROOFS[outcome]))
            if settled <= self.today:
                taken.append(Taken(moment(settled, 15), "settle", self.office.officer))
            else:
                settled = None
        key = self.entry(child, outcome if settled else "", settled, None)
        clock = Clock("contact", "10个工作日内查明去向", begun, due, settled)
        case_id, _number, state = book.cases.add(
            FOLLOW_UP,
            title=LABELS[self.term.level] + "适龄儿童未登记追踪",
            organisation_id=child.town_id,
            taken=taken,
            clocks=[clock],
        )
        proof = PROOFS[outcome] if settled else ""
        book.add("followup", case_id, key, state, "unregistered", outcome if settled else "", proof)
        book.follow_ups += 1

    # -- registrations

    def register(
        self, child: Child, day: dt.date, *, applicant: int | None = None, faults: bool = False
    ) -> Registered:
        """A family registers its child; the school of its area checks."""
        chance, term, book = self.chance, self.term, self.book
        schools = list(
            dict.fromkeys([*term.schools_at(child.register), *term.schools_at(child.home)])
        )
        organisation = child.at if self.past else (schools[0] if len(schools) == 1 else None)
        organisation = organisation or term.season.organisation_id
        facts = self._facts(child)
        papers = facts["papers"]
        taken, clocks, settled = self._checking(
            day, organisation, applicant, bool(papers), faults=faults
        )
        issued = None
        key = self.entry(child, RollEntry.Outcome.REGISTERED, day, issued)
        code = self.last_code
        case_id, number, state = book.cases.add(
            APPLICATION,
            title=self.title,
            organisation_id=organisation,
            taken=taken,
            clocks=clocks,
        )
        zones = list(dict.fromkeys([*term.zones_at(child.register), *term.zones_at(child.home)]))
        given = [
            {"code": name, "note": note} for name, note in FAULTS[:2]
        ] if state == "correcting" else []  # fmt: skip
        channel = "online" if applicant else self._channel()
        book.add(
            "application",
            case_id, key, term.season.id, state, applicant, channel, child.name, child.born,
            child.sex, "f", child.register.id if child.register else None,
            facts["register_date"], flag(facts["since_birth"]),
            child.home.id if child.home else None, facts["owner"], facts["share"], facts["title"],
            facts["title_date"], "t", flag(facts["owner"] == "none"), flag(facts["permit"]),
            facts["permit_date"], None, flag(chance.random() < 0.008), None, None,
            flag(facts["owner"] == "grandparent"), None, "", json.dumps(given, ensure_ascii=False), "",
            "、".join(term.zone_names[zone] for zone in zones)[:60], flag(bool(papers)), day,
            settled,
        )  # fmt: skip
        self._parties(child, case_id, day, applicant)
        self._checks(facts, case_id, day)
        for kind in papers if settled or state == "correcting" else []:
            book.add("paper", case_id, kind, self.paper_file, moment(day, 20))
        self._choices(case_id, schools, child)
        made = Registered(child, code, case_id, number, key, organisation, day, settled)
        if settled and chance.random() < self.pace.rated:
            self._rate(made)
        self.registered.append(made)
        return made

    def _channel(self) -> str:
        draw = self.chance.random()
        wide = 0.05 if self.past else 0
        if draw < 0.91 - wide:
            return Application.Channel.ONLINE
        return Application.Channel.COUNTER if draw < 0.975 else Application.Channel.PAPER

    def _facts(self, child: Child) -> dict:
        """Household register, home and permit; what no register could confirm wants a paper."""
        chance = self.chance
        latest = self.opens - dt.timedelta(days=60)

        def day(first: dt.date) -> dt.date:
            first = min(first, latest)
            return first + dt.timedelta(days=int((latest - first).days * chance.random()))

        since_birth = bool(child.register) and chance.random() < 0.55
        register_date = None
        if child.register:
            born = child.born + dt.timedelta(days=12 + int(chance.random() * 30))
            register_date = born if since_birth else day(child.born + dt.timedelta(days=60))
        draw = chance.random()
        owns = 0.9 if child.register else 0.42
        owner = (
            "parent" if draw < owns else "grandparent" if child.register and draw < 0.96 else "none"
        )
        permit = not child.register and (owner == "none" or chance.random() < 0.5)
        papers, states = [], {}
        for register, kind, asked in (
            (Check.Register.POLICE, "register", bool(child.register)),
            (Check.Register.PROPERTY, "deed", owner != "none"),
            (Check.Register.LABOUR, "permit", permit),
        ):
            if not asked:
                continue
            good = chance.random() < self.pace.connected
            states[register] = "confirmed" if good else chance.choice(
                ["not_found", "different", "no_answer"]
            )  # fmt: skip
            if not good:
                papers.append(kind)
        return {
            "since_birth": since_birth,
            "register_date": register_date,
            "owner": owner,
            "share": 100 if owner == "parent" else 0,
            "title": "" if owner == "none" else "contract" if chance.random() < 0.06 else "deed",
            "title_date": None if owner == "none" else day(child.born - dt.timedelta(days=1500)),
            "permit": permit,
            "permit_date": day(self.opens - dt.timedelta(days=1500)) if permit else None,
            "papers": papers,
            "states": states,
        }

    def _checking(
        self, day: dt.date, organisation: int, applicant: int | None, slow: bool, *, faults: bool
    ) -> tuple[list[Taken], list[Clock], dt.date | None]:
        """The steps up to now, their clocks, the day on which checking passed it."""
        chance, book = self.chance, self.book
        verifier = self.office.schools.get(organisation, self.office.officer)
        at = moment(day, 7 + int(chance.random() * 14), int(chance.random() * 60))
        taken = [Taken(at, "submit", user_id=applicant)]
        due = book.due(day, 5)
        basis = "提交后5个工作日内核验"
        stays = chance.random() < self.pace.open
        back = faults or (slow and chance.random() < 0.12)
        if back:
            told = min(book.due(day, 2), self.today)
            note = "；".join(note for _code, note in FAULTS[:2])
            taken.append(Taken(moment(told, 22), "return", verifier, note=note))
            first = Clock("verification", basis, day, due, told)
            until = book.due(told, 5)
            if faults or (stays and told > self.today - dt.timedelta(days=6)):
                running = Clock("correction", "一次告知后5个工作日内补正", told, until)
                return taken, [first, running], None
            day = min(told + dt.timedelta(days=1 + int(chance.random() * 3)), self.today)
            taken.append(Taken(moment(day, 22, 30), "correct", user_id=applicant))
            done = Clock("correction", "一次告知后5个工作日内补正", told, until, day)
            clocks, due, basis = [first, done], book.due(day, 5), "补正后5个工作日内核验"
        else:
            clocks = []
        wait = 7 + int(chance.random() * 4) if chance.random() < self.pace.late else int(
            chance.random() * 3.6
        )  # fmt: skip
        settled = day if wait == 0 else book.due(day, wait)
        if (stays and not back) or settled > self.today:
            return taken, [*clocks, Clock("verification", basis, day, due)], None
        taken.append(Taken(moment(settled, 22, 45), "verify", verifier))
        result = self.term.season.result_on
        waiting = Clock("result", "按招生日程公布结果", settled, result)
        return taken, [*clocks, Clock("verification", basis, day, due, settled), waiting], settled

    def _parties(self, child: Child, case_id: int, day: dt.date, applicant: int | None) -> None:
        for place, (relation, name, number, phone) in enumerate(child.guardians[:2]):
            self.book.add(
                "party", case_id, name,
                seal(number, "admissions_party.id_number") if number else None,
                seal(phone, "admissions_party.phone") if phone else None,
                relation, flag(place == 0), flag(place == 0), moment(day, 7),
            )  # fmt: skip

    def _checks(self, facts: dict, case_id: int, day: dt.date) -> None:
        answered = moment(day, 7)
        for register, state in facts["states"].items():
            told = "{}"
            if state == "confirmed":
                keys = {
                    "police": ("register_date",),
                    "property": ("owner", "share", "title", "title_date"),
                    "labour": ("permit_date",),
                }[register]
                said: dict[str, object] = {key: str(facts[key]) for key in keys}
                if register == "police":
                    said["parents_named"] = True
                told = json.dumps(said)
            self.book.add(
                "check", case_id, register, state, 3 if state == "no_answer" else 1, answered,
                None if state == "no_answer" else answered, seal(told, "admissions_check.answer"),
            )  # fmt: skip

    def _choices(self, case_id: int, schools: Sequence[int], child: Child) -> None:
        term = self.term
        if self.past:
            # Where the child went stands first; its area's schools behind make the list one to try
            # other rules on.
            there = term.intakes.get(child.at)
            others = [s for s in dict.fromkeys(schools) if s != child.at and s in term.intakes]
            if there:
                self.book.add("choice", case_id, there.id, 1, flag(child.at in schools))
            for rank, school in enumerate(others, start=2):
                self.book.add("choice", case_id, term.intakes[school].id, rank, "t")
            return
        wanted = [term.private] if term.private in term.intakes and self._wants_private() else []
        sent_on = [target for full in schools for target in term.redirected.get(full, [])]
        on_list = dict.fromkeys([*wanted, *schools, *sent_on])
        for rank, school in enumerate(on_list, start=1):
            self.book.add(
                "choice", case_id, term.intakes[school].id, rank, flag(school not in wanted)
            )

    def _wants_private(self) -> bool:
        return len(self.registered) % self.term.private_each == 0

    def _rate(self, made: Registered) -> None:
        last = self.today if not self.past else made.settled + dt.timedelta(days=20)
        day = min(made.settled + dt.timedelta(days=1 + int(self.chance.random() * 9)), last)
        grade = self.chance.choices((1, 2, 3, 4, 5), self.pace.grades)[0]
        self.book.add("rating", made.case_id, grade, "", day, made.organisation_id)

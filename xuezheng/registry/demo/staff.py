"""Staff and their employments: they come, move between schools, retire; degrees become more usual.

Heads, secretaries and teachers who have accounts are linked to them.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from xuezheng.kernel.access.ciphers import seal
from xuezheng.kernel.access.models import Post
from xuezheng.registry import roles
from xuezheng.registry.demo.families import PERSON_COLUMNS, person_row
from xuezheng.registry.demo.invent import Inventor, days_between
from xuezheng.registry.demo.plan import SHORT_BEFORE, SHORT_NOW, STAGES, Calendar, Site
from xuezheng.registry.demo.rows import Stream
from xuezheng.registry.names import initials
from xuezheng.registry.organisations import OrganisationKind

#: Children to one teacher, by stage; how many more people of other categories, relative to teachers.
PER_TEACHER = {
    "kindergarten": 16,
    "primary": 18.5,
    "junior": 13.5,
    "senior": 12.5,
    "vocational": 14,
}
SPECIAL_PER_TEACHER = 3
OTHERS = (("admin", 0.02), ("assistant", 0.04), ("support", 0.07))
#: Of the teachers, each summer: retire, move to another school.
RETIRING, MOVING = 0.045, 0.035
#: Share with a bachelor's degree or more by age at which one was born (years before today).
DEGREES = ((32, 0.97), (40, 0.9), (48, 0.76), (99, 0.52))
CATEGORY_OF = {
    roles.SITE_HEAD: "admin",
    roles.SITE_SECRETARY: "admin",
    roles.TEACHER: "teaching",
}


@dataclass(slots=True)
class Member:
    """A member of staff and the employments [site, from, to]."""

    category: str
    sex: str
    born: dt.date
    education: str
    name: str
    subject: str = ""
    user: int | None = None
    employments: list[list] = field(default_factory=list)


class Staff:
    """Told summer by summer, like the children."""

    def __init__(self, spec: dict[str, Any], invent: Inventor, calendar: Calendar, now: str):
        self.spec, self.invent, self.chance = spec, invent, invent.chance
        self.calendar, self.now = calendar, now
        self.members: list[Member] = []
        self.at: dict[int, list[Member]] = {}
        self.people = Stream(
            "registry_staffmember",
            (
                *PERSON_COLUMNS,
                *("work_number", "phone", "education", "category", "subject", "employed_on"),
                *("user_id", "organisation_id"),
            ),
        )
        self.employments = Stream(
            "registry_employment",
            ("staff_id", "organisation_id", "established", "main", "valid_from", "valid_to"),
        )

    def tell(self, sites: list[Site], peopled: list[Site]) -> None:
        """Everybody who was there at the first day, then each summer."""
        has_children = {site.id for site in peopled}
        accounts = self._accounts()
        for site in sites:
            held = accounts.get(site.id, {})
            for user, (name, role) in held.items():
                self._account(site, user, name, role)
            if site.id in has_children and site.story != "alone":
                self._others(site)
        teaching = [site for site in peopled if site.story != "alone"]
        for year in self.calendar.years[1:]:
            self._summer(year, teaching)

    def _accounts(self) -> dict[int, dict[int, tuple[str, str]]]:
        """Site -> user -> name and role; who holds several posts is counted by the last."""
        found: dict[int, dict[int, tuple[str, str]]] = {}
        posts = Post.objects.filter(role__in=CATEGORY_OF).order_by("id").select_related("user")
        for post in posts:
            found.setdefault(post.organisation_id, {})[post.user_id] = (post.user.name, post.role)
        return found

    def _account(self, site: Site, user: int, name: str, role: str) -> None:
        member = self._person(site, CATEGORY_OF[role], 30, 50)
        member.name, member.user, member.education = name, user, "20"
        self._employ(member, site, self._started(member))

    # -- who is needed

    def _teachers_needed(self, site: Site, year: int) -> int:
        """Teachers for the children of a school year."""
        if site.story == "short":
            last = self.calendar.current - self.calendar.first
            lost = (SHORT_BEFORE - SHORT_NOW) * (year - self.calendar.first) / last
            return SHORT_BEFORE - round(lost)
        needed = 0.0
        for stage in STAGES[site.kind]:
            special = site.kind == OrganisationKind.SPECIAL
            per = SPECIAL_PER_TEACHER if special else PER_TEACHER[stage]
            children = sum(
                one.size
                for one in site.classes
                if one.stage == stage and one.entry <= year < one.ends.year
            )
            needed += children / per
        return max(3, round(needed))

    def _others(self, site: Site) -> None:
        first = self.calendar.first
        teachers = self._teachers_needed(site, first)
        have = sum(m.category == "teaching" for m in self.at.get(site.id, []))
        for _ in range(max(0, teachers - have)):
            member = self._person(site, "teaching", 23, 58)
            self._employ(member, site, self._started(member))
        rest = [(category, round(teachers * share)) for category, share in OTHERS]
        if site.kind == OrganisationKind.KINDERGARTEN:
            running = [o for o in site.classes if o.entry <= first < o.ends.year]
            rest.append(("care", len(running)))
        for category, count in rest:
            for _ in range(count):
                member = self._person(site, category, 26, 57)
                self._employ(member, site, self._started(member))

    # -- each summer

    def _summer(self, year: int, sites: list[Site]) -> None:
        last = dt.date(year, 7, 31)
        begins = dt.date(year, 8, 1)
        for site in sites:
            free = [m for m in self.at[site.id] if m.user is None and m.category == "teaching"]
            free.sort(key=lambda member: member.born)
            leaving = round(len(free) * RETIRING + self.chance.random() - 0.5)
            if site.story == "short":
                leaving = max(0, self._count(site) - self._teachers_needed(site, year))
            for member in free[: max(0, leaving)]:
                self._leave(member, site, last)
        for _ in range(round(sum(self._count(site) for site in sites) * MOVING / 2)):
            self._exchange(sites, begins)
        for site in sites:
            for _ in range(self._teachers_needed(site, year) - self._count(site)):
                member = self._person(site, "teaching", 22, 27)
                self._employ(member, site, begins)

    def _count(self, site: Site) -> int:
        return sum(member.category == "teaching" for member in self.at[site.id])

    def _exchange(self, sites: list[Site], begins: dt.date) -> None:
        """Two teachers of two schools of one kind change places (交流轮岗)."""
        one = sites[int(self.chance.random() * len(sites))]
        alike = [site for site in sites if site.kind == one.kind and site is not one]
        if not alike or one.story == "short":
            return
        other = alike[int(self.chance.random() * len(alike))]
        if other.story == "short":
            return
        pair = [
            next(
                (
                    m
                    for m in self.at[site.id]
                    if m.user is None and m.category == "teaching" and m.employments[-1][1] < begins
                ),
                None,
            )
            for site in (one, other)
        ]
        if None in pair:
            return
        for member, old, new in ((pair[0], one, other), (pair[1], other, one)):
            self._leave(member, old, begins - dt.timedelta(days=1))
            self._employ(member, new, begins)

    def _leave(self, member: Member, site: Site, last: dt.date) -> None:
        member.employments[-1][2] = last
        self.at[site.id].remove(member)

    def _employ(self, member: Member, site: Site, since: dt.date) -> None:
        member.employments.append([site, since, None])
        self.at.setdefault(site.id, []).append(member)

    # -- one person

    def _person(self, site: Site, category: str, youngest: int, oldest: int) -> Member:
        chance, invent = self.chance, self.invent
        today = self.calendar.today
        at = self.calendar.first if oldest > 30 else self.calendar.current
        born = days_between(
            dt.date(at - oldest, 1, 1), dt.date(at - youngest, 1, 1), chance.random()
        )
        sex = "1" if chance.random() < 0.28 else "2"
        if site.kind == OrganisationKind.KINDERGARTEN and category in {"teaching", "care"}:
            sex = "2" if chance.random() < 0.97 else "1"
        age = today.year - born.year
        share = next(share for limit, share in DEGREES if age <= limit)
        if site.kind == OrganisationKind.KINDERGARTEN:
            share -= 0.18
        education = "30"
        if category in {"care", "support"}:
            education = "60" if chance.random() < 0.6 else "40"
        elif chance.random() < share:
            education = "14" if chance.random() < 0.05 else "20"
        subject = ""
        if category == "teaching" and site.kind in STAGES:
            stage = STAGES[site.kind][-1]
            subjects = self.spec["subjects"].get("senior" if stage == "vocational" else stage)
            subject = chance.choice(subjects) if subjects else ""
        member = Member(
            category, sex, born, education, invent.surname() + invent.given(sex), subject
        )
        self.members.append(member)
        return member

    def _started(self, member: Member) -> dt.date:
        """When somebody who was there from the beginning came: in some earlier August."""
        years = max(0, self.calendar.first - member.born.year - 23)
        since = self.calendar.first - int(self.chance.random() * min(years + 1, 15))
        return dt.date(since, 8, 1)

    def write(self) -> None:
        """All rows."""
        for serial, member in enumerate(self.members, start=1):
            key = self.invent.key()
            site, _since, until = member.employments[-1]
            number = self.invent.citizen(member.born, member.sex)
            person_row(
                self.people,
                "registry_staffmember.id_number",
                *(key, member.name, member.sex, member.born, number, self.now),
                f"9{serial:06d}",
                seal(self.invent.phone(), "registry_staffmember.phone"),
                member.education,
                member.category,
                member.subject,
                dt.date(max(member.employments[0][1].year, member.born.year + 22), 8, 1),
                member.user,
                None if until else site.id,
                # Names of accounts come from elsewhere and are read as a whole.
                letters=initials,
            )
            established = member.category != "support" and self.chance.random() < 0.86
            for place, begins, ends in member.employments:
                self.employments.add(key, place.id, "t" if established else "f", "t", begins, ends)

"""Children through three school years: they enter, move on, move, change class, pause, leave.

Told year by year, so that everybody's placements follow each other; what services/placing.py would
have left.  A move exchanges two children of one age, so that classes keep their planned sizes.
"""

import datetime as dt

from xuezheng.kernel.access.ciphers import seal
from xuezheng.registry.codes import STAGE_YEARS
from xuezheng.registry.demo.families import PERSON_COLUMNS, Child, Families, Family, person_row
from xuezheng.registry.demo.invent import Inventor, days_between
from xuezheng.registry.demo.plan import ALL_TOWNS, COHORT, ENTRY_AGE, Calendar, Class
from xuezheng.registry.demo.rows import Stream
from xuezheng.registry.organisations import OrganisationKind

DAY = dt.timedelta(days=1)
#: Stage -> the stage whose leavers enter it.
BEFORE = {
    "primary": "kindergarten",
    "junior": "primary",
    "senior": "junior",
    "vocational": "junior",
}
#: What happens in a school year, per thousand children.
EXCHANGES, CLASS_CHANGES, IN_AND_OUT, PAUSES = 4, 2, 4, 0.6
#: Per thousand: one year older than the grade; without a number yet; with a number, at no school.
REPEATERS, NUMBERLESS = 5, 15
UNPLACED = 14
#: Pairs of rows that are one child: entered at two schools, without or with a slip in the number.
TWICE_NUMBERLESS, TWICE_SLIP = 4, 4
#: Families of which two schools have each entered the father.
FATHER_TWICE = 6
#: Days (month, day) of a school year on which children move; the second term is in the next year.
MOVING = ((10, 12), (11, 5), (2, 24), (3, 18), (4, 20))


class Story:
    """Fills the classes and tells what happened to the children."""

    def __init__(self, invent: Inventor, families: Families, calendar: Calendar):
        self.invent, self.chance = invent, invent.chance
        self.families, self.calendar = families, calendar
        self.children: list[Child] = []
        #: (stage, town) -> those who have just left the stage there; special schools apart.
        self._leavers: dict[tuple[str, str], list[Child]] = {}

    def tell(self, classes: list[Class]) -> None:
        """All years, up to the day."""
        by_entry: dict[tuple[int, str], list[Class]] = {}
        for one in classes:
            by_entry.setdefault((one.entry, one.stage), []).append(one)
        first = min(one.entry for one in classes)
        for year in range(first, self.calendar.current + 1):
            self._end(year, classes)
            for stage in COHORT:
                self._fill(by_entry.get((year, stage), []))
            self._go()
            if year in self.calendar.years:
                self._events(year, classes)
        self._unplaced(classes)
        self._twice(classes)

    # -- entering and leaving

    def _end(self, year: int, classes: list[Class]) -> None:
        for one in classes:
            if one.entry + STAGE_YEARS[one.stage] != year:
                continue
            for child in one.members:
                child.placements[-1][3] = one.ends
                self._leavers.setdefault(self._pool(one, one.stage), []).append(child)

    def _pool(self, one: Class, stage: str) -> tuple[str, str]:
        special = one.site.kind == OrganisationKind.SPECIAL
        return stage, one.site.code if special else one.site.town

    def _fill(self, classes: list[Class]) -> None:
        """First with leavers of the own town, then of other towns, then with newcomers."""
        for one in classes:
            pool = self._leavers.get(self._pool(one, BEFORE.get(one.stage, "")), [])
            while pool and len(one.members) < one.size:
                self._enter(pool.pop(int(self.chance.random() * len(pool))), one, one.opened)
        for one in classes:
            before = BEFORE.get(one.stage, "")
            special = one.site.kind == OrganisationKind.SPECIAL
            while len(one.members) < one.size:
                pools = [self._leavers.get((before, town), []) for town in ALL_TOWNS]
                fullest = [] if special else max(pools, key=len)
                child = fullest.pop() if fullest else self._newcomer(one)
                self._enter(child, one, one.opened)

    def _newcomer(self, one: Class) -> Child:
        age = ENTRY_AGE[one.stage]
        first = dt.date(one.entry - age - 1, 9, 1)
        last = dt.date(one.entry - age, 8, 31)
        born = days_between(first, last, self.chance.random())
        if one.stage != "kindergarten" and self.chance.random() < REPEATERS / 1000:
            born = days_between(
                first.replace(year=first.year - 1), first - DAY, self.chance.random()
            )
        child = self.families.child(born, one.site.town)
        self.children.append(child)
        return child

    def _enter(self, child: Child, one: Class, on: dt.date, code: str = "") -> None:
        child.placements.append([one.site, one, on, None, code, ""])
        one.members.append(child)

    def _go(self) -> None:
        """Whoever found no place in the district has left it: graduated, or at school elsewhere."""
        for (stage, _place), pool in self._leavers.items():
            for child in pool:
                graduated = stage in {"junior", "senior", "vocational"}
                child.placements[-1][5] = "61" if graduated else "21"
                child.status = "07" if graduated else "10"
            pool.clear()

    # -- what happens within a year

    def _days(self, year: int) -> list[dt.date]:
        days = [dt.date(year if month >= 9 else year + 1, month, day) for month, day in MOVING]
        return [day for day in days if day < self.calendar.today]

    def _events(self, year: int, classes: list[Class]) -> None:
        active = [one for one in classes if one.entry <= year < one.entry + STAGE_YEARS[one.stage]]
        days = self._days(year)
        if not days:
            return
        alike: dict[tuple[str, int], list[Class]] = {}
        for one in active:
            if one.site.kind != OrganisationKind.SPECIAL:
                alike.setdefault((one.stage, one.entry), []).append(one)
        thousands = sum(len(one.members) for one in active) / 1000
        # On each day everything, so that nobody's later placement is told before an earlier one.
        for day in days:
            for _ in range(round(thousands * EXCHANGES / len(days) / 2) or 1):
                group = self._pick(list(alike.values()))
                left, right = self._pick(group), self._pick(group)
                if left.site is not right.site:
                    self._swap(left, right, day, "21", "22")
            for _ in range(round(thousands * CLASS_CHANGES / len(days) / 2) or 1):
                left = self._pick(active)
                siblings = [
                    one
                    for one in left.site.classes
                    if one is not left and (one.stage, one.entry) == (left.stage, left.entry)
                ]
                if siblings:
                    self._swap(left, self._pick(siblings), day, "29", "29")
            for _ in range(round(thousands * IN_AND_OUT / len(days) / 2) or 1):
                self._replace(self._pick(active), day)
            for _ in range(round(thousands * PAUSES / len(days)) or 1):
                self._pause(self._pick(active), day)

    def _pick(self, things: list):
        return things[int(self.chance.random() * len(things))]

    def _move(self, child: Child, one: Class, day: dt.date, out: str, into: str) -> None:
        child.placements[-1][3], child.placements[-1][5] = day - DAY, out
        child.placements.append([one.site, one, day, None, into, ""])

    def _may_move(self, child: Child, day: dt.date) -> bool:
        return child.status == "01" and child.placements[-1][2] < day

    def _swap(self, left: Class, right: Class, day: dt.date, out: str, into: str) -> None:
        here = int(self.chance.random() * len(left.members))
        there = int(self.chance.random() * len(right.members))
        one, other = left.members[here], right.members[there]
        if not (self._may_move(one, day) and self._may_move(other, day)):
            return
        self._move(one, right, day, out, into)
        self._move(other, left, day, out, into)
        left.members[here], right.members[there] = other, one

    def _replace(self, one: Class, day: dt.date) -> None:
        """One child leaves the district, another comes from outside."""
        place = int(self.chance.random() * len(one.members))
        gone = one.members[place]
        if not self._may_move(gone, day):
            return
        gone.placements[-1][3], gone.placements[-1][5] = day - DAY, "21"
        gone.status = "10"
        come = self._newcomer(one)
        come.placements.append([one.site, one, day, None, "22", ""])
        one.members[place] = come

    def _pause(self, one: Class, day: dt.date) -> None:
        """休学 with school and class kept; after a year 复学, if that has passed."""
        child = self._pick(one.members)
        back = day.replace(year=day.year + 1)
        if one.stage == "kindergarten" or back > one.ends or not self._may_move(child, day):
            return
        self._move(child, one, day, "11", "11")
        if back < self.calendar.today:
            self._move(child, one, back, "12", "12")
        else:
            child.status = "02"

    # -- the untidy ends of the story

    def _unplaced(self, classes: list[Class]) -> None:
        """Children who have come to the district and are at no school yet."""
        newest = [one for one in classes if one.entry == self.calendar.current]
        for _ in range(UNPLACED):
            self._newcomer(self._pick(newest))

    def _twice(self, classes: list[Class]) -> None:
        """The same child entered at a second school, and fathers entered twice."""
        active = [
            one
            for one in classes
            if one.ends >= self.calendar.today and one.stage in {"primary", "junior"}
        ]
        doubles = 0
        while doubles < TWICE_NUMBERLESS + TWICE_SLIP:
            one = self._pick(active)
            others = [
                other
                for other in active
                if other.site is not one.site and other.stage == one.stage and other.site.story == ""
                and other.entry == one.entry and len(other.members) < 40
            ]  # fmt: skip
            child = self._pick(one.members)
            if not others or child.family.children[0] is not child or child.status != "01":
                continue
            other = self._pick(others)
            family = Family(child.family.surname, other.site.town, child.family.area, child.born)
            again = Child(self.invent.key(), child.sex, child.born, family, child.name)
            again.twin = child
            again.numberless = doubles < TWICE_NUMBERLESS
            family.children.append(again)
            self.children.append(again)
            self.families.all.append(family)
            family.same_as = child.family
            began = max(one.opened, dt.date(self.calendar.current, 9, 1))
            again.placements.append([other.site, other, began, None, "", ""])
            other.members.append(again)
            doubles += 1
        shared = [f for f in self.families.all if len(f.children) > 1 and f.same_as is None]
        for family in shared[:: max(1, len(shared) // FATHER_TWICE)][:FATHER_TWICE]:
            family.father_twice = True


class Pupils:
    """The rows of children and of their placements."""

    def __init__(self, invent: Inventor, now: str):
        self.invent, self.now = invent, now
        self.pupils = Stream(
            "registry_pupil",
            (
                *PERSON_COLUMNS,
                *("former_name", "student_number", "ethnicity", "nationality"),
                *("register_division", "status", "boarding", "entered_on"),
                *("organisation_id", "school_class_id"),
            ),
        )
        self.placements = Stream(
            "registry_placement",
            (
                *("pupil_id", "organisation_id", "school_class_id"),
                *("valid_from", "valid_to", "entry_code", "exit_code"),
            ),
        )

    def write(self, child: Child) -> None:
        """One child's rows."""
        chance = self.invent.chance
        area = child.family.area
        number = None
        if not child.numberless and (child.twin or chance.random() >= NUMBERLESS / 1000):
            number = self.invent.citizen(child.born, child.sex, area)
        at = child.placements[-1] if child.placements else None
        stage = at[1].stage if at else "kindergarten"
        status_number = None
        if stage != "kindergarten" and not child.twin:
            serial = chance.getrandbits(56) % 10**16
            status_number = f"G{number}" if number else f"L{area[:4]}{serial:016d}"[:19]
        placed = at is not None and at[3] is None
        away = stage in {"senior", "vocational"} or (stage == "junior" and at[0].island)
        person_row(
            self.pupils,
            "registry_pupil.id_number",
            *(child.key, child.name, child.sex, child.born, number, self.now),
            "",
            seal(status_number, "registry_pupil.student_number") if status_number else None,
            "01" if chance.random() < 0.965 else f"{2 + int(chance.random() * 22):02d}",
            "CHN",
            area,
            child.status,
            "2" if away and chance.random() < 0.6 else "1",
            entered(child),
            at[0].id if placed else None,
            at[1].id if placed else None,
        )
        for site, one, since, until, entry, leaving in child.placements:
            self.placements.add(child.key, site.id, one.id, since, until, entry, leaving)


def entered(child: Child) -> dt.date | None:
    """The day on which a child entered the school where it is or was last."""
    if not child.placements:
        return None
    last = child.placements[-1][0]
    day = child.placements[-1][2]
    for placement in reversed(child.placements):
        if placement[0] is not last:
            break
        day = placement[2]
    return day

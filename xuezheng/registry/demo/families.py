"""Families: guardians, a dwelling, one child or two."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from xuezheng.kernel.access.ciphers import seal, tail_token
from xuezheng.registry.demo.invent import HOME, Inventor, days_between, initials_of
from xuezheng.registry.demo.rows import Stream

#: Share of children who have an older brother or sister at the district's schools.
SIBLINGS = 0.12
#: Relations of GB/T 4761 by who looks after the child.
FATHER, MOTHER, GRANDFATHER, GRANDMOTHER = "51", "52", "61", "62"
_SEX = {FATHER: "1", MOTHER: "2", GRANDFATHER: "1", GRANDMOTHER: "2"}


@dataclass(slots=True)
class Child:
    """A pupil being told: who it is, and its placements [site, class, from, to, entry, exit]."""

    key: str
    sex: str
    born: dt.date
    family: "Family"
    name: str
    placements: list[list] = field(default_factory=list)
    status: str = "01"
    #: The row that this one repeats: the child was entered a second time.
    twin: "Child | None" = None
    numberless: bool = False


@dataclass(slots=True)
class Family:
    """Surname, town, area code of registration; a second entry of one says of which."""

    surname: str
    town: str
    area: str
    eldest: dt.date
    children: list[Child] = field(default_factory=list)
    #: relation -> (name, sex, born, number, phone) of each guardian.
    guardians: dict[str, tuple] = field(default_factory=dict)
    same_as: "Family | None" = None
    father_twice: bool = False
    dwelling: int = 0


def person_row(
    stream: Stream,
    column: str,
    key: str,
    name: str,
    sex: str,
    born: dt.date,
    number: str | None,
    now: str,
    *more: object,
    letters: Callable[[str], str] = initials_of,
) -> None:
    """The columns that all people have, sealed for `column` (table.id_number), then `more`."""
    stream.add(
        key,
        name,
        letters(name),
        sex,
        born,
        "1",
        seal(number, column) if number else None,
        tail_token(number or ""),
        "f",
        1,
        now,
        *more,
    )


PERSON_COLUMNS = (
    "id", "name", "initials", "sex", "born_on", "id_kind", "id_number", "id_tail",
    "opening_balance", "version", "updated_at",
)  # fmt: skip


class Families:
    """Finds or founds the family of each child, and writes guardians and guardianships."""

    def __init__(self, invent: Inventor, now: str):
        self.invent, self.chance, self.now = invent, invent.chance, now
        self.all: list[Family] = []
        self._waiting: dict[str, list[Family]] = {}
        self.guardians = Stream("registry_guardian", (*PERSON_COLUMNS, "phone"))
        self.guardianships = Stream(
            "registry_guardianship", ("pupil_id", "guardian_id", "relation", "main", "valid_from")
        )

    def child(self, born: dt.date, town: str) -> Child:
        """A new child of a town, sometimes a brother or sister of one there."""
        invent = self.invent
        family = self._with_room(born, town) or self._found(born, town)
        sex = invent.sex()
        taken = {child.name for child in family.children}
        name = family.surname + invent.given(sex, "child")
        while name in taken:
            name = family.surname + invent.given(sex, "child")
        child = Child(invent.key(), sex, born, family, name)
        family.children.append(child)
        return child

    def _with_room(self, born: dt.date, town: str) -> Family | None:
        if self.chance.random() > SIBLINGS * 1.15:
            return None
        waiting = self._waiting.get(town, [])
        for _attempt in range(6 if waiting else 0):
            place = int(self.chance.random() * len(waiting))
            gap = abs((waiting[place].eldest - born).days)
            if 500 < gap < 3600:
                waiting[place], waiting[-1] = waiting[-1], waiting[place]
                return waiting.pop()
        return None

    def _found(self, born: dt.date, town: str) -> Family:
        area = HOME if self.chance.random() < 0.82 else self.invent.outside_area()
        family = Family(self.invent.surname(), town, area, born)
        self.all.append(family)
        self._waiting.setdefault(town, []).append(family)
        return family

    def write_guardians(self, since: Callable[[Child], dt.date]) -> None:
        """Guardians of every family; each answers for all of its children from their first day."""
        for family in self.all:
            again = family.same_as
            if again:
                relations = tuple(again.guardians)[:1]
            else:
                relations = (FATHER, MOTHER) if family.father_twice else self._relations()
            for place, relation in enumerate(relations):
                particulars = again.guardians[relation] if again else self._invent(family, relation)
                family.guardians[relation] = particulars
                key = self._write(particulars)
                for child in family.children:
                    if (
                        family.father_twice
                        and relation == FATHER
                        and child is not family.children[0]
                    ):
                        # The younger one's school did not see that the father was there already.
                        key = self._write(particulars)
                    self.guardianships.add(
                        child.key, key, relation, "t" if place == 0 else "f", since(child)
                    )

    def _relations(self) -> tuple[str, ...]:
        """Who looks after a family's children, the first to be called first."""
        draw = self.chance.random()
        if draw < 0.80:
            return (FATHER, MOTHER) if draw < 0.45 else (MOTHER, FATHER)
        if draw < 0.95:
            return (MOTHER,) if draw < 0.90 else (FATHER,)
        # Parents work elsewhere.
        return (GRANDMOTHER, FATHER) if draw < 0.98 else (GRANDFATHER, MOTHER)

    def _invent(self, family: Family, relation: str) -> tuple:
        invent, sex = self.invent, _SEX[relation]
        generation = 50 if relation in {GRANDFATHER, GRANDMOTHER} else 24
        oldest = family.eldest - dt.timedelta(days=365 * (generation + 13))
        youngest = family.eldest - dt.timedelta(days=365 * generation)
        born = days_between(oldest, youngest, self.chance.random())
        surname = family.surname if relation in {FATHER, GRANDFATHER} else invent.surname()
        number = invent.citizen(born, sex, family.area)
        return surname + invent.given(sex), sex, born, number, invent.phone()

    def _write(self, particulars: tuple) -> str:
        """A guardian's row; returns its key."""
        name, sex, born, number, phone = particulars
        key = self.invent.key()
        person_row(
            self.guardians,
            "registry_guardian.id_number",
            *(key, name, sex, born, number, self.now),
            seal(phone, "registry_guardian.phone"),
        )
        return key

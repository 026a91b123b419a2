"""Rules on people: what an identity number says, and how alike two rows are.  Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xuezheng.registry.codes import CITIZEN_ID, citizen_birth, citizen_id_problem, citizen_sex

#: Nobody at school or in service was born before.
EARLIEST_BIRTH = dt.date(1900, 1, 1)


@dataclass(frozen=True)
class Identity:
    """What is known after looking at a number: problem ("" when fine), birth and sex.

    Problems: "shape", "date", "check" of GB 11643-1999; "birth" and "sex" when what was typed
    contradicts the number; "future" for a birth after the day; "age" for one outside the span of
    days in which such a person may be born.
    """

    problem: str
    born_on: dt.date | None
    sex: str


def identity(
    kind: str,
    number: str,
    *,
    born_on: dt.date | None,
    sex: str,
    day: dt.date,
    span: tuple[dt.date, dt.date] | None = None,
) -> Identity:
    """Check a number against what was typed; a citizen number gives birth and sex by itself.

    Other kinds and a missing number leave what was typed (sex "0" is unknown).  `span`: first and
    last day on which such a person may be born, where there are any (born_span).
    """
    if kind == CITIZEN_ID and number:
        problem = citizen_id_problem(number)
        if problem:
            return Identity(problem, born_on, sex)
        said_birth, said_sex = citizen_birth(number), citizen_sex(number)
        if born_on and born_on != said_birth:
            return Identity("birth", born_on, sex)
        if sex in {"1", "2"} and sex != said_sex:
            return Identity("sex", born_on, sex)
        born_on, sex = said_birth, said_sex
    if born_on and not EARLIEST_BIRTH <= born_on <= day:
        return Identity("future", born_on, sex)
    if born_on and span and not span[0] <= born_on <= span[1]:
        return Identity("age", born_on, sex)
    return Identity("", born_on, sex)


def _years_before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


def born_span(day: dt.date, *, youngest: int, oldest: int) -> tuple[dt.date, dt.date]:
    """First and last birth of those who are `youngest` to `oldest` years old on a day.

    The oldest may have that birthday on the day, not before it.
    """
    return _years_before(day, oldest), _years_before(day, youngest)


def are_ages(value: Mapping[str, int]) -> bool:
    """Whether {youngest, oldest} are two ages of people, in this order."""
    return 0 <= value["youngest"] <= value["oldest"] <= 130


@dataclass(frozen=True)
class Traits:
    """What of a row is compared.  `tail` and `number` may be keyed tokens: only equality counts.

    `guardians`: names or keys of the guardians; `sound`: the number passed its check.
    """

    name: str
    born_on: dt.date | None = None
    sex: str = "0"
    number: str = ""
    tail: str = ""
    phone: str = ""
    sound: bool = True
    guardians: frozenset[str] = frozenset()


def signs(left: Traits, right: Traits) -> tuple[str, ...]:
    """The signs that two rows are one person, in a fixed order; "differ" speaks against it.

    Symmetric.  What is missing on a side is no sign.
    """
    same_number = bool(left.number) and left.number == right.number
    found = {
        "id": same_number,
        "name": bool(left.name) and left.name == right.name,
        "birth": left.born_on is not None and left.born_on == right.born_on,
        "guardian": bool(left.guardians & right.guardians),
        "phone": bool(left.phone) and left.phone == right.phone,
        "sex": left.sex in {"1", "2"} and left.sex == right.sex,
        "tail": not same_number and bool(left.tail) and left.tail == right.tail,
        "differ": bool(left.number and right.number)
        and not same_number
        and left.sound
        and right.sound,
    }
    return tuple(name for name, holds in found.items() if holds)


def score(found: Iterable[str], weights: Mapping[str, int]) -> int:
    """The sum of the weights of the signs, kept within 0..100.  A sign without weight counts 0."""
    return max(0, min(100, sum(weights.get(sign, 0) for sign in found)))


def leaving_span(year: int, *, first: int, last: int) -> tuple[dt.date, dt.date]:
    """First and last day of leaving in a year, of two days written month × 100 + day (630, 831)."""
    return dt.date(year, *divmod(first, 100)), dt.date(year, *divmod(last, 100))


def are_leaving_days(value: Mapping[str, int]) -> bool:
    """Whether {first, last} are two days of every year (not 229), in this order."""
    common_year = 2023
    try:
        first, last = leaving_span(common_year, first=value["first"], last=value["last"])
    except (ValueError, OverflowError):
        return False
    return first <= last

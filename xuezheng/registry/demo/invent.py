"""Names and numbers of nobody.

Identity numbers are valid in form, but their area code 9999xx is assigned to no place (GB/T 2260), and
telephone numbers begin with 100, which no mobile network uses.
"""

import datetime as dt
import random
from bisect import bisect
from functools import cache
from itertools import accumulate
from typing import Any

from xuezheng.registry.codes import citizen_check, credit_code_problem
from xuezheng.registry.names import initials

#: The district's own area code; 9999xx up to 999919 stand for other places.
HOME = "999900"
_CREDIT_CHECKS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@cache
def _letter(surname: str) -> str:
    return initials(surname + "一")[0]


_letters = cache(initials)


def initials_of(name: str) -> str:
    """What names.initials says of a name with a surname of one character, without reading it anew.

    A test compares the two on everybody invented.
    """
    return _letter(name[0]) + _letters(name[1:])


def days_between(first: dt.date, last: dt.date, share: float) -> dt.date:
    """The day at a share (0 up to 1) of the way from one day to another."""
    return first + dt.timedelta(days=int(((last - first).days + 1) * share))


class Inventor:
    """Makes names, numbers and keys; no number comes twice."""

    def __init__(self, spec: dict[str, Any], chance: random.Random):
        self.chance = chance
        self._surnames = list(spec["surnames"])
        self._weights = list(accumulate(spec["surnames"].values()))
        self._given = spec["given"]
        self._used: set[str] = set()
        self._phones = 0
        self._telephone_order = chance.randrange(10**8)

    def key(self) -> str:
        """A random (version 4) UUID."""
        bits = f"{self.chance.getrandbits(128):032x}"
        variant = "89ab"[int(bits[16], 16) & 3]
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{variant}{bits[17:20]}-{bits[20:]}"

    def surname(self) -> str:
        """One surname, about as often as it is met."""
        # What random.choices does, without its checks of the weights for every name.
        return self._surnames[bisect(self._weights, self.chance.random() * self._weights[-1])]

    def given(self, sex: str, generation: str = "parent") -> str:
        """One or two characters; single ones are rarer among children than among parents."""
        first, second = self._given[generation][sex]
        random_ = self.chance.random
        last = second[int(random_() * len(second))]
        if random_() < (0.08 if generation == "child" else 0.22):
            return last
        head = first[int(random_() * len(first))]
        return head + last if head != last else last

    def sex(self) -> str:
        """GB/T 2261.1: "1" male, a little more often than "2" female."""
        return "1" if self.chance.random() < 0.52 else "2"

    def citizen(self, born: dt.date, sex: str, area: str = HOME) -> str:
        """A citizen number of a birth date and sex, unlike all before."""
        odd = 1 if sex == "1" else 0
        start = f"{area}{born:%Y%m%d}"
        while True:
            body = f"{start}{int(self.chance.random() * 500) * 2 + odd:03d}"
            if body not in self._used:
                self._used.add(body)
                return body + citizen_check(body)

    def outside_area(self) -> str:
        """Area code of some other invented place."""
        return f"9999{1 + int(self.chance.random() * 19):02d}"

    def phone(self) -> str:
        """Eleven digits that cannot be dialled, unlike all before."""
        # A step without common divisor walks through all hundred million numbers.
        self._phones += 1
        return f"100{(self._telephone_order + self._phones * 39_916_801) % 10**8:08d}"

    def credit_code(self, serial: int) -> str:
        """A unified social credit code of a public institution, valid in form (GB 32100-2015)."""
        body = f"12{HOME}{serial:09d}"
        return next(body + char for char in _CREDIT_CHECKS if not credit_code_problem(body + char))

"""Rules of hazard management.  Pure: policy numbers come in as arguments.

《安全生产法》(2021) art. 41 asks every unit to find, record and remove hazards, and knows two grades,
general and major (重大事故隐患).  It sets no day count: the terms are parameters of the bureau.
"""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """The two grades of the law."""

    GENERAL = "general"
    MAJOR = "major"


@dataclass(frozen=True)
class Terms:
    """Working days for rectification by grade, for grading a report, and for the re-check."""

    general_days: int
    major_days: int
    grading_days: int
    recheck_days: int

    def rectification_days(self, grade: Grade) -> int:
        """The term of a grade, in working days."""
        return self.major_days if grade == Grade.MAJOR else self.general_days


def must_stop_use(grade: Grade, *, immediate_danger: bool) -> bool:
    """Whether the place must not be used until cleared.

    《安全生产法》 art. 41, 70: while a major hazard is being removed and safety cannot be assured,
    people leave the danger area and use stops.
    """
    return grade == Grade.MAJOR or immediate_danger

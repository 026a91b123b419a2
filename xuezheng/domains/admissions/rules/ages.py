"""Who is of age in a season.

《义务教育法》 art. 11: a child that is six enters school.  Kindergarten: three, by 31 August.
"""

import datetime as dt
from enum import StrEnum


class Level(StrEnum):
    """What a season admits to."""

    KINDERGARTEN = "kindergarten"
    PRIMARY = "primary"
    JUNIOR = "junior"


#: Years of age by 31 August of the season's year.
ENTRY_AGE = {Level.KINDERGARTEN: 3, Level.PRIMARY: 6}


def birth_span(level: Level, year: int) -> tuple[dt.date, dt.date] | None:
    """First and last birth date of the children of age for a season's year, both inclusive.

    None for junior school, which follows the end of grade 6 and no birth date.
    """
    age = ENTRY_AGE.get(level)
    if age is None:
        return None
    return dt.date(year - age - 1, 9, 1), dt.date(year - age, 8, 31)


def of_age(level: Level, year: int, born_on: dt.date) -> bool:
    """Whether a child born on a day is of age.  An older child is: it may have been deferred."""
    span = birth_span(level, year)
    return span is None or born_on <= span[1]

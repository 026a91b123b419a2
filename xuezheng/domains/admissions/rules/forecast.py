"""Yearly warnings of full schools.

浙教基〔2018〕100号: yellow when the children registered in the area are 90 to 100 per cent of the
regular plan, red from 100 per cent.  The two limits are parameters.
"""

from enum import StrEnum


class Warning(StrEnum):
    """How full a school will be."""

    NONE = "none"
    YELLOW = "yellow"
    RED = "red"


def warning(children: int, places: int, *, yellow: int, red: int) -> Warning:
    """The warning for children of age in the area against planned places; limits in per cent.

    A school without places and with children is red.
    """
    if children * 100 >= places * red and children:
        return Warning.RED
    if children * 100 >= places * yellow and children:
        return Warning.YELLOW
    return Warning.NONE

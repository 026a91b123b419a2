"""Identity codes and the national code lists that people and places are described by.  Pure.

Sources: GB 11643-1999 (citizen number, MOD 11-2), GB 32100-2015 (unified social credit code),
《学校（机构）代码管理办法》 (school code), JY/T 1001/1002-2012 code lists.
"""

import datetime as dt
import re

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CITIZEN = re.compile(r"\d{17}[\dX]")
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT = re.compile(f"[{_CREDIT_ALPHABET}]{{18}}")
_SCHOOL = re.compile(r"(?:11|21|22|31|32|33|34|35|36|37|41|42|51|91|92|93)\d{8}")
_STUDENT = re.compile(r"[GJL]\d{17}[\dX]|[GJL]\d{18}")

#: 身份证件类型 SFZJLX: the kinds that pupils, guardians and staff have.
CITIZEN_ID = "1"
#: 学生当前状态 XSDQZT: at school, and those in which a pupil still belongs to a school.
AT_SCHOOL = "01"
BELONGING = ("01", "02", "05", "12")
#: Years of each stage, of 《义务教育法》 and JY/T 1001.
STAGE_YEARS = {"kindergarten": 3, "primary": 6, "junior": 3, "senior": 3, "vocational": 3}


def citizen_check(body: str) -> str:
    """The check character of the 17 body digits.  GB 11643-1999."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def citizen_id_problem(number: str) -> str:
    """What is wrong with a citizen number: "", "shape", "date" or "check".  GB 11643-1999."""
    if not _CITIZEN.fullmatch(number):
        return "shape"
    if citizen_birth(number) is None:
        return "date"
    return "" if citizen_check(number[:17]) == number[17] else "check"


def citizen_birth(number: str) -> dt.date | None:
    """The birth date in an 18-digit number; None when it holds none."""
    try:
        return dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def citizen_sex(number: str) -> str:
    """GB/T 2261.1 code by the 17th digit: "1" male for odd, "2" female for even."""
    return "1" if int(number[16]) % 2 else "2"


def complete_citizen_id(number: str) -> str:
    """An old 15-digit number as 18 digits: "19" before the year, check character anew."""
    if len(number) != 15 or not number.isdigit():
        return number
    body = f"{number[:6]}19{number[6:]}"
    return body + citizen_check(body)


def credit_code_problem(code: str) -> str:
    """What is wrong with a unified social credit code: "", "shape" or "check".  GB 32100-2015."""
    if not _CREDIT.fullmatch(code):
        return "shape"
    total = sum(
        _CREDIT_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(code[:17])
    )
    return "" if _CREDIT_ALPHABET[(31 - total % 31) % 31] == code[17] else "check"


def school_code_problem(code: str) -> str:
    """What is wrong with a school code (10 digits, kind in the first two; no check digit)."""
    return "" if _SCHOOL.fullmatch(code) else "shape"


def student_number_problem(number: str) -> str:
    """What is wrong with a pupil-status number: G + citizen number, J or L + 18 digits."""
    if not _STUDENT.fullmatch(number):
        return "shape"
    return "check" if number[0] == "G" and citizen_id_problem(number[1:]) else ""


def masked(number: str) -> str:
    """A number as it may be shown: first six and last two, the rest as stars; short ones all stars."""
    if len(number) < 12:
        return "*" * len(number)
    return f"{number[:6]}{'*' * (len(number) - 8)}{number[-2:]}"


def masked_phone(number: str) -> str:
    """A telephone number as it may be shown: first three and last four."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 11 else "*" * len(number)


def grade_of(stage: str, entry_year: int, day: dt.date) -> int:
    """The grade on a day of a class that entered in a year: 1 until the next 31 August, and so on.

    0 before entry; above STAGE_YEARS after leaving.  A school year begins on 1 September.
    """
    year = day.year if day.month >= 9 else day.year - 1
    return year - entry_year + 1

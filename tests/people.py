"""A handful of children, guardians, staff and classes in the tiny district of tests/district.py.

`people` is a fixture; its parts are found by short keys:

classes     "S1-1" "S1-2" (grades 1 and 2 of the primary school), "S2-7" (first grade of the junior
            school, that is year seven), "K1-1" (youngest of the kindergarten)
pupils      "ming" S1-1; "hong" S1-1, boards; "lei" S1-2; "li" S2-7; "hua" K1-1, sister of ming;
            "again" S2-7, the same child as ming entered a second time with a slip in the number;
            "loose" nowhere; "gone" was in S1-2, left for another district
guardians   "father" (main) and "mother" of ming and hua; "other" (main) of li; "father2" is the father
            entered a second time, for again
staff       "head1" (has the account head1), "chen" teaches at S1, "zhou" at S2, "past" left S1
dwellings   "house" of ming and hua, "flat" of li; community "shore" (town T1)

Numbers are valid in form, of the area code 999900, which is assigned to no place.
"""

import datetime as dt
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import SINCE, District
from xuezheng.registry.codes import citizen_check
from xuezheng.registry.models import (
    Community,
    Dwelling,
    Employment,
    Guardian,
    Guardianship,
    Placement,
    Pupil,
    Residence,
    SchoolClass,
    StaffMember,
)


def search(client: Client, url: str, words: str) -> HttpResponse:
    """The page that somebody sees who searches a list of people by words."""
    sent = {"next": url, "words-w": words}
    answer = client.post(reverse("search_words"), sent, follow=True)
    addresses = [unquote(address) for address, _status in answer.redirect_chain]
    assert not [address for address in addresses if f"={words}" in address]
    return answer


def number(born: dt.date, serial: int, area: str = "999900") -> str:
    """A valid citizen number of nobody.  An odd serial is male, an even one female."""
    body = f"{area}{born:%Y%m%d}{serial:03d}"
    return body + citizen_check(body)


def school_year(day: dt.date) -> int:
    """The year in which the school year of a day began."""
    return day.year if day.month >= 9 else day.year - 1


@dataclass
class People:
    """Rows by short keys, as the module says.  `today` is the day they were made for."""

    district: District
    today: dt.date
    pupils: dict[str, Pupil] = field(default_factory=dict)
    guardians: dict[str, Guardian] = field(default_factory=dict)
    staff: dict[str, StaffMember] = field(default_factory=dict)
    classes: dict[str, SchoolClass] = field(default_factory=dict)
    communities: dict[str, Community] = field(default_factory=dict)
    dwellings: dict[str, Dwelling] = field(default_factory=dict)

    @property
    def began(self) -> dt.date:
        """The first day of the running school year."""
        return dt.date(school_year(self.today), 9, 1)

    def school_class(self, key: str, org: str, stage: str, grade: int, number: int = 1) -> None:
        """A class that is in `grade` this school year."""
        entry = self.began.year - grade + 1
        self.classes[key] = SchoolClass.objects.create(
            organisation=self.district.orgs[org],
            stage=stage,
            entry_year=entry,
            number=number,
            valid_from=dt.date(entry, 9, 1),
        )

    def pupil(self, key: str, name: str, born: dt.date, serial: int, **more) -> Pupil:
        """A pupil; `school_class=` (key) places it from the beginning of the school year."""
        school_class = self.classes.get(more.pop("school_class", ""))
        self.pupils[key] = Pupil.objects.create(
            name=name,
            born_on=born,
            sex="1" if serial % 2 else "2",
            id_number=more.pop("id_number", number(born, serial)),
            school_class=school_class,
            organisation=school_class and school_class.organisation,
            **more,
        )
        if school_class:
            Placement.objects.create(
                pupil=self.pupils[key],
                organisation=school_class.organisation,
                school_class=school_class,
                valid_from=self.began,
            )
        return self.pupils[key]

    def guardian(self, key: str, name: str, serial: int, of: dict[str, str], **more) -> Guardian:
        """A guardian; `of` is pupil key -> relation; a first guardian is the main one."""
        born = dt.date(1985, 5, 4)
        row = Guardian.objects.create(
            name=name,
            born_on=born,
            sex="1" if serial % 2 else "2",
            id_number=more.pop("id_number", number(born, serial)),
            phone=more.pop("phone", f"1000000{serial:04d}"),
            **more,
        )
        for pupil, relation in of.items():
            first = not self.pupils[pupil].guardianships.exists()
            Guardianship.objects.create(
                pupil=self.pupils[pupil],
                guardian=row,
                relation=relation,
                main=first,
                valid_from=self.began,
            )
        self.guardians[key] = row
        return row

    def member(self, key: str, name: str, serial: int, org: str, **more) -> StaffMember:
        """A member of staff; `left=` ends the employment on a day."""
        born, left = dt.date(1980, 3, 2), more.pop("left", None)
        row = StaffMember.objects.create(
            name=name,
            born_on=born,
            sex="1" if serial % 2 else "2",
            id_number=number(born, serial),
            phone=f"1000001{serial:04d}",
            work_number=f"G{serial:05d}",
            category=more.pop("category", StaffMember.Category.TEACHING),
            education=more.pop("education", "20"),
            organisation=None if left else self.district.orgs[org],
            **more,
        )
        Employment.objects.create(
            staff=row, organisation=self.district.orgs[org], valid_from=SINCE, valid_to=left
        )
        self.staff[key] = row
        return row


@pytest.fixture
def people(district: District) -> People:
    """The handful, written as the services would leave it."""
    made = People(district, timezone.localdate())
    year = made.began.year
    made.school_class("S1-1", "S1", "primary", 1)
    made.school_class("S1-2", "S1", "primary", 2)
    made.school_class("S2-7", "S2", "junior", 1)
    made.school_class("K1-1", "K1", "kindergarten", 1)
    born = dt.date(year - 7, 11, 5)
    made.pupil("ming", "王小明", born, 11, school_class="S1-1", ethnicity="01")
    made.pupil("hong", "单小红", dt.date(year - 7, 10, 1), 22, school_class="S1-1", boarding="2")
    made.pupil("lei", "周雷", dt.date(year - 8, 12, 24), 33, school_class="S1-2")
    made.pupil("li", "李思雨", dt.date(year - 13, 9, 1), 44, school_class="S2-7")
    made.pupil("hua", "王小华", dt.date(year - 4, 9, 1), 66, school_class="K1-1")
    made.pupil("again", "王小明", born, 13, school_class="S2-7")
    made.pupil("loose", "尤无处", dt.date(year - 7, 9, 9), 55)
    gone = made.pupil("gone", "钱已去", dt.date(year - 8, 9, 9), 77, status="10")
    Placement.objects.create(
        pupil=gone,
        organisation=district.orgs["S1"],
        school_class=made.classes["S1-2"],
        valid_from=dt.date(year - 1, 9, 1),
        valid_to=dt.date(year, 6, 30),
        exit_code="21",
    )
    made.guardian("father", "王建国", 11, {"ming": "51", "hua": "51"})
    made.guardian("mother", "张晓燕", 12, {"ming": "52", "hua": "52"})
    made.guardian("other", "李大海", 13, {"li": "51"})
    made.guardian("father2", "王建国", 11, {"again": "51"})
    made.member("head1", "郝校长", 1, "S1", user=district.users["head1"])
    made.member("chen", "陈知微", 2, "S1", subject="语文")
    made.member("zhou", "周远", 3, "S2", education="30")
    made.member("past", "吴已退", 4, "S1", left=dt.date(year, 7, 31))
    shore = Community.objects.create(
        town=district.orgs["T1"], code="999900001001", name="海沿社区", kind="community"
    )
    made.communities["shore"] = shore
    made.dwellings["house"] = Dwelling.objects.create(community=shore, road="望海路", number=7)
    made.dwellings["flat"] = Dwelling.objects.create(
        community=shore, road="望海路", number=12, building="3", room="402"
    )
    for pupil, dwelling in (("ming", "house"), ("hua", "house"), ("li", "flat")):
        for kind in Residence.Kind:
            Residence.objects.create(
                pupil=made.pupils[pupil],
                dwelling=made.dwellings[dwelling],
                kind=kind,
                valid_from=made.began,
            )
    return made

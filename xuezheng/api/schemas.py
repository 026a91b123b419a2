"""What goes in and out.  Texts hold no NUL, which no database text can keep."""

import datetime as dt
from typing import Annotated

from ninja import Field, Schema
from pydantic import StringConstraints

NO_NUL = r"^[^\x00]*$"
Short = Annotated[str, StringConstraints(max_length=12, pattern=NO_NUL)]
Words = Annotated[str, StringConstraints(max_length=60, pattern=NO_NUL)]
Number = Annotated[str, StringConstraints(max_length=30, pattern=r"^[0-9A-Za-z]*$")]
Phone = Annotated[str, StringConstraints(max_length=16, pattern=r"^\+?[0-9]*$")]
Community = Annotated[str, StringConstraints(pattern=r"^([0-9]{12})?$")]


class AddressIn(Schema):
    """An address of the district: code of the community, then road, number, building, room."""

    community: Community = ""
    road: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)] = ""
    number: int | None = Field(None, ge=0, le=99_999)
    suffix: Short = ""
    building: Short = ""
    room: Short = ""


class ApplicationIn(Schema):
    """A registration; the keys are those of the family's own form."""

    reference: Annotated[str, StringConstraints(max_length=19, pattern=r"^[0-9A-Za-z-]*$")] = Field(
        "", description="The caller's own number of the registration."
    )
    child_name: Words
    id_kind: Annotated[str, StringConstraints(pattern=r"^[16789ABZ]$")] = "1"
    id_number: Number
    born_on: dt.date | None = None
    sex: Annotated[str, StringConstraints(pattern=r"^[0129]$")] = "0"
    guardian_name: Words
    guardian_id: Number = ""
    relation: Annotated[str, StringConstraints(pattern=r"^(51|52|61|62|63|64|97|99)$")]
    phone: Phone
    second_name: Words = ""
    second_phone: Phone = ""
    # The parent class has a method of that name.
    registered: AddressIn = Field(default_factory=AddressIn, alias="register")
    register_date: dt.date | None = None
    registered_since_birth: bool = False
    home: AddressIn = Field(default_factory=AddressIn)
    owner: Annotated[str, StringConstraints(pattern=r"^(none|self|parent|grandparent|other)$")] = (
        "none"
    )
    share: int = Field(0, ge=0, le=100)
    title: Annotated[
        str,
        StringConstraints(pattern=r"^(deed|contract|demolition|self_built|public_rental|estate)?$"),
    ] = ""
    title_date: dt.date | None = None
    parents_own_no_home: bool = False
    residence_permit: bool = False
    permit_date: dt.date | None = None
    points: int | None = Field(None, ge=0, le=10_000)
    twin_wish: Annotated[str, StringConstraints(pattern=r"^(class|split|school|apart)?$")] = ""
    together: Annotated[
        str, StringConstraints(max_length=120, pattern=r"^[0-9A-Za-z]*([ ,][0-9A-Za-z]+)*$")
    ] = Field("", description="Identity numbers of the other twins or triplets, by space or comma.")
    intakes: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(
        default_factory=list, max_length=20
    )


class SchoolOut(Schema):
    """A school by its code."""

    code: str
    name: str


class IntakeOut(Schema):
    """A school that can be put on the list."""

    id: int
    school: SchoolOut
    places: int
    draw_when_over: bool


class SeasonOut(Schema):
    """A season that takes registrations now."""

    id: int
    year: int
    level: str
    title: str
    opens_at: dt.datetime
    closes_at: dt.datetime
    intakes: list[IntakeOut]


class ZoneOut(Schema):
    """One area of an address."""

    code: str
    name: str
    schools: list[SchoolOut]


class ZonesOut(Schema):
    """What a look-up answers, in data and in a sentence."""

    found: bool
    sentence: str
    advice: str
    zones: list[ZoneOut]


class SubmittedOut(Schema):
    """The reference.  `is_new` is false when the child was registered before."""

    number: str
    is_new: bool


class FaultOut(Schema):
    """Something to be put right."""

    code: str
    note: str


class StatusOut(Schema):
    """Where a registration stands."""

    number: str
    reference: str
    state: str
    state_label: str
    submitted_on: dt.date
    due: dt.date | None
    papers_needed: bool
    faults: list[FaultOut]


class ResultOut(Schema):
    """A published result."""

    number: str
    school: SchoolOut | None
    reason: str
    published_on: dt.date
    respond_by: dt.date | None
    answer: str


class ErrorBody(Schema):
    """Why a call was refused."""

    code: str
    message: str
    fields: dict[str, str]


class ErrorOut(Schema):
    """The one shape of refusals."""

    error: ErrorBody

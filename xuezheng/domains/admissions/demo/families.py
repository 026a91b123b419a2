"""Two families to sign in as, and what the registers of other departments say about them.

The first has a child whom the full school sent on, and younger twins to register: everything about them
can be checked.  The second has faults to put right for one child, and one whose home no register knows.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from xuezheng.domains.admissions.demo.rolls import MOTHER, Child, Home
from xuezheng.domains.admissions.demo.telling import Teller
from xuezheng.domains.admissions.models import Application, Offer, Party, Season
from xuezheng.domains.admissions.rules.ages import Level, birth_span
from xuezheng.kernel.access.models import User
from xuezheng.kernel.cases.models import Move
from xuezheng.registry.codes import citizen_check
from xuezheng.registry.demo.invent import initials_of
from xuezheng.registry.models import Dwelling, Guardian

#: Sex, given name and day of the span of births of the younger child.
YOUNGER = {
    "first": ("2", "禾苗", 120),
    "twin": ("1", "禾田", 120),
    "second": ("1", "舟行", 200),
}
AREA = "999900"


@dataclass
class Family:
    """Somebody to sign in as: the account, and the child still to be registered."""

    user: User
    phone: str
    child: Child
    twin: Child | None = None
    files: dict[str, dict[str, Any]] = field(default_factory=dict)


def account(key: str, name: str, phone: str) -> User:
    """An account without password, linked to the guardian of that number."""
    user = User(username=f"p-demo-{key}", name=name, phone=phone, is_sample=True)
    user.set_unusable_password()
    user.save()
    guardian = Guardian.objects.live().filter(phone=phone, user__isnull=True).first()
    if guardian:
        guardian.user = user
        guardian.save(update_fields=["user"])
    return user


def sent_on_family(season: Season) -> tuple[Application, Party] | None:
    """A registration that the full school passed over and that has a place elsewhere."""
    offers = (
        Offer.objects.filter(
            application__season=season, intake__isnull=False, reason__rule="redirected"
        )
        .order_by("application_id")
        .select_related("application")
    )
    for offer in offers[:40]:
        party = offer.application.parties.filter(main=True).exclude(id_number=None).first()
        if party and party.phone:
            return offer.application, party
    return None


def give_to(user: User, application: Application) -> None:
    """Let a registration be the account's own."""
    Application.objects.filter(pk=application.pk).update(applicant=user, channel="online")
    Party.objects.filter(application=application, main=True).update(user=user)
    Move.objects.filter(case_id=application.pk, step__in=("submit", "correct")).update(user=user)


def younger(
    key: str, year: int, surname: str, guardian: tuple, home: Home, taken: set[str]
) -> Child:
    """A child of kindergarten age that is on the police list and not registered yet.

    `taken` are identity numbers that others have.
    """
    sex, given, day = YOUNGER[key]
    first, _last = birth_span(Level.KINDERGARTEN, year)
    born = first + dt.timedelta(days=day)
    bodies = (f"{AREA}{born:%Y%m%d}{serial:03d}" for serial in range(100 + int(sex), 999, 2))
    numbers = (body + citizen_check(body) for body in bodies)
    name = surname + given
    return Child(
        name, initials_of(name), sex, born, next(n for n in numbers if n not in taken),
        register=home, home=home, guardians=[guardian],
    )  # fmt: skip


def address_of(home: Home) -> dict[str, Any]:
    """The keys of answers.Address."""
    row = Dwelling.objects.get(id=home.id)
    return {
        "community": home.community, "road": row.road, "number": row.number,
        "suffix": row.suffix, "building": row.building, "room": row.room,
    }  # fmt: skip


def register_files(child: Child, *, owns: bool) -> dict[str, dict[str, Any]]:
    """`register/number.json` -> content.  Without `owns` the real estate register knows no home."""
    guardian = child.guardians[0]
    address = address_of(child.home)
    files = {
        f"police/{child.id_number}.json": {
            "name": child.name,
            "guardians": [number for _relation, _name, number, _phone in child.guardians if number],
            "facts": {
                "register": address,
                "register_date": (child.born + dt.timedelta(days=20)).isoformat(),
                "registered_since_birth": True,
            },
        },
        f"civil/{child.id_number}.json": {"name": child.name, "facts": {"custody": "both"}},
    }
    if owns:
        files[f"property/{guardian[2]}.json"] = {
            "name": guardian[1],
            "facts": {
                "home": address,
                "owner": "parent",
                "share": 100,
                "title": "deed",
                "title_date": (child.born - dt.timedelta(days=900)).isoformat(),
                "residential": True,
            },
        }
    return files


def first_family(
    young: Teller, primary: Season, homes: dict[int, Home], taken: set[str]
) -> Family | None:
    """The account of the family sent on, and its younger twins; the second is not yet on the roll."""
    found = sent_on_family(primary)
    if found is None:
        return None
    application, party = found
    user = account("first", party.name, party.phone)
    give_to(user, application)
    guardian = (party.relation, party.name, party.id_number, party.phone)
    home = homes[application.register_dwelling_id or application.home_dwelling_id]
    surname = application.child_name[0]
    both = [
        younger(key, young.term.season.year, surname, guardian, home, taken)
        for key in ("first", "twin")
    ]
    files: dict[str, dict[str, Any]] = {}
    for child in both:
        files |= register_files(child, owns=True)
    young.follow(both[0], "")
    return Family(user, party.phone, *both, files)


def second_family(
    young: Teller, junior: Teller, children: list[Child], taken: set[str]
) -> Family | None:
    """The account of a family with faults to put right, and its younger child."""
    for child in children:
        if child.register and len(child.guardians) > 1 and child.guardians[0][0] == MOTHER:
            break
    else:
        return None
    relation, name, number, phone = child.guardians[0]
    if not (number and phone):
        return None
    user = account("second", name, phone)
    children.remove(child)
    day = junior.today - dt.timedelta(days=21)
    junior.register(child, day, applicant=user.id, faults=True)
    small = younger(
        "second", young.term.season.year, child.name[0], (relation, name, number, phone),
        child.register, taken,
    )  # fmt: skip
    young.follow(small, "")
    return Family(user, phone, small, files=register_files(small, owns=False))

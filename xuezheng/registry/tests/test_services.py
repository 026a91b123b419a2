"""Guardians, addresses, staff, years and classes: what the services refuse, and what they keep in step."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import reverse

from tests.people import People, number, search
from xuezheng.kernel.access.actors import OutOfScope
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import User
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.models import Guardian, Guardianship, SchoolYear, StaffMember
from xuezheng.registry.services import addresses, classes, families, guardians, staff, years
from xuezheng.registry.services.common import Stale
from xuezheng.registry.tests.test_pages import client_of

pytest_plugins = ["tests.people"]
DAY = dt.timedelta(days=1)
BORN = dt.date(1988, 8, 8)
NEW = {
    "name": "新 监护",
    "id_kind": "1",
    "id_number": number(BORN, 301),
    "phone": "100-0000 7777",
    "sex": "0",
    "born_on": None,
}


def test_a_new_main_guardian_takes_the_place_of_the_old_one(people: People) -> None:
    ming, by = people.pupils["ming"], people.district.actor("sec1")
    with fenced(by=by):
        held = guardians.add_guardian(ming, fields=NEW, relation="62", main=True, by=by)
    assert (held.guardian.name, held.guardian.phone, held.guardian.born_on) == (
        "新监护",
        "10000007777",
        BORN,
    )
    mains = ming.guardianships.filter(valid_to__isnull=True, main=True)
    assert [row.guardian_id for row in mains] == [held.guardian_id]
    with pytest.raises(StepRefused):
        guardians.add_guardian(ming, fields=NEW, relation="62", main=False, by=by)


def test_siblings_share_a_guardian_in_reach(people: People) -> None:
    by, father = people.district.actor("sec1"), people.guardians["father"]
    fields = {name: getattr(father, name) for name in guardians.EDITABLE}
    before = Guardian.objects.count()
    held = guardians.add_guardian(
        people.pupils["lei"], fields=fields, relation="51", main=False, by=by
    )
    assert held.guardian == father
    assert held.main, "the first guardian is the main one"
    assert Guardian.objects.count() == before
    # Another school does not reach that row and enters its own; the registrar merges them later.
    other = people.district.actor("head2")
    held = guardians.add_guardian(
        people.pupils["li"], fields=fields, relation="97", main=False, by=other
    )
    assert held.guardian != father


def test_the_last_guardian_stays_and_the_next_becomes_main(people: People) -> None:
    ming, by = people.pupils["ming"], people.district.actor("sec1")
    father = ming.guardianships.get(guardian=people.guardians["father"])
    mother = ming.guardianships.get(guardian=people.guardians["mother"])
    with pytest.raises(ValidationError):
        guardians.end_guardianship(father, on=people.began - DAY, by=by)
    guardians.end_guardianship(father, on=people.today, by=by)
    mother.refresh_from_db()
    assert mother.main
    with pytest.raises(StepRefused):
        guardians.end_guardianship(father, on=people.today, by=by)
    with pytest.raises(StepRefused, match="一位监护人"):
        guardians.end_guardianship(mother, on=people.today, by=by)
    with pytest.raises(OutOfScope):
        guardians.end_guardianship(mother, on=people.today, by=people.district.actor("head2"))


def test_editing_a_guardian_minds_the_version(people: People) -> None:
    ming, by = people.pupils["ming"], people.district.actor("sec1")
    held = Guardianship.objects.select_related("guardian", "pupil").get(
        pupil=ming, guardian=people.guardians["mother"]
    )
    fields = {name: getattr(held.guardian, name) for name in guardians.EDITABLE}
    changed = fields | {"phone": "10000008888"}
    guardians.edit_guardian(held, fields=changed, relation="52", main=True, version=1, by=by)
    assert Guardian.objects.get(pk=held.guardian_id).phone == "10000008888"
    assert ming.guardianships.get(main=True, valid_to__isnull=True).pk == held.pk
    with pytest.raises(Stale):
        guardians.edit_guardian(held, fields=fields, relation="52", main=True, version=1, by=by)
    with pytest.raises(ValidationError):
        wrong = fields | {"phone": "12ab"}
        guardians.edit_guardian(held, fields=wrong, relation="52", main=True, version=2, by=by)


@pytest.mark.parametrize(
    ("offset", "rows", "refused"), [(-1, 1, True), (0, 1, False), (1, 2, False)]
)
def test_residence_at_its_boundary_days(
    people: People, offset: int, rows: int, refused: bool
) -> None:
    ming, by, flat = people.pupils["ming"], people.district.actor("sec1"), people.dwellings["flat"]
    on = people.began + offset * DAY
    call = {"dwelling": flat, "kind": "actual", "on": on, "by": by}
    if refused:
        with pytest.raises(ValidationError):
            addresses.set_residence(ming, **call)
    else:
        addresses.set_residence(ming, **call)
        assert ming.residences.get(kind="actual", valid_to__isnull=True).dwelling == flat
    assert ming.residences.filter(kind="actual").count() == rows


def test_communities_and_dwellings_are_for_the_registrar(people: People) -> None:
    by, shore = people.district.actor("registrar"), people.communities["shore"]
    town = people.district.orgs["T1"]
    base = {"town": town, "name": "新村", "kind": "village", "island": "", "by": by}
    with pytest.raises(ValidationError):
        addresses.save_community(None, code="123", **base)
    with pytest.raises(StepRefused):
        addresses.save_community(None, code=shore.code, **base)
    made = addresses.save_community(None, code="999900001009", **base)
    assert made.pk
    parts = {"road": "望海路", "suffix": "", "building": "", "room": ""}
    with pytest.raises(StepRefused):
        addresses.save_dwelling(None, community=shore, number=7, **parts, by=by)
    assert addresses.save_dwelling(None, community=shore, number=9, **parts, by=by).pk
    with pytest.raises(PermissionDenied):
        addresses.save_dwelling(
            None, community=shore, number=11, **parts, by=people.district.actor("sec1")
        )


STAFF = {
    "name": "新老师",
    "id_kind": "1",
    "id_number": number(BORN, 302),
    "phone": "",
    "work_number": "G77777",
    "category": "teaching",
    "education": "20",
    "subject": "数学",
    "sex": "0",
    "born_on": None,
}


def test_employments_one_of_them_the_main_one(people: People) -> None:
    by, orgs = people.district.actor("registrar"), people.district.orgs
    member = staff.create_staff(
        fields=STAFF, organisation=orgs["S1"], established=True, on=people.began, by=by
    )
    assert (member.sex, member.born_on) == ("2", BORN)
    other = staff.employ(
        member, organisation=orgs["S2"], established=True, main=True, on=people.today, by=by
    )
    assert StaffMember.objects.get(pk=member.pk).organisation == orgs["S2"]
    with pytest.raises(StepRefused):
        staff.employ(
            member, organisation=orgs["S2"], established=True, main=False, on=people.today, by=by
        )
    staff.end_employment(other, on=people.today, by=by)
    assert StaffMember.objects.get(pk=member.pk).organisation == orgs["S1"]
    first = member.employments.get(organisation=orgs["S1"])
    assert first.main
    with pytest.raises(OutOfScope):
        staff.end_employment(first, on=people.today, by=people.district.actor("head2"))
    staff.end_employment(first, on=people.today, by=people.district.actor("head1"))
    assert StaffMember.objects.get(pk=member.pk).organisation is None


def test_numbers_of_staff_are_unique_and_say_what_to_do(people: People) -> None:
    by, orgs = people.district.actor("sec1"), people.district.orgs
    call = {"organisation": orgs["S1"], "established": True, "on": people.today, "by": by}
    with pytest.raises(StepRefused, match="增加任职"):
        taken = STAFF | {"id_number": people.staff["zhou"].id_number}
        staff.create_staff(fields=taken, **call)
    with pytest.raises(StepRefused, match="工号"):
        staff.create_staff(fields=STAFF | {"work_number": people.staff["zhou"].work_number}, **call)


def test_an_account_must_be_of_ones_own_unit(people: People) -> None:
    chen, users = people.staff["chen"], people.district.users
    by = people.district.actor("head1")
    staff.link_account(chen, user=users["teacher1"], by=by)
    assert StaffMember.objects.get(pk=chen.pk).user == users["teacher1"]
    with pytest.raises(ValidationError):
        staff.link_account(chen, user=users["director"], by=by)
    with pytest.raises(StepRefused):
        staff.link_account(people.staff["chen"], user=users["head1"], by=by)
    staff.link_account(chen, user=None, by=by)
    assert StaffMember.objects.get(pk=chen.pk).user is None


def test_years_and_terms(people: People) -> None:
    by, bureau = people.district.actor("registrar"), people.district.orgs["B"]
    span = (dt.date(2031, 9, 1), dt.date(2032, 8, 31))
    terms = [
        (dt.date(2031, 9, 1), dt.date(2032, 1, 20)),
        (dt.date(2032, 2, 29), dt.date(2032, 6, 30)),
    ]
    year = years.save_year(None, organisation=bureau, span=span, terms=terms, by=by)
    assert (year.code, year.terms.count()) == ("2031-2032", 2)
    with pytest.raises(StepRefused):
        years.save_year(None, organisation=bureau, span=span, terms=terms, by=by)
    assert years.next_span(terms[1]) == (dt.date(2033, 2, 28), dt.date(2033, 6, 30))
    wrong = [
        ((span[1], span[0]), terms, "ends_on"),
        (span, [(dt.date(2031, 8, 31), terms[0][1]), terms[1]], "term1_ends"),
        (span, [terms[0], (terms[0][1], terms[1][1])], "term2_starts"),
        (span, [terms[0], (terms[1][0], terms[1][0])], "term2_ends"),
    ]
    for bad_span, bad_terms, field in wrong:
        with pytest.raises(ValidationError) as refused:
            years.save_year(year, organisation=bureau, span=bad_span, terms=bad_terms, by=by)
        assert field in refused.value.message_dict
    page = client_of(people, "registrar").get(reverse("year_add"))
    assert page.context["form"]["starts_on"].value() == dt.date(2032, 9, 1)
    assert SchoolYear.objects.count() == 1


def test_classes_several_at_once(people: People) -> None:
    by, org = people.district.actor("sec1"), people.district.orgs["S1"]
    call = {"organisation": org, "valid_from": people.began, "by": by}
    made = classes.create_classes(stage="primary", entry_year=people.began.year, count=3, **call)
    assert [row.number for row in made] == [2, 3, 4]
    with pytest.raises(ValidationError):
        classes.create_classes(stage="junior", entry_year=people.began.year, count=1, **call)
    with pytest.raises(ValidationError):
        classes.create_classes(stage="primary", entry_year=people.began.year, count=31, **call)
    classes.rename_class(made[0], name="启航班", version=1, by=by)
    with pytest.raises(Stale):
        classes.rename_class(made[0], name="x", version=1, by=by)
    classes.close_class(made[0], on=people.today, version=2, by=by)
    with pytest.raises(StepRefused, match="2名学生"):
        classes.close_class(people.classes["S1-1"], on=people.today, version=1, by=by)
    with pytest.raises(OutOfScope):
        classes.close_class(made[1], on=people.today, version=1, by=people.district.actor("head2"))


def test_the_search_box_finds_people_in_reach(people: People) -> None:
    url = reverse("search")
    school = search(client_of(people, "sec1"), url, "wxm")
    assert [row.name for row in school.context["pupils"]] == ["王小明"]
    assert Entry.objects.get(action="people.search").detail == {"found": 1}
    tail = people.staff["chen"].id_number[-4:]
    staff_found = search(client_of(people, "sec1"), url, tail).context["staff"]
    assert [row.name for row in staff_found] == ["陈知微"]
    everywhere = search(client_of(people, "registrar"), url, "wxm")
    assert len(everywhere.context["pupils"]) == 2
    # A leader finds schools, never a child; and no lookup of people is noted.
    noted = Entry.objects.filter(action="people.search").count()
    leader = search(client_of(people, "director"), url, "东澳")
    assert {row.code for row in leader.context["sites"]} == {"S1", "K1"}
    assert "pupils" not in leader.context
    assert Entry.objects.filter(action="people.search").count() == noted


# -- accounts of families --------------------------------------------------------------------------
PHONE, WRONG = "10000007777", "10000009999"


def family(phone: str, **more) -> User:
    return User.objects.create_user(f"p-{phone}", None, phone=phone, **more)


@pytest.mark.parametrize(
    ("entered", "linked"),
    [
        ((PHONE,), True),
        (("100-0000 7777",), True),
        ((WRONG,), False),
        (("",), False),
        # Two guardians with one number: unclear.
        ((PHONE, PHONE), False),
    ],
)
def test_an_account_from_before_the_guardian_is_linked(
    people: People, entered: tuple[str, ...], linked: bool
) -> None:
    user, by = family(PHONE), people.district.actor("sec1")
    Guardian.objects.filter(phone=PHONE).update(phone=None)
    if len(entered) == 2:
        people.guardians["other"].phone = PHONE
        people.guardians["other"].save()
    with fenced(by=by):
        guardians.add_guardian(
            people.pupils["ming"], fields=NEW | {"phone": entered[0]}, relation="62", main=False,
            by=by,
        )  # fmt: skip
    assert Guardian.objects.filter(user=user).exists() is linked
    assert Entry.objects.filter(action="guardian.linked").exists() is linked


def test_a_changed_number_takes_the_link_along(people: People) -> None:
    right, wrong = family(PHONE), family(WRONG)
    by, father = people.district.actor("sec1"), people.guardians["father"]
    held = people.pupils["ming"].guardianships.get(guardian=father)

    def write(phone: str) -> User | None:
        father.refresh_from_db()
        fields = {name: getattr(father, name) for name in guardians.EDITABLE} | {"phone": phone}
        with fenced(by=by):
            guardians.edit_guardian(
                held, fields=fields, relation=held.relation, main=True, version=father.version,
                by=by,
            )  # fmt: skip
        father.refresh_from_db()
        return father.user

    assert write(WRONG) == wrong
    assert write(PHONE) == right, "what only a mistyped number opened is closed again"
    acts = Entry.objects.filter(action__startswith="guardian.").order_by("id")
    assert [act.action for act in acts if act.action != "guardian.edit"] == [
        "guardian.linked", "guardian.unlinked", "guardian.linked",
    ]  # fmt: skip
    assert write("") is None


def test_links_that_a_number_did_not_make_stay(people: People) -> None:
    """An account that the security administrator linked has proved no number."""
    father, user = people.guardians["father"], User.objects.create_user("dad", None)
    Guardian.objects.filter(pk=father.pk).update(user=user, phone=WRONG)
    families.telephones_changed([father.pk])
    assert Guardian.objects.get(pk=father.pk).user == user


@pytest.mark.parametrize("state", ["closed", "has a guardian", "guardian has another"])
def test_what_is_linked_or_closed_is_left(people: People, state: str) -> None:
    user = family(PHONE, is_active=state != "closed")
    father, mother = people.guardians["father"], people.guardians["mother"]
    if state == "has a guardian":
        Guardian.objects.filter(pk=mother.pk).update(user=user)
    if state == "guardian has another":
        Guardian.objects.filter(pk=father.pk).update(user=family(WRONG))
    Guardian.objects.filter(pk=father.pk).update(phone=PHONE)
    assert families.link_accounts([PHONE]) == 0


def test_the_guardian_of_a_number_is_found_by_an_index(people: People) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Guardian.objects.live().filter(phone__in=[PHONE]).order_by().explain()
    assert "guardian_by_phone" in plan

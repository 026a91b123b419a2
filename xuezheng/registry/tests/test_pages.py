"""Pages of people and places: what each reader finds, how many queries that takes, what is refused."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.people import People, number, search
from xuezheng.kernel.access.models import Post
from xuezheng.kernel.audit.models import Entry
from xuezheng.registry.models import (
    Community,
    DuplicatePair,
    Dwelling,
    Employment,
    Guardian,
    Guardianship,
    Placement,
    Pupil,
    SchoolClass,
    StaffMember,
)

pytest_plugins = ["tests.people"]


def client_of(people: People, username: str) -> Client:
    client = Client()
    client.force_login(people.district.users[username])
    return client


LISTS = {
    "site_list": "registrar",
    "school_class_list": "registrar",
    "pupil_list": "registrar",
    "guardian_list": "registrar",
    "staff_list": "registrar",
    "community_list": "registrar",
    "dwelling_list": "registrar",
    "duplicate_list": "registrar",
    "merge_list": "registrar",
    "year_list": "registrar",
    "site_tree": "registrar",
    "registry_home": "registrar",
    "looked_search": "auditor",
    "my_looked": "head1",
    "site_add": "registrar",
    "year_add": "registrar",
    "school_class_add": "sec1",
    "pupil_add": "sec1",
    "pupil_find": "sec1",
    "staff_add": "sec1",
    "community_add": "registrar",
    "dwelling_add": "registrar",
}


@pytest.mark.parametrize("name", LISTS)
def test_page_opens_in_both_languages(people: People, name: str) -> None:
    client = client_of(people, LISTS[name])
    for language in ("zh-hans", "en"):
        answer = client.get(reverse(name), headers={"accept-language": language})
        assert answer.status_code == 200, name


def numbers_of(people: People) -> dict[str, tuple]:
    """Address -> arguments of the pages of one row."""
    pupil, member = people.pupils["ming"], people.staff["chen"]
    held = pupil.guardianships.get(guardian=people.guardians["father"])
    placement = pupil.placements.get()
    employment = member.employments.get()
    return {
        "site_detail": ("S1",),
        "school_class_detail": (people.classes["S1-1"].id,),
        "school_class_edit": (people.classes["S1-1"].id,),
        "school_class_close": (people.classes["S1-1"].id,),
        "pupil_detail": (pupil.pk,),
        "pupil_edit": (pupil.pk,),
        "pupil_class": (pupil.pk,),
        "pupil_pause": (pupil.pk,),
        "placement_correct": (pupil.pk, placement.id),
        "pupil_residence": (pupil.pk,),
        "guardian_add": (pupil.pk,),
        "guardian_edit": (pupil.pk, held.id),
        "guardian_end": (pupil.pk, held.id),
        "staff_detail": (member.pk,),
        "staff_edit": (member.pk,),
        "staff_employ": (member.pk,),
        "employment_end": (member.pk, employment.id),
        "staff_account": (member.pk,),
    }


def test_own_opens_and_the_neighbour_has_no_such_row(people: People) -> None:
    for name, args in numbers_of(people).items():
        url = reverse(name, args=args)
        assert client_of(people, "sec1").get(url).status_code == 200, name
        assert client_of(people, "registrar").get(url).status_code == 200, name
        assert client_of(people, "head2").get(url).status_code == 404, name
        refused = client_of(people, "teacher1").get(url).status_code
        assert refused == (200 if name in {"site_detail", "school_class_detail"} else 403), name


REGISTRARS = ("site_edit", "site_move", "site_close", "site_succeed")


def test_pages_of_the_registrar_alone(people: People) -> None:
    pupil = people.pupils["ming"]
    pages = [reverse(name, args=["S1"]) for name in REGISTRARS]
    for url in pages:
        assert client_of(people, "registrar").get(url).status_code == 200, url
        assert client_of(people, "sec1").get(url).status_code == 403, url
    for name in ("pupil_take_in", "pupil_leave"):
        url = reverse(name, args=[pupil.pk])
        assert client_of(people, "registrar").get(url).status_code == 200, url
        # The school holds the permission, but cannot let a child go by itself.
        assert client_of(people, "sec1").get(url).status_code == 404, url


def fill(people: People, many: int) -> None:
    """More of everything, so that a list has `many` rows more."""
    org = people.district.orgs["S1"]
    for at in range(many):
        row = SchoolClass.objects.create(
            organisation=org,
            stage="primary",
            entry_year=people.began.year,
            number=100 + at,
            valid_from=people.began,
        )
        born = dt.date(people.today.year - 8, 1, 1) + dt.timedelta(days=at)
        pupil = Pupil.objects.create(
            name=f"众{at}",
            born_on=born,
            id_number=number(born, 500),
            organisation=org,
            school_class=row,
        )
        Placement.objects.create(
            pupil=pupil, organisation=org, school_class=row, valid_from=people.began
        )
        guardian = Guardian.objects.create(name=f"亲{at}", phone="10000009999")
        Guardianship.objects.create(
            pupil=pupil, guardian=guardian, relation="51", main=True, valid_from=people.began
        )
        member = StaffMember.objects.create(name=f"师{at}", category="teaching", organisation=org)
        Employment.objects.create(staff=member, organisation=org, valid_from=people.began)
        community = Community.objects.create(
            town=people.district.orgs["T1"],
            code=f"9999000020{at:02d}",
            name=f"村{at}",
            kind="village",
        )
        Dwelling.objects.create(community=community, road="路", number=at)
        other = Pupil.objects.create(name=f"众{at}", born_on=born, id_number=number(born, 502))
        left, right = sorted([pupil.pk, other.pk])
        DuplicatePair.objects.create(kind="pupil", left=left, right=right, score=65, signs=["name"])


@pytest.mark.parametrize(
    "name",
    [
        "site_list",
        "school_class_list",
        "pupil_list",
        "guardian_list",
        "staff_list",
        "community_list",
        "dwelling_list",
        "duplicate_list",
    ],
)
def test_lists_take_as_many_queries_for_5_rows_as_for_50(people: People, name: str) -> None:
    client = client_of(people, "registrar")
    url = reverse(name)
    client.get(url)
    counts = []
    for more in (5, 45):
        fill_from = Pupil.objects.count()
        fill(people, more) if not counts else fill_more(people, 5, more)
        assert Pupil.objects.count() > fill_from
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(url, {"per_page": 50})
        assert answer.status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[0] <= 25


def fill_more(people: People, start: int, many: int) -> None:
    """As `fill`, with other numbers."""
    org = people.district.orgs["S1"]
    for at in range(start, start + many):
        born = dt.date(people.today.year - 9, 1, 1) + dt.timedelta(days=at)
        row = SchoolClass.objects.create(
            organisation=org, stage="primary", entry_year=people.began.year, number=200 + at,
            valid_from=people.began,
        )  # fmt: skip
        pupil = Pupil.objects.create(
            name=f"丛{at}",
            born_on=born,
            id_number=number(born, 500),
            organisation=org,
            school_class=row,
        )
        guardian = Guardian.objects.create(name=f"眷{at}")
        Guardianship.objects.create(
            pupil=pupil, guardian=guardian, relation="52", main=True, valid_from=people.began
        )
        StaffMember.objects.create(name=f"员{at}", category="teaching", organisation=org)
        community = Community.objects.create(
            town=people.district.orgs["T1"],
            code=f"9999000030{at:02d}",
            name=f"庄{at}",
            kind="village",
        )
        Dwelling.objects.create(community=community, road="道", number=at)
        other = Pupil.objects.create(name=f"丛{at}", born_on=born, id_number=number(born, 502))
        left, right = sorted([pupil.pk, other.pk])
        DuplicatePair.objects.create(kind="pupil", left=left, right=right, score=65, signs=["name"])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("王小明", {"王小明"}),
        ("wxm", {"王小明"}),
        ("w", {"王小明"}),
        ("unknown", set()),
    ],
)
def test_a_school_finds_its_own_and_the_lookup_is_noted(
    people: People, words: str, found: set[str]
) -> None:
    answer = search(client_of(people, "sec1"), reverse("pupil_list"), words)
    assert {row.name for row in answer.context["page"]} == found
    noted = Entry.objects.get(action="pupil.search")
    assert noted.detail == {"found": len(found)}
    assert words not in str(noted.detail)


@pytest.mark.parametrize(
    ("state", "who"),
    [
        ("", {"王小明", "单小红", "周雷", "李思雨", "王小华"}),
        ("unplaced", {"尤无处"}),
        ("suspended", set()),
        ("all", {"王小明", "单小红", "周雷", "李思雨", "王小华", "尤无处", "钱已去"}),
    ],
)
def test_chips_of_the_pupil_list(people: People, state: str, who: set[str]) -> None:
    answer = client_of(people, "registrar").get(reverse("pupil_list"), {"state": state})
    assert {row.name for row in answer.context["page"]} == who


def test_filters_of_the_pupil_list(people: People) -> None:
    client = client_of(people, "registrar")
    school = people.district.orgs["S1"].id

    def names(**query: object) -> set[str]:
        page = client.get(reverse("pupil_list"), query).context["page"]
        return {row.name for row in page}

    assert names(site=school) == {"王小明", "单小红", "周雷"}
    assert names(stage="junior") == {"李思雨", "王小明"}
    assert names(grade="primary-2") == {"周雷"}
    assert names(site=school, school_class=people.classes["S1-1"].id) == {"王小明", "单小红"}
    assert names(boarding="2") == {"单小红"}
    assert names(site=school, sort="class") == {"王小明", "单小红", "周雷"}


def test_numbers_are_masked_and_revealed_with_a_reason(people: People) -> None:
    pupil = people.pupils["ming"]
    client, page = client_of(people, "sec1"), reverse("pupil_detail", args=[pupil.pk])
    reveal = reverse("pupil_reveal", args=[pupil.pk])
    assert pupil.id_number not in client.get(page).content.decode()
    refused = client.post(reveal, {"field": "id_number", "reason": ""})
    assert refused.status_code == 422
    assert pupil.id_number not in refused.content.decode()
    shown = client.post(reveal, {"field": "id_number", "reason": "核对学籍"})
    assert shown.status_code == 200
    assert pupil.id_number in shown.content.decode()
    assert shown.headers["Cache-Control"] == "no-store"
    noted = Entry.objects.get(action="pupil.reveal")
    assert (noted.object_id, noted.reason, noted.detail) == (
        str(pupil.pk),
        "核对学籍",
        {"field": "id_number"},
    )
    assert (
        client_of(people, "head2").post(reveal, {"field": "id_number", "reason": "x1"}).status_code
        == 404
    )
    assert client.post(reveal, {"field": "name", "reason": "核对"}).status_code == 422


def test_reveal_of_a_guardian_and_of_staff(people: People) -> None:
    pupil, father = people.pupils["ming"], people.guardians["father"]
    held = pupil.guardianships.get(guardian=father)
    url = reverse("guardian_reveal", args=[pupil.pk, held.id])
    answer = client_of(people, "sec1").post(url, {"field": "phone", "reason": "联系家长"})
    assert father.phone in answer.content.decode()
    other = reverse("guardian_reveal", args=[people.pupils["hong"].pk, held.id])
    assert (
        client_of(people, "sec1").post(other, {"field": "phone", "reason": "联系"}).status_code
        == 404
    )
    member = people.staff["chen"]
    url = reverse("staff_reveal", args=[member.pk])
    answer = client_of(people, "sec1").post(url, {"field": "phone", "reason": "联系"})
    assert member.phone in answer.content.decode()
    assert (
        client_of(people, "head2").post(url, {"field": "phone", "reason": "联系"}).status_code
        == 404
    )


def test_who_looked_is_told_to_those_who_may_know(people: People) -> None:
    pupil = people.pupils["ming"]
    client_of(people, "sec1").get(reverse("pupil_detail", args=[pupil.pk]))
    looked = reverse("pupil_looked", args=[pupil.pk])
    head = client_of(people, "head1").get(looked)
    assert [entry.action for entry in head.context["page"]] == ["pupil.open"]
    assert people.district.users["sec1"].name in head.content.decode()
    assert client_of(people, "registrar").get(looked).status_code == 200
    assert client_of(people, "sec1").get(looked).status_code == 403
    assert client_of(people, "head2").get(looked).status_code == 404
    auditor = client_of(people, "auditor")
    found = auditor.post(reverse("looked_search"), {"number": pupil.id_number})
    assert found.url == reverse("looked_detail", args=["pupil", pupil.pk])
    assert auditor.get(found.url).status_code == 200
    assert pupil.name not in auditor.get(found.url).content.decode()
    assert auditor.post(reverse("looked_search"), {"number": "1"}).context["missing"]
    assert pupil.id_number not in str(list(Entry.objects.values_list("detail", "object_id")))
    assert client_of(people, "head1").get(found.url).status_code == 403
    assert auditor.get(reverse("looked_detail", args=["guardian", pupil.pk])).status_code == 404


def test_everybody_sees_who_looked_at_their_own_record(people: People) -> None:
    member = people.staff["head1"]
    client_of(people, "sec1").get(reverse("staff_detail", args=[member.pk]))
    answer = client_of(people, "head1").get(reverse("my_looked"))
    assert [entry.action for entry in answer.context["page"]] == ["staff.open"]
    assert "page" not in client_of(people, "director").get(reverse("my_looked")).context


def test_a_school_enters_a_pupil(people: People) -> None:
    client = client_of(people, "sec1")
    born = dt.date(people.today.year - 7, 12, 1)
    data = {
        "organisation": people.district.orgs["S1"].id,
        "school_class": people.classes["S1-1"].id,
        "on": people.began.isoformat(),
        "name": " 赵 新来 ",
        "id_kind": "1",
        "id_number": number(born, 321).lower(),
        "nationality": "CHN",
        "boarding": "1",
    }
    answer = client.post(reverse("pupil_add"), data)
    made = Pupil.objects.get(name="赵新来")
    assert answer.url == reverse("pupil_detail", args=[made.pk])
    assert (made.born_on, made.sex) == (born, "1")
    assert made.placements.get().school_class == people.classes["S1-1"]
    # The same number again: refused, with a link because the child is in reach.
    again = client.post(reverse("pupil_add"), data | {"name": "赵重来"})
    assert again.status_code == 422
    assert str(made.pk) in again.content.decode()
    # A number of another school's child: refused without saying where.
    taken = data | {"name": "李重来", "id_number": people.pupils["li"].id_number}
    refused = client.post(reverse("pupil_add"), taken)
    assert refused.status_code == 422
    assert "西澳初中" not in refused.content.decode()
    assert str(people.pupils["li"].pk) not in refused.content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id_number": "123"}, "id_number"),
        ({"id_number": "999900201502300018"}, "id_number"),
        ({"id_number": ""}, "id_number"),
        ({"sex": "2"}, "sex"),
        ({"born_on": "2015-01-01"}, "born_on"),
        ({"student_number": "G123"}, "student_number"),
        ({"id_kind": "Z", "id_number": "", "born_on": ""}, "born_on"),
        ({"on": "2100-01-01"}, "on"),
        ({"register_division": "12"}, "register_division"),
    ],
)
def test_what_is_wrong_stands_on_its_field(people: People, change: dict, field: str) -> None:
    born = dt.date(people.today.year - 7, 12, 1)
    data = {
        "organisation": people.district.orgs["S1"].id,
        "on": people.began.isoformat(),
        "name": "赵新来",
        "id_kind": "1",
        "id_number": number(born, 321),
        "nationality": "CHN",
        "boarding": "1",
    }
    answer = client_of(people, "sec1").post(reverse("pupil_add"), data | change)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Pupil.objects.filter(name="赵新来").exists()


def test_a_child_without_papers_and_one_with_a_passport(people: People) -> None:
    client = client_of(people, "sec1")
    base = {
        "organisation": people.district.orgs["S1"].id,
        "on": people.began.isoformat(),
        "nationality": "CHN",
        "boarding": "1",
        "born_on": "2018-05-05",
        "sex": "2",
    }
    paths = (("无证", "Z", ""), ("护照", "A", "E12345678"), ("港", "6", "H1234567(8)"))
    for name, kind, value in paths:
        client.post(
            reverse("pupil_add"), base | {"name": name, "id_kind": kind, "id_number": value}
        )
        made = Pupil.objects.get(name=name)
        assert (made.born_on, made.sex) == (dt.date(2018, 5, 5), "2")


def test_a_child_who_left_is_not_said_to_lack_a_school(people: People) -> None:
    client = client_of(people, "registrar")
    for key, words in {"gone": "已离校", "loose": "未落实学校"}.items():
        page = client.get(reverse("pupil_detail", args=[people.pupils[key].pk])).content.decode()
        assert [w for w in ("已离校", "未落实学校") if w in page] == [words]


def test_a_careless_enter_sends_no_child_away(people: People) -> None:
    client, pupil = client_of(people, "registrar"), people.pupils["ming"]
    url = reverse("pupil_leave", args=[pupil.pk])
    form = client.get(url).context["form"]
    sent = {name: form[name].value() or "" for name in form.fields}
    assert client.post(url, sent).status_code == 422
    pupil.refresh_from_db()
    assert pupil.organisation_id


def test_who_holds_a_role_twice_is_named_once(people: People) -> None:
    district = people.district
    user = district.users["teacher1"]
    for days, title in enumerate(("语文教师", "数学教师")):
        Post.objects.create(
            user=user,
            organisation=district.orgs["S1"],
            role="teacher",
            title=title,
            valid_from=people.began + dt.timedelta(days=days),
        )
    answer = client_of(people, "registrar").get(reverse("site_detail", args=["S1"]))
    (roles,) = [roles for holder, roles in answer.context["posts"] if holder == user]
    assert len(roles) == len(set(roles)) == 1


def test_editing_leaves_what_was_not_typed(people: People) -> None:
    pupil = people.pupils["ming"]
    client = client_of(people, "sec1")
    url = reverse("pupil_edit", args=[pupil.pk])
    form = client.get(url).context["form"]
    data = {
        name: form[name].value() or "" for name in form.fields if form[name].value() is not None
    }
    answer = client.post(url, data | {"name": "王大明", "boarding": "2"})
    assert answer.status_code == 302
    after = Pupil.objects.get(pk=pupil.pk)
    assert (after.name, after.former_name, after.id_number) == ("王大明", "王小明", pupil.id_number)
    stale = client.post(url, data | {"name": "王小小"})
    assert stale.status_code == 422
    assert "王小小" in stale.content.decode()


def test_transfer_is_asked_for_and_done(people: People) -> None:
    li = people.pupils["li"]
    school = client_of(people, "sec1")
    asked = school.post(reverse("pupil_find"), {"number": li.id_number})
    assert asked.context["result"] == "elsewhere"
    assert "西澳初中" not in asked.content.decode()
    assert school.post(reverse("pupil_find"), {"number": "0"}).context["result"] == "nobody"
    registrar = client_of(people, "registrar")
    found = registrar.post(reverse("pupil_find"), {"number": li.id_number})
    assert found.url == reverse("pupil_take_in", args=[li.pk])
    assert "site" in registrar.get(found.url).context["form"].fields
    target = people.district.orgs["S1"]
    data = {"organisation": target.id, "on": people.today.isoformat(), "school_class": ""}
    assert registrar.post(found.url, data).status_code == 302
    assert Pupil.objects.get(pk=li.pk).organisation == target
    assert school.get(reverse("pupil_detail", args=[li.pk])).status_code == 200


def test_residence_is_chosen_step_by_step(people: People) -> None:
    pupil, flat = people.pupils["ming"], people.dwellings["flat"]
    client = client_of(people, "sec1")
    url = reverse("pupil_residence", args=[pupil.pk])
    first = client.get(url, {"community": flat.community_id})
    assert first.context["roads"] == [("望海路", 2)]
    query = f"?community={flat.community_id}&road=望海路"
    assert client.get(url + query).context["form"].fields["dwelling"].queryset.count() == 2
    data = {"kind": "actual", "dwelling": flat.id, "on": people.today.isoformat()}
    assert client.post(url + query, data).status_code == 302
    now = pupil.residences.get(kind="actual", valid_to__isnull=True)
    assert now.dwelling == flat


def test_a_merged_rows_address_leads_to_the_one_that_stayed(people: People) -> None:
    ming, again = people.pupils["ming"], people.pupils["again"]
    Pupil.objects.filter(pk=again.pk).update(merged_into=ming)
    answer = client_of(people, "registrar").get(reverse("pupil_detail", args=[again.pk]))
    assert answer.url == reverse("pupil_detail", args=[ming.pk])


@pytest.mark.parametrize("name", ["pupil_detail", "staff_detail", "pupil_looked", "account_detail"])
def test_no_page_has_a_persons_name_in_its_title(people: People, name: str) -> None:
    """Titles stay in the history of a machine that several people use."""
    ming, chen = people.pupils["ming"], people.staff["chen"]
    user = people.district.users["sec1"]
    who, args, said = {
        "pupil_detail": ("sec1", [ming.pk], ming.name),
        "staff_detail": ("head1", [chen.pk], chen.name),
        "pupil_looked": ("head1", [ming.pk], ming.name),
        "account_detail": ("security", [user.pk], user.name),
    }[name]
    text = client_of(people, who).get(reverse(name, args=args)).content.decode()
    title = text.partition("<title>")[2].partition("</title>")[0]
    assert title.strip()
    assert said not in title
    assert said in text


def test_succession_shows_what_will_happen_first(people: People) -> None:
    client = client_of(people, "registrar")
    target = people.district.orgs["S2"]
    target.kind = "nine_year"
    target.save()
    url = reverse("site_succeed", args=["S1"])
    data = {
        "kind": "merger",
        "successor": target.id,
        "on": people.today.isoformat(),
        "document": "屿教〔2026〕1号",
    }
    preview = client.post(url, data)
    assert preview.status_code == 200
    assert len(preview.context["effects"]) == 5
    assert Pupil.objects.filter(organisation=target).count() == 2
    assert client.post(url, data | {"sure": "1"}).status_code == 302
    assert Pupil.objects.filter(organisation=target).count() == 5


def test_tree_of_a_day(people: People) -> None:
    client = client_of(people, "registrar")
    answer = client.get(reverse("site_tree"), {"day": "2020-06-01"})
    root = answer.context["branches"][0]
    town = next(group for group in root["groups"] if group["node"].code == "T1")
    assert {leaf.code for leaf in town["leaves"]} == {"S1", "K1"}
    assert {node.code for node in root["single"]} == {"B-OFF", "B-SAFE", "B-BASE"}
    before = client.get(reverse("site_tree"), {"day": "2019-01-01"})
    assert all(not branch["groups"] for branch in before.context["branches"])
    assert client.get(reverse("site_tree"), {"day": "2020-13-01"}).status_code == 200

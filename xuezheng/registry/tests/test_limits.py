"""Births and names that cannot be, and parameters that mean nothing: refused, with words."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import District
from tests.people import People
from xuezheng.kernel.reference.models import Parameter
from xuezheng.kernel.reference.parameters import setting
from xuezheng.registry import rules
from xuezheng.registry.models import Pupil, StaffMember
from xuezheng.registry.names import name_problem
from xuezheng.registry.services import guardians, pupils, staff

pytest_plugins = ["tests.people"]
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "youngest", "oldest", "span"),
    [
        (dt.date(2026, 9, 1), 2, 30, (dt.date(1996, 9, 1), dt.date(2024, 9, 1))),
        (dt.date(2028, 2, 29), 2, 30, (dt.date(1998, 2, 28), dt.date(2026, 2, 28))),
        (dt.date(2028, 2, 29), 16, 88, (dt.date(1940, 2, 29), dt.date(2012, 2, 29))),
    ],
)
def test_span_of_births(day, youngest, oldest, span) -> None:
    assert rules.born_span(day, youngest=youngest, oldest=oldest) == span


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("王小明", ""),
        ("买买提·吐尔逊", ""),
        ("John Smith", ""),
        ("O'Neill-Árnason Jr.", ""),
        ("张三2", ""),
        ("王〇", ""),
        ("𠮷田", ""),
        ("王\ue863", ""),  # a rare character under a font's private number
        ("王\U00031350", ""),  # newer than the Unicode of some Python
        ("", ""),
        ("王<b>", "marks"),
        ("王＞小", "marks"),
        ("王\x00小", "marks"),
        ("王\x1b小", "marks"),
        ("王\u200b小", "marks"),
        ("\u202e王小", "marks"),
        ("王\ufffd", "marks"),
        ("···", "writing"),
        ("？", "writing"),
        ("- -", "writing"),
        ("123", "writing"),
    ],
)
def test_names(name: str, problem: str) -> None:
    assert name_problem(name) == problem


def _child(**more: Any) -> dict[str, Any]:
    return {"name": "新生", "id_kind": "Z", "id_number": "", "sex": "1"} | more


def _years_ago(years: int) -> dt.date:
    return rules.born_span(timezone.localdate(), youngest=years, oldest=years)[0]


@pytest.mark.parametrize(
    ("kind", "years", "days", "fine"),
    [
        ("pupil", 2, 0, True),
        ("pupil", 2, 1, False),
        ("pupil", 30, 0, True),
        ("pupil", 30, -1, False),
        ("staff", 16, 0, True),
        ("staff", 16, 1, False),
        ("staff", 90, 0, True),
        ("staff", 90, -1, False),
    ],
)
def test_ages_at_their_limits(people: People, kind: str, years: int, days: int, fine: bool) -> None:
    by = people.district.actor("sec1")
    fields = _child(born_on=_years_ago(years) + days * DAY, category="1")
    where = {"organisation": people.district.orgs["S1"], "on": people.today, "by": by}

    def enter() -> Any:
        if kind == "pupil":
            del fields["category"]
            return pupils.create_pupil(fields=fields, school_class=None, **where)
        return staff.create_staff(fields=fields, established=True, **where)

    if fine:
        assert enter().born_on == fields["born_on"]
        return
    with pytest.raises(ValidationError) as refused:
        enter()
    assert list(refused.value.message_dict) == ["born_on"]
    assert str(years) in refused.value.message_dict["born_on"][0]


def test_the_bureau_decides_about_ages(people: People) -> None:
    by = people.district.actor("sec1")
    shipped = Parameter.objects.get(key="registry.ages.pupil", owner="")
    Parameter.objects.create(
        key=shipped.key,
        owner=people.district.orgs["B"].code,
        value={"youngest": 2, "oldest": 40},
        label=shipped.label,
        label_en=shipped.label_en,
        valid_from=people.today,
        source="会议纪要",
        certainty="local",
    )
    made = pupils.create_pupil(
        fields=_child(born_on=_years_ago(40)),
        organisation=people.district.orgs["S1"],
        school_class=None,
        on=people.today,
        by=by,
    )
    assert made.born_on == _years_ago(40)


def test_a_birth_written_long_ago_does_not_bar_other_changes(people: People) -> None:
    ming, by = people.pupils["ming"], people.district.actor("sec1")
    born = _years_ago(50)
    Pupil.objects.filter(pk=ming.pk).update(id_kind="Z", id_number=None, born_on=born)
    fields = {name: getattr(ming, name) for name in pupils.EDITABLE}
    fields |= {"id_kind": "Z", "id_number": "", "born_on": born, "boarding": "2"}
    pupils.edit_pupil(ming, fields=fields, version=ming.version, by=by)
    ming.refresh_from_db()
    assert (ming.boarding, ming.born_on) == ("2", born)
    with pytest.raises(ValidationError):
        fields["born_on"] = born + DAY
        pupils.edit_pupil(ming, fields=fields, version=ming.version, by=by)


@pytest.mark.parametrize("name", ["···", "王<b>", "王\u200b"])
def test_services_refuse_what_is_no_name(people: People, name: str) -> None:
    by = people.district.actor("sec1")
    where = {"organisation": people.district.orgs["S1"], "on": people.today, "by": by}
    born = {"born_on": _years_ago(20)}
    before = (Pupil.objects.count(), StaffMember.objects.count())
    for call in (
        lambda: pupils.create_pupil(fields=_child(name=name, **born), school_class=None, **where),
        lambda: staff.create_staff(fields=_child(name=name, **born), established=True, **where),
        lambda: guardians.add_guardian(
            people.pupils["ming"], fields=_child(name=name), relation="51", main=False, by=by
        ),
    ):
        with pytest.raises(ValidationError) as refused:
            call()
        assert list(refused.value.message_dict) == ["name"]
    with pytest.raises(ValidationError) as refused:
        fields = _child(former_name=name, **born)
        pupils.create_pupil(fields=fields, school_class=None, **where)
    assert list(refused.value.message_dict) == ["former_name"]
    assert (Pupil.objects.count(), StaffMember.objects.count()) == before


# -- the parameter screen -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "value", "fine"),
    [
        ("registry.graduation.days", '{"first": 601, "last": 831}', True),
        ("registry.graduation.days", '{"first": 101, "last": 1231}', True),
        ("registry.graduation.days", '{"first": 630, "last": 630}', True),
        ("registry.graduation.days", '{"first": 831, "last": 630}', False),
        ("registry.graduation.days", '{"first": 631, "last": 831}', False),
        ("registry.graduation.days", '{"first": 229, "last": 831}', False),
        ("registry.graduation.days", '{"first": 0, "last": 831}', False),
        ("registry.graduation.days", '{"first": 1330, "last": 1331}', False),
        ("registry.graduation.days", '{"first": -1, "last": 831}', False),
        ("registry.graduation.days", f'{{"first": {10**30}, "last": 831}}', False),
        ("registry.graduation.days", '{"first": "630", "last": 831}', False),
        ("registry.graduation.days", '{"first": true, "last": 831}', False),
        ("registry.graduation.days", '{"first": 630.0, "last": 831}', False),
        ("registry.graduation.days", '{"first": 630}', False),
        ("registry.graduation.days", '{"first": 630, "last": 831, "more": 1}', False),
        ("registry.graduation.days", "{}", False),
        ("registry.graduation.days", "630", False),
        ("registry.ages.pupil", '{"youngest": 0, "oldest": 130}', True),
        ("registry.ages.pupil", '{"youngest": 30, "oldest": 2}', False),
        ("registry.ages.staff", '{"youngest": 16, "oldest": 131}', False),
        ("registry.ages.staff", '{"youngest": -1, "oldest": 90}', False),
        ("registry.norms.pupils_per_staff.junior", "14", True),
        ("registry.norms.pupils_per_staff.junior", "NaN", False),
        ("registry.norms.pupils_per_staff.junior", "1e400", False),
        ("registry.norms.class_size.primary", "45.5", False),
        ("registry.duplicates.threshold", "[" * 20_000, False),
    ],
)
def test_values_that_mean_nothing_are_refused_at_the_screen(
    district: District, key: str, value: str, fine: bool
) -> None:
    client = Client()
    client.force_login(district.users["operator"])
    today = timezone.localdate()
    given = {"value": value, "valid_from": today.isoformat(), "source": "纪要", "reason": "试"}
    before = setting(key, today, district.orgs["B"].code).value
    answer = client.post(reverse("parameter_edit", args=[key]), given)
    after = setting(key, today, district.orgs["B"].code).value
    if fine:
        assert (answer.status_code, after != before) == (302, True)
    else:
        assert (answer.status_code, after) == (422, before)
        assert answer.context["form"].errors["value"]

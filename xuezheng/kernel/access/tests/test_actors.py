"""Scope of posts: own tree, authority, towns, dates, several posts in one person."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from tests.district import SINCE, District
from xuezheng.domains.oversight.access import Permission
from xuezheng.kernel.access import actors
from xuezheng.kernel.access.actors import JobActor, OutOfScope, StaffActor
from xuezheng.kernel.access.models import Organisation, OrganisationEdge, Post, User
from xuezheng.kernel.access.permissions import PERSON, grants
from xuezheng.registry import roles


def reach(district: District, who: str, permission: str) -> set[str]:
    ids = district.actor(who).scope(permission).organisations
    return {code for code, org in district.orgs.items() if org.id in ids}


@pytest.mark.parametrize(
    ("who", "permission", "expected"),
    [
        ("sec1", Permission.SEE, {"S1"}),
        ("town1", Permission.SEE, {"T1", "S1", "K1"}),
        ("sec1", Permission.GRADE, set()),
        ("operator", Permission.SEE, set()),
    ],
)
def test_reach(district: District, who: str, permission: str, expected: set[str]) -> None:
    assert reach(district, who, permission) == expected


def test_an_office_of_the_bureau_reaches_the_whole_authority(district: District) -> None:
    assert reach(district, "safety", Permission.GRADE) == set(district.orgs)


def test_six_posts_one_person_each_act_under_the_nearest(district: District) -> None:
    for role, org in [
        (roles.SITE_HEAD, "S1"),
        (roles.SITE_SECRETARY, "S1"),
        (roles.TEACHER, "S1"),
        (roles.TOWN_OFFICER, "T1"),
        (roles.TEACHER, "K1"),
        (roles.INSPECTOR, "B"),
    ]:
        actor = district.hold("island", role, org)
    assert len(actor.posts) == 6
    assert actor.post_for(Permission.RECTIFY, district.orgs["S1"].id).organisation.code == "S1"
    assert actor.post_for(Permission.REPORT, district.orgs["K1"].id).organisation.code == "K1"
    assert actor.post_for(Permission.RECHECK, district.orgs["S2"].id).role == roles.INSPECTOR
    with pytest.raises(OutOfScope):
        actor.post_for(Permission.RECTIFY, district.orgs["S2"].id)
    with pytest.raises(PermissionDenied):
        actor.post_for(Permission.GRADE, district.orgs["S1"].id)


@pytest.mark.parametrize(
    ("start", "end", "holds"),
    [(0, None, True), (1, None, False), (-9, 0, True), (-9, -1, False)],
)
def test_a_post_counts_from_its_first_to_its_last_day(
    district: District, start: int, end: int | None, holds: bool
) -> None:
    today = timezone.localdate()
    user = district.users["auditor"]
    Post.objects.filter(user=user).delete()
    Post.objects.create(
        user=user,
        organisation=district.orgs["S1"],
        role=roles.SITE_HEAD,
        valid_from=today + dt.timedelta(days=start),
        valid_to=None if end is None else today + dt.timedelta(days=end),
    )
    assert StaffActor(user).can(Permission.RECTIFY) is holds


def test_a_school_that_left_the_town_is_out_of_its_scope(district: District) -> None:
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    OrganisationEdge.objects.filter(
        parent=district.orgs["T1"], child=district.orgs["K1"], valid_from=SINCE
    ).update(valid_to=yesterday)
    assert reach(district, "town1", Permission.SEE) == {"T1", "S1"}
    before = StaffActor(district.users["town1"], day=yesterday)
    assert district.orgs["K1"].id in before.scope(Permission.SEE)


def test_actor_needs_few_queries_however_many_posts(
    district: District, django_assert_num_queries
) -> None:
    for _ in range(4):
        district.hold("busy", roles.TEACHER, ["S1", "S2", "K1", "B"][_])
    actor = district.actor("busy")
    with django_assert_num_queries(3):
        actor.scope(Permission.REPORT)
        actor.scope(Permission.SEE)
        assert actor.can(Permission.REPORT)


def test_within_is_in_as_one_parameter(district: District) -> None:
    keys = frozenset({district.orgs["S1"].id, district.orgs["K1"].id})
    own = Organisation.objects.filter(id__within=keys)
    assert {row.code for row in own} == {"S1", "K1"}
    assert not Organisation.objects.filter(id__within=frozenset()).exists()
    assert own.count() + Organisation.objects.exclude(id__within=keys).count() == len(district.orgs)
    posts = Post.objects.filter(organisation__within=keys)
    assert list(posts.order_by("id")) == list(
        Post.objects.filter(organisation__in=keys).order_by("id")
    )
    assert len(posts.query.sql_with_params()[1]) == 1


OWN = "admissions.apply"


def test_what_needs_no_post_every_person_may_do(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = grants() | {PERSON: frozenset({OWN})}
    monkeypatch.setattr(actors, "grants", lambda: everybody)
    family = StaffActor(User.objects.create_user("p-1", name=""))
    for actor in (family, district.actor("sec1")):
        assert actor.can(OWN)
        assert actor.post_for(OWN, district.orgs["S2"].id) is None
        assert not actor.scope(OWN).organisations
        assert not actor.scope(OWN).everything
    assert family.permissions == {OWN}
    assert not family.needs_second_factor
    assert not family.can(Permission.SEE)
    with pytest.raises(PermissionDenied):
        family.post_for(Permission.SEE, district.orgs["S1"].id)
    assert JobActor("x").scope(OWN).everything

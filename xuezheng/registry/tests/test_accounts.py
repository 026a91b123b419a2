"""Accounts: opened, given posts, closed, reset; who may, on whom, and what the trail says."""

import datetime as dt
import time

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from tests.district import District
from xuezheng.kernel.access.actors import JobActor, OutOfScope, StaffActor
from xuezheng.kernel.access.models import Organisation, Post, SecondFactor, User
from xuezheng.kernel.access.permissions import grants
from xuezheng.kernel.access.permissions import roles as known_roles
from xuezheng.kernel.access.signin import factor, lockout, passwords
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry import roles
from xuezheng.registry.services import accounts
from xuezheng.registry.services.accounts import NewAccount

TODAY = timezone.localdate()


def opened(district: District, **changes) -> tuple[User, str]:
    given = {
        "username": "new.one",
        "name": " 新 人 ",
        "posts": [(district.orgs["S1"].id, roles.TEACHER, "语文教师")],
        "by": district.actor("security"),
        "reason": "入职单 12 号",
    }
    return accounts.create_account(**given | changes)


def test_open_an_account(district: District) -> None:
    user, one_time = opened(district)
    user.refresh_from_db()
    assert user.name == "新人"
    assert passwords.is_one_time(user, one_time, timezone.now())
    assert StaffActor(user).can("oversight.hazard.report")
    entry = Entry.objects.get(action="account.created")
    assert entry.object_id == str(user.pk)
    assert entry.post.role == roles.SECURITY_OFFICER
    assert entry.reason == "入职单 12 号"
    told = str(entry.detail) + entry.object_id
    assert "new.one" not in told
    assert "新人" not in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": "ab"}, "用户名须为"),
        ({"username": "with blank"}, "用户名须为"),
        ({"username": "-dash"}, "用户名须为"),
        ({"username": "张三"}, "用户名须为"),
        ({"username": "SEC1"}, "已有人使用"),
        ({"name": "  "}, "请填写姓名"),
        ({"reason": " "}, "理由"),
    ],
)
def test_what_is_refused(district: District, changes: dict, words: str) -> None:
    before = User.objects.count()
    with pytest.raises(ValidationError, match=words):
        opened(district, **changes)
    assert User.objects.count() == before


def test_roles_and_places_are_checked(district: District) -> None:
    org = district.orgs["S1"].id
    with pytest.raises(ValidationError, match="没有这种岗位"):
        opened(district, posts=[(org, "emperor", "")])
    with pytest.raises(ValidationError, match="三员分立"):
        opened(district, posts=[(org, roles.OPERATOR, ""), (org, roles.AUDITOR, "")])
    elsewhere = Organisation.objects.create(code="X", name="外区", kind="bureau")
    with pytest.raises(OutOfScope):
        opened(district, posts=[(elsewhere.id, roles.TEACHER, "")])


@pytest.mark.parametrize("username", ["operator", "auditor", "registrar", "director", "head1"])
def test_only_the_security_administrator(district: District, username: str) -> None:
    actor = district.actor(username)
    for call in (
        lambda: opened(district, by=actor),
        lambda: accounts.disable(district.users["sec1"], by=actor, reason="x"),
        lambda: accounts.reset_password(district.users["sec1"], by=actor, reason="x"),
        lambda: accounts.unlock_key(1, by=actor, reason="x"),
    ):
        with pytest.raises(PermissionDenied):
            call()
    assert not accounts.visible_accounts(actor).exists()
    assert accounts.visible_accounts(district.actor("security")).count() == len(district.users)


def test_many_at_once_are_all_or_none_and_each_fault_names_its_row(district: District) -> None:
    org = district.orgs["S1"].id
    rows = [
        NewAccount("many.1", "甲", ((org, roles.TEACHER, ""),)),
        NewAccount("many.2", "", ((org, roles.TEACHER, ""),)),
        NewAccount("Many.1", "丙", ((org, roles.TEACHER, ""),)),
    ]
    with pytest.raises(ValidationError) as caught:
        accounts.create_accounts(rows, by=district.actor("security"), reason="x")
    faults = {(error.params["index"], error.code) for error in caught.value.error_list}
    assert faults == {(1, "name"), (2, "username")}
    assert not User.objects.filter(username__startswith="many").exists()


def test_hundreds_in_seconds(district: District) -> None:
    org = district.orgs["S1"].id
    rows = [NewAccount(f"bulk.{n}", "某人", ((org, roles.TEACHER, ""),)) for n in range(500)]
    began = time.monotonic()
    made = accounts.create_accounts(rows, by=JobActor("import"), reason="x")
    assert time.monotonic() - began < 10
    assert len({one_time for _user, one_time in made}) == 500
    assert Entry.objects.filter(action="account.created").count() == 500


def grant(district: District, user: User, role: str, org: str = "B", **changes) -> Post:
    given = {
        "organisation_id": district.orgs[org].id,
        "role": role,
        "title": "",
        "valid_from": TODAY,
        "valid_to": None,
        "by": district.actor("security"),
        "reason": "任命文件 3 号",
    }
    return accounts.grant_post(user, **given | changes)


def test_posts_begin_end_and_may_be_many(district: District) -> None:
    user = district.users["teacher1"]
    for role, org in ((roles.SITE_SECRETARY, "S1"), (roles.TEACHER, "S2"), (roles.SITE_HEAD, "K1")):
        grant(district, user, role, org)
    assert len(StaffActor(user).posts) == 4
    grant(district, user, roles.TEACHER, "S1", title="班主任")
    with pytest.raises(StepRefused, match="已任"):
        grant(district, user, roles.SITE_HEAD, "K1")
    with pytest.raises(ValidationError, match="离任日"):
        grant(district, user, roles.TEACHER, "K1", valid_to=TODAY - dt.timedelta(days=1))
    held = user.posts.get(role=roles.SITE_HEAD)
    by = district.actor("security")
    with pytest.raises(StepRefused, match="早于"):
        accounts.end_post(held, last_day=TODAY - dt.timedelta(days=1), by=by, reason="x")
    accounts.end_post(held, last_day=TODAY, by=by, reason="x")
    assert roles.SITE_HEAD in {post.role for post in StaffActor(user).posts}
    tomorrow = StaffActor(user, TODAY + dt.timedelta(days=1))
    assert roles.SITE_HEAD not in {post.role for post in tomorrow.posts}
    with pytest.raises(StepRefused, match="已经结束"):
        accounts.end_post(held, last_day=TODAY, by=by, reason="x")


@pytest.mark.parametrize(
    ("held_until", "new_from", "new_to", "allowed"),
    [
        (None, 0, None, False),
        (None, -20, -11, True),  # the audit post began ten days ago
        (None, -20, -10, False),
        (5, 5, None, False),
        (5, 6, None, True),
    ],
)
def test_the_three_administrators_are_apart_on_every_day(
    district: District, held_until: int | None, new_from: int, new_to: int | None, allowed: bool
) -> None:
    def day(offset: int | None) -> dt.date | None:
        return None if offset is None else TODAY + dt.timedelta(days=offset)

    user = district.users["teacher1"]
    grant(district, user, roles.AUDITOR, valid_from=day(-10), valid_to=day(held_until))
    span = {"valid_from": day(new_from), "valid_to": day(new_to)}
    if allowed:
        assert grant(district, user, roles.OPERATOR, **span)
    else:
        with pytest.raises(StepRefused, match="三员分立"):
            grant(district, user, roles.OPERATOR, **span)


def test_nobody_changes_their_own_account(district: District) -> None:
    user, by = district.users["security"], district.actor("security")
    for call in (
        lambda: grant(district, user, roles.REGISTRAR),
        lambda: accounts.end_post(user.posts.get(), last_day=TODAY, by=by, reason="x"),
        lambda: accounts.disable(user, by=by, reason="x"),
        lambda: accounts.reset_password(user, by=by, reason="x"),
        lambda: accounts.reset_factor(user, by=by, reason="x"),
        lambda: accounts.unlock(user, by=by, reason="x"),
    ):
        with pytest.raises(StepRefused, match="自己"):
            call()
    assert user.posts.count() == 1


def test_disable_enable(district: District) -> None:
    user, by = district.users["sec1"], district.actor("security")
    accounts.disable(user, by=by, reason="离职")
    assert not StaffActor(User.objects.get(pk=user.pk)).posts
    with pytest.raises(StepRefused):
        accounts.disable(user, by=by, reason="x")
    accounts.enable(user, by=by, reason="x")
    with pytest.raises(StepRefused):
        accounts.enable(user, by=by, reason="x")
    actions = Entry.objects.filter(object_id=user.pk).values_list("action", flat=True)
    assert list(actions) == ["account.disabled", "account.enabled"]


def test_reset_password_and_factor(district: District) -> None:
    user, by = district.users["auditor"], district.actor("security")
    SecondFactor.objects.create(user=user, secret=factor.new_secret())
    factor.new_recovery_codes(user)
    one_time = accounts.reset_password(user, by=by, reason="x")
    user.refresh_from_db()
    assert not user.check_password("secret-word-1")
    assert passwords.is_one_time(user, one_time, timezone.now())
    accounts.reset_factor(user, by=by, reason="x")
    user.refresh_from_db()
    assert user.factor_reset_at
    assert not SecondFactor.objects.exists()
    assert not user.recovery_codes.exists()
    with pytest.raises(StepRefused):
        accounts.reset_factor(user, by=by, reason="x")


def test_unlock(district: District) -> None:
    user, by, now = district.users["sec1"], district.actor("security"), timezone.now()
    rules = passwords.rules_for("")
    for _ in range(5):
        lockout.count_failure("name", "sec1", now, rules, user)
        lockout.count_failure("name", "nobody", now, rules)
    shown = accounts.with_state(accounts.visible_accounts(by), now)
    assert [row.username for row in shown.filter(is_locked=True)] == ["sec1"]
    accounts.unlock(user, by=by, reason="本人来电核实")
    assert lockout.locked_until("name", "sec1", now) is None
    with pytest.raises(StepRefused):
        accounts.unlock(user, by=by, reason="x")
    other = lockout.locks(now).get()
    accounts.unlock_key(other.pk, by=by, reason="x")
    with pytest.raises(StepRefused):
        accounts.unlock_key(other.pk, by=by, reason="x")
    actions = Entry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["account.unlocked", "sign_in.unlocked"]


def test_the_first_account(db) -> None:
    given = {"username": "chief", "name": "关谨", "bureau_code": "", "bureau_name": ""}
    with pytest.raises(StepRefused, match="还没有教育局"):
        accounts.open_first_account(**given)
    given |= {"bureau_code": "B", "bureau_name": "屿州区教育局"}
    one_time = accounts.open_first_account(**given)
    user = User.objects.get()
    assert passwords.is_one_time(user, one_time, timezone.now())
    assert StaffActor(user).scope("registry.accounts").everything
    with pytest.raises(StepRefused, match="已有"):
        accounts.open_first_account(**given | {"username": "second"})


def test_whoever_reaches_all_sensitive_data_needs_a_second_factor() -> None:
    sensitive = {
        "registry.pupil.reveal",
        "registry.staff.reveal",
        "registry.accounts",
        "registry.merge",
        "boards.audit",
        "boards.jobs",
    }
    for key, role in known_roles().items():
        if role.reach == "authority" and sensitive & grants()[key]:
            assert role.second_factor, key


def test_every_role_says_what_it_allows() -> None:
    assert set(roles.ALLOWS) == set(known_roles())

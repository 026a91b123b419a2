"""Families as users: an account at the first code, their own page, a fresh code before a change."""

import time
from pathlib import Path

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.district import District
from tests.people import People
from xuezheng.kernel.access.guards import signed_in
from xuezheng.kernel.access.models import Session, SmsChallenge, User
from xuezheng.kernel.access.signin import sessions
from xuezheng.kernel.access.signin.fresh import fresh_code, needs_fresh_code
from xuezheng.kernel.audit.models import Entry
from xuezheng.registry.models import Guardian, Guardianship, StaffMember
from xuezheng.registry.services import families

NUMBER, OTHER = "13800001234", "13900005678"


@pytest.fixture(autouse=True)
def texts(settings, tmp_path: Path) -> Path:
    """Codes go into a file, and anybody may ask for one."""
    path = tmp_path / "texts"
    settings.SIGNIN_WAYS = {"sms": {"address": str(path), "token": "", "label": "", "anyone": True}}
    return path


def last_code(texts: Path) -> str:
    text = texts.read_text(encoding="utf-8").splitlines()[-1].partition("\t")[2]
    return next(word for word in text.replace("，", " ").split() if word.isdigit())


def come_in(texts: Path, number: str = NUMBER, *, target: str = "") -> tuple[Client, HttpResponse]:
    client = Client()
    given = {"number": number} | ({"next": target} if target else {})
    answer = client.post("/sign-in/sms/", given)
    assert answer.status_code == 302
    return client, client.post(answer.url, {"code": last_code(texts)})


def actions() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("action", flat=True))


# -- the first sign-in ------------------------------------------------------------------------------
def test_the_first_code_makes_an_account_and_the_second_finds_it(
    district: District, texts: Path
) -> None:
    before = User.objects.count()
    client, answer = come_in(texts)
    assert answer.url == "/"
    assert client.get("/").url == "/my/"
    page = client.get("/my/").content.decode()
    assert "138****1234" in page
    assert NUMBER not in page
    assert "您的姓名" in page
    user = User.objects.get(phone=NUMBER)
    assert user.username.startswith("p-")
    assert not user.has_usable_password()
    assert user.name == ""
    come_in(texts)
    assert User.objects.count() == before + 1
    assert actions() == ["account.opened", "sign_in", "sign_in"]
    assert NUMBER not in str(list(Entry.objects.values("object_id", "detail", "actor", "reason")))
    with pytest.raises(User.DoesNotExist):
        User.objects.get(username=NUMBER)


def test_the_number_is_sealed_in_the_database(district: District, texts: Path) -> None:
    come_in(texts)
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM access_user WHERE phone IS NOT NULL")
        assert cursor.fetchone()[0].startswith("v1:")


def test_it_leads_to_the_page_that_the_family_came_for(district: District, texts: Path) -> None:
    assert come_in(texts, target="/account/")[1].url == "/account/"


def test_where_it_is_not_open_no_account_is_made(district: District, settings) -> None:
    settings.SIGNIN_WAYS["sms"]["anyone"] = False
    client = Client()
    answer = client.post("/sign-in/sms/", {"number": NUMBER})
    assert client.post(answer.url, {"code": "000000"}).status_code == 422
    assert not User.objects.filter(phone__isnull=False).exists()
    assert client.get("/sign-in/").context["families"] is None


def test_known_and_unknown_numbers_are_answered_alike(district: District, texts: Path) -> None:
    come_in(texts, OTHER)
    pages = []
    for number in (OTHER, NUMBER):
        client = Client()
        with CaptureQueriesContext(connection) as queries:
            answer = client.post("/sign-in/sms/", {"number": number})
        page = client.get(answer.url).content.decode()
        pages.append((answer.status_code, answer.url, len(queries), page.count("验证码")))
    assert pages[0] == pages[1]


def test_the_members_of_staff_keep_their_number(district: District, texts: Path) -> None:
    StaffMember.objects.create(
        name="某人",
        phone=NUMBER,
        category="teaching",
        user=district.users["sec1"],
        organisation=district.orgs["S1"],
    )
    Guardian.objects.create(name="某人", phone=NUMBER)
    come_in(texts)
    assert Session.objects.get(user__isnull=False).user == district.users["sec1"]
    assert not User.objects.filter(phone=NUMBER).exists()


@pytest.mark.parametrize(
    ("registered", "linked_before", "links"),
    [(0, False, False), (1, False, True), (2, False, False), (1, True, False)],
)
def test_the_one_guardian_of_the_number_is_linked(
    district: District, texts: Path, registered: int, linked_before: bool, links: bool
) -> None:
    closed = User.objects.create_user("old", None, name="家长", is_active=False)
    for _ in range(registered):
        Guardian.objects.create(name="家长", phone=NUMBER, user=closed if linked_before else None)
    come_in(texts)
    user = User.objects.get(phone=NUMBER)
    assert Guardian.objects.filter(user=user).exists() is links
    assert ("guardian.linked" in actions()) is links


def test_a_guardian_who_was_registered_later_is_linked_at_the_next_sign_in(
    district: District, texts: Path
) -> None:
    come_in(texts)
    guardian = Guardian.objects.create(name="家长", phone=NUMBER)
    come_in(texts)
    guardian.refresh_from_db()
    assert guardian.user == User.objects.get(phone=NUMBER)
    assert actions().count("guardian.linked") == 1


def test_a_closed_account_stays_closed(district: District, texts: Path) -> None:
    come_in(texts)
    User.objects.filter(phone=NUMBER).update(is_active=False)
    _client, answer = come_in(texts)
    assert answer.status_code == 422
    assert "安全保密管理员" in answer.content.decode()
    assert User.objects.filter(phone=NUMBER).count() == 1


def test_two_browsers_at_once_get_one_account(district: District) -> None:
    assert families.open_account(NUMBER) == families.open_account(NUMBER)


def test_no_post_means_no_office_page(district: District, texts: Path) -> None:
    client, _answer = come_in(texts)
    assert client.get("/accounts/").status_code == 403
    assert client.get("/board/").status_code == 403
    page = client.get("/account/").content.decode()
    assert "我的岗位" not in page
    assert "修改密码" not in page


def test_the_list_of_accounts_has_staff_first(district: District, texts: Path) -> None:
    come_in(texts)
    User.objects.filter(phone=NUMBER).update(username="a-first")
    client = Client()
    client.force_login(district.users["security"])

    def names(**query: str) -> list[str]:
        page = client.get("/accounts/", query | {"per": "100"})
        return [user.username for user in page.context["page"]]

    assert names()[-1] == "a-first"
    assert names(state="family") == ["a-first"]
    assert "a-first" not in names(state="no_post")
    assert client.get("/accounts/", {"export": "1"}).status_code == 200


def test_staff_begin_where_they_did(district: District) -> None:
    client = Client()
    client.force_login(district.users["sec1"])
    assert client.get("/").url == "/inbox/"
    page = client.get("/my/").content.decode()
    assert "等您办理的事" in page
    assert "您的姓名" not in page


def test_a_guardian_sees_which_post_looked_at_the_child(
    people: People, district: District, texts: Path
) -> None:
    child, other = people.pupils["ming"], people.pupils["hong"]
    guardian = Guardian.objects.create(name="家长", phone=NUMBER)
    Guardianship.objects.create(
        pupil=child, guardian=guardian, relation="52", valid_from=timezone.localdate()
    )
    head = Client()
    head.force_login(district.users["head1"])
    assert head.get(reverse("pupil_detail", args=[child.pk])).status_code == 200
    client, _answer = come_in(texts)
    assert child.name in client.get("/me/looked/").content.decode()
    page = client.get(reverse("my_child_looked", args=[child.pk])).content.decode()
    assert "打开档案" in page
    assert 'href="/registry/"' not in page
    assert "东澳小学" in page
    assert str(district.users["head1"]) not in page
    assert client.get(reverse("my_child_looked", args=[other.pk])).status_code == 404
    assert head.get(reverse("my_child_looked", args=[child.pk])).status_code == 404
    assert client.get(reverse("pupil_detail", args=[child.pk])).status_code == 403
    stranger, _answer = come_in(texts, OTHER)
    assert "没有对应的在校学生" in stranger.get("/me/looked/").content.decode()
    assert stranger.get(reverse("my_child_looked", args=[child.pk])).status_code == 404


# -- the demo tells its codes -----------------------------------------------------------------------
@pytest.mark.parametrize("is_demo", [True, False])
def test_only_the_demo_shows_the_code(
    district: District, settings, texts: Path, is_demo: bool
) -> None:
    settings.IS_DEMO = is_demo
    client = Client()
    answer = client.post("/sign-in/sms/", {"number": NUMBER})
    shown = last_code(texts) in client.get(answer.url).content.decode()
    assert shown is is_demo


def test_not_even_the_demo_shows_a_code_of_the_staff(
    district: District, settings, texts: Path
) -> None:
    settings.IS_DEMO = True
    StaffMember.objects.create(
        name="某人",
        phone="10012345678",
        category="teaching",
        user=district.users["sec1"],
        organisation=district.orgs["S1"],
    )
    client = Client()
    answer = client.post("/sign-in/sms/", {"number": "10012345678"})
    assert last_code(texts) not in client.get(answer.url).content.decode()


def test_the_demo_takes_its_invented_numbers_and_nobody_else(district: District, settings) -> None:
    assert Client().post("/sign-in/sms/", {"number": "10012345678"}).status_code == 422
    settings.IS_DEMO = True
    assert Client().post("/sign-in/sms/", {"number": "10012345678"}).status_code == 302


def test_two_doors_and_the_cursor_in_neither(district: District) -> None:
    page = Client().get("/sign-in/").content.decode()
    assert page.index("家长、居民") < page.index("教职工、机关人员")
    assert "autofocus" not in page


# -- the name ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("given", "status"), [("王 小雨", 302), ("  ", 422), ("<b>", 422)])
def test_a_family_says_what_it_is_called(
    district: District, texts: Path, given: str, status: int
) -> None:
    client, _answer = come_in(texts)
    assert client.post("/my/name/", {"name": given}).status_code == status
    user = User.objects.get(phone=NUMBER)
    assert bool(user.name) is (status == 302)
    assert ("account.named" in actions()) is (status == 302)


def test_staff_do_not_rename_themselves(district: District) -> None:
    client = Client()
    client.force_login(district.users["sec1"])
    assert client.post("/my/name/", {"name": "别人"}).status_code == 403


# -- a fresh code -----------------------------------------------------------------------------------
def later(client: Client, seconds: int) -> None:
    """As if the code had been given so much earlier."""
    session = client.session
    session[sessions.FRESH] = session[sessions.FRESH] - seconds
    session.save()


def is_fresh(client: Client) -> bool:
    return sessions.is_fresh(client.session)


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (590, True), (600, False)])
def test_a_code_is_fresh_for_ten_minutes(
    district: District, texts: Path, seconds: int, fresh: bool
) -> None:
    client, _answer = come_in(texts)
    later(client, seconds)
    assert is_fresh(client) is fresh


def test_again_sends_a_code_and_leads_back(district: District, texts: Path) -> None:
    client, _answer = come_in(texts)
    later(client, 3600)
    key = client.session.session_key
    page = client.get("/again/?next=/account/").content.decode()
    assert "138****1234" in page
    answer = client.post("/again/", {"next": "/account/"})
    assert answer.url == "/again/code/?next=%2Faccount%2F"
    assert "修改已提交内容" in texts.read_text(encoding="utf-8").splitlines()[-1]
    assert client.post(answer.url, {"code": "x"}).status_code == 422
    assert not is_fresh(client)
    assert client.post(answer.url, {"code": last_code(texts)}).url == "/account/"
    assert is_fresh(client)
    assert client.session.session_key != key
    assert actions()[-1] == "code.proved"
    # The code is good once.
    assert client.get("/again/code/").url == "/again/?next="


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/"])
def test_again_leads_to_our_own_pages_only(district: District, texts: Path, target: str) -> None:
    client, _answer = come_in(texts)
    client.post("/again/", {"next": target})
    answer = client.post(f"/again/code/?next={target}", {"code": last_code(texts)})
    assert answer.url == "/my/"


def test_a_code_for_another_number_makes_nothing_fresh(district: District, texts: Path) -> None:
    client, _answer = come_in(texts)
    later(client, 3600)
    client.post("/again/", {})
    challenge = SmsChallenge.objects.order_by("expires_at").last()
    SmsChallenge.objects.filter(pk=challenge.pk).update(number=OTHER)
    assert client.post("/again/code/", {"code": last_code(texts)}).status_code == 422
    assert not is_fresh(client)


def test_a_password_is_no_fresh_code_and_no_telephone_is_said(district: District) -> None:
    client = Client()
    client.post("/sign-in/", {"username": "sec1", "password": "secret-word-1"})
    assert not is_fresh(client)
    answer = client.get("/again/")
    assert answer.status_code == 422
    assert "窗口" in answer.content.decode()


class Htmx:
    def __bool__(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("method", "path", "referer", "target"),
    [
        ("get", "/my/application/3/?step=2", "", "%2Fmy%2Fapplication%2F3%2F%3Fstep%3D2"),
        (
            "post",
            "/my/application/3/save/",
            "http://testserver/my/application/3/",
            "%2Fmy%2Fapplication%2F3%2F",
        ),
        ("post", "/my/application/3/save/", "http://evil.example/x/", "%2F"),
    ],
)
def test_a_view_that_needs_a_fresh_code(
    rf, method: str, path: str, referer: str, target: str
) -> None:
    ran = []

    @needs_fresh_code
    @signed_in
    def view(request: HttpRequest) -> HttpResponse:
        ran.append(request)
        return HttpResponse()

    assert view.guard.permissions == frozenset()
    assert not view.guard.anonymous
    request = getattr(rf, method)(path, HTTP_REFERER=referer)
    request.htmx, request.session = Htmx(), {}
    assert not fresh_code(request)
    assert view(request).url == f"{reverse('again')}?next={target}"
    assert not ran
    request.session = {sessions.FRESH: int(time.time()) + 60}
    assert view(request).status_code == 200
    assert len(ran) == 1

"""Coming in by every way, what is owed before anything else, how a session ends; pages of accounts."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import District
from xuezheng.kernel.access.models import (
    Attempts,
    Post,
    SecondFactor,
    Session,
    User,
)
from xuezheng.kernel.access.signin import factor, sessions
from xuezheng.kernel.access.signin.ways import oidc
from xuezheng.kernel.access.tests.fakes import CLIENT, SECRET, Fake, running
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.reference.models import Parameter
from xuezheng.registry.models import Guardian, StaffMember
from xuezheng.registry.services import accounts

GOOD, NEW = "secret-word-1", "Neues-Wort-2026"


def enter(username: str, password: str = GOOD, client: Client | None = None, **data) -> tuple:
    client = client or Client()
    given = {"username": username, "password": password, **data}
    return client, client.post("/sign-in/", given)


def actions() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("action", flat=True))


def enrol(user: User) -> str:
    secret = factor.new_secret()
    SecondFactor.objects.create(user=user, secret=secret)
    return secret


def code(secret: str, later: int = 0) -> str:
    return factor.code_at(secret, factor.step_of(timezone.now()) + later)


# -- password and lock ------------------------------------------------------------------------------
def test_in_and_out(district: District) -> None:
    client, answer = enter("sec1", next="/hazards/")
    assert (answer.status_code, answer.url) == (302, "/hazards/")
    assert client.get("/hazards/").status_code == 200
    row = Session.objects.get()
    assert row.user == district.users["sec1"]
    assert row.handle
    answer = client.post("/sign-out/")
    assert answer.status_code == 302
    assert not Session.objects.exists()
    assert client.get("/hazards/").status_code == 302
    assert actions() == ["sign_in", "sign_out"]
    assert Entry.objects.get(action="sign_in").detail == {"way": "password"}


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_it_leads_to_our_own_pages_only(district: District, target: str) -> None:
    _client, answer = enter("sec1", next=target)
    assert answer.url == "/"


def test_unknown_wrong_disabled_and_locked_read_alike(district: District) -> None:
    def words(username: str, password: str) -> str:
        _client, answer = enter(username, password)
        assert answer.status_code == 422
        form = answer.context["form"]
        return str(form.non_field_errors()[0])

    district.users["head2"].is_active = False
    district.users["head2"].save()
    wrong = {words("sec1", "no"), words("nobody", "no"), words("head2", GOOD)}
    assert len(wrong) == 1
    for _ in range(4):
        words("sec1", "no")
        words("nobody", "no")
    assert words("sec1", GOOD) == words("nobody", GOOD)
    assert "30 分钟" in words("sec1", GOOD)
    assert actions().count("sign_in.locked") == 2
    failed = Entry.objects.filter(action__startswith="sign_in.")
    assert {entry.object_id for entry in failed} == {
        "",
        str(district.users["sec1"].pk),
        str(district.users["head2"].pk),
    }
    assert all("nobody" not in str(entry.detail) for entry in failed)


def test_a_success_forgets_the_failures(district: District) -> None:
    for _ in range(4):
        enter("sec1", "no")
    enter("sec1")
    for _ in range(4):
        enter("sec1", "no")
    _client, answer = enter("sec1")
    assert answer.status_code == 302


def test_a_lock_on_an_address_stops_every_name(district: District) -> None:
    for number in range(50):
        enter(f"guess{number}", "no")
    _client, answer = enter("sec1")
    assert answer.status_code == 422
    other = Client(REMOTE_ADDR="10.9.9.9")
    _client, answer = enter("sec1", client=other)
    assert answer.status_code == 302


def test_the_bureaus_own_numbers_count(district: District) -> None:
    Parameter.objects.create(
        key="access.signin.failures",
        owner="B",
        value=2,
        label="x",
        label_en="x",
        valid_from=dt.date(2020, 1, 1),
        source="x",
        certainty="local",
    )
    enter("sec1", "no")
    enter("sec1", "no")
    _client, answer = enter("sec1")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("https", "forwarded", "counted"),
    [
        (False, "10.0.0.1", "127.0.0.1"),
        (True, "10.0.0.1", "10.0.0.1"),
        (True, "6.6.6.6, 10.0.0.1", "10.0.0.1"),
        (True, "", "127.0.0.1"),
    ],
)
def test_which_address_counts(rf, settings, https: bool, forwarded: str, counted: str) -> None:
    from xuezheng.kernel.access.signin.lockout import client_address

    settings.HTTPS = https
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(rf.get("/", headers=headers)) == counted


# -- sessions ---------------------------------------------------------------------------------------
real_time = time.time


def at(monkeypatch, seconds: float) -> None:
    """Sessions believe that it is so many seconds later."""
    monkeypatch.setattr(sessions.time, "time", lambda: real_time() + seconds)


@pytest.mark.parametrize(("seconds", "there"), [(1795, True), (1801, False)])
def test_idle(district: District, monkeypatch, seconds: int, there: bool) -> None:
    client, _answer = enter("sec1")
    at(monkeypatch, seconds)
    answer = client.get("/hazards/?state=open")
    if there:
        assert answer.status_code == 200
        # The use is noted: another half hour from here.
        at(monkeypatch, 2 * seconds - 5)
        assert client.get("/hazards/").status_code == 200
        return
    assert answer.url == "/sign-in/?next=%2Fhazards%2F%3Fstate%3Dopen&expired=1"
    assert not Session.objects.exists()
    page = client.get(answer.url)
    assert "已超时" in page.content.decode()
    client, answer = enter("sec1", client=client, next=page.context["next"])
    assert answer.url == "/hazards/?state=open"


def test_absolute(district: District, monkeypatch) -> None:
    client, _answer = enter("sec1")
    for minutes in range(25, 12 * 60, 25):
        at(monkeypatch, minutes * 60)
        assert client.get("/hazards/").status_code == 200
    at(monkeypatch, 12 * 3600 + 1)
    assert client.get("/hazards/").status_code == 302


def test_a_fragment_sends_the_whole_page_to_sign_in(district: District, monkeypatch) -> None:
    client, _answer = enter("sec1")
    at(monkeypatch, 3600)
    answer = client.get(
        "/search/?q=x",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/hazards/?page=2"},
    )
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"] == "/sign-in/?next=%2Fhazards%2F%3Fpage%3D2&expired=1"


def test_a_form_comes_back_to_its_page(district: District, monkeypatch) -> None:
    client, _answer = enter("sec1")
    at(monkeypatch, 3600)
    form = client.post("/hazards/report/", headers={"Referer": "http://testserver/hazards/report/"})
    assert form.url == "/sign-in/?next=%2Fhazards%2Freport%2F&expired=1"


def test_a_session_without_its_marks_is_over(district: District, settings) -> None:
    settings.SESSION_ENGINE = "xuezheng.kernel.access.signin.sessions"
    client = Client()
    client.force_login(district.users["sec1"])
    assert client.get("/hazards/").status_code == 302


def test_the_key_changes_at_sign_in_and_with_the_second_factor(district: District) -> None:
    secret = enrol(district.users["sec1"])
    client = Client()
    first = client.session
    first["x"] = 1
    first.save()
    client.cookies["sessionid"] = first.session_key
    enter("sec1", client=client)
    second = client.session.session_key
    assert second != first.session_key
    assert "x" not in client.session
    client.post("/second-factor/", {"code": code(secret)})
    assert client.session.session_key not in {first.session_key, second}


def test_where_am_i_signed_in(district: District) -> None:
    here = Client(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36")
    enter("sec1", client=here)
    there, _answer = enter("sec1")
    third, _answer = enter("sec1")
    stranger, _answer = enter("head1")
    page = here.get("/account/").content.decode()
    assert "Chrome · Windows" in page
    assert page.count("退出这一处") == 2
    assert there.session.session_key not in page
    foreign = reverse("session_end", args=[stranger.session["handle"]])
    assert here.post(foreign).status_code == 404
    assert stranger.get("/account/").status_code == 200
    assert here.post(reverse("session_end", args=[there.session["handle"]])).status_code == 302
    assert there.get("/account/").url.endswith("expired=1")
    here.post(reverse("sessions_end"))
    assert third.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200


# -- passwords that must be changed -----------------------------------------------------------------
def test_first_sign_in(district: District) -> None:
    user = district.users["sec1"]
    one_time = accounts.reset_password(user, by=district.actor("security"), reason="x")
    client, answer = enter("sec1", one_time.lower())
    assert answer.url == "/password/"
    for url in ("/", "/hazards/", "/account/", "/search/"):
        assert client.get(url).url == "/password/"
    wrong = {"new_password1": "short", "new_password2": "short"}
    assert client.post("/password/", wrong).status_code == 422
    # It still works until a password of one's own is set.
    again, answer = enter("sec1", one_time)
    assert answer.url == "/password/"
    answer = client.post("/password/", {"new_password1": NEW, "new_password2": NEW})
    assert answer.url == "/"
    assert client.get("/hazards/").status_code == 200
    assert again.get("/hazards/").status_code == 302, "other sessions end"
    assert enter("sec1", one_time)[1].status_code == 422
    assert enter("sec1", NEW)[1].status_code == 302


@pytest.mark.parametrize(
    ("days", "url", "said"),
    [(82, "/", ""), (83, "/", "7 天"), (89, "/", "1 天"), (90, "/password/", "")],
)
def test_age_of_the_password(district: District, days: int, url: str, said: str) -> None:
    User.objects.filter(username="sec1").update(
        password_changed_at=timezone.now() - dt.timedelta(days=days)
    )
    client, answer = enter("sec1")
    assert answer.url == url
    page = client.get("/account/", follow=True).content.decode()
    assert ("天到期，请尽早修改" in page) is bool(said)
    assert said in page


def test_change_of_password(district: District) -> None:
    client, _answer = enter("sec1")
    other, _answer = enter("sec1")
    new = {"new_password1": NEW, "new_password2": NEW}
    assert client.post("/password/", {"old_password": "no", **new}).status_code == 422
    assert "password.failed" in actions()
    assert client.post("/password/", {"old_password": GOOD, **new}).url == "/account/"
    assert client.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    same = {"old_password": NEW, **new}
    page = client.post("/password/", same)
    assert "最近用过" in page.content.decode()


# -- second factor ----------------------------------------------------------------------------------
@pytest.mark.parametrize("username", ["auditor", "operator", "security", "registrar"])
def test_sensitive_posts_must_enrol(district: District, username: str) -> None:
    client, answer = enter(username)
    assert answer.url == "/second-factor/enrol/"
    for url in ("/", "/audit/", "/accounts/", "/account/", "/operations/jobs/"):
        assert client.get(url).url == "/second-factor/enrol/"
    assert client.post("/sign-out/").url == "/sign-in/"


def test_enrol_and_come_back(district: District) -> None:
    client, _answer = enter("auditor", next="/audit/")
    assert client.get("/second-factor/picture/").status_code == 404
    page = client.get("/second-factor/enrol/")
    secret = "".join(page.context["secret"])
    picture = client.get("/second-factor/picture/")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert "no-store" in picture.headers["Cache-Control"]
    assert secret not in str(Session.objects.get().get_decoded()), "sealed while it waits"
    assert client.post("/second-factor/enrol/", {"code": "000000"}).status_code == 422
    # One and the same code both times: a new half minute would bring another, unspent one.
    spent = code(secret)
    page = client.post("/second-factor/enrol/", {"code": spent})
    codes = page.context["codes"]
    assert codes[0] in page.content.decode()
    assert client.get("/audit/").status_code == 200
    assert client.get("/second-factor/picture/").status_code == 404
    client.post("/sign-out/")

    client, answer = enter("auditor", next="/audit/")
    assert answer.url == "/second-factor/"
    assert client.get("/audit/").url == "/second-factor/"
    assert client.get("/second-factor/enrol/").url == "/second-factor/", "not by enrolling anew"
    replayed = client.post("/second-factor/", {"code": spent})
    assert replayed.status_code == 422, "the code that enrolled is spent"
    answer = client.post("/second-factor/", {"code": codes[0]})
    assert answer.url == "/audit/"
    assert "恢复码还剩 9 个" in client.get("/audit/").content.decode()
    assert [a for a in actions() if a.startswith("second")] == [
        "second_factor.enrolled",
        "second_factor.failed",
        "second_factor.verified",
    ]


def test_five_wrong_codes_lock(district: District) -> None:
    secret = enrol(district.users["auditor"])
    client, _answer = enter("auditor")
    for _ in range(5):
        assert client.post("/second-factor/", {"code": "000000"}).status_code == 422
    assert client.post("/second-factor/", {"code": code(secret)}).status_code == 422
    assert Attempts.objects.get(kind="factor").user == district.users["auditor"]
    accounts.unlock(district.users["auditor"], by=district.actor("security"), reason="x")
    assert client.post("/second-factor/", {"code": code(secret)}).status_code == 302


def test_who_lost_the_second_factor_is_told(district: District) -> None:
    user = district.users["auditor"]
    enrol(user)
    there = Client()
    there.force_login(user)
    accounts.reset_factor(user, by=district.actor("security"), reason="x")
    assert there.get("/audit/").status_code == 302, "signed out everywhere"
    client, answer = enter("auditor")
    assert answer.url == "/second-factor/enrol/"
    assert "已解除您原来绑定" in client.get(answer.url).content.decode()
    client.post("/sign-out/")
    client, answer = enter("auditor")
    assert "已解除您原来绑定" not in client.get(answer.url).content.decode()


def test_a_sensitive_post_given_meanwhile_asks_at_once(district: District) -> None:
    client, _answer = enter("teacher1")
    assert client.get("/hazards/").status_code == 200
    Post.objects.create(
        user=district.users["teacher1"],
        organisation=district.orgs["B"],
        role="registrar",
        valid_from=dt.date(2020, 1, 1),
    )
    assert client.get("/hazards/").url == "/second-factor/enrol/"


def test_a_one_time_password_does_not_go_round_the_second_factor(district: District) -> None:
    user = district.users["auditor"]
    secret = enrol(user)
    one_time = accounts.reset_password(user, by=district.actor("security"), reason="x")
    client, answer = enter("auditor", one_time)
    assert answer.url == "/second-factor/"
    new = {"new_password1": NEW, "new_password2": NEW}
    assert client.post("/password/", new).url == "/second-factor/"
    assert client.post("/second-factor/", {"code": code(secret)}).url == "/password/"
    assert client.post("/password/", new).url == "/"


def test_whoever_wants_may_enrol(district: District) -> None:
    client, _answer = enter("teacher1")
    page = client.get("/second-factor/enrol/")
    secret = "".join(page.context["secret"])
    client.post("/second-factor/enrol/", {"code": code(secret)})
    codes = client.post("/account/recovery-codes/").context["codes"]
    assert len(codes) == 10
    client, answer = enter("teacher1")
    assert answer.url == "/second-factor/"
    assert client.post("/second-factor/", {"code": codes[0]}).url == "/"
    stranger, _answer = enter("head1")
    assert stranger.post("/account/recovery-codes/").status_code == 404


@pytest.mark.parametrize("username", ["teacher1", "auditor"])
def test_an_older_session_cannot_bind_another_generator(district: District, username: str) -> None:
    older, _answer = enter(username)
    older.get("/second-factor/enrol/")
    client, _answer = enter(username)
    secret = "".join(client.get("/second-factor/enrol/").context["secret"])
    client.post("/second-factor/enrol/", {"code": code(secret)})
    for attempt in (
        lambda: older.get("/second-factor/enrol/"),
        lambda: older.post("/second-factor/enrol/", {"code": code(secret)}),
        lambda: older.post("/account/recovery-codes/"),
    ):
        answer = attempt()
        assert answer.url in {"/second-factor/", "/second-factor/enrol/"}
    assert older.get("/account/", follow=True).redirect_chain[-1][0] == "/second-factor/"
    assert SecondFactor.objects.get().secret == secret


@pytest.mark.parametrize(
    ("is_demo", "is_sample", "told"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_only_the_demo_tells_its_codes(
    district: District, settings, is_demo: bool, is_sample: bool, told: bool
) -> None:
    settings.IS_DEMO = is_demo
    user = district.users["auditor"]
    user.is_sample = is_sample
    user.save()
    secret = enrol(user)
    client, _answer = enter("auditor")
    page = client.get("/second-factor/").content.decode()
    assert (code(secret) in page) is told


# -- other ways -------------------------------------------------------------------------------------
@pytest.fixture
def fake(settings) -> Iterator[Fake]:
    oidc._documents.clear()
    with running() as fake:
        options = {
            "issuer": fake.url,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "label": "门户",
        }
        settings.SIGNIN_WAYS = {"oidc": options, "cas": {"url": fake.url, "label": ""}}
        yield fake


def visit(client: Client, fake: Fake, way: str) -> tuple[str, dict]:
    """What the browser does: to the other system and back; our page's form, ready to be sent."""
    begun = client.get(f"/sign-in/{way}/?next=/hazards/")
    back = fake.visit(begun.url)
    parts = urlsplit(back)
    page = client.get(f"{parts.path}?{parts.query}")
    assert page.status_code == 200
    return parts.path, page.context["returned"]


def test_the_page_shows_the_ways_that_are_configured(district: District, fake: Fake) -> None:
    page = Client().get("/sign-in/").content.decode()
    assert "门户" in page
    assert "统一身份认证登录" in page
    assert "短信" not in page
    assert Client().get("/sign-in/sms/").status_code == 404
    assert Client().get("/sign-in/nonsense/return/").status_code == 404


@pytest.mark.parametrize("way", ["oidc", "cas"])
def test_through_another_system(district: District, fake: Fake, way: str) -> None:
    client = Client()
    url, form = visit(client, fake, way)
    answer = client.post(url, form)
    assert answer.url == "/hazards/"
    assert client.get("/hazards/").status_code == 200
    assert Entry.objects.get(action="sign_in").detail == {"way": way}
    # The answer of that sign-in is worth nothing a second time, nor in another browser.
    assert client.post(url, form).status_code == 422
    assert Client().post(url, form).status_code == 422


@pytest.mark.parametrize("way", ["oidc", "cas"])
def test_no_way_makes_accounts(district: District, fake: Fake, way: str) -> None:
    fake.user = fake.claims["preferred_username"] = "stranger"
    before = User.objects.count()
    client = Client()
    url, form = visit(client, fake, way)
    answer = client.post(url, form)
    assert answer.status_code == 422
    assert "没有与您的身份关联的账号" in answer.content.decode()
    assert User.objects.count() == before
    assert "stranger" not in str(list(Entry.objects.values("object_id", "detail", "actor")))


def test_a_disabled_account_and_the_second_factor_hold_here_too(
    district: District, fake: Fake
) -> None:
    fake.claims["preferred_username"] = "auditor"
    client = Client()
    url, form = visit(client, fake, "oidc")
    assert client.post(url, form).url == "/second-factor/enrol/"
    accounts.disable(district.users["auditor"], by=district.actor("security"), reason="x")
    client = Client()
    url, form = visit(client, fake, "oidc")
    assert client.post(url, form).status_code == 422


def test_linked_by_identity_number(district: District, fake: Fake, settings) -> None:
    StaffMember.objects.create(
        name="某人",
        id_number="99010119900101001X",
        category="teaching",
        user=district.users["sec1"],
        organisation=district.orgs["S1"],
    )
    settings.SIGNIN_WAYS["oidc"] |= {"link": "identity", "claim": "number"}
    fake.claims["number"] = "99010119900101001x"
    client = Client()
    url, form = visit(client, fake, "oidc")
    client.post(url, form)
    assert Session.objects.get(user__isnull=False).user == district.users["sec1"]


def test_the_other_system_is_down(district: District, fake: Fake) -> None:
    fake.spoil = "down"
    answer = Client().get("/sign-in/oidc/")
    assert answer.status_code == 422
    assert "暂时没有应答" in answer.content.decode()


def test_by_sms(district: District, settings, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    settings.SIGNIN_WAYS = {"sms": {"address": str(texts), "token": "", "label": ""}}
    guardian = User.objects.create_user("guardian1", None, name="家长")
    Guardian.objects.create(name="家长", phone="13800001234", user=guardian)
    client = Client()
    assert client.get("/sign-in/sms/").status_code == 200
    assert client.get("/sign-in/sms/return/").url == "/sign-in/sms/"
    assert client.post("/sign-in/sms/", {"number": "12"}).status_code == 422
    answer = client.post("/sign-in/sms/", {"number": "138 0000 1234"})
    assert answer.url == "/sign-in/sms/return/"
    sent = texts.read_text(encoding="utf-8")
    given = next(
        word for word in sent.replace("，", " ").split() if word.isdigit() and len(word) == 6
    )
    assert client.post(answer.url, {"code": "x"}).status_code == 422
    assert client.post(answer.url, {"code": given}).url == "/"
    assert Session.objects.get(user__isnull=False).user == guardian
    # A number of nobody: the same pages, and nothing is sent.
    other = Client()
    assert other.post("/sign-in/sms/", {"number": "13900001234"}).url == answer.url
    assert other.post(answer.url, {"code": "000000"}).status_code == 422
    assert texts.read_text(encoding="utf-8") == sent
    assert "13900001234" not in str(list(Entry.objects.values("object_id", "detail")))


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_form_that_outlived_its_session_gets_a_page_of_ours(
    district: District, signed_in: bool
) -> None:
    client = Client(enforce_csrf_checks=True)
    if signed_in:
        client.force_login(district.users["sec1"])
    answer = client.post(reverse("sign_in"), {"username": "x", "password": "y"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "这一页已经过时" in page
    assert "<style" not in page

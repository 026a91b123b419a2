"""Pages of accounts: opening, acting with a reason, the list, locks, one's own page, the nightly purge."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.district import District
from tests.people import search
from xuezheng.boards.tests.test_sign_in import enrol, enter
from xuezheng.kernel.access.jobs import purge
from xuezheng.kernel.access.models import Attempts, Session, SmsChallenge, User
from xuezheng.kernel.audit.models import Entry

REASON = {"reason": "x"}


@pytest.fixture
def officer(district: District) -> Client:
    client = Client()
    client.force_login(district.users["security"])
    return client


def test_open_an_account_and_hand_over_the_password(district: District, officer: Client) -> None:
    form = {
        "username": "fresh",
        "name": "新人",
        "organisation": district.orgs["S1"].id,
        "role": "teacher",
        "title": "教师",
        "valid_from": timezone.localdate().isoformat(),
        "reason": "入职",
    }
    assert officer.post("/accounts/new/", form | {"reason": ""}).status_code == 422
    page = officer.post("/accounts/new/", form)
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    one_time = page.context["one_time"]
    _client, answer = enter("fresh", one_time)
    assert answer.url == "/password/"
    assert officer.post("/accounts/new/", form).status_code == 422, "the name is taken"
    user = User.objects.get(username="fresh")
    assert one_time not in officer.get(f"/accounts/{user.pk}/").content.decode()


@pytest.mark.parametrize("act", ["password", "disable"])
def test_acts(district: District, officer: Client, act: str) -> None:
    user = district.users["sec1"]
    url = reverse("account_act", args=[user.pk, act])
    assert officer.get(url).status_code == 200
    assert officer.post(url, {"reason": ""}).status_code == 422
    assert officer.post(url, REASON).status_code in {200, 302}
    own = reverse("account_act", args=[district.users["security"].pk, act])
    assert officer.post(own, REASON).status_code == 422
    assert officer.get(reverse("account_act", args=[user.pk, "nonsense"])).status_code == 404
    assert officer.get("/accounts/999999/").status_code == 404


def test_list_filters_export_and_queries(district: District, officer: Client) -> None:
    def names(query: str) -> list[str]:
        page = officer.get(f"/accounts/?per_page=100&{query}")
        assert page.status_code == 200
        return [user.username for user in page.context["page"]]

    everybody = names("")
    assert len(everybody) == len(district.users)
    found = search(officer, "/accounts/", "head1")
    assert [user.username for user in found.context["page"]] == ["head1"]
    assert names("role=auditor") == ["auditor"]
    assert names(f"organisation={district.orgs['S1'].id}") == ["head1", "sec1", "teacher1"]
    assert names("state=no_factor") == ["auditor", "operator", "registrar", "security"]
    district.users["head2"].is_active = False
    district.users["head2"].save()
    assert names("state=disabled") == ["head2"]
    assert "security" not in names("state=never")
    enrol(district.users["auditor"])
    assert "auditor" not in names("state=no_factor")
    for _ in range(5):
        enter("sec1", "no")
    assert names("state=locked") == ["sec1"]
    export = officer.get("/accounts/" + found.context["export_url"])
    assert export.status_code == 200
    assert Entry.objects.get(action="account.export").detail == {"w": True}

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            officer.get("/accounts/?per_page=100")
        return len(captured)

    few = queries()
    for number in range(40):
        district.hold(f"more{number}", "teacher", "S1")
    assert queries() == few


def test_locks_page(district: District, officer: Client) -> None:
    for _ in range(5):
        enter("sec1", "no")
        enter("nobody", "no")
    page = officer.get("/accounts/locks/").content.decode()
    assert "没有这个用户名" in page
    row = Attempts.objects.get(user__isnull=True, kind="name")
    url = reverse("lock_lift", args=[row.pk])
    assert officer.get(url).status_code == 200
    assert officer.post(url, REASON).status_code == 302
    assert officer.get(url).status_code == 404
    theirs = Attempts.objects.get(user=district.users["sec1"])
    assert officer.get(reverse("lock_lift", args=[theirs.pk])).status_code == 404
    assert (
        officer.post(
            reverse("account_act", args=[district.users["sec1"].pk, "unlock"]), REASON
        ).status_code
        == 302
    )
    assert enter("sec1")[1].status_code == 302


def test_own_page_says_what_posts_allow(district: District) -> None:
    district.hold("teacher1", "site_secretary", "S1")
    client, _answer = enter("teacher1")
    page = client.get("/account/").content.decode()
    assert "上报本校隐患" in page
    assert "办本校班级" in page
    assert "2020年1月1日起" in page


def test_what_is_over_is_purged(district: District) -> None:
    client, _answer = enter("sec1")
    Session.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    SmsChallenge.objects.create(number="1", digest="", expires_at=timezone.now())
    purge(timestamp=0)
    assert not Session.objects.exists()
    assert not SmsChallenge.objects.exists()
    assert client.get("/account/").status_code == 302

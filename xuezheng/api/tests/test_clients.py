"""Pages of programs that may call: who sees them, a token shown once, closing, reasons in the trail."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.district import POSTS, District
from xuezheng.api.models import Client, Scope, add_client, revoke_client
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.audit.models import Entry

BY = JobActor("tests")
GOOD = {
    "name": "portal",
    "scopes": [Scope.LOOK_UP, Scope.FOLLOW],
    "days": "90",
    "reason": "省平台接入申请单3号",
}


def browser(district: District, name: str = "security") -> Browser:
    client = Browser()
    client.force_login(district.users[name])
    return client


def made(name: str = "portal") -> Client:
    return add_client(name=name, scopes=[Scope.LOOK_UP], days=30, by=BY)[0]


def openapi(token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return Browser().get("/api/v1/openapi.json", headers=headers).status_code


@pytest.mark.parametrize("who", [name for name, _role, _org in POSTS])
def test_only_the_security_officer_lets_programs_in(district: District, who: str) -> None:
    row, client = made(), browser(district, who)
    expected = 200 if who == "security" else 403
    for name, args in (("client_list", ()), ("client_add", ()), ("client_revoke", (row.pk,))):
        assert client.get(reverse(name, args=args)).status_code == expected
    if who != "security":
        assert client.post(reverse("client_add"), GOOD).status_code == 403
        url = reverse("client_revoke", args=[row.pk])
        assert client.post(url, {"reason": "不再使用"}).status_code == 403
        row.refresh_from_db()
        assert row.revoked_at is None
    may_read = who in {"security", "operator"}
    answer = client.get(reverse("client_openapi"))
    assert answer.status_code == (200 if may_read else 403)
    if may_read:
        assert answer.json()["openapi"].startswith("3.1")


def test_nobody_signed_in_is_led_to_the_door(db) -> None:
    for name in ("client_list", "client_add", "client_openapi"):
        assert Browser().get(reverse(name)).status_code == 302


def test_a_token_is_shown_once_works_and_ends_with_its_client(district: District) -> None:
    client = browser(district)
    answer = client.post(reverse("client_add"), GOOD)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    (token,) = re.findall(r"xz_[\w-]{43}", answer.content.decode())
    row = Client.objects.get()
    assert row.scopes == sorted([Scope.LOOK_UP, Scope.FOLLOW])
    assert row.expires_on == timezone.localdate() + dt.timedelta(days=90)
    assert openapi(token) == 200
    page = client.get(reverse("client_list")).content.decode()
    assert "portal" in page
    assert token not in page
    assert row.digest not in page
    url = reverse("client_revoke", args=[row.pk])
    assert client.post(url, {"reason": ""}).status_code == 422
    assert openapi(token) == 200
    assert client.post(url, {"reason": "合作到期，已函告"}).status_code == 302
    assert openapi(token) == 401
    assert client.get(url).status_code == 404
    trail = Entry.objects.filter(object_type="client").order_by("id")
    told = [(one.action, one.reason, one.object_id) for one in trail]
    assert told == [
        ("client.add", "省平台接入申请单3号", "portal"),
        ("client.revoke", "合作到期，已函告", "portal"),
    ]
    assert not any(token in str(one.detail) for one in trail)


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": "有空 格"}, {"scopes": []}, {"scopes": ["everything"]}, {"days": "9999"},
     {"reason": "abc"}, {"name": "taken"}],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_written(district: District, change: dict) -> None:
    made("taken")
    answer = browser(district).post(reverse("client_add"), GOOD | change)
    assert answer.status_code == 422
    assert "xz_" not in answer.content.decode()
    assert Client.objects.count() == 1


def test_a_name_is_free_again_once_its_client_is_closed(district: District) -> None:
    made()
    revoke_client(name="portal", by=BY)
    assert browser(district).post(reverse("client_add"), GOOD).status_code == 200
    assert Client.objects.filter(name="portal").count() == 2


def test_the_list_is_narrowed_exported_and_costs_the_same(district: District) -> None:
    today = timezone.localdate()
    for number in range(5):
        made(f"live-{number}")
    old = made("old")
    Client.objects.filter(pk=old.pk).update(expires_on=today - dt.timedelta(days=1))
    last_day = made("last-day")
    Client.objects.filter(pk=last_day.pk).update(expires_on=today)
    made("gone")
    revoke_client(name="gone", by=BY)
    client = browser(district)

    def names(query: str) -> set[str]:
        return {row.name for row in client.get(f"{reverse('client_list')}?{query}").context["page"]}

    assert names("state=expired") == {"old"}
    assert names("state=revoked") == {"gone"}
    assert names("state=live") == {"last-day", *(f"live-{n}" for n in range(5))}
    assert names("q=LIVE-3") == {"live-3"}
    exported = client.get(f"{reverse('client_list')}?state=live&export=1")
    assert exported.status_code == 200
    assert "spreadsheet" in exported["Content-Type"]
    with_few = _queries(client)
    for number in range(20):
        made(f"more-{number}")
    assert _queries(client) == with_few


def _queries(client: Browser) -> int:
    with CaptureQueriesContext(connection) as seen:
        client.get(reverse("client_list"))
    return len(seen)

"""Messages: the reader's own, opened by POST, led nowhere else; channels chosen; the leader's page."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.workplan.models import Commitment, Extension
from xuezheng.domains.workplan.services import carrying, closing, importing
from xuezheng.domains.workplan.tests.test_services import (
    TEXT,
    adopted,
    milestone_due,
    parsed,
)
from xuezheng.kernel.access.models import User
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.notices.models import Contact, Notice
from xuezheng.kernel.notices.services import notify

pytestmark = pytest.mark.usefixtures("files_dir")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def tell(user: User, key: str = "k", path: str = "/account/") -> Notice:
    notify([user.pk], key=key, title=f"消息{key}", path=path)
    return Notice.objects.get(user=user, key=key)


def test_the_bell_counts_what_is_unread_and_opening_reads_it(district: District) -> None:
    plan = district.users["plan"]
    tell(plan, "a")
    notice, client = tell(plan, "b"), signed_in(plan)
    page = client.get("/messages/").content.decode()
    assert '<span class="bell-count">2</span>' in page
    assert client.get(f"/messages/{notice.pk}/open/").status_code == 405, "GET never writes"
    assert Notice.objects.unread().count() == 2
    answer = client.post(f"/messages/{notice.pk}/open/")
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    page = client.get("/messages/").content.decode()
    assert '<span class="bell-count">1</span>' in page
    assert page.index("消息a") < page.index("消息b"), "unread first"
    only = client.get("/messages/", {"read": "yes"}).content.decode()
    assert "消息b" in only
    assert "消息a" not in only
    client.post("/messages/read/")
    assert not Notice.objects.unread().exists()


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "javascript:x", ""])
def test_a_message_leads_nowhere_else(district: District, path: str) -> None:
    notice = tell(district.users["plan"], path=path)
    answer = signed_in(district.users["plan"]).post(f"/messages/{notice.pk}/open/")
    assert answer["Location"] == "/messages/"


def test_somebody_elses_message_is_not_there(district: District) -> None:
    notice = tell(district.users["plan"])
    client = signed_in(district.users["base"])
    assert client.post(f"/messages/{notice.pk}/open/").status_code == 404
    client.post("/messages/read/")
    assert Notice.objects.get().read_at is None
    assert "消息k" not in client.get("/messages/").content.decode()


def test_the_list_takes_the_same_queries_for_more_messages(district: District) -> None:
    plan = district.users["plan"]
    client, counts = signed_in(plan), []
    for number in (5, 50):
        notify_many = [tell(plan, f"{number}.{n}") for n in range(number)]
        assert len(notify_many) == number
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get("/messages/?per_page=100")
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_family_has_messages_too(district: District) -> None:
    parent = User.objects.create(username="p-1", name="家长", phone="10000000009")
    tell(parent)
    client = signed_in(parent)
    assert "1 条未读" in client.get("/my/").content.decode()
    assert "消息k" in client.get("/messages/").content.decode()


def test_the_account_page_says_and_changes_where_one_is_told(
    district: District, settings, tmp_path: Path
) -> None:
    parent = User.objects.create(username="p-1", name="家长", phone="10000000009")
    client = signed_in(parent)
    assert "提醒方式" not in client.get("/account/").content.decode()
    settings.NOTICE_CHANNELS = {key: {"address": str(tmp_path / key)} for key in ("sms", "mail")}
    assert "短信" in client.get("/account/").content.decode()
    page = client.get("/account/messages/").content.decode()
    assert "100****0009" in page
    assert "chat_id" not in page, "not in use here"
    wrong = client.post("/account/messages/", {"by_mail": "on", "email": "x"})
    assert wrong.status_code == 422
    client.post("/account/messages/", {"by_mail": "on", "email": "a@x.example"})
    contact = Contact.objects.get(user=parent)
    assert (contact.by_sms, contact.by_mail, contact.by_chat) == (False, True, True)
    assert contact.email == "a@x.example"
    assert "邮件" in client.get("/account/").content.decode()


# -- the leader's page ------------------------------------------------------------------------------
@pytest.fixture
def extension(district: District) -> Extension:
    """A request for more time of a task whose leader is the deputy."""
    plan = importing.import_plan(
        parsed(),
        organisation=district.orgs["B"],
        year=None,
        source_text=TEXT,
        source_file=None,
        by=district.actor("plan"),
    )
    milestone = milestone_due(adopted(district, plan), 9)
    return carrying.ask_extension(
        milestone,
        new_due=timezone.localdate() + dt.timedelta(days=40),
        reason="场地在修",
        by=district.actor("base"),
    )


def test_the_leader_hears_decides_in_place_and_the_office_hears_back(
    district: District, extension: Extension
) -> None:
    number = extension.case.number
    heard = Notice.objects.get(user__username="deputy", key__startswith="owed.extension")
    assert heard.path == "/inbox/?kind=extension"
    client = signed_in(district.users["deputy"])
    page = client.get("/leader/").content.decode()
    assert "场地在修" in page
    answer = client.post(
        f"/leader/{number}/decide/", {"granted": "no", "note": "", "version": 1}, follow=True
    )
    assert "请写明说明" in answer.content.decode(), "a no needs its reason"
    answer = client.post(f"/leader/{number}/decide/", {"granted": "yes", "version": 1}, follow=True)
    assert "已同意" in answer.content.decode()
    assert Case.objects.get(number=number).state == "granted"
    back = Notice.objects.get(user__username="base", key__startswith="answer.")
    assert number in back.title
    assert "场地" not in back.title
    again = client.post(f"/leader/{number}/decide/", {"granted": "yes", "version": 1})
    assert again.status_code == 404, "it waits no more"


def test_only_whoever_it_waits_for_decides(district: District, extension: Extension) -> None:
    number, sent = extension.case.number, {"granted": "yes", "version": 1}
    for name, status in (("director", 404), ("plan", 403), ("head1", 403)):
        answer = signed_in(district.users[name]).post(f"/leader/{number}/decide/", sent)
        assert answer.status_code == status, name
    assert Case.objects.get(number=number).state == "asked"


def test_a_stale_decision_is_a_conflict(district: District, extension: Extension) -> None:
    sent = {"granted": "yes", "version": 7}
    client = signed_in(district.users["deputy"])
    answer = client.post(f"/leader/{extension.case.number}/decide/", sent)
    assert answer.status_code == 409


def test_what_waits_by_the_thousand_is_one_line(district: District, extension: Extension) -> None:
    client = signed_in(district.users["deputy"])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_case (number, kind, title, organisation_id, state, phase, awaits,"
            " handler_id, opened_at, version) SELECT 'N' || n, kind, title, organisation_id, state,"
            " phase, awaits, handler_id, opened_at, 1 FROM cases_case, generate_series(1, 10) n"
            " WHERE id = %s",
            [extension.pk],
        )
    page = client.get("/leader/").content.decode()
    assert "11 件等您办" in page
    assert "/inbox/?kind=extension" in page
    assert "场地在修" not in page


def test_a_closing_is_approved_in_place(district: District, extension: Extension) -> None:
    row = Commitment.objects.select_related("plan__organisation").get(
        code="1.1-02", plan=extension.milestone.commitment.plan
    )
    asked = closing.apply_closing(
        row, statement="三场都办了", evidence=[photo()], by=district.actor("safety_office")
    )
    closing.check_closing(asked, by=district.actor("plan"))
    client = signed_in(district.users["deputy"])
    assert "三场都办了" in client.get("/leader/").content.decode()
    version = Case.objects.get(pk=asked.pk).version
    client.post(
        f"/leader/{asked.case.number}/decide/", {"granted": "yes", "version": version}, follow=True
    )
    assert Case.objects.get(pk=asked.pk).state == "closed"
    told = Notice.objects.filter(key__startswith="answer.").values_list("user__username", flat=True)
    assert set(told) == {"plan", "safety_office"}

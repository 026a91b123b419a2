"""Lists of people are searched without the words standing in an address."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.people import People, search
from xuezheng.kernel.access.ciphers import seal
from xuezheng.kernel.access.words import KEPT, SESSION_KEY
from xuezheng.kernel.audit.models import Entry

pytest_plugins = ["tests.people"]
LISTS = {
    "pupil_list": "registrar",
    "guardian_list": "registrar",
    "staff_list": "registrar",
    "account_list": "security",
    "audit_list": "auditor",
    "search": "registrar",
}
TYPED = re.compile(r'<input[^>]*type="(?:text|search)"[^>]*>')
FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)


def client_of(people: People, username: str) -> Client:
    client = Client()
    client.force_login(people.district.users[username])
    return client


def names(answer) -> set[str]:
    return {row.name for row in answer.context["page"]}


@pytest.mark.parametrize(("name", "who"), LISTS.items())
def test_no_form_sends_what_is_typed_of_people_in_an_address(
    people: People, name: str, who: str
) -> None:
    page = client_of(people, who).get(reverse(name)).content.decode()
    typed = [form for form in FORM.findall(page) if TYPED.search(form)]
    assert typed
    for form in typed:
        got = 'method="get"' in form
        assert not got or (name == "audit_list" and 'name="who"' not in form), form[:300]


def test_words_stay_with_filters_pages_and_export(people: People) -> None:
    client = client_of(people, "registrar")
    first = search(client, reverse("pupil_list") + "?state=all&page=3", "王")
    address = first.redirect_chain[-1][0]
    assert re.fullmatch(r"/registry/pupils/\?state=all&w=[\w-]{12}", address)
    assert names(first) == {"王小明", "王小华"}
    page = first.content.decode()
    assert 'value="王"' in page, "the box keeps what was typed"
    assert first.context["export_url"] == address.removeprefix("/registry/pupils/") + "&export=xlsx"
    # Filtered further in the panel of filters, which is posted too and sends the words again.
    sent = {"next": address, "words-w": "王", "sex": "2", "state": "all"}
    narrower = client.post(reverse("search_words"), sent, follow=True)
    assert "sex=2" in narrower.redirect_chain[-1][0]
    assert names(narrower) < names(first)
    cleared = client.post(reverse("search_words"), {"next": address, "words-w": " "}, follow=True)
    assert cleared.redirect_chain[-1][0] == "/registry/pupils/?state=all"
    assert not [e for e in Entry.objects.all() if "王" in str(e.detail) + e.object_id + e.reason]


def test_a_handle_is_of_one_session_and_an_unknown_one_finds_nobody(people: People) -> None:
    client = client_of(people, "registrar")
    address = search(client, reverse("pupil_list"), "王小明").redirect_chain[-1][0]
    assert names(client.get(address)) == {"王小明"}
    other = client_of(people, "registrar").get(address)
    assert names(other) == set()
    assert "这次查找已失效" in other.content.decode()
    export = client_of(people, "registrar").get(address + "&export=xlsx")
    assert export.status_code == 200
    b"".join(export.streaming_content)
    assert Entry.objects.filter(action="list.export").latest("id").detail["rows"] == 0
    searched = client_of(people, "registrar").get(reverse("search") + "?w=gone")
    assert "这次查找已失效" in searched.content.decode()


def test_words_lie_sealed_and_only_the_newest(people: People) -> None:
    client = client_of(people, "registrar")
    for number in range(KEPT + 1):
        search(client, reverse("pupil_list"), f"王小明{number}")
    held = client.session[SESSION_KEY]
    assert len(held) == KEPT
    assert seal("王小明0", "session.words") not in held.values()
    assert seal(f"王小明{KEPT}", "session.words") in held.values()
    rows = client.session.get_model_class().objects.values_list("session_data", flat=True)
    decoded = [client.session.decode(row) for row in rows]
    assert not any("王小明" in str(data) for data in decoded)


def test_a_changed_key_is_searched_again(people: People, settings) -> None:
    client = client_of(people, "registrar")
    address = search(client, reverse("pupil_list"), "王小明").redirect_chain[-1][0]
    settings.IDENTITY_KEYS = {"v9": b"x" * 64}
    assert client.get(reverse("search") + "?" + address.partition("?")[2]).context["lost"]


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("https://elsewhere.example/x", "/"),
        ("//elsewhere.example/x", "/"),
        ("http://testserver//elsewhere.example/x", "/%2Felsewhere.example/x"),
        ("http://testserver/\\elsewhere.example/x", "/%5Celsewhere.example/x"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("/registry/pupils/?site=1#x", "/registry/pupils/?site=1"),
    ],
)
def test_it_leads_nowhere_else(people: People, target: str, goes: str) -> None:
    answer = client_of(people, "sec1").post(reverse("search_words"), {"next": target})
    assert (answer.status_code, answer.url) == (302, goes)


def test_reading_cannot_keep_words(people: People) -> None:
    client = client_of(people, "sec1")
    assert client.get(reverse("search_words")).status_code == 405
    before = dict(client.session)
    client.get(reverse("pupil_list") + "?words-w=王小明&q=王小明")
    assert dict(client.session) == before


def test_the_trail_is_found_by_user_name(people: People) -> None:
    auditor = client_of(people, "auditor")
    search(client_of(people, "sec1"), reverse("pupil_list"), "王")
    sent = {"next": reverse("audit_list"), "words-who": "SEC1", "action": "pupil"}
    answer = auditor.post(reverse("search_words"), sent, follow=True)
    assert "sec1" not in answer.redirect_chain[-1][0].lower()
    assert {entry.user.username for entry in answer.context["page"]} == {"sec1"}
    assert "SEC1" in answer.content.decode()

"""Who is signed in, read with the session in one question."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.district import District
from xuezheng.kernel.access.models import Post, Session, User
from xuezheng.kernel.access.signin import sessions


@pytest.fixture
def signed_in(district: District) -> tuple[Client, User]:
    """A secretary at a browser."""
    client, user = Client(), district.users["sec1"]
    client.force_login(user)
    return client, user


def who(client: Client) -> str:
    """Whom the next request takes the browser for; empty for nobody."""
    answer = client.get("/account/")
    return answer.context["request"].user.username if answer.status_code == 200 else ""


def test_session_and_person_are_one_question(signed_in: tuple[Client, User]) -> None:
    client, user = signed_in
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert who(client) == user.username
    asked = [query["sql"] for query in caught.captured_queries if "access_user" in query["sql"]]
    assert sum("access_session s" in sql for sql in asked) == 1
    assert not [sql for sql in asked if 'FROM "access_user"' in sql]


@pytest.mark.parametrize(
    "changed",
    [
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: User.objects.filter(pk=user.pk).update(password="!another"),
        lambda user: Session.objects.filter(user=user).delete(),
    ],
    ids=["closed", "password", "ended elsewhere"],
)
def test_what_ends_a_session(signed_in: tuple[Client, User], changed: Any) -> None:
    client, user = signed_in
    assert who(client) == user.username
    changed(user)
    assert who(client) == ""


def test_a_row_that_names_another_person_signs_nobody_else_in(
    signed_in: tuple[Client, User], district: District
) -> None:
    """What the signed data say counts, not the row's column."""
    client, user = signed_in
    other = district.users["director"]
    Session.objects.filter(user=user).update(user=other)
    assert who(client) == user.username


def test_a_post_given_since_counts_at_the_next_request(district: District) -> None:
    client = Client()
    person = User.objects.create_user("p-fresh", name="")
    client.force_login(person)
    store = sessions.SessionStore(client.session.session_key)
    assert store.get("_auth_user_id") == str(person.pk)
    assert store.person.holds_posts is False
    example = district.users["sec1"].posts.first()
    Post.objects.create(
        user=person, organisation=example.organisation, role=example.role,
        valid_from=example.valid_from,
    )  # fmt: skip
    again = sessions.SessionStore(client.session.session_key)
    assert again.get("_auth_user_id") == str(person.pk)
    assert again.person.holds_posts is True
    assert again.person.phone is None

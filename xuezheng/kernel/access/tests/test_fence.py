"""The fence in real transactions, under the web role."""

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from xuezheng.kernel.access.actors import Actor, JobActor, StaffActor
from xuezheng.kernel.access.fence import FenceMiddleware, counting_all, fenced
from xuezheng.kernel.access.guards import public
from xuezheng.kernel.access.models import Organisation, User

pytestmark = pytest.mark.usefixtures("own_database")


class Anonymous:
    is_authenticated = False


def call(method: str, view) -> HttpResponse:
    """Run a view behind the fence as Django's handler does."""
    request = getattr(RequestFactory(), method)("/")
    request.user, request.htmx = Anonymous(), False
    fence: FenceMiddleware

    def handler(request: HttpRequest) -> HttpResponse:
        early = fence.process_view(request, view, (), {})
        if early:
            return early
        try:
            return view(request)
        except Exception as error:
            fence.process_exception(request, error)
            return HttpResponse(status=500)

    fence = FenceMiddleware(handler)
    return fence(request)


def add(code: str) -> None:
    Organisation.objects.create(code=code, name=code, kind="office")


def codes() -> list[str]:
    return list(Organisation.objects.values_list("code", flat=True))


@public
def creates(request: HttpRequest) -> HttpResponse:
    add("X")
    return HttpResponse()


@public
def creates_and_fails(request: HttpRequest) -> HttpResponse:
    add("X")
    raise ValueError


@public
def creates_and_says_500(request: HttpRequest) -> HttpResponse:
    add("X")
    return HttpResponse(status=500)


def test_post_commits() -> None:
    assert call("post", creates).status_code == 200
    assert codes() == ["X"]


@pytest.mark.parametrize("view", [creates_and_fails, creates_and_says_500])
def test_failure_undoes_everything(view) -> None:
    assert call("post", view).status_code == 500
    assert codes() == []


def test_get_cannot_write() -> None:
    assert call("get", creates).status_code == 500
    assert codes() == []


def test_get_reads_under_the_web_role_without_ownership() -> None:
    seen = {}

    @public
    def view(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('transaction_read_only')")
            seen["row"] = cursor.fetchone()
        return HttpResponse()

    call("get", view)
    assert seen["row"] == ("xuezheng_web", "on")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("xuezheng_owner", "off")


def test_a_view_without_guard_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured):
        call("get", lambda request: HttpResponse())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET action = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_entry SET seal_id = NULL",
        "INSERT INTO audit_seal (count, previous, digest, sealed_at) VALUES (0, '', '', now())",
        "DELETE FROM cases_move",
        "DROP TABLE cases_move",
        "CREATE TABLE public.mine (id int)",
    ],
)
def test_the_web_role_cannot_rewrite_history(statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
        fenced(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_inside_another_transaction_the_role_goes_back() -> None:
    with transaction.atomic():
        with fenced():
            add("Y")
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone()[0] == "xuezheng_owner"
    assert codes() == ["Y"]


POLICY = """
CREATE TABLE scratch (owner_id bigint);
INSERT INTO scratch VALUES (%(one)s), (%(two)s);
GRANT SELECT ON scratch TO xuezheng_web;
ALTER TABLE scratch ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON scratch TO xuezheng_web USING (
    (SELECT current_setting('xuezheng.admissions_all', true)) = '1'
    OR owner_id = (SELECT nullif(current_setting('xuezheng.person', true), '')::bigint)
)
"""


def test_a_row_level_policy_shows_a_person_the_rows_that_are_their_own() -> None:
    one, two, other = (User.objects.create_user(f"p-{n}", name="") for n in (1, 2, 3))
    with connection.cursor() as cursor:
        for statement in (POLICY % {"one": one.id, "two": two.id}).split(";"):
            cursor.execute(statement)

    def rows() -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT owner_id FROM scratch")
            return {owner for (owner,) in cursor.fetchall()}

    def seen(by: Actor | None) -> set[int]:
        with fenced(read_only=True, by=by):
            return rows()

    assert seen(StaffActor(one)) == {one.id}
    assert seen(StaffActor(two)) == {two.id}
    assert seen(StaffActor(other)) == set()
    assert seen(None) == set()
    assert seen(JobActor("job")) == {one.id, two.id}
    with fenced(read_only=True, by=StaffActor(one)):
        with counting_all():
            assert rows() == {one.id, two.id}
        assert rows() == {one.id}
    with transaction.atomic():
        with fenced(by=StaffActor(one)):
            assert rows() == {one.id}
        with fenced():
            assert rows() == set()


def test_its_time_limit_ends_with_it_inside_another_transaction() -> None:
    def limit() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    with transaction.atomic():
        before = limit()
        with fenced():
            assert limit() == settings.STATEMENT_TIMEOUT != before
        assert limit() == before


def test_a_fence_inside_a_fence_gives_back_role_and_reach() -> None:
    one = User.objects.create_user("p-1", name="")

    def now() -> tuple[str, str, str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_user, current_setting('xuezheng.person', true),"
                " current_setting('xuezheng.admissions_all', true)"
            )
            return cursor.fetchone()

    with fenced(by=StaffActor(one)):
        before = now()
        with fenced(by=JobActor("door")):
            assert now() == ("xuezheng_web", "", "1")
        assert now() == before == ("xuezheng_web", str(one.id), "")

"""Public look-ups are counted, also under the read-only fence and when the answer is an error."""

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from xuezheng.kernel.access.fence import FenceMiddleware
from xuezheng.kernel.access.guards import public
from xuezheng.kernel.access.limits import limited
from xuezheng.kernel.access.models import Attempts, User
from xuezheng.kernel.access.signin import lockout

LIMIT = 3


@public
def look_up(request: HttpRequest) -> HttpResponse:
    limited(request, "zone", per_hour=LIMIT)
    return HttpResponse("found")


@public
def misses(request: HttpRequest) -> HttpResponse:
    limited(request, "zone", per_hour=LIMIT)
    raise Http404


def ask(view=look_up, *, user=None, address: str = "10.0.0.1", method: str = "get") -> HttpResponse:
    """One request as Django's handler passes it through the fence."""
    request = getattr(RequestFactory(), method)("/", REMOTE_ADDR=address)
    request.user, request.htmx = user or AnonymousUser(), False
    fence: FenceMiddleware

    def handler(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except Exception as error:
            answer = fence.process_exception(request, error)
            return answer or HttpResponse(status=404)

    fence = FenceMiddleware(handler)
    return fence(request)


@pytest.fixture(autouse=True)
def database(own_database: str) -> str:
    return own_database


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("view", "status"), [(look_up, 200), (misses, 404)])
def test_so_many_an_hour_and_no_more(view, status: int, method: str) -> None:
    for _ in range(LIMIT):
        assert ask(view, method=method).status_code == status
    refused = ask(view, method=method)
    assert refused.status_code == 429
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    assert "60 分钟" in refused.content.decode()
    # Being refused does not make the wait longer.
    before = Attempts.objects.get().last_at
    ask(view, method=method)
    assert Attempts.objects.get().last_at == before


def test_the_wait_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(LIMIT):
        ask()
    later = timezone.now() + lockout.HOUR + dt.timedelta(seconds=1)
    monkeypatch.setattr("xuezheng.kernel.access.limits.timezone.now", lambda: later)
    assert ask().status_code == 200


def test_another_address_and_whoever_is_signed_in_have_counts_of_their_own() -> None:
    for _ in range(LIMIT + 1):
        ask()
    assert ask().status_code == 429
    assert ask(address="10.0.0.2").status_code == 200
    one, two = (User.objects.create_user(f"p-{n}", name="") for n in (1, 2))
    for _ in range(LIMIT):
        assert ask(user=one).status_code == 200
    assert ask(user=one, address="10.0.0.9").status_code == 429
    assert ask(user=two).status_code == 200
    assert "10.0.0" not in str(list(Attempts.objects.values("kind", "digest")))


def test_kinds_are_counted_apart() -> None:
    for _ in range(LIMIT):
        ask()

    @public
    def other(request: HttpRequest) -> HttpResponse:
        limited(request, "result", per_hour=LIMIT)
        return HttpResponse()

    assert ask().status_code == 429
    assert ask(other).status_code == 200

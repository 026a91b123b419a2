"""The fence: one database transaction around each request or job, under a role without ownership.

Django's ATOMIC_REQUESTS commits before a template response is rendered; a middleware around the
whole handler does not.  GET runs READ ONLY and is rolled back, so that a page cannot change data.
The session and the trail of reads are written outside, in short transactions of their own.

Row-level policies compare with what the fence sets: `<prefix>_all` and `<prefix>_orgs` for each of
`settings.FENCE_SCOPES`, what posts reach; and `xuezheng.person`, the user's id, for rows that are a
family's own, empty for jobs and for nobody:

    owner_id = (SELECT nullif(current_setting('xuezheng.person', true), '')::bigint)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from xuezheng.kernel.access.actors import Actor, StaffActor
from xuezheng.kernel.access.guards import Guard, safe
from xuezheng.kernel.access.scope import Scope
from xuezheng.kernel.access.signin.middleware import lead_to, open_step, sign_in_address


def _reach(by: Actor | None) -> dict[str, str]:
    """The database settings that row-level policies compare with, for whoever acts.

    `xuezheng.person` is the user's id.

    `settings.FENCE_SCOPES` names them: prefix -> permission.  `<prefix>_all` is 1 for whoever reaches
    everything, else `<prefix>_orgs` lists the organisations.  Nobody reaches nothing.
    """
    reach = {"xuezheng.person": str(by.user.id) if by and by.user else ""}
    for prefix, permission in settings.FENCE_SCOPES.items():
        scope = by.scope(permission) if by and by.can(permission) else Scope(frozenset())
        reach[f"{prefix}_all"] = "1" if scope.everything else ""
        listed = "" if scope.everything else ",".join(map(str, sorted(scope.organisations)))
        reach[f"{prefix}_orgs"] = listed
    return reach


def _current(names: list[str]) -> dict[str, str]:
    reads = ", ".join("coalesce(current_setting(%s, true), '')" for _ in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {reads}", names)
        return dict(zip(names, cursor.fetchone(), strict=True))


def _set_local(values: dict[str, str]) -> None:
    calls = ", ".join("set_config(%s, %s, true)" for _ in values)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [text for item in values.items() for text in item])


@contextmanager
def fenced(*, read_only: bool = False, by: Actor | None = None) -> Iterator[None]:
    """A transaction under `settings.FENCE_ROLE`, for requests, jobs and imports.

    `by` is whoever acts: row-level policies show only children within that reach, and none without
    it.  Read-only transactions are always rolled back.  Inside another transaction (a test, an
    import, a door that looks somebody up) it is a savepoint, and role, reach and time limit go back
    to what they were.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        if read_only:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
        if settings.FENCE_ROLE:
            reach = _reach(by)
            role = {"role": settings.FENCE_ROLE, "statement_timeout": settings.STATEMENT_TIMEOUT}
            before = _current([*reach, *role]) if nested else {}
            _set_local(reach | role)
        yield
        if read_only:
            transaction.set_rollback(True)
        elif nested and settings.FENCE_ROLE and not transaction.get_rollback():
            _set_local(before)


@contextmanager
def counting_all() -> Iterator[None]:
    """For one aggregate whose answer is numbers only: row-level policies hide nothing from it.

    A figure must be seen to add up by whoever may see the figure, also where the rows behind it are
    out of reach.  Never run a query here that returns rows of people.  Whose rows they are
    (`xuezheng.person`) stays as it is.
    """
    names = [f"{prefix}_{part}" for prefix in settings.FENCE_SCOPES for part in ("all", "orgs")]
    before = _current(names)
    _set_local({name: "1" if name.endswith("_all") else "" for name in names})
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _set_local(before)


class Refusal(Exception):
    """An exception with an answer of its own."""

    def response(self, request: HttpRequest) -> HttpResponseBase:
        """What the browser gets."""
        raise NotImplementedError


def _holds_nul(request: HttpRequest) -> bool:
    """Whether anything sent holds a NUL: no browser sends one, and no text column can keep it."""
    sent = [request.path]
    for values in (request.GET, request.POST):
        sent += [text for name, texts in values.lists() for text in (name, *texts)]
    return any("\0" in text for text in sent)


class FenceMiddleware:
    """Puts `request.actor`, checks the view's guard, and runs the view inside the fence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Resolved before the transaction: an expired session is deleted, which a GET could not do.
        signed_in = request.user.is_authenticated
        request.actor = StaffActor(request.user) if signed_in else None
        request.after_fence = []
        request.after_any_answer = []
        request.failed_inside_fence = False
        with fenced(read_only=safe(request), by=request.actor):
            response = self.get_response(request)
            if request.failed_inside_fence or response.status_code >= 500:
                transaction.set_rollback(True)
        for count in request.after_any_answer:
            count()
        if response.status_code < 400:
            # If the trail of reads cannot be written, the page must not be shown: this may raise.
            for write in request.after_fence:
                write()
        return response

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponseBase | None:
        """Refuse an unmarked view, a NUL, an anonymous or half signed-in user, a missing permission."""
        guard: Guard | None = getattr(view, "guard", None)
        if guard is None:
            raise ImproperlyConfigured(f"{view.__module__}.{view.__qualname__} names no permission")
        if _holds_nul(request):
            raise BadRequest("NUL")
        if guard.anonymous:
            return None
        if request.actor is None:
            return lead_to(request, sign_in_address(request))
        if not guard.early and (step := open_step(request)):
            return lead_to(request, reverse(step))
        if guard.permissions and not any(request.actor.can(p) for p in guard.permissions):
            raise PermissionDenied
        return None

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Any exception of the view, also 403 and 404, undoes what it wrote."""
        request.failed_inside_fence = True
        return exception.response(request) if isinstance(exception, Refusal) else None

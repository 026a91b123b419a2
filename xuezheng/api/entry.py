"""The door: who calls, how often, and in which reach the database sees the call."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from xuezheng.api.errors import refusal
from xuezheng.api.models import Client, Scope
from xuezheng.domains.admissions.access import Permission
from xuezheng.kernel.access.actors import ClientActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.guards import public, safe
from xuezheng.kernel.access.limits import TooMany, limited
from xuezheng.kernel.reference.parameters import settings_on

#: What a client with a scope may do through the services.  Whose rows it reads is narrowed by the
#: selectors of admissions.py: its own.
GRANTED = {
    Scope.LOOK_UP: frozenset(),
    # APPLY opens the case; COUNTER says that it is done for somebody else.
    Scope.SUBMIT: frozenset(map(str, (Permission.COUNTER, Permission.APPLY, Permission.SEE))),
    Scope.FOLLOW: frozenset({str(Permission.SEE)}),
}
BEARER = "Bearer "


def actor_of(client: Client) -> ClientActor:
    """The client as services know it."""
    granted = (GRANTED[Scope(scope)] for scope in client.scopes)
    return ClientActor(client.name, frozenset().union(*granted))


def _limits() -> tuple[int, int]:
    values = settings_on(timezone.localdate(), "api", "")
    return values["requests_per_hour"].value, values["refused_per_hour"].value


def _caller(request: HttpRequest) -> Client | None:
    given = request.headers.get("Authorization", "")
    if not given.startswith(BEARER):
        return None
    return Client.objects.by_token(given.removeprefix(BEARER).strip(), timezone.now())


def entry(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let clients with a token in, and nobody else; a refused call changes nothing."""

    @csrf_exempt
    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        per_hour, refused_per_hour = _limits()
        client = _caller(request)
        try:
            if client is None:
                limited(request, "api token", per_hour=refused_per_hour)
                answer = refusal(401, "token", _("令牌缺失、错误、停用或过期。"))
                answer.headers["WWW-Authenticate"] = "Bearer"
                return answer
            limited(request, f"api {client.pk}", per_hour=per_hour)
        except TooMany as many:
            answer = refusal(429, "too_many", _("调用太多，请稍后再试。"))
            answer.headers["Retry-After"] = str(many.seconds)
            return answer
        request.actor, request.client = actor_of(client), client
        try:
            with fenced(by=request.actor):
                answer = view(request, *args, **kwargs)
                if answer.status_code >= 400 and not safe(request):
                    transaction.set_rollback(True)
        except Exception:
            # What is shown of a fault is a page for people; it asks for the posts of whoever acts.
            request.actor = None
            raise
        return answer

    return public(door)

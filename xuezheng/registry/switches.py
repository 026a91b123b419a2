"""Systems that a unit does not work with yet: hidden in the navigation, answered by a clear page.

The one place where this is decided.  A person is kept out only when none of their units works with the
system; offices of the bureau have no switch, so whoever prepares a system sees it.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from xuezheng.kernel.access.actors import Actor
from xuezheng.registry.models import SystemSwitch

PREFIX = "xuezheng.domains."


def system_of(view: Callable[..., Any]) -> str:
    """Label of the system whose page a view is; empty for what belongs to all."""
    module = view.__module__
    return module.split(".")[2] if module.startswith(PREFIX) else ""


def off_systems(actor: Actor) -> frozenset[str]:
    """Systems that none of the actor's units works with today.  One query for each actor."""
    posts = getattr(actor, "posts", ())
    if not posts:
        return frozenset()
    if (known := vars(actor).get("off_systems")) is not None:
        return known
    today = timezone.localdate()
    units = {post.organisation_id for post in posts}
    off = defaultdict(set)
    for switch in SystemSwitch.objects.filter(organisation__in=units):
        if not switch.is_on(today):
            off[switch.system].add(switch.organisation_id)
    vars(actor)["off_systems"] = frozenset(name for name, held in off.items() if held == units)
    return vars(actor)["off_systems"]


class SwitchMiddleware:
    """Stands inside the fence: the view's guard has been asked before."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponse | None:
        """The page that says so, instead of the system's own."""
        system = system_of(view)
        if system and request.actor and system in off_systems(request.actor):
            return render(request, "registry/not_switched_on.html", status=403)
        return None

"""A fresh code: what a stolen session alone must not change asks for a code by SMS given just before."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from xuezheng.kernel.access.guards import safe
from xuezheng.kernel.access.signin import sessions
from xuezheng.kernel.access.signin.middleware import lead_to


def fresh_code(request: HttpRequest) -> bool:
    """Whether a code by SMS was given in this session within `access.signin.fresh_minutes`."""
    return sessions.is_fresh(request.session)


def ask_for_code(request: HttpRequest) -> HttpResponseBase:
    """To the page that asks for a code and leads back: here, or to the page that the form stood on."""
    if safe(request) and not request.htmx:
        target = request.get_full_path()
    else:
        # What was posted is not kept: the person comes back to the form.
        page = urlsplit(request.headers.get("Referer", ""))
        target = page.path if page.netloc == request.get_host() else "/"
    return lead_to(request, f"{reverse('again')}?{urlencode({'next': target})}")


def needs_fresh_code(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view runs with a fresh code only.  The guard stands beneath it and stays in force."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if fresh_code(request) else ask_for_code(request)

    return asked

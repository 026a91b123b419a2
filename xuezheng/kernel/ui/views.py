"""Large text, searched words, and the style guide."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from xuezheng.kernel.access.guards import public, signed_in
from xuezheng.kernel.access.words import PREFIX, keep_words
from xuezheng.kernel.ui.style_guide import samples

LARGE_TEXT_COOKIE = "large_text"
_YEAR = 365 * 24 * 3600
#: Posted beside the filters of a list.
_NO_FILTER = {"next", "csrfmiddlewaretoken"}


def _target(request: HttpRequest) -> str:
    """Where the form came from; the first page when that is not on this site."""
    target = request.POST.get("next", "/")
    own = url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if own else "/"


@require_POST
@public
def large_text(request: HttpRequest) -> HttpResponse:
    """Keep the reader's choice of text size in a cookie; the pages are rendered by it."""
    response = HttpResponseRedirect(_target(request))
    if request.POST.get("large") == "1":
        # shell.js sets the same cookie without loading the page again.
        response.set_cookie(
            LARGE_TEXT_COOKIE,
            "1",
            max_age=_YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    else:
        response.delete_cookie(LARGE_TEXT_COOKIE, samesite="Lax")
    return response


@require_POST
@signed_in
def search_words(request: HttpRequest) -> HttpResponse:
    """Keep the words of a search for people in the session and go to the list with their handle.

    `words-<filter>` are the words; every other field is a filter that may stand in the address.
    `next` is the list, whose other filters stay; an empty field takes its filter away.
    """
    target = urlsplit(_target(request))
    query = QueryDict(target.query, mutable=True)
    for name, typed in request.POST.lists():
        if name in _NO_FILTER:
            continue
        values = [value for value in typed if value.strip()]
        if name.startswith(PREFIX):
            name = name.removeprefix(PREFIX)
            values = [keep_words(request, value.strip()) for value in values[-1:]]
        query.setlist(name, values)
    query.pop("page", None)
    address = target._replace(scheme="", netloc="", query=query.urlencode(), fragment="")
    return HttpResponseRedirect(escape_leading_slashes(address.geturl()))


@require_GET
def style_guide(request: HttpRequest) -> HttpResponse:
    """Every component with every state, on sample data."""
    return render(request, "ui/style_guide.html", samples(request.GET))

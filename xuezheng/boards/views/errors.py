"""Error pages.  They say what happened and what to do, and never more than the reader may know."""

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xuezheng.kernel.access.guards import public
from xuezheng.kernel.telemetry.faults import fault_of

RETRY_SECONDS = 30


def _page(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, f"ui/errors/{status}.html", status=status)


@public
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _page(request, 400)


@public
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the page exists, the posts do not allow it."""
    return _page(request, 403)


@public
def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose token is no longer good: signed out, or signed in anew in another window."""
    return render(request, "ui/errors/stale.html", status=403)


@public
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page, or not in the reader's scope."""
    return _page(request, 404)


@public
def failed(request: HttpRequest) -> HttpResponse:
    """500; 503 when it is the database that cannot be reached, or the disk.

    Django calls this while it handles the error.  No queries here: the database may be what failed.
    """
    if fault := fault_of(sys.exception()):
        response = render(None, "ui/errors/503.html", {"fault": fault}, status=503)
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response
    return render(None, "ui/errors/500.html", status=500)

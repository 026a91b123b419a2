"""Error pages.  They say what happened and what to do, and never more than the reader may know."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xuezheng.kernel.access.guards import public


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
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page, or not in the reader's scope."""
    return _page(request, 404)


@public
def failed(request: HttpRequest) -> HttpResponse:
    """500.  No queries here: the database may be what failed."""
    return render(None, "ui/errors/500.html", status=500)

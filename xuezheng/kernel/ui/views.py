"""Large text, and the style guide."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from xuezheng.kernel.access.guards import public
from xuezheng.kernel.ui.style_guide import samples

LARGE_TEXT_COOKIE = "large_text"
_YEAR = 365 * 24 * 3600


@require_POST
@public
def large_text(request: HttpRequest) -> HttpResponse:
    """Keep the reader's choice of text size in a cookie; the pages are rendered by it."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    ):
        target = "/"
    response = HttpResponseRedirect(target)
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


@require_GET
def style_guide(request: HttpRequest) -> HttpResponse:
    """Every component with every state, on sample data."""
    return render(request, "ui/style_guide.html", samples(request.GET))

"""Who is signed in; ends a session that ran out, before anything else looks at it."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.functional import SimpleLazyObject
from django_htmx.http import HttpResponseClientRedirect

from xuezheng.kernel.access.guards import safe
from xuezheng.kernel.access.signin import sessions


class PersonMiddleware(AuthenticationMiddleware):
    """`request.user` as Django gives it, without a question of its own."""

    def process_request(self, request: HttpRequest) -> None:
        """Put the person, looked at when first asked for."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: sessions.person_of(request))


class SessionRulesMiddleware:
    """Puts `request.session_expired`: whether there was a session that is over, or was ended elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.session_expired = False
        session = request.session
        if sessions.is_signed_in(session):
            if sessions.is_over(session):
                session.flush()
                request.user = AnonymousUser()
                request.session_expired = True
            else:
                sessions.touch(session)
        elif settings.SESSION_COOKIE_NAME in request.COOKIES and session.is_empty():
            request.session_expired = True
        return self.get_response(request)


def open_step(request: HttpRequest) -> str | None:
    """URL name of what a signed-in person owes before anything else; None when nothing.

    An enrolled second factor comes before a change of password: who only stole the password changes
    nothing.
    """
    session = request.session
    factor = session.get(sessions.FACTOR)
    if factor == "due":
        return "second_factor_verify"
    if session.get(sessions.MUST_CHANGE):
        return "change_password"
    if factor != "verified" and request.actor.needs_second_factor:
        return "second_factor_enrol"
    return None


def sign_in_address(request: HttpRequest) -> str:
    """The sign-in page, which leads back: to the page itself, or to the one that a form stood on."""
    if request.htmx:
        target = request.htmx.current_url_abs_path or "/"
    elif safe(request):
        target = request.get_full_path()
    else:
        page = urlsplit(request.headers.get("Referer", ""))
        target = page.path if page.netloc == request.get_host() else "/"
    query = {"next": target}
    if getattr(request, "session_expired", False):
        query["expired"] = "1"
    return f"{settings.LOGIN_URL}?{urlencode(query)}"


def lead_to(request: HttpRequest, url: str) -> HttpResponseBase:
    """A redirect of the whole page, also from a fragment's request."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)

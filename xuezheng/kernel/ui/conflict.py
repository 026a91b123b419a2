"""The conflict page: somebody else moved the case between opening the form and sending it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from xuezheng.kernel.cases.service import Conflict

#: Fields that are no typing of the user's.
PLUMBING = {"csrfmiddlewaretoken", "version", "key"}


class ConflictMiddleware:
    """Turns `Conflict` into a 409 page that shows what happened meanwhile and keeps what was typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """409 for a conflict; anything else goes on."""
        if not isinstance(exception, Conflict):
            return None
        typed = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in PLUMBING and value.strip()
        ]
        moves = exception.case.moves.select_related("user", "post").order_by("-at", "-id")[:3]
        context = {"case": exception.case, "moves": moves, "typed": typed}
        return render(request, "ui/conflict.html", context, status=409)

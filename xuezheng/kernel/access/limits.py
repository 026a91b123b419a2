"""Limits of public look-ups: so many an hour, so that nobody copies a register question by question.

Counted by keyed hash like failed sign-ins.  A signed-in person has a count of their own; everybody
else shares the count of their network address.  Counting happens after the request's own
transaction, which for a page is read-only, and also when the answer was an error: requests that run
at the same moment may exceed the limit by their number.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from xuezheng.kernel.access.fence import Refusal, fenced
from xuezheng.kernel.access.models import AttemptKind
from xuezheng.kernel.access.signin import lockout


class TooMany(Refusal):
    """The limit is reached; `seconds` until it may be tried again."""

    def __init__(self, seconds: int):
        super().__init__(seconds)
        self.seconds = seconds

    @property
    def minutes(self) -> int:
        """Whole minutes to wait, at least one."""
        return max(1, -(-self.seconds // 60))

    def response(self, request: HttpRequest) -> HttpResponse:
        """The page that says so: 429 with Retry-After."""
        context = {"minutes": self.minutes}
        answer = render(request, "ui/errors/429.html", context, status=429)
        answer.headers["Retry-After"] = str(self.seconds)
        return answer


def limited(request: HttpRequest, kind: str, *, per_hour: int) -> None:
    """Count this request as one look-up of the kind.

    `per_hour` of them are answered; then the caller waits for an hour.  Raises TooMany, which the
    fence turns into a page of words.
    """
    user = request.user if request.user.is_authenticated else None
    caller = f"user {user.pk}" if user else lockout.client_address(request)
    key, now = f"{kind} {caller}", timezone.now()
    until = lockout.locked_until(AttemptKind.LOOKUP, key, now)
    if until:
        raise TooMany(int((until - now).total_seconds()) + 1)

    def count() -> None:
        hour = lockout.HOUR
        with fenced():
            lockout.count(AttemptKind.LOOKUP, key, now, limit=per_hour, window=hour, lock=hour)

    request.after_any_answer.append(count)

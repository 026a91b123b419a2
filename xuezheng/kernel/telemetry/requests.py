"""One log line and one count for each request.

Of the address only the pattern is kept, never the path or the query: a path may hold a number, a query a
name that somebody searched for.  Of the person, the user's key.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import Counter, Histogram

from xuezheng.kernel.telemetry.logs import request_id

SLOW_SECONDS = 1.0
SLOW_QUERY_SECONDS = 0.5
HEADER = "X-Request-ID"
#: What proxies make: 32 hexadecimal digits, or a UUID.  Anything else might be somebody's number.
_TOKEN = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15)

log = logging.getLogger("xuezheng.request")
REQUESTS = Counter("xuezheng_requests", "Requests answered", ["method", "status"])
DURATION = Histogram("xuezheng_request_seconds", "Time to answer", ["method"], buckets=_BUCKETS)
SLOW_QUERIES = Counter(
    "xuezheng_slow_queries", f"Statements that took {SLOW_QUERY_SECONDS} s or more"
)
#: Others are counted as one: the method is a word of the caller's choice.
_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}


class Statements:
    """Counts the statements of a request, and those that were slow."""

    def __init__(self) -> None:
        self.count = 0
        self.slow = 0

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        began = time.monotonic()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            if time.monotonic() - began >= SLOW_QUERY_SECONDS:
                self.slow += 1
                SLOW_QUERIES.inc()


def identity(given: str | None) -> str:
    """The proxy's request id if it has the form of one, else a new one."""
    return given if given and _TOKEN.fullmatch(given) else uuid.uuid4().hex


class RequestMiddleware:
    """Outermost: gives the request its id, counts it and writes its line when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = identity(request.headers.get(HEADER))
        token = request_id.set(name)
        statements = Statements()
        # The clock that never jumps.
        began = time.monotonic()
        try:
            with connection.execute_wrapper(statements):
                response = self.get_response(request)
            seconds = time.monotonic() - began
            response.headers[HEADER] = name
            method = request.method if request.method in _METHODS else "OTHER"
            REQUESTS.labels(method, response.status_code).inc()
            DURATION.labels(method).observe(seconds)
            _write(request, response, method, seconds, statements)
        finally:
            request_id.reset(token)
        return response


def _write(
    request: HttpRequest,
    response: HttpResponseBase,
    method: str,
    seconds: float,
    statements: Statements,
) -> None:
    match = request.resolver_match
    user = getattr(getattr(request, "actor", None), "user", None)
    slow = seconds >= SLOW_SECONDS or statements.slow > 0
    bad = response.status_code >= 500
    log.log(
        logging.ERROR if bad else logging.WARNING if slow else logging.INFO,
        "request",
        extra={
            "method": method,
            "route": match.route if match else "",
            "view": match.view_name if match else "",
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
            "queries": statements.count,
            "slow_queries": statements.slow,
            "slow": slow,
            "user": user.pk if user else None,
        },
    )

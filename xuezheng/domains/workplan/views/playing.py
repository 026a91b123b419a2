"""A recording to be played: whole, or the part that a player asks for (RFC 9110, section 14)."""

import re

from django.http import HttpRequest, HttpResponse

from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.files.store import path_of

ONE_RANGE = re.compile(r"bytes=(\d{1,9})-(\d{0,9})")


def playable_response(request: HttpRequest, stored: StoredFile) -> HttpResponse:
    """The recording.  Some browsers play only from a server that answers with parts."""
    data = path_of(stored.sha256).read_bytes()
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    first, last = 0, len(data) - 1
    if asked:
        first, last = int(asked[1]), min(int(asked[2] or last), last)
    if first > last:
        response = HttpResponse(status=416)
        response.headers["Content-Range"] = f"bytes */{len(data)}"
        return response
    response = HttpResponse(data[first : last + 1], content_type=stored.media_type)
    if asked:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-store"
    return response

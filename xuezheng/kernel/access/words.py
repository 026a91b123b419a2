"""Searched words that may be somebody's name or number: kept in the session, never in an address.

An address stands in histories, proxies and screenshots; so lists of people are searched by a random
handle of the words.  In the session they lie sealed, because its table is part of every dump.
"""

import secrets

from django.http import HttpRequest

from xuezheng.kernel.access.ciphers import CannotUnseal, seal, unseal

SESSION_KEY = "words"
#: Name under which a field is posted, `words-<filter>`; the address then says `<filter>=<handle>`.
PREFIX = "words-"
LONGEST = 60
#: The newest that a session remembers, so that it stays small.
KEPT = 20
BOUND_TO = "session.words"


def keep_words(request: HttpRequest, words: str) -> str:
    """Keep the words (cut to 60 characters) in the session; returns their random handle."""
    handle = secrets.token_urlsafe(9)
    kept = [
        *request.session.get(SESSION_KEY, {}).items(),
        (handle, seal(words[:LONGEST], BOUND_TO)),
    ]
    request.session[SESSION_KEY] = dict(kept[-KEPT:])
    return handle


def kept_words(request: HttpRequest, handle: str) -> str | None:
    """The words behind a handle; None for one that this session does not know (any more)."""
    sealed = request.session.get(SESSION_KEY, {}).get(handle)
    if sealed is None:
        return None
    try:
        return unseal(sealed, BOUND_TO)
    except CannotUnseal:
        return None

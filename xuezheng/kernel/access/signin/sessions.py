"""Sessions: how long they last, what they remember, where a person is signed in.

The limits are read from the parameters at sign-in and kept in the session, so that a request costs no
query for them.  The last use is written at most once a minute: an idle session may end up to a minute
early, never late.
"""

import time
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user,
    login,
    update_session_auth_hash,
)
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connection, models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from xuezheng.kernel.access.models import Session, User
from xuezheng.kernel.access.signin.rules import SignInRules, session_ended

BACKEND = "django.contrib.auth.backends.ModelBackend"
SEEN_EVERY = 60
SIGNED_IN, SEEN, IDLE, ABSOLUTE = "signed_in", "seen", "idle", "absolute"
HANDLE, DEVICE, WAY, NEXT = "handle", "device", "way", "next"
#: Until when a code by SMS that was given in this session counts as fresh (seconds of the clock).
FRESH = "fresh_until"
#: "due" until the code is given, then "verified"; absent for a user without one.
FACTOR = "factor"
#: Why the password must be changed before anything else: "one_time" or "old".
MUST_CHANGE = "must_change"
WAITING_SECRET = "waiting_secret"
_BROWSERS = (
    ("Edg", "Edge"),
    ("MicroMessenger", "WeChat"),
    ("DingTalk", "DingTalk"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


@cache
def _question() -> tuple[str, list[str]]:
    """The question for a session in fixed words, and the names of the person's attributes in it.

    Every request of everybody asks it: session, person and whether the person holds posts at all were
    three questions, a fifth of the time that handing in a registration took.  Sealed columns are
    left out; who needs one asks for it.
    """
    fields = [f for f in User._meta.concrete_fields if not hasattr(f, "from_db_value")]
    columns = ", ".join(f'u."{field.column}"' for field in fields)
    question = (
        f"SELECT s.session_data, s.expire_date, EXISTS (SELECT FROM access_post p"
        f" WHERE p.user_id = u.id), {columns}"
        " FROM access_session s LEFT JOIN access_user u ON u.id = s.user_id"
        " WHERE s.session_key = %s AND s.expire_date > %s"
    )
    return question, [field.attname for field in fields]


class SessionStore(DatabaseStore):
    """Django's database sessions in a table that also says whose they are."""

    #: Whose row the session is; not yet proved to be signed in (`person_of`).
    person: User | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Our table."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        question, names = _question()
        with connection.cursor() as cursor:
            cursor.execute(question, [self.session_key, timezone.now()])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return None
        data, expires, holds_posts, *person = found
        if person[0] is not None:
            self.person = User.from_db(connection.alias, names, person)
            self.person.holds_posts = holds_posts
        return Session(session_key=self.session_key, session_data=data, expire_date=expires)

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row of the session's data."""
        row = super().create_model_instance(data)
        row.fill(data)
        return row


def person_of(request: HttpRequest) -> User | AnonymousUser:
    """Who is signed in: the person read with the session, under the conditions that Django asks.

    Whatever does not hold is left to Django, which knows older secrets and ends a session that a
    change of password has ended.
    """
    session = request.session
    signed_in = session.get(SESSION_KEY)
    person = session.person
    if (
        person is not None
        and signed_in == str(person.pk)
        and session.get(BACKEND_SESSION_KEY) == BACKEND
        and person.is_active
        and constant_time_compare(session.get(HASH_SESSION_KEY), person.get_session_auth_hash())
    ):
        return person
    return get_user(request)


@dataclass(frozen=True)
class Entrance:
    """With what a session begins: by which way, and what is still owed before anything else."""

    way: str
    must_change: str = ""
    factor_due: bool = False


def device_of(request: HttpRequest) -> str:
    """Browser and system in two words, for a person to recognise; the full text is not kept."""
    agent = request.headers.get("User-Agent", "")
    browser = next((word for mark, word in _BROWSERS if mark in agent), "")
    system = next((word for mark, word in _SYSTEMS if mark in agent), "")
    return " · ".join(filter(None, (browser, system)))


def begin(request: HttpRequest, user: User, rules: SignInRules, entrance: Entrance) -> None:
    """Sign the user in under a new session key."""
    session = request.session
    target = session.get(NEXT)
    # Whatever an earlier, anonymous session held ends here.
    session.flush()
    login(request, user, backend=BACKEND)
    now = int(time.time())
    session.update(
        {
            SIGNED_IN: now,
            SEEN: now,
            IDLE: rules.idle_minutes * 60,
            ABSOLUTE: rules.absolute_hours * 3600,
            HANDLE: str(uuid.uuid4()),
            DEVICE: device_of(request),
            WAY: entrance.way,
        }
    )
    if entrance.way == "sms":
        session[FRESH] = now + rules.fresh_minutes * 60
    if target:
        session[NEXT] = target
    if entrance.factor_due:
        session[FACTOR] = "due"
    if entrance.must_change:
        session[MUST_CHANGE] = entrance.must_change


def verified(request: HttpRequest) -> None:
    """The second factor is proved: a new key, so that nobody rides on the half-open session."""
    request.session.cycle_key()
    request.session[FACTOR] = "verified"
    request.session.pop(WAITING_SECRET, None)


def code_proved(request: HttpRequest, rules: SignInRules) -> None:
    """A code by SMS was given anew: a new key, and fresh for the rules' minutes."""
    request.session.cycle_key()
    request.session[FRESH] = int(time.time()) + rules.fresh_minutes * 60


def is_fresh(session: Any) -> bool:
    """Whether a code by SMS was given in this session a short while ago."""
    return int(time.time()) < session.get(FRESH, 0)


def password_changed(request: HttpRequest, user: User) -> int:
    """Keep this session under a new key, end all others; returns how many ended."""
    update_session_auth_hash(request, user)
    request.session.pop(MUST_CHANGE, None)
    return end_others(request)


def is_over(session: Any) -> bool:
    """Whether a signed-in session has run out; one without its marks has."""
    marks = (session.get(SIGNED_IN), session.get(SEEN), session.get(IDLE), session.get(ABSOLUTE))
    if not all(marks):
        return True
    signed_in, seen, idle, absolute = marks
    now = int(time.time())
    return session_ended(now=now, signed_in=signed_in, seen=seen, idle=idle, absolute=absolute)


def touch(session: Any) -> None:
    """Note the use, at most once a minute."""
    now = int(time.time())
    if now - session[SEEN] >= SEEN_EVERY:
        session[SEEN] = now


def of_user(user: User) -> models.QuerySet[Session]:
    """Where a user is signed in, last used first.

    Sessions that have run out but were not used since are still rows; `live` leaves them out.
    """
    return Session.objects.filter(user=user).order_by("-seen_at")


def live(user: User) -> list[Session]:
    """The user's sessions that would still be let in."""
    return [row for row in of_user(user) if not is_over(row.get_decoded())]


def end_others(request: HttpRequest) -> int:
    """End the user's other sessions; returns how many."""
    others = of_user(request.user).exclude(session_key=request.session.session_key)
    return others.delete()[0]


def end_all(user: User) -> int:
    """Sign a user out everywhere; returns how many sessions ended."""
    return of_user(user).delete()[0]


def is_signed_in(session: Any) -> bool:
    """Whether the session says that somebody is signed in."""
    return SESSION_KEY in session

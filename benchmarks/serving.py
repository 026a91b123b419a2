"""The web server as in service, sessions made for it, and one client that measures."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

#: Processes of the web server; the machines that we measure on have two cores.
WORKERS = 2


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def session_of(username: str, words: dict[str, str] | None = None) -> str:
    """The cookie of a session as the sign-in page would leave it, second factor included.

    `words`: handle -> words that were searched by (kernel/access/words.py).
    """
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from xuezheng.kernel.access.ciphers import seal
    from xuezheng.kernel.access.models import User
    from xuezheng.kernel.access.signin import sessions
    from xuezheng.kernel.access.words import BOUND_TO
    from xuezheng.kernel.access.words import SESSION_KEY as SEARCHED

    user = User.objects.get(username=username)
    now = int(time.time())
    store = sessions.SessionStore()
    store.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: sessions.BACKEND,
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            sessions.SIGNED_IN: now,
            sessions.SEEN: now,
            sessions.IDLE: 3600,
            sessions.ABSOLUTE: 43_200,
            sessions.FACTOR: "verified",
            SEARCHED: {handle: seal(text, BOUND_TO) for handle, text in (words or {}).items()},
        }
    )
    store.create()
    store.save()
    return f"sessionid={store.session_key}"


class Client:
    """One connection that is kept, with one person's session."""

    def __init__(self, port: int, cookie: str = ""):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Cookie": cookie} if cookie else {}

    def get(self, path: str) -> float:
        """Milliseconds until the whole page has come.  Raises RuntimeError unless it is a 200."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return (time.perf_counter() - began) * 1000


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """granian as `xuezheng run` starts it; the port."""
    port = free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(port), "--workers", str(WORKERS), "--blocking-threads", "2"),
            *("--no-ws", "--log-level", "error", "xuezheng.config.wsgi:application"),
        ],
        env=os.environ | {"XUEZHENG_ROLE": "web"},
        # A line for each request is written, as in service, and read by nobody.
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, RuntimeError):
                Client(port).get("/health/ready")
                break
            time.sleep(0.2)
        else:
            raise RuntimeError("the web server did not start")
        yield port
    finally:
        server.terminate()
        server.wait()


def percentile(times: list[float], share: float) -> float:
    """The value below which a share of the times lies."""
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * share))]


def measure(client: Client, pages: dict[str, str], rounds: int, limit_ms: float) -> bool:
    """Print p50 and p95 of each page beside the limit; whether all hold."""
    good = True
    for name, path in pages.items():
        times = [client.get(path) for _ in range(rounds + 5)][5:]
        p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
        good &= p95 < limit_ms
        print(f"  {name:<34} p50 {p50:6.1f}  p95 {p95:6.1f} ms   {p95 / limit_ms:5.2f} of limit")
    return good

"""The pages that leaders and offices open most, on the demo district, against 200 ms at the server.

The server is granian as in service, one client at a time, over a real socket with a real session.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

LIMIT_MS = 200
ROUNDS = 60


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """Just enough of a browser: cookies and a form token."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}

    def call(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """(status, body)."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request("GET" if form is None else "POST", path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer.status, text

    def sign_in(self, username: str, password: str) -> None:
        """A session of that user."""
        _status, page = self.call("/sign-in/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
        status, _page = self.call(
            "/sign-in/",
            {"username": username, "password": password, "csrfmiddlewaretoken": token},
        )
        if status != 302:
            raise RuntimeError(f"sign-in answered {status}")


def run(root: Path) -> bool:
    """Print p50 and p95 of each page beside the limit; whether all hold."""
    from xuezheng.domains.workplan.models import Commitment
    from xuezheng.kernel.indicators.models import Reading

    row = Commitment.objects.get(code="2.2-06")
    reading = Reading.objects.filter(
        indicator="hazard_rectified_in_time", organisation__code="XL"
    ).latest("as_of")
    paths = {
        "board": "/board/",
        "list of commitments": f"/plans/{row.plan_id}/",
        "commitment": row.get_absolute_url(),
        "proof (rows behind a figure)": f"/readings/{reading.id}/",
        "list of 2,900 hazards": "/hazards/",
        "inbox": "/inbox/",
        "indicator": "/indicators/hazard_rectified_in_time/",
    }
    signins = json.loads((root / "demo-signins.json").read_text(encoding="utf-8"))
    port = _free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(port), "--workers", "2", "--blocking-threads", "2", "--no-ws"),
            *("--log-level", "error", "xuezheng.config.wsgi:application"),
        ],
        env=os.environ | {"XUEZHENG_ROLE": "web"},
    )
    try:
        client = _connect(port)
        client.sign_in("director", signins[0][1])
        print(f"pages, demo district, one client, {ROUNDS} rounds, limit {LIMIT_MS} ms at p95")
        good = True
        for name, path in paths.items():
            times = []
            for _ in range(ROUNDS + 5):
                began = time.perf_counter()
                status, _body = client.call(path)
                times.append((time.perf_counter() - began) * 1000)
                if status != 200:
                    raise RuntimeError(f"{path} answered {status}")
            times = sorted(times[5:])
            p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
            good &= p95 < LIMIT_MS
            print(
                f"  {name:<30} p50 {p50:6.1f}  p95 {p95:6.1f} ms   {p95 / LIMIT_MS:5.2f} of limit"
            )
        return good
    finally:
        server.kill()
        server.wait()


def _connect(port: int) -> Client:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            client = Client(port)
            if client.call("/health/ready")[0] == 200:
                return client
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the web server did not start")

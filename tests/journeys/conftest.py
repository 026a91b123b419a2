"""A running program on a copy of the demo district, and a real browser.

Journeys look at the program from outside: they use no ORM (Playwright's loop would forbid it).
"""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.journeys.program import free_port
from xuezheng.config.postgres import Cluster, Login, ensure_database

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "xuezheng/kernel/ui/static/vendor/axe.min.js"
DESK, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
DEMO_DATABASE = "demo_template"
#: A microphone that beeps, allowed without asking.
MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def environment(database: str, folder: Path) -> dict[str, str]:
    """Variables that run the program on a database of the test cluster."""
    cluster = Cluster()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XUEZHENG_", "DJANGO_"))}
    urls = {
        f"XUEZHENG_DATABASE_{role.upper()}_URL": cluster.login(role, database).conninfo()
        for role in ("owner", "web", "worker")
    }
    return kept | urls | {"XUEZHENG_DATA_DIR": str(folder), "XUEZHENG_DEMO": "1"}


def command(env: dict[str, str], *arguments: str) -> str:
    """Run `xuezheng …`; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "xuezheng.config.cli", *arguments],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def superuser() -> Login:
    return Cluster().ensure_running().superuser()


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    """Loads the demo district once for all processes of the run; returns its data folder."""
    folder = Path(os.environ["XUEZHENG_DATA_DIR"]) / "journeys"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "loaded").exists():
            ensure_database(superuser(), DEMO_DATABASE, template="xuezheng")
            command(environment(DEMO_DATABASE, folder), "demo", "--scale", "small")
            (folder / "loaded").touch()
    return folder


@dataclass
class Site:
    """A running web server on its own database."""

    url: str
    env: dict[str, str]
    database: str
    password: str
    process: subprocess.Popen

    def query(self, sql: str, *values: object) -> list[tuple]:
        """Read the database as its owner."""
        with psycopg.connect(Cluster().login("owner", self.database).conninfo()) as connection:
            return connection.execute(sql, values).fetchall()


def start_web(env: dict[str, str], port: int) -> subprocess.Popen:
    """Start granian as `xuezheng run` does, and wait until it answers."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(port), "--workers", "1", "--blocking-threads", "2"),
            *("--no-ws", "--log-level", "error", "xuezheng.config.wsgi:application"),
        ],
        env=env | {"XUEZHENG_ROLE": "web"},
        cwd=ROOT,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer,
        ):
            if answer.status == 200:
                return process
        time.sleep(0.1)
    process.kill()
    raise AssertionError("the web server did not start")


@pytest.fixture
def site(demo_folder: Path) -> Iterator[Site]:
    """The demo district, to be changed at will by one journey."""
    database = f"journey_{os.getpid()}_{time.monotonic_ns()}"
    ensure_database(superuser(), database, template=DEMO_DATABASE)
    signins = json.loads((demo_folder / "demo-signins.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="xz-journey-") as folder:
        # The district's numbers and secrets are sealed with the keys of the folder it was made in.
        keys = {"XUEZHENG_IDENTITY_KEYS_FILE": str(demo_folder / "identity_keys")}
        env = environment(database, Path(folder)) | keys
        port = free_port()
        process = start_web(env, port)
        yield Site(f"http://127.0.0.1:{port}", env, database, signins[0][1], process)
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", *MICROPHONE]
        )
        yield browser
        browser.close()


def give_second_factor(page: Page) -> None:
    """The code of a demo person whose posts ask for one; the page itself tells it."""
    if "/second-factor/" not in page.url:
        return
    page.locator("input[name=code]").fill(page.locator("[data-sample-code]").inner_text())
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/second-factor/" not in url)


def come_in(page: Page, phone: str) -> None:
    """Sign in by a code, as a family does, from the public first page."""
    page.goto("/enrol/")
    page.locator(".fam-foot .button--primary").click()
    page.locator("input[name=number]").fill(phone)
    page.locator("form[action*=sms] button[type=submit]").click()
    page.locator("input[name=code]").fill(page.locator("[data-sample-code]").inner_text())
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/my/admissions/")


@pytest.fixture
def sign_in(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """sign_in("school", PHONE) gives a page of that person's own window.

    Whatever the content policy or a script complains about fails the journey.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def enter(username: str, viewport: dict[str, int] = DESK, locale: str = "zh-CN") -> Page:
        context = browser.new_context(viewport=viewport, base_url=site.url, locale=locale)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            # What a page answers is the journey's own business; a missing asset is not.
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and "Failed to load resource" not in message.text
                else None
            ),
        )
        page.on(
            "response",
            lambda response: (
                complaints.append(f"{response.url} {response.status}")
                if "/static/" in response.url and response.status >= 400
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/sign-in/")
        page.locator("input[name=username]").fill(username)
        page.locator("input[name=password]").fill(site.password)
        page.locator("main form:has([name=password]) button[type=submit]").click()
        page.wait_for_url(lambda url: "/sign-in/" not in url)
        give_second_factor(page)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not complaints

"""kill -9 of web and of PostgreSQL while a school reports hazards: acknowledged = kept, once."""

import contextlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIRequestContext, Browser
from playwright.sync_api import Error as BrowserError

from tests.journeys.conftest import command
from tests.journeys.program import Program

MARK = "断电试验"


@pytest.fixture
def program() -> Iterator[Program]:
    folder = Path(os.environ["XUEZHENG_DATA_DIR"]).parent / f"xz-crash-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o711)
    program = Program(folder)
    yield program
    program.stop()
    shutil.rmtree(folder, ignore_errors=True)


def report(client: APIRequestContext, number: int, photo: bytes) -> str:
    """Fill the form once and send it until it is acknowledged; returns the address of the case."""
    deadline = time.monotonic() + 60
    form: dict[str, str] = {}
    while time.monotonic() < deadline:
        with contextlib.suppress(BrowserError, TypeError):
            if not form:
                page = client.get("/hazards/report/").text()
                form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
                form["category"] = re.search(r'<option value="(\w+)"', page)[1]
            answer = client.post(
                "/hazards/report/",
                multipart=form
                | {
                    "place": f"{MARK}{number}",
                    "description": "走廊灯具松动",
                    "photos": {"name": "a.png", "mimeType": "image/png", "buffer": photo},
                },
                max_redirects=0,
                timeout=5000,
            )
            assert answer.status in {302, 500, 502, 503}, answer.text()[:2000]
            if answer.status == 302:
                return answer.headers["location"]
        time.sleep(0.1)
    raise AssertionError("not acknowledged within a minute")


def test_acknowledged_reports_are_kept_once(program: Program, browser: Browser) -> None:
    context = browser.new_context(base_url=f"http://127.0.0.1:{program.port}")
    page = context.new_page()
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill("school")
    page.locator("input[name=password]").fill(program.password)
    page.locator("main form:has([name=password]) button[type=submit]").click()
    page.wait_for_url("**/inbox/")
    photo = page.screenshot()

    faults: list[Callable[[], None]] = [
        program.kill_web_worker,
        program.kill_postgresql,
        program.kill_web,
        program.kill_postgresql,
        program.kill_everything,
    ]
    failed: list[BaseException] = []

    def break_things() -> None:
        try:
            for fault in faults:
                time.sleep(1.5)
                fault()
        except BaseException as error:  # shown by the test's own thread
            failed.append(error)

    breaker = threading.Thread(target=break_things)
    breaker.start()
    acknowledged: list[str] = []
    while breaker.is_alive() or len(acknowledged) < 20:
        acknowledged.append(report(context.request, len(acknowledged), photo))
    breaker.join()
    assert not failed, failed
    assert len(set(acknowledged)) == len(acknowledged)

    for number, address in enumerate(acknowledged):
        assert f"{MARK}{number}" in context.request.get(address).text()
    listed = context.request.get(f"/hazards/?q={MARK}&per_page=100").text()
    total = int(re.search(r"共 (\d+) 项", listed)[1])
    assert total == len(acknowledged)
    command(program.env, "audit", "verify")  # ends with 0 only when the trail is whole
    print(f"{len(acknowledged)} reports acknowledged and kept, {len(faults)} kills")

"""kill -9, a hundred times, while schools report: acknowledged = kept, nothing twice, the trail whole.

The whole program runs as in service on its own PostgreSQL with the small demo district.  Two clients
report hazards without pause and send a report again until it is acknowledged; meanwhile web workers,
the web server, the jobs' process, PostgreSQL and the program itself are killed in turn.
"""

import contextlib
import io
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests
from PIL import Image

from tests.journeys.program import ROOT, Program

KILLS = 100
MARK = "断电试验"
PATIENCE = 120


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "PNG")
    return out.getvalue()


class Reporter(threading.Thread):
    """One school's secretary who never gives up.  `acknowledged`: addresses of the cases, in order."""

    def __init__(self, program: Program, name: str):
        super().__init__(name=name)
        self.program, self.session = program, requests.Session()
        self.acknowledged: list[str] = []
        self.stopping = False
        self.failed = ""
        self.sign_in()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.program.port}{path}"

    def sign_in(self) -> None:
        page = self.session.get(self.url("/sign-in/"), timeout=20).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        answer = self.session.post(
            self.url("/sign-in/"),
            {
                "username": "school",
                "password": self.program.password,
                "csrfmiddlewaretoken": token,
            },
            timeout=20,
            allow_redirects=False,
        )
        if answer.status_code != 302:
            raise RuntimeError(f"sign-in answered {answer.status_code}")

    def run(self) -> None:
        while not self.stopping and not self.failed:
            self.report(f"{MARK}{self.name}-{len(self.acknowledged)}")

    def report(self, place: str) -> None:
        deadline = time.monotonic() + PATIENCE
        form: dict[str, str] = {}
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException, TypeError):
                if not form:
                    page = self.session.get(self.url("/hazards/report/"), timeout=20).text
                    form = dict(
                        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
                    )
                    form["category"] = re.search(r'<option value="(\w+)"', page)[1]
                answer = self.session.post(
                    self.url("/hazards/report/"),
                    form | {"place": place, "description": "走廊灯具松动"},
                    files={"photos": ("a.png", _picture(), "image/png")},
                    timeout=20,
                    allow_redirects=False,
                )
                if answer.status_code == 302:
                    self.acknowledged.append(answer.headers["Location"])
                    return
                if answer.status_code < 500:
                    self.failed = f"{answer.status_code}: {answer.text[:300]}"
                    return
            time.sleep(0.1)
        self.failed = f"not acknowledged within {PATIENCE} s"


def run() -> bool:
    """Print kills, reports and what was lost, doubled or broken; whether there was none."""
    folder = Path(tempfile.mkdtemp(prefix="xz-faults-"))
    folder.chmod(0o711)
    program = Program(folder)
    began = time.monotonic()
    try:
        reporters = [Reporter(program, name) for name in "ab"]
        for reporter in reporters:
            reporter.start()
        faults = {
            "web worker": program.kill_web_worker,
            "PostgreSQL": program.kill_postgresql,
            "web server": program.kill_web,
            "jobs": program.kill_worker,
            "program": program.kill_everything,
        }
        names = list(faults)
        counts = dict.fromkeys(names, 0)
        for number in range(KILLS):
            name = names[number % len(names)]
            time.sleep(0.7)
            faults[name]()
            counts[name] += 1
        for reporter in reporters:
            reporter.stopping = True
        for reporter in reporters:
            reporter.join()
        failed = [reporter.failed for reporter in reporters if reporter.failed]
        acknowledged = [address for reporter in reporters for address in reporter.acknowledged]
        session, url = reporters[0].session, reporters[0].url
        lost = [a for a in acknowledged if MARK not in session.get(url(a), timeout=20).text]
        listed = session.get(url(f"/hazards/?q={MARK}"), timeout=20).text
        kept = int(re.search(r"共 ([\d,]+) 项", listed)[1].replace(",", ""))
        verified = subprocess.run(
            [sys.executable, "-m", "xuezheng.config.cli", "audit", "verify"],
            env=program.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        doubled = len(acknowledged) - len(set(acknowledged))
        print(
            f"faults: {KILLS} kills ({', '.join(f'{n} {c}' for n, c in counts.items())}) in "
            f"{time.monotonic() - began:.0f} s; {len(acknowledged)} reports acknowledged, {kept} kept, "
            f"{len(lost)} lost, {doubled} double, reporters failed {failed or 'none'}, "
            f"trail {'whole' if verified.returncode == 0 else verified.stdout.strip()}"
        )
        return not (lost or doubled or failed or verified.returncode or kept != len(acknowledged))
    finally:
        program.stop()
        shutil.rmtree(folder, ignore_errors=True)

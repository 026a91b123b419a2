"""kill -9 of web workers and of PostgreSQL while families register: acknowledged = kept, nothing twice.

The whole program runs as in service on its own PostgreSQL.  Families never give up: each presses again
until it has its reference, and once more when it has it.
"""

import contextlib
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.families import TOKEN, Family
from tests.journeys.program import ROOT, Program

KILLS = 20
FAMILIES = 5000
PRESSERS = 4
PATIENCE = 120

#: Run in the program's database: references that are kept, as JSON.
KEPT = """
import django, json
django.setup()
from benchmarks.families import season
print(json.dumps(list(season().applications.values_list("case__number", flat=True))))
"""


def _inside(program: Program, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        env=program.env
        | {"XUEZHENG_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "xuezheng.config.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


class Presser(threading.Thread):
    """Presses for one family after the other.  `references`: draft -> what was acknowledged."""

    def __init__(self, program: Program, families: list[Family], stop: threading.Event):
        super().__init__()
        self.program, self.families, self.stop = program, families, stop
        self.references: dict[str, set[str]] = {}
        self.failed = ""

    def run(self) -> None:
        for family in self.families:
            if self.stop.is_set() or self.failed:
                return
            # Twice: the second press must lead to the same reference.
            for _press in range(2):
                if not self._press(family):
                    return

    def _press(self, family: Family) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                wire = http.client.HTTPConnection("127.0.0.1", self.program.port, timeout=20)
                wire.request(
                    "POST",
                    f"/my/admissions/drafts/{family.draft}/submit/",
                    f"csrfmiddlewaretoken={TOKEN}",
                    {
                        "Cookie": family.cookie,
                        "Origin": f"http://127.0.0.1:{self.program.port}",
                        "Content-Type": "application/x-www-form-urlencoded",
                    },
                )
                answer = wire.getresponse()
                if answer.status == 302:
                    self.references.setdefault(family.draft, set()).add(
                        answer.headers["Location"].split("/")[3]
                    )
                    return True
                if answer.status < 500:
                    self.failed = f"answered {answer.status}"
                    return False
            time.sleep(0.05)
        self.failed = f"not acknowledged within {PATIENCE} s"
        return False


def run() -> bool:
    """Print kills, acknowledged, lost and double; whether none is lost and none double."""
    folder = Path(tempfile.mkdtemp(prefix="xz-rush-faults-"))
    folder.chmod(0o711)
    program = Program(folder)
    began = time.monotonic()
    stop, restarts = threading.Event(), 0
    try:
        lines = _inside(program, "-m", "benchmarks.families", str(FAMILIES)).splitlines()
        families = [Family(**json.loads(line)) for line in lines]
        pressers = [Presser(program, families[n::PRESSERS], stop) for n in range(PRESSERS)]
        for presser in pressers:
            presser.start()
        for number in range(KILLS):
            time.sleep(1)
            try:
                (program.kill_web_worker, program.kill_postgresql)[number % 2]()
            except (AssertionError, ValueError, OSError):
                # It is ending, for the service manager to start it again.
                program.process.wait(60)
                print(program.log.read_text()[-300:])
                program.start()
                restarts += 1
        time.sleep(1)
        if program.process.poll() is not None:
            program.start()
            restarts += 1
        stop.set()
        for presser in pressers:
            presser.join()
        acknowledged = {
            draft: found for presser in pressers for draft, found in presser.references.items()
        }
        kept = json.loads(_inside(program, "-c", KEPT))
        references = set().union(*acknowledged.values())
        lost = references - set(kept)
        double = [found for found in acknowledged.values() if len(found) > 1]
        failed = [presser.failed for presser in pressers if presser.failed]
        print(
            f"rush with {KILLS} kills of web workers and PostgreSQL in {time.monotonic() - began:.0f} s:"
            f" {len(acknowledged)} families acknowledged, {len(kept)} kept, {len(lost)} lost,"
            f" {len(double)} with two references, program started again {restarts} times, pressers failed {failed or 'none'}"
        )
        return not (lost or double or failed) and len(kept) == len(acknowledged)
    finally:
        stop.set()
        program.stop()
        shutil.rmtree(folder, ignore_errors=True)

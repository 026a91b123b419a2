"""The whole program with a PostgreSQL of its own, to be killed at will."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """`xuezheng run --demo` with a PostgreSQL of its own, so that others' tests go on."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XUEZHENG_", "DJANGO_"))}
        self.env = kept | {"XUEZHENG_DATA_DIR": str(folder)}
        self.log = folder / "run.log"
        self.start()

    def start(self) -> None:
        """Start, and wait until it says that it is running."""
        self.log.write_text("")
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "xuezheng.config.cli", "run", "--demo", "--scale", "small"],
                env=self.env | {"XUEZHENG_PORT": str(self.port)},
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 300
        while "http://" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)

    @property
    def password(self) -> str:
        return re.search(r"^\s+school\s+(\S+)", self.log.read_text(), re.MULTILINE)[1]

    def children(self, pid: int) -> list[int]:
        path = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(child) for child in path.read_text().split()]

    def child(self, word: bytes) -> int:
        """The child whose command line holds a word."""
        for child in self.children(self.process.pid):
            if word in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        raise AssertionError(f"no process {word!r}")

    def web(self) -> int:
        """The process that granian started first."""
        return self.child(b"granian")

    def kill_worker(self) -> None:
        """Kill the jobs' process; the program ends for the service manager to start it again."""
        os.kill(self.child(b"worker"), signal.SIGKILL)
        assert self.process.wait(60) == 1
        self.start()

    def kill_web_worker(self) -> None:
        os.kill(self.children(self.web())[-1], signal.SIGKILL)

    def kill_web(self) -> None:
        """Kill the web server; the program ends for the service manager to start it again."""
        os.kill(self.web(), signal.SIGKILL)
        assert self.process.wait(60) == 1
        self.start()

    def kill_everything(self) -> None:
        """Kill the program itself; nothing it started may keep the port."""
        self.process.kill()
        self.process.wait()
        time.sleep(1)
        self.start()

    def kill_postgresql(self) -> None:
        (pid_file,) = self.folder.rglob("postmaster.pid")
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)

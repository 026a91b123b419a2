"""`xuezheng run`: database, migration, demo district, worker and web in one go, timed."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from xuezheng.config.environment import ConfigurationError, Environment
from xuezheng.config.postgres import Cluster, location

READY_SECONDS = 60
PORT_SECONDS = 10
_PR_SET_PDEATHSIG = 1


def end_with_parent(by: int = signal.SIGTERM) -> None:
    """Ask Linux to send this process a signal when its parent dies, even by kill -9.

    Otherwise an orphan keeps the port and the next start is refused.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by)


@contextlib.contextmanager
def step(zh: str, en: str) -> Iterator[None]:
    """Print a step and how long it took."""
    print(f"· {zh} / {en} …", end=" ", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)  # what went wrong begins on a line of its own
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(host: str, given: int) -> int:
    """The given port, or the first from 8000 on which nobody listens.

    A given one is waited for: what was killed a moment ago may still hold it.  Raises
    ConfigurationError when it, or fifty in a row, are taken.
    """
    deadline = time.monotonic() + (PORT_SECONDS if given else 0)
    while True:
        for port in [given] if given else range(8000, 8050):
            if _is_free(host, port):
                return port
        if time.monotonic() >= deadline:
            break
        time.sleep(0.2)
    raise ConfigurationError(f"端口已被占用 / the port is taken: {given or '8000-8049'}")


def run(env: Environment, *, demo: bool, scale: str) -> int:
    """Start everything and wait.  Ctrl-C or SIGTERM stops it in order; data stay.

    `demo` loads the demo district of that scale into an empty database.
    """
    cluster = None if env.get("XUEZHENG_DATABASE_OWNER_URL") else Cluster()
    if cluster:
        with step("启动数据库", "database"):
            cluster.prepare()
    import django

    with step("载入程序", "program"):
        django.setup()
    from xuezheng.config.database import DatabaseRefused, migrate, needs_migration
    from xuezheng.demo.load import is_demo, is_empty, load_demo, print_signins
    from xuezheng.registry.demo import Scale

    try:
        if needs_migration():
            with step("建立或升级数据表", "migrate"):
                migrate()
    except DatabaseRefused as refused:
        print(refused, file=sys.stderr)
        return 2
    if demo and is_empty():
        print("装入示例区 / demo district", flush=True)
        load_demo(scale=Scale(scale), progress=True)
    if is_demo():
        os.environ["XUEZHENG_DEMO"] = "1"
    host = env.get("XUEZHENG_HOST", "127.0.0.1")
    port = free_port(host, env.number("XUEZHENG_PORT", 0))
    children: list[subprocess.Popen] = []
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        with step("启动网页与任务", "web and worker"):
            children += [_web(env, host, port), _worker()]
            _wait_ready(host, port, children)
        print(f"\n学政已启动 / Xuezheng is running:  http://{host}:{port}/\n", flush=True)
        if is_demo():
            print_signins()
        while not stopping:
            time.sleep(1)
            if cluster:
                cluster.ensure_running()  # brings a killed server back; 1 ms while it runs
            if dead := next((child for child in children if child.poll() is not None), None):
                print(f"子进程退出 / a process ended: {dead.args}", file=sys.stderr)
                return 1
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=30)
        if cluster:
            cluster.stop()
    return 0


def _web(env: Environment, host: str, port: int) -> subprocess.Popen:
    workers = env.number("XUEZHENG_WORKERS", os.cpu_count() or 2)
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        # Two blocking threads each with a persistent connection: measured best.
        *("--blocking-threads", "2", "--no-ws", "--log-level", "warning"),
        *("--respawn-failed-workers", "xuezheng.config.wsgi:application"),
    ]
    # The web processes add up their counters in files of this folder; those of a former run go.
    counters = location() / "metrics"
    shutil.rmtree(counters, ignore_errors=True)
    counters.mkdir(mode=0o700)
    # A group of its own: the terminal's Ctrl-C reaches us, and we stop the children in order.
    return subprocess.Popen(
        command,
        env=os.environ | {"XUEZHENG_ROLE": "web", "PROMETHEUS_MULTIPROC_DIR": str(counters)},
        start_new_session=True,
        preexec_fn=end_with_parent,
    )


def _worker() -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "xuezheng.config.cli", "worker"],
        start_new_session=True,
        preexec_fn=end_with_parent,
    )


def _wait_ready(host: str, port: int, children: list[subprocess.Popen]) -> None:
    url = f"http://{host}:{port}/health/ready"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise ConfigurationError(
        "网页服务未能启动，见上面的输出 / the web server did not start, see above"
    )

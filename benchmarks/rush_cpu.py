"""Processor time of web, database and client: what a registration costs, whoever else is on the machine."""

import os
import resource
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def _processes() -> dict[int, tuple[int, float, float]]:
    """Process -> (parent, seconds of its own, seconds of children that it has seen end)."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # After the name, which may have spaces and brackets of its own (proc(5)).
            words = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended in the meantime
        user, system, ended_user, ended_system = map(int, words[11:15])
        found[int(folder.name)] = (
            int(words[1]),
            (user + system) / _TICK,
            (ended_user + ended_system) / _TICK,
        )
    return found


def _below(root: int, processes: dict[int, tuple[int, float, float]]) -> float:
    """Seconds of all processes that descend from one, the ended ones too, without its own."""
    children = [pid for pid, (parent, *_seconds) in processes.items() if parent == root]
    return processes[root][2] + sum(
        processes[child][1] + _below(child, processes) for child in children
    )


def spent() -> dict[str, float]:
    """Seconds of processor time so far: {"web", "database", "client"}.

    The web server is what descends from this process, which is the client; the database what descends
    from PostgreSQL's first process.
    """
    from xuezheng.config.postgres import Cluster

    processes = _processes()
    postmaster = int((Cluster().data / "postmaster.pid").read_text().split()[0])
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "web": _below(os.getpid(), processes),
        "database": _below(postmaster, processes),
        "client": own.ru_utime + own.ru_stime,
    }

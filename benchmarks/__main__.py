"""Run every benchmark, or those named, on a throwaway cluster with the demo district."""

import os
import shutil
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Prepare the cluster and the demo district, run, print; 1 when a limit is missed."""
    for name in [name for name in os.environ if name.startswith("XUEZHENG_")]:
        del os.environ[name]
    root = Path(tempfile.mkdtemp(prefix="xz-bench-"))
    root.chmod(0o711)
    os.environ |= {
        "XUEZHENG_DATA_DIR": str(root),
        "XUEZHENG_ROLE": "owner",
        "DJANGO_SETTINGS_MODULE": "xuezheng.config.settings",
    }
    from xuezheng.config.postgres import Cluster

    # Durable settings, as in service: a benchmark without fsync would flatter.
    cluster = Cluster(root)
    cluster.prepare()
    try:
        import django

        django.setup()
        from benchmarks import (
            allocation,
            api,
            audit,
            desk,
            digest,
            engines,
            faults,
            importer,
            imports,
            load,
            office,
            pages,
            people,
            publish,
            rush,
            rush_faults,
            snapshot,
        )
        from xuezheng.config.database import migrate
        from xuezheng.demo.load import load_demo

        full = "--full" in sys.argv
        benches = {
            "pages": [pages.run, pages.admissions],
            "people": [people.run, people.loading],
            "load": [load.run],
            "importer": [importer.run],
            "imports": [imports.run],
            "audit": [audit.run],
            "allocation": [lambda: allocation.run(full=full)],
            "publish": [publish.run],
            "digest": [digest.run],
            "office": [office.run],
            # On five years of its own, which it leaves there.
            "desk": [desk.run],
            "api": [api.run],
            "rush": [rush.rate, rush.minute],
            # Last: growth multiplies the district.
            "engines": [engines.live, lambda: engines.against_scan(full=full)],
            "snapshot": [snapshot.run],
            # On a program of its own; minutes long, so only when named.
            "faults": [faults.run],
            "rush_faults": [rush_faults.run],
        }
        wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or [
            name for name in benches if not name.endswith("faults")
        ]
        if unknown := set(wanted) - set(benches):
            print(f"no benchmark {', '.join(unknown)}; there are {', '.join(benches)}")
            return 2
        migrate()
        load_demo(progress=True)
        done = [bench() for name in benches if name in wanted for bench in benches[name]]
        return int(not all(done))
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

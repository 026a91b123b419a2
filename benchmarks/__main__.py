"""Run every benchmark on a throwaway cluster with the demo district."""

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
        from benchmarks import audit, engines, importer, pages, snapshot
        from xuezheng.config.database import migrate
        from xuezheng.demo.load import load_demo

        migrate()
        load_demo()
        full = "--full" in sys.argv
        done = [pages.run(root), importer.run(), audit.run()]
        # Last: growth multiplies the district.
        done += [engines.live(), engines.against_scan(full=full), snapshot.run()]
        return int(not all(done))
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

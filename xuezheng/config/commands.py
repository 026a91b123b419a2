"""The commands that need Django."""

import argparse

from django.core.management import call_command
from django.utils import timezone

from xuezheng.config import doctor
from xuezheng.config.database import DatabaseRefused, migrate, needs_migration
from xuezheng.demo.load import DemoRefused, load_demo, print_signins
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.seal import seal_next, verify
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.indicators.jobs import year_of

EXPECTED = (DatabaseRefused, DemoRefused)


def run_migrate(_options: argparse.Namespace) -> int:
    """Bring the database to this version."""
    migrate(verbosity=1)
    return 0


def run_demo(_options: argparse.Namespace) -> int:
    """Load the demo district into an empty database and print its sign-ins."""
    if needs_migration():
        migrate()
    load_demo()
    print_signins()
    return 0


def run_worker(_options: argparse.Namespace) -> int:
    """Work on jobs until stopped."""
    call_command("procrastinate", "worker", "--concurrency", "2")
    return 0


def run_indicators(options: argparse.Namespace) -> int:
    """Compute readings of the running year."""
    as_of = options.as_of or timezone.localdate()
    with fenced(by=JobActor("indicators")):
        print(compute(period=year_of(as_of), as_of=as_of))
    return 0


def run_audit(options: argparse.Namespace) -> int:
    """Seal what is finished, verify everything, print problems; 1 if there are any."""
    while seal_next():
        continue
    result = verify(options.heads)
    for problem in result.problems:
        print(problem)
    print(
        f"封存 {result.seals} 批 {result.entries} 条，未封存 {result.unsealed} 条，"
        f"问题 {len(result.problems)} 处 / seals, entries, unsealed, problems"
    )
    return 1 if result.problems else 0


def run_doctor(_options: argparse.Namespace) -> int:
    """Check the installation; 1 if something is wrong."""
    return doctor.run()


COMMANDS = {
    "migrate": run_migrate,
    "demo": run_demo,
    "worker": run_worker,
    "indicators": run_indicators,
    "audit": run_audit,
    "doctor": run_doctor,
}

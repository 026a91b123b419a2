"""The commands that need Django."""

import argparse
import sys

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command

from xuezheng.config import doctor, safekeeping, statistics
from xuezheng.config.archive import ArchiveRefused
from xuezheng.config.clients import run_client
from xuezheng.config.database import DatabaseRefused, migrate, needs_migration
from xuezheng.config.environment import identity_keys, new_identity_key
from xuezheng.demo.load import DemoRefused, load_demo, print_signins
from xuezheng.demo.province import load_province
from xuezheng.domains.admissions.models import Season
from xuezheng.domains.admissions.services.proving import files_of
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.ciphers import fingerprints
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.resealing import reseal, usage
from xuezheng.kernel.audit.seal import seal_next, verify
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.indicators.bundles import BundleRefused
from xuezheng.kernel.indicators.snapshot import SnapshotRefused
from xuezheng.registry.demo import Scale
from xuezheng.registry.services.accounts import open_first_account

EXPECTED = (
    ArchiveRefused,
    BundleRefused,
    DatabaseRefused,
    DemoRefused,
    SnapshotRefused,
    statistics.Unanswered,
)


def run_admissions_export(options: argparse.Namespace) -> int:
    """Write the public files of a season into a folder, as its page offers them."""
    with fenced(read_only=True, by=JobActor("admissions.export")):
        season = Season.objects.announced().filter(pk=options.season).first()
        files = files_of(season, options.round) if season else {}
    if not files:
        print(f"没有可导出的 / nothing to export: {options.season}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (options.out / name).write_text(text, encoding="utf-8")
        print(options.out / name)
    return 0


def run_migrate(_options: argparse.Namespace) -> int:
    """Bring the database to this version."""
    migrate(verbosity=1)
    return 0


def run_demo(options: argparse.Namespace) -> int:
    """Load the demo district or province into an empty database and print its sign-ins."""
    if needs_migration():
        migrate()
    if options.scale == "province":
        load_province()
    else:
        load_demo(scale=Scale(options.scale), progress=True)
    print_signins()
    return 0


def run_worker(_options: argparse.Namespace) -> int:
    """Work on jobs until stopped."""
    call_command("procrastinate", "worker", "--concurrency", "2")
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


def run_keys(options: argparse.Namespace) -> int:
    """List the keys of sealed columns, or add one and seal every row anew."""
    if options.action == "change":
        path = settings.DATA_DIR / "identity_keys"
        tag = f"v{len(settings.IDENTITY_KEYS) + 1}"
        # The old keys stay in the file: older backups need them.
        if not path.exists():
            print(
                "密钥由外部提供，请在那里追加 / keys come from outside: add one there",
                file=sys.stderr,
            )
            return 2
        path.write_text(f"{path.read_text('ascii').rstrip()}\n{new_identity_key(tag)}\n", "ascii")
        settings.IDENTITY_KEYS = identity_keys("", settings.DATA_DIR)
        reseal(lambda model, done: print(f"  {model} {done}", flush=True))
        print("请重启程序 / restart the program")
    marks = fingerprints()
    for tag, mark in marks.items():
        print(f"{tag}  {mark}")
    for column, tag, rows in usage():
        print(f"  {column:<36} {tag}  {rows}{'' if tag in marks else '  缺密钥 / key is missing'}")
    return 0


def run_first_account(options: argparse.Namespace) -> int:
    """Open the first security officer's account; prints its one-time password."""
    if needs_migration():
        migrate()
    try:
        one_time = open_first_account(
            username=options.username,
            name=options.name,
            bureau_code=options.code or "",
            bureau_name=options.bureau or "",
        )
    except (StepRefused, ValidationError) as refused:
        words = refused.messages if isinstance(refused, ValidationError) else [str(refused)]
        print("\n".join(words), file=sys.stderr)
        return 2
    print(f"一次性密码（只显示这一次）/ one-time password (shown once):  {one_time}")
    return 0


def run_doctor(_options: argparse.Namespace) -> int:
    """Check the installation; 1 if something is wrong."""
    return doctor.run()


COMMANDS = {
    "admissions": run_admissions_export,
    "backup": safekeeping.run_backup,
    "restore": safekeeping.run_restore,
    "migrate": run_migrate,
    "demo": run_demo,
    "worker": run_worker,
    "indicators": statistics.run_indicators,
    "snapshot": statistics.run_snapshot,
    "bundle": statistics.run_bundle,
    "audit": run_audit,
    "client": run_client,
    "keys": run_keys,
    "doctor": run_doctor,
    "first-account": run_first_account,
}

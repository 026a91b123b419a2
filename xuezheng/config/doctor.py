"""`xuezheng doctor`: what a person on call wants to know first."""

import datetime as dt
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.utils import timezone

from xuezheng.config.database import DatabaseRefused, needs_migration
from xuezheng.demo.load import is_demo, is_empty
from xuezheng.kernel.audit.seal import statistics
from xuezheng.kernel.files.store import fixity_problems
from xuezheng.kernel.jobs.models import Backup

MIN_FREE_BYTES = 2 * 1024**3
#: One a night, and some hours for a late start.
MAX_BACKUP_AGE = dt.timedelta(hours=26)
ASSETS = ("vendor/htmx.min.js", "vendor/echarts.min.js", "ui/base.css")


def checks() -> Iterator[tuple[str, bool, str]]:
    """(what, whether it is well, detail) for each check."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        drift = abs(float(cursor.fetchone()[0]) - time.time())
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE tableowner IN ('xuezheng_web', 'xuezheng_worker')"
        )
        owned = cursor.fetchone()[0]
    yield "数据库 / database", int(version.split(".")[0]) >= 15, version
    try:
        state = "需要升级 / needs migrate" if needs_migration() else ""
    except DatabaseRefused as refused:
        state = str(refused)
    yield "版本 / schema", not state, state or "ok"
    yield "角色 / roles own no table", owned == 0, str(owned)
    yield "时钟 / clock drift to database (s)", drift < 2, f"{drift:.3f}"
    yield "时区 / time zone", timezone.get_current_timezone_name() == "Asia/Shanghai", ""
    missing = [name for name in ASSETS if not finders.find(name)]
    yield "前端资源 / assets", not missing, ", ".join(missing) or "ok"
    free = shutil.disk_usage(_existing(Path(settings.FILES_DIR))).free
    yield "磁盘 / free disk (GiB)", free > MIN_FREE_BYTES, f"{free / 1024**3:.1f}"
    writable = os.access(_existing(Path(settings.FILES_DIR)), os.W_OK)
    yield "文件目录可写 / files folder writable", writable, str(settings.FILES_DIR)
    problems = fixity_problems()
    yield "文件完好 / file fixity", not problems, "; ".join(problems[:5]) or "ok"
    yield "备份 / last backup", *_backup()
    trail = statistics()
    yield "审计未封存 / unsealed audit entries", (trail["unsealed"] or 0) < 10_000, str(trail)
    yield "中文字体（打印用）/ Chinese font for printing", *_fonts()


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _backup() -> tuple[bool, str]:
    """Well when it is less than MAX_BACKUP_AGE old; none is needed of an empty or a demo database."""
    last = Backup.objects.order_by("-at").first()
    if last is None:
        return is_empty() or is_demo(), "还没有备份 / none yet"
    return (
        timezone.now() - last.at < MAX_BACKUP_AGE,
        f"{last.folder} {timezone.localtime(last.at):%F %T}",
    )


def _fonts() -> tuple[bool, str]:
    # Screens use the reader's own fonts; only a machine that prints or makes pictures needs one.
    folders = (Path("/usr/share/fonts"), Path.home() / ".fonts", Path("/usr/local/share/fonts"))
    found = [
        path.name
        for folder in folders
        if folder.exists()
        for path in folder.rglob("*")
        if any(word in path.name.lower() for word in ("cjk", "wqy", "simsun", "simhei", "fangsong"))
    ]
    return True, found[0] if found else "无，服务器端出图时需要 / none: install one to print here"


def run() -> int:
    """Print all checks; 1 if one failed."""
    failed = 0
    for what, well, detail in checks():
        failed += not well
        print(f"{'ok  ' if well else 'FAIL'} {what}: {detail}")
    return 1 if failed else 0

"""The commands `backup` and `restore`: what they print, how they end."""

import argparse

from xuezheng.config.backup import make_backup
from xuezheng.config.restore import restore
from xuezheng.config.serve import step


def run_backup(options: argparse.Namespace) -> int:
    """Make an archive; 1 if a file had lost its content before."""
    made = make_backup(options.to, step=step, keep=options.keep)
    print(
        f"备份完成 / backup: {made.folder}（{made.files} 个文件 / files，"
        f"{made.size / 1024**2:.1f} MiB，清单 / manifest {made.manifest[:12]}）"
    )
    for name in made.damaged:
        print(f"文件在备份前已损坏 / file was damaged before: {name}")
    return 1 if made.damaged else 0


def run_restore(options: argparse.Namespace) -> int:
    """Restore or try to; 1 with a list if anything differs from what was saved."""
    result = restore(
        options.source, step=step, verify=options.verify, database=options.to_database or ""
    )
    for note in result.notes:
        print(f"注意 / note: {note}")
    for problem in result.problems:
        print(problem)
    print(
        f"比对 / compared: {result.tables} 张表 {result.rows} 行，{result.files} 个文件，"
        f"{result.seals} 批封存，{result.figures} 个读数；不符 {len(result.problems)} 处 / "
        f"tables, rows, files, seals, figures; differences"
    )
    return 1 if result.problems else 0

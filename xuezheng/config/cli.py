"""The command line `xuezheng`."""

import argparse
import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

from xuezheng.config.environment import ConfigurationError, Environment
from xuezheng.config.postgres import Cluster, PostgresError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xuezheng", description="学政：区县教育局全年工作平台 / the district bureau's platform"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="启动数据库、任务和网页服务 / start everything")
    run.add_argument(
        "--demo", action="store_true", help="空库时装入示例区 / load the demo district"
    )
    run.add_argument(
        "--scale",
        choices=["small", "district"],
        default="district",
        help="示例区规模 / size of the demo district",
    )
    commands.add_parser("worker", help="后台任务 / background jobs only")
    commands.add_parser("migrate", help="升级数据库 / bring the database to this version")
    demo = commands.add_parser("demo", help="装入示例区（仅限空库）/ load the demo district")
    demo.add_argument(
        "--scale",
        choices=["small", "district", "province"],
        default="district",
        help="small：约1500名儿童；district：约四万名；province：示例省，九十个区县 /"
        " some 1,500 children, about 40,000, a province of ninety districts",
    )
    plan = commands.add_parser("plan", help="工作计划 / work plans")
    parse = plan.add_subparsers(dest="action", required=True).add_parser(
        "parse", help="解析计划文件，输出 JSON / parse a plan file, print JSON"
    )
    parse.add_argument("file", type=Path)
    admissions = commands.add_parser("admissions", help="招生 / admissions").add_subparsers(
        dest="action", required=True
    )
    allocate = admissions.add_parser("allocate", help="分配学位，JSON / allocate places, JSON")
    allocate.add_argument("--in", dest="source", type=Path, required=True, metavar="FILE")
    allocate.add_argument("--out", dest="target", type=Path, required=True, metavar="FILE")
    checked = admissions.add_parser("verify", help="核验分配结果 / check a result")
    checked.add_argument("--in", dest="source", type=Path, required=True, metavar="FILE")
    checked.add_argument("--result", dest="target", type=Path, required=True, metavar="FILE")
    proof = admissions.add_parser("export", help="导出复核文件 / export the files of the proof")
    proof.add_argument("--season", type=_positive, required=True, metavar="ID")
    proof.add_argument("--round", type=_positive, default=1, metavar="N")
    proof.add_argument("--out", type=Path, required=True, metavar="DIR", help="文件夹 / folder")
    indicators = commands.add_parser("indicators", help="指标 / indicators")
    indicators_actions = indicators.add_subparsers(dest="action", required=True)
    compute = indicators_actions.add_parser("compute", help="计算读数 / compute readings")
    compute.add_argument(
        "--as-of", type=_day, metavar="YYYY-MM-DD", help="截至日，默认今天 / default today"
    )
    compute.add_argument(
        "--engine", choices=["postgres", "duckdb"], help="默认 postgres / default postgres"
    )
    compute.add_argument("--snapshot", type=Path, metavar="DIR", help="数据快照 / a snapshot")
    compute.add_argument("--json", action="store_true", help="每行一个 JSON / JSON lines")
    _statistics(commands, indicators_actions)
    _clients(commands)
    audit = commands.add_parser("audit", help="审计 / audit trail")
    verify = audit.add_subparsers(dest="action", required=True).add_parser(
        "verify", help="核验审计记录 / verify the trail"
    )
    verify.add_argument("--heads", type=Path, help="封存头文件 / file of heads kept elsewhere")
    keys = commands.add_parser("keys", help="加密字段的密钥 / keys of sealed columns")
    keys_actions = keys.add_subparsers(dest="action", required=True)
    keys_actions.add_parser("list", help="密钥指纹与用量 / fingerprints and use")
    keys_actions.add_parser("change", help="启用新密钥并重新加密 / new key, seal all rows anew")
    _safekeeping(commands)
    first = commands.add_parser(
        "first-account", help="开通第一个安全保密管理员 / open the first security officer's account"
    )
    first.add_argument("username", metavar="USERNAME")
    first.add_argument("name", metavar="NAME", help="姓名 / the person's name")
    first.add_argument("--bureau", metavar="NAME", help="教育局名称 / the bureau's name")
    first.add_argument("--code", metavar="CODE", help="教育局单位代码 / the bureau's code")
    commands.add_parser("doctor", help="检查运行环境 / check this installation")
    return parser


def _safekeeping(commands: Any) -> None:
    """Backup and restore."""
    backup = commands.add_parser("backup", help="备份数据库和文件 / back up database and files")
    backup.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="放备份的文件夹 / folder"
    )
    backup.add_argument(
        "--keep",
        type=_positive,
        default=0,
        metavar="N",
        help="只留最近 N 份 / delete all but the newest N",
    )
    restore = commands.add_parser("restore", help="恢复到空库 / restore into an empty database")
    restore.add_argument(
        "--from",
        dest="source",
        type=Path,
        required=True,
        metavar="DIR",
        help="一份备份 / one archive",
    )
    restore.add_argument(
        "--verify",
        action="store_true",
        help="恢复到临时库、比对、删除 / try in a throwaway database",
    )
    restore.add_argument(
        "--to-database", metavar="NAME", help="另一个空库 / another empty database"
    )


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"应为正整数 / must be a positive number: {text}")
    return int(text)


def _clients(commands: Any) -> None:
    """Programs that may call the machine interface."""
    actions = commands.add_parser(
        "client", help="数据接口的客户端 / programs that may call the interface"
    ).add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="列出 / list")
    add = actions.add_parser("add", help="开通，显示一次令牌 / open access, print the token once")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--scope", action="append", metavar="SCOPE", help="默认全部 / default: all")
    add.add_argument("--days", type=_positive, default=365, metavar="N", help="有效天数 / days")
    revoke = actions.add_parser("revoke", help="停用 / close access")
    revoke.add_argument("name", metavar="NAME")


def _statistics(commands: Any, indicators: Any) -> None:
    """Proof of a figure, snapshots, bundles between district and province."""
    prove = indicators.add_parser("prove", help="一个读数背后的行 / the rows behind a figure")
    prove.add_argument("key", metavar="KEY")
    prove.add_argument("--org", required=True, metavar="CODE", help="单位代码 / organisation")
    prove.add_argument("--snapshot", type=Path, metavar="DIR", help="数据快照 / a snapshot")
    prove.add_argument("--as-of", type=_day, metavar="YYYY-MM-DD")
    prove.add_argument("--json", action="store_true", help="每行一个 JSON / JSON lines")
    snapshot = commands.add_parser("snapshot", help="数据快照 / facts frozen to Parquet")
    actions = snapshot.add_subparsers(dest="action", required=True)
    write = actions.add_parser("write", help="冻结全部事实 / freeze all facts")
    write.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        help="新文件夹，默认入库 / new folder; default: the library",
    )
    write.add_argument(
        "--year", type=int, metavar="Y", help="归入年度 / filed under this plan year"
    )
    verify = actions.add_parser("verify", help="核验快照 / verify a snapshot")
    verify.add_argument("folder", type=Path, metavar="DIR")
    bundle = commands.add_parser("bundle", help="区县数据包 / a district's bundle for the province")
    actions = bundle.add_subparsers(dest="action", required=True)
    write = actions.add_parser("write", help="生成并签名 / write and sign")
    write.add_argument("--to", type=Path, required=True, metavar="FILE")
    take = actions.add_parser("take", help="接收（省级）/ take, in a province")
    take.add_argument("file", type=Path, metavar="FILE")
    trust = actions.add_parser("trust", help="登记区县公钥（省级）/ register a district's key")
    trust.add_argument("code", metavar="CODE")
    trust.add_argument("file", type=Path, metavar="PUBKEYFILE")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"不是日期 / not a date: {text}") from None


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code.  Expected errors are one sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "plan":
            return plan_parse(options.file)
        if options.command == "admissions" and options.action != "export":
            return admissions(options)
        return _with_django(options)
    except (ConfigurationError, PostgresError) as error:
        print(error, file=sys.stderr)
        return 2
    except Exception as error:
        if not (sentence := _fault(error)):
            raise
        print(sentence, file=sys.stderr)
        return 2


def _fault(error: Exception) -> str:
    """One sentence for a full disk or a lost database; empty for anything else."""
    from xuezheng.kernel.telemetry.faults import DISK, fault_of

    fault = fault_of(error)
    if fault == DISK:
        where = getattr(error, "filename", None) or ""
        return (
            f"磁盘已满或只读，没有完成 / the disk is full or read-only, not done: {where}".rstrip(
                ": "
            )
        )
    if fault:
        # Only the address stands in the first line of it.
        return f"数据库连不上 / cannot reach the database: {str(error).splitlines()[0]}"
    return ""


def plan_parse(path: Path) -> int:
    """Print the parse of a plan file as JSON.  Needs neither Django nor a database."""
    from xuezheng.domains.workplan.parsing import PlanError, parse_file

    try:
        plan = parse_file(path, path.name)
    except PlanError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"无法读取 / cannot read {path}: {error.strerror}", file=sys.stderr)
        return 1
    print(json.dumps(plan.as_json(), ensure_ascii=False, indent=2))
    return 0


def admissions(options: argparse.Namespace) -> int:
    """Allocate places, or check a result; 1 with what is wrong.  Needs no database."""
    from xuezheng.domains.admissions.allocation.files import allocate_file, verify_files
    from xuezheng.domains.admissions.allocation.problem import BadInput

    try:
        if options.action == "allocate":
            print(allocate_file(options.source, options.target).sha256)
            return 0
        wrong = verify_files(options.source, options.target)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 1
    for problem in wrong:
        print(problem, file=sys.stderr)
    print("不成立 / does not hold" if wrong else "成立 / holds")
    return 1 if wrong else 0


#: Database role of each command.
ROLES = {
    "admissions": "worker",
    "backup": "worker",
    "restore": "owner",
    "run": "owner",
    "migrate": "owner",
    "demo": "owner",
    "worker": "worker",
    "indicators": "worker",
    "snapshot": "worker",
    "bundle": "worker",
    "audit": "worker",
    "client": "worker",
    "keys": "owner",
    "doctor": "owner",
    "first-account": "owner",
}


def _with_django(options: argparse.Namespace) -> int:
    role = ROLES[options.command]
    os.environ["XUEZHENG_ROLE"] = role
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xuezheng.config.settings")
    env = Environment()
    if options.command == "run":
        from xuezheng.config.serve import run

        return run(env, demo=options.demo, scale=options.scale)
    if not env.get(f"XUEZHENG_DATABASE_{role.upper()}_URL"):
        Cluster().prepare()
    import django

    django.setup()
    from xuezheng.config import commands

    try:
        return commands.COMMANDS[options.command](options)
    except commands.EXPECTED as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

"""The command line `xuezheng`."""

import argparse
import datetime as dt
import json
import os
import sys
from pathlib import Path

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
    commands.add_parser("worker", help="后台任务 / background jobs only")
    commands.add_parser("migrate", help="升级数据库 / bring the database to this version")
    commands.add_parser("demo", help="装入示例区（仅限空库）/ load the demo district")
    plan = commands.add_parser("plan", help="工作计划 / work plans")
    parse = plan.add_subparsers(dest="action", required=True).add_parser(
        "parse", help="解析计划文件，输出 JSON / parse a plan file, print JSON"
    )
    parse.add_argument("file", type=Path)
    indicators = commands.add_parser("indicators", help="指标 / indicators")
    compute = indicators.add_subparsers(dest="action", required=True).add_parser(
        "compute", help="计算读数 / compute readings"
    )
    compute.add_argument(
        "--as-of", type=_day, metavar="YYYY-MM-DD", help="截至日，默认今天 / default today"
    )
    audit = commands.add_parser("audit", help="审计 / audit trail")
    verify = audit.add_subparsers(dest="action", required=True).add_parser(
        "verify", help="核验审计记录 / verify the trail"
    )
    verify.add_argument("--heads", type=Path, help="封存头文件 / file of heads kept elsewhere")
    keys = commands.add_parser("keys", help="加密字段的密钥 / keys of sealed columns")
    keys_actions = keys.add_subparsers(dest="action", required=True)
    keys_actions.add_parser("list", help="密钥指纹与用量 / fingerprints and use")
    keys_actions.add_parser("change", help="启用新密钥并重新加密 / new key, seal all rows anew")
    commands.add_parser("doctor", help="检查运行环境 / check this installation")
    return parser


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
        return _with_django(options)
    except (ConfigurationError, PostgresError) as error:
        print(error, file=sys.stderr)
        return 2


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


#: Database role of each command.
ROLES = {
    "run": "owner",
    "migrate": "owner",
    "demo": "owner",
    "worker": "worker",
    "indicators": "worker",
    "audit": "worker",
    "keys": "owner",
    "doctor": "owner",
}


def _with_django(options: argparse.Namespace) -> int:
    role = ROLES[options.command]
    os.environ["XUEZHENG_ROLE"] = role
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xuezheng.config.settings")
    env = Environment()
    if options.command == "run":
        from xuezheng.config.serve import run

        return run(env, demo=options.demo)
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

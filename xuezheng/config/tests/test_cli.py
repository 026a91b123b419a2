"""The command line, as a person types it: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xuezheng.config.postgres import Cluster
from xuezheng.kernel.access.models import Organisation

ROOT = Path(__file__).resolve().parents[3]
TEXT = """海岬区教育局2027年工作要点

一、提升质量
1. 课后服务。义务教育学校课后服务覆盖率达到98%以上。〔责任科室：基础教育科〕
"""


def xuezheng(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XUEZHENG_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "xuezheng.config.cli", *arguments],
        env=kept | {"PYTHONIOENCODING": "utf-8"} | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_plan_parse_prints_json(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "plan.txt"
    path.write_bytes(TEXT.encode(encoding))
    done = xuezheng("plan", "parse", str(path))
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["title"] == "海岬区教育局2027年工作要点"
    assert (plan["issuer"], plan["year"]) == ("海岬区教育局", 2027)
    assert plan["sections"][0]["number"] == "一、"
    assert plan["sections"][0]["children"][0]["number"] == "1."
    (target,) = plan["targets"]
    assert (target["value"], target["unit"], target["comparator"]) == (98, "%", ">=")
    assert target["section"] == "一/1."
    assert plan["responsible_units"][0]["lead"] == ["基础教育科"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.txt", b""),
        ("broken.docx", b"PK\x03\x04 cut off"),
        ("broken.xlsx", b"PK\x03\x04 cut off"),
        ("broken.pdf", b"%PDF-1.4\nnothing"),
        ("noise.txt", bytes(range(256)) * 40),
        ("picture.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 200),
        ("letter.txt", "你好，明天见。".encode()),
    ],
)
def test_bad_file_gets_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = xuezheng("plan", "parse", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_file_that_is_not_there(tmp_path: Path) -> None:
    done = xuezheng("plan", "parse", str(tmp_path / "none.docx"))
    assert done.returncode == 1
    assert "cannot read" in done.stderr


def test_unknown_key_stops_every_command() -> None:
    done = xuezheng("doctor", XUEZHENG_TYPO="1")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("unknown configuration key: XUEZHENG_TYPO")


@pytest.fixture
def here(own_database: str, tmp_path: Path) -> dict[str, str]:
    """Variables that point the program at this test's database."""
    cluster = Cluster()
    urls = {
        f"XUEZHENG_DATABASE_{role.upper()}_URL": cluster.login(role, own_database).conninfo()
        for role in ("owner", "web", "worker")
    }
    return urls | {"XUEZHENG_DATA_DIR": str(tmp_path), "XUEZHENG_SECRET_KEY": "only-for-tests"}


def test_the_first_account_once(here: dict[str, str]) -> None:
    refused = xuezheng("first-account", "chief", "关谨", **here)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "教育局" in refused.stderr
    bureau = ("--bureau", "屿州区教育局", "--code", "B")
    opened = xuezheng("first-account", "chief", "关谨", *bureau, **here)
    assert opened.returncode == 0, opened.stderr
    assert len(opened.stdout.split()[-1]) == 23
    again = xuezheng("first-account", "second", "关谨", *bureau, **here)
    assert again.returncode == 2


def test_doctor_and_the_commands_of_a_day(here: dict[str, str]) -> None:
    assert xuezheng("migrate", **here).returncode == 0
    doctor = xuezheng("doctor", **here)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    lines = doctor.stdout.splitlines()
    assert len(lines) >= 11
    assert all(line.startswith("ok  ") for line in lines), doctor.stdout
    computed = xuezheng("indicators", "compute", "--as-of", "2026-06-30", **here)
    assert computed.returncode == 0, computed.stderr
    verified = xuezheng("audit", "verify", **here)
    assert verified.returncode == 0, verified.stderr
    assert "问题 0 处" in verified.stdout


def test_demo_only_into_an_empty_database(here: dict[str, str]) -> None:
    Organisation.objects.create(code="B", name="屿州区教育局", kind="bureau")
    done = xuezheng("demo", **here)
    assert done.returncode == 2
    assert "not empty" in done.stderr


def test_day_that_is_none(here: dict[str, str]) -> None:
    done = xuezheng("indicators", "compute", "--as-of", "2026-02-31", **here)
    assert done.returncode == 2
    assert "2026-02-31" in done.stderr
    assert "Traceback" not in done.stderr

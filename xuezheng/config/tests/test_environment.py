"""Configuration: a misspelt key, a secret given twice or a file that is not there stops the start."""

import stat
from pathlib import Path

import pytest

from xuezheng.config.environment import ConfigurationError, Environment, stored_secret


def test_unknown_key_is_named() -> None:
    with pytest.raises(ConfigurationError, match="XUEZHENG_PROT"):
        Environment({"XUEZHENG_PROT": "8000", "HOME": "/root"})


def test_foreign_variables_are_no_business_of_ours() -> None:
    assert Environment({"HOME": "/root"}).get("XUEZHENG_PORT", "none") == "none"


def test_secret_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("  value \n", encoding="utf-8")
    env = Environment({"XUEZHENG_SECRET_KEY_FILE": str(path)})
    assert env.get("XUEZHENG_SECRET_KEY") == "value"


def test_secret_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("a", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="one of the two"):
        Environment({"XUEZHENG_SECRET_KEY": "b", "XUEZHENG_SECRET_KEY_FILE": str(path)})


def test_secret_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="XUEZHENG_SECRET_KEY_FILE"):
        Environment({"XUEZHENG_SECRET_KEY_FILE": str(tmp_path / "none")})


def test_only_secrets_have_files() -> None:
    with pytest.raises(ConfigurationError, match="XUEZHENG_PORT_FILE"):
        Environment({"XUEZHENG_PORT_FILE": "/etc/port"})


@pytest.mark.parametrize(("text", "number"), [("", 7), ("12", 12)])
def test_number(text: str, number: int) -> None:
    assert Environment({"XUEZHENG_PORT": text}).number("XUEZHENG_PORT", 7) == number


def test_number_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match="XUEZHENG_PORT"):
        Environment({"XUEZHENG_PORT": "eighty"}).number("XUEZHENG_PORT", 7)


def test_generated_secret_is_kept_and_closed(tmp_path: Path) -> None:
    first = stored_secret(tmp_path, "secret-key")
    assert stored_secret(tmp_path, "secret-key") == first
    assert len(first) >= 48
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600

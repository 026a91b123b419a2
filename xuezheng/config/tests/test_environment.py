"""Configuration: a misspelt key, a secret given twice or a file that is not there stops the start."""

import stat
from pathlib import Path

import pytest

from xuezheng.config.environment import (
    ConfigurationError,
    Environment,
    signin_ways,
    stored_secret,
)


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


OIDC = {
    "XUEZHENG_SIGNIN_OIDC_ISSUER": "https://id.example",
    "XUEZHENG_SIGNIN_OIDC_CLIENT_ID": "us",
    "XUEZHENG_SIGNIN_OIDC_CLIENT_SECRET": "hush",
}


def test_ways_to_sign_in_are_those_that_are_configured() -> None:
    assert signin_ways(Environment({}), Path("/x")) == {}
    ways = signin_ways(
        Environment(
            OIDC | {"XUEZHENG_SIGNIN_SMS": "/tmp/texts", "XUEZHENG_SIGNIN_OIDC_CLAIM": "no"}
        ),
        Path("/x"),
    )
    assert list(ways) == ["oidc", "sms"]
    assert ways["oidc"]["claim"] == "no"
    assert "link" not in ways["oidc"], "left to the way's own default"


@pytest.mark.parametrize(
    ("given", "address", "anyone"),
    [
        ({"XUEZHENG_SIGNIN_SMS": "/t"}, "/t", False),
        ({"XUEZHENG_SIGNIN_SMS": "/t", "XUEZHENG_SIGNIN_SMS_OPEN": "1"}, "/t", True),
        ({"XUEZHENG_DEMO": "1"}, "/x/texts.tsv", True),
        ({"XUEZHENG_DEMO": "1", "XUEZHENG_SIGNIN_SMS": "/t"}, "/t", True),
    ],
)
def test_who_may_come_in_by_sms(given: dict[str, str], address: str, anyone: bool) -> None:
    sms = signin_ways(Environment(given), Path("/x"))["sms"]
    assert (sms["address"], sms["anyone"]) == (address, anyone)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (OIDC | {"XUEZHENG_SIGNIN_OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET"),
        (OIDC | {"XUEZHENG_SIGNIN_OIDC_ISSUER": "http://id.example"}, "https"),
        (OIDC | {"XUEZHENG_SIGNIN_OIDC_LINK": "name"}, "OIDC_LINK"),
        ({"XUEZHENG_SIGNIN_CAS_URL": "http://cas.example"}, "https"),
        ({"XUEZHENG_SIGNIN_SMS": "http://sms.example"}, "https"),
        ({"XUEZHENG_SIGNIN_SMS_OPEN": "1"}, "SIGNIN_SMS"),
    ],
)
def test_half_a_way_stops_the_start(given: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        signin_ways(Environment(given), Path("/x"))

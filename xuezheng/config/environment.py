"""The configuration: `XUEZHENG_*` variables and secret files, nothing else.

An unknown `XUEZHENG_*` variable is an error, because a misspelt one would be silently ignored.
Every secret may be given as `NAME` or as `NAME_FILE` (a file that holds only the value).
"""

import base64
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

#: name -> what it means. `doctor` and docs/operations.md print this table.
KEYS = {
    "XUEZHENG_DATA_DIR": "folder for the embedded database and uploaded files",
    "XUEZHENG_ROLE": "database role of this process: owner, web, worker (set by the command line)",
    "XUEZHENG_DATABASE_OWNER_URL": "postgresql:// address of the role that migrates",
    "XUEZHENG_DATABASE_WEB_URL": "postgresql:// address of the web role",
    "XUEZHENG_DATABASE_WORKER_URL": "postgresql:// address of the worker role",
    "XUEZHENG_SECRET_KEY": "signing key; generated in the data folder when not given",
    "XUEZHENG_IDENTITY_KEYS": "keys of sealed columns, one TAG:BASE64 of 64 bytes a line, the last one"
    " seals; generated in the data folder when not given",
    "XUEZHENG_FILES_DIR": "folder for uploaded files (default: files/ in the data folder)",
    "XUEZHENG_AUDIT_HEAD_FILE": "file, best on another host, to which audit heads are appended",
    "XUEZHENG_ALLOWED_HOSTS": "host names separated by commas",
    "XUEZHENG_HOST": "address to listen on (default 127.0.0.1)",
    "XUEZHENG_PORT": "port to listen on (default: 8000, or the next free one)",
    "XUEZHENG_WORKERS": "web processes (default: one for each core)",
    "XUEZHENG_HTTPS": "1 behind a TLS proxy: secure cookies and HSTS",
    "XUEZHENG_LOG_FORMAT": "json or line (default: line at a terminal, else json)",
    "XUEZHENG_METRICS_TOKEN": "bearer token of /metrics; without it there is no such address",
    "XUEZHENG_DATABASE_BACKUP_URL": "postgresql:// address of the role that only reads, for backup",
    "XUEZHENG_DEMO": "1 when the database holds the demo district: sign-in page says so",
    "XUEZHENG_SIGNIN_OIDC_ISSUER": "identity provider (OpenID Connect): its issuer address",
    "XUEZHENG_SIGNIN_OIDC_CLIENT_ID": "our name at the identity provider",
    "XUEZHENG_SIGNIN_OIDC_CLIENT_SECRET": "our secret at the identity provider",
    "XUEZHENG_SIGNIN_OIDC_LABEL": "words on its button of the sign-in page",
    "XUEZHENG_SIGNIN_OIDC_LINK": "what its claim names: username (default) or identity (number)",
    "XUEZHENG_SIGNIN_OIDC_CLAIM": "claim of the id_token (default preferred_username)",
    "XUEZHENG_SIGNIN_OIDC_SCOPE": "scopes to ask for (default: openid profile)",
    "XUEZHENG_SIGNIN_CAS_URL": "ticket server (CAS 3.0): address before /login",
    "XUEZHENG_SIGNIN_CAS_LABEL": "words on its button of the sign-in page",
    "XUEZHENG_SIGNIN_CAS_LINK": "what it names: username (default) or identity (number)",
    "XUEZHENG_SIGNIN_CAS_CLAIM": "attribute to read (default: the user)",
    "XUEZHENG_SIGNIN_SMS": "sign-in by SMS code: https:// address of the gateway, or a file to write to",
    "XUEZHENG_SIGNIN_SMS_TOKEN": "bearer token of the SMS gateway",
    "XUEZHENG_REGISTERS_DIR": "registers of other departments as folders of JSON (demo, extracts)",
    "XUEZHENG_REGISTER_POLICE_URL": "https:// address of the household register's adapter",
    "XUEZHENG_REGISTER_POLICE_TOKEN": "its bearer token",
    "XUEZHENG_REGISTER_PROPERTY_URL": "https:// address of the real estate register's adapter",
    "XUEZHENG_REGISTER_PROPERTY_TOKEN": "its bearer token",
    "XUEZHENG_REGISTER_LABOUR_URL": "https:// address of the human resources register's adapter",
    "XUEZHENG_REGISTER_LABOUR_TOKEN": "its bearer token",
    "XUEZHENG_REGISTER_CIVIL_URL": "https:// address of the civil affairs register's adapter",
    "XUEZHENG_REGISTER_CIVIL_TOKEN": "its bearer token",
    "XUEZHENG_REGISTER_SECONDS": "seconds that a register has for one try (default 3)",
    "XUEZHENG_REGISTER_TRIES": "how often a register is tried (default 2)",
    "XUEZHENG_PUBLIC_URL": "https:// address at which people reach the program; links in texts begin"
    " with it",
    "XUEZHENG_NOTICES": "channels of messages, separated by commas: sms, mail, chat (the demo: all)",
    "XUEZHENG_MAIL": "mail server: smtp:// or smtps://user@host:port, or a file to write to",
    "XUEZHENG_MAIL_PASSWORD": "its password",
    "XUEZHENG_MAIL_FROM": "From address of our mails",
    "XUEZHENG_CHAT": "work chat: https:// address of the webhook, or a file to write to",
    "XUEZHENG_CHAT_SECRET": "shared secret that signs what is sent to it",
    "XUEZHENG_CHAT_STYLE": "plain (default), wecom, dingtalk",
    "XUEZHENG_SIGNIN_SMS_OPEN": "1: families sign in with any mainland mobile number (the demo: always)",
}
SECRETS = (
    "XUEZHENG_SIGNIN_OIDC_CLIENT_SECRET",
    "XUEZHENG_SIGNIN_SMS_TOKEN",
    "XUEZHENG_MAIL_PASSWORD",
    "XUEZHENG_CHAT_SECRET",
    "XUEZHENG_REGISTER_POLICE_TOKEN",
    "XUEZHENG_REGISTER_PROPERTY_TOKEN",
    "XUEZHENG_REGISTER_LABOUR_TOKEN",
    "XUEZHENG_REGISTER_CIVIL_TOKEN",
    "XUEZHENG_METRICS_TOKEN",
    "XUEZHENG_DATABASE_BACKUP_URL",
    "XUEZHENG_SECRET_KEY",
    "XUEZHENG_IDENTITY_KEYS",
    "XUEZHENG_DATABASE_OWNER_URL",
    "XUEZHENG_DATABASE_WEB_URL",
    "XUEZHENG_DATABASE_WORKER_URL",
)


class ConfigurationError(Exception):
    """The configuration cannot be used; the message says what to change."""


class Environment:
    """Reads and checks the variables once.

    Raises ConfigurationError for an unknown key, an unreadable secret file, or a secret given twice.
    """

    def __init__(self, variables: Mapping[str, str] = os.environ):
        known = set(KEYS) | {f"{name}_FILE" for name in SECRETS}
        given = {k: v for k, v in variables.items() if k.startswith("XUEZHENG_")}
        unknown = sorted(set(given) - known)
        if unknown:
            raise ConfigurationError(
                f"未知的配置项 / unknown configuration key: {', '.join(unknown)}"
            )
        self._given = given
        for name in SECRETS:
            self._read_secret(name)

    def _read_secret(self, name: str) -> None:
        path = self._given.pop(f"{name}_FILE", "")
        if not path:
            return
        if name in self._given:
            raise ConfigurationError(f"{name} 与 {name}_FILE 只能给一个 / give one of the two only")
        try:
            self._given[name] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"无法读取 / cannot read {name}_FILE: {error}") from error

    def get(self, name: str, default: str = "") -> str:
        """The value of a known key, or the default."""
        if name not in KEYS:
            raise KeyError(name)
        return self._given.get(name, default)

    def flag(self, name: str) -> bool:
        """True for 1, true, yes."""
        return self.get(name).lower() in {"1", "true", "yes"}

    def number(self, name: str, default: int) -> int:
        """A whole number.  Raises ConfigurationError for anything else."""
        text = self.get(name)
        if not text:
            return default
        try:
            return int(text)
        except ValueError:
            raise ConfigurationError(f"{name} 应为整数 / must be a whole number") from None


LINKS = ("username", "identity")


def signin_ways(env: Environment, folder: Path) -> dict[str, dict[str, Any]]:
    """Ways to sign in besides the password: key -> its options; only those that are configured.

    The demo has codes by SMS without any configuration: they are written into the data folder.
    Raises ConfigurationError for half a configuration, or one that would carry secrets unprotected.
    """
    ways: dict[str, dict[str, Any]] = {}
    for way, address, needed, optional in (
        ("oidc", "ISSUER", ("CLIENT_ID", "CLIENT_SECRET"), ("LINK", "CLAIM", "SCOPE")),
        ("cas", "URL", (), ("LINK", "CLAIM")),
    ):
        prefix = f"XUEZHENG_SIGNIN_{way.upper()}_"
        url = env.get(prefix + address)
        if not url:
            continue
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ConfigurationError(f"{prefix}{address} 应以 https:// 开头 / must be https://")
        options: dict[str, Any] = {address.lower(): url, "label": env.get(prefix + "LABEL")}
        for name in needed:
            options[name.lower()] = env.get(prefix + name)
            if not options[name.lower()]:
                raise ConfigurationError(f"缺少 / missing {prefix}{name}")
        options |= {n.lower(): env.get(prefix + n) for n in optional if env.get(prefix + n)}
        if options.get("link", "username") not in LINKS:
            raise ConfigurationError(f"{prefix}LINK: {', '.join(LINKS)}")
        ways[way] = options
    is_demo = env.flag("XUEZHENG_DEMO")
    anyone = env.flag("XUEZHENG_SIGNIN_SMS_OPEN")
    sms = env.get("XUEZHENG_SIGNIN_SMS") or (str(folder / "texts.tsv") if is_demo else "")
    if anyone and not sms:
        raise ConfigurationError("缺少 / missing XUEZHENG_SIGNIN_SMS")
    if sms:
        if sms.startswith("http://") and not sms.startswith(
            ("http://127.0.0.1", "http://localhost")
        ):
            raise ConfigurationError("XUEZHENG_SIGNIN_SMS 应以 https:// 开头 / must be https://")
        token = env.get("XUEZHENG_SIGNIN_SMS_TOKEN")
        ways["sms"] = {"address": sms, "token": token, "label": "", "anyone": anyone or is_demo}
    return ways


def registers_of(env: Environment, demo: Path | None = None) -> dict[str, dict[str, Any]]:
    """Register -> how it is asked: {"url", "token", "seconds", "tries"}, else {"folder"}, else left out.

    Raises ConfigurationError for an address without its token, or one that is not https (the local host
    may be, where the adapter stands beside the program).  `demo` is the demo district's folder.
    """
    folder = env.get("XUEZHENG_REGISTERS_DIR") or (str(demo) if demo else "")
    found: dict[str, dict[str, Any]] = {}
    for register in ("police", "property", "labour", "civil"):
        name = f"XUEZHENG_REGISTER_{register.upper()}"
        url, token = env.get(f"{name}_URL"), env.get(f"{name}_TOKEN")
        if url:
            local = url.startswith(("http://127.0.0.1", "http://localhost"))
            if not token or not (local or url.startswith("https://")):
                raise ConfigurationError(f"{name}_URL: an https:// address with {name}_TOKEN")
            found[register] = {
                "url": url,
                "token": token,
                "seconds": env.number("XUEZHENG_REGISTER_SECONDS", 3),
                "tries": env.number("XUEZHENG_REGISTER_TRIES", 2),
            }
        elif folder:
            found[register] = {"folder": folder}
    return found


def public_url(env: Environment) -> str:
    """Where people reach the program, without a slash at its end; "" when it was not said.

    Raises ConfigurationError for anything but https:// (http:// on the local host).
    """
    url = env.get("XUEZHENG_PUBLIC_URL") or (
        "http://localhost:8000" if env.flag("XUEZHENG_DEMO") else ""
    )
    if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ConfigurationError("XUEZHENG_PUBLIC_URL 应以 https:// 开头 / must be https://")
    return url.rstrip("/")


def notice_channels(env: Environment, folder: Path) -> dict[str, dict[str, str]]:
    """Channels by which messages go out: key -> its options; none unless they are named.

    The demo writes all three into files of the data folder.  Raises ConfigurationError for an unknown
    channel, half a configuration, one that would carry texts unprotected, or no PUBLIC_URL.
    """
    is_demo = env.flag("XUEZHENG_DEMO")
    named = env.get("XUEZHENG_NOTICES") or ("sms,mail,chat" if is_demo else "")
    channels = {
        "sms": {
            "address": env.get("XUEZHENG_SIGNIN_SMS"),
            "token": env.get("XUEZHENG_SIGNIN_SMS_TOKEN"),
        },
        "mail": {
            "address": env.get("XUEZHENG_MAIL"),
            "password": env.get("XUEZHENG_MAIL_PASSWORD"),
            "sender": env.get("XUEZHENG_MAIL_FROM"),
        },
        "chat": {
            "address": env.get("XUEZHENG_CHAT"),
            "secret": env.get("XUEZHENG_CHAT_SECRET"),
            "style": env.get("XUEZHENG_CHAT_STYLE", "plain"),
        },
    }
    needed = {"sms": "XUEZHENG_SIGNIN_SMS", "mail": "XUEZHENG_MAIL", "chat": "XUEZHENG_CHAT"}
    found: dict[str, dict[str, str]] = {}
    for key in filter(None, (part.strip() for part in named.split(","))):
        if key not in channels:
            raise ConfigurationError(f"XUEZHENG_NOTICES: {key} (sms, mail, chat)")
        options = channels[key]
        if not options["address"] and is_demo:
            options["address"] = str(folder / ("texts.tsv" if key == "sms" else f"{key}.tsv"))
        if not options["address"]:
            raise ConfigurationError(f"缺少 / missing {needed[key]}")
        if options["address"].startswith("http://") and not options["address"].startswith(
            ("http://127.0.0.1", "http://localhost")
        ):
            raise ConfigurationError(f"{needed[key]} 应以 https:// 开头 / must be https://")
        found[key] = options
    if found and not public_url(env):
        raise ConfigurationError("缺少 / missing XUEZHENG_PUBLIC_URL")
    mail = found.get("mail", {})
    if "://" in mail.get("address", "") and "@" not in mail["sender"]:
        raise ConfigurationError("缺少 / missing XUEZHENG_MAIL_FROM")
    if channels["chat"]["style"] not in {"plain", "wecom", "dingtalk"}:
        raise ConfigurationError("XUEZHENG_CHAT_STYLE: plain, wecom, dingtalk")
    return found


def stored_secret(folder: Path, name: str, value: str = "") -> str:
    """A secret kept in a 0600 file of `folder`, made at the first call (random when not given)."""
    path = folder / name
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=folder, encoding="ascii") as made:
            made.write(value or secrets.token_urlsafe(48))
            made.flush()
            # Complete when it appears; another starter's was first: his stays.
            with suppress(FileExistsError):
                os.link(made.name, path)
    return path.read_text(encoding="ascii").strip()


KEY_BYTES = 64


def new_identity_key(tag: str) -> str:
    """A line for the file of keys."""
    return f"{tag}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def identity_keys(text: str, folder: Path) -> dict[str, bytes]:
    """The keys of sealed columns by tag, in the order of the file `identity_keys` of the data folder.

    Raises ConfigurationError for a line that is no key, naming the line and never its content.
    """
    text = text or stored_secret(folder, "identity_keys", new_identity_key("v1"))
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        tag, _, encoded = line.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not tag.isalnum() or len(key) != KEY_BYTES or tag in keys:
            raise ConfigurationError(
                f"XUEZHENG_IDENTITY_KEYS 第{number}行不是密钥 / line {number} is no key"
            )
        keys[tag] = key
    return keys

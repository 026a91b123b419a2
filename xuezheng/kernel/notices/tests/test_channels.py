"""Each channel against a server of the test's own; configuration; files in their place."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail as outbox

from xuezheng.config.environment import (
    ConfigurationError,
    Environment,
    notice_channels,
    public_url,
)
from xuezheng.kernel.notices.channels import ChannelFailed, Message, base, chat, mail, sms

MESSAGE = Message("7", "学政：您有 3 件待办。", "https://x.example/inbox/")


class Server:
    """Answers what it was told to and keeps what came."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.body = 200, b""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                outer.came.append((self.path, dict(self.headers), data))
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *args: object) -> None:
                return

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/hook"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


def test_the_gateway_gets_text_link_and_the_same_id_at_each_try(server: Server) -> None:
    channel = sms.channel({"address": server.url, "token": "t0"})
    channel.send("10012345678", MESSAGE)
    _path, headers, body = server.came[0]
    assert headers["Authorization"] == "Bearer t0"
    assert json.loads(body) == {"to": "10012345678", "text": MESSAGE.whole, "id": "7"}
    server.status = 500
    with pytest.raises(ChannelFailed) as failure:
        channel.send("10012345678", MESSAGE)
    assert "10012345678" not in str(failure.value)


def test_plain_chat_signs_time_and_body(server: Server) -> None:
    chat.channel({"address": server.url, "secret": "s", "style": "plain"}).send("zhang", MESSAGE)
    _path, headers, body = server.came[0]
    signed = f"{headers['X-Timestamp']}\n".encode() + body
    expected = base64.b64encode(hmac.digest(b"s", signed, hashlib.sha256)).decode()
    assert headers["X-Signature"] == expected
    assert json.loads(body) == {
        "id": "7", "to": "zhang", "text": MESSAGE.text, "url": MESSAGE.url,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("style", "where"),
    [
        ("wecom", lambda sent: sent["text"]["mentioned_list"]),
        ("dingtalk", lambda sent: sent["at"]["atUserIds"]),
    ],
)
def test_robots_sign_in_the_address_and_mention_one_account(server: Server, style, where) -> None:
    channel = chat.channel({"address": f"{server.url}?key=k", "secret": "s", "style": style})
    server.body = b'{"errcode": 0}'
    channel.send("zhang", MESSAGE)
    path, _headers, body = server.came[0]
    sent, query = json.loads(body), parse_qs(urlsplit(path).query)
    assert where(sent) == ["zhang"]
    assert sent["text"]["content"] == MESSAGE.whole
    expected = hmac.digest(b"s", f"{query['timestamp'][0]}\ns".encode(), hashlib.sha256)
    assert query["sign"] == [base64.b64encode(expected).decode()]
    assert query["key"] == ["k"]


@pytest.mark.parametrize(("status", "body"), [(500, b""), (302, b""), (200, b'{"errcode": 1}')])
def test_a_refusing_chat_has_failed(server: Server, status: int, body: bytes) -> None:
    server.status, server.body = status, body
    with pytest.raises(ChannelFailed):
        chat.channel({"address": server.url}).send("zhang", MESSAGE)


def test_a_chat_that_is_not_there_has_failed() -> None:
    with pytest.raises(ChannelFailed):
        chat.channel({"address": "http://127.0.0.1:9/"}).send("zhang", MESSAGE)


def test_mail_is_its_text_with_the_link_and_one_message_id() -> None:
    backend = "django.core.mail.backends.locmem.EmailBackend"
    channel = mail.Mail("smtps://u@mail.example:465", "p", "xz@edu.example", backend)
    channel.send("a@edu.example", MESSAGE)
    sent = outbox.outbox[-1]
    assert (sent.subject, sent.body, sent.to) == (MESSAGE.text, MESSAGE.whole, ["a@edu.example"])
    assert sent.message()["Message-ID"] == "<7@edu.example>"


def test_a_mail_server_that_is_not_there_has_failed() -> None:
    channel = mail.channel({"address": "smtp://127.0.0.1:9", "sender": "xz@edu.example"})
    with pytest.raises(ChannelFailed):
        channel.send("a@edu.example", MESSAGE)


def test_a_file_stands_in_for_each_channel(settings, tmp_path: Path) -> None:
    settings.NOTICE_CHANNELS = {
        key: {"address": str(tmp_path / f"{key}.tsv")} for key in ("sms", "mail", "chat")
    }
    for key, channel in base.configured().items():
        channel.send("to", MESSAGE)
        path = tmp_path / f"{key}.tsv"
        assert path.read_text() == f"7\tto\t{MESSAGE.whole}\n"
        assert path.stat().st_mode & 0o777 == 0o600
    gone = base.FileChannel(tmp_path / "no" / "folder.tsv")
    with pytest.raises(ChannelFailed):
        gone.send("to", MESSAGE)


URL = {"XUEZHENG_PUBLIC_URL": "https://x.example/"}


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ({}, []),
        (URL, []),
        ({"XUEZHENG_DEMO": "1"}, ["sms", "mail", "chat"]),
        (URL | {"XUEZHENG_NOTICES": "sms", "XUEZHENG_SIGNIN_SMS": "/tmp/sms.tsv"}, ["sms"]),
        (URL | {"XUEZHENG_NOTICES": "chat", "XUEZHENG_CHAT": "https://h.example"}, ["chat"]),
        (
            URL
            | {
                "XUEZHENG_NOTICES": "mail",
                "XUEZHENG_MAIL": "smtps://m.example",
                "XUEZHENG_MAIL_FROM": "xz@m.example",
            },
            ["mail"],
        ),
    ],
)
def test_channels_of_the_configuration(given: dict, keys: list, tmp_path: Path) -> None:
    assert list(notice_channels(Environment(given), tmp_path)) == keys


@pytest.mark.parametrize(
    "given",
    [
        URL | {"XUEZHENG_NOTICES": "fax"},
        URL | {"XUEZHENG_NOTICES": "sms"},
        {"XUEZHENG_NOTICES": "chat", "XUEZHENG_CHAT": "https://h.example"},
        URL | {"XUEZHENG_NOTICES": "chat", "XUEZHENG_CHAT": "http://h.example"},
        URL | {"XUEZHENG_NOTICES": "mail", "XUEZHENG_MAIL": "smtps://m.example"},
        URL | {"XUEZHENG_CHAT_STYLE": "fax"},
    ],
)
def test_half_a_configuration_is_refused(given: dict, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        notice_channels(Environment(given), tmp_path)


def test_links_begin_with_the_public_address(settings) -> None:
    assert public_url(Environment(URL)) == "https://x.example"
    with pytest.raises(ConfigurationError):
        public_url(Environment({"XUEZHENG_PUBLIC_URL": "http://x.example"}))
    settings.PUBLIC_URL = "https://x.example"
    assert base.link("/inbox/") == "https://x.example/inbox/"
    settings.PUBLIC_URL = ""
    assert base.link("/inbox/") == ""

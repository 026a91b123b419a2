"""Work chat: a signed POST of JSON to a webhook, in the shapes that common programs take.

WeCom and DingTalk publish the shapes of their group robots; "plain" is for an adapter of the bureau
that hands the text to one person.  A robot of a group is read by the whole group: the texts name
nobody beside the mentioned account.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests

from xuezheng.kernel.notices.channels.base import SECONDS, ChannelFailed, Message


def _plain(address: str, message: Message) -> dict[str, Any]:
    return {"id": message.id, "to": address, "text": message.text, "url": message.url}


def _wecom(address: str, message: Message) -> dict[str, Any]:
    return {
        "msgtype": "text",
        "text": {"content": message.whole, "mentioned_list": [address]},
    }


def _dingtalk(address: str, message: Message) -> dict[str, Any]:
    return {
        "msgtype": "text",
        "text": {"content": message.whole},
        "at": {"atUserIds": [address], "isAtAll": False},
    }


STYLES: dict[str, Callable[[str, Message], dict[str, Any]]] = {
    "plain": _plain,
    "wecom": _wecom,
    "dingtalk": _dingtalk,
}


def signature(secret: str, signed: str) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)).decode()


@dataclass(frozen=True)
class Chat:
    """`style` is one of STYLES.  With a secret, plain signs "timestamp\\nbody" in headers
    X-Timestamp and X-Signature; the others sign "timestamp\\nsecret" in the address (DingTalk's way).
    """

    url: str
    secret: str
    style: str

    def send(self, address: str, message: Message) -> None:
        """Any answer but 2xx, or an errcode other than 0 in it, is a failure."""
        body = json.dumps(STYLES[self.style](address, message), ensure_ascii=False)
        stamp, url = str(int(time.time() * 1000)), self.url
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self.secret and self.style == "plain":
            signed = signature(self.secret, f"{stamp}\n{body}")
            headers |= {"X-Timestamp": stamp, "X-Signature": signed}
        elif self.secret:
            query = {"timestamp": stamp, "sign": signature(self.secret, f"{stamp}\n{self.secret}")}
            url += ("&" if "?" in url else "?") + urlencode(query)
        try:
            answer = requests.post(
                url, body.encode(), headers=headers, timeout=SECONDS, allow_redirects=False
            )
            answer.raise_for_status()
            said = answer.json() if answer.content else {}
        except (requests.RequestException, ValueError) as error:
            raise ChannelFailed("chat") from error
        if answer.status_code >= 300 or (isinstance(said, dict) and said.get("errcode", 0) != 0):
            raise ChannelFailed("chat")


def channel(options: Mapping[str, str]) -> Chat:
    """`address`: the webhook; `secret`; `style` (default plain)."""
    return Chat(options["address"], options.get("secret", ""), options.get("style") or "plain")

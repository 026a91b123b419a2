"""SMS through the gateway that also carries the codes of signing in."""

from collections.abc import Mapping
from dataclasses import dataclass

from xuezheng.kernel.access.signin.ways.base import WayRefused
from xuezheng.kernel.access.signin.ways.sms import GatewaySender
from xuezheng.kernel.notices.channels.base import ChannelFailed, Message


@dataclass(frozen=True)
class Sms:
    """JSON {"to", "text", "id"} with a bearer token (access/signin/ways/sms.py)."""

    sender: GatewaySender

    def send(self, address: str, message: Message) -> None:
        """Any answer but 2xx is a failure."""
        try:
            self.sender.send(address, message.whole, message.id)
        except WayRefused as error:
            raise ChannelFailed("sms") from error


def channel(options: Mapping[str, str]) -> Sms:
    """`address`: the gateway; `token`."""
    return Sms(GatewaySender(options["address"], options.get("token", "")))

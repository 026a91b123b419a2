"""What every channel has, and which are configured."""

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from django.conf import settings

#: Seconds that a server has for one text.
SECONDS = 10


class ChannelFailed(Exception):
    """A text could not be handed over; its message holds no address and no text."""


@dataclass(frozen=True)
class Message:
    """A text with a link.  `id` stays the same when it is tried again, so that a receiver can tell."""

    id: str
    text: str
    url: str

    @property
    def whole(self) -> str:
        """Text and link in one."""
        return f"{self.text} {self.url}".strip()


class Channel(Protocol):
    """Whatever carries a message to an address.  Called from several threads: keeps no state."""

    def send(self, address: str, message: Message) -> None:
        """Hand over.  Raises ChannelFailed."""
        ...


@dataclass(frozen=True)
class FileChannel:
    """Appends a line (id, address, text) to a file of its owner only."""

    path: Path

    def send(self, address: str, message: Message) -> None:
        """One write, so that lines of several threads do not mix."""
        line = f"{message.id}\t{address}\t{message.whole}\n".encode()
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise ChannelFailed("file") from error


def configured() -> dict[str, Channel]:
    """Key (sms, mail, chat) -> channel, of those in use."""
    found: dict[str, Channel] = {}
    for key, options in settings.NOTICE_CHANNELS.items():
        if "://" in options["address"]:
            found[key] = import_module(f"xuezheng.kernel.notices.channels.{key}").channel(options)
        else:
            found[key] = FileChannel(Path(options["address"]))
    return found


def link(path: str) -> str:
    """The whole address of a path of ours; "" when the program does not know where it is reached."""
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL and path else ""

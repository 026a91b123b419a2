"""Mail through the bureau's own server, by Django's SMTP backend."""

from collections.abc import Mapping
from dataclasses import dataclass
from smtplib import SMTPException
from urllib.parse import unquote, urlsplit

from django.core.mail import EmailMessage, get_connection

from xuezheng.kernel.notices.channels.base import SECONDS, ChannelFailed, Message

BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@dataclass(frozen=True)
class Mail:
    """smtps:// (TLS at once) or smtp:// (STARTTLS), with user, host and port in the address."""

    address: str
    password: str
    sender: str
    backend: str = BACKEND

    def send(self, address: str, message: Message) -> None:
        """One mail: the text is its subject too; the id is the Message-ID, the same at each try."""
        server = urlsplit(self.address)
        host = server.hostname or ""
        connection = get_connection(
            self.backend,
            host=host,
            port=server.port or (465 if server.scheme == "smtps" else 587),
            username=unquote(server.username or ""),
            password=self.password,
            use_ssl=server.scheme == "smtps",
            # A server beside the program may take mail without TLS and without a password.
            use_tls=server.scheme == "smtp" and bool(self.password),
            timeout=SECONDS,
        )
        mail = EmailMessage(
            message.text,
            message.whole,
            self.sender,
            [address],
            connection=connection,
            headers={"Message-ID": f"<{message.id}@{self.sender.rpartition('@')[2]}>"},
        )
        try:
            mail.send()
        except (SMTPException, OSError, ValueError) as error:
            raise ChannelFailed("mail") from error


def channel(options: Mapping[str, str]) -> Mail:
    """`address`: the server; `password`; `sender`: the From address."""
    return Mail(options["address"], options.get("password", ""), options["sender"])

"""The interface of a way to sign in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

#: Seconds that another system is waited for.
TIMEOUT = 5


class WayRefused(Exception):
    """The sign-in did not succeed.  `code` is for the trail and chooses the words on the page.

    "state"     the answer does not belong to this browser's request: begin again
    "denied"    the other system says no
    "ticket"    ticket, token or signature is wrong, expired, or used
    "code"      the code is wrong
    "expired"   the code is too old or was tried too often
    "many"      too many codes were asked for
    "upstream"  the other system cannot be reached, or answers nonsense
    """

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Begun:
    """`url`: where the browser goes next ("" for our own page that asks for the code).

    `remember`: what the session keeps until `finish`.
    """

    url: str = ""
    remember: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """Who the way says is there: by `link` "username", "identity" (an identity number) or "phone".

    `anyone`: whoever has no account gets one.
    """

    way: str
    link: str
    value: str
    anyone: bool = False


class Way(Protocol):
    """One way.  `own_pages`: it asks for number and code on our pages; else the browser goes elsewhere."""

    key: str
    label: str
    own_pages: bool

    def begin(self, given: Mapping[str, Any], callback: str) -> Begun:
        """Start.  `given`: the form's values; `callback`: our address that the other side returns to.

        Raises WayRefused.
        """
        ...

    def finish(
        self, given: Mapping[str, Any], remembered: Mapping[str, Any], callback: str
    ) -> Subject:
        """Who it is, from what came back.  Raises WayRefused."""
        ...

"""Tickets (CAS protocol 3.0): the browser brings a ticket, we ask the server whose it is.

Many district and school portals speak it.  The server's answer is XML, read by a parser that resolves
no entities.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from xuezheng.kernel.access.signin.ways.base import TIMEOUT, Begun, Subject, WayRefused

_CAS = "{http://www.yale.edu/tp/cas}"
MAX_ANSWER = 100_000


@dataclass(frozen=True)
class CasWay:
    """A ticket server.  The user it names, or the attribute `claim`, is taken as `link`."""

    url: str
    label: str
    link: str = "username"
    claim: str = ""
    key: str = "cas"
    own_pages: bool = False

    def begin(self, given: Mapping[str, str], callback: str) -> Begun:
        """To the server's page.  CAS knows no state: ours rides in the service address."""
        state = secrets.token_urlsafe(24)
        service = f"{callback}?{urlencode({'state': state})}"
        url = f"{self.url.rstrip('/')}/login?{urlencode({'service': service})}"
        return Begun(url, {"state": state, "service": service})

    def finish(
        self, given: Mapping[str, str], remembered: Mapping[str, Any], callback: str
    ) -> Subject:
        """Have the ticket validated for exactly the service that it was asked for."""
        state = str(remembered.get("state", ""))
        if not state or not hmac.compare_digest(state.encode(), given.get("state", "").encode()):
            raise WayRefused("state")
        if not given.get("ticket"):
            raise WayRefused("denied")
        query = {"ticket": given["ticket"], "service": remembered["service"]}
        try:
            answer = requests.get(
                f"{self.url.rstrip('/')}/p3/serviceValidate",
                params=query,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            answer.raise_for_status()
            root = fromstring(answer.content[:MAX_ANSWER])
        except (requests.RequestException, ParseError, DefusedXmlException) as error:
            raise WayRefused("upstream") from error
        success = root.find(f"{_CAS}authenticationSuccess")
        if root.tag != f"{_CAS}serviceResponse" or success is None:
            raise WayRefused("ticket")
        where = f"{_CAS}attributes/{_CAS}{self.claim}" if self.claim else f"{_CAS}user"
        value = (success.findtext(where) or "").strip()
        if not value:
            raise WayRefused("denied")
        return Subject(self.key, self.link, value)

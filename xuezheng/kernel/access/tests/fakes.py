"""A tiny identity provider (OpenID Connect), ticket server (CAS) and SMS gateway for tests.

One WSGI application on a local port.  `spoil` names what the provider gets wrong on purpose.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "xuezheng", "hush"


@dataclass
class Fake:
    """What the server knows; tests look into it and change it."""

    url: str = ""
    spoil: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"preferred_username": "sec1"})
    user: str = "sec1"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "a"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)
    texts: list[dict[str, str]] = field(default_factory=list)

    def visit(self, address: str) -> str:
        """What the browser does at our redirect: the person agrees, and comes back to the address."""
        parts = urlsplit(address)
        query = dict(parse_qsl(parts.query))
        if parts.path.endswith("/login"):
            ticket = f"ST-{len(self.tickets)}"
            self.tickets[ticket] = query["service"]
            return f"{query['service']}&{urlencode({'ticket': ticket})}"
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"c{len(self.codes)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def __call__(self, environ: dict, start: Any) -> list[bytes]:
        path, query = environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"])
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size).decode() if size else ""
        if self.spoil == "down":
            return _answer(start, {}, "500 Oh")
        if path == "/.well-known/openid-configuration":
            issuer = "https://elsewhere.example" if self.spoil == "issuer" else self.url
            return _answer(
                start,
                {
                    "issuer": issuer,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/keys",
                },
            )
        if path == "/keys":
            return _answer(start, {"keys": [self.key.as_dict(private=False)]})
        if path == "/token":
            return self._token(dict(parse_qsl(body)), environ, start)
        if path == "/p3/serviceValidate":
            return self._ticket(query, start)
        if path == "/sms":
            self.texts.append(json.loads(body))
            return _answer(start, {})
        return _answer(start, {}, "404 Nothing")

    def _token(self, given: dict[str, str], environ: dict, start: Any) -> list[bytes]:
        asked = self.codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != given["redirect_uri"]
            or environ.get("HTTP_AUTHORIZATION") != f"Basic {basic}"
        ):
            return _answer(start, {"error": "invalid_grant"}, "400 Bad")
        now = int(time.time())
        claims = {
            "iss": "https://elsewhere.example" if self.spoil == "iss" else self.url,
            "aud": "another" if self.spoil == "aud" else CLIENT,
            "sub": "1",
            "iat": now,
            "exp": now - 3600 if self.spoil == "expired" else now + 300,
            "nonce": "other" if self.spoil == "nonce" else asked["nonce"],
            **self.claims,
        }
        if self.spoil == "no nonce":
            del claims["nonce"]
        key: Any = self.key
        header = {"alg": "RS256", "kid": "a"}
        if self.spoil == "forged":
            key = RSAKey.generate_key(2048, {"kid": "a"})
        elif self.spoil == "shared secret":
            key, header = OctKey.import_key(SECRET * 8), {"alg": "HS256", "kid": "a"}
        token = jwt.encode(header, claims, key)
        if self.spoil == "unsigned":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
            token = f"{head}.{token.split('.')[1]}."
        return _answer(start, {"access_token": "t", "token_type": "Bearer", "id_token": token})

    def _ticket(self, query: dict[str, list[str]], start: Any) -> list[bytes]:
        service = self.tickets.pop(query["ticket"][0], None)
        inside = '<cas:authenticationFailure code="INVALID_TICKET"/>'
        if service == query["service"][0]:
            inside = (
                f"<cas:authenticationSuccess><cas:user>{self.user}</cas:user><cas:attributes>"
                f"<cas:number>{self.claims.get('number', '')}</cas:number></cas:attributes>"
                "</cas:authenticationSuccess>"
            )
        text = f'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">{inside}</cas:serviceResponse>'
        if self.spoil == "entities":
            text = '<!DOCTYPE x [<!ENTITY a "sec1">]>' + text.replace(self.user, "&a;")
        if self.spoil == "nonsense":
            text = "<html>"
        start("200 OK", [("Content-Type", "application/xml")])
        return [text.encode()]


def _answer(start: Any, document: dict, status: str = "200 OK") -> list[bytes]:
    start(status, [("Content-Type", "application/json")])
    return [json.dumps(document).encode()]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        return


@contextmanager
def running() -> Iterator[Fake]:
    """The fake on a port of its own."""
    fake = Fake()
    server: WSGIServer = make_server("127.0.0.1", 0, fake, handler_class=_Quiet)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

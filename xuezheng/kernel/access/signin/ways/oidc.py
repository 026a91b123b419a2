"""OpenID Connect: discovery, authorization code with PKCE, id_token checked against the issuer's keys.

OpenID Connect Core 1.0, 3.1; RFC 7636.  The access token is not used and nothing of it is kept.
"""

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from xuezheng.kernel.access.signin.ways.base import TIMEOUT, Begun, Subject, WayRefused

#: Signed by the issuer's private key only: with HS256 whoever knows the client's secret could sign.
ALGORITHMS = ["RS256", "PS256", "ES256"]
LEEWAY = 60
KEEP_SECONDS = 3600
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
#: Address -> (when read, document).  One process keeps its own; nothing secret is in them.
_documents: dict[str, tuple[float, dict[str, Any]]] = {}


def _document(url: str, *, fresh: bool = False) -> dict[str, Any]:
    kept = _documents.get(url)
    if kept and not fresh and time.monotonic() - kept[0] < KEEP_SECONDS:
        return kept[1]
    try:
        answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
        answer.raise_for_status()
        document = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise WayRefused("upstream") from error
    if not isinstance(document, dict):
        raise WayRefused("upstream")
    _documents[url] = (time.monotonic(), document)
    return document


@dataclass(frozen=True)
class OidcWay:
    """An identity provider.  `claim` of the id_token is taken as `link`: "username" or "identity"."""

    issuer: str
    client_id: str
    client_secret: str
    label: str
    link: str = "username"
    claim: str = "preferred_username"
    scope: str = "openid profile"
    key: str = "oidc"
    own_pages: bool = False

    def _provider(self) -> dict[str, Any]:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        document = _document(url)
        if document.get("issuer") != self.issuer or not all(document.get(e) for e in _ENDPOINTS):
            raise WayRefused("upstream")
        return document

    def _client(self, callback: str) -> OAuth2Session:
        return OAuth2Session(
            self.client_id,
            self.client_secret,
            scope=self.scope,
            redirect_uri=callback,
            code_challenge_method="S256",
            default_timeout=TIMEOUT,
        )

    def begin(self, given: Mapping[str, str], callback: str) -> Begun:
        """To the provider's page."""
        remember = {
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48),
        }
        url, _state = self._client(callback).create_authorization_url(
            self._provider()["authorization_endpoint"],
            state=remember["state"],
            nonce=remember["nonce"],
            code_verifier=remember["verifier"],
        )
        return Begun(url, remember)

    def finish(
        self, given: Mapping[str, str], remembered: Mapping[str, Any], callback: str
    ) -> Subject:
        """Exchange the code, check the id_token, read the claim."""
        state = str(remembered.get("state", ""))
        if not state or not hmac.compare_digest(state.encode(), given.get("state", "").encode()):
            raise WayRefused("state")
        if given.get("error") or not given.get("code"):
            raise WayRefused("denied")
        provider = self._provider()
        try:
            token = self._client(callback).fetch_token(
                provider["token_endpoint"],
                code=given["code"],
                code_verifier=remembered["verifier"],
                timeout=TIMEOUT,
            )
        except AuthlibBaseError as error:
            raise WayRefused("ticket") from error
        except (requests.RequestException, ValueError) as error:
            raise WayRefused("upstream") from error
        claims = self._claims(str(token.get("id_token", "")), provider, remembered["nonce"])
        value = claims.get(self.claim)
        if not isinstance(value, str) or not value:
            raise WayRefused("denied")
        return Subject(self.key, self.link, value)

    def _claims(self, id_token: str, provider: dict[str, Any], nonce: str) -> dict[str, Any]:
        try:
            decoded = self._decode(id_token, provider["jwks_uri"])
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self.client_id},
                },
                params={"nonce": nonce, "client_id": self.client_id},
            )
            claims.validate(leeway=LEEWAY)
        except (JoseError, AuthlibBaseError, ValueError, KeyError) as error:
            raise WayRefused("ticket") from error
        return dict(claims)

    def _decode(self, id_token: str, jwks_uri: str) -> jwt.Token:
        try:
            keys = KeySet.import_key_set(_document(jwks_uri))
            return jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The provider may have changed its keys since they were read; a forged token fails again.
            keys = KeySet.import_key_set(_document(jwks_uri, fresh=True))
            return jwt.decode(id_token, keys, algorithms=ALGORITHMS)

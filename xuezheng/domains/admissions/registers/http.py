"""A register behind an address: one JSON question by POST with a bearer token.

Sent: {"register", "child": {"id_kind", "id_number", "name"}, "guardian": {"id_number", "name"},
"grandparent": {...} or null}.  Answered: {"found": bool, "matches": bool, "facts": {...}}.  Exchanges of
departments differ; an adapter on the bureau's side of the exchange speaks this and nothing else.
"""

import json
from typing import Any

import requests

from xuezheng.domains.admissions.models import Check
from xuezheng.domains.admissions.registers.base import Answer, Question, RegisterDown

#: An honest answer has a few hundred bytes.
MAX_BYTES = 64 * 1024


class HttpConnector:
    """`seconds` is the time for one try, `tries` how often a failed one is repeated at most."""

    def __init__(self, register: str, url: str, token: str, *, seconds: float, tries: int):
        self.register = register
        self.url = url
        self.token = token
        self.seconds = seconds
        self.tries = tries

    def ask(self, question: Question) -> Answer:
        """Raises RegisterDown after the last try.  A refusal (4xx) is not tried again."""
        failure = "no try"
        for _try in range(self.tries):
            try:
                return self._once(question)
            except (requests.ConnectionError, requests.Timeout, _ServerFault) as error:
                failure = type(error).__name__
            except (requests.RequestException, ValueError) as error:
                failure = type(error).__name__
                break
        raise RegisterDown(f"{self.register}: {failure}")

    def _once(self, question: Question) -> Answer:
        with requests.post(
            self.url,
            json=_body(question, self.register),
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=self.seconds,
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code >= 500:
                raise _ServerFault
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            data = response.raw.read(MAX_BYTES + 1, decode_content=True)
        if len(data) > MAX_BYTES:
            raise ValueError("too long")
        return _read(json.loads(data))


class _ServerFault(Exception):
    """Status 5xx: worth another try."""


def _body(question: Question, register: str) -> dict[str, Any]:
    grandparent = None
    if question.grandparent_id:
        grandparent = {"id_number": question.grandparent_id, "name": question.grandparent_name}
    return {
        "register": register,
        "child": {
            "id_kind": question.id_kind,
            "id_number": question.child_id,
            "name": question.child_name,
        },
        "guardian": {"id_number": question.guardian_id, "name": question.guardian_name},
        "grandparent": grandparent,
    }


def _read(answer: Any) -> Answer:
    if not isinstance(answer, dict) or not isinstance(answer.get("found"), bool):
        raise ValueError("no answer")
    if not answer["found"]:
        return Answer(Check.State.NOT_FOUND)
    if answer.get("matches") is False:
        return Answer(Check.State.DIFFERENT)
    facts = answer.get("facts", {})
    if not isinstance(facts, dict):
        raise ValueError("facts")
    return Answer(Check.State.CONFIRMED, facts)

"""Registers as folders of JSON: for the demo, for tests, and for a district that gets extracts as files.

`<folder>/<register>/<number>.json`; the number is the child's for police and civil affairs, the
guardian's for property and human resources, the grandparent's where the question names one:

    {"name": "周小禾", "guardians": ["3309…"], "facts": {"register_date": "2020-06-01", ...}}

Another name than the one asked for makes the answer DIFFERENT; {"down": true} plays a register that
does not answer.  Whether the police name the guardian who asks beside the child is read off
`guardians` (their numbers), never off the facts: one file serves whoever asks.
"""

import json
import re
from pathlib import Path
from typing import Any

from xuezheng.domains.admissions.models import Check
from xuezheng.domains.admissions.registers.base import Answer, Question, RegisterDown
from xuezheng.registry.names import normal_name

#: What a number may consist of before it becomes part of a path.
_NUMBER = re.compile(r"[0-9A-Za-z]{1,30}")
BY_CHILD = frozenset({Check.Register.POLICE.value, Check.Register.CIVIL.value})


def whom(question: Question, register: str) -> tuple[str, str]:
    """(number, name) of the person whose entry a register looks up."""
    if register in BY_CHILD:
        return question.child_id, question.child_name
    if register == Check.Register.PROPERTY and question.grandparent_id:
        return question.grandparent_id, question.grandparent_name
    return question.guardian_id, question.guardian_name


class FileConnector:
    """One register's folder."""

    def __init__(self, register: str, folder: Path):
        self.register = register
        self.folder = folder / register

    def ask(self, question: Question) -> Answer:
        """The entry of the person asked about.  Raises RegisterDown for a file that says so or is broken."""
        number, name = whom(question, self.register)
        if not _NUMBER.fullmatch(number):
            return Answer(Check.State.NOT_FOUND)
        try:
            entry = json.loads((self.folder / f"{number}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Answer(Check.State.NOT_FOUND)
        except (OSError, ValueError) as error:
            raise RegisterDown(f"{self.register}: {type(error).__name__}") from error
        answer = _read(entry, name, self.register)
        if self.register != Check.Register.POLICE or answer.state != Check.State.CONFIRMED:
            return answer
        named = entry.get("guardians")
        is_named = isinstance(named, list) and question.guardian_id in named
        return Answer(answer.state, dict(answer.facts) | {"parents_named": is_named})


def _read(entry: Any, name: str, register: str) -> Answer:
    if not isinstance(entry, dict) or entry.get("down"):
        raise RegisterDown(register)
    facts = entry.get("facts", {})
    if not isinstance(facts, dict):
        raise RegisterDown(register)
    if normal_name(str(entry.get("name", name))) != normal_name(name):
        return Answer(Check.State.DIFFERENT)
    return Answer(Check.State.CONFIRMED, facts)

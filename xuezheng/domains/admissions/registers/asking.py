"""The one way to ask a register: never raises, never waits long, leaves a line in the trail.

Which connector a register has is configuration (settings.REGISTERS); one without is "not connected" and
gives NO_ANSWER, as does one that is down.  A register that was just found down is left alone for a
moment, so that thousands of families do not each wait for it.
"""

import datetime as dt
import logging
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from xuezheng.domains.admissions.answers import Answers, Faults
from xuezheng.domains.admissions.models import Check
from xuezheng.domains.admissions.registers.base import (
    CONFIRMS,
    Answer,
    Connector,
    Question,
    RegisterDown,
)
from xuezheng.domains.admissions.registers.files import FileConnector
from xuezheng.domains.admissions.registers.http import HttpConnector
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.audit.trail import record

log = logging.getLogger(__name__)
#: For how many seconds a register that was found down is not asked by this process.
REST_SECONDS = 30.0
#: Facts beside those of CONFIRMS: they are shown to the verifier and settle nothing.
REMARKS = {Check.Register.POLICE: ("parents_named",), Check.Register.CIVIL: ("custody",)}
_down_until: dict[str, float] = {}


def connector(register: str) -> Connector | None:
    """The configured connector of a register; None where it is not connected.

    `settings.REGISTERS`: register -> {"folder": path} or {"url", "token", "seconds", "tries"}.
    """
    entry = settings.REGISTERS.get(register)
    if not entry:
        return None
    if "folder" in entry:
        return FileConnector(register, Path(entry["folder"]))
    return HttpConnector(
        register, entry["url"], entry["token"], seconds=entry["seconds"], tries=entry["tries"]
    )


def connected() -> list[str]:
    """Registers that can be asked."""
    return [register for register in Check.Register.values if settings.REGISTERS.get(register)]


def ask(question: Question, register: str, *, by: Actor | None = None) -> dict[str, Any]:
    """{"state", "facts", "asked_at", "answered_at"}: a value of Check.State, facts with keys of `Answers`
    that could be understood, times in ISO; `answered_at` is "" for NO_ANSWER.

    `by` is who asks, for the trail, which says which register, what state and how long; not of whom.
    """
    asked_at, begun = timezone.now(), time.monotonic()
    answer = _answer(question, register)
    answered = answer.state != Check.State.NO_ANSWER
    record(
        "register.ask",
        by=by or JobActor("admissions.registers"),
        object_type="register",
        object_id=register,
        detail={"state": str(answer.state), "ms": round((time.monotonic() - begun) * 1000)},
    )
    return {
        "state": str(answer.state),
        "facts": dict(answer.facts),
        "asked_at": asked_at.isoformat(),
        "answered_at": timezone.now().isoformat() if answered else "",
    }


def _answer(question: Question, register: str) -> Answer:
    way = connector(register)
    if way is None or time.monotonic() < _down_until.get(register, 0.0):
        return Answer(Check.State.NO_ANSWER)
    try:
        answer = way.ask(question)
        return Answer(answer.state, _understood(answer, register))
    except RegisterDown as down:
        log.warning("register %s did not answer: %s", register, down)
        _down_until[register] = time.monotonic() + REST_SECONDS
    except Exception as error:
        # Whatever another department's system sends must not cost a family its registration.
        log.warning("register %s: %s", register, type(error).__name__)
    return Answer(Check.State.NO_ANSWER)


def _understood(answer: Answer, register: str) -> dict[str, Any]:
    """The facts that a register may state, each in a shape that can be stored.  Raises RegisterDown."""
    known = {key: answer.facts[key] for key in CONFIRMS.get(register, ()) if key in answer.facts}
    try:
        Answers.read(known)
    except Faults as faults:
        raise RegisterDown(f"facts {sorted(faults.faults)}") from faults
    remarks = REMARKS.get(register, ())
    return {
        key: value.isoformat() if isinstance(value, dt.date) else value
        for key, value in (
            known | {k: answer.facts[k] for k in remarks if k in answer.facts}
        ).items()
    }

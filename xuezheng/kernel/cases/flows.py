"""State machines as data.  Pure: no database, no request.

A system declares one `Flow` per kind of case in its flows.py.  House tests walk it: every state is
reachable, every open state has a way out and somebody whose duty it is.
"""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """Where any case stands, whatever its own states are called."""

    DRAFT = "draft"
    WAITING = (
        "waiting"  # the reporting side has done its part; the deciding side owes the next step
    )
    ACTING = "acting"  # the responsible side owes the next step
    CHECKING = "checking"
    CLOSED = "closed"


@dataclass(frozen=True)
class State:
    """A state: its label, its phase, and the clocks that run in it.

    A clock that already runs goes on; any other must be started by the step that leads here.
    """

    label: str
    phase: Phase
    clocks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """Until when a clock runs, and on what basis (words for the screen)."""

    due: dt.date
    basis: str


@dataclass(frozen=True)
class Step:
    """A way from some states to another.

    `duty`: somebody with the permission owes this step while the case is in one of `sources`, so it
    stands in their inbox.  `not_by`: earlier steps; whoever did the last of any of them may not do
    this one (four eyes).  `for_all`: taken for many cases by one act, so a duty in nobody's inbox.
    `answers`: whoever brought the case here is told that it was taken.
    """

    key: str
    label: str
    sources: tuple[str, ...]
    target: str
    permission: str
    duty: bool = False
    needs_note: bool = False
    not_by: tuple[str, ...] = ()
    for_all: bool = False
    answers: bool = False


#: Words that stand in addresses of a case beside its steps.
RESERVED = {"urge", "files"}


@dataclass(frozen=True)
class Flow:
    """A kind of case: its number prefix, states and steps; `opening` records how it begins."""

    kind: str
    label: str
    prefix: str
    initial: str
    opening: Step
    states: dict[str, State]
    steps: tuple[Step, ...]
    url_name: str
    _by_key: dict[str, Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {step.key: step for step in self.steps})
        keys = [self.opening.key, *(step.key for step in self.steps)]
        wrong = []
        if len(set(keys)) < len(keys) or RESERVED & set(keys):
            wrong.append("a step key is used twice or reserved")
        if self.opening.target != self.initial or self.initial not in self.states:
            wrong.append("the opening must lead to the initial state")
        for step in self.steps:
            if {*step.sources, step.target} - set(self.states):
                wrong.append(f"{step.key}: unknown state")
            if set(step.not_by) - set(keys):
                wrong.append(f"{step.key}: unknown step in not_by")
        for state in self.states:
            if sum(step.duty for step in self.leaving(state)) > 1:
                wrong.append(f"{state}: two steps are owed")
        if wrong:
            raise ValueError(f"{self.kind}: {'; '.join(wrong)}")

    def step(self, key: str) -> Step:
        """The step of that key.  Raises KeyError."""
        return self._by_key[key]

    def leaving(self, state: str) -> list[Step]:
        """Steps that may be taken from a state."""
        return [step for step in self.steps if state in step.sources]

    def duty(self, state: str) -> Step | None:
        """The step that somebody owes in a state, if any."""
        return next((step for step in self.leaving(state) if step.duty), None)

    def awaited(self, state: str) -> str:
        """The permission of whoever owes the next step of one case, by their inbox; or ""."""
        duty = self.duty(state)
        return "" if duty is None or duty.for_all else str(duty.permission)


FLOWS: dict[str, Flow] = {}


def owed_permissions() -> frozenset[str]:
    """The permissions of all steps that somebody owes: what a case can await."""
    steps = (step for flow in FLOWS.values() for step in flow.steps)
    return frozenset(str(step.permission) for step in steps if step.duty)


def register(flow: Flow) -> Flow:
    """Make a flow known to the inbox and the timeline.  Raises ValueError for a kind used twice."""
    if FLOWS.setdefault(flow.kind, flow) is not flow:
        raise ValueError(f"two flows of kind {flow.kind}")
    return flow

"""The interface of another department's register, and the four questions put to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from xuezheng.domains.admissions.models import Check


@dataclass(frozen=True)
class Question:
    """Whom it is about.  A grandparent is named only if they agreed to be looked up."""

    id_kind: str
    child_id: str
    child_name: str
    guardian_id: str
    guardian_name: str
    grandparent_id: str = ""
    grandparent_name: str = ""


@dataclass(frozen=True)
class Answer:
    """What a register says.

    `facts` use the keys of `answers.Answers`: police {"register": {address}, "register_date",
    "registered_since_birth", "parents_named": whether this guardian stands beside the child}; property {"home": {address}, "owner", "share",
    "title", "title_date", "residential", "parents_own_no_home"}; labour {"residence_permit",
    "permit_date", "points"}; civil {"custody": "both" | "one" | "unknown"}.  `state` is a value of
    `Check.State`; NO_ANSWER when the register could not be reached in time.
    """

    state: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Connector(Protocol):
    """One department's register."""

    register: str

    def ask(self, question: Question) -> Answer:
        """Raises RegisterDown when there is no answer within the connector's own timeout."""
        ...


class RegisterDown(Exception):
    """The register did not answer, or not in a way that can be understood."""


def is_sure(register: str, state: str, facts: Mapping[str, Any]) -> bool:
    """Whether a register's word spares the family a paper.

    Of the police this takes more than that the child is there: whoever asks must stand beside it.  Else
    anybody who knows a child's name and number could register it, and no one would look.
    """
    if state != Check.State.CONFIRMED:
        return False
    return register != Check.Register.POLICE or facts.get("parents_named") is True


#: What each register can confirm: keys of `answers.Answers`.
CONFIRMS: dict[str, tuple[str, ...]] = {
    Check.Register.POLICE: ("register", "register_date", "registered_since_birth"),
    Check.Register.PROPERTY: (
        "home", "owner", "share", "title", "title_date", "residential", "parents_own_no_home",
    ),
    Check.Register.LABOUR: ("residence_permit", "permit_date", "points"),
    Check.Register.CIVIL: (),
}  # fmt: skip

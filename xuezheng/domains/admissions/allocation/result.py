"""The result: who is where, each school's cut-off, and the hash that names the whole."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xuezheng.domains.admissions.allocation.problem import BadInput, Key, Problem


@dataclass(frozen=True)
class Result:
    """Assignments (None: no place), cut-offs and hash.

    A cut-off is the key of the last child admitted at a full school; None where there was room for
    everybody who came; the empty key, which admits nobody, at a school without places.  `passed_over`
    lists the schools that tied children gave up together (mechanisms.py).
    """

    assignments: Mapping[str, str | None]
    cutoffs: Mapping[str, Key | None]
    sha256: str
    passed_over: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The documented JSON; `passed_over` only where somebody did."""
        data: dict[str, Any] = {
            "assignments": dict(self.assignments),
            "cutoffs": {s: None if k is None else list(k) for s, k in self.cutoffs.items()},
            "sha256": self.sha256,
        }
        if self.passed_over:
            data["passed_over"] = {code: list(s) for code, s in self.passed_over.items()}
        return data

    @classmethod
    def from_json(cls, data: Any) -> "Result":
        """Read a result.  Raises BadInput for what has not its shape."""
        if not isinstance(data, dict):
            raise BadInput("the result is not a JSON object")
        assignments, cutoffs = data.get("assignments"), data.get("cutoffs")
        passed = data.get("passed_over", {})
        if not isinstance(assignments, dict) or not isinstance(cutoffs, dict):
            raise BadInput("the result has no assignments or no cutoffs")
        if not isinstance(passed, dict) or not isinstance(data.get("sha256"), str):
            raise BadInput("the result has no sha256, or passed_over is no object")
        for code, school in assignments.items():
            if school is not None and not isinstance(school, str):
                raise BadInput(f"child {code}: the assignment is no school code")
        for school, key in cutoffs.items():
            if key is not None and not isinstance(key, list):
                raise BadInput(f"school {school}: the cut-off is no list")
        for code, schools in passed.items():
            if not isinstance(schools, list):
                raise BadInput(f"child {code}: passed_over is no list")
        return cls(
            assignments,
            {s: None if k is None else tuple(k) for s, k in cutoffs.items()},
            data["sha256"],
            {code: tuple(schools) for code, schools in passed.items()},
        )


def digest(assignments: Mapping[str, str | None]) -> str:
    """SHA-256 over the sorted lines `child,school` joined by line feeds; no school, nothing after it."""
    lines = sorted(f"{child},{school or ''}" for child, school in assignments.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def make_result(
    problem: Problem,
    where: Mapping[str, str],
    admitted: Mapping[str, Sequence[tuple[Key, str]]],
    passed: Mapping[str, Sequence[str]],
) -> Result:
    """The result from who was admitted where."""
    cutoffs: dict[str, Key | None] = {}
    for school, places in sorted(problem.places.items()):
        entries = admitted[school]
        if places == 0:
            cutoffs[school] = ()
        else:
            cutoffs[school] = max(entries)[0] if len(entries) == places else None
    assignments = {code: where.get(code) for code in sorted(problem.children)}
    return Result(
        assignments, cutoffs, digest(assignments), {c: tuple(s) for c, s in sorted(passed.items())}
    )

"""Checking a result against its input without trusting whoever made it.

For deferred acceptance and serial the published cut-offs are the certificate: every child must be at
the first school of its list whose cut-off admits its key.  Immediate acceptance has no such
certificate, and tied children may have passed a school over: these are replayed.
"""

from xuezheng.domains.admissions.allocation.mechanisms import allocate
from xuezheng.domains.admissions.allocation.problem import Key, Mechanism, Problem
from xuezheng.domains.admissions.allocation.result import Result, digest


def problems_of(problem: Problem, result: Result) -> list[str]:
    """Everything that is wrong with a result; empty when it holds.  One pass over the children."""
    wrong = _shape(problem, result)
    if wrong:
        return wrong
    if digest(result.assignments) != result.sha256:
        wrong.append("sha256 does not agree with the assignments")
    filled = dict.fromkeys(problem.places, 0)
    for code, school in result.assignments.items():
        if school is not None:
            filled[school] += 1
            if school not in problem.children[code].preferences:
                wrong.append(f"child {code}: school {school} is not on its list")
    wrong += [
        f"school {school}: {count} children for {problem.places[school]} places"
        for school, count in filled.items()
        if count > problem.places[school]
    ]
    if problem.mechanism == Mechanism.IMMEDIATE:
        return wrong or _replayed(problem, result)
    for code in problem.children:
        expected = _first_admitting(problem, result, code)
        if result.assignments[code] != expected:
            wrong.append(
                f"child {code}: is at {result.assignments[code]}, the cut-offs say {expected}"
            )
    wrong += _cutoffs(problem, result, filled)
    if not wrong and (problem.groups or result.passed_over):
        wrong = _replayed(problem, result)
    return wrong


def _shape(problem: Problem, result: Result) -> list[str]:
    wrong = [f"child {c}: not in the result" for c in problem.children.keys() - result.assignments]
    wrong += [f"child {c}: not in the input" for c in result.assignments.keys() - problem.children]
    schools = {s for s in result.assignments.values() if s is not None}
    wrong += [f"school {s}: not in the input" for s in schools - problem.places.keys()]
    wrong += [
        f"school {s}: no cut-off, or not in the input"
        for s in result.cutoffs.keys() ^ problem.places.keys()
    ]
    return sorted(wrong)


def admits(cutoff: Key | None, key: Key) -> bool:
    """Whether a cut-off admits a key: it is not worse than the last one admitted."""
    return cutoff is None or key <= cutoff


def _first_admitting(problem: Problem, result: Result, code: str) -> str | None:
    passed = result.passed_over.get(code, ())
    for school in problem.children[code].preferences:
        if school not in passed and admits(result.cutoffs[school], problem.key(code, school)):
            return school
    return None


def _cutoffs(problem: Problem, result: Result, filled: dict[str, int]) -> list[str]:
    """Each cut-off must be the key of the last one admitted, and only full schools have one."""
    last: dict[str, Key] = {}
    for code, school in result.assignments.items():
        if school is not None and school in problem.children[code].keys:
            key = problem.key(code, school)
            last[school] = max(last.get(school, key), key)
    wrong = []
    for school, places in problem.places.items():
        full = filled[school] == places
        expected = (last.get(school, ()) if places else ()) if full else None
        if result.cutoffs[school] != expected:
            wrong.append(f"school {school}: the cut-off is not that of the last child admitted")
    return wrong


def _replayed(problem: Problem, result: Result) -> list[str]:
    again = allocate(problem)
    same = (
        again.assignments == result.assignments
        and again.cutoffs == result.cutoffs
        and dict(again.passed_over) == dict(result.passed_over)
    )
    return [] if same else ["the result is not the one that the input gives"]

"""Giving the places.  The result does not depend on the order of the input.

Tied children (twins) count with one key and one list.  Where the last place of a school falls between
them, they pass that school over together and everything is given anew: so they are never parted, no
school exceeds its places, and who passed over what stands in the result.  Each such pass shortens a
list, so it ends.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Mapping

from xuezheng.domains.admissions.allocation.problem import Key, Mechanism, Problem
from xuezheng.domains.admissions.allocation.result import Result, make_result

Lists = Mapping[str, tuple[str, ...]]
Entry = tuple[Key, str]


def allocate(problem: Problem) -> Result:
    """The result of a problem under its mechanism."""
    lists = {code: child.preferences for code, child in problem.children.items()}
    passed: dict[str, list[str]] = defaultdict(list)
    give = _immediate if problem.mechanism == Mechanism.IMMEDIATE else _deferred
    while True:
        admitted = give(problem, lists)
        where = {code: school for school, entries in admitted.items() for _key, code in entries}
        parted = _parted(problem, lists, where)
        if not parted:
            return make_result(problem, where, admitted, passed)
        for code, school in parted:
            passed[code].append(school)
            lists[code] = tuple(s for s in lists[code] if s != school)


def _parted(problem: Problem, lists: Lists, where: Mapping[str, str]) -> list[tuple[str, str]]:
    """(child, school) to pass over, for each group of which only a part got a school.

    The school is the one highest on the list at which some member, and not every one, has a place.
    """
    passes = []
    for group in problem.groups:
        places = {where.get(code) for code in group}
        if len(places) > 1:
            school = min(filter(None, places), key=lists[group[0]].index)
            passes += [(code, school) for code in group]
    return passes


def _deferred(problem: Problem, lists: Lists) -> dict[str, list[Entry]]:
    """School -> entries held at the end, best first.  Children propose one after another.

    The order in which they do makes no difference (Gale and Shapley 1962).  A school's entries are
    kept sorted: finding the place of one takes a few comparisons, and most proposals end at the first,
    against the last one held.
    """
    held: dict[str, list[Entry]] = {school: [] for school in problem.places}
    rest = {code: iter(schools) for code, schools in lists.items()}
    children, ties, places = problem.children, problem.ties, problem.places

    def propose(code: str) -> str | None:
        """Let a child go on down its list; returns the child that it displaced, if any."""
        for school in rest[code]:
            key = problem.key(code, school) if code in ties else children[code].keys[school]
            entries, entry = held[school], (key, code)
            if len(entries) < places[school]:
                insort(entries, entry)
                return None
            if entries and entry < entries[-1]:
                insort(entries, entry)
                return entries.pop()[1]
        return None

    for code in lists:
        displaced = propose(code)
        while displaced is not None:
            displaced = propose(displaced)
    return held


def _immediate(problem: Problem, lists: Lists) -> dict[str, list[Entry]]:
    """School -> entries admitted.  In round n each child without a place asks its n-th choice."""
    admitted: dict[str, list[Entry]] = {school: [] for school in problem.places}
    free = list(lists)
    for place in range(max((len(schools) for schools in lists.values()), default=0)):
        asking: dict[str, list[Entry]] = defaultdict(list)
        for code in free:
            if place < len(lists[code]):
                school = lists[code][place]
                asking[school].append((problem.key(code, school), code))
        taken = set()
        for school, entries in asking.items():
            room = problem.places[school] - len(admitted[school])
            best = sorted(entries)[:room]
            admitted[school] += best
            taken |= {code for _key, code in best}
        free = [code for code in free if code not in taken]
    return admitted

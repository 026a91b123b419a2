"""Giving places: a district's size against 20 ms and against the package `matching`, and the growth.

Random instances: lists of five (of eight where grown), two tiers by school, one draw number a child,
places for 95 % of the children.
"""

import hashlib
import random
import sys
import threading
import time

LIMIT_MS = 20
TIMES_FASTER = 100


def instance(children: int, schools: int, length: int, seed: int = 1):
    """(children, places) of a random instance."""
    from xuezheng.domains.admissions.allocation import Child

    chance = random.Random(seed)
    names = [f"s{n}" for n in range(schools)]
    numbers = list(range(children))
    chance.shuffle(numbers)
    made = []
    for n in range(children):
        wanted = tuple(chance.sample(names, length))
        keys = {school: (chance.randint(1, 3), 0, numbers[n]) for school in wanted}
        made.append(Child(f"c{n:07d}", wanted, keys))
    return made, dict.fromkeys(names, max(1, round(children * 0.95 / schools)))


def _solved(children, places, rounds: int):
    """(best ms to allocate, ms to verify, result)."""
    from xuezheng.domains.admissions.allocation import Problem, allocate, problems_of

    problem = Problem.build("deferred_acceptance", children, places)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        result = allocate(problem)
        times.append((time.perf_counter() - began) * 1000)
    began = time.perf_counter()
    wrong = problems_of(problem, result)
    verified = (time.perf_counter() - began) * 1000
    if wrong:
        raise RuntimeError(wrong[0])
    return min(times), verified, result


def _peer(children, places) -> tuple[float, dict[str, str]]:
    """(seconds, who is where) of the package `matching`, which needs its recursion limit raised."""
    from matching.games import HospitalResident

    wanted = {child.code: list(child.preferences) for child in children}
    applied: dict[str, list] = {school: [] for school in places}
    for child in children:
        for school in child.preferences:
            applied[school].append((child.keys[school], child.code))
    ranked = {school: [code for _key, code in sorted(keys)] for school, keys in applied.items()}
    answer: dict[str, str] = {}
    spent = 0.0

    def solve() -> None:
        nonlocal spent
        began = time.perf_counter()
        game = HospitalResident.create_from_dictionaries(wanted, ranked, places)
        for school, residents in game.solve(optimal="resident").items():
            answer.update({resident.name: school.name for resident in residents})
        spent = time.perf_counter() - began

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    threading.stack_size(1024 * 1024 * 1024)
    try:
        thread = threading.Thread(target=solve)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(0)
        sys.setrecursionlimit(limit)
    return spent, answer


def run(*, full: bool = False) -> bool:
    """Print times, the ratio and the growth; whether the limits hold and all agree."""
    import warnings

    ours, verified, _result = _solved(*instance(5000, 40, 5), rounds=9)
    print(
        f"allocation: 5,000 children, 40 schools, lists of 5: {ours:.1f} ms ({ours / LIMIT_MS:.2f} of"
        f" limit), verified in {verified:.1f} ms"
    )
    good = ours < LIMIT_MS
    children, places = instance(5000, 100, 5)
    ours, _verified, result = _solved(children, places, rounds=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, answer = _peer(children, places)
    same = answer == {c: s for c, s in result.assignments.items() if s}
    ratio = theirs * 1000 / ours
    print(
        f"  5,000 x 100 against `matching`: {ours:.1f} ms and {theirs:.2f} s = {ratio:,.0f} x faster,"
        f" {'same' if same else 'ANOTHER'} result"
    )
    good &= same and ratio >= TIMES_FASTER
    for size, schools in ((20_000, 200), (100_000, 2_000)) + (
        ((1_000_000, 2_000),) if full else ()
    ):
        ours, verified, result = _solved(*instance(size, schools, 8), rounds=1)
        print(
            f"  {size:,} x {schools:,} x 8: {ours / 1000:.2f} s, verified in {verified / 1000:.2f} s,"
            f" {hashlib.sha256(result.sha256.encode()).hexdigest()[:8]}"
        )
    return good

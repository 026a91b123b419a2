"""Allocation: small cases by hand, properties on random ones, every single swap found out."""

import itertools
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xuezheng.domains.admissions.allocation import (
    BadInput,
    Child,
    Mechanism,
    Problem,
    Result,
    allocate,
    digest,
    problems_of,
)

STABLE = (Mechanism.DEFERRED, Mechanism.SERIAL)


def child(code: str, *wanted: tuple[str, tuple], together: str | None = None) -> Child:
    return Child(code, tuple(s for s, _k in wanted), dict(wanted), together)


def solve(mechanism: str, children: list[Child], places: dict[str, int]) -> Result:
    problem = Problem.build(mechanism, children, places)
    result = allocate(problem)
    assert problems_of(problem, result) == []
    return result


def test_one_full_school_ordered_by_the_day_of_registration() -> None:
    """The first case to get right: the latest registered are redirected to the school with room."""
    days = [20190501, 20200831, 20180101, 20210101]
    children = [
        child(f"c{n}", ("s1", (1, day, n)), ("s2", (9, day, n))) for n, day in enumerate(days)
    ]
    result = solve("deferred_acceptance", children, {"s1": 2, "s2": 5})
    assert result.assignments == {"c0": "s1", "c1": "s2", "c2": "s1", "c3": "s2"}
    assert result.cutoffs == {"s1": (1, 20190501, 0), "s2": None}


def test_deferred_differs_from_immediate_where_choices_are_strategic() -> None:
    children = [
        child("a", ("x", (1, 0, 1)), ("y", (1, 0, 1))),
        child("b", ("x", (1, 0, 2)), ("y", (1, 0, 2))),
        child("c", ("y", (2, 0, 3)), ("x", (2, 0, 3))),
    ]
    places = {"x": 1, "y": 1}
    assert solve("deferred_acceptance", children, places).assignments == {
        "a": "x",
        "b": "y",
        "c": None,
    }
    assert solve("immediate_acceptance", children, places).assignments == {
        "a": "x",
        "b": None,
        "c": "y",
    }


def test_serial_is_deferred_where_all_schools_see_one_key() -> None:
    chance = random.Random(5)
    schools = [f"s{n}" for n in range(6)]
    children = []
    for n in range(80):
        wanted = chance.sample(schools, 4)
        children.append(
            child(f"c{n:02d}", *((s, (chance.randint(0, 2) * 0, 0, n)) for s in wanted))
        )
    places = dict.fromkeys(schools, 12)
    order = sorted(children, key=lambda c: c.keys[c.preferences[0]])
    room, expected = dict(places), {}
    for one in order:
        school = next((s for s in one.preferences if room[s]), None)
        expected[one.code] = school
        if school:
            room[school] -= 1
    assert solve("serial", children, places).assignments == expected


def test_school_without_places_admits_nobody() -> None:
    result = solve("deferred_acceptance", [child("a", ("x", (1, 0, 1)))], {"x": 0})
    assert result.assignments == {"a": None}
    assert result.cutoffs == {"x": ()}


def test_nobody_wants_anything() -> None:
    result = solve("deferred_acceptance", [child("a")], {"x": 1})
    assert result.assignments == {"a": None}
    assert solve("serial", [], {}).sha256 == digest({})


def twins(key: tuple, other: tuple) -> list[Child]:
    return [
        child("t1", ("x", key), ("y", key), together="t2"),
        child("t2", ("x", other), ("y", other)),
    ]


@pytest.mark.parametrize("word", ["t2", "family-7"])
def test_twins_at_the_last_place_pass_over_together(word: str) -> None:
    tied = [
        Child(c.code, c.preferences, c.keys, word if c.code == "t1" or word != "t2" else None)
        for c in twins((1, 0, 2), (1, 0, 3))
    ]
    children = [*tied, child("a", ("x", (1, 0, 1))), child("z", ("x", (1, 0, 9)))]
    result = solve("deferred_acceptance", children, {"x": 2, "y": 2})
    assert result.assignments == {"a": "x", "t1": "y", "t2": "y", "z": "x"}
    assert result.passed_over == {"t1": ("x",), "t2": ("x",)}


def test_twins_count_with_the_worse_key() -> None:
    children = [
        *twins((1, 0, 1), (1, 0, 5)),
        child("a", ("x", (1, 0, 4))),
        child("b", ("x", (1, 0, 6))),
    ]
    result = solve("deferred_acceptance", children, {"x": 3, "y": 0})
    assert result.assignments == {"a": "x", "b": None, "t1": "x", "t2": "x"}


@pytest.mark.parametrize("mechanism", list(Mechanism))
@pytest.mark.parametrize(
    ("places", "rival", "expected", "passed"),
    [
        # All three fit.
        ({"x": 4, "y": 3}, 9, "x", ()),
        # The rival is better than the worst of the three, and there is room for all.
        ({"x": 4, "y": 3}, 2, "x", ()),
        # Two places for three: they go on together, and the rival gets one.
        ({"x": 2, "y": 3}, 9, "y", ("x",)),
        # The last place falls between them: as well.
        ({"x": 3, "y": 3}, 2, "y", ("x",)),
        # Nowhere for three.
        ({"x": 2, "y": 2}, 9, None, ("x", "y")),
    ],
)
def test_triplets_are_never_parted(mechanism, places, rival, expected, passed) -> None:
    children = [
        child(f"t{n}", ("x", (1, 0, 2 * n)), ("y", (1, 0, 2 * n)), together="three")
        for n in (1, 2, 3)
    ]
    children.append(child("r", ("x", (1, 0, rival + 0.5))))
    problem = Problem.build(mechanism, children, places)
    result = allocate(problem)
    assert {result.assignments[f"t{n}"] for n in (1, 2, 3)} == {expected}
    assert result.passed_over.get("t2", ()) == passed
    assert result.assignments["r"] == "x"
    assert problems_of(problem, result) == []


@st.composite
def instances(draw) -> tuple[list[Child], dict[str, int]]:
    schools = [f"s{n}" for n in range(draw(st.integers(1, 5)))]
    count = draw(st.integers(0, 24))
    numbers = draw(st.permutations(range(count)))
    children = []
    for n in range(count):
        wanted = draw(st.permutations(schools))[: draw(st.integers(0, len(schools)))]
        keys = {s: (draw(st.integers(0, 3)), draw(st.integers(0, 2)), numbers[n]) for s in wanted}
        children.append(Child(f"c{n:02d}", tuple(wanted), keys))
    size = draw(st.sampled_from((0, 2, 3, 4)))
    if size and count >= size:
        first = children[0]
        for n in range(size):
            keys = {s: (k[0], k[1], numbers[n]) for s, k in first.keys.items()}
            children[n] = Child(children[n].code, first.preferences, keys, "tie")
    return children, {s: draw(st.integers(0, 6)) for s in schools}


@settings(max_examples=150, deadline=None)
@given(instances(), st.sampled_from(list(Mechanism)), st.randoms(use_true_random=False))
def test_any_instance(instance, mechanism: Mechanism, chance: random.Random) -> None:
    children, places = instance
    result = solve(mechanism, children, places)
    shuffled = list(children)
    chance.shuffle(shuffled)
    turned = dict(reversed(places.items()))
    again = solve(mechanism, shuffled, turned)
    assert (again.sha256, again.cutoffs) == (result.sha256, result.cutoffs)
    assert len({result.assignments[c.code] for c in children if c.together}) <= 1


@settings(max_examples=80, deadline=None)
@given(instances(), st.sampled_from(STABLE))
def test_no_child_envies(instance, mechanism: Mechanism) -> None:
    """Stability, said without cut-offs: no child and no better-liked school with a worse child or room."""
    children, places = instance
    children = [Child(c.code, c.preferences, c.keys) for c in children]
    problem = Problem.build(mechanism, children, places)
    result = allocate(problem)
    there = {s: [c for c in children if result.assignments[c.code] == s] for s in places}
    for one in children:
        for school in one.preferences:
            if school == result.assignments[one.code]:
                break
            assert len(there[school]) == places[school]
            assert all(other.keys[school] < one.keys[school] for other in there[school])


@settings(max_examples=40, deadline=None)
@given(instances(), st.sampled_from(list(Mechanism)))
def test_every_single_swap_is_found(instance, mechanism: Mechanism) -> None:
    children, places = instance
    problem = Problem.build(mechanism, children, places)
    result = allocate(problem)
    for one in children:
        for school in [*places, None]:
            if school == result.assignments[one.code]:
                continue
            moved = {**result.assignments, one.code: school}
            altered = Result(moved, result.cutoffs, digest(moved), result.passed_over)
            assert problems_of(problem, altered)
    for left, right in itertools.combinations(children, 2):
        a, b = result.assignments[left.code], result.assignments[right.code]
        if a != b:
            swapped = {**result.assignments, left.code: b, right.code: a}
            altered = Result(swapped, result.cutoffs, digest(swapped), result.passed_over)
            assert problems_of(problem, altered)
    if children:
        assert problems_of(problem, Result(result.assignments, result.cutoffs, "0" * 64))


GOOD = {
    "mechanism": "deferred_acceptance",
    "children": [
        {"code": "c1", "preferences": ["s1"], "keys": {"s1": [1, 0, 1]}, "together": None}
    ],
    "schools": [{"code": "s1", "places": 1}],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mechanism": "luck"}, "unknown mechanism: luck"),
        ({"schools": [{"code": "s1", "places": -1}]}, "school s1: places"),
        ({"schools": [{"code": "s1", "places": True}]}, "school s1: places"),
        ({"schools": [{"code": "s1", "places": 1}] * 2}, "school s1: given twice"),
        ({"schools": []}, "child c1: unknown school s1"),
        ({"children": GOOD["children"] * 2}, "child c1: given twice"),
        (
            {"children": [{"code": "c1", "preferences": ["s1"], "keys": {}}]},
            "c1: no key at school s1",
        ),
        (
            {"children": [{"code": "c1", "preferences": ["s1", "s1"], "keys": {"s1": [1]}}]},
            "c1: a school stands twice",
        ),
        (
            {"children": [{"code": "c1", "preferences": ["s1"], "keys": {"s1": [None]}}]},
            "child c1, school s1",
        ),
        (
            {"children": [{"code": "c1", "preferences": [], "keys": {}, "together": "c9"}]},
            "child c1: tied to nobody",
        ),
        (
            {
                "children": [
                    {"code": c, "preferences": ["s1"], "keys": {"s1": [1, 0, 7]}}
                    for c in ("c1", "c2")
                ]
            },
            "children c1 and c2 have the same key at school s1",
        ),
        (
            {
                "children": [
                    {"code": "c1", "preferences": ["s1"], "keys": {"s1": [1, 0, 7]}},
                    {"code": "c2", "preferences": ["s1"], "keys": {"s1": ["a", 0, 8]}},
                ]
            },
            "child c2, school s1: the key cannot be compared",
        ),
        ({"children": [{"preferences": []}]}, "a child without a usable code"),
        ({"children": {}}, "'children' must be a list"),
    ],
)
def test_bad_input_names_child_or_school(change: dict, words: str) -> None:
    with pytest.raises(BadInput, match=words.replace("(", r"\(")):
        Problem.from_json({**GOOD, **change})


def test_json_and_back() -> None:
    result = allocate(Problem.from_json(GOOD))
    data = json.loads(json.dumps(result.as_json()))
    assert data == {
        "assignments": {"c1": "s1"},
        "cutoffs": {"s1": [1, 0, 1]},
        "sha256": digest({"c1": "s1"}),
    }
    assert Result.from_json(data) == result


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=40, deadline=None)
@given(instances())
def test_equal_to_an_independent_library(instance) -> None:
    """The package `matching` (hospital-resident, resident-optimal), with ties broken."""
    from matching.games import HospitalResident

    children, places = instance
    children = [Child(c.code, c.preferences, c.keys) for c in children if c.preferences]
    listing = {s: [c for c in children if s in c.preferences] for s in places}
    offered = {s: p for s, p in places.items() if p and listing[s]}
    wanted = {c.code: [s for s in c.preferences if s in offered] for c in children}
    wanted = {code: schools for code, schools in wanted.items() if schools}
    if not wanted:
        return
    ranked = {
        s: [c.code for c in sorted(listing[s], key=lambda c: c.keys[s]) if c.code in wanted]
        for s in offered
    }
    game = HospitalResident.create_from_dictionaries(wanted, ranked, offered)
    expected = {
        resident.name: hospital.name
        for hospital, residents in game.solve(optimal="resident").items()
        for resident in residents
    }
    result = solve("deferred_acceptance", children, places)
    assert {c: s for c, s in result.assignments.items() if s} == expected

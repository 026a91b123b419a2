"""Balanced classes: whatever the children, classes differ by one at most, and the draw is repeatable."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xuezheng.domains.admissions.rules.classing import deal, rank, stratum

CHILDREN = st.lists(st.tuples(st.sampled_from("1129"), st.booleans()), min_size=1, max_size=180)
SEEDS = st.text("0123456789abcdef", min_size=8, max_size=8)


def spread(counts: Counter, classes: int) -> int:
    found = [counts.get(number, 0) for number in range(1, classes + 1)]
    return max(found) - min(found)


@given(CHILDREN, SEEDS, st.integers(1, 12), st.data())
def test_sizes_sexes_and_special_needs_differ_by_one(children, seed, classes, data) -> None:
    classes = min(classes, len(children))
    about = {f"C{n:03d}": child for n, child in enumerate(children)}
    strata = {code: stratum(*child) for code, child in about.items()}
    codes = sorted(about)
    shuffled = data.draw(st.permutations(codes))
    pairs = [(shuffled[n], shuffled[n + 1]) for n in range(0, min(6, len(codes) - 1), 2)]
    result = deal(seed, strata, classes, together=pairs[:2], apart=pairs[2:])
    assert set(result.classes) == set(about)
    groups = {
        "all": lambda sex, special: True,
        "boys": lambda sex, special: sex == "1",
        "girls": lambda sex, special: sex == "2",
        "special": lambda sex, special: special and sex in "12",
    }
    for name, belongs in groups.items():
        counts = Counter(n for code, n in result.classes.items() if belongs(*about[code]))
        assert spread(counts, classes) <= 1, name
    for first, second in pairs[:2]:
        same = result.classes[first] == result.classes[second]
        assert same or (first, second) in result.unmet
    for first, second in pairs[2:]:
        same = result.classes[first] == result.classes[second]
        assert not same or classes == 1 or (first, second) in result.unmet


@given(CHILDREN, SEEDS, st.integers(2, 6), st.integers(2, 4), st.booleans())
def test_triplets_sit_as_wished_or_are_said_to_be_unmet(
    children, seed, classes, size, same
) -> None:
    strata = {f"C{n:03d}": stratum(*child) for n, child in enumerate(children)}
    classes, group = min(classes, len(strata)), tuple(sorted(strata)[:size])
    result = deal(seed, strata, classes, **{"together" if same else "apart": [group]})
    plain = deal(seed, strata, classes)
    number = len({result.classes[code] for code in group})
    unmet = result.unmet == (group,)
    assert unmet or classes == 1 or number == (1 if same else len(group))
    counts = Counter((strata[code], at) for code, at in result.classes.items())
    assert counts == Counter((strata[code], at) for code, at in plain.classes.items())
    if unmet and same:
        assert result.classes == plain.classes, "nobody moves for a wish that cannot be met"


@pytest.mark.parametrize(
    ("wish", "group", "classes", "number", "met"),
    [
        ("together", ("B1", "B2", "B3"), 4, 1, True),
        ("together", ("B1", "G2", "B3"), 4, 1, True),
        ("together", ("B1", "B2", "B3", "G1"), 4, 1, True),
        ("apart", ("B1", "B2", "B3"), 4, 3, True),
        ("apart", ("B1", "B2", "B3"), 3, 3, True),
        ("apart", ("B1", "B2", "B3"), 2, 2, False),
    ],
)
def test_groups_of_three_and_four(wish, group, classes, number, met) -> None:
    strata = {f"B{n}": "A" for n in range(40)} | {f"G{n}": "D" for n in range(40)}
    result = deal("s", strata, classes, **{wish: [group]})
    assert len({result.classes[code] for code in group}) == number
    assert (result.unmet == ()) is met


@given(CHILDREN, SEEDS, st.randoms())
def test_the_order_of_the_list_makes_no_difference(children, seed, chance) -> None:
    strata = {f"C{n:03d}": stratum(*child) for n, child in enumerate(children)}
    mixed = list(strata.items())
    chance.shuffle(mixed)
    classes = min(4, len(strata))
    assert deal(seed, strata, classes) == deal(seed, dict(mixed), classes)


def test_twins_are_met_where_there_is_anybody_to_change_with() -> None:
    strata = {f"B{n}": "A" for n in range(40)} | {f"G{n}": "D" for n in range(40)}
    result = deal("s", strata, 4, together=[("B1", "G2")], apart=[("B3", "B4"), ("G5", "G6")])
    at = result.classes
    assert at["B1"] == at["G2"]
    assert at["B3"] != at["B4"]
    assert at["G5"] != at["G6"]
    assert result.unmet == ()


def test_a_wish_that_cannot_be_met_is_said() -> None:
    assert deal("s", {"B1": "A", "G1": "D"}, 2, together=[("B1", "G1")]).unmet == (("B1", "G1"),)


def test_another_seed_gives_other_classes_and_teachers() -> None:
    strata = {f"B{n}": "A" for n in range(60)}
    one = deal("one", strata, 3, teachers=["t1", "t2", "t3"])
    two = deal("two", strata, 3, teachers=["t1", "t2", "t3"])
    assert one.classes != two.classes
    assert sorted(one.teachers.values()) == [1, 2, 3]
    expected = sorted(strata, key=lambda code: rank("one", code))
    assert [one.classes[code] for code in expected[:4]] == [1, 2, 3, 1]


@pytest.mark.parametrize(
    ("classes", "more"),
    [
        (0, {}),
        (3, {}),
        (1, {"together": [("B1", "X")]}),
        (2, {"teachers": ["t1"]}),
        (2, {"teachers": ["t1", "t1"]}),
    ],
)
def test_what_cannot_be_dealt_is_refused(classes: int, more: dict) -> None:
    with pytest.raises(ValueError):
        deal("s", {"B1": "A", "B2": "A"}, classes, **more)

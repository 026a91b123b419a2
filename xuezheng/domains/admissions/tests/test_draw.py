"""A family proves its leaf; anything altered is found; the draw can be repeated with hashlib alone."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xuezheng.domains.admissions.rules.draw import (
    Tree,
    commitment,
    draw_numbers,
    follows,
    seed,
)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=40, unique=True), st.data())
def test_every_leaf_follows_and_no_other(leaves: list[str], data) -> None:
    tree = Tree.of(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = tree.path(index)
    assert follows(leaves[index], path, tree.root)
    assert not follows(leaves[index] + "x", path, tree.root)
    other = data.draw(st.integers(0, len(leaves) - 1))
    if other != index:
        assert not follows(leaves[other], path, tree.root)


def test_a_changed_roll_has_another_root() -> None:
    roll = [f"c{n}" for n in range(9)]
    assert Tree.of(roll).root != Tree.of(roll[:-1]).root
    assert Tree.of(roll).root != Tree.of(roll[::-1]).root
    with pytest.raises(ValueError, match="without children"):
        Tree.of([])


def test_numbers_are_the_rank_of_the_hash() -> None:
    text = seed("ab" * 32, "173754", ["公布值1"], "秘密")
    numbers = draw_numbers(text, ["c1", "c2", "c3", "c3"])
    assert sorted(numbers.values()) == [1, 2, 3]
    first = min(numbers, key=numbers.get)
    hashes = {c: hashlib.sha256(f"{text}|{c}".encode()).hexdigest() for c in numbers}
    assert first == min(hashes, key=hashes.get)


def test_each_part_of_the_seed_counts() -> None:
    parts = ("ab" * 32, "173754", ["x"], "secret")
    base = seed(*parts)
    assert seed("ac" * 32, *parts[1:]) != base
    assert seed(parts[0], "173755", *parts[2:]) != base
    assert seed(*parts[:2], ["y"], parts[3]) != base
    assert seed(*parts[:3], "other") != base
    with pytest.raises(ValueError, match="six digits"):
        seed(parts[0], "12345", *parts[2:])


def test_the_commitment_binds_the_secret() -> None:
    assert commitment("a") == hashlib.sha256(b"a").hexdigest()

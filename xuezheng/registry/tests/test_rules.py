"""How alike two rows are, and what an identity number says against what was typed."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import xuezheng.registry
from tests.people import number
from xuezheng.registry.rules import Traits, identity, score, signs

FOLDER = Path(xuezheng.registry.__file__).parent
WEIGHTS = yaml.safe_load((FOLDER / "parameters" / "duplicates.yaml").read_text(encoding="utf-8"))[
    0
]["value"]
BORN = dt.date(2018, 5, 5)
MING = Traits(
    name="王小明", born_on=BORN, sex="1", number="N1", tail="T1", guardians=frozenset({"王建国"})
)


@pytest.mark.parametrize(
    ("other", "found", "points"),
    [
        (MING, ("id", "name", "birth", "guardian", "sex"), 100),
        (Traits(name="别人", number="N1"), ("id",), 70),
        (replace(MING, number="N2"), ("name", "birth", "guardian", "sex", "tail", "differ"), 75),
        (
            replace(MING, number="N2", sound=False, tail="T2"),
            ("name", "birth", "guardian", "sex"),
            90,
        ),
        (replace(MING, number="N2", tail="T2"), ("name", "birth", "guardian", "sex", "differ"), 65),
        (
            replace(MING, number="N2", tail="T2", guardians=frozenset()),
            ("name", "birth", "sex", "differ"),
            45,
        ),
        (replace(MING, number="", tail="", guardians=frozenset()), ("name", "birth", "sex"), 70),
        (Traits(name="王小明"), ("name",), 35),
        (Traits(name=""), (), 0),
        (Traits(name="别人", number="N2"), ("differ",), 0),
        (Traits(name="王小明", phone="1"), ("name",), 35),
    ],
)
def test_signs_and_score(other: Traits, found: tuple[str, ...], points: int) -> None:
    assert signs(MING, other) == found
    assert score(found, WEIGHTS) == points


def test_guardians_are_alike_by_name_and_telephone() -> None:
    one = Traits(name="王建国", phone="10000001111")
    assert score(signs(one, one), WEIGHTS) == 60


TRAITS = st.builds(
    Traits,
    name=st.sampled_from(["", "王", "李"]),
    born_on=st.sampled_from([None, BORN, dt.date(2018, 5, 6)]),
    sex=st.sampled_from(["0", "1", "2", "9"]),
    number=st.sampled_from(["", "N1", "N2"]),
    tail=st.sampled_from(["", "T1", "T2"]),
    phone=st.sampled_from(["", "P"]),
    sound=st.booleans(),
    guardians=st.sampled_from([frozenset(), frozenset({"G"}), frozenset({"G", "H"})]),
)


@given(TRAITS, TRAITS, st.dictionaries(st.sampled_from(list(WEIGHTS)), st.integers(-99, 200)))
def test_alike_is_symmetric_and_within_bounds(one: Traits, other: Traits, weights: dict) -> None:
    assert signs(one, other) == signs(other, one)
    assert 0 <= score(signs(one, other), weights) <= 100


BOY, GIRL = number(BORN, 11), number(BORN, 12)
TODAY = dt.date(2026, 9, 1)


@pytest.mark.parametrize(
    ("kind", "value", "born", "sex", "problem", "known"),
    [
        ("1", BOY, None, "0", "", (BORN, "1")),
        ("1", GIRL, None, "", "", (BORN, "2")),
        ("1", BOY, BORN, "1", "", (BORN, "1")),
        ("1", BOY, dt.date(2018, 5, 6), "0", "birth", None),
        ("1", BOY, None, "2", "sex", None),
        ("1", BOY[:17] + ("0" if BOY[17] != "0" else "1"), None, "0", "check", None),
        ("1", "999900201802300011", None, "0", "date", None),
        ("1", "99990020180505001", None, "0", "shape", None),
        ("1", number(dt.date(2026, 9, 2), 11), None, "0", "future", None),
        ("1", number(dt.date(2026, 9, 1), 11), None, "0", "", (dt.date(2026, 9, 1), "1")),
        ("1", number(dt.date(1899, 12, 31), 11), None, "0", "future", None),
        ("A", "E1", BORN, "2", "", (BORN, "2")),
        ("Z", "", BORN, "1", "", (BORN, "1")),
        ("Z", "", dt.date(2030, 1, 1), "1", "future", None),
    ],
)
def test_identity(kind, value, born, sex, problem, known) -> None:
    found = identity(kind, value, born_on=born, sex=sex, day=TODAY)
    assert found.problem == problem
    if known:
        assert (found.born_on, found.sex) == known

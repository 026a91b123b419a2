"""The samples as careless typists would have written them.

Whatever happens to marks, blanks and lines, nothing breaks and every place holds its wording; half
and full width, line ends and blanks at line ends change no section and no target.
"""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xuezheng.domains.workplan.parsing import Plan, PlanError, parse_text
from xuezheng.domains.workplan.parsing.tests.test_any_text import places_hold
from xuezheng.domains.workplan.parsing.tree import flatten

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.txt"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in SAMPLES}

HALF = str.maketrans("：；（）！？", ":;()!?")
FULL = str.maketrans("0123456789%", "０１２３４５６７８９％")
MARKS = "，。；：、（）《》“”—-~·.% \t\u3000\n\r*#①1一第章万X"


def essence(plan: Plan) -> tuple:
    """What the way of writing must not change."""
    return (
        [heading.path.translate(HALF).translate(FULL) for heading in flatten(plan.sections)],
        [(t.value, t.unit, t.comparator, t.strict, t.hedged) for t in plan.targets],
        [(tuple(u.lead), tuple(u.support)) for u in plan.responsible_units],
    )


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.translate(HALF),
        lambda text: text.translate(FULL),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", " \t\n\u3000\u3000"),
        lambda text: text.replace("\n", "\n\n"),
    ],
    ids=["half width", "full width", "crlf", "blanks", "blank lines"],
)
def test_the_way_of_writing_does_not_matter(name, written):
    assert essence(parse_text(written(TEXTS[name]))) == essence(parse_text(TEXTS[name]))


def mutated(text: str, seed: int, times: int) -> str:
    """The text after some accidents, the same ones for the same seed."""
    dice = random.Random(seed)
    for _ in range(times):
        at = dice.randrange(len(text) + 1)
        far = min(len(text), at + dice.randrange(1, 12))
        lines = text.split("\n")
        line = dice.randrange(len(lines))
        text = dice.choice(
            [
                text[:at] + dice.choice(MARKS) + text[at:],
                text[:at] + text[far:],
                text[:at] + text[at:far] * 2 + text[far:],
                text[:at] + text[at:far].translate(HALF).translate(FULL) + text[far:],
                "\n".join([*lines[: line + 1], *lines[line:]]),
                "\n".join([*lines[:line], *lines[line + 1 :]]),
"\n".join([*lines[:line], "".join(lines[line : line + 2]), *lines[line + 2 :]]),
            ]
        )  # fmt: skip
    return text


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 2**32), st.integers(1, 40))
def test_accidents(name, seed, times):
    try:
        plan = parse_text(mutated(TEXTS[name], seed, times))
    except PlanError:
        return
    places_hold(plan)
    plan.as_json()


def test_a_number_before_a_note_on_units_is_no_commitment():
    """Found by the accidents above: nothing is left of ①（牵头科室：…率达到六成）."""
    plan = parse_text(
        "甲局2026年工作计划\n一、任务\n完成率100%。①（牵头科室：党建办，达到六成）二、"
    )
    places_hold(plan)
    assert all(promise.text for promise in plan.commitments)

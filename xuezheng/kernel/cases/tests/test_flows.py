"""A flow that makes no sense is refused when it is declared."""

from dataclasses import replace

import pytest

from xuezheng.domains.oversight.flows import HAZARD
from xuezheng.kernel.cases.flows import Flow, Phase, State, Step, register


def flow(**changes) -> Flow:
    parts = {
        "kind": "sample",
        "label": "样例",
        "prefix": "YL",
        "initial": "a",
        "opening": Step("open", "x", (), "a", "p"),
        "states": {"a": State("a", Phase.ACTING), "b": State("b", Phase.CLOSED)},
        "steps": (Step("go", "x", ("a",), "b", "p", duty=True),),
        "url_name": "x",
    }
    return Flow(**(parts | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial": "z"}, "opening"),
        ({"opening": Step("open", "x", (), "b", "p")}, "opening"),
        ({"steps": (Step("go", "x", ("a",), "z", "p"),)}, "unknown state"),
        ({"steps": (Step("go", "x", ("z",), "b", "p"),)}, "unknown state"),
        ({"steps": (Step("go", "x", ("a",), "b", "p"),) * 2}, "twice"),
        ({"steps": (Step("open", "x", ("a",), "b", "p"),)}, "twice"),
        ({"steps": (Step("urge", "x", ("a",), "b", "p"),)}, "reserved"),
        ({"steps": (Step("go", "x", ("a",), "b", "p", not_by=("gone",)),)}, "not_by"),
        (
            {
                "steps": (
                    Step("go", "x", ("a",), "b", "p", duty=True),
                    Step("do", "x", ("a",), "b", "p", duty=True),
                )
            },
            "two steps",
        ),
    ],
)
def test_nonsense_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        flow(**changes)


def test_a_kind_is_registered_once() -> None:
    assert register(HAZARD) is HAZARD
    with pytest.raises(ValueError, match="two flows"):
        register(replace(HAZARD, prefix="ZZ"))

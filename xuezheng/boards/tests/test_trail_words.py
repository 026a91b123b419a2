"""The trail is told in words: every act that the program records has some."""

import ast
from pathlib import Path

import pytest

from xuezheng.boards import trail_words
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.flows import FLOWS
from xuezheng.registry import looking

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("kernel", "registry", "boards", "domains", "api")
RECORDERS = {"record", "record_read"}


def recorded() -> set[str]:
    """Names of acts that stand as they are in calls of the trail."""
    names = set()
    for part in PARTS:
        for path in (ROOT / part).rglob("*.py"):
            if {"tests", "demo"} & set(path.parts):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RECORDERS:
                    names |= {
                        part.value
                        for part in node.args
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    }
    return names


def test_every_recorded_act_has_words() -> None:
    names = recorded()
    assert len(names) > 40
    assert names - set(trail_words.ACTIONS) - set(looking.ACTIONS) == set()


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("pupil.search", "搜索学生"),
        ("pupil.leave", "离校"),
        ("something.new", "something.new"),
    ],
)
def test_words(action: str, words: str) -> None:
    assert trail_words.in_words(Entry(action=action)) == words


def test_steps_of_cases_are_called_by_their_flow() -> None:
    for kind, flow in FLOWS.items():
        for step in flow.steps:
            told = trail_words.in_words(Entry(action=f"{kind}.{step.key}"))
            assert told == f"{flow.label} · {step.label}"

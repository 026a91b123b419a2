"""Invented plans of other bureaus, towns and schools, against what a reader wrote down beside them.

plans/NAME.json: title, issuer, year; sections (number, title, level); targets (value, unit,
comparator, strict, hedged); optionally units, documents, commitments (section, text) and warnings.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from xuezheng.domains.workplan.parsing import parse_text

PLANS = Path(__file__).parent / "plans"
NAMES = sorted(path.stem for path in PLANS.glob("*.txt"))


def parsed(name: str) -> dict[str, Any]:
    """The JSON of an invented plan."""
    return parse_text((PLANS / f"{name}.txt").read_text(encoding="utf-8")).as_json()


def expected(name: str) -> dict[str, Any]:
    """What a reader found in it."""
    return json.loads((PLANS / f"{name}.json").read_text(encoding="utf-8"))


def sections(tree: list[dict]) -> list[list]:
    """Number, title and level of all sections in reading order."""
    return [
        entry
        for node in tree
        for entry in ([node["number"], node["title"], node["level"]], *sections(node["children"]))
    ]


def targets(plan: dict[str, Any]) -> list[list]:
    """What counts of a target."""
    names = ("value", "unit", "comparator", "strict", "hedged")
    return [[target[name] for name in names] for target in plan["targets"]]


def measured() -> dict[str, tuple[float, float]]:
    """Precision and recall of sections and targets over all invented plans."""
    right, found, wanted = Counter(), Counter(), Counter()
    for name in NAMES:
        plan, gold = parsed(name), expected(name)
        for kind, mine, theirs in (
            ("sections", sections(plan["sections"]), gold["sections"]),
            ("targets", targets(plan), gold["targets"]),
        ):
            a, b = Counter(map(json.dumps, mine)), Counter(map(json.dumps, theirs))
            right[kind] += (a & b).total()
            found[kind] += a.total()
            wanted[kind] += b.total()
    return {kind: (right[kind] / found[kind], right[kind] / wanted[kind]) for kind in wanted}


def test_precision_and_recall():
    for kind, (precision, recall) in measured().items():
        print(f"{kind}: precision {precision:.3f}, recall {recall:.3f}")
        assert precision >= 0.97, kind
        assert recall >= 0.97, kind


@pytest.mark.parametrize("name", NAMES)
def test_head(name):
    plan, gold = parsed(name), expected(name)
    assert {k: plan[k] for k in ("title", "issuer", "year")} == {
        k: gold[k] for k in ("title", "issuer", "year")
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_the_reader_noted_besides(name):
    plan, gold = parsed(name), expected(name)
    units = [[u["section"], u["lead"], u["support"]] for u in plan["responsible_units"]]
    if "units" in gold:
        assert units == gold["units"]
    if "documents" in gold:
        assert plan["named_documents"] == gold["documents"]
    texts = [[c["section"], c["text"]] for c in plan["commitments"]]
    assert [c for c in gold.get("commitments", []) if c not in texts] == []
    codes = {warning["code"] for warning in plan["warnings"]}
    assert set(gold.get("warnings", [])) <= codes


@pytest.mark.parametrize("name", NAMES)
def test_places_are_those_of_the_text(name):
    text = (PLANS / f"{name}.txt").read_text(encoding="utf-8")
    plan = parse_text(text)
    assert plan.text == text
    for item in (*plan.targets, *plan.commitments):
        assert text[item.start : item.end] == item.text
    for number, title, start, end in _places(plan.as_json()["sections"]):
        assert text[start:end].lstrip("#* ").startswith(number or title)


def _places(tree: list[dict]) -> list[tuple[str, str, int, int]]:
    return [
        entry
        for node in tree
        for entry in (
            (node["number"], node["title"], node["start"], node["end"]),
            *_places(node["children"]),
        )
    ]

"""Invented plans in samples/*.txt against what a careful reader wrote down in samples/*.json.

The gold of a sample: title, issuer, year; sections (paths in order); targets (section, value, unit,
comparator, strict, hedged); units (section, lead, support); commitments (wording that must lie in
a commitment); background (wording that must lie in none); warnings (codes); in some also titles
(path -> title) and documents.  Where readers may differ whether a figure is a target, the gold says
what the importer does.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from xuezheng.domains.workplan.parsing import Plan, parse_text
from xuezheng.domains.workplan.parsing.tree import flatten

SAMPLES = Path(__file__).parent / "samples"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.txt"))
#: Floors for precision and recall over all samples.
FLOORS = {"sections": 0.99, "targets": 0.98, "units": 0.98}


def gold_of(name: str) -> dict[str, Any]:
    """What the careful reader wrote down."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def plan_of(name: str) -> Plan:
    """The parse of a sample."""
    return parse_text((SAMPLES / f"{name}.txt").read_text(encoding="utf-8"))


def paths_of(plan: Plan) -> list[str]:
    """The paths of all sections in reading order."""

    def walk(headings: list[Any]) -> list[str]:
        return [path for h in headings for path in (h.path, *walk(h.children))]

    return walk(plan.sections)


def _key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def items_of_gold(name: str) -> dict[str, list[Any]]:
    """What counts for precision and recall."""
    gold = gold_of(name)
    return {
        "sections": list(gold["sections"]),
        "targets": [(t[0], _key(t[1]), t[2], t[3]) for t in gold["targets"]],
        "units": [
            (section, tuple(lead), tuple(support)) for section, lead, support in gold["units"]
        ],
    }


def items_of_plan(plan: Plan) -> dict[str, list[Any]]:
    """The same of a parse."""
    return {
        "sections": paths_of(plan),
        "targets": [(t.section, _key(t.value), t.unit, t.comparator) for t in plan.targets],
        "units": [(u.section, tuple(u.lead), tuple(u.support)) for u in plan.responsible_units],
    }


def scores() -> dict[str, tuple[float, float]]:
    """(precision, recall) by kind over all samples."""
    found, wanted, right = Counter(), Counter(), Counter()
    for name in NAMES:
        gold, plan = items_of_gold(name), items_of_plan(plan_of(name))
        for kind in gold:
            found[kind] += len(plan[kind])
            wanted[kind] += len(gold[kind])
            right[kind] += (Counter(plan[kind]) & Counter(gold[kind])).total()
    return {kind: (right[kind] / found[kind], right[kind] / wanted[kind]) for kind in wanted}


def test_there_are_enough_samples() -> None:
    """At least a dozen plans, each with its gold."""
    assert len(NAMES) >= 12
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(NAMES)


@pytest.mark.parametrize("kind", FLOORS)
def test_precision_and_recall(kind: str) -> None:
    """Neither falls below its floor."""
    precision, recall = scores()[kind]
    assert precision >= FLOORS[kind]
    assert recall >= FLOORS[kind]


@pytest.mark.parametrize("name", NAMES)
def test_head(name: str) -> None:
    """Title, issuer and year."""
    gold, plan = gold_of(name), plan_of(name)
    assert (plan.title, plan.issuer, plan.year) == (gold["title"], gold["issuer"], gold["year"])


@pytest.mark.parametrize("name", NAMES)
def test_strict_and_hedged(name: str) -> None:
    """Targets that are found have the right strictness and hedge."""
    gold, plan = gold_of(name), plan_of(name)
    wanted = {(t[0], _key(t[1]), t[2]): (t[4], t[5]) for t in gold["targets"]}
    for target in plan.targets:
        key = (target.section, _key(target.value), target.unit)
        assert (target.strict, target.hedged) == wanted.get(key, (target.strict, target.hedged)), (
            key
        )


@pytest.mark.parametrize("name", NAMES)
def test_commitments_and_background(name: str) -> None:
    """Promises lie in a commitment, background lies in none."""
    gold, plan = gold_of(name), plan_of(name)
    texts = [promise.text for promise in plan.commitments]
    assert [w for w in gold["commitments"] if not any(w in text for text in texts)] == []
    assert [w for w in gold["background"] if any(w in text for text in texts)] == []


@pytest.mark.parametrize("name", NAMES)
def test_titles_and_documents(name: str) -> None:
    """Titles of run-in and stand-alone headings, and 《…》."""
    gold, plan = gold_of(name), plan_of(name)
    titles = {heading.path: heading.title for heading in flatten(plan.sections)}
    wanted = gold.get("titles", {})
    assert {path: titles.get(path) for path in wanted} == wanted
    assert plan.named_documents == gold.get("documents", plan.named_documents)


@pytest.mark.parametrize("name", NAMES)
def test_warnings(name: str) -> None:
    """The doubts shown to the officer are those that a careful reader has."""
    assert sorted(d.code for d in plan_of(name).warnings) == sorted(gold_of(name)["warnings"])


@pytest.mark.parametrize("name", NAMES)
def test_places(name: str) -> None:
    """Every wording stands at its place."""
    plan = plan_of(name)
    for item in (*plan.commitments, *plan.targets):
        assert plan.text[item.start : item.end] == item.text

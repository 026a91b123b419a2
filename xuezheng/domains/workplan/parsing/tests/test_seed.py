"""The real plan that stands beside the checkout."""

import time
from pathlib import Path

import pytest

from xuezheng.domains.workplan.parsing import parse_file

SEED = Path(__file__).resolve().parents[6] / "shared" / "seed" / "work-plan-2020.txt"


@pytest.fixture(scope="module")
def plan():
    return parse_file(SEED, SEED.name)


def test_head(plan):
    assert (plan.issuer, plan.year) == ("教育局", 2020)
    assert plan.title.endswith("工作要点")


def test_two_parts_with_seven_chapters_and_twenty_two_measures(plan):
    *parts, closing = plan.sections
    assert [part.number for part in parts] == ["一、", "二、"]
    assert [len(part.children) for part in parts] == [3, 4]
    measures = [m for part in parts for chapter in part.children for m in chapter.children]
    assert [m.level for m in measures] == [3] * 22
    assert measures[4].path == "一/（二）/2."
    assert (closing.number, closing.title, closing.level) == ("", "此外", 1)


def test_every_measure_has_a_commitment_and_the_closing_list_six(plan):
    paths = [promise.section for promise in plan.commitments]
    measures = {m.path for p in plan.sections for c in p.children for m in c.children}
    assert len(measures) == 22
    assert measures <= set(paths)
    assert paths.count("此外") == 6


def test_targets(plan):
    found = [
        (t.section, t.value, t.unit, t.comparator, t.strict, t.hedged, t.period)
        for t in plan.targets
    ]
    assert found == [
        ("一/（二）/2.", 1, "百分点", "-", False, True, "每年"),
        ("一/（二）/3.", 3, "条", "=", False, False, None),
        ("二/（三）/1.", 3, "所", "=", False, False, None),
        ("二/（三）/3.", 16, "%", "=", False, True, None),
        ("二/（三）/3.", 80, "%", ">=", True, True, None),
        ("二/（三）/3.", 30, "%", ">=", True, False, "全年"),
    ]


def test_masked_and_unclear_figures_are_doubts(plan):
    codes = [(doubt.section, doubt.code) for doubt in plan.warnings]
    assert codes == [
        ("二/（二）/1.", "unsure_target"),
        ("二/（四）/1.", "masked_number"),
        ("二/（四）/1.", "masked_number"),
    ]


def test_places_and_documents(plan):
    for item in (*plan.commitments, *plan.targets):
        assert plan.text[item.start : item.end] == item.text
    assert len(plan.named_documents) == 9


def test_every_place_lies_in_the_text(plan):
    headings = list(plan.sections)
    while headings:
        heading = headings.pop()
        assert 0 <= heading.start <= heading.title_start <= heading.title_end <= len(plan.text)
        assert heading.title_end <= heading.end <= len(plan.text)
        headings += heading.children
    for doubt in plan.warnings:
        assert doubt.start is None or 0 <= doubt.start <= doubt.end <= len(plan.text)


def test_six_targets_in_order(plan):
    assert [(t.value, t.unit) for t in plan.targets] == [
        (1, "百分点"),
        (3, "条"),
        (3, "所"),
        (16, "%"),
        (80, "%"),
        (30, "%"),
    ]


def test_quick(plan):
    begun = time.perf_counter()
    parse_file(SEED, SEED.name)
    assert time.perf_counter() - begun < 0.5

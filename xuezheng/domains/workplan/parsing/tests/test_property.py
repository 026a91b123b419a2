"""Any short text parses or is refused, and every place that comes out lies in the text.

Beside test_any_text.py: here single characters are mixed, and tables hold any cells.
"""

import io
from typing import Any

import openpyxl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xuezheng.domains.workplan.parsing import Plan, PlanError, parse_file, parse_text

CHARACTERS = st.sampled_from(
    "0123456789０９一二三四五六七八九十百千万亿零〇两点几成%％‰①②（）()【】〔〕《》“”[]、。；：，,.．！？-—~至到 \n\t#*"
    "第章节部分任务重点个所名条场项次年月日超达不低于新建完成力争每从高降约近余Xx×A教育局学校牵头单位责任配合此外主要目标"
)
TEXTS = st.lists(CHARACTERS, max_size=300).map("".join)
PREFIXED = TEXTS.map(lambda text: f"甲局2026年工作计划\n一、任务\n{text}"[:300])


def assert_places(plan: Plan) -> None:
    """0 ≤ start ≤ end ≤ length, and the wording stands at its place."""
    length = len(plan.text)

    def check(headings: list[Any]) -> None:
        for heading in headings:
            assert 0 <= heading.start <= heading.end <= length
            assert 0 <= heading.title_start <= heading.title_end <= length
            assert plan.text[heading.title_start : heading.title_end].strip() == heading.title
            check(heading.children)

    check(plan.sections)
    for item in (*plan.commitments, *plan.targets):
        assert 0 <= item.start <= item.end <= length
        assert plan.text[item.start : item.end] == item.text
    for doubt in plan.warnings:
        if doubt.start is not None and doubt.end is not None:
            assert 0 <= doubt.start <= doubt.end <= length


@settings(max_examples=300, deadline=None)
@given(st.one_of(TEXTS, PREFIXED))
@example("一、" * 100)
@example("从1%到2%" * 30)
@example("（责任单位：" * 40)
@example("1." + "十" * 290)
@example("百分之点五，新建点所，\r\n\ufeff二、\x0b")
def test_any_characters(text: str) -> None:
    """No text brings the parser down."""
    try:
        plan = parse_text(text)
    except PlanError as error:
        assert any("\u4e00" <= c <= "\u9fff" for c in str(error))
        return
    assert_places(plan)
    plan.as_json()


CELLS = st.one_of(
    st.none(),
    st.integers(-5, 3000),
    st.sampled_from(
        ["序号", "任务", "具体措施", "牵头科室", "配合科室", "完成时限", "新建2所", "1.", "6月底前"]
    ),
    st.lists(CHARACTERS, max_size=12).map("".join).filter(lambda s: not s.startswith("=")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=10), st.booleans())
def test_any_table(rows: list[list[Any]], headed: bool) -> None:
    """No workbook brings the parser down."""
    book = openpyxl.Workbook()
    if headed:
        book.active.append(["序号", "重点任务", "具体措施", "牵头科室", "完成时限"])
    for row in rows:
        book.active.append(row)
    packed = io.BytesIO()
    book.save(packed)
    try:
        plan = parse_file(packed.getvalue(), "任务分解表.xlsx")
    except PlanError:
        return
    assert_places(plan)

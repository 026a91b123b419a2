"""Whatever a text holds, it parses or is refused, in time that grows with its length."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from xuezheng.domains.workplan.parsing import PlanError, parse_text

PIECES = st.sampled_from(
    [
        *(
            "一、",
            "（一）",
            "1.",
            "1．",
            "（1）",
            "①",
            "第一章",
            "【重点任务1】",
            "任务一：",
            "## ",
            "\n",
            "\n\n",
        ),
        *"。；，：“”《》（）百千点十零万至—\u3000０",
        *(
            "此外，",
            "主要目标",
            "指导思想",
            "超80%",
            "达95%以上",
            "从3%降到2%",
            "每年下降一个百分点",
            "三条路线",
        ),
        *(
            "3至5所",
            "分别达到98%、95%和90%",
            "零事故",
            "XX所",
            "百分之八十",
            "2.5万人次",
            "新建",
            "力争",
            "去年",
        ),
        *(
            "2024年",
            "工作要点",
            "牵头单位：",
            "配合单位：教科室",
            "责任科室",
            "学校",
            "教育局",
            "附件：",
            "\r\n",
            "1,200",
        ),
    ]
)


def places_hold(plan) -> None:
    """Every place lies in the text and holds its wording; sections lie inside their parents."""
    length = len(plan.text)
    for item in (*plan.commitments, *plan.targets):
        assert 0 <= item.start < item.end <= length
        assert plan.text[item.start : item.end] == item.text
    for doubt in plan.warnings:
        assert doubt.start is None or 0 <= doubt.start <= doubt.end <= length

    def check(headings, start, end):
        for heading in headings:
            assert start <= heading.start <= heading.body <= heading.end <= end
            start = heading.end
            check(heading.children, heading.start, heading.end)

    check(plan.sections, 0, length)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=60).map("".join), st.text(max_size=400)))
def test_any_text(text):
    try:
        plan = parse_text(text)
    except PlanError as error:
        assert " / " in str(error)
        return
    places_hold(plan)


def test_time_grows_with_length():
    """Patterns that go back and forth would take minutes on lines such as these."""
    for line in ("一" * 20_000, "新建" * 10_000, "（" * 20_000, "责任单位：" * 4_000, "1.2." * 5_000,
                 "率达" * 10_000 + "98%", "新建3所、" * 4_000, "从85%" * 4_000, "《" * 20_000,
                 "每年" * 10_000, " " * 20_000 + "x", "人事科" * 7_000, "力争" * 10_000 + "3所"):  # fmt: skip
        # Time of the processor: other work on the machine must not fail the test.
        begun = time.process_time()
        assert parse_text("一、工作计划\n1.任务。" + line + "\n2.完成").sections
        assert time.process_time() - begun < 5, line[:10]

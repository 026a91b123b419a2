"""Numbers as plans write them, and the figures that are found in a text."""

import pytest

from xuezheng.domains.workplan.parsing.figures import figures_in
from xuezheng.domains.workplan.parsing.numerals import (
    chinese_number,
    percentage,
    plain_number,
    times,
)
from xuezheng.domains.workplan.parsing.wording import shadow


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("零", 0),
        ("〇", 0),
        ("一", 1),
        ("两", 2),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("三十五", 35),
        ("一百", 100),
        ("一百零五", 105),
        ("一百二十", 120),
        ("两百", 200),
        ("三千六百", 3600),
        ("一千零一", 1001),
        ("二〇二六", 2026),
        ("三点五", 3.5),
        ("零点八", 0.8),
        ("九十九点九九", 99.99),
    ],
)
def test_chinese(text: str, value: float) -> None:
    """Chinese numbers in both writings."""
    assert chinese_number(text) == value


@pytest.mark.parametrize("text", ["", "所", "1", "三五所", "X", "点五"])
def test_not_chinese(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError):
        chinese_number(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("95", 95),
        ("95.0", 95),
        ("0.5", 0.5),
        ("1,200", 1200),
        ("1,234,567", 1234567),
        (" 十五 ", 15),
    ],
)
def test_plain(text: str, value: float) -> None:
    """Digits with and without separators; whole values are integers."""
    assert plain_number(text) == value
    assert isinstance(plain_number(text), type(value))


@pytest.mark.parametrize(
    ("value", "power", "result"),
    [(1.2, "万", 12_000), (3, "", 3), (1.35, "亿", 135_000_000), (0.1, "百", 10), (2, "千", 2000)],
)
def test_times(value: float, power: str, result: int) -> None:
    """Powers without rounding dust."""
    assert times(value, power) == result
    assert isinstance(times(value, power), int)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80%", 80),
        ("99.5 %", 99.5),
        ("百分之八十五", 85),
        ("百分之85", 85),
        ("百分之百", 100),
        ("百分之零点五", 0.5),
        ("八成", 80),
        ("八成五", 85),
        ("一半", 50),
        ("过半", 50),
    ],
)
def test_percentage(text: str, value: float) -> None:
    """Shares in every writing."""
    assert percentage(text) == value


@pytest.mark.parametrize("text", ["八", "百分之", "%", "X%", "一所"])
def test_not_percentage(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError):
        percentage(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("超80%", [(80, "%")]),
        ("达95％以上", [(95, "%")]),
        ("８０%", [(80, "%")]),
        ("一个百分点", [(1, "百分点")]),
        ("0.5个百分点", [(0.5, "百分点")]),
        ("三条公交路线", [(3, "条")]),
        ("新建2所", [(2, "所")]),
        ("3至5所", [([3, 5], "所")]),
        ("3所至5所", [([3, 5], "所")]),
        ("80%—85%", [([80, 85], "%")]),
        ("80-85%", [([80, 85], "%")]),
        ("98%、95%和90%", [(98, "%"), (95, "%"), (90, "%")]),
        ("1.2万人次", [(12_000, "人次")]),
        ("3000万元", [(3000, "万元")]),
        ("1.6亿元", [(1.6, "亿元")]),
        ("1,200盏", [(1200, "盏")]),
        ("百分之八十五", [(85, "%")]),
        ("八成以上", [(80, "%")]),
        ("零事故", [(0, "")]),
        ("死亡人数为零", [(0, "")]),
        ("3‰", [(3, "‰")]),
        ("20余场", [(20, "场")]),
        ("系数提高到0.58。", [(0.58, "")]),
        ("九部门", []),
        ("第3所", []),
        ("5G网络", []),
        ("二年级", []),
        ("三四所", []),
        ("百所名校", []),
        ("2016年", []),
        ("3月5日", []),
        ("12345热线", []),
    ],
)
def test_figures(text: str, found: list) -> None:
    """Value and unit of every figure in a text; names and dates are no figures."""
    seen = shadow(text)
    assert [(q.value, q.unit) for q in figures_in(seen, 0, len(seen))] == found


def test_places_of_figures() -> None:
    """A figure's place spans number and unit."""
    text = "新建2所，培训1.2万人次。"
    assert [text[q.start : q.end] for q in figures_in(text, 0, len(text))] == ["2所", "1.2万人次"]

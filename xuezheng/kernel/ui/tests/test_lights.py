"""A light is never told by its colour alone."""

import re

import pytest
from django.utils import translation

from xuezheng.kernel.ui import drawing, lights

WORDS = {
    "red": ("滞后", "Behind"),
    "yellow": ("预警", "At risk"),
    "green": ("正常", "On track"),
    "blue": ("完成", "Done"),
    "grey": ("未启动", "Not started"),
}


@pytest.mark.parametrize("state", WORDS)
@pytest.mark.parametrize("draw", [lights.badge, lambda state: lights.counted(state, 3)])
def test_every_light_has_colour_shape_and_word(state: str, draw) -> None:
    html = draw(state)
    assert f"--{state}" in html, "colour"
    assert lights.LIGHTS[state].shape in html, "shape"
    assert WORDS[state][0] in html, "word"
    with translation.override("en"):
        assert WORDS[state][1] in draw(state)


def test_shapes_differ_without_colour() -> None:
    assert len({look.shape for look in lights.LIGHTS.values()}) == 5
    assert list(lights.LIGHTS) == list(WORDS), "worst first"


def test_an_unknown_light_is_an_error() -> None:
    with pytest.raises(KeyError):
        lights.badge("purple")


def test_light_bar_divides_the_whole_worst_first() -> None:
    html = drawing.light_bar({"green": 3, "red": 1, "grey": 0})
    parts = re.findall(r'light-part--(\w+)" x="([\d.]+)%" width="([\d.]+)%"', html)
    assert parts == [("red", "0.0", "25.0"), ("green", "25.0", "75.0")]
    assert 'aria-label="滞后 1 · 正常 3"' in html


def test_light_bar_of_nothing_says_so() -> None:
    html = drawing.light_bar({})
    assert "light-part" not in html
    assert "尚无任务" in html


def test_progress_bar_shows_and_says_value_and_plan() -> None:
    html = drawing.progress_bar(61.44, 65, "red")
    assert 'width="61.44%"' in html
    assert 'x="65.0%"' in html
    assert 'aria-label="完成 61.4%，序时 65%"' in html
    assert "bar-plan" not in drawing.progress_bar(50)


@pytest.mark.parametrize(("value", "width"), [(-5, "0.0%"), (140, "100.0%")])
def test_progress_bar_stays_in_its_frame(value: float, width: str) -> None:
    assert f'<rect class="bar-done" x="0" y="3" width="{width}"' in drawing.progress_bar(value)


def test_ring_tells_nothing_measured_from_zero() -> None:
    assert "尚无进度" in drawing.ring(None, 65)
    zero = drawing.ring(0, 65)
    assert "完成 0%，序时 65%" in zero
    assert "ring-done" not in zero
    quarter = re.search(r'stroke-dasharray="([\d.]+) ([\d.]+)"', drawing.ring(25))
    assert float(quarter[1]) / float(quarter[2]) == pytest.approx(0.25, abs=0.001)


def test_sparkline_leaves_gaps_out_and_marks_the_last_known_value() -> None:
    html = drawing.sparkline([1, None, 3, None])
    assert 'points="3.0,20.0 52.3,4.0"' in html
    assert 'cx="52.3" cy="4.0"' in html
    assert drawing.sparkline([5]) == ""

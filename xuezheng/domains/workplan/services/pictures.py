"""Charts as PNG pictures for Word files: bars of lights, shares by month, a series with its target.

A picture looks the same in every office program and on paper; the font comes with the program, as a
server has none for Chinese.  Every colour has its own pattern and every bar its number, so that a
black-and-white print says the same.  Drawing is loaded when the first picture is drawn.
"""

import datetime as dt
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

#: Dots an inch, and the width of the text of a page (156 mm) in dots.
DOTS, WIDTH = 220, 1351
INK, FAINT, PAPER = "#1f2933", "#9aa5b1", "#ffffff"
TEXT, ROW, GAP, EDGE = 30, 46, 22, 16
LABEL_SHARE = 0.3
PLOT = 420


@dataclass(frozen=True)
class Tone:
    """How a part of a bar is filled: its colour, the colour of its number, its pattern."""

    fill: str
    text: str
    pattern: str = ""


#: Dark to light in this order; patterns tell them apart without colour.
TONES = {
    "blue": Tone("#1d4f91", "#ffffff"),
    "green": Tone("#7fbf9b", INK, "/"),
    "yellow": Tone("#f6d365", INK, "."),
    "red": Tone("#b4232a", "#ffffff", "x"),
    "grey": Tone("#ffffff", INK),
}


@dataclass(frozen=True)
class Bar:
    """One bar: its label and the number of each part, in the order of the parts."""

    label: str
    counts: Sequence[int]


@dataclass(frozen=True)
class Share:
    """A share out of a total, as of one month."""

    label: str
    part: int
    whole: int

    @property
    def per_cent(self) -> float:
        """0 to 100; only for a whole above 0."""
        return 100.0 * self.part / self.whole


def stacked(parts: Sequence[tuple[str, str]], bars: Sequence[Bar]) -> bytes:
    """Horizontal bars of parts (tone, name), one below the other in the order given, with a legend."""
    from PIL import Image, ImageDraw

    height = EDGE * 2 + ROW + GAP + len(bars) * (ROW + GAP)
    image = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(image)
    at = EDGE
    for tone, name in parts:
        _fill(image, (at, EDGE + 4, at + 44, EDGE + 36), TONES[tone])
        draw.text((at + 54, EDGE + 20), name, fill=INK, font=_font(TEXT), anchor="lm")
        at += 54 + int(_font(TEXT).getlength(name)) + 36
    left, most = int(WIDTH * LABEL_SHARE), max((sum(bar.counts) for bar in bars), default=0)
    room = WIDTH - left - EDGE - 70
    for line, bar in enumerate(bars):
        top = EDGE + ROW + GAP + line * (ROW + GAP)
        words = _within(bar.label, left - EDGE - 20)
        draw.text((left - 20, top + ROW // 2), words, fill=INK, font=_font(TEXT), anchor="rm")
        at = float(left)
        for (tone, _name), count in zip(parts, bar.counts, strict=True):
            if not count:
                continue
            end = at + room * count / most
            _fill(image, (int(at), top, int(end), top + ROW), TONES[tone])
            _number(draw, (int(at), top, int(end), top + ROW), str(count), TONES[tone])
            at = end
        total = str(sum(bar.counts))
        draw.text((at + 12, top + ROW // 2), total, fill=INK, font=_font(TEXT), anchor="lm")
    return _png(image)


def shares(bars: Sequence[Share]) -> bytes:
    """Columns of 0 to 100 %, one a month, each with its share and its numbers below."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, PLOT + 190), PAPER)
    draw = ImageDraw.Draw(image)
    left, top, bottom = EDGE + 90, EDGE + 60, EDGE + 60 + PLOT
    _scale(draw, left, top, bottom, 0, 100, lambda value: f"{value:.0f}%")
    slot = (WIDTH - left - EDGE) / max(len(bars), 1)
    for place, bar in enumerate(bars):
        middle = left + slot * (place + 0.5)
        half = min(slot * 0.32, 60)
        if bar.whole:
            high = int(bottom - PLOT * bar.part / bar.whole)
            if bar.part:
                box = (int(middle - half), high, int(middle + half), bottom)
                _fill(image, box, TONES["blue"])
            words = f"{bar.per_cent:.0f}%"
            draw.text((middle, high - 8), words, fill=INK, font=_font(TEXT), anchor="ms")
        draw.text((middle, bottom + 14), bar.label, fill=INK, font=_font(TEXT), anchor="mt")
        counts = f"{bar.part}/{bar.whole}" if bar.whole else "–"
        draw.text((middle, bottom + 60), counts, fill=INK, font=_font(TEXT - 4), anchor="mt")
    return _png(image)


def series(
    points: Sequence[tuple[dt.date, float]],
    *,
    target: float | None,
    target_words: str,
    decimals: int,
) -> bytes:
    """A line through (day, value), oldest first, with, dashed, the target; the last value is written out.

    Raises ValueError for no points.
    """
    from PIL import Image, ImageDraw

    if not points:
        raise ValueError("a series needs a point")
    image = Image.new("RGB", (WIDTH, PLOT + 160), PAPER)
    draw = ImageDraw.Draw(image)
    left, right = EDGE + 150, WIDTH - EDGE - 150
    top, bottom = EDGE + 60, EDGE + 60 + PLOT
    values = [value for _day, value in points] + ([] if target is None else [target])
    low, high = min(values), max(values)
    room = (high - low) * 0.15 or max(abs(high) * 0.1, 1.0)
    low, high = (0.0 if low >= 0 > low - room else low - room), high + room
    _scale(draw, left - 50, top, bottom, low, high, lambda value: f"{value:.{decimals}f}")

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    first, days = points[0][0], max((points[-1][0] - points[0][0]).days, 1)
    places = [(left + (right - left) * (day - first).days / days, y(v)) for day, v in points]
    if target is not None:
        for x in range(left, right, 28):
            draw.line((x, y(target), min(x + 16, right), y(target)), fill=INK, width=3)
        spot = (left + 10, y(target) - 10)
        ground = draw.textbbox(spot, target_words, font=_font(TEXT), anchor="ls")
        draw.rectangle((ground[0] - 4, ground[1] - 2, ground[2] + 4, ground[3] + 2), fill=PAPER)
        draw.text(spot, target_words, fill=INK, font=_font(TEXT), anchor="ls")
    if len(places) > 1:
        draw.line(places, fill=TONES["blue"].fill, width=6, joint="curve")
    for x, at in places:
        draw.ellipse((x - 8, at - 8, x + 8, at + 8), fill=TONES["blue"].fill)
    last = f"{points[-1][1]:.{decimals}f}"
    x, at = places[-1]
    draw.text((x + 18, at), last, fill=INK, font=_font(TEXT + 4), anchor="lm")
    shown = max(1, -(-len(points) // 8))
    # From the last one backwards: the newest day is always named.
    for n in range(len(points) - 1, -1, -shown):
        words = f"{points[n][0]:%m-%d}"
        draw.text((places[n][0], bottom + 14), words, fill=INK, font=_font(TEXT), anchor="mt")
    return _png(image)


@cache
def _font(size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont

    path = files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"
    return ImageFont.truetype(io.BytesIO(path.read_bytes()), size)


def _within(words: str, room: float) -> str:
    """The words, cut with an ellipsis when they are wider than the room."""
    if _font(TEXT).getlength(words) <= room:
        return words
    while words and _font(TEXT).getlength(words + "…") > room:
        words = words[:-1]
    return words + "…"


def _fill(image: "Image.Image", box: tuple[int, int, int, int], tone: Tone) -> None:
    """A filled and framed box with its pattern, which ends at its edge."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = box
    wide, tall = max(right - left, 1), max(bottom - top, 1)
    tile = Image.new("RGB", (wide, tall), tone.fill)
    draw = ImageDraw.Draw(tile)
    for at in range(-tall, wide + tall, 16):
        if tone.pattern in {"/", "x"}:
            draw.line((at, tall, at + tall, 0), fill=INK, width=2)
        if tone.pattern == "x":
            draw.line((at, 0, at + tall, tall), fill=INK, width=2)
        if tone.pattern == ".":
            for down in range(6, tall, 14):
                draw.ellipse((at, down, at + 4, down + 4), fill=INK)
    draw.rectangle((0, 0, wide - 1, tall - 1), outline=INK, width=2)
    image.paste(tile, (left, top))


def _number(
    draw: "ImageDraw.ImageDraw", box: tuple[int, int, int, int], words: str, tone: Tone
) -> None:
    """The number in the middle of a box, on a plain ground; left out where it does not fit."""
    left, top, right, bottom = box
    half = _font(TEXT).getlength(words) / 2 + 8
    x, y = (left + right) / 2, (top + bottom) / 2
    if right - left < 2 * half:
        return
    if tone.pattern:
        draw.rectangle((x - half, top + 5, x + half, bottom - 5), fill=tone.fill)
    draw.text((x, y), words, fill=tone.text, font=_font(TEXT), anchor="mm")


def _scale(
    draw: "ImageDraw.ImageDraw",
    left: int,
    top: int,
    bottom: int,
    low: float,
    high: float,
    words: Callable[[float], str],
) -> None:
    for n in range(5):
        value = low + (high - low) * n / 4
        y = bottom - (bottom - top) * n / 4
        draw.line((left, y, WIDTH - EDGE, y), fill=INK if n == 0 else FAINT, width=2)
        draw.text((left - 14, y), words(value), fill=INK, font=_font(TEXT), anchor="rm")


def _png(image: "Image.Image") -> bytes:
    out = io.BytesIO()
    # Few colours: a palette makes it a fifth of the size.
    paletted: Any = image.quantize(colors=64)
    paletted.save(out, "PNG", optimize=True, dpi=(DOTS, DOTS))
    return out.getvalue()

"""Small charts as inline SVG: no script, no style attribute, prints as it stands.

Sizes are attributes, colours are classes of the style sheet.  Shares are per cent, 0 to 100.  Each
figure has a sentence for screen readers.
"""

import math
from collections.abc import Mapping, Sequence

from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from xuezheng.kernel.ui.lights import LIGHTS

_RING_RADIUS = 52


def number_text(value: float | int | None, decimals: int = 1) -> str:
    """A number as the reader writes it: rounded, without trailing zeros; an en dash for none."""
    if value is None:
        return "–"
    rounded = round(float(value), decimals)
    return str(localize(int(rounded) if rounded == int(rounded) else rounded, use_l10n=True))


def _clamp(share: float) -> float:
    return max(0.0, min(100.0, float(share)))


def progress_words(value: float, plan: float | None) -> str:
    """What a bar or ring says, for those who do not see it."""
    if plan is None:
        return _("完成 %(value)s%%") % {"value": number_text(value)}
    return _("完成 %(value)s%%，序时 %(plan)s%%") % {
        "value": number_text(value),
        "plan": number_text(plan),
    }


def progress_bar(value: float, plan: float | None = None, light: str = "") -> SafeString:
    """A bar with a tick where the plan stands.  `light` colours it; else the brand colour."""
    tick: SafeString | str = ""
    if plan is not None:
        # The tick stays inside the picture at both ends.
        tick = format_html(
            '<rect class="bar-plan" x="{}%" y="0" width="3" height="12" '
            'transform="translate({} 0)"/>',
            round(_clamp(plan), 2),
            round(-3 * _clamp(plan) / 100, 2),
        )
    return format_html(
        '<svg class="bar bar--{}" role="img" aria-label="{}" width="100%" height="12">'
        '<rect class="bar-rest" x="0" y="3" width="100%" height="6"/>'
        '<rect class="bar-done" x="0" y="3" width="{}%" height="6"/>{}</svg>',
        light or "brand",
        progress_words(value, plan),
        round(_clamp(value), 2),
        tick,
    )


def ring(value: float | None, plan: float | None = None) -> SafeString:
    """A ring with the figure inside and a tick where the plan stands."""
    length = 2 * math.pi * _RING_RADIUS
    share = _clamp(value or 0)
    arc: SafeString | str = ""
    if share:
        arc = format_html(
            '<circle class="ring-done" cx="64" cy="64" r="{}" stroke-dasharray="{} {}" '
            'transform="rotate(-90 64 64)"/>',
            _RING_RADIUS,
            round(length * share / 100, 2),
            round(length, 2),
        )
    tick: SafeString | str = ""
    caption: SafeString | str = ""
    if plan is not None:
        tick = format_html(
            '<line class="ring-plan" x1="64" y1="4" x2="64" y2="18" transform="rotate({} 64 64)"/>',
            round(3.6 * _clamp(plan), 2),
        )
        caption = format_html(
            '<text class="ring-caption" x="64" y="86" text-anchor="middle">{} {}%</text>',
            _("序时"),
            number_text(plan),
        )
    words = _("尚无进度") if value is None else progress_words(value, plan)
    return format_html(
        '<svg class="ring" role="img" aria-label="{}" viewBox="0 0 128 128">'
        '<circle class="ring-rest" cx="64" cy="64" r="{}"/>{}{}'
        '<text class="ring-value" x="64" y="69" text-anchor="middle">{}'
        '<tspan class="ring-unit">{}</tspan></text>{}</svg>',
        words,
        _RING_RADIUS,
        arc,
        tick,
        number_text(value),
        "" if value is None else "%",
        caption,
    )


def light_bar(counts: Mapping[str, int]) -> SafeString:
    """One bar divided among the lights, worst first.  `counts` maps a state to its number."""
    total = sum(counts.get(state, 0) for state in LIGHTS)
    parts, gaps, words, start = [], [], [], 0.0
    for state, look in LIGHTS.items():
        count = counts.get(state, 0)
        if not count:
            continue
        width = 100 * count / total
        if start:
            gaps.append((round(start, 3),))
        parts.append((state, round(start, 3), round(width, 3)))
        words.append(f"{look.word} {count}")
        start += width
    return format_html(
        '<svg class="light-bar" role="img" aria-label="{}" width="100%" height="14">{}{}</svg>',
        " · ".join(words) or _("尚无任务"),
        format_html_join(
            "", '<rect class="light-part light-part--{}" x="{}%" width="{}%" height="14"/>', parts
        ),
        format_html_join(
            "",
            '<rect class="light-gap" x="{}%" width="4" height="14" transform="translate(-2 0)"/>',
            gaps,
        ),
    )


def sparkline(values: Sequence[float | None], label: str = "") -> SafeString:
    """A line through the known values with a dot on the last; fewer than two draw nothing.

    Without a label it is decoration beside a figure and hidden from screen readers.
    """
    points = [(i, float(v)) for i, v in enumerate(values) if v is not None]
    if len(points) < 2:
        return SafeString("")
    low, high = min(v for _i, v in points), max(v for _i, v in points)
    span = (high - low) or 1.0
    steps = len(values) - 1
    drawn = [
        (round(3 + 74 * i / steps, 1), round(20 - 16 * (v - low) / span, 1)) for i, v in points
    ]
    attributes = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"')
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 80 24" {}><polyline points="{}"/>'
        '<circle cx="{}" cy="{}" r="2"/></svg>',
        attributes,
        " ".join(f"{x},{y}" for x, y in drawn),
        *drawn[-1],
    )

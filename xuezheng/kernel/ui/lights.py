"""The five lights: colour, shape and word, always all three.  Worst first."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True)
class LightLook:
    """How one light is shown: its word, and its shape as the inside of a 24 x 24 SVG."""

    word: Promise
    shape: SafeString


# Colours come from the style sheet by class; the shapes tell the lights apart without them.
LIGHTS: dict[str, LightLook] = {
    "red": LightLook(
        pgettext_lazy("light", "滞后"),
        mark_safe(
            '<path class="light-fill" d="M7.9 1.6h8.2l6.3 6.3v8.2l-6.3 6.3H7.9l-6.3-6.3V7.9z"/>'
            '<path class="light-ink" d="m8.2 8.2 7.6 7.6m0-7.6-7.6 7.6"/>'
        ),
    ),
    "yellow": LightLook(
        pgettext_lazy("light", "预警"),
        mark_safe(
            '<path class="light-fill" d="M10.4 2.6a1.9 1.9 0 0 1 3.2 0l9.2 16.2a1.9 1.9 0 0 1-1.6 2.9'
            'H2.8a1.9 1.9 0 0 1-1.6-2.9z"/>'
            '<path class="light-ink" d="M12 8.6v5.6m0 3.6v.2"/>'
        ),
    ),
    "green": LightLook(
        pgettext_lazy("light", "正常"),
        mark_safe(
            '<circle class="light-fill" cx="12" cy="12" r="10.6"/>'
            '<path class="light-ink" d="m7.4 12.4 3.1 3.1 6.2-6.6"/>'
        ),
    ),
    "blue": LightLook(
        pgettext_lazy("light", "完成"),
        mark_safe(
            '<rect class="light-fill" x="1.8" y="1.8" width="20.4" height="20.4" rx="3.4"/>'
            '<path class="light-ink" d="m7 12.4 3.3 3.3 6.6-7"/>'
        ),
    ),
    "grey": LightLook(
        pgettext_lazy("light", "未启动"),
        mark_safe(
            '<circle class="light-ring" cx="12" cy="12" r="9.6"/>'
            '<path class="light-ink" d="M7.6 12h8.8"/>'
        ),
    ),
}


def glyph(state: str) -> SafeString:
    """The shape of a light as SVG, hidden from screen readers because the word stands beside it.

    Raises KeyError for a state that is none of LIGHTS.
    """
    return format_html(
        '<svg class="glyph glyph--{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        "{}</svg>",
        state,
        LIGHTS[state].shape,
    )


def badge(state: str) -> SafeString:
    """Shape and word in a tinted pill."""
    return format_html(
        '<span class="light light--{}">{}<span class="light-word">{}</span></span>',
        state,
        glyph(state),
        LIGHTS[state].word,
    )


def counted(state: str, count: int) -> SafeString:
    """Shape, word and a count, without the pill."""
    return format_html(
        '<span class="light-count light-count--{}">{}<span class="light-word">{}</span> {}</span>',
        state,
        glyph(state),
        LIGHTS[state].word,
        count,
    )

"""The component tags.  A builtin of every page; form templates load it by name."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import forms, template
from django.forms import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.cases.service import HANDED_OVER
from xuezheng.kernel.ui import drawing, lights, words
from xuezheng.kernel.ui.words import WordsField

register = template.Library()

ICONS = Path(__file__).resolve().parents[1] / "static" / "vendor" / "icons"
_NAME = re.compile(r"[a-z0-9-]+")
_INSIDE = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@lru_cache(maxsize=512)
def _icon_shape(name: str) -> SafeString:
    path = ICONS / f"{name}.svg"
    if not _NAME.fullmatch(name) or not path.exists():
        raise template.TemplateSyntaxError(
            f"no icon {name!r}: add it to tools/assets.mjs, then `make setup`"
        )
    inside = _INSIDE.search(path.read_text(encoding="utf-8"))
    return mark_safe(re.sub(r">\s+<", "><", inside.group(1).strip()))


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """A Lucide icon, hidden from screen readers: words stand beside it or on its button.

    Raises TemplateSyntaxError for a name that is not among the copied icons.
    """
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>',
        f" {classes}" if classes else "",
        _icon_shape(name),
    )


# -- lights and small charts ------------------------------------------------------------------------
@register.simple_tag
def light(state: str) -> SafeString:
    """A light as a pill: colour, shape and word.  `state` is red, yellow, green, blue or grey."""
    return lights.badge(state)


@register.simple_tag
def light_mark(state: str) -> SafeString:
    """A light's shape alone, for where its word already stands beside it."""
    return lights.glyph(state)


@register.simple_tag
def light_count(state: str, count: int) -> SafeString:
    """Shape, word and number: `滞后 3`."""
    return lights.counted(state, count)


@register.simple_tag
def light_counts(counts: Mapping[str, int]) -> SafeString:
    """The lights that occur, worst first, each with its number."""
    marks = [lights.counted(state, counts[state]) for state in lights.LIGHTS if counts.get(state)]
    return format_html('<span class="light-counts">{}</span>', mark_safe("".join(marks)))


@register.simple_tag
def light_word(state: str) -> str:
    """The word of a light."""
    return str(lights.LIGHTS[state].word)


@register.simple_tag
def light_tiles(counts: Mapping[str, int], url: str) -> list[dict[str, Any]]:
    """For each light its number, its share of all in per cent, and `url` with the state appended."""
    total = sum(counts.get(state, 0) for state in lights.LIGHTS)
    return [
        {
            "light": state,
            "count": counts.get(state, 0),
            "share": 100 * counts.get(state, 0) / total if total else 0,
            "url": f"{url}{state}",
        }
        for state in lights.LIGHTS
    ]


@register.simple_tag
def chart_rows(chart: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(label, actual, plan) of a chart as words, for the table under it."""
    decimals = chart.get("decimals", 1)
    plan = chart.get("plan") or [None] * len(chart["labels"])
    return [
        (label, drawing.number_text(actual, decimals), drawing.number_text(planned, decimals))
        for label, actual, planned in zip(chart["labels"], chart["actual"], plan, strict=True)
    ]


register.simple_tag(drawing.progress_bar, name="progress_bar")
register.simple_tag(drawing.ring, name="ring")
register.simple_tag(drawing.light_bar, name="light_bar")
register.simple_tag(drawing.sparkline, name="sparkline")


# -- words for numbers and days ---------------------------------------------------------------------
@register.filter
def number(value: float | int | None, decimals: int = 1) -> str:
    """A number rounded to `decimals`, without trailing zeros; an en dash for none."""
    return drawing.number_text(value, decimals)


@register.filter
def percent(value: float | None, decimals: int = 1) -> str:
    """A share given in per cent (0 to 100) with its sign; an en dash for none."""
    return "–" if value is None else f"{drawing.number_text(value, decimals)}%"


@register.filter
def day(value: dt.date | dt.datetime | None, form: str = "") -> str:
    """A day: `2026年3月5日`, in English `5 Mar 2026`.  Empty for none.

    `form`: "short" leaves the year out, "iso" is 2026-03-05 for tables, "minute" adds the time.
    """
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = timezone.localtime(value)
    english = get_language() == "en"
    patterns = {
        "": "j M Y" if english else "Y年n月j日",
        "short": "j M" if english else "n月j日",
        "iso": "Y-m-d",
        "minute": "j M Y, H:i" if english else "Y年n月j日 H:i",
    }
    return date_format(value, patterns[form], use_l10n=False)


def _days_words(left: int) -> str:
    if left < 0:
        return ngettext("逾期 %d 天", "逾期 %d 天", -left) % -left
    if left == 0:
        return _("今天到期")
    return ngettext("剩 %d 天", "剩 %d 天", left) % left


@register.simple_tag
def days_left(due: dt.date | None, today: dt.date | None = None) -> SafeString:
    """`剩 5 天`, `今天到期` or `逾期 18 天`, coloured when close or over; empty without a due day."""
    if due is None:
        return SafeString("")
    left = (due - (today or timezone.localdate())).days
    state = "over" if left < 0 else "soon" if left <= 7 else "calm"
    return format_html('<span class="days days--{}">{}</span>', state, _days_words(left))


# -- lists ------------------------------------------------------------------------------------------
def _changed(query: QueryDict, changes: Mapping[str, Any]) -> str:
    """The query string with some keys changed; None or empty removes one, and the page number goes."""
    changed = query.copy()
    if "page" not in changes:
        changed.pop("page", None)
    for key, value in changes.items():
        if value in (None, ""):
            changed.pop(key, None)
        else:
            changed[key] = str(value)
    return "?" + changed.urlencode()


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The present query string with changes, for links: `{% query page=2 %}` gives `?q=x&page=2`.

    An empty value removes its key; every change but that of the page itself starts at page one.
    """
    return _changed(context["request"].GET, changes)


@register.inclusion_tag("ui/chips.html", takes_context=True)
def chips(context: template.Context, name: str, choices: Iterable[Sequence[Any]]) -> dict:
    """Links that set one filter: `choices` are (value, label[, count[, light]]), "" being all."""
    present = context["request"].GET
    links = []
    for value, label, *rest in choices:
        links.append(
            {
                "label": label,
                "count": rest[0] if rest else None,
                "light": rest[1] if len(rest) > 1 else "",
                "url": _changed(present, {name: value}),
                "current": present.get(name, "") == str(value),
            }
        )
    return {"links": links}


@register.inclusion_tag("ui/active_filters.html", takes_context=True)
def active_filters(context: template.Context, form: forms.Form, skip: str = "") -> dict:
    """What the list is narrowed by, each with a link that takes it away.

    `skip` names fields, separated by spaces, that are shown as chips already.
    """
    present = context["request"].GET
    shown = []
    for field in form:
        raw = present.get(field.html_name)
        if not raw or field.name in skip.split():
            continue
        shown.append(
            {
                "label": field.label,
                "value": _display(field, raw),
                "url": _changed(present, {field.html_name: ""}),
            }
        )
    return {"shown": shown}


def _display(field: BoundField, raw: str) -> str:
    """What the reader chose: the choice's label, or what they typed."""
    if isinstance(field.field, WordsField):
        return field.field.words(raw) or "–"
    for value, label in getattr(field.field, "choices", ()):
        if str(value) == raw:
            return str(label)
    return raw


@register.filter
def posted(form: forms.BaseForm) -> bool:
    """Whether a filter form is posted, so that words of people stay out of the address."""
    return words.posted(form)


@register.filter
def words_of(field: BoundField) -> str:
    """The words that a filter of people was searched by; empty where there are none."""
    return field.field.words(field.value()) or ""


@register.simple_tag
def page_numbers(page: Any) -> list[int | str]:
    """Page numbers around the present one, with an ellipsis for those left out."""
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))


# -- forms ------------------------------------------------------------------------------------------
@register.simple_tag
def field_anchor(field: BoundField) -> str:
    """The id of the control that a link in the error summary must reach."""
    # A group of choices has no label of its own; its first choice takes the focus.
    return field.id_for_label or f"{field.auto_id}_0"


@register.inclusion_tag("ui/forms/errors.html")
def error_summary(form: forms.BaseForm) -> dict:
    """The errors of a form on top of it, linked to their fields.  `{{ form }}` has it already."""
    hidden = [error for field in form.hidden_fields() for error in field.errors]
    return {
        "errors": [*form.non_field_errors(), *hidden],
        "fields": [field for field in form.visible_fields() if field.errors],
    }


# -- cases ------------------------------------------------------------------------------------------
def _step_label(case: Case, move: Move) -> str:
    if move.step == "urge":
        return _("催办")
    if move.step == HANDED_OVER:
        return _("转交")
    flow = case.flow
    steps = [flow.opening, *flow.steps]
    return next((str(step.label) for step in steps if step.key == move.step), move.step)


@register.inclusion_tag("ui/timeline.html")
def timeline(case: Case, moves: Iterable[Move], file_url: str = "") -> dict:
    """What happened to a case: step, who under which post, when, note, attachments.

    `moves` in the order to be shown, with user and post__organisation selected.  `file_url` is the
    URL name of an attachment, taking the case's number and the file's id; without it, and without
    attachments prefetched, none are shown.
    """
    states = case.flow.states
    entries = [
        {
            "label": _step_label(case, move),
            "state": states[move.target].label if move.target in states else "",
            "moved": move.source != move.target,
            "urged": move.step == "urge",
            "move": move,
        }
        for move in moves
    ]
    return {"case": case, "entries": entries, "file_url": file_url}

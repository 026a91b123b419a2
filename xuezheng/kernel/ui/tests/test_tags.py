"""Tags and filters that every page uses."""

import datetime as dt
from types import SimpleNamespace

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import timezone, translation

from xuezheng.kernel.ui.templatetags import ui

TODAY = dt.date(2026, 3, 5)


def render(source: str, address: str = "/", **context) -> str:
    request = RequestFactory().get(address)
    return Template("{% load ui %}" + source).render(Context({"request": request, **context}))


def test_icon_is_inline_and_silent() -> None:
    html = render('{% icon "bell" %}')
    assert html.startswith("<svg")
    assert 'aria-hidden="true"' in html
    assert "<path" in html
    assert "<!--" not in html


@pytest.mark.parametrize("name", ["no-such-icon", "../icons/bell", "", "Bell"])
def test_unknown_icon_is_an_error(name: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="no icon"):
        ui.icon(name)


def test_query_keeps_filters_and_begins_at_page_one() -> None:
    address = "/?state=open&q=%E6%B6%88%E9%98%B2&page=3"
    assert (
        render("{% query page=4 %}", address) == "?state=open&amp;q=%E6%B6%88%E9%98%B2&amp;page=4"
    )
    assert render('{% query state="closed" %}', address) == (
        "?state=closed&amp;q=%E6%B6%88%E9%98%B2"
    )
    assert render('{% query state="" q=None %}', address) == "?"


def test_chips_mark_the_present_one_and_keep_the_rest_of_the_query() -> None:
    choices = [("", "All", 5), ("red", "Behind", 2, "red")]
    html = render('{% chips "light" choices %}', "/?light=red&q=a", choices=choices)
    assert '<a class="chip" href="?q=a">All<span class="chip-count">5</span>' in html
    assert 'href="?light=red&amp;q=a" aria-current="true"><svg' in html
    assert html.count("aria-current") == 1


def test_active_filters_name_the_choice_and_take_it_away() -> None:
    class Filter(forms.Form):
        state = forms.ChoiceField(choices=[("open", "Open")])
        grade = forms.ChoiceField(label="Grade", choices=[("major", "Major")])
        q = forms.CharField(label="Words")

    address = "/?state=open&grade=major&q=%3Cb%3E&page=2"
    html = render('{% active_filters form "state" %}', address, form=Filter())
    assert "Grade：Major" in html
    assert 'href="?state=open&amp;q=%3Cb%3E"' in html
    assert "Words：&lt;b&gt;" in html
    assert "Open" not in html


@pytest.mark.parametrize(
    ("days", "words", "english", "state"),
    [
        (-18, "逾期 18 天", "18 days overdue", "over"),
        (-1, "逾期 1 天", "1 day overdue", "over"),
        (0, "今天到期", "Due today", "soon"),
        (7, "剩 7 天", "7 days left", "soon"),
        (8, "剩 8 天", "8 days left", "calm"),
    ],
)
def test_days_left(days: int, words: str, english: str, state: str) -> None:
    due = TODAY + dt.timedelta(days=days)
    assert ui.days_left(due, TODAY) == f'<span class="days days--{state}">{words}</span>'
    with translation.override("en"):
        assert english in ui.days_left(due, TODAY)


def test_no_due_day_no_words() -> None:
    assert ui.days_left(None, TODAY) == ""


def test_day_in_both_languages() -> None:
    late = dt.datetime(2026, 3, 4, 17, 5, tzinfo=dt.UTC)  # already the fifth in Shanghai
    assert ui.day(TODAY) == ui.day(late) == "2026年3月5日"
    assert ui.day(TODAY, "short") == "3月5日"
    assert ui.day(TODAY, "iso") == "2026-03-05"
    assert ui.day(late, "minute") == "2026年3月5日 01:05"
    assert ui.day(None) == ""
    with translation.override("en"):
        assert ui.day(TODAY) == "5 Mar 2026"
        assert ui.day(late, "minute") == "5 Mar 2026, 01:05"


def test_numbers_are_rounded_and_absence_is_shown() -> None:
    assert ui.number(97.14) == "97.1"
    assert ui.number(97.0) == "97"
    assert ui.percent(61.44) == "61.4%"
    assert ui.percent(61.44, 0) == "61%"
    assert ui.percent(None) == ui.number(None) == "–"


def test_pagination_links_keep_the_query() -> None:
    page = Paginator(range(95), 20).get_page(2)
    html = render('{% include "ui/pagination.html" %}', "/?q=a&page=2", page=page)
    assert 'rel="prev" href="?q=a&amp;page=1"' in html
    assert 'rel="next" href="?q=a&amp;page=3"' in html
    assert 'href="?q=a&amp;page=2" aria-current="page"' in html
    assert "第 21 至 40 项" in html


def test_timeline_says_step_state_person_post_and_note() -> None:
    step = SimpleNamespace(key="grade", label="Graded")
    flow = SimpleNamespace(
        opening=SimpleNamespace(key="report", label="Reported"),
        steps=[step],
        states={"open": SimpleNamespace(label="Open"), "acting": SimpleNamespace(label="Acting")},
    )
    case = SimpleNamespace(flow=flow, number="A1")
    common = {"at": timezone.now(), "user": "Li", "post": None}
    moves = [
        SimpleNamespace(step="urge", source="acting", target="acting", note="", **common),
        SimpleNamespace(step="grade", source="open", target="acting", note="a<b", **common),
        SimpleNamespace(step="report", source="", target="open", note="", **common),
    ]
    html = render("{% timeline case moves %}", case=case, moves=moves)
    urged, graded, reported = html.split("<li ")[1:]
    assert "催办" in urged
    assert "Acting" not in urged, "urging moves nothing"
    assert "Graded" in graded
    assert "Acting" in graded
    assert "a&lt;b" in graded
    assert "Reported" in reported
    assert html.count("Li</p>") == 3

"""Pages of the kernel: style guide, large text, errors that need nothing."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.template import Context, Template
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import translation

from xuezheng.kernel.ui import views
from xuezheng.kernel.ui.lights import LIGHTS
from xuezheng.kernel.ui.style_guide import samples

UI = Path(__file__).resolve().parents[1]
TEMPLATES = sorted(UI.parents[1].rglob("templates/**/*.html"))


@pytest.fixture
def style_guide(db) -> str:
    request = RequestFactory().get("/style-guide/")
    return get_template("ui/style_guide.html").render(samples(request.GET), request)


def test_style_guide_shows_every_board_part_and_include(style_guide: str) -> None:
    shown = {
        "ui/" + path.relative_to(UI / "templates/ui").as_posix()
        for folder in ("templates/ui", "templates/ui/board")
        for path in (UI / folder).glob("*.html")
    }
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in [UI / "templates/ui/style_guide.html", *(UI / "templates/ui").rglob("*.html")]
    )
    included = set(re.findall(r'include "(ui/[\w/]+\.html)"', source))
    assert {name for name in shown if name.startswith("ui/board/")} <= included
    for state in LIGHTS:
        assert f"glyph--{state}" in style_guide


def test_rendered_page_has_nothing_inline(style_guide: str) -> None:
    assert not re.search(r"<[^>]+\s(style|on\w+)=", style_guide)
    assert "<style" not in style_guide
    for tag in re.findall(r"<script[^>]*>", style_guide):
        assert "src=" in tag or 'type="application/json"' in tag


def test_rendered_page_is_in_order(style_guide: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', style_guide)
    assert len(ids) == len(set(ids)), "an id twice"
    assert style_guide.count("<main") == 1
    assert '<a class="skip" href="#main">' in style_guide
    for target in re.findall(r'(?:for|aria-labelledby|aria-controls)="([^"]+)"', style_guide):
        assert target in ids


def test_htmx_may_not_run_code_or_keep_pages(style_guide: str) -> None:
    config = re.search(r"name=\"htmx-config\" content='([^']+)'", style_guide)[1]
    for setting in (
        '"allowEval":false',
        '"allowScriptTags":false',
        '"includeIndicatorStyles":false',
        '"historyCacheSize":0',
        '{"code":"422","swap":true}',
    ):
        assert setting in config


def test_english_pages_have_no_chinese_of_ours(db) -> None:
    request = RequestFactory().get("/style-guide/")
    data = samples(request.GET)
    with translation.override("en"):
        html = get_template("ui/style_guide.html").render(data, request)
    ours = unescape(re.sub(r"<[^>]+>", "\n", html))
    sample = (UI / "style_guide.yaml").read_text(encoding="utf-8")
    left = {
        line.strip()
        for line in ours.splitlines()
        if re.search(r"[\u4e00-\u9fff]", line) and line.strip()[:3] not in sample
    }
    assert left <= {"中文"}


@pytest.mark.parametrize(
    ("posted", "target", "large"),
    [
        ({"large": "1", "next": "/hazards/?q=a"}, "/hazards/?q=a", "1"),
        ({"large": "0", "next": "/"}, "/", ""),
        ({"large": "1", "next": "https://elsewhere.example/"}, "/", "1"),
        ({"large": "1", "next": "//elsewhere.example"}, "/", "1"),
        ({"large": "1"}, "/", "1"),
    ],
)
def test_large_text_is_kept_and_leads_back(posted: dict, target: str, large: str) -> None:
    response = views.large_text(RequestFactory().post("/large-text/", posted))
    assert response.status_code == 302
    assert response["Location"] == target
    assert response.cookies["large_text"].value == large


def test_large_text_changes_nothing_on_get() -> None:
    assert views.large_text(RequestFactory().get("/large-text/")).status_code == 405


def test_large_text_is_rendered_by_the_server() -> None:
    request = RequestFactory().get("/")
    page = Template('{% extends "ui/plain.html" %}')
    assert 'class="elder"' not in page.render(Context({"request": request}))
    request.COOKIES["large_text"] = "1"
    assert 'class="elder"' in page.render(Context({"request": request}))


@pytest.mark.parametrize("code", [429, 500, 503])
def test_error_page_needs_no_request_and_no_database(code: int) -> None:
    html = get_template(f"ui/errors/{code}.html").render()
    assert str(code) in html
    assert html.count("<h1>") == 1


@pytest.mark.parametrize("code", [400, 403, 404])
def test_error_page_in_the_shell(db, code: int) -> None:
    request = RequestFactory().get("/")
    html = get_template(f"ui/errors/{code}.html").render({}, request)
    assert str(code) in html
    assert '<a class="skip"' in html


def blocks(name: str) -> set[str]:
    """Blocks that a template and those it extends leave open."""
    source = get_template(name).template.source
    found = set(re.findall(r"{% block (\w+)", source))
    parent = re.search(r'{% extends "([^"]+)"', source)
    return found | (blocks(parent[1]) if parent else set())


def opened_inside(source: str) -> set[str]:
    """Blocks that stand inside another block of the same template: those it opens for its children."""
    depth, inner = 0, set()
    for tag, name in re.findall(r"{% (block|endblock) ?(\w*)", source):
        if tag == "endblock":
            depth -= 1
            continue
        if depth:
            inner.add(name)
        depth += 1
    return inner


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_filled_block_exists_in_the_page_it_extends(path: Path) -> None:
    # A block of a wrong name is dropped by Django without a word.
    source = path.read_text(encoding="utf-8")
    parent = re.search(r'{% extends "([^"]+)"', source)
    if parent:
        filled = set(re.findall(r"{% block (\w+)", source)) - opened_inside(source)
        assert filled <= blocks(parent[1])

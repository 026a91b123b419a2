"""The style sheets keep what docs promise: contrast, browser floor, tokens, no unknown class."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3]
UI = PACKAGE / "kernel" / "ui"
SHEETS = sorted(path for path in PACKAGE.rglob("static/**/*.css") if "vendor" not in path.parts)
SCRIPTS = sorted((UI / "static" / "ui").glob("*.js"))
TEMPLATES = sorted(PACKAGE.rglob("templates/**/*.html"))
TOKENS = dict(
    re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", (UI / "static/ui/tokens.css").read_text())
)


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours by WCAG 2.2."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_computed_rightly() -> None:
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("bg", "surface", "head")],
    *[(f"{light}-ink", f"{light}-tint") for light in ("green", "yellow", "red", "blue", "grey")],
    *[(f"{light}-ink", "surface") for light in ("green", "yellow", "red", "blue", "grey")],
    *[("brand-600", ground) for ground in ("bg", "surface", "brand-50", "head")],
    *[("brand-700", ground) for ground in ("surface", "brand-50")],
    *[("on-brand", ground) for ground in ("brand-900", "brand-800", "brand-700", "brand-600")],
    *[
        ("on-brand", ground)
        for ground in ("brand-field", "brand-avatar", "alert", "red", "red-ink")
    ],
    *[("on-brand-2", ground) for ground in ("brand-900", "brand-800", "brand-field")],
    *[("ink", f"zone-{level}") for level in ("surplus", "balanced", "tight", "gap")],
    ("ink", "row-hover"),
    ("ink-3", "row-hover"),
    ("ink-3", "grey-tint"),
    ("ink-2", "brand-50"),
    ("brand-900", "brand-100"),
]
GRAPHICS = [
    ("ctl", "surface"),
    ("ctl", "bg"),
    ("grey", "surface"),
    ("green", "surface"),
    ("red", "surface"),
    ("blue", "surface"),
    ("brand-600", "rest"),
    ("ink", "rest"),
    ("yellow-glyph", "yellow"),
    ("surface", "green"),
    ("surface", "blue"),
    ("surface", "red"),
    ("on-brand-line", "brand-900"),
    ("halo", "brand-900"),
    ("brand-900", "surface"),
]


@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(ink: str, ground: str) -> None:
    assert contrast(TOKENS[ink], TOKENS[ground]) >= 4.5


@pytest.mark.parametrize(("ink", "ground"), GRAPHICS)
def test_controls_and_signs_can_be_seen(ink: str, ground: str) -> None:
    assert contrast(TOKENS[ink], TOKENS[ground]) >= 3


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_sheet_keeps_to_the_browser_floor(sheet: Path) -> None:
    # Chrome 87, Safari 14.1, Firefox 78.
    css = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    for new in (":has(", ":is(", ":where(", "color-mix(", "oklch(", "@layer", "@container", "dvh"):
        assert new not in css, new
    assert "aspect-ratio" not in css
    assert not re.search(r"@media[^{]*[<>]=", css), "range syntax"
    assert not re.search(r"^\s*&", css, re.MULTILINE), "nesting"
    if sheet.name != "tokens.css":
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![^{}]*\{)", css), "raw colour: use a token"


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_used_tokens_exist(sheet: Path) -> None:
    known = set(re.findall(r"--([\w-]+):", (UI / "static/ui/tokens.css").read_text()))
    assert set(re.findall(r"var\(--([\w-]+)", sheet.read_text())) <= known


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_width_rules_are_for_the_screen(sheet: Path) -> None:
    # Without `screen` the narrow page of A4 would get the phone's layout.
    for rule in re.findall(r"@media[^{]*", sheet.read_text()):
        assert "width" not in rule or "screen and" in rule


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_obey_the_content_policy(script: Path) -> None:
    text = script.read_text()
    assert not re.search(r"\beval\(|new Function|innerHTML|createObjectURL|data:image", text)


def classes_of(template: str) -> set[str]:
    """Class names written out in a template; those built from variables are left out."""
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", template, flags=re.DOTALL)
    found: set[str] = set()
    for value in re.findall(r'class="([^"]*)"', re.sub(r"{[{%][^}]*[}%]}", "\0", text)):
        found |= {name for name in value.split() if "\0" not in name}
    return found


def test_every_class_of_the_templates_is_in_a_style_sheet() -> None:
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", "".join(path.read_text() for path in SHEETS)))
    unknown = {
        f"{path.name}: {name}"
        for path in TEMPLATES
        for name in classes_of(path.read_text(encoding="utf-8")) - known
    }
    assert not unknown

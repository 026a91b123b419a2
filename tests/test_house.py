"""Rules of the house that a machine can check."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model
from django.template import engines
from django.urls import URLPattern, URLResolver, get_resolver
from django_filters import CharFilter, FilterSet

from xuezheng.kernel.access.ciphers import SealedField
from xuezheng.kernel.access.guards import Guard
from xuezheng.kernel.access.permissions import PERSON, all_permissions, grants, roles
from xuezheng.kernel.cases.flows import FLOWS, Flow, Phase
from xuezheng.kernel.indicators.definitions import INDICATORS, Indicator
from xuezheng.kernel.indicators.facts import fact_files
from xuezheng.kernel.reference.parameters import shipped
from xuezheng.kernel.ui.words import WordsFilter

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "xuezheng"
TEMPLATES = sorted(PACKAGE.rglob("templates/**/*.html"))


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry


VIEWS = list(patterns(get_resolver()))


@pytest.mark.parametrize("path", [path for path, _pattern in VIEWS])
def test_every_view_names_its_permission(path: str) -> None:
    guard = getattr(dict(VIEWS)[path].callback, "guard", None)
    assert isinstance(guard, Guard)
    unknown = guard.permissions - all_permissions()
    assert not unknown, "a permission that no role holds"


def test_anonymous_pages_are_these_and_no_others() -> None:
    public = {path for path, pattern in VIEWS if pattern.callback.guard.anonymous}
    assert public == {
        "language/",
        "sign-in/",
        "sign-in/<slug:way>/",
        "sign-in/<slug:way>/return/",
        "sign-out/",
        "health/live",
        "health/ready",
        "metrics",
        "large-text/",
        "outside/<str:token>/",
        "enrol/",
        "enrol/zones/",
        "enrol/locks/",
        "enrol/forecast/",
        "enrol/consultations/",
        "enrol/consultations/<str:number>/",
        "enrol/notice/",
        "enrol/notice/<str:code>/",
        "enrol/proof/<int:pk>/",
        # With a token of their own: xuezheng/api/tests.
        "api/v1/openapi.json",
        "api/v1/admissions/seasons",
        "api/v1/admissions/seasons/<season_id>/zones",
        "api/v1/admissions/seasons/<season_id>/applications",
        "api/v1/admissions/applications/<number>",
        "api/v1/admissions/applications/<number>/result",
        "enrol/classes/<int:pk>/",
        "enrol/classes/<int:pk>/proof.json",
        "enrol/proof/<int:pk>/<int:number>/<str:name>",
    }


def test_every_role_may_do_something_or_is_for_a_later_system() -> None:
    assert set(grants()) == set(roles()) | {PERSON}


def test_what_needs_no_post_is_granted_to_no_role() -> None:
    assert PERSON not in roles()
    assert [role for role in roles() if grants()[role] & grants()[PERSON]] == []


@pytest.mark.parametrize("flow", FLOWS.values(), ids=lambda flow: flow.kind)
def test_flows_have_no_dead_end(flow: Flow) -> None:
    reached, waiting = {flow.initial}, [flow.initial]
    while waiting:
        for step in flow.leaving(waiting.pop()):
            if step.target not in reached:
                reached.add(step.target)
                waiting.append(step.target)
    assert reached == set(flow.states), "unreachable states"
    for name, state in flow.states.items():
        if state.phase == Phase.CLOSED:
            assert not flow.leaving(name), f"{name} is closed and yet has a way out"
        else:
            assert flow.duty(name), f"nobody owes the next step of {name}"
            assert state.clocks or state.phase == Phase.DRAFT, f"no clock in {name}"
            assert sum(step.duty for step in flow.leaving(name)) == 1
    permissions = {step.permission for step in flow.steps} | {flow.opening.permission}
    assert permissions <= all_permissions()


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=lambda i: i.key)
def test_every_indicator_is_whole(indicator: Indicator) -> None:
    assert indicator.definition
    assert indicator.source
    assert indicator.reasons
    assert indicator.permission in all_permissions()
    for sql in (indicator.value_sql, indicator.proof_sql):
        assert "now()" not in sql.lower()
        assert "count(distinct" not in sql.lower()
        assert set(re.findall(r"(?:from|join)\s+(\w+)\.", sql, re.I)) == {"facts"}
    reasons = set(re.findall(r"(?:THEN|ELSE) '(\w+)'", indicator.proof_sql))
    assert reasons == set(indicator.reasons), "reasons without words, or words without reason"
    assert any(indicator.key in path.read_text() for path in PACKAGE.rglob("test_*.py")), "no test"


@pytest.mark.parametrize("name", fact_files())
def test_facts_say_their_grain(name: str) -> None:
    assert "(grain: row_id)" in fact_files()[name].read_text()


def test_facts_have_unique_rows(db) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for name in fact_files():
            cursor.execute(f'SELECT count(*) - count(DISTINCT row_id) FROM facts."{name}"')
            assert cursor.fetchone()[0] == 0


def test_every_model_of_a_system_says_what_is_sensitive() -> None:
    for config in apps.get_app_configs():
        if not config.name.startswith("xuezheng.domains."):
            continue
        for model in config.get_models():
            assert "SENSITIVE_FIELDS" in vars(model), model
            names = {field.name for field in model._meta.get_fields()}
            assert set(model.SENSITIVE_FIELDS) <= names


def test_every_parameter_has_source_and_certainty() -> None:
    rows = shipped()
    assert len({row.key for row in rows}) == len(rows)
    for row in rows:
        assert row.source
        assert row.label_en
        assert row.certainty in {"confirmed", "unconfirmed", "local"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_templates_have_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\s(style|on[a-z]+|hx-on[^=]*)\s*=", text)
    assert not re.search(r"<style", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag
    assert "hx-vals='js:" not in text
    assert "|safe" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_templates_compile(path: Path) -> None:
    engines["django"].from_string(path.read_text(encoding="utf-8"))


def _filter_sets(base: type[FilterSet] = FilterSet) -> Iterator[type[FilterSet]]:
    for made in base.__subclasses__():
        yield made
        yield from _filter_sets(made)


def _is_of_people(model: type[Model] | None) -> bool:
    """Accounts, and whoever has a sealed number."""
    return model is not None and (
        issubclass(model, AbstractBaseUser)
        or any(isinstance(field, SealedField) for field in model._meta.get_fields())
    )


def test_no_list_of_people_has_a_text_field_in_its_address() -> None:
    people = [made for made in _filter_sets() if _is_of_people(made._meta.model)]
    assert len(people) >= 4, "pupils, guardians, staff, accounts"
    for made in people:
        for name, field in made.base_filters.items():
            free = isinstance(field, CharFilter) and not isinstance(field, WordsFilter)
            assert not free, f"{made.__name__}.{name} would put a name into the address"


CHINESE = re.compile(r"[\u4e00-\u9fff]")
GETTEXT = {
    "_",
    "gettext",
    "gettext_lazy",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
}
#: Words that belong to Chinese texts and law, not to screens.
EXEMPT = (
    "/tests/",
    "/parsing/",
    "/demo/",
    "/demo.py",
    "/migrations/",
    "/config/",
    "/reference/calendar.py",
    "/registry/names.py",  # surnames with a reading of their own
    "/audit/seal.py",  # printed by the command line, in both languages
)
DATE_FORMAT = re.compile(r"[YnjHi年月日: ]+")


def _python_files() -> list[Path]:
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if not any(part in path.as_posix() for part in EXEMPT)
    ]


def _docstrings(tree: ast.AST) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


@pytest.mark.parametrize("path", _python_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_chinese_words_stand_in_gettext(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in GETTEXT:
                allowed |= {id(child) for child in ast.walk(node)}
            for keyword in node.keywords:
                # Words to be found in a plan's Chinese text.
                if keyword.arg == "words":
                    allowed |= {id(child) for child in ast.walk(keyword)}
    loose = [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CHINESE.search(node.value)
        and id(node) not in allowed
        and not DATE_FORMAT.fullmatch(node.value)
    ]
    assert not loose


# The style guide shows sample data, which nobody translates.
WORDED = [path for path in TEMPLATES if path.name != "style_guide.html"]


@pytest.mark.parametrize("path", WORDED, ids=lambda p: p.name)
def test_chinese_in_templates_stands_in_translate(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}", "", text, flags=re.S)
    text = re.sub(r"{%\s*blocktrans(late)?.*?{%\s*endblocktrans(late)?\s*%}", "", text, flags=re.S)
    text = re.sub(r"{%\s*(translate|trans)\b.*?%}", "", text)
    # The language switch names each language in itself.
    text = text.replace("切换到中文", "").replace(">中文<", "").replace("%}中文{%", "")
    assert not CHINESE.findall(text)


def test_no_file_is_too_long_to_read() -> None:
    long = [
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.suffix in {".py", ".html", ".js", ".css"}
        and "vendor" not in path.parts
        and len(path.read_text(encoding="utf-8").splitlines()) > 600
    ]
    assert not long


def test_seed_wording_is_not_copied() -> None:
    seed = ROOT.parent / "shared" / "seed" / "work-plan-2020.txt"
    assert seed.exists(), "this test reads the real plan from ../shared"
    runs = set(re.findall(r"[\u4e00-\u9fff，、]{18,}", seed.read_text(encoding="utf-8")))
    copied = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.suffix in {".py", ".html", ".md", ".yaml", ".json", ".txt", ".po"}
        and not {".venv", ".browser", "node_modules", ".git", "vendor"} & set(path.parts)
        and path.is_file()
        and any(run in path.read_text(encoding="utf-8", errors="ignore") for run in runs)
    ]
    assert not copied

"""Write docs/map.md from the declarations of the systems: duty, screen, flow, facts, indicators.

`python tools/map.py` writes, `python tools/map.py check` fails when the file is not true.
"""

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "map.md"


def text() -> str:
    """The map as Markdown."""
    from django.apps import apps
    from django.urls import reverse

    from xuezheng.kernel.cases.flows import FLOWS
    from xuezheng.kernel.indicators.definitions import INDICATORS

    lines = [
        "# Map",
        "",
        "Made by `tools/map.py` from the code; do not edit.",
        "",
        "## Systems",
        "",
        "| duty | system | whose | source | screen |",
        "|---|---|---|---|---|",
    ]
    homes = ("xuezheng.registry", "xuezheng.domains.")
    systems = [c for c in apps.get_app_configs() if c.name.startswith(homes)]
    for config in systems:
        for duty in getattr(import_module(config.name), "DUTIES", []):
            lines.append(
                f"| {duty['title']} | `{config.name.removeprefix('xuezheng.')}` | {duty['office']} "
                f"| {duty['source']} | `{reverse(duty['url'])}` |"
            )
    lines += ["", "## Cases", "", "| case | numbers | states |", "|---|---|---|"]
    for flow in FLOWS.values():
        states = " → ".join(str(state.label) for state in flow.states.values())
        lines.append(f"| {flow.label} `{flow.kind}` | {flow.prefix} | {states} |")
    lines += ["", "## Facts", "", "| view | system |", "|---|---|"]
    for config in systems:
        for path in sorted(Path(config.path, "facts").glob("*.sql")):
            lines.append(f"| `facts.{path.stem}` | `{config.label}` |")
    lines += ["", "## Indicators", "", "| indicator | definition | source |", "|---|---|---|"]
    for indicator in INDICATORS.values():
        lines.append(
            f"| {indicator.label} `{indicator.key}` | {indicator.definition} | {indicator.source} |"
        )
    lines += [
        "",
        "## Kernel",
        "",
        "| folder | what |",
        "|---|---|",
    ]
    for path in sorted((ROOT / "xuezheng" / "kernel").iterdir()):
        if (path / "__init__.py").exists():
            module = import_module(f"xuezheng.kernel.{path.name}")
            first = (module.__doc__ or "").strip().split("\n")[0]
            lines.append(f"| `kernel/{path.name}` | {first} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ.setdefault("XUEZHENG_SECRET_KEY", "map")
    for role in ("OWNER", "WEB", "WORKER"):
        # No query is made; the settings only want an address.
        os.environ.setdefault(f"XUEZHENG_DATABASE_{role}_URL", "postgresql://nowhere/none")
    sys.path.insert(0, str(ROOT))
    # Secrets that the settings generate go with this folder.
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XUEZHENG_DATA_DIR"] = folder
        import django

        django.setup()
        made = text()
    if sys.argv[1:] == ["check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != made:
            print("docs/map.md: run tools/map.py", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

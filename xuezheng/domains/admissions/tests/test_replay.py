"""The published script alone, in a process of its own, says what we say; and finds what was altered."""

import ast
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from xuezheng.domains.admissions.allocation import Child, Problem, allocate
from xuezheng.domains.admissions.rules.draw import Tree, commitment, draw_numbers, leaf_hash, seed

SCRIPT = Path(__file__).resolve().parents[1] / "replay.py"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def published(tmp_path: Path) -> dict[str, Path]:
    """A roll of 60 children with a tied pair, drawn and allocated, as it is published."""
    chance = random.Random(7)
    codes = [f"K{n:03d}" for n in range(60)]
    lines = [f"{code} {chance.randint(10**9, 10**10)} tier=1:A" for code in codes]
    tree = Tree.of(lines)
    secret, digits, public = "0c" * 16, "173754", ["闭市指数 3121.4"]
    numbers = draw_numbers(seed(tree.root, digits, public, secret), codes)
    schools = {"s1": 15, "s2": 20, "s3": 18}
    children = []
    for code in codes:
        wanted = chance.sample(list(schools), 3)
        tier = chance.randint(1, 2)
        keys = {school: (tier, 0, numbers[code]) for school in wanted}
        children.append(Child(code, tuple(wanted), keys))
    first, second = children[4], children[5]
    tied_keys = {s: (first.keys[s][0], 0, numbers[second.code]) for s in first.preferences}
    children[4] = Child(first.code, first.preferences, first.keys, "twins")
    children[5] = Child(second.code, first.preferences, tied_keys, "twins")
    result = allocate(Problem.build("deferred_acceptance", children, schools))
    files = {name: tmp_path / name for name in ("draw.json", "roll.txt", "in.json", "out.json")}
    files["draw.json"].write_text(
        json.dumps(
            {
                "root": tree.root,
                "digits": digits,
                "public": public,
                "secret": secret,
                "commitment": commitment(secret),
            }
        )
    )
    files["roll.txt"].write_text("\n".join(lines) + "\n", encoding="utf-8")
    files["in.json"].write_text(
        json.dumps(
            {
                "mechanism": "deferred_acceptance",
                "children": [
                    {
                        "code": c.code,
                        "preferences": list(c.preferences),
                        "keys": {s: list(k) for s, k in c.keys.items()},
                        "together": c.together,
                    }
                    for c in children
                ],
                "schools": [{"code": s, "places": p} for s, p in schools.items()],
            }
        )
    )
    files["out.json"].write_text(json.dumps(result.as_json()))
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"root": tree.root, "line": lines[9], "path": tree.path(9)}))
    return files | {"mine": mine, "root": tree.root}


def arguments(files: dict) -> list[Path]:
    return [files[name] for name in ("draw.json", "roll.txt", "in.json", "out.json")]


def test_everything_agrees(published: dict) -> None:
    done = run(*arguments(published))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "60 children, 0 problems" in done.stdout


def test_a_family_proves_its_line(published: dict) -> None:
    assert run("leaf", published["root"], published["mine"]).returncode == 0
    mine = json.loads(published["mine"].read_text())
    published["mine"].write_text(json.dumps(mine | {"line": mine["line"] + "0"}))
    assert run("leaf", published["root"], published["mine"]).returncode == 1


def test_hashes_of_lines_do_as_well_as_the_lines(published: dict) -> None:
    lines = published["roll.txt"].read_text(encoding="utf-8").splitlines()
    hashed = [f"{line.split()[0]} {leaf_hash(line)}" for line in lines]
    published["roll.txt"].write_text("\n".join(hashed))
    assert run(*arguments(published)).returncode == 0


@pytest.mark.parametrize("mechanism", ["immediate_acceptance", "serial"])
def test_other_mechanisms_are_replayed_too(published: dict, mechanism: str) -> None:
    given = json.loads(published["in.json"].read_text()) | {"mechanism": mechanism}
    result = allocate(Problem.from_json(given)).as_json()
    published["in.json"].write_text(json.dumps(given))
    published["out.json"].write_text(json.dumps(result))
    assert run(*arguments(published)).returncode == 0
    codes = sorted(result["assignments"], key=lambda code: str(result["assignments"][code]))
    swapped = dict(result["assignments"])
    swapped[codes[0]], swapped[codes[-1]] = swapped[codes[-1]], swapped[codes[0]]
    published["out.json"].write_text(json.dumps(result | {"assignments": swapped}))
    assert run(*arguments(published)).returncode == 1


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("roll.txt", lambda t: t.replace("tier=1:A", "tier=2:A", 1), "not the one that was frozen"),
        ("draw.json", lambda t: t.replace("0c0c", "0c0d", 1), "committed to"),
        ("draw.json", lambda t: t.replace("173754", "173755"), "drawn number"),
        ("in.json", lambda t: t.replace('"places": 15', '"places": 14'), "more children"),
        ("out.json", lambda t: t.replace('"sha256": "', '"sha256": "0'), "hash of the result"),
    ],
)
def test_what_was_altered_is_found(published: dict, name: str, change, words: str) -> None:
    path = published[name]
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    done = run(*arguments(published))
    assert done.returncode == 1
    assert words in done.stdout


def test_every_single_swap_is_found(published: dict) -> None:
    good = json.loads(published["out.json"].read_text())
    chance = random.Random(3)
    codes = list(good["assignments"])
    for _ in range(6):
        one, other = chance.sample(codes, 2)
        while good["assignments"][one] == good["assignments"][other]:
            one, other = chance.sample(codes, 2)
        swapped = dict(good["assignments"])
        swapped[one], swapped[other] = swapped[other], swapped[one]
        published["out.json"].write_text(json.dumps({**good, "assignments": swapped}))
        assert run(*arguments(published)).returncode == 1


def test_short_and_standard_library_only() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 120
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert imported <= sys.stdlib_module_names

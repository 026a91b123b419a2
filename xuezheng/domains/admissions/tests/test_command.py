"""`xuezheng admissions allocate` and `verify`, as a portal calls them."""

import json
import random
from pathlib import Path

import pytest

from xuezheng.config import cli


def problem(children: int = 40, seed: int = 1) -> dict:
    chance = random.Random(seed)
    numbers = list(range(children))
    chance.shuffle(numbers)
    schools = [f"s{n}" for n in range(4)]
    return {
        "mechanism": "deferred_acceptance",
        "schools": [{"code": school, "places": 8} for school in schools],
        "children": [
            {
                "code": f"c{n:03d}",
                "preferences": (wanted := chance.sample(schools, 3)),
                "keys": {school: [chance.randint(1, 3), 0, numbers[n]] for school in wanted},
                "together": None,
            }
            for n in range(children)
        ],
    }


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    given, result = tmp_path / "in.json", tmp_path / "out.json"
    given.write_text(json.dumps(problem()), encoding="utf-8")
    return given, result


def allocate(given: Path, result: Path) -> int:
    return cli.main(["admissions", "allocate", "--in", str(given), "--out", str(result)])


def verify(given: Path, result: Path) -> int:
    return cli.main(["admissions", "verify", "--in", str(given), "--result", str(result)])


def test_allocate_then_verify(files: tuple[Path, Path], capsys) -> None:
    assert allocate(*files) == 0
    result = json.loads(files[1].read_text(encoding="utf-8"))
    assert set(result) == {"assignments", "cutoffs", "sha256"}
    assert capsys.readouterr().out.strip() == result["sha256"]
    assert verify(*files) == 0


def test_every_swapped_child_fails(files: tuple[Path, Path], capsys) -> None:
    allocate(*files)
    good = json.loads(files[1].read_text(encoding="utf-8"))
    for code, school in good["assignments"].items():
        other = "s0" if school != "s0" else "s1"
        altered = {**good, "assignments": {**good["assignments"], code: other}}
        files[1].write_text(json.dumps(altered), encoding="utf-8")
        assert verify(*files) == 1
        assert code in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "in.json, line 1"),
        ("[]", "not a JSON object"),
        ('{"mechanism": "serial"}', "no 'children'"),
        ('{"children": [], "children": []}', "stands twice"),
        (json.dumps({**problem(), "mechanism": "luck"}), "unknown mechanism"),
    ],
)
def test_bad_input_writes_nothing(files: tuple[Path, Path], capsys, text: str, words: str) -> None:
    files[0].write_text(text, encoding="utf-8")
    assert allocate(*files) == 1
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
    assert list(files[0].parent.iterdir()) == [files[0]]


def test_files_that_cannot_be_read_or_written(files: tuple[Path, Path], tmp_path, capsys) -> None:
    assert allocate(tmp_path / "none.json", files[1]) == 1
    assert "cannot read" in capsys.readouterr().err
    assert allocate(files[0], tmp_path / "no" / "folder.json") == 1
    assert "cannot write" in capsys.readouterr().err
    files[1].write_text("{}", encoding="utf-8")
    assert verify(*files) == 1
    assert "no assignments" in capsys.readouterr().err

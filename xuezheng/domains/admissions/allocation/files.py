"""The machine interface: JSON in, JSON out.  Writes the whole output or nothing."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from xuezheng.domains.admissions.allocation.mechanisms import allocate
from xuezheng.domains.admissions.allocation.problem import BadInput, Problem
from xuezheng.domains.admissions.allocation.result import Result
from xuezheng.domains.admissions.allocation.verify import problems_of


def read_json(path: Path) -> Any:
    """The content of a JSON file.  Raises BadInput in a sentence."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise BadInput(f"{path.name}: {name!r} stands twice in one object")
            found[name] = value
        return found

    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"{path.name}, line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise BadInput(f"{path.name} is nested too deeply") from None


def write_json(path: Path, data: Any) -> None:
    """Write beside the target, then put it in its place."""
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, encoding="utf-8", delete=False
        ) as made:
            made.write(text)
        os.chmod(made.name, 0o644)
        Path(made.name).replace(path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from None


def allocate_file(source: Path, target: Path) -> Result:
    """Allocate what a file describes and write the result.  Raises BadInput; then nothing is written."""
    result = allocate(Problem.from_json(read_json(source)))
    write_json(target, result.as_json())
    return result


def verify_files(source: Path, result: Path) -> list[str]:
    """What is wrong with a result file; empty when it holds.  Raises BadInput."""
    problem = Problem.from_json(read_json(source))
    return problems_of(problem, Result.from_json(read_json(result)))

"""What anybody may take home to check a season: the same files for the page and the command line."""

import json
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError

from xuezheng.domains.admissions import replay
from xuezheng.domains.admissions.models import Allocation, Draw, Freeze, Season
from xuezheng.domains.admissions.rules.draw import leaf_hash
from xuezheng.domains.admissions.services.drawing import draw_of
from xuezheng.domains.admissions.services.freezing import Line, freeze_of
from xuezheng.domains.admissions.services.publishing import published
from xuezheng.kernel.files.store import write_whole

ROLL, DRAW, GIVEN, RESULT, SCRIPT = (
    "roll.txt", "draw.json", "allocation.json", "result.json", "replay.py",
)  # fmt: skip


def files_of(season: Season, round_number: int = 1) -> dict[str, str]:
    """File name -> text of all that is public of a season at this moment; {} before the roll is frozen.

    The roll holds codes and hashes of lines (the lines, with their salts, are the families' own), the
    draw what was promised and, once opened, what came out; input and result of a round follow when it
    is published.  No names, no numbers of documents.
    """
    frozen = freeze_of(season)
    if frozen is None:
        return {}
    found = {ROLL: _roll(frozen)}
    draw = draw_of(frozen)
    if draw is not None:
        found[DRAW] = _json(draw_json(draw))
    run = next((run for run in published(season) if run.round == round_number), None)
    if run is not None:
        found |= allocation_files(run)
    return found | {SCRIPT: Path(replay.__file__).read_text(encoding="utf-8")}


def _roll(frozen: Freeze) -> str:
    texts = frozen.leaves.order_by("index").values_list("text", flat=True)
    return "".join(f"{Line.read(text).code} {leaf_hash(text)}\n" for text in texts)


def file_of(season: Season, round_number: int, name: str) -> Path | bytes | None:
    """One of the files of `files_of`; None for one that there is not.

    What never changes once it is public (roll, input, result) is written at the first call and kept
    under the seal that names it, so that a download costs no more than reading a file.
    """
    frozen = freeze_of(season)
    if frozen is None:
        return None
    if name == SCRIPT:
        return Path(replay.__file__)
    if name == ROLL:
        return _kept(f"roll-{frozen.pk}-{frozen.root}", lambda: _roll(frozen))
    if name == DRAW:
        draw = draw_of(frozen)
        return _json(draw_json(draw)).encode() if draw else None
    if name not in (GIVEN, RESULT):
        return None
    runs = season.allocations.filter(round=round_number, published_at__isnull=False, what_if="")
    # Without what takes long to read: input and result of thousands of children.
    run = runs.only("pk", "sha256").first()
    if run is None:
        return None
    return _kept(f"{name}-{run.pk}-{run.sha256}", lambda: allocation_files(run)[name])


def _kept(name: str, make: Callable[[], str]) -> Path | bytes:
    """The file of that name; on a full disk what it would hold."""
    path = Path(settings.FILES_DIR) / "published" / name
    if not path.exists():
        data = make().encode()
        try:
            write_whole(path, data)
        except ValidationError:
            return data
    return path


def allocation_files(allocation: Allocation) -> dict[str, str]:
    """Input and result of one run; not what gave the places in a tier, which is a family's own."""
    given = {key: value for key, value in allocation.given.items() if key != "orders"}
    return {GIVEN: _json(given), RESULT: _json(allocation.result)}


def draw_json(draw: Draw) -> dict[str, object]:
    """A draw as replay.py reads it; before it is opened, only the promise."""
    promised = {
        "root": draw.freeze.root,
        "commitment": draw.commitment,
        "sources": draw.public_sources,
    }
    if draw.state != Draw.State.DRAWN:
        return promised
    return promised | {
        "digits": draw.digits,
        "public": draw.public_values,
        "secret": draw.secret,
        "seed": draw.seed,
    }


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"

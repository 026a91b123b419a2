"""The statistician's commands, on a database with real transactions."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.district import make_district
from xuezheng.config import commands
from xuezheng.config.cli import _parser
from xuezheng.domains.oversight.tests.test_indicators import hazard
from xuezheng.kernel.access.models import Organisation, OrganisationEdge
from xuezheng.kernel.indicators.models import Bundle, Reading

AS_OF = ("--as-of", "2025-06-30")


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def shell(own_database: str, tmp_path: Path, settings, capsys: pytest.CaptureFixture[str]):
    """Runs `xuezheng …` on a district with five hazards, in this process: a start takes a second."""
    settings.DATA_DIR = tmp_path
    district = make_district()
    for number in range(5):
        hazard(district, "S1", "2025-03-10", f"2025-03-{9 + number:02d}")

    def run(*arguments: object) -> Done:
        options = _parser().parse_args(list(map(str, arguments)))
        try:
            code, refused = commands.COMMANDS[options.command](options), ""
        except commands.EXPECTED as error:
            code, refused = 2, f"{error}\n"
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err + refused)

    return run


def test_both_engines_print_the_same_and_only_one_stores(shell, tmp_path: Path) -> None:
    written = shell("snapshot", "write", "--to", tmp_path / "a", "--year", 2025)
    assert written.returncode == 0, written.stderr
    assert "hazard\t5" in written.stdout
    frozen = shell("indicators", "compute", "--snapshot", tmp_path / "a", *AS_OF)
    assert Reading.objects.count() == 0
    live = shell("indicators", "compute", *AS_OF)
    assert live.returncode == frozen.returncode == 0, live.stderr + frozen.stderr
    assert live.stdout == frozen.stdout
    assert "hazard_rectified_in_time\tS1\t2\t5\t40.0" in live.stdout
    assert Reading.objects.get(indicator="hazard_rectified_in_time", organisation__code="S1")
    proof = shell(
        *("indicators", "prove", "hazard_rectified_in_time", "--org", "S1", "--json"),
        *("--snapshot", tmp_path / "a", *AS_OF),
    )
    rows = [json.loads(line) for line in proof.stdout.splitlines()]
    assert len(rows) == 5
    assert sum(row["counted"] for row in rows) == 2
    assert "40.0" in proof.stderr
    assert shell("snapshot", "verify", tmp_path / "a").returncode == 0


def test_what_cannot_be_answered_is_one_sentence(shell, tmp_path: Path) -> None:
    for arguments, words in (
        (("indicators", "compute", "--engine", "duckdb"), "--snapshot"),
        (("indicators", "compute", "--snapshot", tmp_path / "none"), "缺少清单"),
        (("indicators", "prove", "nonsense", "--org", "B"), "no such indicator"),
        (("snapshot", "write", "--to", tmp_path), "已存在"),
        (("bundle", "take", tmp_path / "none"), "cannot read"),
    ):
        done = shell(*arguments)
        assert done.returncode == 2, arguments
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_bundle_goes_to_a_province_and_back(shell, tmp_path: Path) -> None:
    """Here the province's office stands over the same district: both sides in one database."""
    shell("indicators", "compute", *AS_OF)
    written = shell("bundle", "write", "--to", tmp_path / "b.tar")
    assert written.returncode == 0, written.stderr
    fingerprint = written.stdout.splitlines()[1]
    assert shell("bundle", "take", tmp_path / "b.tar").returncode == 2
    top = Organisation.objects.create(code="P", name="瀛洄省教育厅", kind="province")
    OrganisationEdge.objects.create(
        parent=top,
        child_id=Organisation.objects.get(code="B").id,
        kind="authority",
        valid_from="2020-01-01",
    )
    trusted = shell("bundle", "trust", "B", tmp_path / "bundle-key.pub")
    assert trusted.stdout.strip() == fingerprint
    taken = shell("bundle", "take", tmp_path / "b.tar")
    assert taken.returncode == 0, taken.stderr
    assert Bundle.objects.get().organisation.code == "B"
    again = shell("bundle", "take", tmp_path / "b.tar")
    assert again.returncode == 2
    assert "旧包" in again.stderr

"""Snapshots: whole or not at all, the same data the same hash, nobody's identity, nothing altered."""

import json
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

import xuezheng
from tests.district import District, make_district
from xuezheng.domains.oversight.tests.test_indicators import d, hazard
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.indicators import freeze
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.snapshot import (
    MANIFEST,
    Manifest,
    SnapshotRefused,
    digest_of,
    open_snapshot,
    read_manifest,
)

BY = JobActor("tests")
IN_TIME = INDICATORS["hazard_rectified_in_time"]


def write(to: Path, **options) -> Manifest:
    """By COPY, which sees what the test's transaction has written."""
    return freeze.write_snapshot(to, by=BY, scanner=False, **options)


@pytest.fixture
def hazards(district: District) -> District:
    hazard(district, "S1", "2025-03-10", "2025-03-10", "2025-03-12")
    hazard(district, "S1", "2025-03-10", "2025-03-11")
    hazard(district, "K1", "2025-04-10")
    return district


def test_same_data_same_digest_and_files_partitioned(hazards: District, tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert first.digest == second.digest
    assert first.rows["hazard"] == 3
    year = timezone.localdate().year
    assert (tmp_path / f"a/hazard/district=B/year={year}/part.parquet").is_file()
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {"a", "b"}, "nothing unfinished is left"
    hazard(hazards, "S2", "2025-05-10")
    assert write(tmp_path / "c").digest != first.digest


def test_the_scanner_and_copy_write_the_same(own_database: str, tmp_path: Path) -> None:
    """On real transactions; the awkward values: NULL, empty text, quotes, line ends."""
    district = make_district()
    row = hazard(district, "S1", "2025-03-10")
    hazard(district, "K1", None, state="reported")
    type(row).objects.filter(pk=row.pk).update(category='a"b,\n c')
    scanned = freeze.write_snapshot(tmp_path / "scanned", by=BY)
    assert write(tmp_path / "copied").digest == scanned.digest
    with open_snapshot(tmp_path / "scanned") as snapshot:
        found = list(snapshot.engine.rows("SELECT category, due_on FROM facts.hazard", {}))
    assert ('a"b,\n c', d("2025-03-10")) in found
    assert ("fire", None) in found


def test_an_interrupted_write_leaves_nothing(
    hazards: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(freeze, "file_digest", fail)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_a_future_year_and_an_unfit_column_are_refused(
    hazards: District, tmp_path: Path
) -> None:
    with pytest.raises(SnapshotRefused):
        write(tmp_path)
    with pytest.raises(SnapshotRefused):
        write(tmp_path / "a", year=timezone.localdate().year + 1)
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW facts.hazard")
        cursor.execute("CREATE VIEW facts.hazard AS SELECT 'x' AS row_id, now() AS at")
    with pytest.raises(SnapshotRefused, match=r"hazard.*at"):
        write(tmp_path / "a")


@pytest.mark.parametrize("row_id", ["990101201503078515", "13800138000", "99010120150307851X"])
def test_a_row_id_that_says_who_is_refused(hazards: District, tmp_path: Path, row_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW facts.hazard")
        cursor.execute(f"CREATE VIEW facts.hazard AS SELECT '{row_id}' AS row_id")
    with pytest.raises(SnapshotRefused):
        write(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_the_version_is_said_once() -> None:
    text = (Path(xuezheng.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{xuezheng.VERSION}"' in text


def test_no_facts_column_names_anybody(db) -> None:
    columns = {column for found in freeze.fact_columns().values() for column, _kind in found}
    assert not columns & freeze.IDENTITY
    assert "row_id" in columns


def test_whoever_has_not_the_whole_installation_freezes_nothing(
    hazards: District, tmp_path: Path
) -> None:
    with pytest.raises(PermissionDenied):
        freeze.write_snapshot(tmp_path / "a", by=hazards.actor("head1"), scanner=False)


def test_altered_files_manifests_and_foreign_folders_are_refused(
    hazards: District, tmp_path: Path
) -> None:
    made = write(tmp_path / "a")
    with pytest.raises(SnapshotRefused), open_snapshot(tmp_path / "a", digest="0" * 64):
        pass
    with pytest.raises(SnapshotRefused), open_snapshot(tmp_path):
        pass
    part = tmp_path / "a" / made.file("hazard")
    content = bytearray(part.read_bytes())
    content[10] ^= 1
    part.write_bytes(content)
    with pytest.raises(SnapshotRefused), open_snapshot(tmp_path / "a"):
        pass
    path = tmp_path / "a" / MANIFEST
    content = json.loads(path.read_text())
    content["year"] -= 1
    path.write_text(json.dumps(content))
    with pytest.raises(SnapshotRefused):
        read_manifest(tmp_path / "a")
    # Made whole again by somebody who knows the digest's rule: names cannot leave the folder.
    content["district"] = "../.."
    content["digest"] = digest_of(content)
    path.write_text(json.dumps(content))
    with pytest.raises(SnapshotRefused):
        read_manifest(tmp_path / "a")


def test_a_snapshot_answers_for_days_up_to_its_own_and_no_later(
    hazards: District, tmp_path: Path
) -> None:
    write(tmp_path / "a", year=2025)
    hazard(hazards, "S1", "2025-03-10")  # after the snapshot: it does not know of it
    with open_snapshot(tmp_path / "a") as snapshot:
        assert snapshot.manifest.as_of == d("2025-12-31")
        assert snapshot.figures(IN_TIME, d("2025-12-31"))["B"] == (1, 3)
        assert snapshot.figures(IN_TIME, d("2025-03-31"))["T1"] == (1, 2)
        with pytest.raises(SnapshotRefused):
            snapshot.day(timezone.localdate() + timezone.timedelta(days=1))


def test_a_fact_that_the_snapshot_has_not_is_one_sentence(
    hazards: District, tmp_path: Path
) -> None:
    write(tmp_path / "a")
    with (
        open_snapshot(tmp_path / "a") as snapshot,
        pytest.raises(SnapshotRefused, match="事实表"),
    ):
        list(snapshot.engine.rows("SELECT 1 FROM facts.unheard_of", {}))
    with open_snapshot(tmp_path / "a") as snapshot, pytest.raises(Exception, match="Permission"):
        list(snapshot.engine.rows("SELECT * FROM read_csv('/etc/passwd')", {}))

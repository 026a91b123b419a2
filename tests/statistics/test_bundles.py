"""Bundles: signed, whole, newer, of the district's own units only; anything else is one sentence."""

import datetime as dt
import io
import json
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.district import SINCE, District
from xuezheng.domains.oversight.tests.test_indicators import hazard
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.indicators.bundles import (
    BundleRefused,
    fingerprint,
    key_text,
    own_key,
    pack,
    unpack,
)
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.indicators.models import Bundle, Reading, TrustedKey
from xuezheng.kernel.indicators.province import manifest_entry, take_bundle, trust_key, write_bundle
from xuezheng.kernel.reference.models import Parameter

BY = JobActor("tests")
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
IN_TIME = "hazard_rectified_in_time"


def organisation(code: str, kind: str, parent: Organisation | None = None) -> Organisation:
    row = Organisation.objects.create(code=code, name=code, kind=kind)
    if parent:
        OrganisationEdge.objects.create(
            parent=parent, child=row, kind=EdgeKind.AUTHORITY, valid_from=SINCE
        )
    return row


@pytest.fixture
def province(db) -> dict[str, Organisation]:
    """A province with two districts, both with a key."""
    top = organisation("P", "province")
    districts = {code: organisation(code, "district", top) for code in ("99001", "99002")}
    trust_key(code="99001", public_key=key_text(KEY.public_key()), by=BY)
    trust_key(code="99002", public_key=key_text(OTHER.public_key()), by=BY)
    return districts


def named(code: str, kind: str = "town") -> dict[str, str]:
    return {"code": code, "kind": kind, "name": code, "name_en": ""}


def said(org: str, num: int = 8, den: int | None = 10, **changed) -> dict:
    return {
        "indicator": IN_TIME,
        "version": 1,
        "org": org,
        "from": "2025-01-01",
        "to": "2025-12-31",
        "as_of": "2025-06-30",
        "numerator": num,
        "denominator": den,
    } | changed


def bundle(
    *,
    district: str = "99001",
    orgs: list | None = None,
    readings: list | None = None,
    facts: list | None = None,
    key: Ed25519PrivateKey = KEY,
    minute: int = 0,
) -> bytes:
    now = timezone.now() + dt.timedelta(minutes=minute)
    return pack(
        manifest_entry(district, timezone.localdate(), now),
        [named(district, "district"), named(f"{district}-A")] if orgs is None else orgs,
        [said(district), said(f"{district}-A", 1, 3)] if readings is None else readings,
        facts or [],
        key=key,
    )


def state() -> tuple:
    return (Reading.objects.count(), Organisation.objects.count(), Bundle.objects.count())


def refused(data: bytes, words: str) -> None:
    before = state()
    with pytest.raises(BundleRefused, match=words):
        take_bundle(data=data, by=BY)
    assert state() == before


def test_a_bundle_brings_readings_and_towns(province: dict[str, Organisation]) -> None:
    taken = take_bundle(data=bundle(), by=BY)
    assert taken.readings == 2
    town = Reading.objects.get(organisation__code="99001-A")
    assert (town.numerator, town.denominator) == (1, 3)
    assert town.value == pytest.approx(100 / 3)
    assert town.organisation.edges_up.get().parent == province["99001"]
    assert Entry.objects.filter(action="bundle.take", organisation=province["99001"]).exists()
    take_bundle(data=bundle(readings=[said("99001", 9)], minute=1), by=BY)
    assert Reading.objects.get(organisation__code="99001").numerator == 9


def test_altered_replayed_unknown_and_foreign_bundles_are_refused(
    province: dict[str, Organisation],
) -> None:
    good = bundle(minute=1)
    refused(good.replace(b'"numerator":8', b'"numerator":9'), "清单不符")
    refused(good.replace(b'"district":"99001"', b'"district":"99002"'), "公钥不符")
    refused(bundle(key=OTHER), "公钥不符")
    refused(bundle(district="99003"), "没有登记")
    refused(bundle(orgs=[named("99001", "district"), named("99002", "district")]), "不属于")
    refused(bundle(readings=[said("99002")]), "不属于")
    refused(bundle(facts=[{"view": "hazard", "org": "99002", "rows": 99, "sums": {}}]), "不属于")
    organisation("99003", "district")
    refused(bundle(district="99003"), "还没有登记公钥")
    take_bundle(data=good, by=BY)
    refused(good, "旧包")
    refused(bundle(minute=0), "旧包")


@pytest.mark.parametrize(
    "entry",
    [
        said("99001", as_of="2999-01-01", to="2999-12-31"),
        said("99001", as_of="2024-12-31"),
        said("99001", to="2024-12-31"),
        said("99001", "8"),
        said("99001", 2**63),
        said("99001", True),
        said("99001", as_of="30.6.2025"),
        {"indicator": IN_TIME},
        "text",
    ],
)
def test_signed_nonsense_is_refused_too(province: dict[str, Organisation], entry: object) -> None:
    refused(bundle(readings=[entry]), "不合规则")


def test_an_indicator_that_the_province_does_not_know_is_left_out(
    province: dict[str, Organisation],
) -> None:
    rows = [said("99001"), said("99001", indicator="of_the_future")]
    assert take_bundle(data=bundle(readings=rows), by=BY).readings == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"x" * 1000, b"PK\x03\x04", bundle()[: bundle().index(b"signature")], bundle()[:700]],
)
def test_what_is_no_bundle_is_refused(province: dict[str, Organisation], data: bytes) -> None:
    refused(data, "不是区县数据包")


def test_a_tar_with_other_members_is_refused(province: dict[str, Organisation]) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("manifest.json", "../../etc/cron.d/x"):
            info = tarfile.TarInfo(name)
            info.size = 2
            tar.addfile(info, io.BytesIO(b"{}"))
    refused(out.getvalue(), "不是区县数据包")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_flipped_bit_never_changes_what_is_taken(at: int, bit: int) -> None:
    good = bundle()
    content = unpack(good, KEY.public_key())
    data = bytearray(good)
    data[at % len(data)] ^= 1 << bit
    try:
        again = unpack(bytes(data), KEY.public_key())
    except BundleRefused:
        return
    # Only padding and tar fields that mean nothing here may differ.
    assert (again.manifest, again.readings) == (content.manifest, content.readings)
    assert (again.organisations, again.facts) == (content.organisations, content.facts)


def test_keys(province: dict[str, Organisation], tmp_path: Path) -> None:
    key = own_key(tmp_path)
    assert own_key(tmp_path).private_bytes_raw() == key.private_bytes_raw()
    assert (tmp_path / "bundle-key").stat().st_mode & 0o777 == 0o600
    public = (tmp_path / "bundle-key.pub").read_text()
    trusted = trust_key(code="99001", public_key=public, by=BY)
    assert trusted.fingerprint == fingerprint(key.public_key())
    refused(bundle(), "公钥不符")  # the earlier key is withdrawn
    take_bundle(data=bundle(key=key), by=BY)
    with pytest.raises(BundleRefused, match="另一个区县"):
        trust_key(code="99002", public_key=public, by=BY)
    with pytest.raises(BundleRefused, match="没有数据包公钥"):
        trust_key(code="99002", public_key="not a key", by=BY)
    with pytest.raises(BundleRefused, match="没有登记"):
        trust_key(code="99777", public_key=public, by=BY)
    assert TrustedKey.objects.filter(withdrawn_at=None).count() == 2


def test_only_the_program_takes_bundles(
    province: dict[str, Organisation], district: District
) -> None:
    for call in (
        lambda by: take_bundle(data=bundle(), by=by),
        lambda by: trust_key(code="99001", public_key=key_text(KEY.public_key()), by=by),
        lambda by: write_bundle(kinds=["town"], key=KEY, by=by),
    ):
        with pytest.raises(PermissionDenied):
            call(district.actor("director"))


def test_a_district_tells_figures_and_large_sums_and_nothing_else(district: District) -> None:
    for number in range(12):
        hazard(district, ("S1", "S2")[number > 9], "2025-03-10", "2025-03-10")
    compute(period=(dt.date(2025, 1, 1), dt.date(2025, 12, 31)), as_of=dt.date(2025, 6, 30))
    content = unpack(write_bundle(kinds=["town"], key=KEY, by=BY), KEY.public_key())
    assert {row["code"] for row in content.organisations} == {"B", "T1", "T2"}
    assert {row["org"] for row in content.readings} <= {"B", "T1", "T2"}
    sums = {(row["view"], row["org"]): row["rows"] for row in content.facts}
    # T2 has two rows, fewer than the least: they stay in the district.
    assert sums["hazard", "B"] == 12
    assert sums["hazard", "T1"] == 10
    assert ("hazard", "T2") not in sums
    told = json.dumps([content.readings, content.facts, content.organisations])
    assert "YH2025" not in told, "no row of a record"
    least = Parameter.objects.get(key="indicators.bundle.least_rows")
    least.value = 2
    least.save()
    again = unpack(write_bundle(kinds=["town"], key=KEY, by=BY), KEY.public_key())
    assert ("hazard", "T2") in {(row["view"], row["org"]) for row in again.facts}

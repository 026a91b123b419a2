"""Writing a district's bundle, and taking bundles into a province installation.

In a province the tree has districts as nodes; a bundle brings the readings of its district and of the
organisations just below (towns), which are added under it.  Numbers are recomputed, never believed.
"""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng import VERSION
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge
from xuezheng.kernel.access.scope import below
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.indicators.access import Permission
from xuezheng.kernel.indicators.bundles import (
    BundleRefused,
    Content,
    district_of,
    fingerprint,
    key_text,
    pack,
    read_key,
    unpack,
)
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.engines import LiveEngine
from xuezheng.kernel.indicators.freeze import fact_columns, installation_authority
from xuezheng.kernel.indicators.models import Bundle, Reading, TrustedKey
from xuezheng.kernel.reference.parameters import settings_on

LARGEST = 2**62
#: Whole numbers whose sum says nothing.
NO_SUM = re.compile(r"(_id|_year|^number|^hundredths)$")


# -- the district's side


def write_bundle(*, kinds: Iterable[str], key: Ed25519PrivateKey, by: Actor) -> bytes:
    """The bundle of this installation: readings and sums of its authority and of the kinds given.

    Runs inside a fence.  Raises PermissionDenied; SnapshotRefused when there is nothing yet.
    """
    today = timezone.localdate()
    top = Organisation.objects.get(code=installation_authority(today))
    post = by.post_for(Permission.WRITE_BUNDLE, top.id)
    if not by.scope(Permission.WRITE_BUNDLE).everything:
        raise PermissionDenied(Permission.WRITE_BUNDLE)
    inside = below({top.id}, today)[top.id]
    told = [
        top,
        *Organisation.objects.filter(id__in=inside, kind__in=list(kinds)).exclude(pk=top.pk),
    ]
    readings = [
        reading_entry(row, row.organisation.code)
        for row in Reading.objects.filter(organisation__in=told, indicator__in=list(INDICATORS))
        .select_related("organisation")
        .order_by("indicator", "organisation__code", "period_from", "as_of")
        if not row.suppressed
    ]
    facts = _sums(told, today, top.code)
    data = pack(
        manifest_entry(top.code, today, timezone.now()),
        [organisation_entry(row) for row in told],
        readings,
        facts,
        key=key,
    )
    record(
        "bundle.write",
        by=by,
        post=post,
        organisation_id=top.id,
        object_type="bundle",
        detail={"readings": len(readings), "organisations": len(told), "sums": len(facts)},
    )
    return data


def manifest_entry(district: str, as_of: dt.date, now: dt.datetime) -> dict[str, Any]:
    """What the manifest says besides its files.  The serial is the moment in microseconds."""
    return {
        "program": VERSION,
        "district": district,
        "as_of": as_of.isoformat(),
        "made_at": now.astimezone(dt.UTC).isoformat(),
        "serial": int(now.timestamp() * 1_000_000),
    }


def organisation_entry(row: Organisation) -> dict[str, Any]:
    """An organisation as a bundle names it."""
    return {"code": row.code, "kind": row.kind, "name": row.name, "name_en": row.name_en}


def reading_entry(row: Reading, code: str) -> dict[str, Any]:
    """A reading as a bundle holds it; the value follows from it and is not sent."""
    return {
        "indicator": row.indicator,
        "version": row.definition_version,
        "org": code,
        "from": row.period_from.isoformat(),
        "to": row.period_to.isoformat(),
        "as_of": row.as_of.isoformat(),
        "numerator": row.numerator,
        "denominator": row.denominator,
    }


def _sums(told: list[Organisation], today: dt.date, authority: str) -> list[dict[str, Any]]:
    """Rows and sums of whole-number columns of each view, per organisation told of.

    Groups of fewer rows than parameter indicators.bundle.least_rows stay in the district.
    """
    least = settings_on(today, "indicators.bundle", authority)["least_rows"].value
    codes = dict(Organisation.objects.values_list("id", "code"))
    trees = below({row.id for row in told}, today)
    found = []
    for view, columns in fact_columns().items():
        if "org" not in {column for column, _kind in columns}:
            continue
        whole = [c for c, kind in columns if kind == "BIGINT" and not NO_SUM.search(c)]
        chosen = "".join(f', sum("{column}") AS "{column}"' for column in whole)
        sql = f'SELECT org, count(*){chosen} FROM facts."{view}" GROUP BY org'
        own = {org: numbers for org, *numbers in LiveEngine().rows(sql, {})}
        for row in told:
            parts = [own[codes[i]] for i in trees[row.id] if codes[i] in own]
            rows = sum(part[0] for part in parts)
            if rows < least:
                continue
            sums = {c: int(sum(p[n] or 0 for p in parts)) for n, c in enumerate(whole, start=1)}
            found.append({"view": view, "org": row.code, "rows": rows, "sums": sums})
    return found


# -- the province's side


def _district(code: str, by: Actor) -> Organisation:
    """The district, in the actor's scope.  Raises BundleRefused, PermissionDenied."""
    if not by.can(Permission.TAKE_BUNDLE):
        raise PermissionDenied(Permission.TAKE_BUNDLE)
    district = Organisation.objects.filter(code=code).first()
    if district is None or district.id not in by.scope(Permission.TAKE_BUNDLE):
        raise BundleRefused(_("本机没有登记代码为 %(code)s 的区县。") % {"code": code[:32]})
    return district


@transaction.atomic
def trust_key(*, code: str, public_key: str, by: Actor) -> TrustedKey:
    """Register the key with which a district signs; an earlier one is withdrawn.

    Raises BundleRefused for an unknown district, a text that is no key, a key of another district.
    """
    district = _district(code, by)
    key = read_key(public_key)
    print_ = fingerprint(key)
    now = timezone.now()
    known = TrustedKey.objects.filter(fingerprint=print_).first()
    if known and known.organisation_id != district.id:
        raise BundleRefused(_("这个公钥已登记给另一个区县。"))
    district.bundle_keys.filter(withdrawn_at=None).exclude(fingerprint=print_).update(
        withdrawn_at=now
    )
    trusted, _made = TrustedKey.objects.update_or_create(
        fingerprint=print_,
        defaults={
            "organisation": district,
            "public_key": key_text(key),
            "trusted_at": now,
            "withdrawn_at": None,
        },
    )
    record(
        "bundle.trust",
        by=by,
        post=by.post_for(Permission.TAKE_BUNDLE, district.id),
        organisation_id=district.id,
        object_type="bundle_key",
        object_id=print_[:16],
    )
    return trusted


@transaction.atomic
def take_bundle(*, data: bytes, by: Actor) -> Bundle:
    """Take a district's bundle: check it, add its organisations, store its readings.

    Whole or not at all.  Raises BundleRefused with one sentence for a bundle that is altered, older
    than one already taken, from an unknown district, or that speaks of another district's units.
    """
    district = _district(district_of(data), by)
    # The lock makes two bundles of one district wait for each other.
    trusted = (
        TrustedKey.objects.select_for_update()
        .filter(organisation=district, withdrawn_at=None)
        .first()
    )
    if trusted is None:
        raise BundleRefused(_("该区县还没有登记公钥，数据包不能接收。"))
    content = unpack(data, read_key(trusted.public_key))
    manifest = content.manifest
    try:
        serial = _count(manifest["serial"])
        as_of = dt.date.fromisoformat(manifest["as_of"])
        made_at = dt.datetime.fromisoformat(manifest["made_at"])
        rows = _readings(content)
        facts = {entry["org"] for entry in content.facts}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BundleRefused(_("数据包的内容不合规则，请区县重新生成。")) from None
    last = district.bundles.order_by("-serial").first()
    if last and serial <= last.serial:
        raise BundleRefused(_("已接收过该区县同一份或更新的数据包，旧包不再接收。"))
    ids = _organisations(content, district)
    if not {row["org"] for row in rows} | facts <= set(ids):
        raise BundleRefused(_("数据包里有不属于该区县的单位，不能接收。"))
    written = _store(rows, ids)
    bundle = Bundle.objects.create(
        organisation=district,
        serial=serial,
        as_of=as_of,
        made_at=made_at,
        digest=content.digest,
        key=trusted,
        readings=written,
        facts=content.facts,
        taken_at=timezone.now(),
    )
    record(
        "bundle.take",
        by=by,
        post=by.post_for(Permission.TAKE_BUNDLE, district.id),
        organisation_id=district.id,
        object_type="bundle",
        object_id=bundle.serial,
        detail={"digest": content.digest, "readings": written},
    )
    return bundle


def _count(value: Any, *, none: bool = False) -> int | None:
    """A whole number that the store can hold.  Raises ValueError."""
    if value is None and none:
        return None
    if type(value) is not int or abs(value) > LARGEST:
        raise ValueError(value)
    return value


def _readings(content: Content) -> list[dict[str, Any]]:
    """The readings of indicators known here, checked.  Raises KeyError, TypeError, ValueError."""
    latest = timezone.localdate() + dt.timedelta(days=1)
    day = dt.date.fromisoformat
    rows = []
    for entry in content.readings:
        row = {
            "indicator": entry["indicator"],
            "version": _count(entry["version"]),
            "org": str(entry["org"]),
            "from": day(entry["from"]),
            "to": day(entry["to"]),
            "as_of": day(entry["as_of"]),
            "numerator": _count(entry["numerator"]),
            "denominator": _count(entry["denominator"], none=True),
        }
        if row["from"] > row["to"] or not row["from"] <= row["as_of"] <= latest:
            raise ValueError(entry)
        # A newer program in the district may know indicators that are not known here.
        if row["indicator"] in INDICATORS:
            rows.append(row)
    return rows


def _organisations(content: Content, district: Organisation) -> dict[str, int]:
    """Code -> id of the organisations told of; new ones are added under the district.

    Raises BundleRefused for one that stands elsewhere in the tree.
    """
    today = timezone.localdate()
    inside = below({district.id}, today)[district.id]
    try:
        told = {str(entry["code"])[:32]: entry for entry in content.organisations}
        known = dict(Organisation.objects.filter(code__in=told).values_list("code", "id"))
        if not set(known.values()) <= inside:
            raise BundleRefused(_("数据包里有不属于该区县的单位，不能接收。"))
        fresh = [
            Organisation(
                code=code,
                kind=str(entry["kind"])[:24],
                name=str(entry["name"])[:100],
                name_en=str(entry["name_en"])[:150],
            )
            for code, entry in told.items()
            if code not in known
        ]
    except (KeyError, TypeError):
        raise BundleRefused(_("数据包的内容不合规则，请区县重新生成。")) from None
    Organisation.objects.bulk_create(fresh)
    OrganisationEdge.objects.bulk_create(
        OrganisationEdge(
            parent=district, child=row, kind=EdgeKind.AUTHORITY, valid_from=dt.date(2000, 1, 1)
        )
        for row in fresh
    )
    return known | {row.code: row.id for row in fresh}


def _store(rows: list[dict[str, Any]], ids: dict[str, int]) -> int:
    """Write the readings, replacing those of the same days.  Returns how many."""
    now = timezone.now()
    unique = {(r["indicator"], r["org"], r["from"], r["to"], r["as_of"]): r for r in rows}
    readings = [
        Reading(
            indicator=row["indicator"],
            definition_version=row["version"],
            organisation_id=ids[row["org"]],
            period_from=row["from"],
            period_to=row["to"],
            as_of=row["as_of"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            value=INDICATORS[row["indicator"]].value(row["numerator"], row["denominator"]),
            computed_at=now,
        )
        for row in unique.values()
    ]
    Reading.objects.bulk_create(
        readings,
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["indicator", "organisation", "period_from", "period_to", "as_of"],
        update_fields=["definition_version", "numerator", "denominator", "value", "computed_at"],
    )
    return len(readings)

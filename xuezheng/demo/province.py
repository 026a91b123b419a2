"""A province installation: its office, ninety invented districts, and a signed bundle of each.

No such province, district or town exists; codes begin with 99, which no place has.  The bundles are
written, kept in the data folder and taken through the same service as real ones.
"""

import datetime as dt
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from xuezheng.demo.load import DemoRefused, is_empty, keep_signins
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, Post, User
from xuezheng.kernel.indicators.bundles import key_text, pack
from xuezheng.kernel.indicators.definitions import INDICATORS, Indicator
from xuezheng.kernel.indicators.province import manifest_entry, take_bundle, trust_key
from xuezheng.registry import roles
from xuezheng.registry.organisations import OrganisationKind

CODE = "99"
NAME, NAME_EN, SHORT = "瀛洄省教育厅", "Yinghui Provincial Department of Education", "瀛洄教育"
FIRST = [
    *(("汐", "Xi"), ("礁", "Jiao"), ("溯", "Su"), ("鹭", "Lu"), ("棹", "Zhao")),
    *(("珀", "Po"), ("潆", "Ying"), ("舸", "Ge"), ("霁", "Ji"), ("翎", "Ling")),
]
SECOND = [
    *(("汀", "ting"), ("渚", "zhu"), ("坞", "wu"), ("沚", "zhi"), ("岬", "jia")),
    *(("汊", "cha"), ("碛", "qi"), ("垭", "ya"), ("埠", "bu")),
]
TOWNS = [
    *(("望潮", "Wangchao"), ("听涛", "Tingtao"), ("启明", "Qiming"), ("白鸥", "Bai'ou")),
    *(("星槎", "Xingcha"), ("澄波", "Chengbo"), ("问渔", "Wenyu"), ("灯塔", "Dengta")),
    *(("翠屏", "Cuiping"), ("鸣沙", "Mingsha"), ("琢玉", "Zhuoyu"), ("晨汐", "Chenxi")),
]
#: Districts (in the order of making) whose bundle is late: the board has something to chase.
LATE = (17, 62)
SINCE = dt.date(2020, 1, 1)
SIGNIN = ["province", "省级统计：各区县指标", "Province: figures of all districts"]


@dataclass(frozen=True)
class Unit:
    """A town of a district: its size (rows a year of a middling indicator)."""

    code: str
    size: int


def days_of_reading(today: dt.date, last: dt.date) -> list[dt.date]:
    """Quarter ends of the two years before, month ends of this one, and the last day."""
    days = []
    for year in (today.year - 2, today.year - 1, today.year):
        for month in range(1, 13):
            if year < today.year and month % 3:
                continue
            end = (dt.date(year, month, 28) + dt.timedelta(days=4)).replace(day=1)
            days.append(end - dt.timedelta(days=1))
    return [*(day for day in days if day < last), last]


def _figures(
    indicator: Indicator, units: list[Unit], days: list[dt.date], chance: random.Random
) -> Iterator[dict[str, Any]]:
    """Readings of the towns and of their sum: a level of the district's own that rises by years."""
    level, rise = chance.uniform(0.62, 0.93), chance.uniform(-0.01, 0.04)
    if not indicator.higher_is_better:
        level, rise = 1 - level, -rise
    # What is no share is a mean of something between ten and forty-five.
    mean = 1.0 if indicator.scale == 100 else chance.uniform(10, 45) / indicator.scale
    own = {unit.code: chance.uniform(-0.06, 0.06) for unit in units}
    district = units[0].code[:6]
    for day in days:
        share = min(0.99, max(0.02, level + rise * (day.year - days[0].year)))
        passed = day.timetuple().tm_yday / 365
        totals = [0, 0]
        for unit in units:
            den = max(1, round(unit.size * passed))
            num = round(den * min(1.0, max(0.0, share + own[unit.code])) * mean)
            totals = [totals[0] + num, totals[1] + den]
            yield _entry(indicator, unit.code, day, num, den)
        yield _entry(indicator, district, day, *totals)


def _entry(indicator: Indicator, org: str, day: dt.date, num: int, den: int) -> dict[str, Any]:
    return {
        "indicator": indicator.key,
        "version": indicator.version,
        "org": org,
        "from": dt.date(day.year, 1, 1).isoformat(),
        "to": dt.date(day.year, 12, 31).isoformat(),
        "as_of": day.isoformat(),
        "numerator": num,
        "denominator": den,
    }


def _districts(chance: random.Random) -> list[dict[str, str]]:
    """Ninety districts in nine prefectures of ten."""
    found = []
    for city, second in enumerate(SECOND, start=1):
        for place, first in enumerate(FIRST, start=1):
            kind, kind_en = chance.choice([("区", "District"), ("县", "County"), ("市", "City")])
            found.append(
                {
                    "code": f"{CODE}{city:02d}{place:02d}",
                    "kind": OrganisationKind.DISTRICT,
                    "name": f"{first[0]}{second[0]}{kind}",
                    "name_en": f"{first[1]}{second[1]} {kind_en}",
                }
            )
    return found


def _bundle(
    district: dict[str, str],
    key: Ed25519PrivateKey,
    chance: random.Random,
    days: list[dt.date],
    now: dt.datetime,
) -> bytes:
    towns = chance.sample(TOWNS, chance.randint(5, 9))
    units = [
        Unit(f"{district['code']}-{n:02d}", chance.randint(20, 90))
        for n in range(1, len(towns) + 1)
    ]
    organisations = [district] + [
        {
            "code": unit.code,
            "kind": OrganisationKind.TOWN,
            "name": f"{zh}镇",
            "name_en": f"{en} Town",
        }
        for unit, (zh, en) in zip(units, towns, strict=True)
    ]
    readings = [
        entry
        for indicator in INDICATORS.values()
        for entry in _figures(indicator, units, days, chance)
    ]
    rows = sum(unit.size for unit in units)
    facts = [
        {"view": view, "org": district["code"], "rows": rows * times, "sums": {}}
        for view, times in (("hazard", 3), ("milestone", 1))
    ]
    return pack(
        manifest_entry(district["code"], days[-1], now), organisations, readings, facts, key=key
    )


def load_province(today: dt.date | None = None) -> int:
    """Load a province into an empty database; returns how many bundles were taken.

    Raises DemoRefused when there is data already.
    """
    if not is_empty():
        raise DemoRefused("数据库里已有数据，示例省只能装入空库 / the database is not empty")
    today = today or timezone.localdate()
    chance = random.Random(99)
    password = f"yinghui-{secrets.token_hex(4)}"
    by = JobActor("demo")
    folder = Path(settings.DATA_DIR) / "bundles"
    folder.mkdir(parents=True, exist_ok=True)
    districts = _districts(chance)
    with transaction.atomic():
        top = Organisation.objects.create(
            code=CODE,
            kind=OrganisationKind.PROVINCE,
            name=NAME,
            name_en=NAME_EN,
            short_name=SHORT,
        )
        rows = Organisation.objects.bulk_create(
            Organisation(**entry, order=n) for n, entry in enumerate(districts, start=1)
        )
        OrganisationEdge.objects.bulk_create(
            OrganisationEdge(parent=top, child=row, kind=EdgeKind.AUTHORITY, valid_from=SINCE)
            for row in rows
        )
        user = User.objects.create_user("province", password, name="闻澜", name_en="Wen Lan")
        Post.objects.create(
            user=user,
            organisation=top,
            role=roles.PROVINCE_OFFICER,
            title="统计处主管",
            title_en="Head of statistics",
            valid_from=SINCE,
        )
        now = timezone.now()
        for number, district in enumerate(districts):
            key = Ed25519PrivateKey.generate()
            last = today - dt.timedelta(days=50 if number in LATE else 1)
            data = _bundle(district, key, chance, days_of_reading(today, last), now)
            (folder / f"{district['code']}.tar").write_bytes(data)
            trust_key(code=district["code"], public_key=key_text(key.public_key()), by=by)
            take_bundle(data=data, by=by)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    keep_signins([[SIGNIN[0], password, *SIGNIN[1:]]])
    return len(districts)

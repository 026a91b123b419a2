"""A season on the demo district and families with finished drafts, ready to press the button.

`python -m benchmarks.families COUNT` prepares them in the database of the environment, whose program
may be running, and prints one JSON line for each: {"draft", "cookie"}.
"""

import datetime as dt
import json
import sys
import time
import uuid
from dataclasses import asdict, dataclass

#: A district's schools and areas; every area has parts in roads, as the published ones do.
SCHOOLS = 40
PARTS = 6
#: What stands in the form and in the cookie (Django compares the two; any 32 characters do).
TOKEN = "0123456789abcdefghijklmnopqrstuv"


@dataclass(frozen=True)
class Family:
    """`draft`: the key of the finished draft; `cookie`: what the signed-in browser sends."""

    draft: str
    cookie: str


def season():
    """An open season of the demo's bureau with a full set of areas, made at the first call."""
    from django.utils import timezone

    from xuezheng.domains.admissions.models import Intake, Redirection, Season, Zone, ZonePart
    from xuezheng.kernel.access.models import Organisation
    from xuezheng.registry.models import Community

    bureau = Organisation.objects.get(code="XL")
    now = timezone.now()
    today = timezone.localdate(now)
    # Three years on: the demo has seasons of its own.
    made, is_new = Season.objects.get_or_create(
        organisation=bureau,
        year=today.year + 3,
        level="primary",
        defaults={
            "title": "开闸一分钟",
            "state": Season.State.OPEN,
            "opens_at": now - dt.timedelta(days=1),
            "closes_at": now + dt.timedelta(days=6),
        },
    )
    if not is_new:
        return made
    schools = list(Organisation.objects.filter(kind="primary").order_by("id")[:SCHOOLS])
    intakes = Intake.objects.bulk_create(
        Intake(season=made, school=school, places=200, classes=5) for school in schools
    )
    Redirection.objects.bulk_create(
        Redirection(intake=intakes[n], target=intakes[(n + 1) % len(intakes)], rank=1)
        for n in range(len(intakes))
    )
    communities = list(Community.objects.order_by("code"))
    zones = Zone.objects.bulk_create(
        Zone(season=made, code=f"R{n}", name=f"片区{n}") for n in range(len(schools))
    )
    for zone, school in zip(zones, schools, strict=True):
        zone.schools.add(school)
    ZonePart.objects.bulk_create(
        ZonePart(zone=zones[n % len(zones)], community=community, road=road)
        for n, community in enumerate(communities)
        for road in ("", *(f"测试路{part}" for part in range(1, PARTS)))
    )
    return made


def prepare(count: int) -> list[Family]:
    """Write that many families: a person who is signed in, with a draft that lacks nothing."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.utils.crypto import get_random_string

    from xuezheng.domains.admissions.models import Draft
    from xuezheng.kernel.access.models import Session, User
    from xuezheng.kernel.access.signin import sessions

    in_season = season()
    first = User.objects.count()
    people = User.objects.bulk_create(
        [
            User(username=f"rush-{first + n}", name="家长", password="!", is_active=True)
            for n in range(count)
        ],
        batch_size=2000,
    )
    now = int(time.time())
    drafts, rows, families = [], [], []
    dwellings = _addresses(in_season.id, count)
    for number, person in enumerate(people):
        data = {
            SESSION_KEY: str(person.pk),
            BACKEND_SESSION_KEY: sessions.BACKEND,
            HASH_SESSION_KEY: person.get_session_auth_hash(),
            sessions.SIGNED_IN: now,
            # The rush lasts a minute: a session that has just been used is not written again.
            sessions.SEEN: now + 600,
            sessions.IDLE: 7200,
            sessions.ABSOLUTE: 43_200,
            sessions.FRESH: now + 7200,
            sessions.HANDLE: str(uuid.uuid4()),
        }
        row = Session(
            session_key=get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789"),
            session_data=sessions.SessionStore().encode(data),
            expire_date=dt.datetime.now(dt.UTC) + dt.timedelta(hours=12),
        )
        row.fill(data)
        rows.append(row)
        drafts.append(
            Draft(
                id=uuid.uuid4(),
                season=in_season,
                user=person,
                answers=json.dumps(_answers(first + number, dwellings[number]), ensure_ascii=False),
                consented_at=dt.datetime.now(dt.UTC),
                consent_version="1",
            )
        )
        families.append(
            Family(str(drafts[-1].id), f"sessionid={row.session_key}; csrftoken={TOKEN}")
        )
    Session.objects.bulk_create(rows, batch_size=2000)
    Draft.objects.bulk_create(drafts, batch_size=2000)
    return families


def _addresses(season_id: int, count: int) -> list[dict]:
    """Where they live: dwellings that the district knows, one for each, in the season's communities."""
    from xuezheng.domains.admissions.models import ZonePart
    from xuezheng.registry.models import Dwelling

    communities = ZonePart.objects.filter(zone__season=season_id).values("community")
    found = [
        {
            "community": row.community.code,
            "road": row.road,
            "number": row.number,
            "suffix": row.suffix,
            "building": row.building,
            "room": row.room,
        }
        for row in Dwelling.objects.filter(community__in=communities)
        .select_related("community")
        .order_by("id")[:count]
    ]
    return [found[n % len(found)] for n in range(count)]


def _number(serial: int, born: dt.date) -> str:
    """A citizen number of an area that does not exist, another one for each serial below 900,000."""
    from xuezheng.registry.codes import citizen_check

    body = f"{999_000 + serial // 900:06d}{born:%Y%m%d}{100 + serial % 900:03d}"
    return body + citizen_check(body)


def _answers(serial: int, dwelling: dict) -> dict:
    year = dt.date.today().year
    return {
        "child_name": "周小禾",
        "id_number": _number(serial, dt.date(year - 6, 3, 5)),
        "guardian_name": "周大山",
        "guardian_id": _number(serial, dt.date(1990, 5, 5)),
        "relation": "51",
        "phone": f"139{serial:08d}",
        "register": dwelling,
        "register_date": f"{year - 6}-06-01",
        "home": dwelling,
        "owner": "parent",
        "share": 100,
        "title": "deed",
        "title_date": "2019-01-01",
        "checks": {
            "police": {
                "state": "confirmed",
                "facts": {"register_date": f"{year - 6}-06-01"},
                "asked_at": f"{year}-01-01T00:00:00+00:00",
                "answered_at": f"{year}-01-01T00:00:01+00:00",
            },
            "property": {
                "state": "confirmed",
                "facts": {"share": 100},
                "asked_at": f"{year}-01-01T00:00:00+00:00",
                "answered_at": f"{year}-01-01T00:00:01+00:00",
            },
        },
    }


if __name__ == "__main__":
    import django

    django.setup()
    for family in prepare(int(sys.argv[1])):
        print(json.dumps(asdict(family)))

"""A tiny season for tests: a primary school with few places, one that takes the rest, a private one.

海沿社区 belongs to 东澳小学, 山前村 to 南礁小学; 东澳小学 redirects to 南礁小学; 启航小学 draws.
"""

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.utils import timezone

from tests.district import SINCE, District
from xuezheng.domains import admissions
from xuezheng.domains.admissions.models import Intake, Redirection, RuleSet, Season, Zone, ZonePart
from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, User
from xuezheng.registry import roles
from xuezheng.registry.codes import citizen_check
from xuezheng.registry.models import Community
from xuezheng.registry.organisations import OrganisationKind

LADDERS = Path(admissions.__file__).parent / "ladders"


@dataclass
class SeasonRoom:
    """The season with its intakes by school code, and families by name."""

    district: District
    season: Season
    intakes: dict[str, Intake]
    communities: dict[str, Community]
    zones: dict[str, Zone]
    families: dict[str, User] = field(default_factory=dict)

    def family(self, name: str) -> StaffActor:
        """A person without any post, made at the first mention."""
        if name not in self.families:
            self.families[name] = User.objects.create_user(f"p-{name}", name=name)
        return StaffActor(self.families[name])


def child_id(number: int, born: dt.date) -> str:
    """A valid citizen number of an unassigned area."""
    body = f"999900{born:%Y%m%d}{number:03d}"
    return body + citizen_check(body)


def ladder(name: str = "register_first") -> dict:
    """One of the shipped rule sets."""
    return json.loads((LADDERS / f"{name}.json").read_text(encoding="utf-8"))


def make_season(district: District, *, state: str = "open", places: int = 2) -> SeasonRoom:
    """Write the season; for tests with real transactions, which cannot take the fixture."""
    now, orgs = timezone.now(), district.orgs
    today = timezone.localdate(now)
    for code, name, town in (("S3", "南礁小学", "T2"), ("P1", "启航小学", "T1")):
        orgs[code] = Organisation.objects.create(
            code=code, name=name, name_en=f"Org {code}", kind=OrganisationKind.PRIMARY, order=50
        )
        for parent, kind in (("B", EdgeKind.AUTHORITY), (town, EdgeKind.AREA)):
            OrganisationEdge.objects.create(
                parent=orgs[parent], child=orgs[code], kind=kind, valid_from=SINCE
            )
    district.hold("admit", roles.ADMISSIONS_OFFICER, "B-BASE")
    district.hold("sec3", roles.SITE_SECRETARY, "S3")
    rule_set = RuleSet.objects.create(
        organisation=orgs["B"], name="户籍优先", level="primary", number=1, data=ladder(),
        adopted_on=today - dt.timedelta(days=60), meeting_number="教党〔2026〕3号",
    )  # fmt: skip
    season = Season.objects.create(
        organisation=orgs["B"],
        year=today.year,
        level="primary",
        title=f"{today.year}年小学招生",
        state=state,
        rule_set=rule_set,
        opens_at=now - dt.timedelta(days=1),
        closes_at=now + dt.timedelta(days=6),
        faults_until=today + dt.timedelta(days=10),
        result_on=today + dt.timedelta(days=20),
        arrival_on=today + dt.timedelta(days=40),
        phone="0000-1234567",
    )
    intakes = {
        "S1": Intake.objects.create(season=season, school=orgs["S1"], places=places, classes=1),
        "S3": Intake.objects.create(season=season, school=orgs["S3"], places=20, classes=1),
        "P1": Intake.objects.create(
            season=season, school=orgs["P1"], places=1, classes=1,
            mode=Intake.Mode.CHOICE, draw_when_over=True,
        ),
    }  # fmt: skip
    Redirection.objects.create(intake=intakes["S1"], target=intakes["S3"], rank=1)
    communities, zones = {}, {}
    for key, code, name, town, school in (
        ("shore", "999900002001", "海沿社区", "T1", "S1"),
        ("hill", "999900002002", "山前村", "T2", "S3"),
    ):
        communities[key] = Community.objects.create(
            town=orgs[town], code=code, name=name, kind="community"
        )
        zones[key] = Zone.objects.create(season=season, code=f"Z-{school}", name=f"{name}片区")
        zones[key].schools.add(orgs[school])
        ZonePart.objects.create(zone=zones[key], community=communities[key])
    return SeasonRoom(district, season, intakes, communities, zones)


@pytest.fixture
def room(district: District) -> SeasonRoom:
    """The tiny season, open."""
    return make_season(district)

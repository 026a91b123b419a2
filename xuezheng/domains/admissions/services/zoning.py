"""Service areas: keeping them, answering where an address belongs and why, finding gaps and overlaps."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Intake, RollEntry, Season, Zone, ZonePart
from xuezheng.domains.admissions.rules.ages import birth_span
from xuezheng.domains.admissions.rules.zones import Atlas, Part, Place, Side, survey
from xuezheng.domains.admissions.selectors import atlas
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.fence import counting_all
from xuezheng.kernel.access.models import Organisation, Post
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.models import Community, Dwelling, Residence
from xuezheng.registry.services.common import locked

#: Stages of a season in which its areas and places may still change; after the first with a reason.
CHANGEABLE = (Season.State.PREPARING, Season.State.OPEN, Season.State.CHECKING)


# -- words ------------------------------------------------------------------------------------------
def part_words(part: Part, community: str) -> str:
    """One line of an area in words: `海沿社区望海路单号 1–99 号`."""
    words = community + part.road
    if part.side != Side.BOTH:
        words += " " + (_("单号") if part.side == Side.ODD else _("双号"))
    if part.first is not None and part.last is not None:
        words += " " + _("%(first)d–%(last)d 号") % {"first": part.first, "last": part.last}
    elif part.first is not None:
        words += " " + _("%d 号起") % part.first
    elif part.last is not None:
        words += " " + _("%d 号止") % part.last
    if part.buildings:
        words += " " + _("%s 幢") % "、".join(sorted(part.buildings))
    return words if part.road or part.buildings else _("%s全部") % words


def place_words(place: Place, community: str) -> str:
    """An address in words."""
    words = community + place.road
    words += _("%s号") % place.number if place.number is not None else ""
    return words + (_("%s幢") % place.building if place.building else "")


# -- look-up ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ZoneHit:
    """An area that covers an address: its schools, and the line that says so in words."""

    zone: Zone
    schools: tuple[Organisation, ...]
    because: str


@dataclass(frozen=True)
class ZoneAnswer:
    """What a look-up answers.  No hit: nothing found; several: areas that overlap there."""

    hits: tuple[ZoneHit, ...]
    sentence: str
    advice: str = ""

    @property
    def schools(self) -> tuple[Organisation, ...]:
        """All schools of the answer, each once."""
        return tuple(dict.fromkeys(school for hit in self.hits for school in hit.schools))


def explain_zone(season: Season, place: Place) -> ZoneAnswer:
    """Which area an address belongs to, and why, in words for everybody (three queries)."""
    rows = list(
        ZonePart.objects.filter(
            zone__season=season, community__code=place.community
        ).select_related("community")
    )
    found = Atlas(row.as_part(str(row.zone_id), row.community.code) for row in rows).find(place)
    if not found.zones:
        return ZoneAnswer((), _("没有查到这个地址的服务区。"), _advice(season))
    name = rows[0].community.name
    because = {part.zone: part_words(part, name) for part in found.parts}
    zones = Zone.objects.filter(id__in=[int(zone) for zone in found.zones])
    hits = tuple(
        ZoneHit(zone, tuple(zone.schools.all()), because[str(zone.id)])
        for zone in zones.prefetch_related("schools").order_by("code")
    )
    lines = [
        _("%(part)s → %(schools)s")
        % {"part": hit.because, "schools": "、".join(str(school) for school in hit.schools)}
        for hit in hits
    ]
    advice = ""
    if len(hits) > 1:
        advice = _("这个地址同时列在几个服务区里，须由教育局核定。") + _advice(season)
    elif len(hits[0].schools) > 1:
        advice = _("这一片由几所学校共同招生，按志愿和录取顺位确定。")
    return ZoneAnswer(hits, "；".join(lines), advice)


def _advice(season: Season) -> str:
    if season.phone:
        return _("请拨打咨询电话 %s 核对。") % season.phone
    return _("请向教育局核对。")


# -- keeping ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Line:
    """One line of an area as somebody enters it."""

    community_id: int
    road: str = ""
    side: str = ""
    first: int | None = None
    last: int | None = None
    buildings: tuple[str, ...] = ()


def may_change(season: Season, permission: str, *, reason: str, by: Actor) -> Post | None:
    """The post for a change of a season's places or areas.

    Raises PermissionDenied, OutOfScope; StepRefused once the roll is frozen, and without a reason once
    families register.
    """
    post = by.post_for(permission, season.organisation_id)
    if season.state not in CHANGEABLE:
        raise StepRefused(_("名册已封存，不能再改。"))
    if season.state != Season.State.PREPARING and not reason.strip():
        raise StepRefused(_("登记已经开始，修改须写明理由。"))
    return post


@transaction.atomic
def save_zone(
    season: Season,
    zone: Zone | None,
    *,
    code: str,
    name: str,
    schools: Sequence[int],
    lines: Sequence[Line],
    version: int | None = None,
    reason: str = "",
    by: Actor,
) -> Zone:
    """Write an area with its schools (ids of organisations with an intake of the season) and lines.

    Raises PermissionDenied, OutOfScope, StepRefused (a frozen season, a stale version, a doubled line,
    a code that another area has, a school that takes no part).
    """
    post = may_change(season, Permission.ZONES, reason=reason, by=by)
    is_new = zone is None
    zone = locked(zone, version) if zone else Zone(season=season, version=0)
    taken = Zone.objects.filter(season=season, code=code).exclude(pk=zone.pk)
    if taken.exists():
        raise StepRefused(_("编号 %s 已经用过。") % code)
    taking = set(Intake.objects.filter(season=season).values_list("school_id", flat=True))
    if not schools or set(schools) - taking:
        raise StepRefused(_("服务区的学校须在本批次的招生计划里。"))
    if not lines:
        raise StepRefused(_("至少写一行范围。"))
    if len(set(lines)) < len(lines):
        raise StepRefused(_("有两行范围相同。"))
    zone.code, zone.name, zone.version = code, name, zone.version + 1
    zone.save()
    zone.schools.set(schools)
    zone.parts.all().delete()
    ZonePart.objects.bulk_create(
        ZonePart(
            zone=zone,
            community_id=line.community_id,
            road=line.road,
            side=line.side,
            first=line.first,
            last=line.last,
            buildings=list(line.buildings),
        )
        for line in lines
    )
    _noted("admissions.zone_add" if is_new else "admissions.zone_edit", zone, post, reason, by)
    return zone


@transaction.atomic
def remove_zone(zone: Zone, *, reason: str = "", by: Actor) -> None:
    """Take an area away.  Raises what `save_zone` raises."""
    post = may_change(zone.season, Permission.ZONES, reason=reason, by=by)
    _noted("admissions.zone_remove", zone, post, reason, by)
    zone.delete()


def _noted(action: str, zone: Zone, post: Post | None, reason: str, by: Actor) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=zone.season.organisation_id,
        object_type="zone",
        object_id=zone.pk,
        reason=reason,
        detail={"code": zone.code, "season": zone.season_id},
    )


# -- survey -----------------------------------------------------------------------------------------
Counts = Mapping[Place, int]


@dataclass
class Finding:
    """Places of one road that share a fault: how many dwellings and children, which numbers."""

    community: str
    road: str
    what: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    dwellings: int = 0
    children: int = 0
    numbers: list[int] = field(default_factory=list)

    @property
    def words(self) -> str:
        """`海沿社区望海路 1–9 号`."""
        if not self.numbers:
            return self.community + self.road
        low, high = min(self.numbers), max(self.numbers)
        span = _("%s 号") % low if low == high else _("%(first)d–%(last)d 号") % {
            "first": low, "last": high
        }  # fmt: skip
        return f"{self.community}{self.road} {span}"


@dataclass(frozen=True)
class SurveyResult:
    """What checking a season's areas against every dwelling found; sums are those of all findings."""

    earlier: Season | None
    dwellings: int
    children: int
    gaps: list[Finding]
    overlaps: list[Finding]
    changes: list[Finding]

    @staticmethod
    def sums(findings: Sequence[Finding]) -> tuple[int, int]:
        """Dwellings and children of findings."""
        return sum(f.dwellings for f in findings), sum(f.children for f in findings)


def dwelling_counts() -> Counter[Place]:
    """Dwellings by place, flats of one building together (one query)."""
    keys = ("community__code", "road", "number", "building")
    rows = Dwelling.objects.order_by().values_list(*keys).annotate(n=Count("id"))
    return Counter({Place(*key): n for *key, n in rows})


def child_counts(season: Season) -> Counter[Place]:
    """Children of the season by the place where the roll has them, else where the registry has
    children of that age.  Numbers only, whoever asks (one or two queries).
    """
    with counting_all():
        rows = _grouped(RollEntry.objects.filter(season=season, dwelling__isnull=False))
        span = birth_span(season.level, season.year)
        if not rows and span:
            rows = _grouped(
                Residence.objects.filter(
                    kind=Residence.Kind.REGISTER,
                    valid_to__isnull=True,
                    pupil__born_on__range=span,
                )
            )
    return Counter(rows)


def _grouped(rows: QuerySet) -> dict[Place, int]:
    keys = ("community__code", "road", "number", "building")
    named = [f"dwelling__{key}" for key in keys]
    counted = rows.order_by().values_list(*named).annotate(n=Count("pk"))
    return {Place(*key): n for *key, n in counted}


def earlier_season(season: Season) -> Season | None:
    """The season before this one, of the same authority and level."""
    before = Season.objects.filter(
        organisation=season.organisation, level=season.level, year__lt=season.year
    )
    return before.order_by("-year").first()


def survey_areas(season: Season, *, by: Actor) -> SurveyResult:
    """Gaps, overlaps and what changed since the season before, over every dwelling (nine queries).

    A change is one of schools, not of an area's name.  Raises PermissionDenied, OutOfScope.
    """
    by.post_for(Permission.ZONES, season.organisation_id)
    earlier = earlier_season(season)
    dwellings, children = dwelling_counts(), child_counts(season)
    names = dict(Community.objects.values_list("code", "name"))
    # A child may be registered where no dwelling is on record any more: it counts all the same.
    places = list(dict.fromkeys([*dwellings, *children]))
    schools = {str(zone): names for zone, names in schools_of_zones(season).items()}
    own = survey(places, atlas(season), _by_schools(earlier) if earlier else None, schools)
    titles = dict(Zone.objects.filter(season=season).values_list("id", "name"))

    def found(items: Mapping[Place, tuple[tuple[str, ...], tuple[str, ...]]]) -> list[Finding]:
        merged: dict[tuple, Finding] = {}
        for place, (before, now) in items.items():
            key = (place.community, place.road, before, now)
            finding = merged.setdefault(
                key, Finding(names[place.community], place.road, now, before)
            )
            finding.dwellings += dwellings[place]
            finding.children += children[place]
            if place.number is not None:
                finding.numbers.append(place.number)
        return sorted(merged.values(), key=lambda f: (-f.children, -f.dwellings, f.words))

    return SurveyResult(
        earlier,
        sum(dwellings.values()),
        sum(children.values()),
        found({place: ((), ()) for place in own.gaps}),
        found(
            {
                place: ((), tuple(titles[int(zone)] for zone in zones))
                for place, zones in own.overlaps.items()
            }
        ),
        found(own.changed),
    )


def _by_schools(season: Season) -> Atlas:
    """The season's areas, named by their schools (three queries)."""
    schools = schools_of_zones(season)
    rows = ZonePart.objects.filter(zone__season=season).select_related("community")
    return Atlas(row.as_part(schools[row.zone_id], row.community.code) for row in rows)


def schools_of_zones(season: Season) -> dict[int, str]:
    """Area id -> names of its schools in order (two queries)."""
    zones = Zone.objects.filter(season=season).prefetch_related("schools")
    return {zone.id: "、".join(str(s) for s in zone.schools.all()) for zone in zones}


# -- map --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Tile:
    """A community on the map: the areas that have lines in it, with their place in the legend."""

    community: Community
    areas: tuple[tuple[int, Zone], ...]


def tiles_of(season: Season) -> list[tuple[str, list[Tile]]]:
    """(town, communities) of the whole district, for the map (four queries)."""
    zones = {zone.id: zone for zone in Zone.objects.filter(season=season)}
    order = {key: at for at, key in enumerate(zones)}
    inside: dict[int, list[int]] = defaultdict(list)
    pairs = ZonePart.objects.filter(zone__season=season).order_by("zone__code")
    for community_id, zone_id in pairs.values_list("community_id", "zone_id"):
        if zone_id not in inside[community_id]:
            inside[community_id].append(zone_id)
    towns: dict[str, list[Tile]] = defaultdict(list)
    rows = Community.objects.select_related("town").order_by("town__order", "town_id", "code")
    for community in rows:
        areas = tuple((order[key], zones[key]) for key in inside.get(community.id, ()))
        towns[str(community.town)].append(Tile(community, areas))
    return list(towns.items())

"""Service areas as a workbook: one line of an area in a row.  All of the line is its key."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.exchange.plans import (
    intakes_of,
    joined,
    season_field,
    settle_schools,
    settle_season,
    split,
)
from xuezheng.domains.admissions.models import Season, Zone, ZonePart
from xuezheng.domains.admissions.models.zones import SIDES
from xuezheng.kernel.exchange.staging import CHUNK
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.exchange.addresses import settle_community

#: Registration under way: areas are changed on their page, with a reason.
STATES = (Season.State.PREPARING.value,)
BOTH = "both"
SIDE_CHOICES = {BOTH: SIDES[0][1], "odd": SIDES[1][1], "even": SIDES[2][1]}


class ZoneKeeper(Keeper):
    """Writes lines, and the areas that they name; name and schools are those of the area."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """Season, community, schools with places; an area has one name and one set of schools."""
        areas: dict[tuple, tuple[str, str]] = run.memo.setdefault("areas", {})
        for row in rows:
            row.links = {}
            values = row.values
            season = settle_season(row, run, Permission.ZONES, *STATES)
            community = settle_community(row, run)
            schools = settle_schools(row, run, "schools")
            if not values.get("code"):
                row.wrong("code", _("必填，没有内容。"), _("补上。"))
            self._check_line(row)
            if season is None or community is None or row.problems:
                continue
            taking = intakes_of(season, run)
            for school in schools:
                if school.id not in taking:
                    row.wrong(
                        "schools",
                        _("“%s”不在本批次的招生计划里。") % school,
                        _("先导入招生计划。"),
                    )
            values["schools"] = joined(schools)
            area = (season.id, values["code"])
            said = (values.get("name", ""), values["schools"])
            if areas.setdefault(area, said) != said:
                row.wrong("code", _("同一编号的服务区前面写的名称或学校不同。"), _("改成一致。"))
            buildings = split(values.get("buildings", ""))
            if buildings:
                values["buildings"] = joined(buildings)
            row.links |= {"season": season, "community": community, "schools": schools}
            row.links["buildings"] = buildings
            if not row.problems:
                row.key = (
                    *area, community.id, values.get("road", ""), values.get("side") or BOTH,
                    _integer(values, "first"), _integer(values, "last"), tuple(buildings),
                )  # fmt: skip

    @staticmethod
    def _check_line(row: Row) -> None:
        values = row.values
        first, last = _integer(values, "first"), _integer(values, "last")
        side = values.get("side", BOTH) != BOTH
        narrowed = side or first is not None or last is not None or values.get("buildings")
        if narrowed and not values.get("road"):
            row.wrong("road", _("写了单双号、号段或幢，就要写道路。"), _("补上道路。"))
        if first is not None and last is not None and last < first:
            row.wrong("last", _("截止号不能小于起始号。"), _("核对号段。"))

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Lines of the areas that the rows name (three queries)."""
        base = (
            ZonePart.objects.filter(
                zone__season__in={row.key[0] for row in rows},
                zone__code__in={row.key[1] for row in rows},
            )
            .select_related("zone", "community")
            .prefetch_related("zone__schools")
        )
        if lock:
            base = base.select_for_update(of=("self",))
        return {_key(part): Existing(self._values(part), part, part.zone.version) for part in base}

    @staticmethod
    def _values(part: ZonePart) -> dict[str, Any]:
        return {
            "season": str(part.zone.season_id),
            "code": part.zone.code,
            "name": part.zone.name,
            "schools": joined(part.zone.schools.all()),
            "community": part.community.code,
            "road": part.road,
            "side": part.side or BOTH,
            "first": "" if part.first is None else part.first,
            "last": "" if part.last is None else part.last,
            "buildings": joined(part.buildings),
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each line."""
        rows = rows.select_related("zone", "community").prefetch_related("zone__schools")
        for part in rows.iterator(chunk_size=CHUNK):
            yield self._values(part)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Lines, with their areas where these are new."""
        zones = self._zones(rows)
        for row in rows:
            area = row.key[:2]
            if area not in zones:
                zone = Zone.objects.create(
                    season=row.links["season"],
                    code=row.values["code"],
                    name=row.values.get("name") or row.values["code"],
                )
                zone.schools.set(row.links["schools"])
                zones[area] = zone
        ZonePart.objects.bulk_create(
            ZonePart(
                zone=zones[row.key[:2]],
                community=row.links["community"],
                road=row.key[3],
                side="" if row.key[4] == BOTH else row.key[4],
                first=row.key[5],
                last=row.key[6],
                buildings=row.links["buildings"],
            )
            for row in rows
        )

    @staticmethod
    def _zones(rows: Sequence[Row]) -> dict[tuple, Zone]:
        held = Zone.objects.filter(
            season__in={row.key[0] for row in rows}, code__in={row.key[1] for row in rows}
        )
        return {(zone.season_id, zone.code): zone for zone in held}

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Name and schools of the area; the rest of a line is its key."""
        done: set[int] = set()
        for row, stored in rows:
            zone: Zone = stored.row.zone
            if zone.id in done:
                continue
            done.add(zone.id)
            if "name" in row.old:
                zone.name = row.values["name"]
            if "schools" in row.old:
                zone.schools.set(row.links["schools"])
            zone.version += 1
            zone.save()

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Lines, and areas that have none left."""
        zones = {stored.row.zone_id for _row, stored in rows}
        ZonePart.objects.filter(pk__in=[stored.row.pk for _row, stored in rows]).delete()
        Zone.objects.filter(pk__in=zones, parts__isnull=True).delete()


def _integer(values: dict[str, Any], key: str) -> int | None:
    value = values.get(key)
    return None if value in ("", None) else int(value)


def _key(part: ZonePart) -> tuple:
    return (
        part.zone.season_id, part.zone.code, part.community_id, part.road, part.side or BOTH,
        part.first, part.last, tuple(part.buildings),
    )  # fmt: skip


ZONES = Table(
    key="admissions_zones",
    title=gettext_lazy("服务区范围"),
    version="2026.1",
    fields=(
        season_field(*STATES),
        Field("code", gettext_lazy("服务区编号"), required=True, max_length=20, width=12),
        Field("name", gettext_lazy("服务区"), required=True, max_length=60, width=20),
        Field(
            "schools", gettext_lazy("学校"), required=True, max_length=300, width=28,
            help=gettext_lazy("几所学校用顿号隔开。"),
        ),
        Field(
            "community", gettext_lazy("社区（村）"), required=True, max_length=40, width=18,
            help=gettext_lazy("名称，或12位统计用区划代码。"),
        ),
        Field(
            "road", gettext_lazy("道路或自然村"), max_length=40, width=18,
            help=gettext_lazy("不填就是整个社区（村）。"),
        ),
        Field("side", gettext_lazy("单双号"), Kind.CHOICE, choices=SIDE_CHOICES, width=9),
        Field("first", gettext_lazy("起始号"), Kind.INTEGER, maximum=99_999, width=9),
        Field("last", gettext_lazy("截止号"), Kind.INTEGER, maximum=99_999, width=9),
        Field("buildings", gettext_lazy("幢"), max_length=200, width=18),
    ),
    permission=Permission.ZONES,
    keeper=ZoneKeeper(),
    identity=("code",),
    instructions=(
        gettext_lazy("一行是一个服务区的一段范围：整个社区（村），或一条路、一侧、一段门牌、几幢楼。"),
        gettext_lazy("导入只新增范围、改名称和学校；去掉一段范围在服务区页面上改。"),
    ),
)  # fmt: skip

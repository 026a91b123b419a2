"""Communities, dwellings, and where pupils are registered and live."""

import datetime as dt
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.exchange.bulk import insert_rows, referring, update_rows
from xuezheng.kernel.exchange.staging import CHUNK
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange import common
from xuezheng.registry.exchange.sites import towns
from xuezheng.registry.models import Community, Dwelling, Pupil, Residence
from xuezheng.registry.organisations import OrganisationKind

DAY = dt.timedelta(days=1)
PARTS = ("road", "number", "suffix", "building", "room")


def _statistics_code(text: str) -> tuple[str, str] | None:
    """国家统计局 统计用区划代码: twelve digits from province to village."""
    if len(text) == 12 and text.isdigit():
        return None
    return _("统计用区划代码是12位数字。"), _("照统计局公布的代码填写。")


class CommunityKeeper(Keeper):
    """Writes communities by their statistics code."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """The town by name, within reach."""
        reach = run.by.scope(Permission.ADDRESS_EDIT)
        for row in rows:
            row.links = {}
            values = row.values
            if not values.get("code"):
                row.wrong("code", _("必填，没有内容。"), _("补上。"))
            if values.get("town"):
                town = common.find_unit(values["town"], run, (OrganisationKind.TOWN,))
                if town is None or town.id not in reach:
                    row.wrong("town", _("没有叫这个名称的镇街。"), _("从下拉列表里选。"))
                else:
                    values["town"], row.links["town"] = town.code, town
            if not row.problems:
                row.key = values["code"]

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Communities by code."""
        base = Community.objects.filter(code__in=[row.key for row in rows])
        if lock:
            base = base.select_for_update()
        return {held.code: Existing(self._values(held, run), held) for held in base}

    @staticmethod
    def _values(held: Community, run: Run) -> dict[str, Any]:
        return {
            "code": held.code,
            "name": held.name,
            "kind": held.kind,
            "island": held.island,
            "town": common.code_of(held.town_id, run),
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each community."""
        for held in rows.iterator(chunk_size=CHUNK):
            yield self._values(held, run)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Communities of their towns."""
        lines = [
            (row.key, row.values["name"], row.values["kind"], row.values.get("island", ""),
             row.links["town"].id)
            for row in rows
        ]  # fmt: skip
        insert_rows(Community, ("code", "name", "kind", "island", "town"), lines)

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """All but the code."""
        lines = []
        for row, stored in rows:
            values = {**stored.values, **{key: row.values[key] for key in row.old}}
            town = row.links["town"].id if "town" in row.old else stored.row.town_id
            lines.append((stored.row.pk, values["name"], values["kind"], values["island"], town))
        update_rows(Community, ("name", "kind", "island", "town"), lines)

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Communities without dwellings."""
        _remove(Community, rows)


class DwellingKeeper(Keeper):
    """Writes dwellings.  All of a dwelling is its key: a file adds them, and changes none."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """The community by code or name."""
        reach = run.by.scope(Permission.ADDRESS_EDIT)
        for row in rows:
            row.links = {}
            community = settle_community(row, run)
            if community is None:
                continue
            if community.town_id not in reach:
                row.wrong("community", _("不在你可以维护的镇街。"), _("核对社区（村）。"))
            elif not row.values.get("road"):
                row.wrong("road", _("必填，没有内容。"), _("补上。"))
            else:
                row.key = dwelling_key(community.id, row.values)

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Dwellings by all their parts."""
        return {
            key: Existing(self._values(held), held)
            for key, held in dwellings_of([row.key for row in rows]).items()
        }

    @staticmethod
    def _values(held: Dwelling) -> dict[str, Any]:
        return {
            "community": held.community.code,
            **{part: "" if getattr(held, part) is None else getattr(held, part) for part in PARTS},
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each dwelling."""
        for held in rows.select_related("community").iterator(chunk_size=CHUNK):
            yield self._values(held)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Dwellings of their communities."""
        insert_rows(Dwelling, ("community", *PARTS), [row.key for row in rows])

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Nothing can differ: see `lookup`."""

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Dwellings where nobody is registered."""
        _remove(Dwelling, rows)


class ResidenceKeeper(Keeper):
    """Writes where a child is registered or lives; another dwelling ends the earlier residence."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """The child in reach, the dwelling there; who may add dwellings has missing ones made."""
        pupils = common.PupilFinder([row for row in rows if not row.values.get("ref")], run)
        for row in rows:
            row.links = {}
            values = row.values
            pupil = None if values.get("ref") else pupils.settle(row)
            community = settle_community(row, run)
            if community and not values.get("road"):
                row.wrong("road", _("必填，没有内容。"), _("补上。"))
            if not values.get("kind"):
                row.wrong("kind", _("必填，没有内容。"), _("补上。"))
            if values.get("since") and values["since"] > common.today():
                row.wrong("since", _("晚于今天。"), _("到那天再导入。"))
            if row.problems:
                continue
            row.links |= {"pupil": pupil, "dwelling": dwelling_key(community.id, values)}
            row.key = f"ref:{values['ref']}" if values.get("ref") else (pupil.pk, values["kind"])
        self._dwellings(rows, run)

    @staticmethod
    def _dwellings(rows: Sequence[Row], run: Run) -> None:
        reach = run.by.scope(Permission.ADDRESS_EDIT)
        held = dwellings_of([row.links["dwelling"] for row in rows if "dwelling" in row.links])
        towns = {community.id: community.town_id for community in _communities(run)}
        for row in rows:
            key = row.links.get("dwelling")
            if key and key not in held and towns[key[0]] not in reach:
                row.wrong(
                    "road", _("这个住址没有登记。"), _("请学籍管理员先导入住址，或核对门牌。")
                )

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Residences in force of children in reach, by child and kind."""
        pupils = [row.links["pupil"].pk for row in rows if row.links.get("pupil")]
        refs = [row.values["ref"] for row in rows if row.values.get("ref", "").isdigit()]
        base = Residence.objects.filter(
            pupil__in=Pupil.objects.visible_to(run.by), valid_to__isnull=True
        ).select_related("pupil", "dwelling__community")
        if lock:
            base = base.select_for_update(of=("self",))
        stored: dict[Hashable, Existing] = {}
        for held in [*base.filter(pupil__in=pupils), *base.filter(pk__in=refs)]:
            stored[(held.pupil_id, held.kind)] = stored[f"ref:{held.pk}"] = Existing(
                self._values(held), held
            )
        for row in rows:
            present = stored.get(row.key)
            if row.values.get("ref") and present is None:
                row.wrong("ref", _("没有这个编号的记录。"), _("删掉这一格，或用新的导出文件。"))
            elif present and self._moves(row, present) and not row.values.get("since"):
                row.values["since"] = common.today()
            if present and row.values.get("since") and row.values["since"] < present.row.valid_from:
                row.wrong("since", _("早于现住址的起始日。"), _("核对日期。"))
        return stored

    @staticmethod
    def _moves(row: Row, stored: Existing) -> bool:
        return any(
            row.values.get(part, "") != stored.values[part] for part in ("community", *PARTS)
        )

    @staticmethod
    def _values(held: Residence) -> dict[str, Any]:
        return {
            "ref": str(held.pk),
            "student_number": held.pupil.student_number or "",
            "pupil_id": held.pupil.id_number or "",
            "pupil_name": held.pupil.name,
            "kind": held.kind,
            "since": held.valid_from,
            **DwellingKeeper._values(held.dwelling),
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each residence in force."""
        rows = rows.filter(valid_to__isnull=True).select_related("pupil", "dwelling__community")
        for held in rows.iterator(chunk_size=CHUNK):
            yield self._values(held)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Residences from their day, else from today."""
        homes = self._homes(rows)
        lines = [
            (
                row.links["pupil"].pk,
                homes[row.links["dwelling"]],
                row.values["kind"],
                row.values.get("since") or common.today(),
            )
            for row in rows
        ]
        insert_rows(Residence, ("pupil", "dwelling", "kind", "valid_from"), lines)

    @staticmethod
    def _homes(rows: Sequence[Row]) -> dict[tuple, int]:
        """Dwelling parts -> key, after making those that are missing."""
        wanted = list(dict.fromkeys(row.links["dwelling"] for row in rows))
        held = dwellings_of(wanted)
        missing = [key for key in wanted if key not in held]
        if missing:
            insert_rows(Dwelling, ("community", *PARTS), missing)
            held |= dwellings_of(missing)
        return {key: dwelling.pk for key, dwelling in held.items()}

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Another dwelling from a later day ends the earlier residence; on the same day it corrects it."""
        homes = self._homes([row for row, _stored in rows])
        for row, stored in rows:
            held: Residence = stored.row
            since = row.values.get("since") or held.valid_from
            home = homes[row.links["dwelling"]]
            if run.undoing:
                self._back(held, home, since)
            elif since == held.valid_from or home == held.dwelling_id:
                held.dwelling_id, held.valid_from = home, since
                held.save()
            else:
                held.valid_to = since - DAY
                held.save()
                Residence.objects.create(
                    pupil_id=held.pupil_id, dwelling_id=home, kind=held.kind, valid_from=since
                )

    @staticmethod
    def _back(held: Residence, home: int, since: dt.date) -> None:
        """Open the earlier residence again where this one followed it."""
        before = Residence.objects.filter(
            pupil=held.pupil_id, kind=held.kind, dwelling=home, valid_to=held.valid_from - DAY
        ).first()
        if before is None:
            held.dwelling_id, held.valid_from = home, since
            held.save()
            return
        held.delete()
        before.valid_to = None
        before.save()

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """The residences; dwellings stay."""
        Residence.objects.filter(pk__in=[stored.row.pk for _row, stored in rows]).delete()


def _communities(run: Run) -> list[Community]:
    if "communities" not in run.memo:
        run.memo["communities"] = list(Community.objects.all())
    return run.memo["communities"]


def settle_community(row: Row, run: Run) -> Community | None:
    """The row's community by code or by a name that only one has; its code in the values."""
    given = row.values.get("community", "")
    named = [community for community in _by_name(run).get(common.name_key(given), ())]
    if not given:
        row.wrong("community", _("必填，没有内容。"), _("补上。"))
    elif len(named) != 1:
        text = _("没有这个社区（村）。") if not named else _("有几个社区（村）叫这个名称。")
        row.wrong("community", text, _("写12位统计用区划代码。"))
    else:
        row.values["community"] = named[0].code
        return named[0]
    return None


def _by_name(run: Run) -> dict[str, list[Community]]:
    if "community_names" not in run.memo:
        found: dict[str, list[Community]] = {}
        for community in _communities(run):
            for name in {community.code, community.name}:
                found.setdefault(common.name_key(name), []).append(community)
        run.memo["community_names"] = found
    return run.memo["community_names"]


def dwelling_key(community_id: int, values: dict[str, Any]) -> tuple:
    """All parts of a dwelling, as the table's unique constraint has them."""
    number = values.get("number")
    return (
        community_id,
        values.get("road", ""),
        number if number not in ("", None) else None,
        *(values.get(part, "") for part in PARTS[2:]),
    )


def dwellings_of(keys: Sequence[tuple]) -> dict[tuple, Dwelling]:
    """Dwellings by their parts; one query."""
    if not keys:
        return {}
    rows = Dwelling.objects.filter(
        community__in={key[0] for key in keys}, road__in={key[1] for key in keys}
    ).select_related("community")
    wanted = set(keys)
    found = {(row.community_id, *(getattr(row, part) for part in PARTS)): row for row in rows}
    return {key: row for key, row in found.items() if key in wanted}


def _remove(model: Any, rows: Sequence[tuple[Row, Existing]]) -> None:
    reasons = referring(model, [stored.row.pk for _row, stored in rows])
    for row, stored in rows:
        if reason := reasons.get(stored.row.pk):
            row.left = _("已有%s引用这条记录。") % reason
    gone = [stored.row.pk for row, stored in rows if not row.left]
    model.objects.filter(pk__in=gone).delete()


_COMMUNITY = Field(
    "community",
    gettext_lazy("社区（村）"),
    required=True,
    max_length=40,
    width=18,
    help=gettext_lazy("名称，或12位统计用区划代码。"),
)
_PARTS = (
    Field("road", gettext_lazy("道路或自然村"), required=True, max_length=40, width=18),
    Field("number", gettext_lazy("门牌号"), Kind.INTEGER, maximum=99_999, width=9),
    Field("suffix", gettext_lazy("门牌附号"), max_length=12, width=10),
    Field("building", gettext_lazy("幢"), max_length=12, width=8),
    Field("room", gettext_lazy("室"), max_length=12, width=8),
)
COMMUNITIES = Table(
    key="communities",
    title=gettext_lazy("社区（村）名册"),
    version="2026.1",
    fields=common.dressed(
        "communities",
        (
            Field(
                "code",
                gettext_lazy("统计用区划代码"),
                Kind.CODE,
                required=True,
                max_length=12,
                width=16,
                check=_statistics_code,
            ),
            Field("name", gettext_lazy("社区（村）名称"), required=True, max_length=40, width=18),
            Field(
                "town",
                gettext_lazy("镇街"),
                Kind.CHOICE,
                required=True,
                choices=towns,
                open=True,
                width=14,
                max_length=100,
            ),
            Field(
                "kind",
                gettext_lazy("类别"),
                Kind.CHOICE,
                required=True,
                choices=dict(Community.Kind.choices),
                width=10,
            ),
            Field("island", gettext_lazy("所在岛屿"), max_length=30, width=14),
        ),
    ),
    permission=Permission.ADDRESS_EDIT,
    keeper=CommunityKeeper(),
    identity=("code",),
)
DWELLINGS = Table(
    key="dwellings",
    title=gettext_lazy("住址名册"),
    version="2026.1",
    fields=common.dressed("dwellings", (_COMMUNITY, *_PARTS)),
    permission=Permission.ADDRESS_EDIT,
    keeper=DwellingKeeper(),
    identity=("community",),
    instructions=(gettext_lazy("一行一个住址；导入只新增，不改已有的住址。"),),
)
RESIDENCES = Table(
    key="residences",
    title=gettext_lazy("学生住址名册"),
    version="2026.1",
    fields=common.dressed(
        "residences",
        (
            *common.PUPIL_FIELDS,
            Field(
                "kind",
                gettext_lazy("住址类别"),
                Kind.CHOICE,
                required=True,
                choices=dict(Residence.Kind.choices),
                width=10,
            ),
            _COMMUNITY,
            *_PARTS,
            Field("since", gettext_lazy("起始日"), Kind.DATE, width=13),
            common.reference(),
        ),
    ),
    permission=Permission.PUPIL_EDIT,
    keeper=ResidenceKeeper(),
    identity=("student_number", "pupil_id", "ref"),
    instructions=(gettext_lazy("用学籍号或学生证件号指明是哪一名学生；户籍地和居住地各写一行。"),),
)

"""Lists of children of age as others keep them: the police list, a street's survey, lists on paper."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import RollEntry, Season
from xuezheng.domains.admissions.rules.ages import Level, of_age
from xuezheng.domains.admissions.services.applying import new_code
from xuezheng.domains.admissions.words import SOURCES, sources_in_words
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.exchange.bulk import referring
from xuezheng.kernel.exchange.staging import CHUNK
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.codes import CITIZEN_ID, masked_phone
from xuezheng.registry.exchange import common
from xuezheng.registry.organisations import OrganisationKind

#: Filled from a list where the roll has nothing yet; never overwritten by another list.
FILLED = ("address", "phone", "town")
#: Sources that a file may be.
LISTS = {key: label for key, label in SOURCES.items() if key != "self"}


def seasons(_by: Actor) -> dict[str, Any]:
    """Seasons whose roll is not frozen yet: id -> title."""
    rows = Season.objects.filter(state__in=("preparing", "open", "checking"))
    return {str(season.id): season.title for season in rows}


class RollKeeper(Keeper):
    """One child of a season is one entry; a row adds the child, or its source to the entry."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """Person, season, town; the key is season, child and source."""
        open_seasons = self._seasons(run)
        for row in rows:
            row.links, values = {}, row.values
            season = self._season(row, open_seasons)
            common.settle_person(row, common.today(), run, "pupil")
            source = values.get("source") or row.old.get("source", "")
            if not source:
                row.wrong("source", _("必填，没有内容。"), _("写明是哪份名单。"))
            if not values.get("born_on"):
                row.wrong("born_on", _("没有出生日期。"), _("写证件号码或出生日期。"))
            if values.get("town"):
                town = common.find_unit(values["town"], run, (OrganisationKind.TOWN,))
                if town is None:
                    row.wrong("town", _("没有叫这个名称的镇街。"), _("从下拉列表里选。"))
                else:
                    values["town"], row.links["town"] = town.code, town
            if row.problems or season is None:
                continue
            if not of_age(Level(season.level), season.year, values["born_on"]):
                row.wrong("born_on", _("未到本批次的入学年龄。"), _("核对出生日期和批次。"))
                continue
            row.links["season"] = season
            row.key = (season.id, *_child(values), source)

    @staticmethod
    def _seasons(run: Run) -> dict[str, Season]:
        if "seasons" not in run.memo:
            run.memo["seasons"] = Season.objects.in_bulk([int(key) for key in seasons(run.by)])
        return {str(key): season for key, season in run.memo["seasons"].items()}

    @staticmethod
    def _season(row: Row, known: dict[str, Season]) -> Season | None:
        given = row.values.get("season", "")
        if not given and len(known) == 1:
            given = row.values["season"] = next(iter(known))
        if given in known:
            return known[given]
        row.wrong("season", _("没有写招生批次，或名册已封存。"), _("从下拉列表里选。"))
        return None

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Entries by number, those without by name and birth."""
        base = RollEntry.objects.filter(season__in={row.key[0] for row in rows})
        if lock:
            base = base.select_for_update()
        numbers = {row.key[2] for row in rows if row.key[1]}
        names = {row.values["name"] for row in rows if not row.key[1]}
        held: dict[Hashable, RollEntry] = {}
        if numbers:
            for entry in common.with_number(base, "id_number", numbers):
                held[(entry.season_id, entry.id_kind, entry.id_number)] = entry
        if names:
            for entry in base.filter(id_number__isnull=True, name__in=names):
                held[(entry.season_id, "", f"{entry.name} {entry.born_on}")] = entry
        found: dict[Hashable, Existing] = {}
        for row in rows:
            entry = held.get(row.key[:3])
            if entry is None:
                continue
            if entry.name != row.values["name"]:
                row.wrong(
                    "name",
                    _("名册里这个证件号码是另一个姓名。"),
                    _("核对姓名和号码；名册错了先在名册里改。"),
                )
            else:
                found[row.key] = Existing(self._values(entry, run, row), entry)
        return found

    @staticmethod
    def _values(entry: RollEntry, run: Run, row: Row | None = None) -> dict[str, Any]:
        values = {
            "season": str(entry.season_id),
            "source": entry.sources[0] if entry.sources else "",
            "name": entry.name,
            "sex": entry.sex,
            "born_on": entry.born_on,
            "id_kind": entry.id_kind,
            "id_number": entry.id_number or "",
            "address": entry.address,
            "phone": entry.phone or "",
            "town": common.code_of(entry.town_id, run),
            "code": entry.code,
            "sources": sources_in_words(entry.sources),
            "outcome": entry.get_outcome_display(),
        }
        if row is not None:
            values["source"] = row.key[3] if row.key[3] in entry.sources else ""
            # What the roll has already stays; the file is not told to be different for it.
            for key in ("sex", *FILLED):
                if values[key] and key in row.values and not (key == "sex" and values[key] == "0"):
                    values[key] = row.values[key]
        return values

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each entry."""
        for entry in rows.iterator(chunk_size=CHUNK):
            yield self._values(entry, run)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """One entry for each child, with all sources that the file names."""
        made: dict[Hashable, RollEntry] = {}
        for row in rows:
            values, child = row.values, row.key[:3]
            if child in made:
                made[child].sources = sorted({*made[child].sources, row.key[3]})
                continue
            entry = RollEntry(
                season=row.links["season"],
                code=new_code(),
                name=values["name"],
                id_kind=values.get("id_kind") or CITIZEN_ID,
                id_number=values.get("id_number") or None,
                born_on=values["born_on"],
                sex=values.get("sex") or "0",
                address=values.get("address", ""),
                phone=values.get("phone") or None,
                town=row.links.get("town"),
                sources=[row.key[3]],
            )
            entry.prepare()
            made[child] = entry
        RollEntry.objects.bulk_create(made.values(), batch_size=CHUNK)

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """The source, and what the roll did not have; taking back removes the source again."""
        changed: dict[int, RollEntry] = {}
        for row, stored in rows:
            entry: RollEntry = changed.setdefault(stored.row.pk, stored.row)
            for key in row.old:
                value = row.values.get(key, "")
                if key == "source":
                    gone = {row.old[key]} if run.undoing else set()
                    entry.sources = sorted({*entry.sources, value} - gone - {""})
                elif key == "town":
                    entry.town = row.links.get("town")
                else:
                    setattr(entry, key, value or ("0" if key == "sex" else ""))
        names = ["sources", "town", "address", "phone", "sex"]
        RollEntry.objects.bulk_update(changed.values(), names, batch_size=1000)

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Entries that only this list names and that nothing refers to; else the source alone."""
        reasons = referring(RollEntry, [stored.row.pk for _row, stored in rows])
        gone = []
        for row, stored in rows:
            entry: RollEntry = stored.row
            others = [source for source in entry.sources if source != row.key[3]]
            if others:
                entry.sources = others
                entry.save()
            elif reason := reasons.get(entry.pk):
                row.left = _("已有%s引用这条记录。") % reason
            else:
                gone.append(entry.pk)
        RollEntry.objects.filter(pk__in=gone).delete()


def _child(values: dict[str, Any]) -> tuple[str, str]:
    """(kind, number), or ("", name and birth) of a child without a number."""
    if values.get("id_number"):
        return values.get("id_kind") or CITIZEN_ID, values["id_number"]
    return "", f"{values.get('name', '')} {values.get('born_on', '')}"


def _towns(_by: Actor) -> dict[str, Any]:
    return {org.code: org for org in Organisation.objects.filter(kind=OrganisationKind.TOWN)}


ROLL = Table(
    key="admissions_roll",
    title=gettext_lazy("适龄儿童名单"),
    version="2026.1",
    fields=(
        Field(
            "season",
            gettext_lazy("招生批次"),
            Kind.CHOICE,
            choices=seasons,
            width=22,
            help=gettext_lazy("只有一个批次时可以不填。"),
        ),
        Field(
            "source", gettext_lazy("名单来源"), Kind.CHOICE, required=True, choices=LISTS, width=14
        ),
        *common.ID_FIELDS,
        Field("address", gettext_lazy("户籍地址"), max_length=120, width=32),
        Field(
            "town",
            gettext_lazy("镇街"),
            Kind.CHOICE,
            choices=_towns,
            open=True,
            width=14,
            max_length=100,
        ),
        Field(
            "phone",
            gettext_lazy("联系电话"),
            Kind.PHONE,
            max_length=20,
            width=15,
            mask=masked_phone,
        ),
        Field("code", gettext_lazy("登记代码"), width=14, in_template=False),
        Field("sources", gettext_lazy("全部来源"), width=24, in_template=False),
        Field("outcome", gettext_lazy("去向"), width=20, in_template=False),
    ),
    permission=Permission.ROLL,
    keeper=RollKeeper(),
    identity=("id_number", "name"),
    instructions=(
        gettext_lazy("一行一个孩子；同一个孩子出现在几份名单里，只算一个，来源都会记下。"),
        gettext_lazy("没有证件号码的写姓名和出生日期；与有号码的同名同日会列为待确认的一对。"),
    ),
)

"""Sites with their profile, and classes."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge
from xuezheng.kernel.exchange.bulk import insert_rows, referring, update_rows
from xuezheng.kernel.exchange.staging import CHUNK, chunks
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import credit_code_problem, school_code_problem
from xuezheng.registry.exchange import common
from xuezheng.registry.models import SchoolClass, SiteProfile
from xuezheng.registry.models.places import Locality, Ownership, Stage
from xuezheng.registry.organisations import SITE_KINDS, OrganisationKind
from xuezheng.registry.selectors import authority, stages_of, town_of
from xuezheng.registry.services.sites import CREDIT, SCHOOL_CODE

UNIT = ("name", "name_en", "short_name", "kind")
PROFILE = (
    "school_code", "credit_code", "ownership", "locality", "island", "places", "address", "phone",
)  # fmt: skip
#: What a profile holds where a file says nothing.
BLANK = {"island": False, "school_code": None, "places": None}


def _school_code(text: str) -> tuple[str, str] | None:
    if school_code_problem(text):
        return str(SCHOOL_CODE), _("照学校（机构）代码证改正。")
    return None


def _credit_code(text: str) -> tuple[str, str] | None:
    problem = credit_code_problem(text)
    return (str(CREDIT[problem]), _("照法人证书改正。")) if problem else None


class SiteKeeper(Keeper):
    """Writes organisations with profile and edges, as services/sites.py does one by one."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """The town by name; which site a row speaks of."""
        for row in rows:
            row.links = {}
            values = row.values
            if values.get("town"):
                town = common.find_unit(values["town"], run, (OrganisationKind.TOWN,))
                if town is None:
                    row.wrong(
                        "town",
                        _("没有叫这个名称的镇街。"),
                        _("从下拉列表里选。"),
                    )
                else:
                    values["town"], row.links["town"] = town.code, town
            site = self._site(row, run)
            if not row.problems:
                keys = [
                    f"{key}:{values[key]}" for key in ("code", "school_code") if values.get(key)
                ]
                row.links["site"] = site
                row.key = f"site:{site.code}" if site else (keys or [f"name:{values['name']}"])[0]
                row.links["also"] = keys[1:] if site is None else []

    @staticmethod
    def _site(row: Row, run: Run) -> Organisation | None:
        values = row.values
        found = {
            site.id: site
            for key in ("code", "school_code")
            if values.get(key) and (site := common.find_unit(values[key], run))
        }
        if not found and not (values.get("code") or values.get("school_code")):
            name = values.get("name", "")
            if not name:
                row.wrong("name", _("没有代码也没有名称，认不出是哪个单位。"), _("补上。"))
                return None
            site = common.find_unit(name, run)
            if site is None and not run.undoing:
                row.wrong(
                    "school_code",
                    _("没有叫这个名称的学校；新增要写单位代码或学校标识码。"),
                    _("补上代码，或指定它是哪一所。"),
                    unmatched=name,
                )
            return site
        if len(found) > 1:
            row.wrong("code", _("单位代码和学校标识码分属两个单位。"), _("核对代码。"))
        return next(iter(found.values()), None)

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """The sites found by `resolve`."""
        sites = {row.key: row.links["site"] for row in rows if row.links.get("site")}
        base = SiteProfile.objects.filter(pk__in=[site.id for site in sites.values()])
        if lock:
            units = Organisation.objects.filter(pk__in=[site.id for site in sites.values()])
            fresh = {unit.id: unit for unit in units.select_for_update()}
            sites = {key: fresh[site.id] for key, site in sites.items() if site.id in fresh}
            base = base.select_for_update()
        profiles = {profile.pk: profile for profile in base}
        towns = town_of([site.id for site in sites.values()], common.today())
        stored = {
            key: Existing(
                self._values(site, profiles.get(site.id), towns.get(site.id)),
                (site, profiles.get(site.id)),
                getattr(profiles.get(site.id), "version", 1),
            )
            for key, site in sites.items()
        }
        for row in rows:
            present = stored.get(row.key)
            given = row.values.get("town")
            if present and given and present.values["town"] not in ("", given):
                row.wrong("town", _("已属另一个镇街。"), _("在单位页面办理“调整所属镇街”。"))
        return stored

    @staticmethod
    def _values(
        site: Organisation, profile: SiteProfile | None, town: Organisation | None
    ) -> dict[str, Any]:
        own = {
            name: "" if (value := getattr(profile, name, "")) is None else value for name in PROFILE
        }
        return {
            "code": site.code,
            "town": town.code if town else "",
            "opened": site.opened or "",
            **{name: getattr(site, name) for name in UNIT},
            **own,
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each site."""
        for chunk in chunks(rows.iterator(chunk_size=CHUNK)):
            keys = [site.id for site in chunk]
            profiles = SiteProfile.objects.in_bulk(keys)
            towns = town_of(keys, common.today())
            for site in chunk:
                yield self._values(site, profiles.get(site.id), towns.get(site.id))

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Sites under the authority and in their town."""
        if not rows:
            return
        top, day = authority(run.by), common.today()
        units = [
            Organisation(
                code=row.values.get("code") or row.values["school_code"],
                opened=row.values.get("opened") or None,
                **{name: row.values.get(name, "") for name in UNIT},
            )
            for row in rows
        ]
        Organisation.objects.bulk_create(units)
        profiles, edges = [], []
        for row, unit in zip(rows, units, strict=True):
            profiles.append(self._profile(row.values, unit, run.opening))
            since = unit.opened or day
            for parent, kind in ((top, EdgeKind.AUTHORITY), (row.links["town"], EdgeKind.AREA)):
                edges.append(
                    OrganisationEdge(parent=parent, child=unit, kind=kind, valid_from=since)
                )
        SiteProfile.objects.bulk_create(profiles)
        OrganisationEdge.objects.bulk_create(edges)
        run.memo.clear()

    @staticmethod
    def _profile(values: dict[str, Any], unit: Organisation, opening: bool) -> SiteProfile:
        own = {name: values.get(name) or BLANK.get(name, "") for name in PROFILE}
        return SiteProfile(organisation=unit, opening_balance=opening, **own)

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Names, kind, profile."""
        if not rows:
            return
        units, profiles, fresh = [], [], []
        for row, stored in rows:
            site, profile = stored.row
            values = {**stored.values, **{key: row.values[key] for key in row.old}}
            for name in UNIT:
                setattr(site, name, values[name])
            site.opened = values["opened"] or None
            units.append(site)
            new = self._profile(values, site, run.opening)
            if profile is None:
                fresh.append(new)
            else:
                new.version = profile.version + 1
                new.opening_balance = profile.opening_balance
                profiles.append(new)
        Organisation.objects.bulk_update(units, [*UNIT, "opened"])
        SiteProfile.objects.bulk_update(profiles, [*PROFILE, "version"])
        SiteProfile.objects.bulk_create(fresh)
        run.memo.clear()

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Sites to which nothing refers but their profile and edges."""
        keys = [stored.row[0].id for _row, stored in rows]
        reasons = referring(
            Organisation, keys, apart_from=("site_profile", "edges_up", "aliases", "switches")
        )
        for row, stored in rows:
            if reason := reasons.get(stored.row[0].id):
                row.left = _("已有%s引用这条记录。") % reason
        gone = [stored.row[0].id for row, stored in rows if not row.left]
        SiteProfile.objects.filter(pk__in=gone).delete()
        OrganisationEdge.objects.filter(child__in=gone).delete()
        Organisation.objects.filter(pk__in=gone).delete()
        run.memo.clear()


class ClassKeeper(Keeper):
    """Writes classes; one that ends is closed on its own page, not by a file."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """The school within reach, a stage that it has."""
        for row in rows:
            row.links = {}
            values = row.values
            site = common.settle_site(row, run, Permission.CLASS_EDIT)
            if site is None:
                continue
            stages = stages_of(site)
            if "stage" not in values and len(stages) == 1:
                values["stage"] = stages[0]
            if values.get("stage") not in stages:
                row.wrong("stage", _("这个单位没有该学段。"), _("核对学校和学段。"))
            for key in ("entry_year", "number"):
                if not values.get(key):
                    row.wrong(key, _("必填，没有内容。"), _("补上。"))
            if not row.problems:
                row.key = (site.id, values["stage"], values["entry_year"], values["number"])

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Classes by school, stage, entry year and number."""
        base = SchoolClass.objects.filter(
            organisation__in={row.key[0] for row in rows}, entry_year__in={r.key[2] for r in rows}
        )
        if lock:
            base = base.select_for_update()
        return {
            (held.organisation_id, held.stage, held.entry_year, held.number): Existing(
                self._values(held, run), held, held.version
            )
            for held in base
        }

    @staticmethod
    def _values(held: SchoolClass, run: Run) -> dict[str, Any]:
        return {
            "school": common.code_of(held.organisation_id, run),
            "stage": held.stage,
            "entry_year": held.entry_year,
            "number": held.number,
            "name": held.name,
            "valid_from": held.valid_from,
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each class."""
        for held in rows.iterator(chunk_size=CHUNK):
            yield self._values(held, run)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Classes from their first day, else from 1 September of the entry year."""
        insert_rows(
            SchoolClass,
            ("organisation", "stage", "entry_year", "number", "name", "valid_from", "version"),
            [
                (
                    *row.key,
                    row.values.get("name", ""),
                    row.values.get("valid_from")
                    or common.today().replace(year=row.key[2], month=9, day=1),
                    1,
                )
                for row in rows
            ],
        )

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Name and first day."""
        lines = []
        for row, stored in rows:
            values = {**stored.values, **{key: row.values[key] for key in row.old}}
            lines.append((stored.row.pk, values["name"], values["valid_from"]))
        update_rows(SchoolClass, ("name", "valid_from"), lines)

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Classes that nobody is in."""
        reasons = referring(SchoolClass, [stored.row.pk for _row, stored in rows])
        for row, stored in rows:
            if reason := reasons.get(stored.row.pk):
                row.left = _("已有%s引用这条记录。") % reason
        gone = [stored.row.pk for row, stored in rows if not row.left]
        SchoolClass.objects.filter(pk__in=gone).delete()


def towns(by: Any) -> dict[str, Organisation]:
    reach = by.scope(Permission.SITE_EDIT).organisations
    rows = Organisation.objects.filter(kind=OrganisationKind.TOWN, id__in=reach)
    return {town.code: town for town in rows}


KINDS = {kind.value: kind.label for kind in OrganisationKind if kind in SITE_KINDS}
SITES = Table(
    key="sites",
    title=gettext_lazy("学校和单位名册"),
    version="2026.1",
    fields=common.dressed(
        "sites",
        (
            Field(
                "code",
                gettext_lazy("本地代码"),
                Kind.CODE,
                max_length=32,
                width=12,
                help=gettext_lazy("本区自编的代码；不填就用学校标识码。"),
            ),
            Field(
                "school_code",
                gettext_lazy("学校标识码"),
                Kind.CODE,
                max_length=10,
                width=13,
                check=_school_code,
            ),
            Field("name", gettext_lazy("名称"), required=True, max_length=100, width=28),
            Field("short_name", gettext_lazy("简称"), max_length=40, width=14),
            Field("name_en", gettext_lazy("英文名称"), max_length=150, width=20),
            Field(
                "kind", gettext_lazy("类别"), Kind.CHOICE, required=True, choices=KINDS, width=16
            ),
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
                "ownership",
                gettext_lazy("办学性质"),
                Kind.CHOICE,
                required=True,
                choices=dict(Ownership.choices),
                width=12,
            ),
            Field(
                "locality",
                gettext_lazy("城乡类型"),
                Kind.CHOICE,
                required=True,
                choices=dict(Locality.choices),
                width=10,
            ),
            Field("island", gettext_lazy("海岛"), Kind.BOOL, width=8),
            Field("places", gettext_lazy("核定学位"), Kind.INTEGER, maximum=20_000, width=10),
            Field(
                "credit_code",
                gettext_lazy("统一社会信用代码"),
                Kind.CODE,
                max_length=18,
                width=21,
                check=_credit_code,
            ),
            Field("address", gettext_lazy("地址"), max_length=180, width=28),
            Field("phone", gettext_lazy("公开电话"), max_length=40, width=15),
            Field("opened", gettext_lazy("设立日"), Kind.DATE, month=True, width=13),
        ),
    ),
    permission=Permission.SITE_EDIT,
    keeper=SiteKeeper(),
    identity=("code", "school_code", "name"),
    instructions=(gettext_lazy("撤并、改名、换镇街要在单位页面办理，不用导入。"),),
    match_url="opening_match",
    opening_permission=Permission.OPENING,
)
CLASSES = Table(
    key="classes",
    title=gettext_lazy("班级名册"),
    version="2026.1",
    fields=common.dressed(
        "classes",
        (
            Field(
                "school",
                gettext_lazy("学校"),
                Kind.CHOICE,
                choices=common.site_choices(Permission.CLASS_EDIT),
                open=True,
                width=24,
                max_length=100,
                help=gettext_lazy("名称、简称或学校标识码；只管一所学校的可以不填。"),
            ),
            Field(
                "stage", gettext_lazy("学段"), Kind.CHOICE, choices=dict(Stage.choices), width=10
            ),
            Field(
                "entry_year",
                gettext_lazy("入学年"),
                Kind.INTEGER,
                required=True,
                minimum=1990,
                maximum=2100,
                width=9,
            ),
            Field(
                "number",
                gettext_lazy("班号"),
                Kind.INTEGER,
                required=True,
                minimum=1,
                maximum=60,
                width=8,
            ),
            Field("name", gettext_lazy("班级名称"), max_length=20, width=14),
            Field("valid_from", gettext_lazy("建班日"), Kind.DATE, width=13),
        ),
    ),
    permission=Permission.CLASS_EDIT,
    keeper=ClassKeeper(),
    identity=("entry_year", "number"),
    instructions=(gettext_lazy("班级名称可以不填，年级和班号会自己算出。"),),
    match_url="opening_match",
    opening_permission=Permission.OPENING,
)

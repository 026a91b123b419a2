"""Lists of children whom departments name for special regard.  Nobody names himself."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.exchange.plans import season_field, settle_season
from xuezheng.domains.admissions.models import ReservedEntry, Season
from xuezheng.domains.admissions.services.ladder_words import LIST_WORDS
from xuezheng.kernel.exchange.bulk import insert_rows, update_rows
from xuezheng.kernel.exchange.staging import CHUNK
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.codes import masked
from xuezheng.registry.exchange import common
from xuezheng.registry.names import normal_name
from xuezheng.registry.organisations import OrganisationKind

STATES = (Season.State.PREPARING.value, Season.State.OPEN.value, Season.State.CHECKING.value)


class ReservedKeeper(Keeper):
    """Writes who is on a list; list and number of the child are the key."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """Season, list, department, number."""
        for row in rows:
            row.links = {}
            values = row.values
            season = settle_season(row, run, Permission.SEASON, *STATES)
            department = common.find_unit(
                values.get("department", ""), run, OrganisationKind.values
            )
            if department is None:
                row.wrong(
                    "department", _("没有叫这个名称的部门。"), _("写部门名称；先登记为局外单位。")
                )
            for key in ("list_code", "id_number", "name"):
                if not values.get(key):
                    row.wrong(key, _("必填，没有内容。"), _("补上。"))
            if values.get("handed_in_on") and values["handed_in_on"] > common.today():
                row.wrong("handed_in_on", _("晚于今天。"), _("核对报送日。"))
            if season is None or row.problems:
                continue
            values["department"] = department.code
            values["name"] = normal_name(values["name"])
            row.links |= {"season": season, "department": department}
            row.key = (season.id, values["list_code"], values["id_number"])

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Entries by number."""
        base = ReservedEntry.objects.filter(season__in={row.key[0] for row in rows})
        if lock:
            base = base.select_for_update()
        found = common.with_number(base, "id_number", {row.key[2] for row in rows})
        return {
            (held.season_id, held.list_code, held.id_number): Existing(
                self._values(held, run), held
            )
            for held in found
        }

    @staticmethod
    def _values(held: ReservedEntry, run: Run) -> dict[str, Any]:
        return {
            "season": str(held.season_id),
            "list_code": held.list_code,
            "department": common.code_of(held.department_id, run),
            "name": held.name,
            "id_number": held.id_number,
            "handed_in_on": held.handed_in_on,
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each entry."""
        for held in rows.iterator(chunk_size=CHUNK):
            yield self._values(held, run)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Entries, handed in today where the file names no day."""
        insert_rows(
            ReservedEntry,
            ("season", "list_code", "department", "name", "id_number", "handed_in_on"),
            [
                (
                    row.key[0], row.key[1], row.links["department"].id, row.values["name"],
                    row.key[2], row.values.get("handed_in_on") or common.today(),
                )
                for row in rows
            ],
        )  # fmt: skip

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Department, name, day."""
        update_rows(
            ReservedEntry,
            ("department", "name", "handed_in_on"),
            [
                (
                    stored.row.pk, row.links["department"].id, row.values["name"],
                    row.values.get("handed_in_on") or stored.row.handed_in_on,
                )
                for row, stored in rows
            ],
        )  # fmt: skip

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """The entries."""
        ReservedEntry.objects.filter(pk__in=[stored.row.pk for _row, stored in rows]).delete()


RESERVED = Table(
    key="admissions_reserved",
    title=gettext_lazy("政策照顾名单"),
    version="2026.1",
    fields=(
        season_field(*STATES),
        Field("list_code", gettext_lazy("照顾类别"), Kind.CHOICE, required=True,
              choices=LIST_WORDS, open=True, max_length=20, width=20),
        Field("department", gettext_lazy("报送部门"), required=True, max_length=100, width=22),
        Field("name", gettext_lazy("姓名"), required=True, max_length=60, width=12),
        Field("id_number", gettext_lazy("身份证件号"), Kind.ID, required=True, max_length=30,
              width=22, mask=masked),
        Field("handed_in_on", gettext_lazy("报送日"), Kind.DATE, width=13),
    ),
    permission=Permission.SEASON,
    keeper=ReservedKeeper(),
    identity=("id_number",),
    instructions=(gettext_lazy("由主管部门报送，一行一个孩子；不接受个人自报。"),),
)  # fmt: skip

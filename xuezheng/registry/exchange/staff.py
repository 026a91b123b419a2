"""Staff with their main employment.  Natural key: the identity number, else the work number."""

import uuid
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.exchange.bulk import insert_rows, referring, update_rows
from xuezheng.kernel.exchange.staging import CHUNK, chunks
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import masked_phone
from xuezheng.registry.exchange import common
from xuezheng.registry.models import Employment, StaffMember
from xuezheng.registry.models.merging import PersonKind

PLAIN = ("education", "category", "subject")
COLUMNS = (
    "id", "name", "initials", "sex", "born_on", "id_kind", "id_number", "id_tail", "work_number",
    "phone", *PLAIN, "employed_on", "organisation",
)  # fmt: skip


class StaffKeeper(Keeper):
    """Writes members of staff with a running main employment, as services/staff.py does one by one."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """Identity in step, the school within reach."""
        day = common.today()
        for row in rows:
            row.links = {}
            common.settle_person(row, day, run, PersonKind.STAFF)
            values = row.values
            if values.get("phone"):
                values["phone"] = values["phone"].replace("-", "")
            common.settle_site(row, run, Permission.STAFF_EDIT)
            keys = [
                f"{name}:{values[name]}"
                for name in ("ref", "id_number", "work_number")
                if values.get(name)
            ]
            if not keys:
                row.wrong("id_number", _("没有证件号，也没有工号，认不出是谁。"), _("至少填一个。"))
            if values.get("employed_on") and values["employed_on"] > day:
                row.wrong("employed_on", _("晚于今天。"), _("核对后改正。"))
            if not row.problems:
                row.key, *row.links["also"] = keys

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Members of staff by key.  Those of other schools are found, and refused."""
        base = StaffMember.objects.live()
        if lock:
            base = base.select_for_update(of=("self",))
        numbers = {row.values["id_number"] for row in rows if row.values.get("id_number")}
        works = {row.values["work_number"] for row in rows if row.values.get("work_number")}
        refs = [ref for row in rows if (ref := common.as_uuid(row.values.get("ref")))]
        found: dict[str, StaffMember] = {}
        people = [*base.filter(Q(pk__in=refs) | Q(work_number__in=works))]
        people += common.with_number(base, "id_number", numbers) if numbers else []
        for person in people:
            found[f"ref:{person.pk}"] = person
            if person.id_number:
                found[f"id_number:{person.id_number}"] = person
            if person.work_number:
                found[f"work_number:{person.work_number}"] = person
        established = self._established({person.pk for person in people})
        stored = {}
        for row in rows:
            person = self._match(row, found, run)
            if person is not None:
                values = self._values(person, established.get(person.pk, ""), run)
                stored[row.key] = Existing(values, person, person.version)
        return stored

    @staticmethod
    def _match(row: Row, found: dict[str, StaffMember], run: Run) -> StaffMember | None:
        held = {
            person.pk: person for key in (row.key, *row.links["also"]) if (person := found.get(key))
        }
        if len(held) > 1:
            row.wrong(
                "", _("证件号和工号分属两条记录。"), _("核对号码；如是同一人，请管理员合并。")
            )
            return None
        if not held:
            if row.values.get("ref"):
                row.wrong("ref", _("没有这个编号的记录。"), _("删掉这一格，或用新的导出文件。"))
            return None
        person = next(iter(held.values()))
        if person.organisation_id != row.links["site"].id:
            row.wrong(
                "school",
                str(common.ELSEWHERE),
                _("不要在这里新增；请办理任职变动，或联系管理员。"),
            )
            return None
        number = row.values.get("id_number")
        if f"id_number:{number}" not in found and number and person.id_number:
            row.wrong(
                "id_number",
                _("这个工号登记的是另一个证件号。"),
                _("核对证件号；确要更正，请在教职工页面修改。"),
            )
            return None
        return person

    @staticmethod
    def _established(keys: Any) -> dict[uuid.UUID, bool]:
        rows = Employment.objects.filter(staff__in=keys, valid_to__isnull=True, main=True)
        return dict(rows.values_list("staff_id", "established"))

    @staticmethod
    def _values(person: StaffMember, established: bool | str, run: Run) -> dict[str, Any]:
        return {
            "ref": str(person.pk),
            "name": person.name,
            "sex": person.sex,
            "born_on": person.born_on or "",
            "id_kind": person.id_kind,
            "id_number": person.id_number or "",
            "work_number": person.work_number or "",
            "phone": person.phone or "",
            "employed_on": person.employed_on or "",
            "school": common.code_of(person.organisation_id, run),
            "established": established,
            **{name: getattr(person, name) for name in PLAIN},
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each member of staff."""
        for chunk in chunks(rows.iterator(chunk_size=CHUNK)):
            established = self._established([person.pk for person in chunk])
            for person in chunk:
                yield self._values(person, established.get(person.pk, ""), run)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Members of staff, each with a main employment from the day of the import."""
        if not rows:
            return
        now, day = timezone.now(), common.today()
        people, employments = [], []
        for row in rows:
            key, site = uuid.uuid4(), row.links["site"].id
            people.append((*self._line(key, row.values, site), run.opening, 1, now))
            since = row.values.get("employed_on") or day if run.opening else day
            employments.append(
                (key, site, row.values.get("established", True) is True, True, since)
            )
        insert_rows(StaffMember, (*COLUMNS, "opening_balance", "version", "updated_at"), people)
        insert_rows(
            Employment, ("staff", "organisation", "established", "main", "valid_from"), employments
        )

    @staticmethod
    def _line(key: uuid.UUID, values: dict[str, Any], site: int | None) -> tuple:
        name, letters, number, tail = common.prepared(
            values.get("name", ""), values.get("id_number", "")
        )
        return (
            key,
            name,
            letters,
            values.get("sex") or "0",
            values.get("born_on") or None,
            values.get("id_kind") or "1",
            number,
            tail,
            values.get("work_number") or None,
            values.get("phone") or None,
            *(values.get(name, "") for name in PLAIN),
            values.get("employed_on") or None,
            site,
        )

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """What the file says beside what is stored; 在编 stands on the running main employment."""
        if not rows:
            return
        lines = []
        for row, stored in rows:
            values = {**stored.values, **{key: row.values[key] for key in row.old}}
            lines.append(self._line(stored.row.pk, values, stored.row.organisation_id))
            if "established" in row.old:
                Employment.objects.filter(
                    staff=stored.row, valid_to__isnull=True, main=True
                ).update(established=row.values["established"] is True)
        update_rows(StaffMember, COLUMNS[1:], lines)

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Members of staff to whom nothing refers but their one employment."""
        keys = [stored.row.pk for _row, stored in rows]
        reasons = referring(StaffMember, keys, apart_from=("employments",))
        for row, stored in rows:
            if stored.row.user_id:
                row.left = _("已关联账号。")
            elif reason := reasons.get(stored.row.pk):
                row.left = _("已有%s引用这条记录。") % reason
        gone = [stored.row.pk for row, stored in rows if not row.left]
        common.forget_pairs("staff", gone)
        StaffMember.objects.filter(pk__in=gone).delete()


STAFF = Table(
    key="staff",
    title=gettext_lazy("教职工名册"),
    version="2026.1",
    fields=common.dressed(
        "staff",
        (
            *common.ID_FIELDS,
            Field("work_number", gettext_lazy("工号"), Kind.CODE, max_length=20, width=14),
            Field(
                "phone",
                gettext_lazy("手机号码"),
                Kind.PHONE,
                max_length=20,
                width=14,
                mask=masked_phone,
            ),
            Field(
                "education",
                gettext_lazy("学历"),
                Kind.CHOICE,
                choices=common.code_list("education"),
                width=12,
            ),
            Field(
                "category",
                gettext_lazy("人员类别"),
                Kind.CHOICE,
                required=True,
                choices=dict(StaffMember.Category.choices),
                width=12,
            ),
            Field("subject", gettext_lazy("任教学科"), max_length=20, width=12),
            Field("employed_on", gettext_lazy("参加工作日"), Kind.DATE, month=True, width=13),
            Field(
                "school",
                gettext_lazy("任职单位"),
                Kind.CHOICE,
                choices=common.site_choices(Permission.STAFF_EDIT),
                open=True,
                width=24,
                max_length=100,
                help=gettext_lazy("名称、简称或学校标识码；只管一所学校的可以不填。"),
            ),
            Field("established", gettext_lazy("在编"), Kind.BOOL, width=8),
            common.reference(),
        ),
    ),
    permission=Permission.STAFF_EDIT,
    keeper=StaffKeeper(),
    identity=("id_number", "work_number", "ref"),
    instructions=(
        gettext_lazy(
            "一个人只能有一行，以证件号（没有的以工号）辨认；在别的单位登记过的请办理任职变动。"
        ),
    ),
    match_url="opening_match",
    opening_permission=Permission.OPENING,
)

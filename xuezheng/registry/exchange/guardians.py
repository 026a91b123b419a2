"""Guardians, one row for each child that they answer for.  Natural key: child and guardian."""

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.exchange.bulk import insert_rows, referring, update_rows
from xuezheng.kernel.exchange.staging import CHUNK
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import masked, masked_phone
from xuezheng.registry.exchange import common
from xuezheng.registry.models import Guardian, Guardianship, Pupil
from xuezheng.registry.models.merging import PersonKind
from xuezheng.registry.services.families import link_accounts, telephones_changed

COLUMNS = ("id", "name", "initials", "sex", "born_on", "id_kind", "id_number", "id_tail", "phone")
OWN = ("name", "sex", "born_on", "id_kind", "id_number", "phone")


class GuardianKeeper(Keeper):
    """Writes guardians and guardianships; a guardian in reach with the same number and name is one."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """Identity in step; the child in reach, by pupil-status number or identity number."""
        day = common.today()
        for row in rows:
            row.links = {}
            common.settle_person(row, day, run, PersonKind.GUARDIAN)
            if row.values.get("phone"):
                row.values["phone"] = row.values["phone"].replace("-", "")
        pupils = common.PupilFinder([row for row in rows if not row.values.get("ref")], run)
        for row in rows:
            if row.values.get("ref"):
                row.key = f"ref:{row.values['ref']}"
            elif (pupil := pupils.settle(row)) and not row.problems:
                who = row.values.get("id_number") or row.values.get("name", "")
                row.links["pupil"] = pupil
                row.key = f"{pupil.pk}:{who}"
                row.links["also"] = [f"{pupil.pk}:{row.values.get('name', '')}"]

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Running guardianships of children in reach: by key, by number, else by name."""
        refs = [row.values["ref"] for row in rows if row.values.get("ref", "").isdigit()]
        pupils = [row.links["pupil"].pk for row in rows if "pupil" in row.links]
        running = Guardianship.objects.filter(
            pupil__in=Pupil.objects.visible_to(run.by), valid_to__isnull=True
        ).select_related("guardian", "pupil")
        if lock:
            running = running.select_for_update(of=("self", "guardian"))
        held = [*running.filter(pupil__in=pupils), *running.filter(pk__in=refs)]
        by_key: dict[str, Guardianship] = {}
        for link in held:
            by_key[f"ref:{link.pk}"] = link
            by_key.setdefault(f"{link.pupil_id}:{link.guardian.name}", link)
            if link.guardian.id_number:
                by_key[f"{link.pupil_id}:{link.guardian.id_number}"] = link
        stored = {}
        for row in rows:
            link = by_key.get(row.key) or self._by_name(row, by_key)
            if link is not None:
                stored[row.key] = Existing(self._values(link), link, link.guardian.version)
            elif row.values.get("ref"):
                row.wrong("ref", _("没有这个编号的记录。"), _("删掉这一格，或用新的导出文件。"))
        return stored

    @staticmethod
    def _by_name(row: Row, by_key: dict[str, Guardianship]) -> Guardianship | None:
        """A guardian of that name of the same child whose number is not known yet."""
        if "pupil" not in row.links:
            return None
        link = by_key.get(f"{row.links['pupil'].pk}:{row.values.get('name', '')}")
        return link if link and not link.guardian.id_number else None

    @staticmethod
    def _values(link: Guardianship) -> dict[str, Any]:
        guardian, pupil = link.guardian, link.pupil
        return {
            "ref": str(link.pk),
            "student_number": pupil.student_number or "",
            "pupil_id": pupil.id_number or "",
            "pupil_name": pupil.name,
            "relation": link.relation,
            "main": link.main,
            **{name: getattr(guardian, name) or "" for name in OWN},
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each running guardianship; `rows` are guardians or guardianships."""
        if rows.model is Guardian:
            rows = Guardianship.objects.filter(
                guardian__in=rows, pupil__in=Pupil.objects.visible_to(run.by)
            )
        rows = rows.filter(valid_to__isnull=True).select_related("guardian", "pupil")
        for link in rows.iterator(chunk_size=CHUNK):
            yield self._values(link)

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Guardianships; a new guardian where none in reach has the number and the name."""
        if not rows:
            return
        known = self._known(rows, run)
        mains = self._with_main({row.links["pupil"].pk for row in rows})
        now, day = timezone.now(), common.today()
        guardians, links = [], []
        cleared: set[uuid.UUID] = set()
        for row in rows:
            values, pupil = row.values, row.links["pupil"].pk
            same = (values.get("id_kind"), values.get("id_number"), values["name"])
            key = known.get(same) if values.get("id_number") else None
            if key is None:
                key = uuid.uuid4()
                known[same] = key
                guardians.append((*self._line(key, values), run.opening, 1, now))
            main = values.get("main") is True or pupil not in mains
            if main and pupil in mains:
                cleared.add(pupil)
                links = [
                    (*link[:3], False, link[4]) if link[0] == pupil else link for link in links
                ]
            if main:
                mains.add(pupil)
            links.append((pupil, key, values["relation"], main, day))
        insert_rows(Guardian, (*COLUMNS, "opening_balance", "version", "updated_at"), guardians)
        Guardianship.objects.filter(pupil__in=cleared, main=True, valid_to__isnull=True).update(
            main=False
        )
        insert_rows(Guardianship, ("pupil", "guardian", "relation", "main", "valid_from"), links)
        link_accounts({line[8] for line in guardians if line[8]})

    @staticmethod
    def _known(rows: Sequence[Row], run: Run) -> dict[tuple, uuid.UUID]:
        numbers = {row.values["id_number"] for row in rows if row.values.get("id_number")}
        if not numbers:
            return {}
        held = common.with_number(Guardian.objects.visible_to(run.by).live(), "id_number", numbers)
        return {(one.id_kind, one.id_number, one.name): one.pk for one in held}

    @staticmethod
    def _with_main(pupils: set[uuid.UUID]) -> set[uuid.UUID]:
        held = Guardianship.objects.filter(pupil__in=pupils, main=True, valid_to__isnull=True)
        return set(held.values_list("pupil_id", flat=True))

    @staticmethod
    def _line(key: uuid.UUID, values: dict[str, Any]) -> tuple:
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
            values.get("phone") or None,
        )

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """The guardian's own facts, the relation, and who comes first."""
        lines, links = [], []
        for row, stored in rows:
            link: Guardianship = stored.row
            values = {**stored.values, **{key: row.values[key] for key in row.old}}
            if any(key in row.old for key in OWN):
                lines.append(self._line(link.guardian_id, values))
            if "main" in row.old and values["main"] is True:
                Guardianship.objects.filter(
                    pupil_id=link.pupil_id, main=True, valid_to__isnull=True
                ).update(main=False)
            link.relation, link.main = values["relation"], values["main"] is True
            links.append(link)
        if lines:
            update_rows(Guardian, COLUMNS[1:], lines)
            telephones_changed(
                [stored.row.guardian_id for row, stored in rows if "phone" in row.old]
            )
        Guardianship.objects.bulk_update(links, ["relation", "main"])

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """The guardianships, and guardians that nothing refers to any more."""
        links = [stored.row for _row, stored in rows]
        Guardianship.objects.filter(pk__in=[link.pk for link in links]).delete()
        others = set(
            Guardianship.objects.filter(
                guardian__in=[link.guardian_id for link in links]
            ).values_list("guardian_id", flat=True)
        )
        used = referring(
            Guardian, {link.guardian_id for link in links}, apart_from=("guardianships",)
        )
        gone = [
            link.guardian_id
            for link in links
            if link.guardian_id not in others
            and link.guardian_id not in used
            and not link.guardian.user_id
        ]
        common.forget_pairs("guardian", gone)
        Guardian.objects.filter(pk__in=gone).delete()
        self._mains(links)

    @staticmethod
    def _mains(links: list[Guardianship]) -> None:
        """Where the main one went, the next becomes it."""
        pupils = {link.pupil_id for link in links if link.main}
        left: dict[uuid.UUID, list[Guardianship]] = defaultdict(list)
        held = Guardianship.objects.filter(pupil__in=pupils, valid_to__isnull=True)
        for link in held.order_by("relation", "id"):
            left[link.pupil_id].append(link)
        first = [rest[0] for rest in left.values() if not any(link.main for link in rest)]
        for link in first:
            link.main = True
        Guardianship.objects.bulk_update(first, ["main"])


GUARDIANS = Table(
    key="guardians",
    title=gettext_lazy("监护人名册"),
    version="2026.1",
    fields=common.dressed(
        "guardians",
        (
            *common.PUPIL_FIELDS,
            common.id_field("name", heading=gettext_lazy("监护人姓名")),
            Field(
                "relation",
                gettext_lazy("与学生的关系"),
                Kind.CHOICE,
                required=True,
                choices=dict(Guardianship.Relation.choices),
                width=14,
            ),
            Field("main", gettext_lazy("第一监护人"), Kind.BOOL, width=12),
            common.id_field("id_kind", heading=gettext_lazy("监护人证件类型")),
            common.id_field(
                "id_number", heading=gettext_lazy("监护人证件号"), help="", mask=masked
            ),
            common.id_field("sex", heading=gettext_lazy("监护人性别")),
            common.id_field("born_on", heading=gettext_lazy("监护人出生日期")),
            Field(
                "phone",
                gettext_lazy("监护人手机"),
                Kind.PHONE,
                max_length=20,
                width=14,
                mask=masked_phone,
            ),
            common.reference(),
        ),
    ),
    permission=Permission.PUPIL_EDIT,
    keeper=GuardianKeeper(),
    identity=("student_number", "pupil_id", "ref"),
    instructions=(
        gettext_lazy("先导入学生，再导入监护人。一名学生有几位监护人就写几行。"),
        gettext_lazy("用学籍号或学生证件号指明是哪一名学生；学生姓名只作核对。"),
    ),
    opening_permission=Permission.OPENING,
)

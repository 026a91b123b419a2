"""Pupils with class and status.  Natural key: the identity number, else the pupil-status number."""

import datetime as dt
import uuid
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.exchange.bulk import insert_rows, referring, update_rows
from xuezheng.kernel.exchange.staging import CHUNK
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import AT_SCHOOL, BELONGING, masked, student_number_problem
from xuezheng.registry.exchange import common
from xuezheng.registry.models import PersonMerge, Placement, Pupil, SchoolClass
from xuezheng.registry.models.merging import PersonKind
from xuezheng.registry.models.places import Stage
from xuezheng.registry.names import normal_name
from xuezheng.registry.selectors import school_year_of, stages_of
from xuezheng.registry.services.placing import DAY, OTHER_CLASS, RETURN, SUSPENDED, SUSPENSION
from xuezheng.registry.services.pupils import STUDENT_NUMBER

CLASS_KEYS = ("stage", "entry_year", "class_number")
PLAIN = ("former_name", "ethnicity", "nationality", "register_division", "boarding")
COLUMNS = (
    "id", "name", "initials", "sex", "born_on", "id_kind", "id_number", "id_tail",
    "student_number", *PLAIN, "status", "entered_on", "organisation", "school_class",
)  # fmt: skip


def _division(text: str) -> tuple[str, str] | None:
    if len(text) == 6 and text.isdigit():
        return None
    return _("行政区划码是 6 位数字。"), _("写县（区）的 6 位区划码，或留空。")


class PupilKeeper(Keeper):
    """Writes pupils with their placements in step, as services/pupils.py and placing.py do one by one."""

    # -- checking -----------------------------------------------------------------------------------
    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """Identity in step, the school within reach, the class there."""
        day = common.today()
        classes = self._classes(run)
        for row in rows:
            row.links = {}
            common.settle_person(row, day, run, PersonKind.PUPIL)
            self._numbers(row, day)
            if common.settle_site(row, run, Permission.PUPIL_EDIT):
                self._class(row, classes)
            if not row.problems:
                row.key, *also = self._keys(row.values)
                row.links["also"] = also

    def _numbers(self, row: Row, day: dt.date) -> None:
        values = row.values
        number = values.get("student_number")
        by_id = number and number == f"G{values.get('id_number')}"
        if number and not by_id and student_number_problem(number):
            row.wrong("student_number", str(STUDENT_NUMBER), _("照学籍系统里的号码改正。"))
        if not (number or values.get("id_number") or values.get("ref")):
            row.wrong(
                "id_number",
                _("没有证件号，也没有学籍号，认不出是哪一名学生。"),
                _("至少填一个。"),
            )
        if values.get("entered_on") and values["entered_on"] > day:
            row.wrong("entered_on", _("晚于今天。"), _("到那天再导入。"))
        if values.get("status") and values["status"] not in BELONGING:
            row.wrong(
                "status",
                _("离校的状态不能由导入写入。"),
                _("在“学生”页面办理转出、毕业等；已离校的学生不用导入。"),
            )

    @staticmethod
    def _keys(values: dict[str, Any]) -> list[str]:
        keys = []
        if values.get("ref"):
            keys.append(f"ref:{values['ref']}")
        if values.get("id_number"):
            keys.append(f"id:{values['id_kind']}:{values['id_number']}")
        if values.get("student_number"):
            keys.append(f"sn:{values['student_number']}")
        return keys

    @staticmethod
    def _classes(run: Run) -> dict[tuple[int, str, int, int], tuple[int, dt.date]]:
        """(site, stage, entry year, number) -> (id, first day) of the classes that have not ended."""
        if "classes" not in run.memo:
            rows = SchoolClass.objects.current(common.today())
            found = rows.values_list(
                "organisation_id", "stage", "entry_year", "number", "id", "valid_from"
            )
            run.memo["classes"] = {row[:4]: row[4:] for row in found}
            run.memo["class_keys"] = {row[4]: row[1:4] for row in found}
        return run.memo["classes"]

    def _class(self, row: Row, classes: dict) -> None:
        values, site = row.values, row.links["site"]
        given = [key for key in CLASS_KEYS if values.get(key)]
        if not given:
            return
        if "stage" not in values and len(stages_of(site)) == 1:
            values["stage"] = stages_of(site)[0]
        for key in CLASS_KEYS:
            if not values.get(key):
                row.wrong(key, _("学段、入学年、班号要一起填。"), _("补上，或三列都留空。"))
                return
        held = classes.get((site.id, values["stage"], values["entry_year"], values["class_number"]))
        if held is None:
            row.wrong(
                "class_number",
                _("这所学校没有 %(year)d 级（%(number)d）班。")
                % {"year": values["entry_year"], "number": values["class_number"]},
                _("先导入班级，或核对入学年和班号。"),
            )
            return
        row.links["class"], row.links["class_from"] = held

    # -- finding ------------------------------------------------------------------------------------
    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Pupils in reach by key; what is registered out of reach is an error, naming no school."""
        base = Pupil.objects.visible_to(run.by).live()
        if lock:
            base = base.select_for_update(of=("self",))
        ids = {row.values["id_number"] for row in rows if row.values.get("id_number")}
        students = {
            row.values["student_number"] for row in rows if row.values.get("student_number")
        }
        refs = {ref for row in rows if (ref := common.as_uuid(row.values.get("ref")))}
        found: dict[str, Pupil] = {}
        for query in (
            base.filter(pk__in=refs) if refs else base.none(),
            common.with_number(base.filter(id_kind__in=KINDS), "id_number", ids)
            if ids
            else base.none(),
            common.with_number(base, "student_number", students) if students else base.none(),
        ):
            for pupil in query:
                found[f"ref:{pupil.pk}"] = pupil
                if pupil.id_number:
                    found[f"id:{pupil.id_kind}:{pupil.id_number}"] = pupil
                if pupil.student_number:
                    found[f"sn:{pupil.student_number}"] = pupil
        taken = self._taken(ids, students)
        stored = {}
        for row in rows:
            pupil = self._match(row, found, taken)
            if pupil is not None and not row.problems:
                stored[row.key] = Existing(self._values(pupil, run), pupil, pupil.version)
                self._same_place(row, stored[row.key])
        return stored

    def _match(self, row: Row, found: dict[str, Pupil], taken: set[str]) -> Pupil | None:
        keys = [row.key, *row.links["also"]]
        held = {pupil.pk: pupil for key in keys if (pupil := found.get(key))}
        if len(held) > 1:
            row.wrong(
                "",
                _("证件号和学籍号分属两条记录。"),
                _("核对号码；如是同一人，请学籍管理员合并。"),
            )
            return None
        if held:
            pupil = next(iter(held.values()))
            number = row.values.get("id_number")
            if found.get(row.key) is None and number and pupil.id_number:
                row.wrong(
                    "id_number",
                    _("这个学籍号登记的是另一个证件号。"),
                    _("核对证件号；确要更正，请在学生页面修改。"),
                )
                return None
        pupil = next(iter(held.values()), None)
        for key in ("id_number", "student_number"):
            number = row.values.get(key)
            if number in taken and number != getattr(pupil, key, None):
                row.wrong(key, str(common.ELSEWHERE), str(common.TRANSFER))
                return None
        if pupil is not None:
            return None if self._is_another_child(row, pupil) else pupil
        if row.values.get("ref"):
            row.wrong("ref", _("没有这个编号的记录。"), _("删掉这一格，或用新的导出文件。"))
        return None

    @staticmethod
    def _is_another_child(row: Row, pupil: Pupil) -> bool:
        """Whether a number found a child of another name: more often a wrong number than a new name.

        A row with its record number means this very child, whatever the name.
        """
        name = normal_name(row.values.get("name", ""))
        known = {pupil.name, pupil.former_name}
        if not name or row.values.get("ref") or name in known:
            return False
        row.wrong(
            "name",
            _("这个号码登记的是另一个姓名的学生。"),
            _("先核对号码；确要更正姓名，请用带记录编号的导出表，或在学生页面修改。"),
        )
        return True

    @staticmethod
    def _taken(ids: set[str], students: set[str]) -> set[str]:
        """Which of the numbers some live pupil has, in reach or not."""
        plain: dict[str, str] = {}
        groups = []
        for column, numbers in (("id_number", ids), ("student_number", students)):
            listed = list(numbers)
            sealed = common.sealed_any(listed, f"registry_pupil.{column}")
            width = len(sealed) // len(listed) if listed else 1
            plain |= {text: listed[at // width] for at, text in enumerate(sealed)}
            groups.append(sealed)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sealed FROM registry_numbers_taken(%s::text[], %s::text[])", groups
            )
            return {plain[row[0]] for row in cursor.fetchall()}

    @staticmethod
    def _same_place(row: Row, stored: Existing) -> None:
        pupil: Pupil = stored.row
        if pupil.organisation_id is None:
            row.wrong("", _("这名学生已经离校。"), _("请办理转入，不要导入。"))
        elif row.values.get("school") and row.values["school"] != stored.values["school"]:
            row.wrong("school", str(common.ELSEWHERE), str(common.TRANSFER))

    def _values(self, pupil: Pupil, run: Run) -> dict[str, Any]:
        stage, entry_year, number = run.memo["class_keys"].get(pupil.school_class_id, ("", "", ""))
        return {
            "ref": str(pupil.pk),
            "name": pupil.name,
            "sex": pupil.sex,
            "born_on": pupil.born_on or "",
            "id_kind": pupil.id_kind,
            "id_number": pupil.id_number or "",
            "student_number": pupil.student_number or "",
            "school": common.code_of(pupil.organisation_id, run),
            "stage": stage,
            "entry_year": entry_year,
            "class_number": number,
            "status": pupil.status,
            "entered_on": pupil.entered_on or "",
            **{name: getattr(pupil, name) for name in PLAIN},
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each pupil."""
        self._classes(run)
        for pupil in rows.iterator(chunk_size=CHUNK):
            yield self._values(pupil, run)

    # -- writing ------------------------------------------------------------------------------------
    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Pupils with their first placement."""
        if not rows:
            return
        now, day = timezone.now(), common.today()
        pupils, placements = [], []
        for row in rows:
            key, school_class = uuid.uuid4(), row.links.get("class")
            pupils.append(
                (
                    *self._line(key, row.values, row.links["site"].id, school_class),
                    run.opening,
                    1,
                    now,
                )
            )
            begin = self._first_day(row, day)
            placements.append((key, row.links["site"].id, school_class, begin, "", ""))
        insert_rows(Pupil, (*COLUMNS, "opening_balance", "version", "updated_at"), pupils)
        insert_rows(
            Placement,
            ("pupil", "organisation", "school_class", "valid_from", "entry_code", "exit_code"),
            placements,
        )

    @staticmethod
    def _line(key: uuid.UUID, values: dict[str, Any], site: int, school_class: int | None) -> tuple:
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
            values.get("student_number") or None,
            values.get("former_name", ""),
            values.get("ethnicity", ""),
            values.get("nationality") or "CHN",
            values.get("register_division", ""),
            values.get("boarding") or "1",
            values.get("status") or AT_SCHOOL,
            values.get("entered_on") or None,
            site,
            school_class,
        )

    @staticmethod
    def _first_day(row: Row, day: dt.date) -> dt.date:
        """The day of entry, else the beginning of the school year; not before the class was there."""
        begin = row.values.get("entered_on") or dt.date(school_year_of(day), 9, 1)
        return min(day, max(begin, row.links.get("class_from") or begin))

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """What the file says beside what is stored; a change of class or status turns the placement."""
        if not rows:
            return
        lines, turns = [], []
        for row, stored in rows:
            pupil: Pupil = stored.row
            values = {**stored.values, **{key: row.values[key] for key in row.old}}
            self._former_name(row, values, stored, run)
            school_class = pupil.school_class_id
            if any(key in row.old for key in CLASS_KEYS):
                school_class = row.links.get("class")
            lines.append(self._line(pupil.pk, values, pupil.organisation_id, school_class))
            code = self._turn_code(row, pupil)
            if code:
                turns.append((pupil.pk, school_class, code))
        update_rows(Pupil, COLUMNS[1:], lines)
        self._turn(turns, run)

    @staticmethod
    def _former_name(row: Row, values: dict[str, Any], stored: Existing, run: Run) -> None:
        """A new name keeps the old one, and an undo gives it back."""
        if "name" not in row.old or "former_name" in row.old:
            return
        if run.undoing:
            if stored.values["former_name"] == normal_name(row.values["name"]):
                values["former_name"] = ""
        else:
            values["former_name"] = stored.values["name"]

    @staticmethod
    def _turn_code(row: Row, pupil: Pupil) -> str:
        if "status" in row.old and SUSPENDED in (row.old["status"], row.values["status"]):
            return SUSPENSION if row.values["status"] == SUSPENDED else RETURN
        return OTHER_CLASS if any(key in row.old for key in CLASS_KEYS) else ""

    @staticmethod
    def _turn(turns: list[tuple[uuid.UUID, int | None, str]], run: Run) -> None:
        """End the open placements yesterday and open the next today; an undo takes that back."""
        day = common.today()
        keys = [key for key, _class, _code in turns]
        held: dict[uuid.UUID, list[Placement]] = {}
        placements = Placement.objects.filter(pupil__in=keys).order_by("valid_from", "id")
        for placement in placements.select_for_update(of=("self",)):
            held.setdefault(placement.pupil_id, []).append(placement)
        changed, opened, dropped = [], [], []
        for key, school_class, code in turns:
            *before, last = held[key]
            previous = before[-1] if before else None
            began_here = last.entry_code in {OTHER_CLASS, SUSPENSION, RETURN}
            joined = previous is not None and previous.valid_to == last.valid_from - DAY
            if run.undoing and began_here and joined and previous.school_class_id == school_class:
                dropped.append(last.pk)
                previous.valid_to, previous.exit_code = None, ""
                changed.append(previous)
            elif last.valid_from == day:
                last.school_class_id = school_class
                changed.append(last)
            else:
                last.valid_to, last.exit_code = day - DAY, code
                changed.append(last)
                opened.append(
                    Placement(
                        pupil_id=key,
                        organisation_id=last.organisation_id,
                        school_class_id=school_class,
                        valid_from=day,
                        entry_code=code,
                    )
                )
        # Deleted and closed before others are opened: a pupil has one open placement.
        Placement.objects.filter(pk__in=dropped).delete()
        Placement.objects.bulk_update(changed, ["school_class", "valid_to", "exit_code"])
        Placement.objects.bulk_create(opened, batch_size=CHUNK)

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Pupils to whom nothing refers but their one placement."""
        keys = [stored.row.pk for _row, stored in rows]
        reasons = referring(Pupil, keys, apart_from=("placements",))
        merged = PersonMerge.objects.filter(kind=PersonKind.PUPIL, kept__in=keys)
        for key in merged.values_list("kept", flat=True):
            reasons.setdefault(key, str(PersonMerge._meta.verbose_name))
        for row, stored in rows:
            if reason := reasons.get(stored.row.pk):
                row.left = _("已有%s引用这条记录。") % reason
        gone = [stored.row.pk for row, stored in rows if not row.left]
        common.forget_pairs(PersonKind.PUPIL, gone)
        Placement.objects.filter(pupil__in=gone).delete()
        Pupil.objects.filter(pk__in=gone).delete()


#: All kinds of identity document, so that the index on kind and number serves.
KINDS = ("1", "6", "7", "8", "9", "A", "B", "Z")


FIELDS: Iterable[Field] = (
    *common.ID_FIELDS,
    Field(
        "student_number",
        gettext_lazy("学籍号"),
        Kind.ID,
        max_length=20,
        width=23,
        mask=masked,
        help=gettext_lazy("G 加身份证号，或 J、L 开头的编号。"),
    ),
    Field(
        "school",
        gettext_lazy("学校"),
        Kind.CHOICE,
        choices=common.site_choices(Permission.PUPIL_EDIT),
        open=True,
        width=24,
        max_length=100,
        help=gettext_lazy("名称、简称或学校标识码；只管一所学校的可以不填。"),
    ),
    Field("stage", gettext_lazy("学段"), Kind.CHOICE, choices=dict(Stage.choices), width=10),
    Field(
        "entry_year",
        gettext_lazy("入学年"),
        Kind.INTEGER,
        minimum=1990,
        maximum=2100,
        width=9,
        help=gettext_lazy("进入这个学段的年份，如 2023。"),
    ),
    Field("class_number", gettext_lazy("班号"), Kind.INTEGER, minimum=1, maximum=60, width=8),
    Field(
        "status",
        gettext_lazy("学生状态"),
        Kind.CHOICE,
        choices=common.code_list("status"),
        width=10,
        help=gettext_lazy("不填就是在读。"),
    ),
    Field(
        "boarding",
        gettext_lazy("就读方式"),
        Kind.CHOICE,
        choices=common.code_list("boarding"),
        width=10,
        help=gettext_lazy("不填就是走读。"),
    ),
    Field("entered_on", gettext_lazy("入学日期"), Kind.DATE, month=True, width=13),
    Field(
        "ethnicity",
        gettext_lazy("民族"),
        Kind.CHOICE,
        choices=common.code_list("ethnicity"),
        width=10,
    ),
    Field(
        "nationality",
        gettext_lazy("国籍"),
        Kind.CHOICE,
        choices=common.code_list("nationality"),
        width=10,
        help=gettext_lazy("不填就是中国。"),
    ),
    Field(
        "register_division",
        gettext_lazy("户籍区划"),
        Kind.CODE,
        max_length=6,
        width=11,
        check=_division,
        help=gettext_lazy("户口所在县（区）的 6 位行政区划码。"),
    ),
    Field("former_name", gettext_lazy("曾用名"), max_length=60, width=12),
    common.reference(),
)
PUPILS = Table(
    key="pupils",
    title=gettext_lazy("学生名册"),
    version="2026.1",
    fields=common.dressed("pupils", FIELDS),
    permission=Permission.PUPIL_EDIT,
    keeper=PupilKeeper(),
    identity=("id_number", "student_number", "ref"),
    instructions=(
        gettext_lazy(
            "先导入班级，再导入学生。一名学生只能有一行，以证件号（没有证件号的以学籍号）辨认。"
        ),
        gettext_lazy("学生已在别的学校登记的，不能在这里新增，请办理转学。"),
    ),
    match_url="opening_match",
    opening_permission=Permission.OPENING,
)

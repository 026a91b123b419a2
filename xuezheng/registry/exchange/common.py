"""What the tables share: units by any of their names, people's numbers, headings of other programs."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import seal, tail_token
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.exchange.cells import compact
from xuezheng.kernel.exchange.table import Field, Kind, Row, Run
from xuezheng.registry import lists
from xuezheng.registry.codes import CITIZEN_ID, complete_citizen_id, masked
from xuezheng.registry.limits import WORDS, Ages
from xuezheng.registry.models import DuplicatePair, Pupil, SiteAlias, SiteProfile
from xuezheng.registry.models.people import IdKind, Sex
from xuezheng.registry.names import initials, name_problem, normal_name
from xuezheng.registry.organisations import SITE_KINDS
from xuezheng.registry.rules import identity
from xuezheng.registry.selectors import authority, open_sites
from xuezheng.registry.services.common import NAME_PROBLEMS, PROBLEM_FIELDS, PROBLEMS

HEADINGS = Path(__file__).with_name("headings.yaml")
SAMPLES = Path(__file__).with_name("samples.yaml")
ELSEWHERE = gettext_lazy("已在其他单位登记。")
TRANSFER = gettext_lazy("不要在这里新增；请办理转学（转入），或联系学籍管理员。")
CORRECT_NUMBER = gettext_lazy("照证件原件核对后改正。")
CORRECT_NAME = gettext_lazy("照证件上的姓名重新填写。")


@cache
def _said(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))["tables"]


def dressed(table: str, fields: Iterable[Field]) -> tuple[Field, ...]:
    """The fields with the words of headings.yaml (of other programs) and the sample row."""
    foreign, samples = _said(HEADINGS).get(table, {}), _said(SAMPLES).get(table, {})
    out = []
    for field in fields:
        more = foreign.get(field.key, {})
        out.append(
            replace(
                field,
                synonyms=tuple(more.get("headings", ())),
                spellings={str(k): str(v) for k, v in more.get("values", {}).items()},
                sample=str(samples.get(field.key, "")),
            )
        )
    return tuple(out)


# -- units ------------------------------------------------------------------------------------------
def site_choices(permission: str) -> Callable[[Actor], Mapping[str, Any]]:
    """Code -> unit, for the sites in which the actor may use the permission."""

    def choices(by: Actor) -> dict[str, Any]:
        return {site.code: site for site in open_sites(by, permission)}

    return choices


def units(run: Run) -> dict[int, Organisation]:
    """Every organisation by id, once in a run."""
    if "units" not in run.memo:
        run.memo["units"] = {unit.id: unit for unit in Organisation.objects.all()}
    return run.memo["units"]


def name_key(name: str) -> str:
    """A unit's name as it is compared."""
    return compact(name).upper()


def _by_name(run: Run) -> dict[str, list[Organisation]]:
    """Every way in which a unit may be named -> the units; codes and matched names are unique."""
    if "by_name" not in run.memo:
        found: dict[str, list[Organisation]] = {}
        for unit in units(run).values():
            for name in {unit.code, unit.name, unit.short_name, unit.name_en}:
                if name:
                    found.setdefault(name_key(name), []).append(unit)
        for code, unit_id in SiteProfile.objects.exclude(school_code=None).values_list(
            "school_code", "organisation_id"
        ):
            found.setdefault(name_key(code), []).append(units(run)[unit_id])
        for name, unit_id in SiteAlias.objects.values_list("name", "organisation_id"):
            found[name_key(name)] = [units(run)[unit_id]]
        run.memo["by_name"] = {key: list(dict.fromkeys(held)) for key, held in found.items()}
    return run.memo["by_name"]


def find_unit(name: str, run: Run, kinds: Iterable[str] = SITE_KINDS) -> Organisation | None:
    """The unit of those kinds that a name or code means; None for none or several."""
    held = [unit for unit in _by_name(run).get(name_key(name), ()) if unit.kind in set(kinds)]
    return held[0] if len(held) == 1 else None


def _allowed(run: Run, permission: str) -> dict[int, Organisation]:
    key = f"sites:{permission}"
    if key not in run.memo:
        run.memo[key] = {site.id: site for site in open_sites(run.by, permission)}
    return run.memo[key]


def settle_site(row: Row, run: Run, permission: str, key: str = "school") -> Organisation | None:
    """The row's site as `row.links["site"]` and its code in the values; problems where there is none.

    Whoever has one site need not name it.
    """
    allowed = _allowed(run, permission)
    given = row.values.get(key, "")
    if not given:
        if len(allowed) != 1:
            row.wrong(key, _("没有写学校。"), _("写学校名称、简称或学校标识码。"))
            return None
        site = next(iter(allowed.values()))
    else:
        site = find_unit(given, run)
        if site is None:
            row.wrong(
                key,
                _("没有叫这个名称的学校。"),
                _("从下拉列表里选，或写学校标识码。"),
                unmatched=given,
            )
            return None
        if site.id not in allowed:
            row.wrong(key, _("不是你可以维护的学校，或已经撤销。"), _("核对学校名称。"))
            return None
    row.values[key] = site.code
    row.links["site"] = site
    return site


def code_of(unit_id: int | None, run: Run) -> str:
    """A unit's code; empty for none."""
    return units(run)[unit_id].code if unit_id else ""


# -- people -----------------------------------------------------------------------------------------
def settle_names(row: Row, run: Run) -> None:
    """The name as it is stored; problems on what is none, except in what an undoing brings back."""
    if name := row.values.get("name"):
        row.values["name"] = normal_name(name)
    for key in () if run.undoing else ("name", "former_name"):
        if problem := name_problem(row.values.get(key) or ""):
            row.wrong(key, str(NAME_PROBLEMS[problem]), str(CORRECT_NAME))


def ages(kind: str, run: Run) -> Ages | None:
    """The ages that a kind of person may have, once in a run.  An undoing brings back any."""
    if run.undoing or kind not in WORDS:
        return None
    key = f"ages:{kind}"
    if key not in run.memo:
        run.memo[key] = Ages(kind, today(), authority(run.by).code)
    return run.memo[key]


def settle_person(row: Row, day: dt.date, run: Run, who: str) -> None:
    """Name, number, birth and sex of a row in step; problems on the column that is wrong.

    GB 11643-1999: a citizen number gives birth and sex.  `who`: the kind of person.
    """
    values = row.values
    settle_names(row, run)
    number = values.get("id_number", "")
    if not number and not values.get("born_on"):
        return
    kind = values.get("id_kind", "")
    if number:
        kind = values.setdefault("id_kind", CITIZEN_ID)
        if kind == CITIZEN_ID and len(number) == 15:
            number = values["id_number"] = complete_citizen_id(number)
    plausible = ages(who, run)
    found = identity(
        kind,
        number,
        born_on=values.get("born_on") or None,
        sex=values.get("sex") or "0",
        day=day,
        span=plausible and plausible.span,
    )
    if found.problem == "age":
        row.wrong("born_on", plausible.problem, str(CORRECT_NUMBER))
        return
    if found.problem:
        field = PROBLEM_FIELDS.get(found.problem, "id_number")
        row.wrong(field, str(PROBLEMS[found.problem]), str(CORRECT_NUMBER))
        return
    if found.born_on:
        values["born_on"] = found.born_on
    if found.sex != "0":
        values["sex"] = found.sex


@lru_cache(maxsize=20_000)
def _letters(name: str) -> tuple[str, str]:
    """A name as it is stored, and its initials.  Names repeat."""
    name = normal_name(name)
    return name, initials(name)


def prepared(name: str, number: str) -> tuple[str, str, str | None, str]:
    """Name, initials, number and search token as `Person.prepare` leaves them."""
    number = number.strip().upper()
    return *_letters(name), number or None, tail_token(number)


def sealed_any(numbers: Iterable[str], column: str) -> list[str]:
    """The numbers sealed under every key, for a search by equality."""
    return [seal(number, column, tag) for number in numbers for tag in settings.IDENTITY_KEYS]


class _AnyOf(Func):
    """`column = ANY (array)`: one parameter, looked up by hash."""

    template = "%(expressions)s)"
    arg_joiner = "::text = ANY ("
    output_field = BooleanField()


def with_number(rows: QuerySet, field: str, numbers: Iterable[str]) -> QuerySet:
    """Those rows whose sealed field is one of the numbers, whichever key sealed it."""
    sealed = sealed_any(numbers, f"{rows.model._meta.db_table}.{field}")
    return rows.filter(_AnyOf(F(field), Value(sealed))).order_by()


def today() -> dt.date:
    """The local day."""
    return timezone.localdate()


ID_FIELDS = (
    Field("name", gettext_lazy("姓名"), required=True, width=12, max_length=60),
    Field("sex", gettext_lazy("性别"), Kind.CHOICE, choices=dict(Sex.choices), width=8),
    Field("born_on", gettext_lazy("出生日期"), Kind.DATE, width=13),
    Field(
        "id_kind",
        gettext_lazy("身份证件类型"),
        Kind.CHOICE,
        choices=dict(IdKind.choices),
        width=16,
        help=gettext_lazy("不填就是居民身份证。"),
    ),
    Field(
        "id_number",
        gettext_lazy("身份证件号"),
        Kind.ID,
        max_length=30,
        width=22,
        mask=masked,
        help=gettext_lazy("有居民身份证的，性别和出生日期可以不填，由号码得出。"),
    ),
)


def id_field(key: str, **changes: Any) -> Field:
    """One of the fields of identity, changed for a table."""
    return replace(next(field for field in ID_FIELDS if field.key == key), **changes)


def reference() -> Field:
    """The key of a stored row, in exports only: so that a masked export can be read again."""
    return Field(
        "ref",
        gettext_lazy("记录编号"),
        width=38,
        max_length=40,
        in_template=False,
        help=gettext_lazy("由系统填写，不要改。"),
    )


def code_list(name: str, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """Choices of a list of codes.yaml; the labels follow the reader's language."""
    return {code: _lazy_word(name, code) for code, _label in lists.choices(name, only=only)}


_lazy_word = lazy(lists.word, str)


def as_uuid(text: str | None) -> uuid.UUID | None:
    """A key as an export wrote it; None for anything else."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def forget_pairs(kind: str, keys: Iterable[uuid.UUID]) -> None:
    """Rows that go are no longer half of a suspected pair."""
    keys = list(keys)
    pairs = DuplicatePair.objects.filter(kind=kind)
    pairs.filter(Q(left__in=keys) | Q(right__in=keys)).delete()


#: How a row names the child that it speaks of.
PUPIL_FIELDS = (
    Field(
        "student_number",
        gettext_lazy("学生学籍号"),
        Kind.ID,
        max_length=20,
        width=23,
        mask=masked,
    ),
    Field("pupil_id", gettext_lazy("学生证件号"), Kind.ID, max_length=30, width=22, mask=masked),
    Field(
        "pupil_name",
        gettext_lazy("学生姓名"),
        width=12,
        max_length=60,
        help=gettext_lazy("只用来核对，不会改动学生的姓名。"),
    ),
)


class PupilFinder:
    """The children in reach of whom rows speak, found by number, two queries for all rows."""

    def __init__(self, rows: Sequence[Row], run: Run):
        base = Pupil.objects.visible_to(run.by).live()
        self._found: dict[str, Pupil] = {}
        for key, field in (("student_number", "student_number"), ("pupil_id", "id_number")):
            numbers = {row.values[key] for row in rows if row.values.get(key)}
            if not numbers:
                continue
            for pupil in with_number(base, field, numbers):
                self._found[f"{key}:{getattr(pupil, field)}"] = pupil

    def settle(self, row: Row) -> Pupil | None:
        """The row's child; a problem on the row where there is none, or the name is another's."""
        for key in ("student_number", "pupil_id"):
            if number := row.values.get(key):
                pupil = self._found.get(f"{key}:{number}")
                if pupil is None:
                    row.wrong(
                        key,
                        _("你的学校里没有这个号码的学生。"),
                        _("核对号码；先导入学生。"),
                    )
                    return None
                return self._named(row, pupil)
        row.wrong("student_number", _("没有写是哪一名学生。"), _("写学籍号或学生证件号。"))
        return None

    @staticmethod
    def _named(row: Row, pupil: Pupil) -> Pupil | None:
        name = normal_name(row.values.get("pupil_name", ""))
        if name and name != pupil.name:
            row.wrong(
                "pupil_name",
                _("号码对应的学生不叫这个名字。"),
                _("核对号码和姓名，改正写错的一个。"),
            )
            return None
        row.values["pupil_name"] = pupil.name
        row.values["student_number"] = pupil.student_number or ""
        row.values["pupil_id"] = pupil.id_number or ""
        return pupil

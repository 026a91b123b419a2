"""The list of a school's new children as a workbook, and the national pupil-status import file."""

import datetime as dt
import io
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Application, ClassDraw
from xuezheng.kernel.exchange.table import Field, Keeper, Kind, Run, Table
from xuezheng.registry.codes import masked, masked_phone
from xuezheng.registry.models import Guardianship, SiteProfile
from xuezheng.registry.models.people import Sex


class PlacedKeeper(Keeper):
    """Goes out only: places come from the result, arrivals from the school."""

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Child, place, guardian; three queries."""
        for row in rows.prefetch_related("parties"):
            parties = list(row.parties.all())
            main = parties[0] if parties else None
            yield {
                "season": row.season.title,
                "number": row.case.number,
                "name": row.child_name,
                "sex": row.sex,
                "born_on": row.born_on,
                "id_number": row.entry.id_number or "",
                "state": row.get_state_display(),
                "guardian": main.name if main else "",
                "phone": (main.phone or "") if main else "",
            }


PLACED = Table(
    key="admissions_placed",
    title=gettext_lazy("录取新生名单"),
    version="2026.1",
    fields=(
        Field("season", gettext_lazy("招生批次"), width=20),
        Field("number", gettext_lazy("登记编号"), Kind.CODE, width=18),
        Field("name", gettext_lazy("姓名"), width=12),
        Field("sex", gettext_lazy("性别"), Kind.CHOICE, choices=dict(Sex.choices), width=8),
        Field("born_on", gettext_lazy("出生日期"), Kind.DATE, width=13),
        Field("id_number", gettext_lazy("身份证件号"), Kind.ID, width=22, mask=masked),
        Field("state", gettext_lazy("状态"), width=10),
        Field("guardian", gettext_lazy("监护人"), width=12),
        Field("phone", gettext_lazy("联系电话"), Kind.PHONE, width=16, mask=masked_phone),
    ),
    permission=Permission.SCHOOL,
    keeper=PlacedKeeper(),
    identity=("number",),
)


@cache
def layout() -> dict[str, Any]:
    """The import layout: {"title", "source", "columns": [{"key", "heading"}, ...]}."""
    text = Path(__file__).with_name("pupil_file.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def import_file(rows: Iterable[Application]) -> bytes:
    """The workbook: headings in the first line, Chinese in every language, and every cell as text."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(layout()["title"])
        text = book.add_format({"num_format": "@"})
        for at, column in enumerate(layout()["columns"]):
            sheet.set_column(at, at, column["width"], text)
            sheet.write_string(0, at, column["heading"], text)
        for line, values in enumerate(_lines(rows), start=1):
            for at, value in enumerate(values):
                sheet.write_string(line, at, str(value), text)
    return out.getvalue()


def _lines(rows: Iterable[Application]) -> Iterator[list[Any]]:
    """A line for each child, in the order of the columns.  Rows need entry, parties, dwellings."""
    rows = list(rows)
    if not rows:
        return
    school = rows[0].case.organisation_id
    profile = SiteProfile.objects.filter(organisation=school).first()
    draws = ClassDraw.objects.filter(school=school, void_reason="", drawn_at__isnull=False)
    classes = {
        code: number
        for draw in draws.filter(season=rows[0].season)
        for code, number in draw.result["classes"].items()
    }
    relations = dict(Guardianship.Relation.choices)
    words = layout()["words"]
    for row in rows:
        entry, parties = row.entry, list(row.parties.all())
        main = parties[0] if parties else None
        number = entry.id_number or ""
        values: dict[str, Any] = {
            "school_code": (profile.school_code or "") if profile else "",
            "name": entry.name,
            "sex": Sex(row.sex).label,
            "born_on": f"{entry.born_on:%Y%m%d}",
            "nationality": words["nationality"],
            "id_kind": entry.get_id_kind_display(),
            "id_number": number,
            "division": number[:6] if len(number) == 18 else "",
            "register": str(row.register_dwelling or ""),
            "home": str(row.home_dwelling or row.register_dwelling or ""),
            "entered": f"{(row.season.arrival_on or dt.date(row.season.year, 9, 1)):%Y%m}",
            "grade": row.season.get_level_display(),
            "class": classes.get(entry.code, ""),
            "way": words["in_area"] if row.zone_name else words["other"],
            "guardian": main.name if main else "",
            "relation": relations.get(main.relation, "") if main else "",
            "phone": (main.phone or "") if main else "",
        }
        yield [values.get(column["key"], "") for column in layout()["columns"]]

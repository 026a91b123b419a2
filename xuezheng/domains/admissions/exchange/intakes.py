"""Places of a season as a workbook, with the order of redirection."""

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
)
from xuezheng.domains.admissions.models import Intake, Redirection, Season
from xuezheng.kernel.exchange.bulk import referring
from xuezheng.kernel.exchange.table import Existing, Field, Keeper, Kind, Row, Run, Table
from xuezheng.registry.exchange import common

STATES = (Season.State.PREPARING.value,)
#: What a new row has where the file says nothing.
BLANK = {"classes": 1, "mode": Intake.Mode.ZONE.value, "draw_when_over": False}


class IntakeKeeper(Keeper):
    """Writes the places of schools, and where each sends on whom it cannot take."""

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """Season, school, and the schools of the redirection, which take part themselves."""
        for row in rows:
            row.links = {}
            values = row.values
            season = settle_season(row, run, Permission.SEASON, *STATES)
            school = common.find_unit(values.get("school", ""), run)
            if school is None:
                row.wrong(
                    "school", _("没有叫这个名称的学校。"), _("写全称、简称或代码。"),
                    unmatched=values.get("school", ""),
                )  # fmt: skip
            targets = settle_schools(row, run, "redirect")
            if season is None or row.problems:
                continue
            values["school"] = school.code
            if "redirect" in values:
                values["redirect"] = joined(targets)
            if school in targets:
                row.wrong("redirect", _("分流去向不能是本校。"), _("改成别的学校。"))
            if values.get("draw_when_over") and values.get("mode") == Intake.Mode.ZONE:
                row.wrong(
                    "draw_when_over", _("只有按志愿招生的学校可以超额摇号。"), _("改方式或去掉。")
                )
            row.links |= {"season": season, "school": school, "targets": targets}
            if not row.problems:
                row.key = (season.id, school.id)
        named = {row.key for row in rows if row.key}
        for row in rows:
            season = row.links.get("season")
            for target in row.links.get("targets", ()):
                known = target.id in intakes_of(season, run) or (season.id, target.id) in named
                if not known:
                    row.wrong(
                        "redirect", _("“%s”不在本批次的招生计划里。") % target, _("给它也写一行。")
                    )

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """Places by season and school."""
        base = Intake.objects.filter(
            season__in={row.key[0] for row in rows}, school__in={row.key[1] for row in rows}
        ).select_related("school")
        if lock:
            base = base.select_for_update(of=("self",))
        held = list(base)
        targets = _targets(held)
        return {
            (row.season_id, row.school_id): Existing(
                self._values(row, targets.get(row.id, [])), row, row.version
            )
            for row in held
        }

    @staticmethod
    def _values(row: Intake, targets: list[str]) -> dict[str, Any]:
        return {
            "season": str(row.season_id),
            "school": row.school.code,
            "name": str(row.school),
            "places": row.places,
            "classes": row.classes,
            "mode": row.mode,
            "draw_when_over": row.draw_when_over,
            "redirect": joined(targets),
        }

    def export(self, rows: Any, run: Run) -> Iterator[dict[str, Any]]:
        """Values of each school's places."""
        held = list(rows.select_related("school"))
        targets = _targets(held)
        for row in held:
            yield self._values(row, targets.get(row.id, []))

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Places, then their redirections, which may lead to each other."""
        made = Intake.objects.bulk_create(
            Intake(
                season=row.links["season"],
                school=row.links["school"],
                places=row.values["places"],
                **{key: _given(row.values, key) for key in BLANK},
            )
            for row in rows
        )
        run.memo.pop("intakes", None)
        for row, intake in zip(rows, made, strict=True):
            self._redirect(row, intake, run)

    @staticmethod
    def _redirect(row: Row, intake: Intake, run: Run) -> None:
        taking = intakes_of(row.links["season"], run)
        intake.redirections.all().delete()
        Redirection.objects.bulk_create(
            Redirection(intake=intake, target=taking[target.id], rank=rank)
            for rank, target in enumerate(row.links["targets"], start=1)
        )

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Places, classes, mode, draw, redirections."""
        for row, stored in rows:
            intake: Intake = stored.row
            for key in ("places", *BLANK):
                if key in row.old:
                    setattr(intake, key, _given(row.values, key))
            intake.version += 1
            intake.save()
        for row, stored in rows:
            if "redirect" in row.old:
                self._redirect(row, stored.row, run)

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Places that nobody chose and nothing leads to."""
        keys = [stored.row.pk for _row, stored in rows]
        reasons = referring(Intake, keys, apart_from=("redirections", "+"))
        for row, stored in rows:
            if reason := reasons.get(stored.row.pk):
                row.left = _("已有%s引用这条记录。") % reason
        Intake.objects.filter(
            pk__in=[stored.row.pk for row, stored in rows if not row.left]
        ).delete()


def _given(values: dict[str, Any], key: str) -> Any:
    value = values.get(key)
    return BLANK.get(key, 0) if value in ("", None) else value


def _targets(rows: Sequence[Intake]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    redirections = Redirection.objects.filter(intake__in=[row.id for row in rows])
    for each in redirections.select_related("target__school").order_by("intake", "rank"):
        found.setdefault(each.intake_id, []).append(str(each.target.school))
    return found


INTAKES = Table(
    key="admissions_intakes",
    title=gettext_lazy("招生计划"),
    version="2026.1",
    fields=(
        season_field(*STATES),
        Field("school", gettext_lazy("学校"), required=True, max_length=100, width=16,
              help=gettext_lazy("名称、简称或代码。")),
        Field("name", gettext_lazy("学校名称"), width=26, in_template=False),
        Field("places", gettext_lazy("计划学位"), Kind.INTEGER, required=True, maximum=5000),
        Field("classes", gettext_lazy("计划班数"), Kind.INTEGER, maximum=200, width=10),
        Field("mode", gettext_lazy("方式"), Kind.CHOICE, choices=dict(Intake.Mode.choices)),
        Field("draw_when_over", gettext_lazy("超额摇号"), Kind.BOOL, width=10),
        Field("redirect", gettext_lazy("分流去向"), max_length=300, width=32,
              help=gettext_lazy("满额后依次分流到哪里，用顿号隔开；“清空”表示不分流。")),
    ),
    permission=Permission.SEASON,
    keeper=IntakeKeeper(),
    identity=("school",),
    instructions=(gettext_lazy("一行一所学校；导入新增和修改，不删除。"),),
)  # fmt: skip

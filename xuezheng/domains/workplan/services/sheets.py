"""The task table that offices edit by hand: its cells, what differs when it comes back, writing that.

A cell is taken back by the number of its task.  Three values are compared: what the table said when it
was exported (base), what it says now, what the system says now.  Only what was edited in the table is a
change; where the system has moved on meanwhile it is a conflict, which a person must choose to write.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import Commitment, Plan, RoundReport, SheetReturn
from xuezheng.domains.workplan.parsing.due import due_day
from xuezheng.domains.workplan.parsing.units import person_name, split_names
from xuezheng.domains.workplan.selectors import HANDLERS
from xuezheng.domains.workplan.services.importing import offices_by_name, people_by_name
from xuezheng.domains.workplan.services.reviewing import Amendment, Edit, edit_many
from xuezheng.domains.workplan.services.rounds import LONGEST_TEXT, last_texts, save_text
from xuezheng.kernel.access.actors import Actor, OutOfScope
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry import roles

#: Columns of the table in their order; those of STRUCTURE change the plan, PROGRESS is the office's.
COLUMNS = (
    "code", "section", "title", "wording", "due", "leader", "lead", "support", "handler",
    "progress", "state",
)  # fmt: skip
STRUCTURE = ("title", "wording", "due", "leader", "lead", "support", "handler")
PROGRESS = "progress"
LONGEST = {"title": 120}

Cells = Mapping[str, str]


def _open_reports(plan: Plan) -> dict[int, RoundReport]:
    """Commitment id -> its report in the open round."""
    rows = RoundReport.objects.filter(
        round__plan=plan, round__opened_at__isnull=False, round__closed_at__isnull=True
    )
    return {row.commitment_id: row for row in rows.select_related("case")}


def sheet_rows(plan: Plan) -> list[dict[str, str]]:
    """The table's cells as text, in the plan's order.  Seven queries, whatever the number of rows."""
    reports, told = _open_reports(plan), last_texts(plan)
    rows = (
        plan.commitments.live()
        .select_related("section", "leader", "lead_office", "handler")
        .prefetch_related("supports__organisation", "milestones")
        .order_by("order")
    )
    made = []
    for row in rows:
        report = reports.get(row.id)
        made.append(
            {
                "code": row.code,
                "section": str(row.section),
                "title": row.title,
                "wording": row.wording,
                "due": row.due_on.isoformat() if row.due_on else "",
                "leader": row.leader.name if row.leader else "",
                "lead": row.lead_office.name if row.lead_office else "",
                "support": "、".join(s.organisation.name for s in row.supports.all()),
                "handler": row.handler.name if row.handler else "",
                "progress": report.text or report.carried if report else told.get(row.id, ""),
                "state": "\n".join(
                    f"{m.title}：{m.get_state_display()}"
                    for m in row.milestones.all()
                    if m.state != "withdrawn"
                ),
            }
        )
    return [{key: plain(value) for key, value in cells.items()} for cells in made]


def plain(value: str) -> str:
    """A text as every program writes it back: one kind of line end, no blanks at the ends of lines."""
    lines = value.replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def keep_return(
    plan: Plan,
    *,
    base: Mapping[str, Cells],
    returned: Sequence[tuple[str, Cells]],
    remarks: Sequence[str] = (),
    by: Actor,
) -> SheetReturn:
    """Compare a table that came back with its base and the system, and keep the preview.

    Nothing else is written.  Raises PermissionDenied for whoever may neither edit nor report.
    """
    if not by.can(Permission.EDIT):
        by.post_for(Permission.REPORT, _own_office(plan, by))
    now = {cells["code"]: cells for cells in sheet_rows(plan)}
    said = list(remarks)
    seen: set[str] = set()
    found: list[dict[str, Any]] = []
    judge = _Judge(plan, by)
    for code, cells in returned:
        if code in seen:
            said.append(_("编号 %s 出现了两次，只取第一次。") % code)
        elif code not in now or code not in base:
            said.append(_("编号 %s 不在本计划中，这一行没有取。新任务请在系统里增加。") % code)
        else:
            found += _differences(code, cells, base[code], now[code], judge, said)
        seen.add(code)
    gone = [code for code in base if code not in seen and code in now]
    if gone:
        said.append(
            _("表中少了 %(n)d 行（%(codes)s），系统里不会删除；撤销任务请在系统里办。")
            % {"n": len(gone), "codes": "、".join(gone[:10])}
        )
    row = SheetReturn.objects.create(
        plan=plan, sent_by=by.user, sent_at=timezone.now(), cells=found, remarks=said
    )
    _note("sheet.return", row, by, {"cells": len(found), "remarks": len(said)})
    return row


def _own_office(plan: Plan, by: Actor) -> int:
    mine = plan.commitments.filter(
        lead_office__within=by.scope(Permission.REPORT).organisations
    ).values_list("lead_office", flat=True)
    return mine.first() or plan.organisation_id


def _note(action: str, row: SheetReturn, by: Actor, detail: dict[str, Any]) -> None:
    record(
        action,
        by=by,
        post=None,
        organisation_id=row.plan.organisation_id,
        object_type="plan",
        object_id=row.plan_id,
        detail=detail,
    )


def _differences(
    code: str, cells: Cells, base: Cells, now: Cells, judge: "_Judge", said: list[str]
) -> list[dict[str, Any]]:
    found = []
    for column in COLUMNS:
        old, new = plain(base.get(column, "")), plain(cells.get(column, ""))
        if new in (old, now[column]) or column == "code":
            continue
        if column not in (*STRUCTURE, PROGRESS):
            said.append(_("%s：章节和节点状态不从表中取，请在系统里改。") % code)
            continue
        found.append(
            {
                "code": code,
                "column": column,
                "base": old,
                "now": now[column],
                "new": new,
                "conflict": now[column] != old,
                "problem": judge.problem(code, column, new),
                "written": False,
            }
        )
    return found


class _Judge:
    """Whether a new value can be written, and as what."""

    def __init__(self, plan: Plan, by: Actor):
        self.plan = plan
        self.offices = offices_by_name()
        self.leaders = people_by_name(roles.DIRECTOR, roles.DEPUTY)
        self.handlers = people_by_name(*HANDLERS)
        self.may_edit = plan.organisation_id in by.scope(Permission.EDIT)
        self.reporting = by.scope(Permission.REPORT).organisations
        self.reports = {
            report.commitment.code: report
            for report in RoundReport.objects.filter(
                pk__in=[report.pk for report in _open_reports(plan).values()]
            ).select_related("case", "commitment", "round")
        }

    def problem(self, code: str, column: str, new: str) -> str:
        """Why the value cannot be written, or nothing."""
        if column == PROGRESS:
            return self._progress_problem(code, new)
        if not self.may_edit:
            return _("只有计划督办员可以改，须作为修订并写明会议纪要编号。")
        if not new and column in ("title", "wording", "lead"):
            return _("不能为空。")
        if len(new) > LONGEST.get(column, 30_000):
            return _("太长。")
        try:
            self.value(column, new)
        except ValueError as error:
            return str(error)
        return ""

    def _progress_problem(self, code: str, new: str) -> str:
        report = self.reports.get(code)
        if report is None:
            return _("现在没有开着的填报轮次。")
        if report.case.organisation_id not in self.reporting:
            return _("由牵头科室填写。")
        if report.state != "filling":
            return _("这份进展已经报出，不能再改。")
        return _("太长。") if len(new) > LONGEST_TEXT else ""

    def value(self, column: str, new: str) -> Any:
        """The field's value of a cell.  Raises ValueError with words for the user."""
        if column == "due":
            day = due_day(new, self.plan.year) if new else None
            if new and day is None:
                raise ValueError(_("认不准是哪一天。"))
            return day
        if column == "lead":
            return self._office(new)
        if column == "support":
            return [self._office(name) for name in split_names(new)]
        if column in ("leader", "handler"):
            known = self.leaders if column == "leader" else self.handlers
            name = person_name(new)
            if name and known.get(name) is None:
                raise ValueError(_("没有对上账号，或有同名的人。"))
            return known[name] if name else None
        return new

    def _office(self, name: str) -> Organisation:
        if name not in self.offices:
            raise ValueError(_("单位“%s”不在机构名录中。") % name[:60])
        return self.offices[name]


FIELDS = {
    "title": "title",
    "wording": "wording",
    "due": "due_on",
    "leader": "leader",
    "lead": "lead_office",
    "handler": "handler",
}


@transaction.atomic
def apply_return(
    row: SheetReturn, *, chosen: Sequence[int], amendment: Amendment | None, by: Actor
) -> int:
    """Write the chosen cells (their places in `cells`); the plan's as one amendment.

    A cell that changed again after the preview, or has a problem, refuses the whole: nothing is
    written unseen.  Returns how many were written.  Raises OutOfScope for somebody else's preview,
    StepRefused, PermissionDenied.
    """
    row = SheetReturn.objects.select_for_update(of=("self",)).select_related("plan").get(pk=row.pk)
    if by.user is None or row.sent_by_id != by.user.id:
        raise OutOfScope("somebody else's table")
    if row.applied_at:
        raise StepRefused(_("这张表已经写入过了。"))
    cells = [row.cells[at] for at in sorted(set(chosen)) if at < len(row.cells)]
    if not cells:
        raise StepRefused(_("请先勾选要写入的改动。"))
    now, judge = {c["code"]: c for c in sheet_rows(row.plan)}, _Judge(row.plan, by)
    for cell in cells:
        if now.get(cell["code"], {}).get(cell["column"]) != cell["now"]:
            raise StepRefused(_("%s 在您核对时又被改过，请重新上传核对。") % cell["code"])
        if problem := judge.problem(cell["code"], cell["column"], cell["new"]):
            raise StepRefused(f"{cell['code']}：{problem}")
    for cell in cells:
        if cell["column"] == PROGRESS:
            save_text(judge.reports[cell["code"]], text=cell["new"], by=by)
    edits = _edits(row.plan, [c for c in cells if c["column"] != PROGRESS], judge)
    if edits:
        edit_many(row.plan, edits, amendment=amendment, by=by)
    for cell in cells:
        cell["written"] = True
    row.applied_at = timezone.now()
    row.save(update_fields=["cells", "applied_at"])
    _note("sheet.apply", row, by, {"cells": len(cells)})
    return len(cells)


def _edits(plan: Plan, cells: Sequence[dict[str, Any]], judge: _Judge) -> list[Edit]:
    by_code: dict[str, dict[str, Any]] = defaultdict(dict)
    for cell in cells:
        by_code[cell["code"]][cell["column"]] = judge.value(cell["column"], cell["new"])
    rows = Commitment.objects.filter(plan=plan, code__in=by_code).prefetch_related("supports")
    edits = []
    for row in rows:
        values = by_code[row.code]
        supports = None
        if "support" in values:
            parts = {s.organisation_id: s.part for s in row.supports.all()}
            supports = [(office, parts.get(office.id, "")) for office in values.pop("support")]
        changes = {FIELDS[column]: value for column, value in values.items()}
        edits.append(Edit(row, row.version, changes, supports))
    return edits

"""The plan desk of the demo district: sources, five supervision sheets, a recurring report, a bulletin."""

import datetime as dt

from django.utils import timezone

from xuezheng.domains.workplan.models import (
    Commitment,
    Draft,
    Plan,
    SourceKind,
    Supervision,
)
from xuezheng.domains.workplan.rules import Every, Level
from xuezheng.domains.workplan.services import drafting, recurring, sources, supervising
from xuezheng.kernel.access.actors import JobActor, StaffActor
from xuezheng.kernel.access.models import User
from xuezheng.kernel.reference.calendar import due_after

MINUTES = """一、议定事项
1.校车安全。由安全管理科牵头，12月10日前完成全部校车轮胎和灭火器检查。
2.食堂采购。由学生资助与后勤部门提出大宗食材集中采购办法。"""
#: How far each sheet has come.
WAYS = ("proposed", "issued", "acting", "replied", "filed")
#: Days ago on which the one that is filed was issued.
FILED_AGO = 24


def load_desk(plan: Plan, people: dict[str, User], today: dt.date) -> None:
    """Put it in through the same services as the plan office does."""
    officer, director = StaffActor(people["plan"]), StaffActor(people["director"])
    rows = list(
        plan.commitments.live()
        .filter(accepted_on__isnull=True)
        .select_related("lead_office", "plan__organisation")
        .order_by("light_order", "-behind", "order")[: len(WAYS)]
    )
    document = sources.register_source(
        organisation=plan.organisation,
        kind=SourceKind.DOCUMENT,
        number=f"澜教安〔{today.year}〕17号",
        title="关于开展秋冬季校园安全专项整治的通知",
        issued_by="市教育局",
        dated_on=today - dt.timedelta(days=40),
        text="各区教育局：请于年底前完成校车、食堂、消防三项专项检查，检查情况按月报送。",
        by=officer,
    )
    sources.link(document, commitments=rows[:2], by=officer)
    sources.register_source(
        organisation=plan.organisation,
        kind=SourceKind.MINUTES,
        number=f"局务会〔{today.year}〕14号",
        title="局务会纪要：校车与食堂专题",
        dated_on=today - dt.timedelta(days=6),
        text=MINUTES,
        by=officer,
    )
    sources.write_note(
        organisation=plan.organisation,
        text="专项检查要见底数，月底前把清单报我。",
        on=document,
        by=director,
    )
    for row, way in zip(rows, WAYS, strict=False):
        _sheet(row, way, officer, today)
    recurring.set_recurring(
        organisation=plan.organisation,
        title="校园安全专项检查情况月报",
        receiver="市教育局",
        basis=str(document),
        office=rows[0].lead_office,
        every=Every.MONTH,
        month=1,
        day=28,
        by=officer,
    )
    recurring.remind_reports(plan.organisation, today, by=JobActor("demo"))
    drafting.make_draft(
        plan, kind=Draft.Kind.BULLETIN, begins=today.replace(day=1), ends=today, by=officer
    )


def _sheet(row: Commitment, way: str, officer: StaffActor, today: dt.date) -> None:
    """One sheet, taken as far as its way says."""
    automatic = way == "proposed"
    sheet = supervising.propose(
        issuer=row.plan.organisation,
        office=row.lead_office,
        title=row.title,
        note=f"{row.get_cause_display()}，影响全年进度。",
        commitment=row,
        automatic=automatic,
        by=JobActor("workplan.desk") if automatic else officer,
    )
    if automatic:
        return
    supervising.issue(
        sheet,
        demand="查明原因，倒排工期，把完成时间和责任人报办公室。",
        due_on=due_after(today, 10),
        level=Level(sheet.level),
        by=officer,
    )
    post = row.lead_office.posts.filter(role="office_head").select_related("user").first()
    head = StaffActor(post.user)
    steps = {
        "acting": [(supervising.sign, head, {})],
        "replied": [
            (supervising.sign, head, {}),
            (supervising.reply, head, {"note": "已召开协调会，责任和时间定到人，附进度表。"}),
        ],
    }
    steps["filed"] = [
        *steps["replied"],
        (supervising.settle, officer, {"note": "措施可行，同意办结。"}),
        (supervising.file_away, officer, {}),
    ]
    for act, actor, more in steps.get(way, []):
        fresh = Supervision.objects.select_related("case", "issuer").get(pk=sheet.pk)
        act(fresh, version=fresh.case.version, by=actor, **more)
    if way == "filed":
        _back(sheet, today)


def _back(sheet: Supervision, today: dt.date) -> None:
    """Date what was settled back, a few days between the steps."""
    issued = today - dt.timedelta(days=FILED_AGO)
    Supervision.objects.filter(pk=sheet.pk).update(
        issued_on=issued,
        due_on=due_after(issued, 10),
        replied_on=due_after(issued, 6),
        settled_on=due_after(issued, 8),
        signed_at=timezone.make_aware(dt.datetime.combine(due_after(issued, 1), dt.time(9))),
    )
    for clock in sheet.case.clocks.all():
        ago = dt.timedelta(days=FILED_AGO)
        clock.started, clock.due, clock.stopped = clock.started - ago, clock.due - ago, today - ago
        clock.save()
    for number, move in enumerate(sheet.case.moves.order_by("id")):
        move.at = timezone.make_aware(
            dt.datetime.combine(due_after(issued, 2 * number), dt.time(10))
        )
        move.save(update_fields=["at"])
    case = sheet.case
    first, last = case.moves.order_by("at").first(), case.moves.order_by("at").last()
    type(case).objects.filter(pk=case.pk).update(opened_at=first.at, closed_at=last.at)

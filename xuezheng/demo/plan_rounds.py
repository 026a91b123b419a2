"""The demo district's rounds: three past months with two late reports, the present one open."""

import datetime as dt
from collections import Counter

from django.utils import timezone

from xuezheng.domains.workplan.models import Plan, Round, RoundReport
from xuezheng.domains.workplan.services.rounds import open_round, plan_rounds, report_progress
from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import Post, User
from xuezheng.kernel.cases.models import Case, CaseClock, Move
from xuezheng.registry import roles

TEXTS = (
    "按月度安排推进，未遇到需要协调的问题。",
    "已完成本月工作安排，台账和佐证材料存科室。",
    "正在推进，下月完成阶段小结。",
)
PAST = 3
#: Reports of the present month that each leader may sign.
TO_SIGN = 3


def load_rounds(plan: Plan, people: dict[str, User], today: dt.date) -> None:
    """Months that are over are told as they went; most of this month's wait in the offices."""
    officer = StaffActor(people["plan"])
    made = plan_rounds(plan, months=1, since=dt.date(plan.year, 1, 1), by=officer)
    past = [row for row in made if row.closes_on < today][-PAST:]
    present = next((row for row in made if row.closes_on >= today), None)
    if past:
        Round.objects.filter(plan=plan, ends_on__lt=past[0].ends_on).delete()
    for row in past:
        open_round(row, by=officer)
        _tell(row, officer, late=row is past[-1])
    if present:
        open_round(present, by=officer)
        _hand_in(present)
    for row in past:
        Round.objects.filter(pk=row.pk).update(
            opened_at=_moment(row.opens_on), closed_at=_moment(row.closes_on, 18)
        )


def _hand_in(row: Round) -> None:
    """The first reports of each leader in charge are ready to be signed."""
    heads = _heads()
    waiting: Counter[int] = Counter()
    rows = row.reports.select_related("case", "commitment__leader").order_by("commitment__order")
    for at, report in enumerate(rows):
        head, leader = heads.get(report.case.organisation_id), report.commitment.leader_id
        if head and leader and waiting[leader] < TO_SIGN:
            report_progress(report, text=TEXTS[at % len(TEXTS)], by=StaffActor(head.user))
            waiting[leader] += 1


def _heads() -> dict[int, Post]:
    """Office -> the post of its head."""
    posts = Post.objects.filter(role=roles.OFFICE_HEAD).select_related("user")
    return {post.organisation_id: post for post in posts}


def _moment(day: dt.date, hour: int = 9) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour)))


def _tell(row: Round, officer: StaffActor, *, late: bool) -> None:
    """What submitting, signing and taking in would have left, dated back.

    In the last past month one report came two days late and one never did.
    """
    reports = list(row.reports.select_related("case", "commitment__leader"))
    told = reports[:-1] if late else reports
    heads = _heads()
    moves = []
    for at, report in enumerate(told):
        day = row.closes_on + dt.timedelta(days=2 if late and at == 0 else -1)
        head, leader = heads.get(report.case.organisation_id), report.commitment.leader
        report.text, report.state, report.handed_on = TEXTS[at % len(TEXTS)], "accepted", day
        steps = (
            ("submit", "filling", "confirmed", head.user if head else None, head, 10),
            ("sign", "confirmed", "signed", leader, None, 14),
            ("accept", "signed", "accepted", officer.user, officer.posts[0], 16),
        )
        moves += [
            Move(
                case=report.case, at=_moment(day, hour), step=step, source=source, target=target,
                user=user, post=post, note="",
            )
            for step, source, target, user, post, hour in steps
        ]  # fmt: skip
    cases = Case.objects.filter(round_report__in=[report.pk for report in told])
    Move.objects.filter(case__round_report__round=row).update(at=_moment(row.opens_on))
    Move.objects.bulk_create(moves)
    RoundReport.objects.bulk_update(told, ["text", "state", "handed_on"])
    CaseClock.objects.filter(case__in=cases.values("id")).update(stopped=row.closes_on)
    Case.objects.filter(round_report__round=row).update(opened_at=_moment(row.opens_on))
    cases.update(
        state="accepted",
        phase="closed",
        awaits="",
        due=None,
        handler=None,
        closed_at=_moment(row.closes_on, 16),
    )

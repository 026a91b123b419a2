"""The demo district's plan, put in through the same services as a bureau's own."""

import datetime as dt
from typing import Any

from django.utils import timezone

from xuezheng.domains.workplan.models import Commitment, LightChange, Milestone, Plan, Target
from xuezheng.domains.workplan.rules import Kind
from xuezheng.domains.workplan.services.adopting import adopt_plan
from xuezheng.domains.workplan.services.carrying import ask_extension
from xuezheng.domains.workplan.services.importing import import_plan
from xuezheng.domains.workplan.services.lights import refresh_lights
from xuezheng.domains.workplan.services.reviewing import (
    add_milestone,
    edit_commitment,
    propose_milestones,
)
from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.files.store import keep_bytes

#: Milestones of projects and outside evaluations: words and day of the year.
STEPS = {
    Kind.PROJECT: [
        ("制定方案", "03-20"),
        ("中期推进", "06-30"),
        ("完成主体工作", "10-20"),
        ("总结验收", "12-15"),
    ],
    Kind.OUTSIDE: [("自评自查", "05-31"), ("提交材料", "09-30"), ("评估结论", "12-20")],
    Kind.STANDING: [
        ("第一季度检查", "03-31"),
        ("第二季度检查", "06-30"),
        ("第三季度检查", "09-30"),
        ("第四季度检查", "12-20"),
    ],
    Kind.DOCUMENT: [
        ("起草", "03-31"),
        ("征求意见", "05-20"),
        ("合法性审核", "07-10"),
        ("会议审议", "09-10"),
        ("印发", "12-10"),
    ],
}
#: Days from today at which the overdue and the soon-due milestone of the story stand.
LATE_DAYS, SOON_DAYS = -18, 5


def text_of(spec: dict[str, Any], year: int, offices: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The plan as prose, and the parse of it with the place of everything in that prose."""
    parts: list[str] = []
    length = 0

    def write(words: str) -> tuple[int, int]:
        nonlocal length
        start = length
        parts.append(words)
        length += len(words)
        return start, length

    title = spec["title"].format(year=year)
    write(title + "\n")
    write(spec["preamble"] + "\n")
    parsed: dict[str, Any] = {
        "title": title,
        "issuer": title.split(str(year))[0],
        "year": year,
        "sections": [],
        "commitments": [],
        "targets": [],
        "named_documents": [],
        "responsible_units": [],
        "warnings": [],
    }

    def section(node: dict, level: int, into: list, body: str = "\n") -> dict:
        start, end = write(node.get("n", "") + node["t"])
        write(body)
        made = {
            "number": node.get("n", ""),
            "title": node["t"],
            "level": level,
            "start": start,
            "end": end,
            "children": [],
        }
        into.append(made)
        return made

    def commitments(measure: dict, path: str, separator: str) -> None:
        for item in measure["c"]:
            start, _end = write(item["w"])
            _start, end = write(separator)
            parsed["commitments"].append(
                {"section": path, "text": item["w"] + separator, "start": start, "end": end}
                | {"kind": item["k"]}
            )
            for target in item.get("tg", []):
                at = start + item["w"].index(target["text"])
                parsed["targets"].append(
                    {
                        "section": path,
                        "text": target["text"],
                        "value": target["value"],
                        "unit": target["unit"],
                        "comparator": target["cmp"],
                        "strict": target.get("strict", False),
                        "hedged": target.get("hedged", False),
                        "period": target.get("period"),
                        "start": at,
                        "end": at + len(target["text"]),
                    }
                )

    for system in spec["systems"]:
        top = section(system, 1, parsed["sections"])
        for part in system["parts"]:
            middle = section(part, 2, top["children"])
            for measure in part["measures"]:
                section(measure, 3, middle["children"], body="。")
                path = f"{system['n'].rstrip('、')}/{part['n']}/{measure['n']}"
                commitments(measure, path, "。")
                support = "、".join(offices[code] for code in measure.get("sup", {}))
                write(f"（牵头单位：{offices[measure['lead']]}")
                write(f"；配合单位：{support}）\n" if support else "）\n")
    closing = spec["closing"]
    start, end = write(closing["text"])
    parsed["sections"].append(
        {
            "number": "",
            "title": closing["t"],
            "level": 1,
            "start": start,
            "end": end,
            "children": [],
        }
    )
    commitments(closing, closing["t"], "；")
    return "".join(parts), parsed


def load_plan(spec: dict[str, Any], people: dict[str, User], today: dt.date) -> Plan:
    """Import, settle, adopt and carry out the plan up to today."""
    bureau = Organisation.objects.get(code="XL")
    offices = {o.code: o for o in Organisation.objects.filter(code__startswith="XL-")}
    officer = StaffActor(people["plan"])
    text, parsed = text_of(spec, today.year, {code: o.name for code, o in offices.items()})
    source = keep_bytes(
        text.encode(),
        f"{parsed['title']}.txt",
        "text/plain; charset=utf-8",
        organisation_id=bureau.id,
        by=officer,
    )
    plan = import_plan(
        parsed,
        organisation=bureau,
        year=None,
        source_text=text,
        source_file=source,
        by=officer,
    )
    rows = list(plan.commitments.order_by("order"))
    items = list(_items(spec))
    for row, (measure, item) in zip(rows, items, strict=True):
        _assign(row, measure, item, offices, people, today, officer)
    adopt_plan(plan, meeting_number=f"局务会〔{today.year}〕2号", by=officer)
    handed_out = plan.commitments.select_related("lead_office").order_by("order")
    for row, (_measure, item) in zip(handed_out, items, strict=True):
        _carry_out(row, item, today)
    Plan.objects.filter(id=plan.id).update(adopted_on=dt.date(today.year, 1, 20))
    plan.refresh_from_db()
    return plan


def _items(spec: dict[str, Any]) -> Any:
    for system in spec["systems"]:
        for part in system["parts"]:
            for measure in part["measures"]:
                for item in measure["c"]:
                    yield measure, item
    for item in spec["closing"]["c"]:
        yield spec["closing"], item


#: Office -> the leader in charge of it.
LEADERS = {
    "XL-BG": "director",
    "XL-RS": "deputy-staff",
    "XL-JJ": "deputy-basic",
    "XL-XQ": "deputy-basic",
    "XL-ZC": "deputy-basic",
    "XL-JC": "deputy-support",
    "XL-AQ": "deputy-support",
    "XL-DD": "director",
    "XL-SP": "deputy-support",
    "XL-DJ": "deputy-party",
    "XL-JS": "deputy-staff",
    "XL-ZK": "deputy-basic",
    "XL-TW": "deputy-basic",
    "XL-XF": "director",
}


def _assign(
    row: Commitment,
    measure: dict,
    item: dict,
    offices: dict[str, Organisation],
    people: dict[str, User],
    today: dt.date,
    officer: StaffActor,
) -> None:
    lead = item.get("lead") or measure["lead"]
    start, due = dt.date(today.year, 1, 20), dt.date(today.year, 12, 20)
    row = edit_commitment(
        row,
        version=row.version,
        by=officer,
        title=item["w"][:60],
        kind=item["k"],
        lead_office=offices[lead],
        leader=people[LEADERS[lead]],
        system=item["s"],
        weight=item.get("weight", 1),
        start_on=start,
        due_on=due,
        supports=[(offices[code], part) for code, part in measure.get("sup", {}).items()],
    )
    Target.objects.filter(commitment=row).update(indicator=item.get("ind", ""))
    if item["pace"] == "none":
        return
    if item["k"] == Kind.QUANTITY:
        propose_milestones(row, by=officer)
        return
    roles = {
        Kind.DOCUMENT: ["draft", "comments", "legality", "meeting", "issued"],
        Kind.STANDING: ["check"] * 4,
        Kind.OUTSIDE: ["step", "step", "result"],
    }.get(Kind(item["k"]), ["step"] * 4)
    for (title, day), role in zip(STEPS[Kind(item["k"])], roles, strict=True):
        due_on = dt.date.fromisoformat(f"{today.year}-{day}")
        add_milestone(row, title=title, due_on=due_on, role=role, by=officer)
    if item["pace"] in {"late", "soon"}:
        shift = LATE_DAYS if item["pace"] == "late" else SOON_DAYS
        _shift_next(row, today, shift)


def _shift_next(row: Commitment, today: dt.date, days: int) -> None:
    """Let the milestone that is to be overdue, or due soon, fall so many days from today."""
    day = today + dt.timedelta(days=days)
    milestones = list(row.milestones.order_by("due_on"))
    later = [m for m in milestones if m.due_on >= today] or milestones[-1:]
    chosen = later[0]
    chosen.due_on = min(max(day, row.start_on), row.due_on)
    chosen.save(update_fields=["due_on"])


#: Days before its term on which a milestone is reported, in turn; now and then after it.
AHEAD = (3, 3, 1, 8, 3, 2, 3, 0, 3, 4, 3, -2, 3, 1, 3, 9, 2, 3, 0)
REFERENCES = {"meeting": "局务会〔{year}〕11号", "issued": "汐教〔{year}〕36号", "result": "通过"}


def _carry_out(row: Commitment, item: dict, today: dt.date) -> None:
    """Report and accept, in the past, what the story says was done by today."""
    all_done = item["pace"] == "done"
    last = None
    for at, milestone in enumerate(row.milestones.select_related("case").order_by("due_on")):
        if item["pace"] in {"late", "soon"} and last and milestone.due_on >= today:
            break
        if not all_done and milestone.due_on >= today:
            break
        if item["pace"] == "late" and milestone.due_on == today + dt.timedelta(days=LATE_DAYS):
            break
        ahead = AHEAD[(row.order + at) % len(AHEAD)]
        last = min(milestone.due_on - dt.timedelta(days=ahead), today - dt.timedelta(days=3))
        _accept_in_the_past(milestone, row, last)
    if item.get("ask"):
        _ask_for_time(row, item["ask"])
    if all_done and last:
        Commitment.objects.filter(id=row.id).update(accepted_on=last)


def _ask_for_time(row: Commitment, days: int) -> None:
    """The office asks to move its next milestone; the leader in charge has not decided yet."""
    milestone = row.milestones.open().select_related("case", "commitment__leader").first()
    ask_extension(
        milestone,
        new_due=milestone.due_on + dt.timedelta(days=days),
        reason="外部单位反馈较慢，需要延长征求意见时间。",
        by=_head_of(row),
    )


def _accept_in_the_past(milestone: Milestone, row: Commitment, day: dt.date) -> None:
    """What report and accept would have left, dated back."""
    at = timezone.make_aware(dt.datetime.combine(day, dt.time(10)))
    head = _head_of(row)
    officer = StaffActor(User.objects.get(username="plan"))
    reference = REFERENCES.get(milestone.role, "").format(year=day.year)
    Milestone.objects.filter(pk=milestone.pk).update(
        state="accepted", done_on=day, reference=reference
    )
    case = milestone.case
    Case.objects.filter(pk=case.pk).update(
        state="accepted",
        phase="closed",
        awaits="",
        due=None,
        closed_at=at + dt.timedelta(hours=6),
        version=case.version + 2,
    )
    case.clocks.update(stopped=day)
    # What was drafted and handed out today stands in the plan's first days.
    handed = timezone.make_aware(dt.datetime.combine(row.start_on, dt.time(9)))
    case.moves.update(at=handed)
    Case.objects.filter(pk=case.pk).update(opened_at=handed)
    Move.objects.bulk_create(
        [
            Move(
                case=case,
                at=at,
                step="report",
                source="planned",
                target="reported",
                user=head.user,
                post=head.posts[0],
                note="已按计划完成，佐证材料存科室备查。",
            ),
            Move(
                case=case,
                at=at + dt.timedelta(hours=6),
                step="accept",
                source="reported",
                target="accepted",
                user=officer.user,
                post=officer.posts[0],
                note="",
            ),
        ]
    )


def _head_of(row: Commitment) -> StaffActor:
    post = row.lead_office.posts.filter(role="office_head").select_related("user").first()
    return StaffActor(post.user)


def tell_lights(plan: Plan, today: dt.date) -> None:
    """The lights of today, after those of ten days ago, so that there is a history."""
    LightChange.objects.filter(commitment__plan=plan).delete()
    refresh_lights(plan, today - dt.timedelta(days=10))
    refresh_lights(plan, today)

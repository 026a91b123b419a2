"""Taking a parsed plan in: sections, commitments, targets, units, and what nobody is sure of."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import (
    Commitment,
    CommitmentSupport,
    Plan,
    ReviewItem,
    Section,
    Target,
)
from xuezheng.domains.workplan.parsing.due import due_day
from xuezheng.domains.workplan.parsing.units import person_name
from xuezheng.domains.workplan.rules import Kind
from xuezheng.domains.workplan.selectors import HANDLERS, people
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.registry import roles

TITLE_LENGTH = 40


def import_plan(
    parsed: dict[str, Any],
    *,
    organisation: Organisation,
    year: int | None,
    source_text: str,
    source_file: StoredFile | None,
    by: Actor,
) -> Plan:
    """Create a plan under review from the importer's JSON (see parsing).

    `year` overrides the year that was found.  Raises PermissionDenied, OutOfScope, and StepRefused
    when no year is known or nothing was found in the text.
    """
    post = by.post_for(Permission.EDIT, organisation.id)
    year = year or parsed["year"]
    if not year:
        raise StepRefused(_("没有从文中认出年度，请填写年度后再导入。"))
    if not parsed["commitments"]:
        raise StepRefused(_("没有从文中认出任何任务，请核对是不是工作计划。"))
    plan = Plan.objects.create(
        organisation=organisation,
        year=year,
        title=(parsed["title"] or _("%d年工作要点") % year)[:200],
        issuer=(parsed["issuer"] or "")[:100],
        source_text=source_text,
        source_file=source_file,
        imported_by=by.user,
        imported_at=timezone.now(),
    )
    sections = _write_sections(plan, parsed["sections"])
    commitments = _write_commitments(plan, parsed, sections)
    _write_targets(plan, parsed["targets"], commitments, sections)
    if any(item.get("row") is not None for item in parsed["commitments"]):
        _write_rows(plan, parsed, commitments, sections)
    else:
        _write_units(plan, parsed["responsible_units"], commitments, sections)
    for warning in parsed["warnings"]:
        _doubt(plan, sections, warning)
    record(
        "plan.import",
        by=by,
        post=post,
        organisation_id=organisation.id,
        object_type="plan",
        object_id=plan.id,
        detail={"commitments": len(commitments), "warnings": len(parsed["warnings"])},
    )
    return plan


def _write_sections(plan: Plan, tree: list[dict]) -> dict[str, Section]:
    """Section path -> row.  Paths that occur twice (a duplicate number) keep the first row."""
    found: dict[str, Section] = {}
    order = 0

    def walk(nodes: list[dict], parent: Section | None) -> None:
        nonlocal order
        for node in nodes:
            order += 1
            own = node["number"].rstrip("、") if node["number"] else node["title"]
            path = f"{parent.path}/{own}" if parent else own
            section = Section.objects.create(
                plan=plan,
                parent=parent,
                number=node["number"][:40],
                title=node["title"][:300],
                path=path[:300],
                level=node["level"],
                order=order,
                start=node["start"],
                end=node["end"],
            )
            found.setdefault(path, section)
            walk(node["children"], section)

    walk(tree, None)
    return found


def _write_commitments(
    plan: Plan, parsed: dict[str, Any], sections: dict[str, Section]
) -> list[Commitment]:
    loose: Section | None = None
    rows = []
    counters: dict[str, int] = {}
    for order, item in enumerate(parsed["commitments"], start=1):
        section = sections.get(item["section"])
        if section is None:
            loose = loose or Section.objects.create(
                plan=plan,
                title=_("未归入章节"),
                path="-",
                level=1,
                order=len(sections) + 1,
                start=0,
                end=0,
            )
            section = loose
        prefix = _code_prefix(section)
        counters[prefix] = counters.get(prefix, 0) + 1
        rows.append(
            Commitment(
                plan=plan,
                section=section,
                code=f"{prefix}-{counters[prefix]:02d}",
                title=short_title(item["text"]),
                wording=item["text"],
                start=item["start"],
                end=item["end"],
                order=order,
                kind=item.get("kind") or Kind.STANDING,
                kind_reason=(item.get("kind_reason") or "")[:200],
            )
        )
    return Commitment.objects.bulk_create(rows)


def _code_prefix(section: Section) -> str:
    """Places of the two upper levels among their siblings, such as 2.3."""
    chain = []
    while section is not None:
        chain.append(section)
        section = section.parent
    top = chain[::-1][:2]
    return ".".join(
        str(Section.objects.filter(plan=s.plan_id, parent=s.parent_id, order__lte=s.order).count())
        for s in top
    )


def short_title(wording: str) -> str:
    """The first clause of the wording, for lists."""
    clause = wording.strip()
    for stop in "。；，":
        head = clause.split(stop)[0]
        if len(head) >= 6:
            clause = head
    return clause if len(clause) <= TITLE_LENGTH else clause[: TITLE_LENGTH - 1] + "…"


def _write_targets(
    plan: Plan, items: list[dict], commitments: list[Commitment], sections: dict[str, Section]
) -> None:
    rows = []
    for item in items:
        owner = _holding(item, commitments)
        if owner is None:
            _doubt(
                plan,
                sections,
                {
                    "code": "target_without_commitment",
                    "message": _("目标“%s”没有归到任何任务，请手工添加。") % item["text"][:80],
                    **item,
                },
            )
            continue
        value, high = item["value"], None
        if isinstance(value, list):
            value, high = value
        rows.append(
            Target(
                commitment=owner,
                text=item["text"][:200],
                value=value,
                high=high,
                unit=(item["unit"] or "")[:20],
                comparator=item["comparator"],
                strict=item["strict"],
                hedged=item["hedged"],
                baseline=item.get("baseline"),
                period=(item["period"] or "")[:40],
                indicator=propose_indicator(owner.wording),
                start=item["start"],
                end=item["end"],
            )
        )
    Target.objects.bulk_create(rows)


def _holding(item: dict, commitments: list[Commitment]) -> Commitment | None:
    for row in commitments:
        if row.start is not None and row.start <= item["start"] and item["end"] <= row.end:
            return row
    return None


def propose_indicator(wording: str) -> str:
    """The key of the first indicator all of whose words stand in the wording, or nothing."""
    for indicator in INDICATORS.values():
        if indicator.words and all(word in wording for word in indicator.words):
            return indicator.key
    return ""


def _write_units(
    plan: Plan, items: list[dict], commitments: list[Commitment], sections: dict[str, Section]
) -> None:
    """Lead and supporting offices, matched by name; a name that matches nothing is a doubt."""
    known = offices_by_name()
    supports = []
    for item in items:
        under = [row for row in commitments if _within(row.section.path, item["section"])]
        for name in [*item["lead"], *item["support"]]:
            if name not in known:
                _doubt(
                    plan,
                    sections,
                    {
                        "code": "unknown_unit",
                        "message": _("单位“%s”不在机构名录中，请选定对应单位。") % name[:60],
                        **item,
                    },
                )
        lead = next((known[name] for name in item["lead"] if name in known), None)
        others = [known[n] for n in [*item["lead"], *item["support"]] if n in known]
        for row in under:
            row.lead_office = row.lead_office or lead
            supports += [
                CommitmentSupport(commitment=row, organisation=other)
                for other in dict.fromkeys(others)
                if other != row.lead_office
            ]
    Commitment.objects.bulk_update(commitments, ["lead_office"])
    CommitmentSupport.objects.bulk_create(supports, ignore_conflicts=True)


def offices_by_name() -> dict[str, Organisation]:
    """Name or short name -> the organisation that is open today."""
    known = {}
    for organisation in Organisation.objects.filter(closed__isnull=True):
        known[organisation.name] = organisation
        if organisation.short_name:
            known.setdefault(organisation.short_name, organisation)
    return known


def people_by_name(*wanted: str) -> dict[str, User | None]:
    """Name -> the one who bears it among holders of the roles; None when two do."""
    found: dict[str, User | None] = {}
    for user in people(*wanted):
        found[user.name] = None if user.name in found else user
    return found


def _write_rows(
    plan: Plan, parsed: dict[str, Any], commitments: list[Commitment], sections: dict[str, Section]
) -> None:
    """Columns of a task table: due day, leader, handler, offices; what matches nothing is a doubt."""
    offices = offices_by_name()
    leaders = people_by_name(roles.DIRECTOR, roles.DEPUTY)
    handlers = people_by_name(*HANDLERS)
    supports = []
    told: set[tuple[int, str]] = set()
    for item, row in zip(parsed["commitments"], commitments, strict=True):
        cells = parsed["rows"][item["row"]]

        def doubt(code: str, message: str, item: dict[str, Any] = item) -> None:
            if (item["row"], message) not in told:
                told.add((item["row"], message))
                _doubt(plan, sections, item | {"code": code, "message": message})

        if cells["due"]:
            row.due_on = due_day(cells["due"], plan.year)
            if row.due_on is None:
                doubt("due_unclear", _("期限“%s”认不准是哪一天，请填写。") % cells["due"][:60])
        for cell, field, known in (("leader", "leader", leaders), ("handler", "handler", handlers)):
            name = person_name(cells[cell])
            if name and known.get(name) is None:
                doubt("unknown_person", _("人员“%s”没有对上账号，请选定。") % cells[cell][:60])
            elif name:
                setattr(row, field, known[name])
        for name in [*cells["lead"], *cells["support"]]:
            if name not in offices:
                doubt("unknown_unit", _("单位“%s”不在机构名录中，请选定对应单位。") % name[:60])
        row.lead_office = next((offices[n] for n in cells["lead"] if n in offices), None)
        others = [offices[n] for n in [*cells["lead"], *cells["support"]] if n in offices]
        supports += [
            CommitmentSupport(commitment=row, organisation=other)
            for other in dict.fromkeys(others)
            if other != row.lead_office
        ]
    Commitment.objects.bulk_update(commitments, ["due_on", "leader", "handler", "lead_office"])
    CommitmentSupport.objects.bulk_create(supports, ignore_conflicts=True)


def _within(path: str, section: str) -> bool:
    return path == section or path.startswith(section + "/")


def _doubt(plan: Plan, sections: dict[str, Section], item: dict[str, Any]) -> None:
    ReviewItem.objects.create(
        plan=plan,
        section=sections.get(item.get("section") or ""),
        code=str(item.get("code") or "check")[:40],
        message=str(item.get("message_zh") or item.get("message") or "")[:400],
        start=item.get("start"),
        end=item.get("end"),
    )

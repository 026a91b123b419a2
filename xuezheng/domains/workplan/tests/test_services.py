"""From an imported plan to a turned light, against PostgreSQL."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.workplan.models import (
    Commitment,
    Extension,
    LightChange,
    Milestone,
    MilestoneRole,
    Plan,
)
from xuezheng.domains.workplan.rules import Kind, Light
from xuezheng.domains.workplan.services import adopting, carrying, importing, lights, reviewing
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.indicators.models import Reading

pytestmark = pytest.mark.usefixtures("files_dir")

TEXT = "一、保障\n1.平安校园。隐患整改率不低于95%。开展演练三场。\n2.规章。印发管理办法。"


def parsed() -> dict:
    def at(words: str) -> dict:
        start = TEXT.index(words)
        return {"text": words, "start": start, "end": start + len(words)}

    return {
        "title": "屿州区教育局工作要点",
        "issuer": "屿州区教育局",
        "year": timezone.localdate().year,
        "sections": [
            {
                "number": "一、",
                "title": "保障",
                "level": 1,
                "start": 0,
                "end": 4,
                "children": [
                    {"number": n, "title": t, "level": 2, "start": 5, "end": 9, "children": []}
                    for n, t in (("1.", "平安校园"), ("2.", "规章"))
                ],
            }
        ],
        "commitments": [
            {"section": "一/1.", **at("隐患整改率不低于95%。"), "kind": "quantity"},
            {"section": "一/1.", **at("开展演练三场。"), "kind": "standing"},
            {"section": "一/2.", **at("印发管理办法。"), "kind": "document"},
        ],
        "targets": [
            {
                "section": "一/1.",
                **at("不低于95%"),
                "value": 95,
                "unit": "%",
                "comparator": ">=",
                "strict": False,
                "hedged": False,
                "period": None,
            }
        ],
        "named_documents": [],
        "responsible_units": [
            {"section": "一/1.", "lead": ["安全管理科"], "support": ["基础教育科", "不存在科"]}
        ],
        "warnings": [{"section": "一/1.", "code": "check", "message": "看一下"}],
    }


@pytest.fixture
def plan(district: District) -> Plan:
    return importing.import_plan(
        parsed(),
        organisation=district.orgs["B"],
        year=None,
        source_text=TEXT,
        source_file=None,
        by=district.actor("plan"),
    )


def settle(district: District, plan: Plan) -> None:
    """Everything that adoption asks for."""
    by = district.actor("plan")
    for item in plan.review_items.all():
        reviewing.resolve_item(item, resolution="已核", by=by)
    today = timezone.localdate()
    for row in plan.commitments.all():
        reviewing.edit_commitment(
            row,
            version=row.version,
            by=by,
            lead_office=row.lead_office or district.orgs["B-BASE"],
            leader=district.users["deputy"],
            start_on=today - dt.timedelta(days=30),
            due_on=today + dt.timedelta(days=90),
        )


def adopted(district: District, plan: Plan) -> Plan:
    settle(district, plan)
    document = plan.commitments.get(kind=Kind.DOCUMENT)
    reviewing.propose_milestones(document, by=district.actor("plan"))
    adopting.adopt_plan(plan, meeting_number="局务会〔1〕号", by=district.actor("plan"))
    return Plan.objects.get(id=plan.id)


def owed(district: District, who: str) -> list[str]:
    return list(Case.objects.owed_by(district.actor(who)).values_list("kind", flat=True))


def test_import_keeps_places_units_and_doubts(district: District, plan: Plan) -> None:
    first = plan.commitments.get(code="1.1-01")
    assert TEXT[first.start : first.end] == first.wording
    assert first.lead_office == district.orgs["B-SAFE"]
    assert [s.organisation.code for s in first.supports.all()] == ["B-BASE"]
    target = first.targets.get()
    assert (target.value, target.comparator) == (95, ">=")
    assert target.indicator == "hazard_rectified_in_time"
    assert set(plan.review_items.values_list("code", flat=True)) == {"check", "unknown_unit"}
    assert plan.commitments.get(code="1.2-01").kind == Kind.DOCUMENT


def test_draft_is_seen_by_those_who_edit_it(district: District, plan: Plan) -> None:
    assert Plan.objects.visible_to(district.actor("plan")).exists()
    assert not Plan.objects.visible_to(district.actor("base")).exists()
    adopted(district, plan)
    assert Plan.objects.visible_to(district.actor("base")).exists()
    assert not Plan.objects.visible_to(district.actor("head1")).exists()


def test_adoption_waits_for_doubts_and_offices(district: District, plan: Plan) -> None:
    with pytest.raises(StepRefused):
        adopting.adopt_plan(plan, meeting_number="1", by=district.actor("plan"))
    assert adopting.readiness(plan).unresolved == 2
    settle(district, plan)
    ready = adopting.readiness(plan)
    assert ready.ready
    assert [row.code for row in ready.unmeasured] == ["1.1-02", "1.2-01"]
    with pytest.raises(PermissionDenied):
        adopting.adopt_plan(plan, meeting_number="1", by=district.actor("base"))
    with pytest.raises(StepRefused, match="会议"):
        adopting.adopt_plan(plan, meeting_number=" ", by=district.actor("plan"))


def test_adopted_plan_changes_only_by_amendment(district: District, plan: Plan) -> None:
    plan = adopted(district, plan)
    by = district.actor("plan")
    row = plan.commitments.get(code="1.1-02")
    with pytest.raises(StepRefused, match="会议纪要"):
        reviewing.edit_commitment(row, version=row.version, title="改", by=by)
    reviewing.edit_commitment(
        row,
        version=row.version,
        title="演练三场",
        amendment=reviewing.Amendment("表述调整", "局务会〔2〕号"),
        by=by,
    )
    version = plan.versions.first()
    assert (version.number, version.meeting_number) == (2, "局务会〔2〕号")
    assert version.changes == [
        {"code": "1.1-02", "field": "title", "from": row.title, "to": "演练三场"}
    ]
    first = plan.versions.last()
    assert {c["code"]: c["title"] for c in first.snapshot}["1.1-02"] == row.title


def test_stale_edit_is_refused(district: District, plan: Plan) -> None:
    row = plan.commitments.first()
    by = district.actor("plan")
    reviewing.edit_commitment(row, version=row.version, title="一", by=by)
    with pytest.raises(reviewing.StaleRow):
        reviewing.edit_commitment(row, version=row.version, title="二", by=by)


def test_split_and_merge_carry_targets(district: District, plan: Plan) -> None:
    by = district.actor("plan")
    row = plan.commitments.get(code="1.1-01")
    head, tail = reviewing.split_commitment(row, at=5, version=row.version, by=by)
    assert (head.wording, tail.wording) == ("隐患整改率", "不低于95%。")
    assert tail.targets.count() == 1
    assert TEXT[tail.start : tail.end] == tail.wording
    merged = reviewing.merge_commitments([tail, head], by=by)
    assert merged.id == head.id
    assert merged.wording == "隐患整改率不低于95%。"
    assert merged.targets.count() == 1
    other = plan.commitments.get(code="1.2-01")
    with pytest.raises(StepRefused):
        reviewing.merge_commitments([merged, other], by=by)


def test_document_walks_its_path_with_numbers(district: District, plan: Plan) -> None:
    plan = adopted(district, plan)
    document = plan.commitments.get(kind=Kind.DOCUMENT)
    assert [m.role for m in document.milestones.all()] == [
        "draft",
        "comments",
        "legality",
        "meeting",
        "issued",
    ]
    assert owed(district, "base").count("milestone") == 5
    issued = document.milestones.get(role=MilestoneRole.ISSUED)
    by = district.actor("base")
    with pytest.raises(StepRefused, match="文号"):
        carrying.report_milestone(issued, note="已印发", version=issued.case.version, by=by)
    carrying.report_milestone(
        issued,
        note="已印发",
        reference="屿教〔2026〕1号",
        evidence=[photo()],
        version=issued.case.version,
        by=by,
    )
    assert owed(district, "plan") == ["milestone"]
    issued = Milestone.objects.get(pk=issued.pk)
    carrying.return_milestone(
        issued, note="缺附件", version=issued.case.version, by=district.actor("plan")
    )
    issued = Milestone.objects.get(pk=issued.pk)
    assert (issued.state, issued.done_on, issued.case.due) == ("planned", None, issued.due_on)


def milestone_due(plan: Plan, days: int) -> Milestone:
    """The first milestone of the document, due so many days from now."""
    row = plan.commitments.get(kind=Kind.DOCUMENT).milestones.first()
    row.due_on = timezone.localdate() + dt.timedelta(days=days)
    row.save()
    Case.objects.filter(id=row.pk).update(due=row.due_on)
    return Milestone.objects.get(pk=row.pk)


@pytest.mark.parametrize(("days", "refused"), [(1, False), (0, False), (-1, True)])
def test_extension_is_asked_before_the_due_day_ends(
    district: District, plan: Plan, days: int, refused: bool
) -> None:
    milestone = milestone_due(adopted(district, plan), days)
    new_due = timezone.localdate() + dt.timedelta(days=40)

    def ask() -> Extension:
        return carrying.ask_extension(
            milestone, new_due=new_due, reason="征求意见延长", by=district.actor("base")
        )

    if refused:
        with pytest.raises(StepRefused, match="期限已过"):
            ask()
        return
    extension = ask()
    with pytest.raises(StepRefused, match="已有"):
        ask()
    assert owed(district, "deputy") == ["extension"]
    assert owed(district, "director") == []
    carrying.decide_extension(
        extension, granted=True, version=extension.case.version, by=district.actor("deputy")
    )
    milestone = Milestone.objects.select_related("case").get(pk=milestone.pk)
    assert milestone.due_on == milestone.case.due == new_due


def test_lights_follow_readings_and_keep_their_history(district: District, plan: Plan) -> None:
    plan = adopted(district, plan)
    today = timezone.localdate()
    year = (dt.date(plan.year, 1, 1), dt.date(plan.year, 12, 31))

    def read(value: float, on: dt.date) -> Commitment:
        Reading.objects.create(
            indicator="hazard_rectified_in_time",
            definition_version=1,
            organisation=plan.organisation,
            period_from=year[0],
            period_to=year[1],
            as_of=on,
            numerator=int(value),
            denominator=100,
            value=value,
            computed_at=timezone.now(),
        )
        lights.refresh_lights(plan, on)
        return plan.commitments.get(code="1.1-01")

    assert plan.commitments.get(code="1.1-01").light == Light.GREY
    assert read(80, today).light == Light.RED
    assert read(96, today + dt.timedelta(days=1)).light == Light.GREEN
    history = LightChange.objects.filter(commitment__code="1.1-01").order_by("on")
    assert [(change.light, change.on) for change in history] == [
        (Light.RED, today),
        (Light.GREEN, today + dt.timedelta(days=1)),
    ]


def test_override_needs_a_reason_shows_and_ends(district: District, plan: Plan) -> None:
    plan = adopted(district, plan)
    row = plan.commitments.get(code="1.1-02")
    today = timezone.localdate()
    leader = district.actor("deputy")
    with pytest.raises(StepRefused, match="理由"):
        lights.override_light(row, light=Light.GREEN, reason=" ", until=today, by=leader)
    with pytest.raises(StepRefused, match="三个月"):
        lights.override_light(
            row, light=Light.GREEN, reason="x", until=today + dt.timedelta(days=93), by=leader
        )
    lights.override_light(row, light=Light.GREEN, reason="现场已核", until=today, by=leader)
    row.refresh_from_db()
    assert (row.light, row.overridden) == (Light.GREEN, True)
    lights.refresh_lights(plan, today + dt.timedelta(days=1))
    row.refresh_from_db()
    assert (row.light, row.overridden) == (Light.GREY, False)


def test_refresh_takes_the_same_queries_for_more_rows(district: District, plan: Plan) -> None:
    plan = adopted(district, plan)
    by = district.actor("plan")
    amendment = reviewing.Amendment("增加", "3")

    def queries_after_adding(count: int) -> list[str]:
        for number in range(count):
            reviewing.add_commitment(
                plan.sections.last(), wording=f"新增任务{number}。", amendment=amendment, by=by
            )
        with CaptureQueriesContext(connection) as captured:
            lights.refresh_lights(plan, timezone.localdate())
        return [query["sql"].split(" FROM ")[0][:60] for query in captured]

    queries_after_adding(0)  # the plan's organisation is read once
    assert queries_after_adding(1) == queries_after_adding(6)

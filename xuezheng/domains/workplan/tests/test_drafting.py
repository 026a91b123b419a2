"""Drafts: every figure in the .docx is the board's at the same day, in the layout of GB/T 9704."""

import datetime as dt
import io
import re

import docx
import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from docx.shared import Mm, Pt

from tests.district import District
from xuezheng.boards.board import build
from xuezheng.domains.workplan.models import Commitment, Draft, LightChange, Plan
from xuezheng.domains.workplan.rules import Light
from xuezheng.domains.workplan.services import drafting
from xuezheng.domains.workplan.tests.test_services import adopted, plan
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.indicators.compute import compute

pytestmark = pytest.mark.usefixtures("files_dir")
__all__ = ["plan"]
WEEK = dt.timedelta(days=6)


@pytest.fixture
def standing_plan(district: District, plan: Plan) -> Plan:
    """An adopted plan with a red commitment that was green ten days ago, and readings."""
    made = adopted(district, plan)
    today = timezone.localdate()
    row = made.commitments.get(kind="document")
    LightChange.objects.filter(commitment=row).delete()
    for days, light in ((10, Light.GREEN), (2, Light.RED)):
        LightChange.objects.create(
            commitment=row, on=today - dt.timedelta(days=days), light=light, cause="overdue"
        )
    Commitment.objects.filter(id=row.id).update(
        light=Light.RED, light_order=0, cause="overdue", progress=20.0, planned=40.0, behind=20.0
    )
    year = (dt.date(today.year, 1, 1), dt.date(today.year, 12, 31))
    compute(period=year, as_of=today)
    return made


def make(district: District, plan: Plan, kind: Draft.Kind) -> tuple[Draft, docx.document.Document]:
    today = timezone.localdate()
    draft = drafting.make_draft(
        plan, kind=kind, begins=today - WEEK, ends=today, by=district.actor("plan")
    )
    return draft, docx.Document(io.BytesIO(path_of(draft.file.sha256).read_bytes()))


def text_of(document: docx.document.Document) -> str:
    return "\n".join(p.text for p in document.paragraphs)


def test_figures_of_the_bulletin_are_those_of_the_board(
    district: District, standing_plan: Plan
) -> None:
    with translation.override("en"):
        draft, document = make(district, standing_plan, Draft.Kind.BULLETIN)
    board = build(standing_plan, district.actor("plan"))
    text = text_of(document)
    found = re.search(
        r"任务共(\d+)项：完成(\d+)项，正常(\d+)项，预警(\d+)项，滞后(\d+)项，未启动或尚无计量(\d+)项"
        r"。可计量的(\d+)项任务加权完成进度([\d.]+)%，序时进度([\d.]+)%",
        text,
    )
    lights = [board.lights[light] for light in ("blue", "green", "yellow", "red", "grey")]
    assert [int(n) for n in found.groups()[:7]] == [board.total, *lights, board.overall.counted]
    assert [float(n) for n in found.groups()[7:]] == [
        round(board.overall.progress, 1),
        round(board.overall.planned, 1),
    ]
    turns = re.search(r"转为正常的(\d+)项，转为滞后的(\d+)项", text)
    assert [int(n) for n in turns.groups()] == [board.turned_green, board.turned_red]
    assert board.turned_red == 1
    shown = {figure["indicator"].label: figure["reading"].shown for figure in board.figures}
    for label, value in shown.items():
        line = re.search(rf"{label}为([\d.]+)", text)
        assert float(line.group(1)) == value
    table = document.tables[0]
    assert sum(int(row.cells[1].text) for row in table.rows[1:]) == board.total
    assert sum(int(row.cells[5].text) for row in table.rows[1:]) == board.lights["red"]
    kept = {figure["name"]: figure for figure in draft.figures}
    assert kept["total"]["value"] == str(board.total)
    assert all(figure["as_of"] and figure["source"] for figure in draft.figures)
    assert text.count("【待补") == draft.open_marks == 1


@pytest.mark.parametrize("kind", Draft.Kind)
def test_every_kind_is_written_in_the_layout(
    district: District, standing_plan: Plan, kind: Draft.Kind
) -> None:
    draft, document = make(district, standing_plan, kind)
    section = document.sections[0]
    assert abs(section.top_margin - Mm(37)) < Mm(1)
    assert abs(section.left_margin - Mm(28)) < Mm(1)
    assert abs(section.page_width - section.left_margin - section.right_margin - Mm(156)) < Mm(1)
    assert abs(section.page_height - section.top_margin - section.bottom_margin - Mm(225)) < Mm(1)
    title, body = document.paragraphs[0], document.paragraphs[2]
    assert title.runs[0].font.size == Pt(22)
    assert body.runs[0].font.size == Pt(16)
    assert body.runs[0].font.name in {"FangSong_GB2312", "SimHei"}
    assert "PAGE" in section.footer._element.xml
    assert "{" not in text_of(document)
    assert "屿州区教育局" in title.text
    tables = "".join(c.text for t in document.tables for r in t.rows for c in r.cells)
    assert (text_of(document) + tables).count("【待补") == draft.open_marks > 0
    assert text_of(document).count("（来源：") > 0


def test_a_draft_needs_an_adopted_plan_a_period_and_the_plan_office(
    district: District, plan: Plan
) -> None:
    today = timezone.localdate()

    def make_for(who: str, begins: dt.date, ends: dt.date) -> Draft:
        return drafting.make_draft(
            plan, kind=Draft.Kind.BULLETIN, begins=begins, ends=ends, by=district.actor(who)
        )

    with pytest.raises(StepRefused, match="印发"):
        make_for("plan", today, today)
    adopted(district, plan)
    plan.refresh_from_db()
    with pytest.raises(PermissionDenied):
        make_for("deputy", today, today)
    with pytest.raises(StepRefused, match="日期"):
        make_for("plan", today, today - dt.timedelta(days=1))
    later = make_for("plan", today - WEEK, today + WEEK)
    assert later.ends == today


def test_pages_of_drafts(district: District, standing_plan: Plan) -> None:
    client = Client()
    client.force_login(district.users["plan"])
    today = timezone.localdate()
    data = {
        "plan": standing_plan.id,
        "kind": "quarter",
        "begins": (today - WEEK).isoformat(),
        "ends": today.isoformat(),
    }
    assert client.post(reverse("draft_make"), data | {"begins": "x"}).status_code == 422
    answer = client.post(reverse("draft_make"), data)
    draft = Draft.objects.get()
    assert answer.url == reverse("draft_detail", args=[draft.id])
    assert draft.title in client.get(reverse("draft_list")).text
    assert "任务总数" in client.get(answer.url).text
    download = client.get(reverse("draft_file", args=[draft.id]))
    assert b"".join(download.streaming_content)[:2] == b"PK"
    other = Client()
    other.force_login(district.users["base"])
    assert other.get(answer.url).status_code == 403

"""Every figure of a draft, in words, table or picture, is the board's or the ledgers' of the same day."""

import datetime as dt
import io
import re

import docx
import pytest
from django.utils import timezone
from PIL import Image

from tests.district import District
from xuezheng.boards.board import build
from xuezheng.domains.workplan.models import Draft, Milestone, Plan, Supervision, Target
from xuezheng.domains.workplan.selectors import indicator_history
from xuezheng.domains.workplan.services import drafting, pictures
from xuezheng.domains.workplan.tests.test_drafting import make, standing_plan, text_of
from xuezheng.domains.workplan.tests.test_services import plan
from xuezheng.kernel.indicators.models import Reading

pytestmark = pytest.mark.usefixtures("files_dir")
__all__ = ["plan", "standing_plan"]
LIGHTS = ("blue", "green", "yellow", "red", "grey")


@pytest.fixture
def full_plan(district: District, standing_plan: Plan) -> Plan:
    """With two milestones just due, one of them in time, and an indicator that moved to its target."""
    row = standing_plan.commitments.get(kind="document")
    today = timezone.localdate()
    first = Milestone.objects.filter(commitment__plan=standing_plan).order_by("case_id")
    done = today - dt.timedelta(days=2)
    ids = [m.pk for m in first[:2]]
    Milestone.objects.filter(pk__in=ids).update(due_on=done)
    Milestone.objects.filter(pk=ids[0]).update(state="reported", done_on=done)
    Target.objects.filter(commitment__plan=standing_plan).exclude(indicator="").delete()
    newest = next(iter(indicator_history(standing_plan, district.actor("plan")).values()))[-1]
    Target.objects.create(
        commitment=row,
        text="达到 95%",
        value=95,
        unit="%",
        comparator="gte",
        indicator=newest.indicator,
    )
    Reading.objects.filter(pk=newest.pk).update(as_of=today)
    for days in (30, 60):
        newest.pk, newest.as_of = None, today - dt.timedelta(days=days)
        newest.save(force_insert=True)
    return standing_plan


def pictures_of(document: docx.document.Document) -> list[str]:
    return [shape._inline.docPr.get("descr") for shape in document.inline_shapes]


@pytest.mark.parametrize("kind", [Draft.Kind.BULLETIN, Draft.Kind.ANNUAL, Draft.Kind.QUARTER])
def test_every_figure_is_the_boards(district: District, full_plan: Plan, kind: Draft.Kind) -> None:
    draft, document = make(district, full_plan, kind)
    board = build(full_plan, district.actor("plan"))
    today = timezone.localdate()
    begins, sheets = today - dt.timedelta(days=6), Supervision.objects.filter(serial__gt=0)
    due = Milestone.objects.live().filter(
        commitment__plan=full_plan,
        commitment__withdrawn=False,
        due_on__range=(begins, today - dt.timedelta(days=1)),
    )
    expected = {
        "total": board.total,
        **{light: board.lights[light] for light in LIGHTS},
        "counted": board.overall.counted,
        "progress": f"{board.overall.progress:.1f}%",
        "planned": f"{board.overall.planned:.1f}%",
        "turned_green": board.turned_green,
        "turned_red": board.turned_red,
        "due": due.count(),
        "on_time": 1,
        "accepted": 0,
        "issued": sheets.count(),
        "settled": sheets.filter(settled_on__isnull=False).count(),
        "open_sheets": sheets.open().count(),
        "late_sheets": 0,
        "open": board.total - full_plan.commitments.live().exclude(accepted_on=None).count(),
    }
    for figure in board.figures:
        indicator = figure["indicator"]
        value = f"{figure['reading'].shown:.{indicator.decimals}f}{indicator.unit}"
        expected[indicator.key] = value
    told = {figure["name"]: figure["value"] for figure in draft.figures}
    assert told == {name: str(expected[name]) for name in told}, "all, not some"
    assert set(told) >= {"total", *LIGHTS}
    assert due.count() == 2
    # Each sentence with a source is the wording filled with what was counted here, and nothing else.
    text = text_of(document)
    names = {
        "plan": full_plan.title,
        "bureau": str(full_plan.organisation),
        "year": full_plan.year,
        "as_of": f"{today.year}年{today.month}月{today.day}日",
    }
    sentences = [b["text"] for b in drafting.wording()[kind]["blocks"] if b.get("source")]
    plain = [words for words in sentences if "{label}" not in words]
    assert plain and all(words.format(**expected, **names) in text for words in plain)
    for figure in board.figures:
        assert f"{figure['indicator'].label}为{expected[figure['indicator'].key]}" in text or (
            kind == Draft.Kind.QUARTER
        )
    rows = [[cell.text for cell in row.cells] for row in document.tables[0].rows[1:]]
    sums = [sum(int(row[at]) for row in rows) for at in range(1, 7)]
    assert sums == [board.total, *(board.lights[light] for light in LIGHTS)]


def test_pictures_say_in_words_what_they_show(district: District, full_plan: Plan) -> None:
    _draft, document = make(district, full_plan, Draft.Kind.BULLETIN)
    lights, months, moved = pictures_of(document)
    names = ("完成", "正常", "预警", "滞后", "未启动")
    rows = [[cell.text for cell in row.cells] for row in document.tables[0].rows[1:]]
    assert lights == "；".join(
        f"{row[0]}：" + "、".join(f"{n}{c}" for n, c in zip(names, row[2:], strict=True))
        for row in rows
    )
    due = timezone.localdate() - dt.timedelta(days=2)
    assert re.search(rf"{due.month}月到期\d+个，按期1个", months)
    assert moved.count("；") == 3 and moved.endswith("目标95%")
    text = text_of(document)
    assert [f"图{n}" in text for n in (1, 2, 3, 4)] == [True, True, True, False]


def test_a_draft_without_anything_to_draw_has_no_empty_picture(
    district: District, standing_plan: Plan
) -> None:
    Target.objects.filter(commitment__plan=standing_plan).update(indicator="")
    Milestone.objects.filter(commitment__plan=standing_plan).update(
        due_on=timezone.localdate() + dt.timedelta(days=9)
    )
    _draft, document = make(district, standing_plan, Draft.Kind.BULLETIN)
    assert len(pictures_of(document)) == 1


def grey(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("L")


def test_parts_are_told_apart_without_colour() -> None:
    """Each two fills differ in grey or in pattern, seen as mean and spread of their dots."""
    seen = []
    for tone in pictures.TONES:
        image = grey(pictures.stacked([(tone, "")], [pictures.Bar("", [1])]))
        middle, line = int(image.width * 0.45), image.height - pictures.EDGE - pictures.GAP - 24
        dots = image.crop((middle, line - 14, middle + 160, line + 14)).tobytes()
        mean = sum(dots) / len(dots)
        seen.append((mean, sum(abs(dot - mean) for dot in dots) / len(dots)))
    for n, (mean, spread) in enumerate(seen):
        for other, differs in seen[:n]:
            assert abs(mean - other) > 25 or abs(spread - differs) > 8, seen


@pytest.mark.parametrize(
    ("values", "target"), [([5.0, 5.0], 5.0), ([0.0, 0.0], None), ([1e6, -3.0], 2.0), ([7.0], None)]
)
def test_a_series_is_drawn_whatever_its_values(values: list[float], target: float | None) -> None:
    first = dt.date(2026, 1, 31)
    points = [(first + dt.timedelta(days=30 * n), value) for n, value in enumerate(values)]
    image = grey(pictures.series(points, target=target, target_words="目标", decimals=1))
    assert image.width == pictures.WIDTH and image.getextrema()[0] < 60
    with pytest.raises(ValueError):
        pictures.series([], target=1.0, target_words="", decimals=0)


def test_long_names_are_cut_and_many_bars_fit_a_page(district: District) -> None:
    bars = [pictures.Bar("很长的科室名称" * 5, [0, n, 0, 0, 0]) for n in range(60)]
    parts = [(tone, tone) for tone in pictures.TONES]
    content = pictures.stacked(parts, bars)
    block = drafting.Picture(content, "alt", "图1")
    document = docx.Document(io.BytesIO(drafting.write("标题", [block])))
    shape = document.inline_shapes[0]
    assert shape.height.mm <= 190.1 and shape.width.mm < 156


def test_a_table_repeats_its_head_and_fills_the_width() -> None:
    rows = [["章节名称很长的一列" * 3, "1", "未启动"] for _n in range(3)]
    grid = drafting.Grid(["章节", "任务", "未启动"], rows)
    table = docx.Document(io.BytesIO(drafting.write("标题", [grid]))).tables[0]
    assert [len(row._tr.xpath("./w:trPr/w:tblHeader")) for row in table.rows] == [1, 0, 0, 0]
    assert all(row._tr.xpath("./w:trPr/w:cantSplit") for row in table.rows)
    widths = [cell.width.mm for cell in table.rows[0].cells]
    assert abs(sum(widths) - 156) < 1
    assert widths[2] > 3 * 12 * 0.353 + 4, "three characters stand in one line"

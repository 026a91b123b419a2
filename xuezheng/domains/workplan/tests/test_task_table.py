# ruff: noqa: F811
"""The task table out and back: nothing lost, every edit shown, nothing overwritten unseen."""

import io
from collections.abc import Callable

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.district import District
from xuezheng.domains.workplan.exchange.task_table import ABOVE, read_table, write_table
from xuezheng.domains.workplan.models import Commitment, Plan, PlanVersion, Section, SheetReturn
from xuezheng.domains.workplan.services import rounds, sheets
from xuezheng.domains.workplan.services.reviewing import Amendment
from xuezheng.domains.workplan.tests.test_rounds import live, of, opened, plan  # noqa: F401
from xuezheng.kernel.access.actors import OutOfScope
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.reading import Unreadable

pytestmark = pytest.mark.usefixtures("files_dir")
AMENDMENT = Amendment("年中调整", "局务会〔9〕号")
AT = {column: at for at, column in enumerate(sheets.COLUMNS, start=1)}
Fill = Callable[[openpyxl.worksheet.worksheet.Worksheet], None]


def large(row: Plan, count: int) -> Plan:
    """The plan with so many tasks more, seven to a section, with awkward texts."""
    first = row.commitments.first()
    for n in range(count):
        if n % 7 == 0:
            section = Section.objects.create(
                plan=row, title=f"举措{n // 7}", path=f"九/{n // 7}", level=2, order=1000 + n,
                start=0, end=0,
            )  # fmt: skip
        Commitment.objects.create(
            plan=row,
            section=section,
            code=f"9.{n // 7}-{n % 7 + 1:02d}",
            title=f"任务{n}" + ("，带“引号”" if n % 3 else "=1+1"),
            wording=f"第一行{n}\n第二行 <b>&amp;</b>" if n % 2 else "+86 " + "长" * (n % 90),
            order=1000 + n,
            lead_office=first.lead_office,
            leader=first.leader,
            due_on=first.due_on if n % 4 else None,
        )
    return row


def edited(data: bytes, fill: Fill) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    fill(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def line_of(sheet: openpyxl.worksheet.worksheet.Worksheet, code: str) -> int:
    return next(
        line for line in range(ABOVE + 1, sheet.max_row + 1) if sheet.cell(line, 1).value == code
    )


def sent_back(row: Plan, data: bytes, by) -> SheetReturn:
    found = read_table(data, row)
    return sheets.keep_return(
        row, base=found.base, returned=found.rows, remarks=found.remarks, by=by
    )


def told(back: SheetReturn) -> list[tuple[str, str, str]]:
    return [(cell["code"], cell["column"], cell["new"]) for cell in back.cells]


def test_300_rows_go_out_and_come_back_without_a_lost_cell(
    district: District,
    live: Plan,
) -> None:
    by = district.actor("plan")
    data = write_table(large(live, 300))
    again = edited(data, lambda _sheet: None)
    back = read_table(again, live)
    assert len(back.rows) == 303
    assert dict(back.rows) == back.base, "openpyxl writes every cell as it was"
    assert sent_back(live, again, by).cells == []

    def fill(sheet) -> None:
        assert [str(r) for r in sheet.merged_cells.ranges if "B" in str(r)], "sections merged"
        for n in range(0, 300, 3):
            line = line_of(sheet, f"9.{n // 7}-{n % 7 + 1:02d}")
            sheet.cell(line, AT["wording"], f"改{n}\n新的一行")
        sheet.cell(line_of(sheet, "9.0-02"), AT["due"], "11月底")
        sheet.cell(line_of(sheet, "9.0-02"), AT["lead"], "基础教育科")
        sheet.cell(line_of(sheet, "9.0-02"), AT["support"], "办公室、安全管理科")

    preview = sent_back(live, edited(data, fill), by)
    expected = {
        (f"9.{n // 7}-{n % 7 + 1:02d}", "wording", f"改{n}\n新的一行") for n in range(0, 300, 3)
    }
    expected |= {
        ("9.0-02", "due", "11月底"),
        ("9.0-02", "lead", "基础教育科"),
        ("9.0-02", "support", "办公室、安全管理科"),
    }
    assert set(told(preview)) == expected
    assert len(preview.cells) == len(expected), "exactly the edits"
    assert not [c for c in preview.cells if c["problem"] or c["conflict"]]
    versions = PlanVersion.objects.filter(plan=live).count()
    with pytest.raises(StepRefused, match="会议纪要"):
        sheets.apply_return(preview, chosen=range(200), amendment=None, by=by)
    written = sheets.apply_return(preview, chosen=range(200), amendment=AMENDMENT, by=by)
    assert written == len(expected)
    assert PlanVersion.objects.filter(plan=live).count() == versions + 1, "one amendment"
    # The next export says what was sent back, and nothing else has changed.
    after = read_table(write_table(live), live)
    for code, cells in after.base.items():
        for column, value in cells.items():
            new = {c: v for k, c, v in expected if k == code}.get(column)
            if column == "due" and new:
                new = f"{live.year}-11-30"
            if column == "lead" or column == "support":
                continue
            assert value == (new or back.base[code][column]), (code, column)
    assert after.base["9.0-02"]["support"] == "办公室、安全管理科"
    assert after.base["9.0-02"]["lead"] == "基础教育科"


def test_rows_are_as_high_as_their_longest_cell(district: District, live: Plan) -> None:
    row = large(live, 2).commitments.get(code="9.0-01")
    Commitment.objects.filter(id=row.id).update(wording="字" * 230)
    Commitment.objects.filter(code="9.0-02").update(wording="短", title="短")
    sheet = openpyxl.load_workbook(io.BytesIO(write_table(live))).worksheets[0]
    high, low = (sheet.row_dimensions[line_of(sheet, f"9.0-0{n}")].height for n in (1, 2))
    # 230 characters of which 23 stand in a line of 46 units, less the room that is left.
    assert 10 * 15.5 <= high <= 14 * 15.5
    assert 15 <= low <= 4 * 15.5
    assert sheet.print_title_rows == "$3:$3"


def test_offices_merge_continue_and_put_headings_in_between(
    district: District,
    live: Plan,
) -> None:
    by = district.actor("plan")
    data = write_table(large(live, 14))

    def fill(sheet) -> None:
        first = line_of(sheet, "9.0-01")
        # One leader for three rows, as offices write it.
        sheet.cell(first, AT["leader"], district.users["director"].name)
        sheet.merge_cells(
            start_row=first, end_row=first + 2, start_column=AT["leader"], end_column=AT["leader"]
        )
        # A row more for the text of a task, its number merged over both.
        last = line_of(sheet, "9.1-07")
        sheet.cell(last + 1, AT["wording"], "接着写")
        sheet.merge_cells(start_row=last, end_row=last + 1, start_column=1, end_column=1)
        sheet.cell(last + 2, AT["wording"], "没有编号的一行")
        # A heading across the table, and a row that nobody knows.
        sheet.cell(last + 3, 1, "三、补充任务")
        sheet.merge_cells(start_row=last + 3, end_row=last + 3, start_column=1, end_column=11)
        sheet.cell(last + 4, 1, "9.9-99")
        sheet.cell(last + 4, AT["title"], "新任务")

    preview = sent_back(live, edited(data, fill), by)
    name = district.users["director"].name
    wording = live.commitments.get(code="9.1-07").wording
    assert told(preview) == [
        ("9.0-01", "leader", name),
        ("9.0-02", "leader", name),
        ("9.0-03", "leader", name),
        ("9.1-07", "wording", sheets.plain(f"{wording}\n接着写\n没有编号的一行")),
    ]
    assert len(preview.remarks) == 1
    assert "9.9-99" in preview.remarks[0]


def test_rows_that_are_gone_or_doubled_and_columns_that_are_not_taken(
    district: District,
    live: Plan,
) -> None:
    data = write_table(live)

    def fill(sheet) -> None:
        sheet.cell(line_of(sheet, "1.1-02"), 1, "1.2-01")
        sheet.cell(line_of(sheet, "1.1-01"), AT["state"], "都好了")

    preview = sent_back(live, edited(data, fill), district.actor("plan"))
    words = "\n".join(preview.remarks)
    assert "1.1-02" in words
    assert "出现了两次" in words
    assert "章节和节点状态" in words
    assert Commitment.objects.filter(plan=live, withdrawn=False).count() == 3


def test_two_people_edit_one_cell_and_nothing_is_overwritten_unseen(
    district: District,
    live: Plan,
) -> None:
    by = district.actor("plan")
    data = write_table(live)
    mine = edited(data, lambda s: s.cell(line_of(s, "1.1-01"), AT["title"], "甲改"))
    other = edited(data, lambda s: s.cell(line_of(s, "1.1-01"), AT["title"], "乙改"))
    first, second = sent_back(live, mine, by), sent_back(live, other, by)
    sheets.apply_return(first, chosen=[0], amendment=AMENDMENT, by=by)
    with pytest.raises(StepRefused, match="又被改过"):
        sheets.apply_return(second, chosen=[0], amendment=AMENDMENT, by=by)
    assert live.commitments.get(code="1.1-01").title == "甲改"
    shown = sent_back(live, other, by)
    cell = shown.cells[0]
    assert (cell["conflict"], cell["now"], cell["new"]) == (True, "甲改", "乙改")
    # Whoever saw it may choose the own value.
    sheets.apply_return(shown, chosen=[0], amendment=AMENDMENT, by=by)
    assert live.commitments.get(code="1.1-01").title == "乙改"
    with pytest.raises(StepRefused, match="写入过"):
        sheets.apply_return(shown, chosen=[0], amendment=AMENDMENT, by=by)
    # What only the system changed is no change of the table.
    assert sent_back(live, data, by).cells == []


def test_an_office_writes_progress_only_and_only_its_own(
    district: District,
    live: Plan,
) -> None:
    head = district.actor("base")
    data = write_table(live)

    def fill(sheet) -> None:
        sheet.cell(line_of(sheet, "1.2-01"), AT["progress"], "已起草")
        sheet.cell(line_of(sheet, "1.1-01"), AT["progress"], "别科室的")
        sheet.cell(line_of(sheet, "1.2-01"), AT["title"], "换个题目")

    closed = sent_back(live, edited(data, fill), head)
    assert all(cell["problem"] for cell in closed.cells), "no round is open"
    made = opened(district, live)
    preview = sent_back(live, edited(data, fill), head)
    free = [at for at, cell in enumerate(preview.cells) if not cell["problem"]]
    assert [preview.cells[at]["column"] for at in free] == ["progress"]
    with pytest.raises(StepRefused):
        sheets.apply_return(preview, chosen=[0, 1, 2], amendment=AMENDMENT, by=head)
    with pytest.raises(OutOfScope):
        sheets.apply_return(preview, chosen=free, amendment=None, by=district.actor("plan"))
    sheets.apply_return(preview, chosen=free, amendment=None, by=head)
    assert of(made, "1.2-01").text == "已起草"
    rounds.report_progress(of(made, "1.2-01"), text="已起草", by=head)
    late = sent_back(
        live, edited(data, lambda s: s.cell(line_of(s, "1.2-01"), AT["progress"], "x")), head
    )
    assert "已经报出" in late.cells[0]["problem"]
    with pytest.raises(PermissionDenied):
        sent_back(live, data, district.actor("inspector"))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("due", "尽快", "哪一天"),
        ("leader", "没有此人", "账号"),
        ("lead", "没有这个科", "机构名录"),
        ("support", "办公室、没有这个科", "机构名录"),
        ("lead", None, "不能为空"),
        ("title", "长" * 121, "太长"),
    ],
)
def test_what_cannot_be_understood_is_said(
    district: District,
    live: Plan,
    column: str,
    value: str | None,
    words: str,
) -> None:
    def fill(sheet) -> None:
        sheet.cell(line_of(sheet, "1.1-01"), AT[column]).value = value

    preview = sent_back(live, edited(write_table(live), fill), district.actor("plan"))
    assert words in preview.cells[0]["problem"]


def test_a_table_that_is_not_ours_or_of_another_plan_is_refused(
    district: District,
    live: Plan,
) -> None:
    data = write_table(live)
    book = openpyxl.load_workbook(io.BytesIO(data))
    del book["_base"]
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(Unreadable, match="底稿"):
        read_table(out.getvalue(), live)
    with pytest.raises(Unreadable, match="另一份"):
        read_table(data, Plan(id=live.id + 1))


def test_the_page_is_a3_across_with_headings_on_every_page(live: Plan) -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_table(live)))
    sheet, base = book.worksheets
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (8, "landscape")
    assert sheet.page_setup.paperSize == int(sheet.PAPERSIZE_A3)
    assert sheet.print_title_rows == "$3:$3"
    assert "&P" in sheet.oddFooter.center.text
    assert [c.value for c in sheet[3]][:3] == ["编号", "章节", "任务"]
    assert base.sheet_state == "hidden"


def test_pages(district: District, live: Plan) -> None:
    office, head = Client(), Client()
    office.force_login(district.users["plan"])
    head.force_login(district.users["base"])
    out = office.get(reverse("sheet_export", args=[live.id]))
    assert out.status_code == 200
    data = edited(out.content, lambda s: s.cell(line_of(s, "1.1-01"), AT["title"], "新题目"))
    send = reverse("sheet_back", args=[live.id])
    assert office.get(send).status_code == 200
    bad = office.post(send, {"file": SimpleUploadedFile("x.xlsx", b"PK no")})
    assert bad.status_code == 422
    answer = office.post(send, {"file": SimpleUploadedFile("x.xlsx", data)})
    assert answer.status_code == 302
    page = office.get(answer.url)
    assert "新题目" in page.content.decode()
    assert head.get(answer.url).status_code == 404, "a preview is the sender's own"
    refused = office.post(answer.url, {"cell": ["0"]})
    assert refused.status_code == 422
    done = office.post(
        answer.url, {"cell": ["0"], "reason": "调整", "meeting_number": "局务会〔9〕号"}
    )
    assert done.status_code == 302
    assert live.commitments.get(code="1.1-01").title == "新题目"
    assert "已写入" in office.get(answer.url).content.decode()

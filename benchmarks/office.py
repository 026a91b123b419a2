"""The task table through an office program: 300 rows with merged cells, edited, saved, read back.

LibreOffice stands in for WPS.  The table is edited by openpyxl as a person would – texts, a merged
cell over three rows, a heading across, cells left empty – then opened and saved twice by LibreOffice,
as .ods and as .xlsx again, which writes every cell anew with its own styles, types and merged ranges.
"""

import io
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

TASKS = 300
EDITS_EVERY = 3
MOST_SECONDS = 120


def run() -> bool:
    """Export, edit, save in LibreOffice, preview; True without the program, which is said."""
    if not shutil.which("soffice"):
        print("office: no LibreOffice on this machine (soffice); nothing was measured")
        return True

    import openpyxl
    from django.db import transaction

    from xuezheng.domains.workplan.exchange.task_table import ABOVE, read_table, write_table
    from xuezheng.domains.workplan.models import Commitment, Plan, Section
    from xuezheng.domains.workplan.services import sheets
    from xuezheng.kernel.access.actors import StaffActor
    from xuezheng.kernel.access.models import User

    by = StaffActor(User.objects.get(username="plan"))
    with transaction.atomic(), tempfile.TemporaryDirectory(prefix="xz-office-") as name:
        folder = Path(name)
        plan = Plan.objects.filter(status="adopted").order_by("-year").first()
        first = plan.commitments.live().exclude(lead_office=None).first()
        for n in range(TASKS - plan.commitments.live().count()):
            if n % 7 == 0:
                section = Section.objects.create(
                    plan=plan, title=f"举措{n // 7}", path=f"九/{n // 7}", level=2,
                    order=1000 + n, start=0, end=0,
                )  # fmt: skip
            Commitment.objects.create(
                plan=plan,
                section=section,
                code=f"9.{n // 7}-{n % 7 + 1:02d}",
                title=f"任务{n}，带“引号”=1+1",
                wording=f"第一行{n}\n第二行 <b>&amp;</b> +86 00{n}",
                order=1000 + n,
                lead_office=first.lead_office,
                leader=first.leader,
                due_on=first.due_on if n % 4 else None,
            )
        exported = write_table(plan)
        began = time.perf_counter()
        untouched = read_table(_saved_by_office(exported, folder), plan)
        seconds = time.perf_counter() - began
        cells = sum(len(row) for row in untouched.base.values())
        back = dict(untouched.rows)
        lost = [
            (code, column)
            for code, row in untouched.base.items()
            for column, value in row.items()
            if back.get(code, {}).get(column) != value
        ]

        book = openpyxl.load_workbook(io.BytesIO(exported))
        sheet = book.worksheets[0]
        at = {column: place for place, column in enumerate(sheets.COLUMNS, start=1)}
        expected = set()
        for line in range(ABOVE + 1, sheet.max_row + 1, EDITS_EVERY):
            code = sheet.cell(line, at["code"]).value
            sheet.cell(line, at["wording"], f"改过的举措{line}\n新的一行，“引号”")
            expected.add((code, "wording", f"改过的举措{line}\n新的一行，“引号”"))
        lines = [ABOVE + 2, ABOVE + 3]
        sheet.cell(lines[0], at["handler"], None)
        for line in lines:
            sheet.cell(line, at["due"], "11月底")
            expected.add((sheet.cell(line, at["code"]).value, "due", "11月底"))
        sheet.cell(lines[1], at["due"], None)
        sheet.merge_cells(
            start_row=lines[0], end_row=lines[1], start_column=at["due"], end_column=at["due"]
        )
        out = io.BytesIO()
        book.save(out)
        found = read_table(_saved_by_office(out.getvalue(), folder), plan)
        kept = sheets.keep_return(
            plan, base=found.base, returned=found.rows, remarks=found.remarks, by=by
        )
        seen = {(cell["code"], cell["column"], cell["new"]) for cell in kept.cells}
        merged = len(sheet.merged_cells.ranges)
        transaction.set_rollback(True)

    print(
        f"office: {len(back)} rows, {merged} merged ranges, {cells} cells through LibreOffice"
        f" (.xlsx → .ods → .xlsx, {seconds:.1f} s): {len(lost)} cells lost or changed"
    )
    print(
        f"office: {len(expected)} cells edited, {len(seen)} shown in the preview,"
        f" {len(expected - seen)} missed, {len(seen - expected)} not edited"
    )
    for words in sorted(lost)[:5] + sorted(seen ^ expected)[:5]:
        print("   ", words)
    return not lost and seen == expected


def _saved_by_office(data: bytes, folder: Path) -> bytes:
    """The workbook as LibreOffice writes it, by way of its own format."""
    table = folder / "table.xlsx"
    table.write_bytes(data)
    for source, target in (("table.xlsx", "ods"), ("table.ods", "xlsx")):
        subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless",
             "--convert-to", target, "--outdir", str(folder), str(folder / source)],
            check=True, capture_output=True, timeout=MOST_SECONDS,
        )  # fmt: skip
    return table.read_bytes()

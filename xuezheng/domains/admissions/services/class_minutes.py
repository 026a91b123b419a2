"""The minutes of a draw into classes, to be signed on the spot: codes, no names."""

import io

from django.utils import timezone
from django.utils.translation import gettext as _
from docx import Document

from xuezheng.domains.admissions.models import ClassDraw


def class_minutes(draw: ClassDraw) -> bytes:
    """A .docx with what was fixed, what was drawn, and the class of every code.

    Before the draw the lines for digits and result are empty: it may be printed and filled in by hand.
    """
    book = Document()
    book.core_properties.author = str(draw.school)
    book.core_properties.title = _("阳光分班记录")
    book.add_heading(_("阳光分班记录"), level=1)
    facts = [
        (_("学校"), str(draw.school)),
        (_("批次"), draw.season.title),
        (_("人数"), str(len(draw.given["children"]))),
        (_("班数"), str(draw.given["classes"])),
        (_("名单封存时间"), _minute(draw.committed_at)),
        (_("名单封存值"), draw.root),
        (_("密值承诺"), draw.commitment),
        (_("抽签时间"), _minute(draw.drawn_at)),
        (_("现场数字"), draw.digits),
        (_("见证"), draw.witnesses),
        (_("种子"), draw.seed),
        (_("结果封存值"), draw.sha256),
    ]
    if draw.void_reason:
        facts.append((_("已作废"), draw.void_reason))
    for label, value in facts:
        book.add_paragraph(f"{label}：{value}")
    if draw.drawn_at:
        _classes(book, draw)
    for who in (_("主持人签字"), _("家长代表签字"), _("监督人签字")):
        book.add_paragraph(f"\n{who}：")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _classes(book, draw: ClassDraw) -> None:
    at = draw.result["classes"]
    table = book.add_table(rows=1, cols=3)
    table.style = "Table Grid"
    heads = (_("班级"), _("人数"), _("登记代码"))
    for cell, label in zip(table.rows[0].cells, heads, strict=True):
        cell.text = label
    for number in range(1, draw.given["classes"] + 1):
        codes = sorted(code for code, where in at.items() if where == number)
        cells = table.add_row().cells
        cells[0].text = _("%(n)s班") % {"n": number}
        cells[1].text, cells[2].text = str(len(codes)), " ".join(codes)


def _minute(moment) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""

"""The whole file of a zoning decision, as a court would ask for it: on one page, and as a document."""

import io
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from docx import Document

from xuezheng.domains.admissions.models import Consultation
from xuezheng.domains.admissions.services.seasons import differences
from xuezheng.domains.admissions.services.zoning import earlier_season, part_words
from xuezheng.kernel.cases.models import Move


@dataclass(frozen=True)
class Section:
    """A part of the file: paragraphs, then a table (headings, lines)."""

    title: str
    paragraphs: list[str]
    headings: list[str]
    lines: list[list[str]]


def _day(value: Any) -> str:
    return value.isoformat() if value else "—"


def consultation_file(row: Consultation) -> list[Section]:
    """Every part of the file in the order in which it came about (constant queries)."""
    return [
        _summary(row),
        Section(_("调整说明"), row.explanation.splitlines(), [], []),
        Section(_("过渡办法"), row.transition.splitlines(), [], []),
        areas_of(row),
        changes_of(row),
        _opinions(row),
        Section(_("合法性审查意见"), (row.legality_opinion or _("尚未审查")).splitlines(), [], []),
        _way(row),
    ]


def _summary(row: Consultation) -> Section:
    facts = [
        [_("编号"), row.case.number],
        [_("招生批次"), row.season.title],
        [_("承办单位"), str(row.case.organisation)],
        [_("状态"), row.get_state_display()],
        [_("公开征求意见"), f"{_day(row.public_from)} – {_day(row.public_until)}"],
        [_("会议编号"), row.meeting_number or "—"],
        [_("文号"), row.document_number or "—"],
        [_("公布日"), _day(row.published_on)],
    ]
    return Section(_("概况"), [], [_("项目"), _("内容")], facts)


def areas_of(row: Consultation) -> Section:
    """The areas of the draft, line by line."""
    lines = []
    for zone in row.season.zones.prefetch_related("schools", "parts__community"):
        words = "；".join(
            part_words(part.as_part("", part.community.code), part.community.name)
            for part in zone.parts.all()
        )
        schools = "、".join(str(school) for school in zone.schools.all())
        lines.append([zone.code, zone.name, schools, words])
    return Section(_("服务区方案"), [], [_("编号"), _("服务区"), _("学校"), _("范围")], lines)


def changes_of(row: Consultation) -> Section:
    """What the draft changes against the season before."""
    old = row.season.copied_from or earlier_season(row.season)
    if old is None:
        return Section(_("与上一批次比较"), [_("没有上一批次。")], [], [])
    changes = differences(row.season, old)["zones"]
    lines = [[change.what, change.old or "—", change.new or "—"] for change in changes]
    said = [] if lines else [_("服务区没有变化。")]
    return Section(
        _("与上一批次比较"), said, [_("服务区"), old.title, row.season.title], lines
    )  # fmt: skip


def _opinions(row: Consultation) -> Section:
    lines = [
        [
            f"{timezone.localtime(each.given_at):%Y-%m-%d}",
            str(each.organisation) if each.organisation else _("公众"),
            each.text,
            "" if each.adopted is None else _("采纳") if each.adopted else _("不采纳"),
            each.answer,
        ]
        for each in row.replies.select_related("organisation")
    ]
    headings = [_("日期"), _("提出者"), _("意见"), _("是否采纳"), _("答复")]
    return Section(_("征求到的意见和答复"), [] if lines else [_("没有收到意见。")], headings, lines)


def _way(row: Consultation) -> Section:
    lines = []
    moves = row.case.moves.select_related("user", "post").order_by("at", "id")
    for move in moves.prefetch_related("attachments__file"):
        files = "、".join(
            f"{each.file.name}（SHA-256 {each.file.sha256}）" for each in move.attachments.all()
        )
        lines.append(
            [
                f"{timezone.localtime(move.at):%Y-%m-%d %H:%M}",
                _step_words(row, move),
                f"{move.user or ''} {move.post.title if move.post else ''}".strip(),
                "\n".join(text for text in (move.note, files) if text),
            ]
        )
    return Section(
        _("办理经过"), [], [_("时间"), _("步骤"), _("经办人"), _("说明和附件")], lines
    )  # fmt: skip


def _step_words(row: Consultation, move: Move) -> str:
    flow = row.case.flow
    steps = {step.key: step for step in (flow.opening, *flow.steps)}
    return str(steps[move.step].label) if move.step in steps else _("催办")


def file_as_docx(row: Consultation) -> bytes:
    """The file as a .docx."""
    book = Document()
    book.core_properties.author = str(row.case.organisation)
    book.core_properties.title = row.case.title
    book.add_heading(row.case.title, level=0)
    for section in consultation_file(row):
        book.add_heading(section.title, level=1)
        for text in section.paragraphs:
            book.add_paragraph(text)
        if not section.lines:
            continue
        table = book.add_table(rows=1, cols=len(section.headings))
        table.style = "Table Grid"
        for cell, text in zip(table.rows[0].cells, section.headings, strict=True):
            cell.text = text
        for line in section.lines:
            for cell, text in zip(table.add_row().cells, line, strict=True):
                cell.text = text
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()

"""The supervision sheet as a Word file, as it is printed, signed for and filed."""

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from xuezheng.domains.workplan.models import Supervision
from xuezheng.domains.workplan.services.official import Grid, write

#: Least millimetres of each line of the sheet: room for the pen where it is signed and answered.
HEIGHTS = (10, 10, 10, 10, 10, 20, 20, 10, 10, 14, 46, 10)


def sheet_rows(row: Supervision) -> list[tuple[str, str]]:
    """What stands on the sheet, line by line: (heading, text); empty text is left to the pen."""
    signed = ""
    if row.signed_at:
        at = timezone.localtime(row.signed_at)
        signed = f"{row.signed_by} {at:%Y-%m-%d %H:%M}"
    return [
        (_("督办编号"), row.number),
        (_("责任单位"), str(row.case.organisation)),
        (_("督办层级"), str(row.get_level_display())),
        (_("督办依据"), basis_words(row)),
        (_("督办事项"), row.case.title),
        (_("督办事由"), row.note),
        (_("办理要求"), row.demand),
        (_("签发日"), row.issued_on.isoformat() if row.issued_on else ""),
        (_("办理期限"), row.due_on.isoformat() if row.due_on else ""),
        (_("签收"), signed),
        (_("办理回复"), row.reply),
        (_("办结日"), row.settled_on.isoformat() if row.settled_on else ""),
    ]


def basis_words(row: Supervision) -> str:
    """Kind and name of what the sheet is on."""
    about = row.milestone or row.source or row.commitment
    if row.commitment and row.milestone:
        about = f"{row.commitment.code} {row.milestone}"
    return f"{row.get_basis_display()}：{about}"


def sheet_document(row: Supervision) -> bytes:
    """The .docx, in Chinese whatever the reader's language."""
    with translation.override(settings.LANGUAGE_CODE):
        cells = [[heading, text] for heading, text in sheet_rows(row)]
        return write(_("督办单"), [Grid([], cells, HEIGHTS)], signed=str(row.issuer))

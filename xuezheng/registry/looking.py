"""Who looked at whom: the trail of one person, in words."""

import uuid

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.audit.models import Entry
from xuezheng.registry.models import PersonMerge

#: The sealed fields in words.
REVEALED = {
    "id_number": _("证件号码"),
    "student_number": _("学籍号"),
    "phone": _("手机号码"),
}
ACTIONS = {
    "pupil.open": _("打开档案"),
    "pupil.looked": _("查看“谁看过”"),
    "pupil.reveal": _("查看完整号码"),
    "pupil.create": _("登记"),
    "pupil.edit": _("修改档案"),
    "pupil.take_in": _("转入"),
    "pupil.change_class": _("调班"),
    "pupil.suspend": _("休学"),
    "pupil.resume": _("复学"),
    "pupil.leave": _("离校"),
    "pupil.correct": _("更正就读经历"),
    "pupil.residence": _("登记住址"),
    "pupil.merge": _("合并记录"),
    "pupil.unmerge": _("撤销合并"),
    "pupil.compare": _("比对疑似重复"),
    "guardian.add": _("增加监护人"),
    "guardian.edit": _("修改监护人"),
    "guardian.end": _("结束监护关系"),
    "guardian.reveal": _("查看监护人完整号码"),
    "staff.open": _("打开档案"),
    "staff.looked": _("查看“谁看过”"),
    "staff.reveal": _("查看完整号码"),
    "staff.create": _("登记"),
    "staff.edit": _("修改档案"),
    "staff.employ": _("增加任职"),
    "staff.leave": _("结束任职"),
    "staff.account": _("关联账号"),
    "staff.merge": _("合并记录"),
    "staff.unmerge": _("撤销合并"),
    "staff.compare": _("比对疑似重复"),
}


def trail_of(kind: str, person_id: uuid.UUID) -> QuerySet[Entry]:
    """Entries about a person, also under the keys of rows merged into theirs; newest first."""
    keys = {str(person_id)}
    merged = PersonMerge.objects.filter(kind=kind, kept=person_id, undone_at__isnull=True)
    keys |= {str(key) for key in merged.values_list("dropped", flat=True)}
    about = Q(object_type=kind, object_id__in=keys)
    rows = Entry.objects.filter(about).select_related("user", "post__organisation", "organisation")
    return rows.order_by("-id")


def in_words(entry: Entry) -> str:
    """What was done, in the reader's language; the action's own name when it has no words."""
    text = str(ACTIONS.get(entry.action, entry.action))
    field = REVEALED.get(entry.detail.get("field", ""))
    return f"{text} · {field}" if field else text

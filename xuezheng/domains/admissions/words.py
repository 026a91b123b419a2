"""Words for the short keys of the roll and of registers' answers."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

#: Lists that may name a child.
SOURCES = {
    "police": _("公安户籍名单"),
    "kindergarten": _("幼儿园毕业生"),
    "grade6": _("小学毕业生"),
    "street": _("街道排查"),
    "self": _("家长自行登记"),
}
#: Facts that registers speak of, in the order in which the review page shows them.
FACTS = {
    "register": _("户籍地址"),
    "register_date": _("落户日期"),
    "registered_since_birth": _("自出生落户"),
    "parents_named": _("户口簿上有父母"),
    "home": _("房产地址"),
    "owner": _("房产人"),
    "share": _("家庭份额（%）"),
    "title": _("房产凭证"),
    "title_date": _("凭证日期"),
    "residential": _("住宅用途"),
    "parents_own_no_home": _("父母名下无房"),
    "residence_permit": _("居住证"),
    "permit_date": _("居住证签发日"),
    "points": _("积分"),
    "custody": _("监护情况"),
}
CUSTODY = {"both": _("父母共同"), "one": _("一方"), "unknown": _("未登记")}


def sources_in_words(sources: Iterable[str]) -> str:
    """The lists that name a child, in the reader's language."""
    return "、".join(str(SOURCES.get(source, source)) for source in sources)

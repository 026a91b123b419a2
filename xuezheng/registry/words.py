"""Words for grades and for the signs of a duplicate."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.registry.models.places import Stage

SIGNS = {
    "id": gettext_lazy("证件号码相同"),
    "name": gettext_lazy("姓名相同"),
    "birth": gettext_lazy("出生日期相同"),
    "guardian": gettext_lazy("有同名的监护人"),
    "phone": gettext_lazy("手机号码相同"),
    "sex": gettext_lazy("性别相同"),
    "tail": gettext_lazy("证件后四位相同"),
    "differ": gettext_lazy("两个有效的证件号码不同"),
}


def grade_word(stage: str, grade: int) -> str:
    """A grade as schools call it: 三年级, 八年级, 高一, 大班; `grade` counts within the stage."""
    numerals = (_("一"), _("二"), _("三"), _("四"), _("五"), _("六"), _("七"), _("八"), _("九"))
    if stage == Stage.KINDERGARTEN:
        return (_("小班"), _("中班"), _("大班"))[grade - 1]
    if stage == Stage.PRIMARY:
        return _("%s年级") % numerals[grade - 1]
    if stage == Stage.JUNIOR:
        return _("%s年级") % numerals[grade + 5]
    if stage == Stage.VOCATIONAL:
        return _("中职%s年级") % numerals[grade - 1]
    return (_("高一"), _("高二"), _("高三"))[grade - 1]

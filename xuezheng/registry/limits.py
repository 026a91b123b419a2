"""Limits set by parameters of this storey: ages of people, days of leaving; and which values they may have."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.reference.parameters import check_values, setting
from xuezheng.registry import rules
from xuezheng.registry.models.merging import PersonKind

#: Kind of person -> what is said of a birth outside the ages of its parameter.
WORDS = {
    PersonKind.PUPIL: gettext_lazy(
        "出生日期不合理：学生一般为%(youngest)d至%(oldest)d岁，请核对证件。"
    ),
    PersonKind.STAFF: gettext_lazy(
        "出生日期不合理：教职工一般为%(youngest)d至%(oldest)d岁，请核对证件。"
    ),
}


class Ages:
    """The ages that a kind of person may have on a day, by the parameter of an authority."""

    def __init__(self, kind: str, day: dt.date, owner: str):
        self._value = setting(f"registry.ages.{kind}", day, owner).value
        self._words = WORDS[PersonKind(kind)]
        #: First and last day on which such a person may be born.
        self.span = rules.born_span(day, **self._value)

    @property
    def problem(self) -> str:
        """What is said of a birth outside the span."""
        return str(self._words) % self._value


def connect() -> None:
    """Tell the kernel which values the parameters of this storey may have."""
    check_values("registry.graduation.days", _leaving_days)
    for kind in WORDS:
        check_values(f"registry.ages.{kind.value}", _ages)


def _leaving_days(value: dict[str, Any]) -> str:
    if rules.are_leaving_days(value):
        return ""
    return _("两个日期都写成月份乘100加日（6月30日写630），每年都有这一天，先后不能颠倒。")


def _ages(value: dict[str, Any]) -> str:
    return "" if rules.are_ages(value) else _("年龄应在0至130之间，最小的不能大于最大的。")

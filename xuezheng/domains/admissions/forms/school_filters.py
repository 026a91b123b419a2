"""The filter of a school's new children."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.models import Application, RollEntry, Season
from xuezheng.kernel.ui.words import WordsFilter


class PlacedFilter(filters.FilterSet):
    """By state, season, sex, words."""

    state = filters.ChoiceFilter(
        label=_("状态"),
        choices=[("placed", _("待报到")), ("arrived", _("已报到")), ("absent", _("未报到"))],
    )
    season = filters.ModelChoiceFilter(label=_("招生批次"), queryset=Season.objects.none())
    sex = filters.ChoiceFilter(label=_("性别"), choices=[("1", _("男")), ("2", _("女"))])
    w = WordsFilter(label=_("姓名、拼音首字母、证件后四位或完整号码"), field_name="entry")

    class Meta:
        model = Application
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.filters["season"].queryset = Season.objects.visible_to(self.request.actor)

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """The child by name or number."""
        return rows.filter(entry__in=RollEntry.objects.search(words).values("pk"))

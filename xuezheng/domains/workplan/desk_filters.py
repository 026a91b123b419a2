"""Filters of supervision sheets and sources; their state is in the URL."""

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.flows import SUPERVISION
from xuezheng.domains.workplan.models import LEVELS, Source, SourceKind, Supervision
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.forms import DateInput

STATE_CHOICES = [("open", _("在办")), ("overdue", _("逾期"))] + [
    (key, state.label) for key, state in SUPERVISION.states.items()
]
#: States in which the office still owes its answer.
AT_WORK = ("issued", "acting", "asked")


class SupervisionFilter(filters.FilterSet):
    """By state, level, office, day of issue, and words."""

    state = filters.ChoiceFilter(label=_("状态"), choices=STATE_CHOICES, method="by_state")
    level = filters.ChoiceFilter(label=_("督办层级"), choices=LEVELS)
    office = filters.ModelChoiceFilter(
        label=_("责任单位"), queryset=Organisation.objects.none(), field_name="case__organisation"
    )
    since = filters.DateFilter(
        label=_("签发日起"), field_name="issued_on", lookup_expr="gte", widget=DateInput
    )
    until = filters.DateFilter(
        label=_("签发日止"), field_name="issued_on", lookup_expr="lte", widget=DateInput
    )
    q = filters.CharFilter(label=_("编号或事项"), method="by_words")

    class Meta:
        model = Supervision
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        seen = Supervision.objects.visible_to(self.request.actor).order_by()
        self.filters["office"].queryset = Organisation.objects.filter(
            id__in=seen.values("case__organisation")
        )

    def by_state(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        if value == "open":
            return rows.open()
        if value == "overdue":
            return rows.filter(state__in=AT_WORK, due_on__lt=timezone.localdate())
        return rows.filter(state=value)

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        for word in words.split():
            rows = rows.filter(
                Q(number__icontains=word)
                | Q(case__number__icontains=word)
                | Q(case__title__icontains=word)
            )
        return rows


class SourceFilter(filters.FilterSet):
    """By kind, whether anything answers it, and words."""

    kind = filters.ChoiceFilter(label=_("类别"), choices=SourceKind)
    answered = filters.ChoiceFilter(
        label=_("落实"),
        choices=[("yes", _("已有任务")), ("no", _("还没有任务"))],
        method="by_answered",
    )
    q = filters.CharFilter(label=_("编号或标题"), method="by_words")

    class Meta:
        model = Source
        fields = ()

    def by_answered(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        return rows.filter(commitments__isnull=value == "no").distinct()

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        for word in words.split():
            rows = rows.filter(Q(number__icontains=word) | Q(title__icontains=word))
        return rows

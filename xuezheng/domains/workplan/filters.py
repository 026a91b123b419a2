"""Filters of the commitment list; their state is in the URL, so a board links to a filtered list."""

import datetime as dt

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.flows import ROUND
from xuezheng.domains.workplan.models import (
    KINDS,
    LIGHTS,
    Commitment,
    Plan,
    Round,
    RoundReport,
    Section,
)
from xuezheng.kernel.access.models import Organisation
from xuezheng.registry.organisations import OrganisationKind


class CommitmentFilter(filters.FilterSet):
    """By light, section, office, kind, whether measured, and words."""

    light = filters.ChoiceFilter(label=_("亮灯"), choices=LIGHTS)
    section = filters.ModelChoiceFilter(
        label=_("章节"), queryset=Section.objects.none(), method="by_section"
    )
    office = filters.ModelChoiceFilter(
        label=_("科室"), queryset=Organisation.objects.none(), method="by_office"
    )
    kind = filters.ChoiceFilter(label=_("类型"), choices=KINDS)
    measured = filters.ChoiceFilter(
        label=_("计量"),
        choices=[("yes", _("有指标")), ("no", _("尚无计量"))],
        method="by_measured",
    )
    q = filters.CharFilter(label=_("编号或文字"), method="by_words")

    class Meta:
        model = Commitment
        fields = ()

    def __init__(self, *args, plan: Plan, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["section"].queryset = plan.sections.filter(level__lte=2)
        self.filters["office"].queryset = Organisation.objects.filter(
            kind=OrganisationKind.OFFICE, led_commitments__plan=plan
        ).distinct()

    def by_section(self, rows: QuerySet, _name: str, section: Section) -> QuerySet:
        return rows.filter(Q(section=section) | Q(section__path__startswith=section.path + "/"))

    def by_office(self, rows: QuerySet, _name: str, office: Organisation) -> QuerySet:
        return rows.filter(Q(lead_office=office) | Q(supports__organisation=office)).distinct()

    def by_measured(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        measured = rows.exclude(cause="not_measured")
        return measured if value == "yes" else rows.filter(cause="not_measured")

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        for word in words.split():
            rows = rows.filter(
                Q(code__icontains=word) | Q(title__icontains=word) | Q(wording__icontains=word)
            )
        return rows


class RoundReportFilter(filters.FilterSet):
    """By office, state, lateness, returns, and words of the task."""

    office = filters.ModelChoiceFilter(
        label=_("科室"), queryset=Organisation.objects.none(), field_name="case__organisation"
    )
    state = filters.ChoiceFilter(
        label=_("状态"), choices=[(key, state.label) for key, state in ROUND.states.items()]
    )
    late = filters.ChoiceFilter(
        label=_("迟报"), choices=[("yes", _("迟报或逾期未报"))], method="by_late"
    )
    returned = filters.ChoiceFilter(
        label=_("退回"), choices=[("yes", _("被退回过"))], method="by_returned"
    )
    q = filters.CharFilter(label=_("编号或文字"), method="by_words")

    class Meta:
        model = RoundReport
        fields = ()

    def __init__(self, *args, round: Round, today: dt.date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.filters["office"].queryset = Organisation.objects.filter(
            cases__round_report__round=round
        ).distinct()

    def by_late(self, rows: QuerySet, _name: str, _value: str) -> QuerySet:
        return rows.late(self.today)

    def by_returned(self, rows: QuerySet, _name: str, _value: str) -> QuerySet:
        return rows.filter(returned__gt=0)

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        for word in words.split():
            rows = rows.filter(
                Q(commitment__code__icontains=word)
                | Q(commitment__title__icontains=word)
                | Q(text__icontains=word)
            )
        return rows

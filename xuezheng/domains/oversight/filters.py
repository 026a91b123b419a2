"""Filters of the hazard list; their state is in the URL."""

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.oversight.access import Permission
from xuezheng.domains.oversight.flows import HAZARD
from xuezheng.domains.oversight.models import GRADES, Hazard
from xuezheng.domains.oversight.selectors import categories, hazard_settings
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import below
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.registry.organisations import OrganisationKind

STATE_CHOICES = [("open", _("未销号")), ("overdue", _("超期未整改"))] + [
    (key, state.label) for key, state in HAZARD.states.items()
]


class HazardFilter(filters.FilterSet):
    """By state, grade, category, town, date of report, and words."""

    state = filters.ChoiceFilter(label=_("状态"), choices=STATE_CHOICES, method="by_state")
    grade = filters.ChoiceFilter(label=_("等级"), choices=GRADES)
    category = filters.ChoiceFilter(label=_("类别"))
    town = filters.ModelChoiceFilter(
        label=_("镇街"), queryset=Organisation.objects.none(), method="by_town"
    )
    since = filters.DateFilter(
        label=_("上报日起"), field_name="reported_on", lookup_expr="gte", widget=DateInput
    )
    until = filters.DateFilter(
        label=_("上报日止"), field_name="reported_on", lookup_expr="lte", widget=DateInput
    )
    q = filters.CharFilter(label=_("编号、单位或部位"), method="by_words")

    class Meta:
        model = Hazard
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.filters["category"].extra["choices"] = categories(
            hazard_settings(today, self.request.actor.authority_code)
        )
        seen = self.request.actor.scope(Permission.SEE).organisations
        towns = Organisation.objects.filter(kind=OrganisationKind.TOWN, id__within=seen)
        self.filters["town"].queryset = towns

    def by_state(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        if value == "open":
            return rows.open()
        if value == "overdue":
            return rows.overdue(timezone.localdate())
        return rows.filter(state=value)

    def by_town(self, rows: QuerySet, _name: str, town: Organisation) -> QuerySet:
        members = below({town.id}, timezone.localdate())[town.id]
        return rows.filter(case__organisation__in=members)

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        for word in words.split():
            rows = rows.filter(
                Q(case__number__icontains=word)
                | Q(case__organisation__name__icontains=word)
                | Q(place__icontains=word)
            )
        return rows

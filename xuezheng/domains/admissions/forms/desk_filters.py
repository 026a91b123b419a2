"""Filters of the lists of this part; their state is in the URL, save words of people."""

import datetime as dt
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import APPLICATION, FOLLOW_UP, PATH
from xuezheng.domains.admissions.models import (
    Application,
    Check,
    FollowUp,
    PathRequest,
    RollEntry,
    Season,
)
from xuezheng.domains.admissions.services.checking import confirmed_by_registers
from xuezheng.domains.admissions.words import SOURCES
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.words import WordsFilter
from xuezheng.registry.organisations import OrganisationKind

SEARCH = _("姓名、拼音首字母、证件后四位或完整号码")


class ApplicationFilter(filters.FilterSet):
    """Registrations by state, season, days left, papers, registers, channel, school, words."""

    state = filters.ChoiceFilter(
        label=_("状态"),
        choices=[("confirmed", _("数据核验一致")), ("disputed", _("监护有争议"))]
        + [(key, state.label) for key, state in APPLICATION.states.items()],
        method="by_state",
    )
    season = filters.ModelChoiceFilter(label=_("招生批次"), queryset=Season.objects.none())
    left = filters.ChoiceFilter(
        label=_("剩余时间"),
        choices=[("over", _("已超期")), ("2", _("2天内到期")), ("7", _("7天内到期"))],
        method="by_left",
    )
    papers = filters.ChoiceFilter(
        label=_("材料"),
        choices=[("yes", _("须看材料")), ("no", _("免交材料"))],
        method="by_papers",
    )
    register = filters.ChoiceFilter(
        label=_("数据核验"), choices=Check.State.choices, method="by_register"
    )
    channel = filters.ChoiceFilter(label=_("渠道"), choices=Application.Channel.choices)
    school = filters.ModelChoiceFilter(
        label=_("核验单位"),
        queryset=Organisation.objects.none(),
        field_name="case__organisation",
    )
    w = WordsFilter(label=SEARCH, field_name="entry")

    class Meta:
        model = Application
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        actor = self.request.actor
        seasons = Season.objects.visible_to(actor)
        self.filters["season"].queryset = seasons
        reached = actor.scope(Permission.SEE).organisations
        self.filters["school"].queryset = Organisation.objects.filter(
            id__within=reached, intakes__season__in=seasons
        ).distinct()

    def by_state(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """A state of the flow, or one of the two short cuts."""
        if value == "confirmed":
            return confirmed_by_registers(rows)
        if value == "disputed":
            return rows.filter(custody_disputed=True)
        return rows.filter(state=value)

    def by_left(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Open ones whose clock ends within so many days, or has ended."""
        today = timezone.localdate()
        open_rows = rows.filter(case__closed_at__isnull=True)
        if value == "over":
            return open_rows.filter(case__due__lt=today)
        return open_rows.filter(case__due__lte=today + dt.timedelta(days=int(value)))

    def by_papers(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Whether papers must be looked at."""
        return rows.filter(papers_needed=value == "yes")

    def by_register(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Those one of whose registers answered so."""
        return rows.filter(pk__in=Check.objects.filter(state=value).values("application"))

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """The child by name or number, or the registration by its reference."""
        if words.strip().upper().startswith(APPLICATION.prefix):
            return rows.filter(case__number=words.strip().upper())
        return rows.filter(entry__in=RollEntry.objects.search(words).values("pk"))


class RollFilter(filters.FilterSet):
    """The roll by outcome, list, town, school, words."""

    outcome = filters.ChoiceFilter(
        label=_("去向"),
        choices=[("open", _("未登记"))] + [c for c in RollEntry.Outcome.choices if c[0]],
        method="by_outcome",
    )
    source = filters.ChoiceFilter(
        label=_("名单来源"), choices=list(SOURCES.items()), method="by_source"
    )
    town = filters.ModelChoiceFilter(label=_("镇街"), queryset=Organisation.objects.none())
    school = filters.ModelChoiceFilter(label=_("服务区学校"), queryset=Organisation.objects.none())
    number = filters.ChoiceFilter(
        label=_("证件号码"),
        choices=[("yes", _("有")), ("no", _("没有"))],
        method="by_number",
    )
    w = WordsFilter(label=SEARCH)

    class Meta:
        model = RollEntry
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        towns = Organisation.objects.filter(kind=OrganisationKind.TOWN)
        self.filters["town"].queryset = towns
        self.filters["school"].queryset = Organisation.objects.filter(
            intakes__season__in=Season.objects.visible_to(self.request.actor)
        ).distinct()

    def by_outcome(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """`open` is the empty outcome."""
        return rows.filter(outcome="" if value == "open" else value)

    def by_source(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Entries that a list names."""
        return rows.filter(sources__contains=[value])

    def by_number(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """With or without an identity number."""
        return rows.filter(id_number__isnull=value == "no")

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """By name, initials, tail, whole number, or code."""
        by_code = RollEntry.objects.filter(code=words.strip().upper()).values("pk")
        found = RollEntry.objects.search(words).values("pk")
        return rows.filter(Q(pk__in=found) | Q(pk__in=by_code))


class FollowUpFilter(filters.FilterSet):
    """Follow-ups by state, cause, reported outcome, town."""

    state = filters.ChoiceFilter(
        label=_("状态"),
        choices=[("over", _("已超期"))]
        + [(key, state.label) for key, state in FOLLOW_UP.states.items()],
        method="by_state",
    )
    cause = filters.ChoiceFilter(label=_("起因"), choices=FollowUp._meta.get_field("cause").choices)
    outcome = filters.ChoiceFilter(
        label=_("去向"), choices=[c for c in RollEntry.Outcome.choices if c[0]]
    )
    town = filters.ModelChoiceFilter(
        label=_("镇街"), queryset=Organisation.objects.none(), field_name="case__organisation"
    )

    class Meta:
        model = FollowUp
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        reached = self.request.actor.scope(Permission.FOLLOW_UP).organisations
        self.filters["town"].queryset = Organisation.objects.filter(
            id__within=reached, kind=OrganisationKind.TOWN
        )

    def by_state(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """A state, or open ones whose clock has ended."""
        if value == "over":
            return rows.filter(case__closed_at__isnull=True, case__due__lt=timezone.localdate())
        return rows.filter(state=value)


class PathFilter(filters.FilterSet):
    """Requests beside the regular way by state and kind."""

    state = filters.ChoiceFilter(
        label=_("状态"), choices=[(key, state.label) for key, state in PATH.states.items()]
    )
    kind = filters.ChoiceFilter(label=_("类别"), choices=PathRequest.Kind.choices)

    class Meta:
        model = PathRequest
        fields = ()

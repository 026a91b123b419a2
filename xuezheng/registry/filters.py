"""Filters of the lists of people and places; their state is in the URL, save words of people."""

from typing import Any

import django_filters as filters
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import below
from xuezheng.kernel.ui.words import WordsFilter
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import AT_SCHOOL
from xuezheng.registry.lists import chosen_lazily
from xuezheng.registry.models import (
    Community,
    DuplicatePair,
    Dwelling,
    Employment,
    Guardian,
    PersonMerge,
    Pupil,
    SchoolClass,
    StaffMember,
)
from xuezheng.registry.models.merging import PersonKind
from xuezheng.registry.models.people import Sex
from xuezheng.registry.models.places import Locality, Ownership, Stage
from xuezheng.registry.organisations import SITE_KINDS
from xuezheng.registry.words import grade_word

SEARCH = _("姓名、拼音首字母、证件后四位或完整号码")


def _grade_choices() -> list[tuple[str, str]]:
    return [(f"{stage}-{grade}", grade_word(stage, grade)) for stage, grade in selectors.grades()]


class ScopedFilter(filters.FilterSet):
    """Narrows the choice of schools, towns and classes to those in the reader's reach.

    `permission` is the one that the list is read with.
    """

    permission = Permission.SITE_SEE

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        actor = self.request.actor
        if "site" in self.filters:
            self.filters["site"].queryset = selectors.sites(actor, self.permission)
        if "town" in self.filters:
            self.filters["town"].queryset = selectors.towns(actor)
        if "school_class" in self.filters:
            self.filters["school_class"].queryset = self._classes()

    def _classes(self) -> QuerySet[SchoolClass]:
        """Classes of the chosen school, or of the only one there is; else none to choose from."""
        chosen = self.data.get("site", "")
        rows = SchoolClass.objects.visible_to(self.request.actor).current(timezone.localdate())
        if chosen.isdigit():
            return rows.filter(organisation_id=int(chosen))
        reached = self.request.actor.scope(self.permission)
        if not reached.everything and len(reached.organisations) == 1:
            return rows.filter(organisation_id__in=reached.organisations)
        return rows.none()

    def by_town(self, rows: QuerySet, name: str, town: Organisation) -> QuerySet:
        """Rows of the sites that stand below a town today."""
        members = below({town.id}, timezone.localdate())[town.id]
        path = getattr(self, "town_path", "organisation")
        return rows.filter(**{f"{path}__in": members})


class SiteFilter(ScopedFilter):
    """Schools by state, kind, ownership, locality, island, town, words."""

    town_path = "id"

    state = filters.ChoiceFilter(
        label=_("状态"),
        choices=[("closed", _("已停办")), ("all", _("全部"))],
        method="by_state",
    )
    kind = filters.ChoiceFilter(
        label=_("类别"), choices=[(kind.value, kind.label) for kind in SITE_KINDS]
    )
    ownership = filters.ChoiceFilter(
        label=_("办学性质"), field_name="site_profile__ownership", choices=Ownership.choices
    )
    locality = filters.ChoiceFilter(
        label=_("城乡类型"), field_name="site_profile__locality", choices=Locality.choices
    )
    island = filters.ChoiceFilter(
        label=_("海岛"),
        field_name="site_profile__island",
        choices=[("True", pgettext_lazy("island", "是")), ("False", pgettext_lazy("island", "否"))],
    )
    town = filters.ModelChoiceFilter(
        label=_("镇街"), queryset=Organisation.objects.none(), method="by_town"
    )
    q = filters.CharFilter(label=_("名称、简称或代码"), method="by_words")

    class Meta:
        model = Organisation
        fields = ()

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Without a state: only those that are not closed."""
        rows = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return rows
        today = timezone.localdate()
        return rows.filter(Q(closed__isnull=True) | Q(closed__gt=today))

    def by_state(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """`closed` on or before today; `all` both."""
        return rows.filter(closed__lte=timezone.localdate()) if value == "closed" else rows

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """Every word in name, short name or a code."""
        for word in words.split():
            rows = rows.filter(
                Q(name__icontains=word)
                | Q(short_name__icontains=word)
                | Q(code__iexact=word)
                | Q(site_profile__school_code=word)
            )
        return rows


class ClassFilter(ScopedFilter):
    """Classes by school, stage, grade, and whether they run."""

    state = filters.ChoiceFilter(
        label=_("状态"), choices=[("past", _("已撤销或毕业"))], method="by_state"
    )
    site = filters.ModelChoiceFilter(
        label=_("学校"), field_name="organisation", queryset=Organisation.objects.none()
    )
    stage = filters.ChoiceFilter(label=_("学段"), choices=Stage.choices)
    grade = filters.ChoiceFilter(label=_("年级"), choices=_grade_choices, method="by_grade")
    town = filters.ModelChoiceFilter(
        label=_("镇街"), queryset=Organisation.objects.none(), method="by_town"
    )

    class Meta:
        model = SchoolClass
        fields = ()

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Without a state: classes that exist today."""
        rows = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return rows
        return rows.current(timezone.localdate())

    def by_state(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Classes that ended before today."""
        return rows.filter(valid_to__lt=timezone.localdate())

    def by_grade(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Classes that are in the grade today."""
        return by_grade(rows, value)


def by_grade(rows: QuerySet, value: str, path: str = "") -> QuerySet:
    """Rows whose class is today in a grade, written stage-number."""
    stage, _dash, grade = value.partition("-")
    entry = selectors.entry_year_of(int(grade), timezone.localdate())
    return rows.filter(**{f"{path}stage": stage, f"{path}entry_year": entry})


PUPIL_ORDERS = {
    "class": (
        F("organisation__order").asc(nulls_last=True),
        F("school_class__entry_year").desc(nulls_last=True),
        "school_class__number",
        "initials",
        "id",
    ),
    "updated": ("-updated_at", "id"),
}


class PupilFilter(ScopedFilter):
    """Pupils by state, school, stage, grade, class, sex, boarding, words; and the order."""

    permission = Permission.PUPIL_SEE

    state = filters.ChoiceFilter(
        label=_("状态"),
        choices=[
            ("suspended", _("休学")),
            ("unplaced", _("未落实学校")),
            ("classless", _("未编班")),
            ("all", _("全部")),
        ],
        method="by_state",
    )
    site = filters.ModelChoiceFilter(
        label=_("学校"), field_name="organisation", queryset=Organisation.objects.none()
    )
    stage = filters.ChoiceFilter(
        label=_("学段"), field_name="school_class__stage", choices=Stage.choices
    )
    grade = filters.ChoiceFilter(label=_("年级"), choices=_grade_choices, method="by_grade")
    school_class = filters.ModelChoiceFilter(
        label=_("班级"),
        queryset=SchoolClass.objects.none(),
        help_text=_("先选学校"),
    )
    sex = filters.ChoiceFilter(label=_("性别"), choices=Sex.choices)
    boarding = filters.ChoiceFilter(label=_("就读方式"), choices=chosen_lazily("boarding"))
    sort = filters.ChoiceFilter(
        label=_("排序"),
        choices=[("class", _("按班级")), ("updated", _("最近更新在前"))],
        method="in_order",
        empty_label=_("按姓名"),
    )
    w = WordsFilter(label=SEARCH)

    class Meta:
        model = Pupil
        fields = ()

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Without a state: those at school."""
        rows = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return rows
        return rows.filter(status=AT_SCHOOL, organisation__isnull=False)

    def by_state(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """`suspended`, `unplaced` (should be somewhere), `classless` (at a school), `all`."""
        if value == "suspended":
            return rows.filter(status="02")
        if value == "unplaced":
            return rows.unplaced()
        if value == "classless":
            return rows.filter(organisation__isnull=False, school_class__isnull=True)
        return rows

    def by_grade(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Pupils whose class is in the grade today."""
        return by_grade(rows, value, "school_class__")

    def in_order(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Another order than by name."""
        return rows.order_by(*PUPIL_ORDERS[value])

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """See PersonQuerySet.search."""
        return rows.search(words)


class GuardianFilter(ScopedFilter):
    """Guardians by words."""

    w = WordsFilter(label=SEARCH)

    class Meta:
        model = Guardian
        fields = ()

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """See PersonQuerySet.search."""
        return rows.search(words)


class StaffFilter(ScopedFilter):
    """Staff by category, site, town, education, words."""

    permission = Permission.STAFF_SEE

    category = filters.ChoiceFilter(label=_("人员类别"), choices=StaffMember.Category.choices)
    state = filters.ChoiceFilter(
        label=_("状态"), choices=[("left", _("已离任"))], method="by_state"
    )
    site = filters.ModelChoiceFilter(
        label=_("单位"), field_name="organisation", queryset=Organisation.objects.none()
    )
    town = filters.ModelChoiceFilter(
        label=_("镇街"), queryset=Organisation.objects.none(), method="by_town"
    )
    education = filters.ChoiceFilter(label=_("学历"), choices=chosen_lazily("education"))
    established = filters.ChoiceFilter(
        label=_("编制"),
        choices=[("True", _("在编")), ("False", _("编外"))],
        method="by_establishment",
    )
    w = WordsFilter(label=SEARCH)

    class Meta:
        model = StaffMember
        fields = ()

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Without a state: those in service."""
        rows = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return rows
        return rows.filter(organisation__isnull=False)

    def by_state(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Those without a running employment."""
        return rows.filter(organisation__isnull=True)

    def by_establishment(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """By the running main employment."""
        held = {"valid_to__isnull": True, "main": True, "established": value == "True"}
        running = Employment.objects.filter(**held)
        return rows.filter(id__in=running.values("staff_id"))

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """See PersonQuerySet.search; also by work number."""
        return rows.search(words) | rows.filter(work_number=words.strip())


class CommunityFilter(ScopedFilter):
    """Communities by town, kind, words."""

    town_path = "town"

    kind = filters.ChoiceFilter(label=_("类别"), choices=Community.Kind.choices)
    town = filters.ModelChoiceFilter(label=_("镇街"), queryset=Organisation.objects.none())
    q = filters.CharFilter(label=_("名称或区划代码"), method="by_words")

    class Meta:
        model = Community
        fields = ()

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """Name, island, or the beginning of the code."""
        words = words.strip()
        return rows.filter(
            Q(name__icontains=words) | Q(island__icontains=words) | Q(code__startswith=words)
        )


class DwellingFilter(filters.FilterSet):
    """Dwellings by community, side of the road, words."""

    community = filters.ModelChoiceFilter(label=_("社区（村）"), queryset=Community.objects.none())
    side = filters.ChoiceFilter(
        label=_("单双号"), choices=[("odd", _("单号")), ("even", _("双号"))], method="by_side"
    )
    q = filters.CharFilter(label=_("道路或村名、门牌号"), method="by_words")

    class Meta:
        model = Dwelling
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.filters["community"].queryset = selectors.communities(self.request.actor)

    def by_side(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Odd or even house numbers."""
        return rows.alias(odd=F("number") % 2).filter(odd=1 if value == "odd" else 0)

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """Every word: a number is the house number, other words are part of road or community."""
        for word in words.split():
            if word.isdigit() and len(word) < 6:
                rows = rows.filter(number=int(word))
            else:
                rows = rows.filter(Q(road__icontains=word) | Q(community__name__icontains=word))
        return rows


class PairFilter(filters.FilterSet):
    """Pairs by state and kind."""

    state = filters.ChoiceFilter(
        label=_("状态"),
        choices=[
            (DuplicatePair.State.MERGED.value, DuplicatePair.State.MERGED.label),
            (DuplicatePair.State.DIFFERENT.value, DuplicatePair.State.DIFFERENT.label),
        ],
    )
    kind = filters.ChoiceFilter(label=_("类别"), choices=PersonKind.choices)

    class Meta:
        model = DuplicatePair
        fields = ()

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Without a state: those that wait for a decision."""
        rows = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return rows
        return rows.filter(state=DuplicatePair.State.OPEN)


class MergeFilter(filters.FilterSet):
    """Merges by kind."""

    kind = filters.ChoiceFilter(label=_("类别"), choices=PersonKind.choices)

    class Meta:
        model = PersonMerge
        fields = ()

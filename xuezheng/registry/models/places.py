"""What is known of a site beside its place in the tree; mergers; years, classes; addresses."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, in_force
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import STAGE_YEARS, grade_of


class Stage(models.TextChoices):
    """Stages of schooling."""

    KINDERGARTEN = "kindergarten", _("学前")
    PRIMARY = "primary", pgettext_lazy("stage", "小学")
    JUNIOR = "junior", pgettext_lazy("stage", "初中")
    SENIOR = "senior", pgettext_lazy("stage", "普通高中")
    VOCATIONAL = "vocational", pgettext_lazy("stage", "中职")


class Ownership(models.TextChoices):
    """Who runs a site."""

    PUBLIC = "public", _("公办")
    PRIVATE = "private", _("民办")
    INCLUSIVE = "inclusive", _("普惠性民办")


class Locality(models.TextChoices):
    """Where a site lies: the national 城乡 types in three groups."""

    URBAN = "urban", _("城区")
    TOWN = "town", _("镇区")
    RURAL = "rural", _("乡村")


class SiteProfile(models.Model):
    """A school, kindergarten, adult school or training institution: codes, ownership, capacity."""

    SENSITIVE_FIELDS: ClassVar = ()

    organisation = models.OneToOneField(
        Organisation, models.PROTECT, primary_key=True, related_name="site_profile"
    )
    school_code = models.CharField(_("学校标识码"), max_length=10, null=True, unique=True)
    credit_code = models.CharField(_("统一社会信用代码"), max_length=18, blank=True)
    ownership = models.CharField(_("办学性质"), max_length=10, choices=Ownership)
    locality = models.CharField(_("城乡类型"), max_length=8, choices=Locality)
    island = models.BooleanField(_("海岛"), default=False)
    places = models.PositiveIntegerField(_("核定学位"), null=True, blank=True)
    address = models.CharField(_("地址"), max_length=180, blank=True)
    phone = models.CharField(_("公开电话"), max_length=40, blank=True)
    opening_balance = models.BooleanField(_("期初导入"), default=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("办学点信息")

    def __str__(self) -> str:
        return str(self.organisation_id)


class Succession(models.Model):
    """One organisation continued by another: a merger, a split, a change of kind."""

    SENSITIVE_FIELDS: ClassVar = ()

    class Kind(models.TextChoices):
        MERGER = "merger", _("合并")
        SPLIT = "split", _("分设")
        CHANGE = "change", _("更名或转类")

    predecessor = models.ForeignKey(Organisation, models.PROTECT, related_name="successions")
    successor = models.ForeignKey(Organisation, models.PROTECT, related_name="origins")
    on = models.DateField(_("生效日"))
    kind = models.CharField(_("方式"), max_length=8, choices=Kind)
    document = models.CharField(_("批准文号"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("单位沿革")
        ordering = ["-on"]
        constraints = [
            models.UniqueConstraint(fields=["predecessor", "successor"], name="succession_once"),
            models.CheckConstraint(
                condition=~Q(predecessor=F("successor")), name="succession_not_to_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor_id} > {self.successor_id}"


class SchoolYear(models.Model):
    """A school year of an authority, 1 September to 31 August."""

    SENSITIVE_FIELDS: ClassVar = ()

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="school_years")
    code = models.CharField(_("学年"), max_length=9)
    starts_on = models.DateField(_("起始日"))
    ends_on = models.DateField(_("截止日"))

    class Meta:
        verbose_name = _("学年")
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="school_year_once"),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="school_year_forward"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Term(models.Model):
    """First or second term of a school year."""

    SENSITIVE_FIELDS: ClassVar = ()

    school_year = models.ForeignKey(SchoolYear, models.CASCADE, related_name="terms")
    number = models.PositiveSmallIntegerField(_("学期"))
    starts_on = models.DateField(_("开学日"))
    ends_on = models.DateField(_("放假日"))

    class Meta:
        verbose_name = _("学期")
        ordering = ["school_year", "number"]
        constraints = [
            models.UniqueConstraint(fields=["school_year", "number"], name="term_once"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="term_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.school_year} {self.number}"


class SchoolClassQuerySet(models.QuerySet["SchoolClass"]):
    def visible_to(self, actor: Actor) -> "SchoolClassQuerySet":
        """Classes of the sites that the actor may see."""
        return self.filter(organisation__within=actor.scope(Permission.SITE_SEE).organisations)

    def current(self, day: dt.date) -> "SchoolClassQuerySet":
        """Classes that exist on a day."""
        return self.filter(in_force(day))


class SchoolClass(models.Model):
    """A class from its entry to its leaving: one row for all its years; the grade follows from the day."""

    SENSITIVE_FIELDS: ClassVar = ()

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="classes")
    stage = models.CharField(_("学段"), max_length=12, choices=Stage)
    entry_year = models.PositiveSmallIntegerField(_("入学年"))
    number = models.PositiveSmallIntegerField(_("班号"))
    name = models.CharField(_("班级名称"), max_length=20, blank=True)
    valid_from = models.DateField(_("建班日"))
    valid_to = models.DateField(_("撤班日"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar = SchoolClassQuerySet.as_manager()

    class Meta:
        verbose_name = _("班级")
        ordering = ["organisation", "stage", "-entry_year", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "stage", "entry_year", "number"], name="school_class_once"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="school_class_forward",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.full_name

    @property
    def grade(self) -> int:
        """The grade today."""
        return grade_of(self.stage, self.entry_year, timezone.localdate())

    @property
    def full_name(self) -> str:
        """Grade and number in words, or entry year and number after leaving."""
        if 1 <= self.grade <= STAGE_YEARS[self.stage]:
            words = {
                Stage.KINDERGARTEN: (_("小"), _("中"), _("大")),
                Stage.PRIMARY: (_("一"), _("二"), _("三"), _("四"), _("五"), _("六")),
                Stage.JUNIOR: (_("七"), _("八"), _("九")),
            }.get(self.stage, (_("高一"), _("高二"), _("高三")))
            word = words[self.grade - 1]
            if self.stage == Stage.KINDERGARTEN:
                return str(_("%(grade)s（%(number)d）班") % {"grade": word, "number": self.number})
            if self.stage in (Stage.PRIMARY, Stage.JUNIOR):
                return str(
                    _("%(grade)s年级（%(number)d）班") % {"grade": word, "number": self.number}
                )
            return str(_("%(grade)s（%(number)d）班") % {"grade": word, "number": self.number})
        return str(
            _("%(year)d级（%(number)d）班") % {"year": self.entry_year, "number": self.number}
        )


class Community(models.Model):
    """A residents' committee or village of a town, by its 12-digit statistics code."""

    SENSITIVE_FIELDS: ClassVar = ()

    class Kind(models.TextChoices):
        COMMUNITY = "community", _("社区")
        VILLAGE = "village", _("村")

    town = models.ForeignKey(Organisation, models.PROTECT, related_name="communities")
    code = models.CharField(_("统计用区划代码"), max_length=12, unique=True)
    name = models.CharField(_("社区（村）"), max_length=40)
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    island = models.CharField(_("所在岛屿"), max_length=30, blank=True)

    class Meta:
        verbose_name = _("社区（村）")
        verbose_name_plural = _("社区（村）")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Dwelling(models.Model):
    """One dwelling, with the parts that service areas ask for: road, number, odd or even, building."""

    SENSITIVE_FIELDS: ClassVar = ()

    community = models.ForeignKey(Community, models.PROTECT, related_name="dwellings")
    road = models.CharField(_("道路或自然村"), max_length=40)
    number = models.PositiveIntegerField(_("门牌号"), null=True, blank=True)
    suffix = models.CharField(_("门牌附号"), max_length=12, blank=True)
    building = models.CharField(_("幢"), max_length=12, blank=True)
    room = models.CharField(_("室"), max_length=12, blank=True)

    class Meta:
        verbose_name = _("住址")
        ordering = ["community", "road", "number", "building", "room"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "road", "number", "suffix", "building", "room"],
                nulls_distinct=False,
                name="dwelling_once",
            )
        ]

    def __str__(self) -> str:
        number = f"{self.number}{self.suffix}" if self.number is not None else self.suffix
        parts = [self.community.name, self.road]
        if number:
            parts.append(str(_("%s号") % number))
        return "".join([*parts, self.unit_words])

    @property
    def unit_words(self) -> str:
        """Building and room within the number: `17幢1504室`; empty for a house of its own."""
        building = str(_("%s幢") % self.building) if self.building else ""
        return building + (str(_("%s室") % self.room) if self.room else "")

"""A season: what it admits to, when, by which ladder, with how many places where."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.rules.ages import Level
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import SealedField
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.registry.models import Dwelling, Pupil

LEVELS = [
    (Level.KINDERGARTEN.value, _("幼儿园")),
    (Level.PRIMARY.value, pgettext_lazy("admissions", "小学")),
    (Level.JUNIOR.value, pgettext_lazy("admissions", "初中")),
]


class RuleSet(models.Model):
    """One version of a ladder of tiers (rules/ladder.py reads `data`).  Adopted ones never change."""

    SENSITIVE_FIELDS: ClassVar = ()

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(_("规则名称"), max_length=80)
    level = models.CharField(_("学段"), max_length=12, choices=LEVELS)
    number = models.PositiveSmallIntegerField(_("版本"))
    data = models.JSONField(_("规则"))
    note = models.CharField(_("说明"), max_length=300, blank=True)
    meeting_number = models.CharField(_("会议编号"), max_length=60, blank=True)
    adopted_on = models.DateField(_("通过日"), null=True, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("制定时间"), auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("录取规则")
        ordering = ["level", "name", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name", "number"], name="rule_set_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"


class SeasonQuerySet(models.QuerySet["Season"]):
    def visible_to(self, actor: Actor) -> "SeasonQuerySet":
        """Seasons of the actor's authority for staff; what is announced for everybody."""
        if any(actor.can(p) for p in (Permission.SEASON, Permission.SEE, Permission.FIGURES)):
            return self
        return self.announced()

    def announced(self) -> "SeasonQuerySet":
        """Seasons that families know of."""
        return self.exclude(state=Season.State.PREPARING)


class Season(models.Model):
    """One year's admission to one level.

    Days follow each other: opens, closes, faults until, result, confirm until, arrival.  `state` only
    goes forward, by services/seasons.py.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    class State(models.TextChoices):
        PREPARING = "preparing", _("筹备中")
        OPEN = "open", _("登记中")
        CHECKING = "checking", _("核验中")
        FROZEN = "frozen", _("名册已封存")
        DRAWN = "drawn", _("已抽签")
        ALLOCATED = "allocated", _("已分配")
        PUBLISHED = "published", _("已公布")
        FINISHED = "finished", pgettext_lazy("season", "已结束")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="seasons")
    year = models.PositiveSmallIntegerField(_("年份"))
    level = models.CharField(_("学段"), max_length=12, choices=LEVELS)
    title = models.CharField(_("名称"), max_length=120)
    state = models.CharField(_("阶段"), max_length=10, choices=State, default=State.PREPARING)
    mechanism = models.CharField(
        _("分配方式"),
        max_length=24,
        default="deferred_acceptance",
        choices=[
            ("deferred_acceptance", _("按志愿和位次（延迟录取）")),
            ("immediate_acceptance", _("志愿优先")),
            ("serial", _("按位次依次选")),
        ],
    )
    rule_set = models.ForeignKey(
        RuleSet, models.PROTECT, null=True, blank=True, related_name="seasons"
    )
    opens_at = models.DateTimeField(_("开始登记"), null=True, blank=True)
    closes_at = models.DateTimeField(_("截止登记"), null=True, blank=True)
    faults_until = models.DateField(_("补正截止"), null=True, blank=True)
    result_on = models.DateField(_("公布结果"), null=True, blank=True)
    confirm_until = models.DateField(_("确认截止"), null=True, blank=True)
    arrival_on = models.DateField(_("报到日"), null=True, blank=True)
    register_by = models.DateField(_("户籍认定截止日"), null=True, blank=True)
    guide = models.TextField(_("办事指南"), blank=True)
    phone = models.CharField(_("咨询电话"), max_length=40, blank=True)
    copied_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar = SeasonQuerySet.as_manager()

    class Meta:
        verbose_name = _("招生批次")
        ordering = ["-year", "level"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "year", "level"], name="season_once"),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True)
                | Q(closes_at__isnull=True)
                | Q(closes_at__gt=F("opens_at")),
                name="season_forward",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def takes_applications(self, now: dt.datetime | None = None) -> bool:
        """Whether a family may submit at this moment: from opening up to the very end of closing."""
        now = now or timezone.now()
        if self.state != self.State.OPEN or not self.opens_at or not self.closes_at:
            return False
        return self.opens_at <= now <= self.closes_at


class Intake(models.Model):
    """A school in a season: how many places, for whom.

    ZONE: the children of its service area by the ladder.  CHOICE: whoever puts it on the list (private
    schools, kindergartens); `draw_when_over` says that there only the draw decides.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    class Mode(models.TextChoices):
        ZONE = "zone", _("按服务区")
        CHOICE = "choice", _("按志愿")

    season = models.ForeignKey(Season, models.CASCADE, related_name="intakes")
    school = models.ForeignKey(Organisation, models.PROTECT, related_name="intakes")
    places = models.PositiveSmallIntegerField(_("计划学位"))
    mode = models.CharField(_("方式"), max_length=8, choices=Mode, default=Mode.ZONE)
    draw_when_over = models.BooleanField(_("超额摇号"), default=False)
    classes = models.PositiveSmallIntegerField(_("计划班数"), default=1)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("招生计划")
        ordering = ["season", "school__order"]
        constraints = [models.UniqueConstraint(fields=["season", "school"], name="intake_once")]

    def __str__(self) -> str:
        return f"{self.season_id} {self.school_id}"


class Redirection(models.Model):
    """Where children go whom a full school cannot take: first rank first."""

    SENSITIVE_FIELDS: ClassVar = ()

    intake = models.ForeignKey(Intake, models.CASCADE, related_name="redirections")
    target = models.ForeignKey(Intake, models.CASCADE, related_name="+")
    rank = models.PositiveSmallIntegerField(_("顺序"))

    class Meta:
        verbose_name = _("分流顺序")
        ordering = ["intake", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["intake", "rank"], name="redirection_rank_once"),
            models.UniqueConstraint(fields=["intake", "target"], name="redirection_target_once"),
            models.CheckConstraint(condition=~Q(intake=F("target")), name="redirection_elsewhere"),
        ]

    def __str__(self) -> str:
        return f"{self.intake_id} > {self.target_id}"


class ReservedEntry(models.Model):
    """A child on a list that a department handed in (military, martyrs, talents ...): no self-declaring."""

    SENSITIVE_FIELDS: ClassVar = ("list_code", "id_number", "name")

    season = models.ForeignKey(Season, models.CASCADE, related_name="reserved")
    list_code = models.CharField(_("照顾类别"), max_length=20)
    department = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(_("姓名"), max_length=60)
    id_number = SealedField(_("证件号码"))
    handed_in_on = models.DateField(_("报送日"))

    class Meta:
        verbose_name = _("政策照顾名单")
        constraints = [
            models.UniqueConstraint(
                fields=["season", "list_code", "id_number"], name="reserved_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.season_id} {self.list_code}"


class DwellingLock(models.Model):
    """A dwelling that has given a family its place: closed to others until a year, open to siblings."""

    SENSITIVE_FIELDS: ClassVar = ("pupil",)

    dwelling = models.ForeignKey(Dwelling, models.PROTECT, related_name="locks")
    school = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    pupil = models.ForeignKey(Pupil, models.PROTECT, related_name="+")
    from_year = models.PositiveSmallIntegerField(_("起始年"))
    until_year = models.PositiveSmallIntegerField(_("解锁年"))

    class Meta:
        verbose_name = _("住房学位锁定")
        ordering = ["-from_year"]
        constraints = [
            models.UniqueConstraint(fields=["dwelling", "pupil"], name="dwelling_lock_once"),
            models.CheckConstraint(
                condition=Q(until_year__gte=F("from_year")), name="dwelling_lock_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dwelling_id} {self.from_year}-{self.until_year}"

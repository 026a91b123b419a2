"""Plan periods of several years: goals, and their figures by year, which are only ever added to."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models.supervising import of_bureau
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User


class PlanPeriodQuerySet(models.QuerySet["PlanPeriod"]):
    def visible_to(self, actor: Actor) -> "PlanPeriodQuerySet":
        """Periods of the bureaus that the actor may see, as plans are seen."""
        if not actor.can(Permission.SEE):
            return self.none()
        return self.filter(of_bureau(actor, Permission.SEE))


class PlanPeriod(models.Model):
    """A planning period, both years included."""

    SENSITIVE_FIELDS: ClassVar = ()

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    title = models.CharField(pgettext_lazy("period", "规划期名称"), max_length=60)
    first_year = models.PositiveSmallIntegerField(_("起始年"))
    last_year = models.PositiveSmallIntegerField(_("结束年"))

    objects: ClassVar = PlanPeriodQuerySet.as_manager()

    class Meta:
        verbose_name = _("规划期")
        ordering = ["-first_year", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "first_year"], name="one_period_per_first_year"
            ),
            models.CheckConstraint(
                condition=Q(last_year__gte=F("first_year")), name="period_years_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PeriodGoalQuerySet(models.QuerySet["PeriodGoal"]):
    def visible_to(self, actor: Actor) -> "PeriodGoalQuerySet":
        """Goals of visible periods."""
        return self.filter(period__in=PlanPeriod.objects.visible_to(actor))


class PeriodGoal(models.Model):
    """What a period wants to reach: measured by an indicator of the program, or kept by hand."""

    SENSITIVE_FIELDS: ClassVar = ()

    period = models.ForeignKey(PlanPeriod, models.PROTECT, related_name="goals")
    title = models.CharField(_("规划目标"), max_length=120)
    unit = models.CharField(_("单位"), max_length=20)
    indicator = models.CharField(_("系统指标"), max_length=60, blank=True)
    higher_is_better = models.BooleanField(_("越高越好"), default=True)
    base_value = models.FloatField(_("基期值"), null=True, blank=True)
    base_source = models.CharField(_("基期值来源"), max_length=200, blank=True)

    objects: ClassVar = PeriodGoalQuerySet.as_manager()

    class Meta:
        verbose_name = _("规划目标")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(base_value=None) | ~Q(base_source=""), name="period_base_has_source"
            )
        ]

    def __str__(self) -> str:
        return self.title


class FigureKind(models.TextChoices):
    TARGET = "target", _("年度目标值")
    ACTUAL = "actual", _("实际值")


class GoalFigure(models.Model):
    """A target or an actual of one year.  The newest of a year counts, the others are its history."""

    SENSITIVE_FIELDS: ClassVar = ()

    goal = models.ForeignKey(PeriodGoal, models.PROTECT, related_name="figures")
    year = models.PositiveSmallIntegerField(_("年份"))
    kind = models.CharField(_("类别"), max_length=8, choices=FigureKind)
    value = models.FloatField(pgettext_lazy("figure", "数值"))
    source = models.CharField(_("来源或调整理由"), max_length=200)
    break_note = models.CharField(_("口径变化说明"), max_length=200, blank=True)
    set_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField(_("登记时间"))

    class Meta:
        verbose_name = _("规划数值")
        ordering = ["goal", "year", "id"]

    def __str__(self) -> str:
        return f"{self.goal_id} {self.year}"

"""Policy parameters and the calendar of working days."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Certainty(models.TextChoices):
    """How sure we are that a parameter is what the law or the superior office says."""

    CONFIRMED = "confirmed", _("已核实")
    UNCONFIRMED = "unconfirmed", _("待确认")
    LOCAL = "local", _("本局规定")


class Parameter(models.Model):
    """One value of a policy parameter over a span of days.

    Shipped values come from the systems' parameters/*.yaml (`owner` empty); a bureau's own value
    carries its organisation code in `owner`, a reason, and wins on the days that both cover.
    """

    key = models.CharField(_("参数"), max_length=100)
    owner = models.CharField(_("制定单位代码"), max_length=32, blank=True)
    value = models.JSONField(pgettext_lazy("parameter", "取值"))
    label = models.CharField(_("名称"), max_length=200)
    label_en = models.CharField(_("英文名称"), max_length=200)
    unit = models.CharField(_("单位"), max_length=40, blank=True)
    valid_from = models.DateField(_("起始日"))
    valid_to = models.DateField(_("截止日"), null=True, blank=True)
    source = models.CharField(_("依据"), max_length=300)
    certainty = models.CharField(_("把握程度"), max_length=12, choices=Certainty)
    reason = models.CharField(_("调整理由"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("政策参数")
        ordering = ["key", "owner", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "owner", "valid_from"], name="parameter_once_per_day"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="parameter_span_forward",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_list(self) -> bool:
        """Whether the value is a code list."""
        return isinstance(self.value, list)


class CalendarDay(models.Model):
    """A day whose status differs from, or confirms, the Monday-to-Friday rule."""

    day = models.DateField(_("日期"), primary_key=True)
    working = models.BooleanField(_("工作日"))
    name = models.CharField(_("名称"), max_length=60, blank=True)
    provisional = models.BooleanField(_("暂定"), default=False)
    source = models.CharField(_("依据"), max_length=200)

    class Meta:
        verbose_name = _("工作日历")
        ordering = ["day"]

    def __str__(self) -> str:
        return self.day.isoformat()

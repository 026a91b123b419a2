"""Readings: what an indicator said, for whom, over which period, as of which day."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.indicators.definitions import INDICATORS, Indicator


class ReadingQuerySet(models.QuerySet["Reading"]):
    def newest(self, organisation_id: int, period_from: dt.date) -> dict[str, "Reading"]:
        """Indicator key -> newest reading of an organisation for the period that begins on a day."""
        rows = (
            self.filter(organisation=organisation_id, period_from=period_from)
            .order_by("indicator", "-as_of")
            .distinct("indicator")
        )
        return {row.indicator: row for row in rows}


class Reading(models.Model):
    """One figure with everything needed to print it and to repeat it."""

    indicator = models.CharField(_("指标"), max_length=60)
    definition_version = models.PositiveIntegerField(_("口径版本"))
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    period_from = models.DateField(_("期初"))
    period_to = models.DateField(_("期末"))
    as_of = models.DateField(_("截至"))
    numerator = models.BigIntegerField(_("分子"))
    denominator = models.BigIntegerField(_("分母"), null=True)
    value = models.FloatField(pgettext_lazy("figure", "数值"), null=True)
    computed_at = models.DateTimeField(_("计算时间"))

    objects: ClassVar = ReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("指标读数")
        ordering = ["indicator", "as_of"]
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "organisation", "period_from", "period_to", "as_of"],
                name="one_reading_per_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.indicator} {self.as_of}"

    @property
    def definition(self) -> Indicator:
        """The declaration of the indicator."""
        return INDICATORS[self.indicator]

    @property
    def suppressed(self) -> bool:
        """Too few rows to be shown."""
        rows = self.numerator if self.denominator is None else self.denominator
        return rows < self.definition.min_cell

    @property
    def shown(self) -> float | None:
        """The value as it may be displayed, rounded as the indicator declares."""
        if self.value is None or self.suppressed:
            return None
        return round(self.value, self.definition.decimals)

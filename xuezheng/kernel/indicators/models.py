"""Readings, the snapshots known here, and what districts send to a province.

A reading says what an indicator said, for whom, over which period, as of which day.
"""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.indicators.access import Permission
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


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    def visible_to(self, actor: Actor) -> "SnapshotQuerySet":
        """That a snapshot exists says nothing of any school; its figures are narrowed when opened."""
        return self if actor.can(Permission.SEE) else self.none()


class Snapshot(models.Model):
    """A snapshot in this installation's folder: enough to list it and to notice an alteration."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    folder = models.CharField(max_length=120, unique=True)
    digest = models.CharField(_("摘要"), max_length=64, unique=True)
    year = models.PositiveIntegerField(_("年度"))
    as_of = models.DateField(_("截至"))
    taken_on = models.DateField(_("取数日"))
    counts = models.JSONField(_("各表行数"))
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("生成时间"))

    objects: ClassVar = SnapshotQuerySet.as_manager()

    class Meta:
        verbose_name = _("数据快照")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.folder

    @property
    def rows(self) -> int:
        """Rows of all views together."""
        return sum(self.counts.values())


class TrustedKey(models.Model):
    """The public key with which a district signs its bundles, from a moment, perhaps to a moment."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="bundle_keys")
    public_key = models.CharField(max_length=64)
    fingerprint = models.CharField(_("公钥指纹"), max_length=64, unique=True)
    trusted_at = models.DateTimeField(_("登记时间"))
    withdrawn_at = models.DateTimeField(_("停用时间"), null=True)

    class Meta:
        verbose_name = _("区县公钥")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_trusted_key",
            )
        ]

    def __str__(self) -> str:
        return self.fingerprint[:16]


class BundleQuerySet(models.QuerySet["Bundle"]):
    def visible_to(self, actor: Actor) -> "BundleQuerySet":
        """Bundles of the districts in the actor's scope."""
        return self.filter(organisation__within=actor.scope(Permission.SEE_PROVINCE).organisations)


class Bundle(models.Model):
    """A district's bundle that was taken: readings became Readings, the sums of facts stay here.

    `facts`: list of {view, org, rows, sums}; groups too small to be told are not in it.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="bundles")
    serial = models.BigIntegerField(_("数据包序号"))
    as_of = models.DateField(_("截至"))
    made_at = models.DateTimeField(_("生成时间"))
    digest = models.CharField(_("摘要"), max_length=64, unique=True)
    key = models.ForeignKey(TrustedKey, models.PROTECT, related_name="+")
    readings = models.PositiveIntegerField(_("读数"))
    facts = models.JSONField(default=list)
    taken_at = models.DateTimeField(_("接收时间"))

    objects: ClassVar = BundleQuerySet.as_manager()

    class Meta:
        verbose_name = _("区县数据包")
        ordering = ["-serial"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "serial"], name="bundle_once")
        ]

    def __str__(self) -> str:
        return str(self.serial)

"""Systems switched on school by school, and names of units as other programs write them."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.models import Organisation, User


class SystemSwitch(models.Model):
    """From when to when a unit works with a system.  A unit without a row works with it.

    `system` is the label of the system's app; `off_from` is the first day without it again; with
    neither day it has not been switched on yet.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    system = models.CharField(_("系统"), max_length=40)
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="switches")
    on_from = models.DateField(_("启用日"), null=True, blank=True)
    off_from = models.DateField(_("停用日"), null=True, blank=True)

    class Meta:
        verbose_name = _("系统启用")
        constraints = [
            models.UniqueConstraint(fields=["system", "organisation"], name="switch_once"),
            models.CheckConstraint(
                condition=Q(off_from__isnull=True) | Q(off_from__gt=F("on_from")),
                name="switch_forward",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.organisation_id}"

    def is_on(self, day: dt.date) -> bool:
        """Whether the unit works with the system on a day."""
        started = self.on_from is not None and self.on_from <= day
        return started and (self.off_from is None or day < self.off_from)


class SiteAlias(models.Model):
    """A unit's name as another program writes it, matched once by a person."""

    SENSITIVE_FIELDS: ClassVar = ()

    name = models.CharField(_("文件里的名称"), max_length=100, unique=True)
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="aliases")
    matched_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    matched_at = models.DateTimeField(_("指定时间"), auto_now=True)

    class Meta:
        verbose_name = _("单位别名")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

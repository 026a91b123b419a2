"""What the operator looks at: failures of jobs, and the backups that were made."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Failure(models.Model):
    """One attempt of a job that ended in an error.

    Kept without the error's message, which may hold somebody's data: `error` is its class, with the
    database's code where there is one, and `place` the line of this program that it came from.
    """

    job = models.BigIntegerField(_("任务编号"), db_index=True)
    task = models.CharField(_("任务"), max_length=128)
    at = models.DateTimeField(_("时间"), db_default=Now())
    error = models.CharField(_("错误"), max_length=160)
    place = models.CharField(_("出错处"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("任务失败")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.job} {self.error}"


class Backup(models.Model):
    """A backup that was completed.  `folder` is its name, not where it lies."""

    at = models.DateTimeField(_("完成时间"), db_default=Now())
    folder = models.CharField(_("名称"), max_length=80)
    size = models.PositiveBigIntegerField(_("字节数"))
    manifest = models.CharField(_("清单校验值"), max_length=64)

    class Meta:
        verbose_name = _("备份")
        ordering = ["at"]

    def __str__(self) -> str:
        return self.folder

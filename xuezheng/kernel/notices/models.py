"""A notice to one person."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import User


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, actor: Actor) -> "NoticeQuerySet":
        """The person's own."""
        return self.filter(user=actor.user) if actor.user else self.none()

    def unread(self) -> "NoticeQuerySet":
        """Not yet opened."""
        return self.filter(read_at__isnull=True)


class Notice(models.Model):
    """What one person is told.  `key` names the occasion: a person hears of it once, whatever is retried."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    key = models.CharField(max_length=80)
    title = models.CharField(_("通知"), max_length=120)
    path = models.CharField(_("去办理"), max_length=200, blank=True)
    at = models.DateTimeField(_("时间"))
    read_at = models.DateTimeField(_("已读时间"), null=True)
    sent_at = models.DateTimeField(_("发出时间"), null=True)

    objects: ClassVar = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("通知")
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notice_once")]
        indexes = [
            models.Index(
                fields=["at"], condition=models.Q(sent_at__isnull=True), name="notice_unsent"
            )
        ]

    def __str__(self) -> str:
        return self.key

"""A notice to one person, the texts that carry it outside, and where a person wants them."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import SealedField
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
    # To be carried to the person's telephone at once, not with the next digest.
    urgent = models.BooleanField(default=False, editable=False)
    # Handed to the channels; stays empty for what only the digest speaks of.
    sent_at = models.DateTimeField(_("发出时间"), null=True)

    objects: ClassVar = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("通知")
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notice_once")]
        indexes = [
            models.Index(
                fields=["at"],
                condition=models.Q(urgent=True, sent_at__isnull=True),
                name="notice_to_send",
            ),
            models.Index(
                fields=["user"], condition=models.Q(read_at__isnull=True), name="notice_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Contact(models.Model):
    """Where a person wants to be reached.  Without a row: by SMS, when a telephone is known.

    The telephone itself is not here: accounts and the registry keep it.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="contact")
    email = SealedField(_("电子邮箱"), null=True, blank=True)
    chat_id = SealedField(_("工作群账号"), null=True, blank=True)
    by_sms = models.BooleanField(_("短信"), default=True)
    by_mail = models.BooleanField(_("邮件"), default=True)
    by_chat = models.BooleanField(_("工作群"), default=True)

    class Meta:
        verbose_name = _("消息提醒方式")

    def __str__(self) -> str:
        return str(self.user_id)


class Delivery(models.Model):
    """One text to one person by one channel.  `key` names it, so that no retry makes a second one.

    The text holds nothing personal, and no address stands here: it is looked up when it is sent.
    `next_at` is when it is tried (again); it ends with `sent_at` or `gave_up_at`.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    channel = models.CharField(max_length=8)
    key = models.CharField(max_length=40)
    text = models.CharField(max_length=200)
    path = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    next_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    gave_up_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("外发消息")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "channel", "key"], name="delivery_once")
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=models.Q(sent_at__isnull=True, gave_up_at__isnull=True),
                name="delivery_open",
            ),
            models.Index(fields=["key"], name="delivery_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.key}"

"""Audit entries and the seals over them.  The web role may add entries, never change them."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.models import Organisation, Post, User


class CurrentTransaction(models.Func):
    """The id of the running transaction, as text (xid8 has no Django field)."""

    template = "(pg_current_xact_id()::text)::numeric"
    output_field = models.DecimalField(max_digits=20, decimal_places=0)


class Seal(models.Model):
    """A sealed batch: the hash over the previous seal's hash and the batch's canonical text."""

    count = models.PositiveIntegerField(_("条数"))
    previous = models.CharField(_("上一封存值"), max_length=64)
    digest = models.CharField(_("封存值"), max_length=64)
    sealed_at = models.DateTimeField(_("封存时间"))

    class Meta:
        verbose_name = _("审计封存")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.id} {self.digest[:12]}"


class Entry(models.Model):
    """One act.  `detail` holds codes, numbers and dates only: nothing personal, no free text."""

    at = models.DateTimeField(_("时间"), db_default=Now())
    transaction = models.DecimalField(
        max_digits=20, decimal_places=0, db_default=CurrentTransaction(), editable=False
    )
    actor = models.CharField(_("执行者"), max_length=80)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    post = models.ForeignKey(Post, models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    action = models.CharField(_("动作"), max_length=60)
    object_type = models.CharField(_("对象类别"), max_length=40, blank=True)
    object_id = models.CharField(_("对象编号"), max_length=64, blank=True)
    reason = models.CharField(_("理由"), max_length=300, blank=True)
    detail = models.JSONField(_("细节"), default=dict)
    seal = models.ForeignKey(Seal, models.PROTECT, null=True, related_name="entries")

    class Meta:
        verbose_name = _("审计记录")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(
                fields=["id"], condition=models.Q(seal__isnull=True), name="audit_unsealed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"

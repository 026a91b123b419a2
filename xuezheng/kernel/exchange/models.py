"""A file on its way in, and the sealed pieces of it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import SealedField
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.exchange.table import Table, tables


class State(models.TextChoices):
    """Where a batch stands."""

    READING = "reading", _("正在读取")
    UNREADABLE = "unreadable", _("读不出来")
    READY = "ready", _("待确认")
    CONFIRMED = "confirmed", _("正在写入")
    APPLIED = "applied", _("已写入")
    UNDOING = "undoing", _("正在撤销")
    UNDONE = "undone", _("已撤销")
    CANCELLED = "cancelled", _("已放弃")


#: A worker is at it, or will be.
BUSY = (State.READING, State.CONFIRMED, State.UNDOING)


class Mode(models.TextChoices):
    """What is written when some rows are wrong."""

    ALL = "all", _("有一行不对就都不写")
    VALID = "valid", _("只写没有错误的行")


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, actor: Actor) -> "BatchQuerySet":
        """Batches of lists that the actor may import: their own, and those of units in their scope."""
        seen = Q(pk__in=[])
        for table in tables().values():
            if not actor.can(table.permission):
                continue
            scope = actor.scope(table.permission)
            own = Q(user=actor.user) if actor.user else Q(pk__in=[])
            reached = Q() if scope.everything else Q(organisation__within=scope.organisations) | own
            seen |= Q(table=table.key) & reached
        return self.filter(seen)


class Batch(models.Model):
    """One uploaded file.  Its rows lie in sealed parts, which are purged after a time.

    `organisation` is the unit whose list it is; empty when the person acts for several.
    """

    SENSITIVE_FIELDS: ClassVar = ("file_name",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    table = models.CharField(_("名册"), max_length=40)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    file_name = models.CharField(_("文件名"), max_length=200)
    language = models.CharField(max_length=10)
    opening = models.BooleanField(_("期初导入"), default=False)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.READING)
    mode = models.CharField(_("写入方式"), max_length=5, choices=Mode, blank=True)
    #: Why the file as a whole was not taken.
    refusal = models.CharField(max_length=400, blank=True)
    notices = models.JSONField(default=list)
    #: Names that stand for nothing known -> number of rows.
    unmatched = models.JSONField(default=dict)
    expected = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(pgettext_lazy("rows", "新增"), default=0)
    changed = models.PositiveIntegerField(pgettext_lazy("rows", "更改"), default=0)
    unchanged = models.PositiveIntegerField(pgettext_lazy("rows", "不变"), default=0)
    error = models.PositiveIntegerField(pgettext_lazy("rows", "错误"), default=0)
    #: Rows that an undo left as they are, because they were changed or referred to since.
    left = models.PositiveIntegerField(pgettext_lazy("rows", "未能撤销"), default=0)
    #: Changes with every start of the reading: a worker whose token is not this one stops.
    token = models.UUIDField(null=True)
    created_at = models.DateTimeField(_("上传时间"), auto_now_add=True)
    applied_at = models.DateTimeField(_("写入时间"), null=True)
    undone_at = models.DateTimeField(_("撤销时间"), null=True)
    purged_at = models.DateTimeField(null=True)

    objects: ClassVar = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("导入批次")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="batch_by_place"),
            models.Index(fields=["-created_at"], name="batch_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="batch_state_known")
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.created_at:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        """The batch's page."""
        return reverse("batch_detail", args=[self.pk])

    @property
    def spec(self) -> Table:
        """The declared table."""
        return tables()[self.table]

    @property
    def total(self) -> int:
        """Rows read so far."""
        return self.new + self.changed + self.unchanged + self.error

    @property
    def to_write(self) -> int:
        """Rows that would change something."""
        return self.new + self.changed

    @property
    def busy(self) -> bool:
        """Whether a worker is at it."""
        return self.state in BUSY


class Part(models.Model):
    """A sealed piece: of the file while it waits to be read, or up to 2,000 compared rows.

    Counts by outcome let a page of one outcome open one or two parts only.
    """

    SENSITIVE_FIELDS: ClassVar = ("body",)

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="parts")
    of_file = models.BooleanField(default=False)
    number = models.PositiveIntegerField()
    body = SealedField(max_length=10_000_000)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    error = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("导入内容")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "of_file", "number"], name="part_once")
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.number}"

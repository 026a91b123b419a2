"""Pairs of rows that may be one person, and what was merged with what.  No names, only keys."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.models import User


class PersonKind(models.TextChoices):
    """Whose table the keys belong to."""

    PUPIL = "pupil", _("学生")
    GUARDIAN = "guardian", _("监护人")
    STAFF = "staff", _("教职工")


class DuplicatePair(models.Model):
    """Two live rows that may be one person, with a score of 0..100 and the signs it rests on."""

    SENSITIVE_FIELDS: ClassVar = ()

    class State(models.TextChoices):
        OPEN = "open", _("待判断")
        MERGED = "merged", _("已合并")
        DIFFERENT = "different", _("不是同一人")

    kind = models.CharField(_("类别"), max_length=8, choices=PersonKind)
    left = models.UUIDField()
    right = models.UUIDField()
    score = models.PositiveSmallIntegerField(_("相似度"))
    #: Signs: id, name, birth, guardian, sex, tail.
    signs = models.JSONField(_("依据"), default=list)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.OPEN)
    found_at = models.DateTimeField(_("发现时间"), auto_now_add=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("疑似重复")
        ordering = ["-score", "id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "left", "right"], name="pair_once"),
            models.CheckConstraint(condition=Q(left__lt=F("right")), name="pair_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.score}"


class PersonMerge(models.Model):
    """One row merged into another.  `moved` lists what was handed over: {model: [keys]}."""

    SENSITIVE_FIELDS: ClassVar = ()

    kind = models.CharField(_("类别"), max_length=8, choices=PersonKind)
    kept = models.UUIDField(db_index=True)
    dropped = models.UUIDField(db_index=True)
    moved = models.JSONField(default=dict)
    reason = models.CharField(_("理由"), max_length=200)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("时间"), auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("合并记录")
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}"

"""The draw of a school's new children into classes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models.seasons import Season
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import SealedField
from xuezheng.kernel.access.models import Organisation, User


class ClassDrawQuerySet(models.QuerySet["ClassDraw"]):
    def visible_to(self, actor: Actor) -> "ClassDrawQuerySet":
        """Those of the schools in scope."""
        return self.filter(school__within=actor.scope(Permission.SCHOOL).organisations)

    def published(self) -> "ClassDrawQuerySet":
        """Drawn and not void: what anybody may check."""
        return self.filter(drawn_at__isnull=False, void_reason="")


class ClassDraw(models.Model):
    """List and commitment first, then digits, then classes.  Only codes and strata; never changed after.

    `given`: {"classes", "children": [[code, stratum], ...], "together", "apart", "teachers"};
    `result`: {"classes": {code: number}, "teachers": {code: number}, "unmet": [[code, code], ...]};
    `together` and `apart` are groups of two or more codes.
    Teachers are named by the numbers of their posts.
    """

    SENSITIVE_FIELDS: ClassVar = ("secret",)

    season = models.ForeignKey(Season, models.PROTECT, related_name="class_draws")
    school = models.ForeignKey(Organisation, models.PROTECT, related_name="class_draws")
    given = models.JSONField()
    root = models.CharField(_("名单封存值"), max_length=64)
    commitment = models.CharField(_("密值承诺"), max_length=64)
    secret = SealedField()
    digits = models.CharField(_("现场数字"), max_length=60, blank=True)
    seed = models.CharField(_("种子"), max_length=64, blank=True)
    witnesses = models.CharField(_("见证"), max_length=200, blank=True)
    result = models.JSONField(default=dict)
    sha256 = models.CharField(_("结果封存值"), max_length=64, blank=True)
    committed_at = models.DateTimeField(_("承诺时间"))
    committed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    drawn_at = models.DateTimeField(_("开出时间"), null=True)
    drawn_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    applied_at = models.DateTimeField(_("建班时间"), null=True)
    void_reason = models.CharField(_("作废理由"), max_length=300, blank=True)

    objects: ClassVar = ClassDrawQuerySet.as_manager()

    class Meta:
        verbose_name = _("阳光分班")
        ordering = ["-committed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["season", "school"],
                condition=Q(void_reason=""),
                name="one_class_draw_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.season_id} {self.school_id}"

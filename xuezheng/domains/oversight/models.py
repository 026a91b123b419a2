"""The hazard: what is wrong where, how grave, until when, since when put right."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.oversight.access import Permission
from xuezheng.domains.oversight.flows import HAZARD
from xuezheng.domains.oversight.rules import Grade
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import User
from xuezheng.kernel.cases.flows import Phase
from xuezheng.kernel.cases.models import Case

GRADES = [(Grade.GENERAL.value, _("一般隐患")), (Grade.MAJOR.value, _("重大事故隐患"))]


class HazardQuerySet(models.QuerySet["Hazard"]):
    def visible_to(self, actor: Actor) -> "HazardQuerySet":
        """Hazards of the organisations that the actor may see, and those the actor reported."""
        orgs = actor.scope(Permission.SEE).organisations
        seen = Q(case__organisation__within=orgs)
        if actor.user:
            seen |= Q(reported_by=actor.user)
        return self.filter(seen)

    def open(self) -> "HazardQuerySet":
        """Not yet closed or dismissed."""
        return self.exclude(case__phase=Phase.CLOSED)

    def overdue(self, day: dt.date) -> "HazardQuerySet":
        """Still to be put right although the term ended before the day."""
        return self.filter(state="rectifying", due_on__lt=day)


class Hazard(models.Model):
    """A hazard; its case carries number, organisation, clock and moves."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="hazard")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in HAZARD.states.items()]
    )
    category = models.CharField(_("隐患类别"), max_length=24)
    place = models.CharField(_("部位"), max_length=80)
    description = models.TextField(_("情况"), max_length=1000)
    immediate_danger = models.BooleanField(_("有现实危险"), default=False)
    reported_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reported_on = models.DateField(_("上报日"))
    grade = models.CharField(_("等级"), max_length=10, choices=GRADES, blank=True)
    stop_use = models.BooleanField(_("停止使用"), default=False)
    supervised = models.BooleanField(_("挂牌督办"), default=False)
    due_on = models.DateField(_("整改期限"), null=True, blank=True)
    rectified_on = models.DateField(_("整改完成日"), null=True, blank=True)
    closed_on = models.DateField(_("销号日"), null=True, blank=True)

    objects: ClassVar = HazardQuerySet.as_manager()

    class Meta:
        verbose_name = _("隐患")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(HAZARD.states)), name="hazard_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["reported", "dismissed"])
                | (Q(due_on__isnull=False) & ~Q(grade="")),
                name="hazard_graded_has_term",
            ),
            models.CheckConstraint(
                condition=~Q(state="closed")
                | (Q(rectified_on__isnull=False) & Q(closed_on__gte=F("rectified_on"))),
                name="hazard_closed_after_rectified",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_on"], name="hazard_state_due"),
        ]

    def __str__(self) -> str:
        return self.case.number

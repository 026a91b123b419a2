"""Rounds: who reports on what for a month or a quarter; stand-ins; what outside units answer."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import CLOSING, ROUND
from xuezheng.domains.workplan.models.plan import CAUSES, LIGHTS, Commitment, Plan
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case


class RoundQuerySet(models.QuerySet["Round"]):
    def visible_to(self, actor: Actor) -> "RoundQuerySet":
        """Rounds of visible plans."""
        return self.filter(plan__in=Plan.objects.visible_to(actor))

    def open(self) -> "RoundQuerySet":
        """Whose reports are out and which the plan office has not ended."""
        return self.filter(opened_at__isnull=False, closed_at__isnull=True)


class Round(models.Model):
    """The reports on a plan for a period: from when they may be filled and when they are due.

    The lights of the round are those at the end of `ends_on`, read from the kept history.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="rounds")
    months = models.PositiveSmallIntegerField(_("月数"))
    starts_on = models.DateField(_("期间起"))
    ends_on = models.DateField(_("期间止"))
    opens_on = models.DateField(_("开始填报"))
    closes_on = models.DateField(_("填报截止"))
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("填报轮次")
        ordering = ["-ends_on"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "ends_on"], name="round_once"),
            models.CheckConstraint(
                condition=Q(starts_on__lt=F("ends_on")) & Q(opens_on__lte=F("closes_on")),
                name="round_days_in_order",
            ),
            models.CheckConstraint(condition=Q(months__in=(1, 3)), name="round_month_or_quarter"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The period in words."""
        if self.months == 3:
            words = _("%(year)d年第%(n)d季度")
            return words % {"year": self.ends_on.year, "n": (self.ends_on.month + 2) // 3}
        return _("%(year)d年%(n)d月") % {"year": self.ends_on.year, "n": self.ends_on.month}

    @property
    def phase(self) -> str:
        """The phase as the pages colour it."""
        if self.closed_at:
            return "closed"
        return "acting" if self.opened_at else "draft"

    def get_absolute_url(self) -> str:
        """The overview of offices."""
        return reverse("round_detail", args=[self.pk])


class RoundReportQuerySet(models.QuerySet["RoundReport"]):
    def visible_to(self, actor: Actor) -> "RoundReportQuerySet":
        """Reports on visible plans, and those that the actor's own office owes."""
        owed = actor.scope(Permission.REPORT).organisations
        seen = Q(round__plan__in=Plan.objects.visible_to(actor))
        return self.filter(seen | Q(case__organisation__within=owed))

    def late(self, today: dt.date) -> "RoundReportQuerySet":
        """Handed on by the office after the last day, or not yet though that day has passed."""
        never = Q(handed_on__isnull=True, round__closes_on__lt=today)
        return self.filter(Q(handed_on__gt=F("round__closes_on")) | never)


class RoundReport(models.Model):
    """What the lead office says about one commitment in one round.

    `carried` is last round's text; light and figures are those at the opening, which the report
    need not repeat.  `handed_on` is the day on which it first left the office; `returned` counts how
    often the plan office sent it back.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="round_report")
    round = models.ForeignKey(Round, models.CASCADE, related_name="reports")
    commitment = models.ForeignKey(Commitment, models.CASCADE, related_name="round_reports")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in ROUND.states.items()]
    )
    text = models.TextField(_("进展"), blank=True)
    carried = models.TextField(_("上期进展"), blank=True)
    unchanged = models.BooleanField(_("无变化"), default=False)
    light = models.CharField(_("亮灯"), max_length=8, choices=LIGHTS)
    cause = models.CharField(_("亮灯原因"), max_length=16, choices=CAUSES)
    figures = models.JSONField(_("系统数据"), default=list)
    handed_on = models.DateField(_("报出日"), null=True, blank=True)
    returned = models.PositiveIntegerField(_("退回次数"), default=0)

    objects: ClassVar = RoundReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("进展填报")
        ordering = ["round", "commitment__order"]
        constraints = [
            models.UniqueConstraint(fields=["round", "commitment"], name="round_report_once"),
            models.CheckConstraint(
                condition=Q(state__in=list(ROUND.states)), name="round_report_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | ~Q(text=""), name="round_report_says_something"
            ),
        ]
        indexes = [
            # What is being worked on is a hundredth of what five years leave behind.
            models.Index(
                fields=["state", "round"],
                condition=~Q(state__in=["accepted", "missed"]),
                name="round_report_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.round_id} {self.commitment_id}"

    def is_late(self, today: dt.date) -> bool:
        """As `late` of the queryset, for one row."""
        return (self.handed_on or today) > self.round.closes_on


class StandInQuerySet(models.QuerySet["StandIn"]):
    def visible_to(self, actor: Actor) -> "StandInQuerySet":
        """Those of the offices whose rounds the actor sees."""
        return self.filter(organisation__within=actor.scope(Permission.SEE).organisations)

    def on(self, day: dt.date) -> "StandInQuerySet":
        """In force on a day."""
        return self.filter(starts_on__lte=day, ends_on__gte=day)


class StandIn(models.Model):
    """Whoever acts for another from a day to a day (A/B post); what they do is marked as such."""

    SENSITIVE_FIELDS: ClassVar = ()

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    absent = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("A岗（本人）")
    )
    deputy = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("B岗（代办）")
    )
    starts_on = models.DateField(_("自"))
    ends_on = models.DateField(_("至"))
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects: ClassVar = StandInQuerySet.as_manager()

    class Meta:
        verbose_name = _("AB岗")
        ordering = ["-ends_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")), name="stand_in_days_in_order"
            ),
            models.CheckConstraint(condition=~Q(absent=F("deputy")), name="stand_in_is_another"),
        ]

    def __str__(self) -> str:
        return f"{self.absent_id} {self.deputy_id}"


class OutsideRequestQuerySet(models.QuerySet["OutsideRequest"]):
    def visible_to(self, actor: Actor) -> "OutsideRequestQuerySet":
        """About visible reports."""
        return self.filter(report__in=RoundReport.objects.visible_to(actor))


class OutsideRequest(models.Model):
    """A question to a unit outside the bureau, answered once by a link without signing in.

    Only the hash of the link is kept.  `on_behalf` is whoever wrote the answer for the unit, which the
    pages say.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    report = models.ForeignKey(RoundReport, models.CASCADE, related_name="outside_requests")
    unit = models.CharField(_("局外单位"), max_length=60)
    question = models.CharField(_("请说明什么"), max_length=300)
    token_hash = models.CharField(max_length=64, unique=True)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(_("发出时间"))
    expires_at = models.DateTimeField(_("有效至"))
    answer = models.TextField(_("答复"), blank=True)
    answered_at = models.DateTimeField(_("答复时间"), null=True, blank=True)
    on_behalf = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects: ClassVar = OutsideRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("局外单位答复")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answer="")
                | Q(answered_at__isnull=False) & ~Q(answer=""),
                name="outside_answer_has_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.unit}"


class ClosingQuerySet(models.QuerySet["Closing"]):
    def visible_to(self, actor: Actor) -> "ClosingQuerySet":
        """About visible commitments, and those of the actor's own office."""
        owed = actor.scope(Permission.REPORT).organisations
        return self.filter(
            Q(commitment__in=Commitment.objects.visible_to(actor))
            | Q(case__organisation__within=owed)
        )


class Closing(models.Model):
    """An office's application to take a commitment off the list (销号), with evidence."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="closing")
    commitment = models.ForeignKey(Commitment, models.CASCADE, related_name="closings")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in CLOSING.states.items()]
    )
    statement = models.TextField(_("完成情况"))

    objects: ClassVar = ClosingQuerySet.as_manager()

    class Meta:
        verbose_name = _("销号申请")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(CLOSING.states)), name="closing_state_known"
            ),
            models.UniqueConstraint(
                fields=["commitment"],
                condition=Q(state__in=["applied", "checked"]),
                name="one_open_closing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.commitment_id} {self.state}"


class SheetReturnQuerySet(models.QuerySet["SheetReturn"]):
    def visible_to(self, actor: Actor) -> "SheetReturnQuerySet":
        """The person's own: a preview is for whoever sent the table back."""
        return self.filter(sent_by=actor.user) if actor.user else self.none()


class SheetReturn(models.Model):
    """A task table that came back from an office: what differs, until it is applied or given up.

    `cells` holds one object for each changed cell: code, column, base, now, new, and how it ended.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="sheet_returns")
    sent_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(_("上传时间"))
    cells = models.JSONField(default=list)
    remarks = models.JSONField(default=list)
    applied_at = models.DateTimeField(_("写入时间"), null=True, blank=True)

    objects: ClassVar = SheetReturnQuerySet.as_manager()

    class Meta:
        verbose_name = _("回传的任务表")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.sent_at:%Y-%m-%d}"

"""Milestones, extensions, lights with their history, versions of a plan."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import EXTENSION, MILESTONE
from xuezheng.domains.workplan.models.plan import CAUSES, LIGHTS, Commitment, Plan
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import User
from xuezheng.kernel.cases.models import Case


class MilestoneRole(models.TextChoices):
    """What a milestone is on its kind's path; `reference` holds the number that two of them need."""

    STEP = "step", _("节点")
    DRAFT = "draft", _("起草")
    COMMENTS = "comments", _("征求意见")
    LEGALITY = "legality", _("合法性审核")
    MEETING = "meeting", _("会议审议")
    ISSUED = "issued", _("印发")
    CHECK = "check", _("定期检查")
    RESULT = "result", _("评估结果")


#: Roles whose report must name a number: of the meeting, of the document, or the result itself.
NEEDS_REFERENCE = {
    MilestoneRole.MEETING: _("会议纪要编号"),
    MilestoneRole.ISSUED: _("文号"),
    MilestoneRole.RESULT: _("评估结论"),
}
DOCUMENT_PATH = (
    MilestoneRole.DRAFT,
    MilestoneRole.COMMENTS,
    MilestoneRole.LEGALITY,
    MilestoneRole.MEETING,
    MilestoneRole.ISSUED,
)


class MilestoneQuerySet(models.QuerySet["Milestone"]):
    def visible_to(self, actor: Actor) -> "MilestoneQuerySet":
        """Milestones of visible commitments, and those that the actor's own office owes."""
        owed = actor.scope(Permission.REPORT).organisations
        return self.filter(
            Q(commitment__in=Commitment.objects.visible_to(actor))
            | Q(case__organisation__within=owed)
        )

    def live(self) -> "MilestoneQuerySet":
        """Not withdrawn."""
        return self.exclude(state="withdrawn")

    def open(self) -> "MilestoneQuerySet":
        """Neither accepted nor withdrawn."""
        return self.exclude(state__in=["accepted", "withdrawn"])


class Milestone(models.Model):
    """A dated step of a commitment that its lead office reports and the plan office accepts."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="milestone")
    commitment = models.ForeignKey(Commitment, models.CASCADE, related_name="milestones")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in MILESTONE.states.items()]
    )
    role = models.CharField(
        _("环节"), max_length=10, choices=MilestoneRole, default=MilestoneRole.STEP
    )
    title = models.CharField(_("节点"), max_length=120)
    due_on = models.DateField(_("期限"))
    weight = models.PositiveIntegerField(_("权重"), default=1)
    done_on = models.DateField(_("完成日"), null=True, blank=True)
    reference = models.CharField(_("文号或结论"), max_length=80, blank=True)

    objects: ClassVar = MilestoneQuerySet.as_manager()

    class Meta:
        verbose_name = _("节点")
        ordering = ["due_on", "case_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(MILESTONE.states)), name="milestone_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(done_on__isnull=False),
                name="milestone_accepted_has_day",
            ),
            models.CheckConstraint(condition=Q(weight__gt=0), name="milestone_weight_positive"),
        ]

    def __str__(self) -> str:
        return self.title


class ExtensionQuerySet(models.QuerySet["Extension"]):
    def visible_to(self, actor: Actor) -> "ExtensionQuerySet":
        """Requests about visible milestones."""
        return self.filter(milestone__in=Milestone.objects.visible_to(actor))


class Extension(models.Model):
    """A request for more time, asked for before the due date and decided by a leader."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="extension")
    milestone = models.ForeignKey(Milestone, models.CASCADE, related_name="extensions")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in EXTENSION.states.items()]
    )
    old_due = models.DateField(_("原期限"))
    new_due = models.DateField(_("申请延至"))
    reason = models.CharField(_("理由"), max_length=500)

    objects: ClassVar = ExtensionQuerySet.as_manager()

    class Meta:
        verbose_name = _("延期申请")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(EXTENSION.states)), name="extension_state_known"
            ),
            models.CheckConstraint(condition=Q(new_due__gt=F("old_due")), name="extension_forward"),
            models.UniqueConstraint(
                fields=["milestone"], condition=Q(state="asked"), name="one_open_extension"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.milestone_id} {self.new_due}"


class LightChange(models.Model):
    """The light from a day on, why, and the figures at that moment; kept for ever."""

    SENSITIVE_FIELDS: ClassVar = ()

    commitment = models.ForeignKey(Commitment, models.CASCADE, related_name="lights")
    on = models.DateField(_("日期"))
    light = models.CharField(_("亮灯"), max_length=8, choices=LIGHTS)
    cause = models.CharField(_("原因"), max_length=16, choices=CAUSES)
    overridden = models.BooleanField(_("人工调整"), default=False)
    progress = models.FloatField(null=True)
    planned = models.FloatField(null=True)

    class Meta:
        verbose_name = _("亮灯记录")
        ordering = ["-on", "-id"]
        constraints = [models.UniqueConstraint(fields=["commitment", "on"], name="one_light_a_day")]

    def __str__(self) -> str:
        return f"{self.commitment_id} {self.on} {self.light}"


class LightOverride(models.Model):
    """A person's word over the computed light: with a reason, until a day, and shown as such."""

    SENSITIVE_FIELDS: ClassVar = ()

    commitment = models.ForeignKey(Commitment, models.CASCADE, related_name="overrides")
    light = models.CharField(_("调整为"), max_length=8, choices=LIGHTS)
    reason = models.CharField(_("理由"), max_length=300)
    until = models.DateField(_("有效至"))
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("调整时间"))
    ended_at = models.DateTimeField(_("撤回时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("亮灯调整")
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"{self.commitment_id} {self.light}"


class PlanVersion(models.Model):
    """What the plan was when adopted and after each amendment, and what the amendment changed."""

    SENSITIVE_FIELDS: ClassVar = ()

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("版本"))
    meeting_number = models.CharField(_("会议纪要编号"), max_length=60)
    reason = models.CharField(_("理由"), max_length=300, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("时间"))
    changes = models.JSONField(_("变更"), default=list)
    snapshot = models.JSONField(_("全文"), default=list)

    class Meta:
        verbose_name = _("计划版本")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} v{self.number}"

"""Plan, sections, commitments with targets and supports, milestones, extensions, lights, versions."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import EXTENSION, MILESTONE
from xuezheng.domains.workplan.rules import Cause, Kind, Light
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.files.models import StoredFile

KINDS = [
    (Kind.QUANTITY.value, _("量化指标")),
    (Kind.PROJECT.value, _("项目（节点）")),
    (Kind.DOCUMENT.value, _("制发文件")),
    (Kind.STANDING.value, _("常态工作")),
    (Kind.OUTSIDE.value, _("外部评估")),
]
LIGHTS = [
    (Light.RED.value, pgettext_lazy("light", "滞后")),
    (Light.YELLOW.value, pgettext_lazy("light", "预警")),
    (Light.GREEN.value, pgettext_lazy("light", "正常")),
    (Light.BLUE.value, pgettext_lazy("light", "完成")),
    (Light.GREY.value, pgettext_lazy("light", "未启动")),
]
CAUSES = [
    (Cause.ACCEPTED.value, _("已验收")),
    (Cause.NOT_STARTED.value, _("未到启动时间")),
    (Cause.NOT_MEASURED.value, _("尚无计量：相应系统还未接入")),
    (Cause.OVERDUE.value, _("有节点逾期")),
    (Cause.FAR_BEHIND.value, _("落后序时较多")),
    (Cause.BEHIND.value, _("落后序时")),
    (Cause.DUE_SOON.value, _("临近期限未完成")),
    (Cause.ON_PLAN.value, _("符合序时")),
    (Cause.TARGET_MISSED.value, _("指标低于目标较多")),
    (Cause.TARGET_NEAR.value, _("指标略低于目标")),
    (Cause.TARGET_MET.value, _("指标达到目标")),
]


class PlanQuerySet(models.QuerySet["Plan"]):
    def visible_to(self, actor: Actor) -> "PlanQuerySet":
        """Adopted plans of organisations in scope; drafts for those who edit them.

        Offices read the plan of the bureau above them, so for SEE the owner may also stand above.
        """
        editing = actor.scope(Permission.EDIT).organisations
        if not actor.can(Permission.SEE):
            return self.none()
        own = actor.scope(Permission.SEE).organisations
        above = Q(organisation__edges_down__child__within=own)
        seen = Q(organisation__within=own) | above
        return self.filter(
            Q(organisation__within=editing) | (seen & ~Q(status=Plan.Status.REVIEW))
        ).distinct()


class Plan(models.Model):
    """The work plan of an organisation for a year, with the source it was read from."""

    SENSITIVE_FIELDS: ClassVar = ()

    class Status(models.TextChoices):
        REVIEW = "review", _("审核中")
        ADOPTED = "adopted", _("执行中")
        CLOSED = "closed", _("已归档")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="plans")
    year = models.PositiveIntegerField(_("年度"))
    title = models.CharField(_("标题"), max_length=200)
    issuer = models.CharField(_("制定单位"), max_length=100, blank=True)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.REVIEW)
    source_text = models.TextField(_("原文"))
    source_file = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    imported_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    imported_at = models.DateTimeField(_("导入时间"))
    adopted_on = models.DateField(_("印发日"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("工作计划")
        ordering = ["-year", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "year"],
                condition=Q(status="adopted"),
                name="one_adopted_plan_a_year",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def phase(self) -> str:
        """The phase as the pages colour it."""
        return {"review": "draft", "adopted": "acting", "closed": "closed"}[self.status]

    @property
    def in_review(self) -> bool:
        """Whether it may be edited without an amendment."""
        return self.status == self.Status.REVIEW


class Section(models.Model):
    """A heading of the plan; `path` joins the numbers from the top, such as `一/（二）/2.`."""

    SENSITIVE_FIELDS: ClassVar = ()

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="sections")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    number = models.CharField(_("序号"), max_length=40, blank=True)
    title = models.CharField(_("标题"), max_length=300)
    path = models.CharField(max_length=300)
    level = models.PositiveSmallIntegerField()
    order = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("章节")
        ordering = ["plan", "order"]

    def __str__(self) -> str:
        return f"{self.number}{self.title}"


class ReviewItem(models.Model):
    """Something the importer was unsure of, until the officer has decided."""

    SENSITIVE_FIELDS: ClassVar = ()

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="review_items")
    section = models.ForeignKey(Section, models.SET_NULL, null=True, related_name="+")
    code = models.CharField(max_length=40)
    message = models.CharField(_("疑点"), max_length=400)
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    resolution = models.CharField(_("处理"), max_length=200, blank=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("待核事项")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.message


class CommitmentQuerySet(models.QuerySet["Commitment"]):
    def visible_to(self, actor: Actor) -> "CommitmentQuerySet":
        """Commitments of visible plans."""
        return self.filter(plan__in=Plan.objects.visible_to(actor))

    def live(self) -> "CommitmentQuerySet":
        """Not withdrawn by an amendment."""
        return self.filter(withdrawn=False)


class Commitment(models.Model):
    """One thing promised: what, by whom, how measured, until when.

    `start` and `end` are its place in the plan's source text.  `light` and the figures beside it are
    the newest computed ones, kept here so that a board is one query; `lights` holds the history.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="commitments")
    section = models.ForeignKey(Section, models.PROTECT, related_name="commitments")
    code = models.CharField(_("编号"), max_length=20)
    title = models.CharField(_("事项"), max_length=120)
    wording = models.TextField(_("原文表述"))
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    order = models.PositiveIntegerField()
    kind = models.CharField(_("类型"), max_length=10, choices=KINDS, default=Kind.STANDING)
    kind_reason = models.CharField(_("类型建议依据"), max_length=200, blank=True)
    leader = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("分管领导")
    )
    lead_office = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="led_commitments",
        verbose_name=_("牵头科室"),
    )
    handler = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("经办人")
    )
    system = models.CharField(_("承办系统"), max_length=24, blank=True)
    weight = models.PositiveIntegerField(_("权重"), default=1)
    start_on = models.DateField(_("开始日"), null=True, blank=True)
    due_on = models.DateField(_("完成期限"), null=True, blank=True)
    accepted_on = models.DateField(_("验收日"), null=True, blank=True)
    withdrawn = models.BooleanField(_("已撤销"), default=False)
    light = models.CharField(_("亮灯"), max_length=8, choices=LIGHTS, default=Light.GREY)
    light_order = models.PositiveSmallIntegerField(default=4)
    cause = models.CharField(
        _("亮灯原因"), max_length=16, choices=CAUSES, default=Cause.NOT_MEASURED
    )
    overridden = models.BooleanField(_("人工调整"), default=False)
    progress = models.FloatField(_("完成进度"), null=True)
    planned = models.FloatField(_("序时进度"), null=True)
    behind = models.FloatField(default=0)
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar = CommitmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("任务")
        ordering = ["plan", "order"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "code"], name="commitment_code_once"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="commitment_weight_positive"),
            models.CheckConstraint(
                condition=Q(start_on__isnull=True)
                | Q(due_on__isnull=True)
                | Q(due_on__gte=F("start_on")),
                name="commitment_span_forward",
            ),
        ]
        indexes = [
            models.Index(fields=["plan", "light_order", "-behind"], name="commitment_worst_first")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    def get_absolute_url(self) -> str:
        """The commitment's page."""
        return reverse("commitment_detail", args=[self.plan_id, self.code])


class CommitmentSupport(models.Model):
    """A supporting office and its own part."""

    SENSITIVE_FIELDS: ClassVar = ()

    commitment = models.ForeignKey(Commitment, models.CASCADE, related_name="supports")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name=_("配合单位")
    )
    part = models.CharField(_("负责部分"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("配合单位")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["commitment", "organisation"], name="support_once_each")
        ]

    def __str__(self) -> str:
        return f"{self.commitment_id} {self.organisation_id}"


COMPARATORS = [
    (">=", _("不低于")),
    ("<=", _("不高于")),
    ("=", _("等于")),
    ("+", pgettext_lazy("target", "提高")),
    ("-", pgettext_lazy("target", "下降")),
    ("range", _("介于")),
    ("~", _("约")),
]


class Target(models.Model):
    """A figure that was promised, bound to an indicator or honestly to none."""

    SENSITIVE_FIELDS: ClassVar = ()

    commitment = models.ForeignKey(Commitment, models.CASCADE, related_name="targets")
    text = models.CharField(_("表述"), max_length=200)
    value = models.DecimalField(_("目标值"), max_digits=16, decimal_places=4)
    high = models.DecimalField(_("上限"), max_digits=16, decimal_places=4, null=True, blank=True)
    unit = models.CharField(_("单位"), max_length=20)
    comparator = models.CharField(_("比较"), max_length=6, choices=COMPARATORS)
    strict = models.BooleanField(_("严格"), default=False)
    hedged = models.BooleanField(_("力争类"), default=False)
    baseline = models.DecimalField(
        _("基数"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    period = models.CharField(_("期间"), max_length=40, blank=True)
    indicator = models.CharField(_("对应指标"), max_length=60, blank=True)
    cumulative = models.BooleanField(_("年内累计"), default=False)
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = _("量化目标")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text

    @property
    def value_text(self) -> str:
        """The value without trailing zeros, or both ends of a range."""
        low = _plain(self.value)
        return f"{low}-{_plain(self.high)}" if self.high is not None else low


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


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

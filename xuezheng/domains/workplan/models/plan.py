"""Plan, sections, what the importer doubted, commitments with their supports and targets."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.rules import Cause, Kind, Light
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, OrganisationEdge, User
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
    (Cause.ACCEPTED.value, _("已销号")),
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
        # Asked for apart: joined, each plan would come once for every organisation below the bureau.
        above = OrganisationEdge.objects.filter(child__within=own).values("parent")
        seen = Q(organisation__within=own) | Q(organisation__in=above)
        return self.filter(Q(organisation__within=editing) | (seen & ~Q(status=Plan.Status.REVIEW)))


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
    accepted_on = models.DateField(_("销号日"), null=True, blank=True)
    withdrawn = models.BooleanField(_("已撤销"), default=False)
    carried_from = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="carried_to",
        verbose_name=_("上年任务"),
    )
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

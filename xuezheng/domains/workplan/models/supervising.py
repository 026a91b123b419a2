"""Where commitments come from, and the sheets by which the plan office supervises them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import SUPERVISION
from xuezheng.domains.workplan.models.carrying import Milestone
from xuezheng.domains.workplan.models.plan import Commitment, Plan
from xuezheng.domains.workplan.rules import Level
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, OrganisationEdge, User
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.files.models import StoredFile


def of_bureau(actor: Actor, permission: str) -> Q:
    """Rows of organisations in scope, and of those that stand above them."""
    own = actor.scope(permission).organisations
    # Asked for apart: joined, each row would come once for every organisation below the bureau.
    above = OrganisationEdge.objects.filter(child__within=own).values("parent")
    return Q(organisation__within=own) | Q(organisation__in=above)


class SourceKind(models.TextChoices):
    """What a commitment may answer besides the plan's own text."""

    DOCUMENT = "document", _("上级文件")
    MINUTES = "minutes", _("会议纪要")
    NOTE = "note", _("领导批示")
    PROPOSAL = "proposal", _("建议提案答复承诺")
    ASSESSMENT = "assessment", _("考核指标")
    LIVELIHOOD = "livelihood", _("民生实事")


class SourceQuerySet(models.QuerySet["Source"]):
    def visible_to(self, actor: Actor) -> "SourceQuerySet":
        """Sources of the bureaus that the actor may see, as plans are seen."""
        if not actor.can(Permission.SEE):
            return self.none()
        return self.filter(of_bureau(actor, Permission.SEE))


class Source(models.Model):
    """What gave rise to work: its number, its original, the commitments that answer it.

    A leader's note names the leader, and by `parent` the document that it was written on.  `draft` is
    the plan under review that minutes were read into, until its tasks are taken over.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(_("类别"), max_length=12, choices=SourceKind)
    number = models.CharField(pgettext_lazy("document", "文号或编号"), max_length=80, blank=True)
    title = models.CharField(_("标题"), max_length=200)
    issued_by = models.CharField(_("来文单位"), max_length=100, blank=True)
    dated_on = models.DateField(_("日期"))
    text = models.TextField(_("原文"), blank=True)
    file = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="notes")
    noted_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("批示领导")
    )
    commitments = models.ManyToManyField(Commitment, related_name="sources")
    draft = models.OneToOneField(Plan, models.SET_NULL, null=True, related_name="minutes")
    registered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    registered_at = models.DateTimeField(_("登记时间"))

    objects: ClassVar = SourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("任务来源")
        ordering = ["-dated_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="note") | Q(noted_by__isnull=False), name="note_has_leader"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}".strip()

    @property
    def is_spoken(self) -> bool:
        """A leader's note with a recording."""
        return (
            self.kind == SourceKind.NOTE
            and self.file is not None
            and self.file.media_type.startswith("audio/")
        )


LEVELS = [
    (Level.OFFICE.value, _("科室")),
    (Level.LEADER.value, _("分管领导")),
    (Level.DIRECTOR.value, _("局长")),
]


class SupervisionQuerySet(models.QuerySet["Supervision"]):
    def visible_to(self, actor: Actor) -> "SupervisionQuerySet":
        """Sheets to offices in scope, for those who see plans and those who answer them.

        What is only proposed is the plan office's and the leaders' own.
        """
        seen = actor.scope(Permission.SEE).organisations
        answered = actor.scope(Permission.REPORT).organisations
        inside = actor.scope(Permission.URGE).organisations
        return self.filter(
            Q(case__organisation__within=inside)
            | (
                (Q(case__organisation__within=seen) | Q(case__organisation__within=answered))
                & Q(serial__isnull=False)
            )
        )

    def open(self) -> "SupervisionQuerySet":
        """Neither filed nor withdrawn."""
        return self.exclude(state__in=["filed", "dismissed"])


class Supervision(models.Model):
    """A supervision sheet (督办单) to one office; its case carries organisation, clocks and moves.

    `serial` and `number` are given when it is issued, so that the year's numbers have no gaps.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    class Basis(models.TextChoices):
        COMMITMENT = "commitment", _("任务")
        MILESTONE = "milestone", _("节点")
        NOTE = "note", _("领导批示")
        MINUTES = "minutes", _("会议纪要")
        OTHER = "other", _("其他来源")

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="supervision")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in SUPERVISION.states.items()]
    )
    issuer = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    year = models.PositiveIntegerField(_("年度"))
    serial = models.PositiveIntegerField(null=True)
    number = models.CharField(_("督办编号"), max_length=40, blank=True)
    basis = models.CharField(_("督办依据"), max_length=12, choices=Basis)
    commitment = models.ForeignKey(
        Commitment, models.PROTECT, null=True, related_name="supervisions", verbose_name=_("任务")
    )
    milestone = models.ForeignKey(
        Milestone, models.PROTECT, null=True, related_name="supervisions", verbose_name=_("节点")
    )
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, related_name="supervisions", verbose_name=_("任务来源")
    )
    automatic = models.BooleanField(_("自动提出"), default=False)
    level = models.PositiveSmallIntegerField(_("督办层级"), choices=LEVELS, default=Level.OFFICE)
    note = models.TextField(_("督办事由"), max_length=1000)
    demand = models.TextField(_("办理要求"), max_length=1000, blank=True)
    due_on = models.DateField(_("办理期限"), null=True)
    asked_due = models.DateField(_("申请延至"), null=True)
    extended = models.PositiveSmallIntegerField(_("延期次数"), default=0)
    issued_on = models.DateField(_("签发日"), null=True)
    signed_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("签收人")
    )
    signed_at = models.DateTimeField(_("签收时间"), null=True)
    replied_on = models.DateField(_("回复日"), null=True)
    reply = models.TextField(_("办理回复"), blank=True)
    settled_on = models.DateField(_("办结日"), null=True)

    objects: ClassVar = SupervisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("督办单")
        ordering = ["-case_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(SUPERVISION.states)), name="supervision_state_known"
            ),
            models.UniqueConstraint(
                fields=["issuer", "year", "serial"], name="supervision_number_once"
            ),
            models.UniqueConstraint(
                fields=["commitment"],
                condition=Q(automatic=True) & ~Q(state__in=["filed", "dismissed"]),
                name="one_automatic_supervision",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "dismissed"])
                | Q(serial__isnull=False, due_on__isnull=False, issued_on__isnull=False),
                name="supervision_issued_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(commitment__isnull=False) | Q(source__isnull=False),
                name="supervision_has_basis",
            ),
        ]

    def __str__(self) -> str:
        return self.number or self.case.number

    @property
    def colour(self) -> str:
        """The light that its level is shown as: yellow for the office, red from the leader up."""
        return "yellow" if self.level == Level.OFFICE else "red"

"""Recurring reports, issued documents with their reviews, and the drafts that the plan office writes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.flows import DOCUMENT_REVIEW, REPORT_TURN
from xuezheng.domains.workplan.models.carrying import Milestone
from xuezheng.domains.workplan.models.plan import Plan
from xuezheng.domains.workplan.models.supervising import of_bureau
from xuezheng.domains.workplan.rules import Every
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.files.models import StoredFile

EVERY = [
    (Every.MONTH.value, _("每月")),
    (Every.QUARTER.value, _("每季度")),
    (Every.HALF.value, _("每半年")),
    (Every.YEAR.value, _("每年")),
]


class RecurringReportQuerySet(models.QuerySet["RecurringReport"]):
    def visible_to(self, actor: Actor) -> "RecurringReportQuerySet":
        """The calendar of the bureaus that the actor may see."""
        if not actor.can(Permission.SEE):
            return self.none()
        return self.filter(of_bureau(actor, Permission.SEE))


class RecurringReport(models.Model):
    """A report owed again and again: what, to whom, when, by which office."""

    SENSITIVE_FIELDS: ClassVar = ()

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    title = models.CharField(_("报告名称"), max_length=120)
    receiver = models.CharField(_("报送单位"), max_length=100)
    basis = models.CharField(_("依据"), max_length=200, blank=True)
    office = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name=_("承办科室")
    )
    every = models.CharField(_("周期"), max_length=8, choices=EVERY)
    month = models.PositiveSmallIntegerField(_("周期内第几个月"), default=1)
    day = models.PositiveSmallIntegerField(_("几日前"))
    ended_on = models.DateField(_("停报日"), null=True, blank=True)

    objects: ClassVar = RecurringReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("定期报告")
        ordering = ["title", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(day__range=(1, 31), month__range=(1, 12)), name="recurring_day_known"
            )
        ]

    def __str__(self) -> str:
        return self.title


class ReportTurnQuerySet(models.QuerySet["ReportTurn"]):
    def visible_to(self, actor: Actor) -> "ReportTurnQuerySet":
        """Turns of visible reports, and those that the actor's own office owes."""
        owed = actor.scope(Permission.REPORT).organisations
        return self.filter(
            Q(report__in=RecurringReport.objects.visible_to(actor))
            | Q(case__organisation__within=owed)
        )


class ReportTurn(models.Model):
    """One turn of a recurring report: due, sent with its file, received under a number."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="report_turn")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in REPORT_TURN.states.items()]
    )
    report = models.ForeignKey(RecurringReport, models.PROTECT, related_name="turns")
    due_on = models.DateField(_("期限"))
    sent_on = models.DateField(_("报送日"), null=True)
    receipt = models.CharField(_("回执"), max_length=120, blank=True)

    objects: ClassVar = ReportTurnQuerySet.as_manager()

    class Meta:
        verbose_name = _("定期报送")
        ordering = ["due_on", "case_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(REPORT_TURN.states)), name="report_turn_state_known"
            ),
            models.UniqueConstraint(fields=["report", "due_on"], name="report_turn_once"),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.due_on}"


class IssuedDocumentQuerySet(models.QuerySet["IssuedDocument"]):
    def visible_to(self, actor: Actor) -> "IssuedDocumentQuerySet":
        """Documents of milestones that the actor may see."""
        return self.filter(milestone__in=Milestone.objects.visible_to(actor))


class IssuedDocument(models.Model):
    """A document as a result: the number and file that came back, and when it is to be reviewed."""

    SENSITIVE_FIELDS: ClassVar = ()

    milestone = models.OneToOneField(
        Milestone, models.PROTECT, primary_key=True, related_name="document"
    )
    number = models.CharField(_("文号"), max_length=80)
    issued_on = models.DateField(_("印发日"))
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    review_on = models.DateField(_("复审日"), null=True)
    repealed_on = models.DateField(_("废止日"), null=True)

    objects: ClassVar = IssuedDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("制发文件")
        ordering = ["-issued_on"]

    def __str__(self) -> str:
        return self.number


class DocumentReview(models.Model):
    """A document whose review day is near: kept, to be revised, or repealed."""

    SENSITIVE_FIELDS: ClassVar = ()

    class Outcome(models.TextChoices):
        KEEP = "keep", _("继续有效")
        REVISE = "revise", _("修订")
        REPEAL = "repeal", _("废止")

    case = models.OneToOneField(
        Case, models.PROTECT, primary_key=True, related_name="document_review"
    )
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in DOCUMENT_REVIEW.states.items()]
    )
    document = models.ForeignKey(IssuedDocument, models.PROTECT, related_name="reviews")
    due_on = models.DateField(_("期限"))
    outcome = models.CharField(_("复审结论"), max_length=8, choices=Outcome, blank=True)

    class Meta:
        verbose_name = _("文件复审")
        ordering = ["due_on", "case_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(DOCUMENT_REVIEW.states)),
                name="document_review_state_known",
            ),
            models.UniqueConstraint(fields=["document", "due_on"], name="document_review_once"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.due_on}"


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, actor: Actor) -> "DraftQuerySet":
        """Drafts about bureaus in scope: they speak of all offices."""
        return self.filter(plan__organisation__within=actor.scope(Permission.SEE).organisations)


class Draft(models.Model):
    """A bulletin, review or yearly report drafted from the records, with the figures it was given."""

    SENSITIVE_FIELDS: ClassVar = ()

    class Kind(models.TextChoices):
        BULLETIN = "bulletin", _("督查通报")
        QUARTER = "quarter", _("季度分析")
        ANNUAL = "annual", _("年度报告")
        SELF_CHECK = "self_check", _("履职评价自查表")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="drafts")
    kind = models.CharField(_("类别"), max_length=12, choices=Kind)
    title = models.CharField(_("标题"), max_length=200)
    begins = models.DateField(_("起始日"))
    ends = models.DateField(_("截止日"))
    as_of = models.DateField(_("数据截至"))
    figures = models.JSONField(_("数据"), default=list)
    open_marks = models.PositiveIntegerField(_("待补处"), default=0)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("起草时间"))

    objects: ClassVar = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("督查文稿")
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends__gte=models.F("begins")), name="draft_span_forward"
            )
        ]

    def __str__(self) -> str:
        return self.title

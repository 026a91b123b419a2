"""Quarterly score sheets of offices: lines, the events behind every point, contests."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.scoring_flows import SCORE_CONTEST, SCORE_SHEET
from xuezheng.domains.workplan.scoring_rules import PointKind
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.files.models import StoredFile

POINT_KINDS = [
    (PointKind.MILESTONE_LATE.value, _("节点逾期")),
    (PointKind.REPORT_LATE.value, _("进展迟报")),
    (PointKind.RETURNED.value, _("材料被退回")),
    (PointKind.RAISED.value, _("督办升至局长")),
    (PointKind.AHEAD.value, _("提前完成节点")),
    (PointKind.CLOSED.value, _("凭佐证销号")),
    (PointKind.HAND.value, _("手工加减分")),
]
#: States in which an office sees its own line.
SHOWN = ("shown", "waiting")


def _managed(actor: Actor, prefix: str = "") -> Q:
    """Sheets of bureaus for which the actor keeps or approves scores."""
    keeps = actor.scope(Permission.SCORE).organisations
    answers = actor.scope(Permission.SCORE_ANSWER).organisations
    return Q(**{f"{prefix}case__organisation__within": keeps | answers})


class ScoreSheetQuerySet(models.QuerySet["ScoreSheet"]):
    def visible_to(self, actor: Actor) -> "ScoreSheetQuerySet":
        """All for who keeps them; published ones for the bureau's staff; one's own line before that."""
        if not actor.can(Permission.SEE):
            return self.none()
        own = actor.scope(Permission.SEE).organisations
        seen = Organisation.objects.filter(
            Q(id__within=own) | Q(edges_down__child__within=own)
        ).values("id")
        owed = actor.scope(Permission.REPORT).organisations
        mine = ScoreLine.objects.filter(office__within=owed).values("sheet")
        return self.filter(
            _managed(actor)
            | Q(state="published", case__organisation__in=seen)
            | Q(state__in=SHOWN, pk__in=mine)
        )


class ScoreSheet(models.Model):
    """The scores of a bureau's offices for a quarter.  What was published never changes: a correction
    is a new version with a reason.  `rules` keeps the parameters that it was computed with."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="score_sheet")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in SCORE_SHEET.states.items()]
    )
    year = models.PositiveIntegerField(_("年度"))
    quarter = models.PositiveSmallIntegerField(_("季度"))
    version = models.PositiveSmallIntegerField(_("版本"), default=1)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="replaced_by", verbose_name=_("更正前")
    )
    reason = models.CharField(_("更正理由"), max_length=300, blank=True)
    bureau = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    base = models.PositiveSmallIntegerField(_("基础分"))
    rules = models.JSONField(_("评分规则"), default=dict)
    contest_until = models.DateField(_("异议截止"), null=True)
    published_on = models.DateField(_("公布日"), null=True)

    objects: ClassVar = ScoreSheetQuerySet.as_manager()

    class Meta:
        verbose_name = _("科室季度评分")
        ordering = ["-year", "-quarter", "-version"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(SCORE_SHEET.states)), name="score_sheet_state_known"
            ),
            models.CheckConstraint(condition=Q(quarter__range=(1, 4)), name="score_quarter_known"),
            models.UniqueConstraint(
                fields=["bureau", "year", "quarter", "version"], name="score_version_once"
            ),
            models.UniqueConstraint(
                fields=["bureau", "year", "quarter"],
                condition=~Q(state__in=["published", "withdrawn"]),
                name="one_open_score_sheet",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The quarter in words, with the version of a correction."""
        words = str(_("%(year)d年第%(n)d季度")) % {"year": self.year, "n": self.quarter}
        if self.version > 1:
            words += str(_("（第%d版）")) % self.version
        return words


class ScoreLineQuerySet(models.QuerySet["ScoreLine"]):
    def visible_to(self, actor: Actor) -> "ScoreLineQuerySet":
        """Every line of sheets that one keeps or that are published, else the own office's."""
        if not actor.can(Permission.SEE):
            return self.none()
        owed = actor.scope(Permission.REPORT).organisations
        return self.filter(sheet__in=ScoreSheet.objects.visible_to(actor)).filter(
            _managed(actor, "sheet__") | Q(sheet__state="published") | Q(office__within=owed)
        )


class ScoreLine(models.Model):
    """One office's score in a sheet; only organisations of kind office ever have one."""

    SENSITIVE_FIELDS: ClassVar = ()

    sheet = models.ForeignKey(ScoreSheet, models.CASCADE, related_name="lines")
    office = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name=_("科室")
    )
    order = models.PositiveIntegerField()
    total = models.SmallIntegerField(_("得分"))

    objects: ClassVar = ScoreLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("科室得分")
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "office"], name="score_line_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.office_id}"


class ScoreEventQuerySet(models.QuerySet["ScoreEvent"]):
    def visible_to(self, actor: Actor) -> "ScoreEventQuerySet":
        """Those of visible lines."""
        return self.filter(line__in=ScoreLine.objects.visible_to(actor))

    def standing(self) -> "ScoreEventQuerySet":
        """Which count: not struck out and, when entered by hand, confirmed by a second person."""
        return self.filter(struck=False).exclude(kind=PointKind.HAND, confirmed_by=None)


class ScoreEvent(models.Model):
    """One cause of points.  `source` is the record that it follows from; `origin` names it for
    recomputing.  Whoever caused a hand-made event or a return (`made_by`) does not answer contests.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    line = models.ForeignKey(ScoreLine, models.CASCADE, related_name="events")
    kind = models.CharField(_("事由"), max_length=16, choices=POINT_KINDS)
    points = models.SmallIntegerField(_("分值"))
    on = models.DateField(_("发生日"))
    title = models.CharField(_("事项"), max_length=300)
    origin = models.CharField(max_length=60)
    source = models.ForeignKey(Case, models.PROTECT, null=True, related_name="+")
    document = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    struck = models.BooleanField(_("已剔除"), default=False)
    struck_reason = models.CharField(_("剔除理由"), max_length=500, blank=True)

    objects: ClassVar = ScoreEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("评分事项")
        ordering = ["on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["line", "origin"], name="score_event_once"),
            models.CheckConstraint(
                condition=Q(kind=PointKind.HAND.value, document__isnull=False, source__isnull=True)
                | ~Q(kind=PointKind.HAND.value) & Q(source__isnull=False, document__isnull=True),
                name="score_event_opens_on_something",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("made_by")),
                name="score_event_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(struck=False) | ~Q(struck_reason=""), name="score_struck_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.points:+d}"

    @property
    def pending(self) -> bool:
        """Entered by hand and not yet confirmed by a second person."""
        return self.kind == PointKind.HAND and self.confirmed_by_id is None


class ScoreContestQuerySet(models.QuerySet["ScoreContest"]):
    def visible_to(self, actor: Actor) -> "ScoreContestQuerySet":
        """The own office's, and all for who keeps scores."""
        owed = actor.scope(Permission.REPORT).organisations
        return self.filter(
            Q(case__organisation__within=owed) | _managed(actor, "event__line__sheet__")
        )


class ScoreContest(models.Model):
    """An office says that an event should not count, and why."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(
        Case, models.PROTECT, primary_key=True, related_name="score_contest"
    )
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in SCORE_CONTEST.states.items()]
    )
    event = models.OneToOneField(ScoreEvent, models.PROTECT, related_name="contest")
    reason = models.TextField(_("异议理由"), max_length=1000)

    objects: ClassVar = ScoreContestQuerySet.as_manager()

    class Meta:
        verbose_name = _("评分异议")
        ordering = ["-case_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(SCORE_CONTEST.states)), name="score_contest_state_known"
            )
        ]

    def __str__(self) -> str:
        return self.case.number

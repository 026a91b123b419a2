"""Frozen rolls, draws, allocations, offers.  Written once; the web role may add, never change history."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import PATH, REVIEW
from xuezheng.domains.admissions.models.applications import Application
from xuezheng.domains.admissions.models.roll import RollEntry
from xuezheng.domains.admissions.models.seasons import Intake, Season
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import SealedField
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case
from xuezheng.registry.models.people import IdKind, Sex


class Freeze(models.Model):
    """The roll as it stood, by its Merkle root.  A later freeze replaces one that was found wrong."""

    SENSITIVE_FIELDS: ClassVar = ()

    season = models.ForeignKey(Season, models.PROTECT, related_name="freezes")
    root = models.CharField(_("名册封存值"), max_length=64)
    count = models.PositiveIntegerField(_("人数"))
    #: What gave each place in a tier (services/freezing.Orders); for words, never published by child.
    orders = models.JSONField(default=dict)
    frozen_at = models.DateTimeField(_("封存时间"))
    frozen_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    void_reason = models.CharField(_("作废理由"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("名册封存")
        ordering = ["-frozen_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["season"], condition=Q(void_reason=""), name="one_freeze_in_force"
            )
        ]

    def __str__(self) -> str:
        return self.root[:12]


class Leaf(models.Model):
    """One child of a frozen roll: the text that was hashed (code, salt, tier, list; nothing personal)."""

    SENSITIVE_FIELDS: ClassVar = ()

    freeze = models.ForeignKey(Freeze, models.CASCADE, related_name="leaves")
    index = models.PositiveIntegerField()
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    text = models.CharField(max_length=2000)

    class Meta:
        verbose_name = _("名册行")
        ordering = ["freeze", "index"]
        constraints = [
            models.UniqueConstraint(fields=["freeze", "index"], name="leaf_index_once"),
            models.UniqueConstraint(fields=["freeze", "application"], name="leaf_once"),
        ]

    def __str__(self) -> str:
        return f"{self.freeze_id}/{self.index}"


class Draw(models.Model):
    """A public draw over a frozen roll: commitment first, digits on stage, then the secret."""

    SENSITIVE_FIELDS: ClassVar = ("secret",)

    class State(models.TextChoices):
        COMMITTED = "committed", _("已承诺")
        DRAWN = "drawn", _("已开出")
        VOID = "void", _("已作废")

    freeze = models.ForeignKey(Freeze, models.PROTECT, related_name="draws")
    rehearsal = models.BooleanField(_("演练"), default=False)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.COMMITTED)
    commitment = models.CharField(_("密值承诺"), max_length=64)
    secret = SealedField()
    public_sources = models.JSONField(_("公开值来源"), default=list)
    public_values = models.JSONField(_("公开值"), default=list)
    digits = models.CharField(_("现场数字"), max_length=60, blank=True)
    seed = models.CharField(_("种子"), max_length=64, blank=True)
    committed_at = models.DateTimeField(_("承诺时间"))
    drawn_at = models.DateTimeField(_("开出时间"), null=True)

    class Meta:
        verbose_name = _("公开抽签")
        ordering = ["-committed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["freeze"],
                condition=Q(rehearsal=False) & ~Q(state="void"),
                name="one_draw_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.freeze_id} {self.state}"


class DrawStep(models.Model):
    """The minutes of a draw: what happened, who witnessed.  Only ever added to."""

    SENSITIVE_FIELDS: ClassVar = ()

    draw = models.ForeignKey(Draw, models.CASCADE, related_name="steps")
    at = models.DateTimeField(_("时间"), auto_now_add=True)
    kind = models.CharField(_("事项"), max_length=16)
    text = models.CharField(_("记录"), max_length=400)
    witnesses = models.CharField(_("见证"), max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("抽签记录")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.draw_id} {self.kind}"


class Allocation(models.Model):
    """One run: what went in, what came out, sealed by its hash.  What-ifs are never published."""

    SENSITIVE_FIELDS: ClassVar = ()

    season = models.ForeignKey(Season, models.PROTECT, related_name="allocations")
    freeze = models.ForeignKey(Freeze, models.PROTECT, null=True, related_name="allocations")
    draw = models.ForeignKey(Draw, models.PROTECT, null=True, related_name="allocations")
    round = models.PositiveSmallIntegerField(_("轮次"), default=1)
    what_if = models.CharField(_("假设"), max_length=120, blank=True)
    given = models.JSONField()
    result = models.JSONField()
    sha256 = models.CharField(_("结果封存值"), max_length=64)
    made_at = models.DateTimeField(_("生成时间"), auto_now_add=True)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(_("公布时间"), null=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("学位分配")
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(published_at__isnull=True) | Q(what_if=""),
                name="what_if_is_never_published",
            ),
            models.UniqueConstraint(
                fields=["season", "round"],
                condition=Q(published_at__isnull=False),
                name="one_published_allocation_a_round",
            ),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class OfferQuerySet(models.QuerySet["Offer"]):
    def visible_to(self, actor: Actor) -> "OfferQuerySet":
        """Offers of the applications that the actor may see."""
        return self.filter(application__in=Application.objects.visible_to(actor))


class Offer(models.Model):
    """What a published allocation says to one child, and the reason in codes and numbers.

    `respond_by` is set where the family must confirm (private schools, kindergartens); an answer that
    does not come in time lapses, and the place goes into the next round.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    class Answer(models.TextChoices):
        NONE = "", _("待确认")
        CONFIRMED = "confirmed", _("已确认")
        DECLINED = "declined", _("已放弃")
        LAPSED = "lapsed", _("逾期未确认")

    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="offers")
    application = models.ForeignKey(Application, models.PROTECT, related_name="offers")
    intake = models.ForeignKey(Intake, models.PROTECT, null=True, related_name="offers")
    #: {"rule", "tier", "order", "draw", "cutoff", ...}: services/explaining.py makes the sentence.
    reason = models.JSONField(default=dict)
    respond_by = models.DateField(_("确认截止"), null=True)
    answer = models.CharField(_("家长答复"), max_length=10, choices=Answer, blank=True)
    answered_at = models.DateTimeField(_("答复时间"), null=True)

    objects: ClassVar = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("录取结果")
        ordering = ["allocation", "application"]
        constraints = [
            models.UniqueConstraint(fields=["allocation", "application"], name="offer_once")
        ]

    def __str__(self) -> str:
        return f"{self.allocation_id} {self.application_id}"


class ReviewQuerySet(models.QuerySet["Review"]):
    def visible_to(self, actor: Actor) -> "ReviewQuerySet":
        """Reviews of the applications that the actor may see."""
        return self.filter(application__in=Application.objects.visible_to(actor))


class Review(models.Model):
    """A family asks to have its result looked at again (复核)."""

    SENSITIVE_FIELDS: ClassVar = ("ground",)

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="review")
    application = models.ForeignKey(Application, models.PROTECT, related_name="reviews")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in REVIEW.states.items()]
    )
    ground = models.TextField(_("理由"), max_length=1000)

    objects: ClassVar = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("录取复核")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(REVIEW.states)), name="review_state_known"
            )
        ]

    def __str__(self) -> str:
        return self.case.number


class PathRequestQuerySet(models.QuerySet["PathRequest"]):
    def visible_to(self, actor: Actor) -> "PathRequestQuerySet":
        """The family's own; for staff those of the organisations in scope."""
        scope = actor.scope(Permission.SEE)
        if scope.everything or actor.can(Permission.PATHS_DECIDE):
            return self
        seen = Q(case__organisation__within=scope.organisations)
        if actor.user:
            seen |= Q(applicant=actor.user)
        return self.filter(seen)


class PathRequest(models.Model):
    """A way beside the regular one: deferral, teaching at home, special placement, joining mid-year."""

    SENSITIVE_FIELDS: ClassVar = (
        "child_name", "id_number", "born_on", "guardian_name", "phone", "ground", "opinion",
    )  # fmt: skip

    class Kind(models.TextChoices):
        DEFERRAL = "deferral", _("缓学")
        HOME = "home", _("送教上门")
        SPECIAL = "special", _("特殊教育安置")
        TRANSFER = "transfer", _("插班")

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="path_request")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in PATH.states.items()]
    )
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    #: None for joining mid-year, which belongs to no season.
    season = models.ForeignKey(Season, models.PROTECT, null=True, blank=True, related_name="+")
    entry = models.ForeignKey(RollEntry, models.PROTECT, null=True, blank=True, related_name="+")
    applicant = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    child_name = models.CharField(_("孩子姓名"), max_length=60)
    id_kind = models.CharField(_("证件类型"), max_length=1, choices=IdKind, default=IdKind.CITIZEN)
    id_number = SealedField(_("证件号码"), null=True, blank=True)
    born_on = models.DateField(_("出生日期"))
    sex = models.CharField(_("性别"), max_length=1, choices=Sex, default=Sex.UNKNOWN)
    guardian_name = models.CharField(_("监护人姓名"), max_length=60)
    phone = SealedField(_("手机号码"), null=True, blank=True)
    #: For joining mid-year: where to and into which grade.
    school = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+"
    )
    grade = models.PositiveSmallIntegerField(_("年级"), null=True, blank=True)
    ground = models.TextField(_("申请理由"), max_length=1000)
    #: What the school or the expert committee found; kept sealed, since it may speak of health.
    opinion = SealedField(_("审核意见"), max_length=2000, null=True, blank=True)
    until = models.DateField(_("有效至"), null=True, blank=True)

    objects: ClassVar = PathRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("特殊入学申请")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(PATH.states)), name="path_state_known"
            )
        ]

    def __str__(self) -> str:
        return self.case.number

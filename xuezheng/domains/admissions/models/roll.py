"""The roll of every child of age, and what became of each."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import FOLLOW_UP
from xuezheng.domains.admissions.models.seasons import Season
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import SealedField, tail_token
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.cases.models import Case
from xuezheng.registry.codes import masked
from xuezheng.registry.models import Dwelling, Pupil
from xuezheng.registry.models.people import IdKind, PersonQuerySet, Sex
from xuezheng.registry.names import initials, normal_name


class RollQuerySet(PersonQuerySet):
    def visible_to(self, actor: Actor) -> "RollQuerySet":
        """The whole roll for who keeps it; a town's own for who follows up; a school's for its staff."""
        scope = actor.scope(Permission.SEE)
        if scope.everything:
            return self
        return self.filter(
            Q(school__within=scope.organisations)
            | Q(town__within=actor.scope(Permission.FOLLOW_UP).organisations)
        )


class RollEntry(models.Model):
    """A child in a season, once.  `code` is its pseudonym there for life: draw and results name it.

    A child that registers without being on a list gets its entry then, with source "self".  `pupil` is
    the registry's child, once known: kindergarten leavers and grade 6 at once, others on arrival.
    """

    SENSITIVE_FIELDS: ClassVar = ("name", "id_number", "born_on", "pupil", "address", "phone")
    KEYED_FIELDS: ClassVar = ("id_tail",)

    class Outcome(models.TextChoices):
        OPEN = "", _("未登记")
        REGISTERED = "registered", _("已登记")
        ELSEWHERE = "elsewhere", _("在外地就读（有证明）")
        DEFERRED = "deferred", _("批准缓学")
        HOME = "home", _("送教上门")
        SPECIAL = "special", _("特殊教育安置")
        UNTRACEABLE = "untraceable", _("查无下落（已报镇街）")

    season = models.ForeignKey(Season, models.PROTECT, related_name="roll")
    pupil = models.ForeignKey(
        Pupil, models.PROTECT, null=True, blank=True, related_name="roll_entries"
    )
    code = models.CharField(_("登记代码"), max_length=12)
    name = models.CharField(_("姓名"), max_length=60)
    initials = models.CharField(max_length=20, editable=False)
    id_kind = models.CharField(_("证件类型"), max_length=1, choices=IdKind, default=IdKind.CITIZEN)
    id_number = SealedField(_("证件号码"), null=True, blank=True)
    id_tail = models.CharField(max_length=24, blank=True, editable=False)
    born_on = models.DateField(_("出生日期"))
    sex = models.CharField(_("性别"), max_length=1, choices=Sex, default=Sex.UNKNOWN)
    #: Where the lists say that the child is registered; a dwelling once it was recognised.
    address = models.CharField(_("户籍地址"), max_length=120, blank=True)
    dwelling = models.ForeignKey(Dwelling, models.PROTECT, null=True, blank=True, related_name="+")
    phone = SealedField(_("联系电话"), null=True, blank=True)
    #: Lists that name the child: police, kindergarten, grade6, street, self.
    sources = models.JSONField(_("来源"), default=list)
    town = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    school = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("服务区学校"),
    )  # fmt: skip
    outcome = models.CharField(_("去向"), max_length=12, choices=Outcome, blank=True)
    outcome_on = models.DateField(_("确定日"), null=True, blank=True)
    notice_issued_on = models.DateField(_("入学通知书签发日"), null=True, blank=True)
    #: Codes of entries that somebody found to be other children, for an entry without a number.
    apart_from = models.JSONField(_("已确认不是同一孩子"), null=True, blank=True)

    objects: ClassVar = RollQuerySet.as_manager()

    class Meta:
        verbose_name = _("适龄儿童名册")
        ordering = ["season", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["season", "id_kind", "id_number"], name="roll_child_once"
            ),
            models.UniqueConstraint(fields=["season", "code"], name="roll_code_once"),
        ]
        indexes = [
            models.Index(fields=["season", "outcome", "town"], name="roll_by_outcome"),
            models.Index(fields=["season", "initials", "name"], name="roll_by_name"),
            models.Index(fields=["id_tail"], name="roll_by_tail"),
        ]

    def __str__(self) -> str:
        return self.code

    def prepare(self) -> None:
        """Bring name, initials and search token into step; `save` and bulk writers call it."""
        self.name = normal_name(self.name)
        self.initials = initials(self.name)
        self.id_number = (self.id_number or "").strip().upper() or None
        self.id_tail = tail_token(self.id_number or "")

    def save(self, *args, **kwargs) -> None:
        """Prepared rows only."""
        self.prepare()
        super().save(*args, **kwargs)

    @property
    def id_masked(self) -> str:
        """The identity number as lists show it."""
        return masked(self.id_number) if self.id_number else ""


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def visible_to(self, actor: Actor) -> "FollowUpQuerySet":
        """Follow-ups of the towns and schools in scope."""
        scope = actor.scope(Permission.FOLLOW_UP)
        return (
            self
            if scope.everything
            else self.filter(case__organisation__within=scope.organisations)
        )


class FollowUp(models.Model):
    """A child that nobody registered, or that did not arrive: followed until the outcome is known."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="follow_up")
    entry = models.ForeignKey(RollEntry, models.PROTECT, related_name="follow_ups")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in FOLLOW_UP.states.items()]
    )
    cause = models.CharField(
        _("起因"),
        max_length=12,
        choices=[("unregistered", _("未登记")), ("absent", _("未报到"))],
    )
    outcome = models.CharField(_("去向"), max_length=12, choices=RollEntry.Outcome, blank=True)

    proof = models.CharField(_("证明"), max_length=200, blank=True)

    objects: ClassVar = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("未入学追踪")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(FOLLOW_UP.states)), name="follow_up_state_known"
            )
        ]

    def __str__(self) -> str:
        return self.case.number

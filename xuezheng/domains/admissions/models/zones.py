"""Service areas of a season, line by line, and the consultation that they went through."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import CONSULTATION
from xuezheng.domains.admissions.models.seasons import Season
from xuezheng.domains.admissions.rules.zones import Part, Side
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case
from xuezheng.registry.models import Community

SIDES = [(Side.BOTH.value, _("两侧")), (Side.ODD.value, _("单号")), (Side.EVEN.value, _("双号"))]


class Zone(models.Model):
    """A service area; usually of one school, sometimes of several (多校划片)."""

    SENSITIVE_FIELDS: ClassVar = ()

    season = models.ForeignKey(Season, models.CASCADE, related_name="zones")
    code = models.CharField(_("编号"), max_length=20)
    name = models.CharField(_("服务区"), max_length=60)
    schools = models.ManyToManyField(Organisation, related_name="zones", verbose_name=_("学校"))
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("服务区")
        ordering = ["season", "code"]
        constraints = [models.UniqueConstraint(fields=["season", "code"], name="zone_code_once")]

    def __str__(self) -> str:
        return self.name


class ZonePart(models.Model):
    """One line of an area (rules/zones.Part): a community, a road, a side, a range, buildings."""

    SENSITIVE_FIELDS: ClassVar = ()

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="parts")
    community = models.ForeignKey(Community, models.PROTECT, related_name="+")
    road = models.CharField(_("道路或自然村"), max_length=40, blank=True)
    side = models.CharField(_("单双号"), max_length=4, choices=SIDES, blank=True)
    first = models.PositiveIntegerField(_("起始号"), null=True, blank=True)
    last = models.PositiveIntegerField(_("截止号"), null=True, blank=True)
    buildings = models.JSONField(_("幢"), default=list, blank=True)

    class Meta:
        verbose_name = _("服务区范围")
        ordering = ["zone", "community", "road", "first"]
        constraints = [
            models.CheckConstraint(
                condition=Q(first__isnull=True) | Q(last__isnull=True) | Q(last__gte=F("first")),
                name="zone_part_forward",
            )
        ]

    def __str__(self) -> str:
        return f"{self.zone_id} {self.community_id} {self.road}"

    def as_part(self, zone: str, community: str) -> Part:
        """The rule's view of the line."""
        return Part(
            zone,
            community,
            self.road,
            Side(self.side),
            self.first,
            self.last,
            frozenset(self.buildings),
        )


class ConsultationQuerySet(models.QuerySet["Consultation"]):
    def visible_to(self, actor: Actor) -> "ConsultationQuerySet":
        """All for who keeps the areas; for towns and offices those that asked them; the public's own
        page shows what is open to comments or published.
        """
        if actor.can(Permission.ZONES) or actor.can(Permission.PUBLISH):
            return self
        return self.exclude(state__in=("draft", "dropped"))


class Consultation(models.Model):
    """The file of a zoning decision: draft, offices and towns, public, legality, meeting, publication."""

    SENSITIVE_FIELDS: ClassVar = ()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="consultation")
    season = models.ForeignKey(Season, models.PROTECT, related_name="consultations")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in CONSULTATION.states.items()]
    )
    explanation = models.TextField(_("调整说明"))
    transition = models.TextField(_("过渡办法"), blank=True)
    public_from = models.DateField(_("公开征求起"), null=True, blank=True)
    public_until = models.DateField(_("公开征求止"), null=True, blank=True)
    legality_opinion = models.TextField(_("合法性审查意见"), blank=True)
    meeting_number = models.CharField(_("会议编号"), max_length=60, blank=True)
    document_number = models.CharField(_("文号"), max_length=60, blank=True)
    published_on = models.DateField(_("公布日"), null=True, blank=True)

    objects: ClassVar = ConsultationQuerySet.as_manager()

    class Meta:
        verbose_name = _("服务区征求意见")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(CONSULTATION.states)), name="consultation_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="published")
                | (~Q(meeting_number="") & ~Q(document_number="") & Q(published_on__isnull=False)),
                name="consultation_published_by_meeting",
            ),
        ]

    def __str__(self) -> str:
        return self.case.number


class ConsultationReply(models.Model):
    """One opinion and its answer.  From an office or town, or from the public without a name."""

    SENSITIVE_FIELDS: ClassVar = ()

    consultation = models.ForeignKey(Consultation, models.CASCADE, related_name="replies")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    text = models.TextField(_("意见"), max_length=2000)
    given_at = models.DateTimeField(_("提出时间"), auto_now_add=True)
    adopted = models.BooleanField(_("采纳"), null=True)
    answer = models.TextField(_("答复"), blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("征求到的意见")
        ordering = ["given_at", "id"]

    def __str__(self) -> str:
        return f"{self.consultation_id} {self.id}"

"""What a family writes, what was checked, where it stands.  Children's data: sealed, and behind policies."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.flows import APPLICATION
from xuezheng.domains.admissions.models.roll import RollEntry
from xuezheng.domains.admissions.models.seasons import Intake, Season
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import SealedField
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.files.models import StoredFile
from xuezheng.registry.models import Dwelling, Guardianship
from xuezheng.registry.models.people import Sex


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, actor: Actor) -> "DraftQuerySet":
        """The person's own, on whatever device."""
        return self.filter(user=actor.user) if actor.user else self.none()


class Draft(models.Model):
    """What a family has typed so far, saved at each change; the whole is one sealed text (JSON)."""

    SENSITIVE_FIELDS: ClassVar = ("answers",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    season = models.ForeignKey(Season, models.CASCADE, related_name="drafts")
    user = models.ForeignKey(User, models.CASCADE, related_name="drafts")
    answers = SealedField(max_length=20_000, default="{}")
    consented_at = models.DateTimeField(_("同意时间"), null=True)
    consent_version = models.CharField(max_length=12, blank=True)
    saved_at = models.DateTimeField(_("保存时间"), auto_now=True)
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("登记草稿")
        ordering = ["-saved_at"]

    def __str__(self) -> str:
        return str(self.id)


class ApplicationQuerySet(models.QuerySet["Application"]):
    def visible_to(self, actor: Actor) -> "ApplicationQuerySet":
        """The family's own; for staff those of the schools in scope."""
        scope = actor.scope(Permission.SEE)
        if scope.everything:
            return self
        seen = Q(case__organisation__within=scope.organisations)
        if actor.user:
            seen |= Q(applicant=actor.user)
            seen |= Exists(
                Party.objects.filter(application=OuterRef("pk"), user=actor.user, confirmed=True)
            )
        return self.filter(seen)

    def live(self) -> "ApplicationQuerySet":
        """Not withdrawn, refused or declined."""
        return self.exclude(state__in=("withdrawn", "void", "declined"))


class Application(models.Model):
    """One registration of one child in one season.

    Facts beside the child come from registers where the check succeeded (`Check`), else from papers.
    `code` of the roll entry is what any public paper names.
    """

    SENSITIVE_FIELDS: ClassVar = (
        "child_name", "born_on", "register_dwelling", "home_dwelling", "special_needs", "sibling_id",
        "grandparent",
    )  # fmt: skip

    class Channel(models.TextChoices):
        ONLINE = "online", _("网上")
        COUNTER = "counter", _("窗口代办")
        PAPER = "paper", _("纸质表")
        PORTAL = "portal", _("省级门户")

    class Title(models.TextChoices):
        NONE = "", _("无")
        DEED = "deed", _("不动产权证")
        CONTRACT = "contract", _("购房合同（已付全款）")
        DEMOLITION = "demolition", _("拆迁安置协议")
        SELF_BUILT = "self_built", _("自建房")
        RENTAL = "public_rental", _("公租房、人才房")
        ESTATE = "estate", _("配套园小区房产")

    class Owner(models.TextChoices):
        NONE = "none", _("无房产")
        SELF = "self", _("孩子")
        PARENT = "parent", _("父母")
        GRANDPARENT = "grandparent", _("祖辈")
        OTHER = "other", _("其他")

    class TwinWish(models.TextChoices):
        CLASS = "class", _("同校，也同班")
        SPLIT = "split", _("同校，不同班")
        SCHOOL = "school", _("同校，班级随抽签")
        APART = "apart", _("分别安排，不要求同校")

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="application")
    entry = models.ForeignKey(RollEntry, models.PROTECT, related_name="applications")
    season = models.ForeignKey(Season, models.PROTECT, related_name="applications")
    state = models.CharField(
        _("状态"), max_length=24, choices=[(k, s.label) for k, s in APPLICATION.states.items()]
    )
    applicant = models.ForeignKey(User, models.PROTECT, null=True, related_name="applications")
    channel = models.CharField(_("渠道"), max_length=8, choices=Channel, default=Channel.ONLINE)
    child_name = models.CharField(_("孩子姓名"), max_length=60)
    born_on = models.DateField(_("出生日期"))
    sex = models.CharField(_("性别"), max_length=1, choices=Sex)
    custody_disputed = models.BooleanField(_("监护有争议"), default=False)
    register_dwelling = models.ForeignKey(Dwelling, models.PROTECT, null=True, related_name="+")
    register_date = models.DateField(_("落户日期"), null=True, blank=True)
    registered_since_birth = models.BooleanField(_("自出生落户"), default=False)
    home_dwelling = models.ForeignKey(Dwelling, models.PROTECT, null=True, related_name="+")
    owner = models.CharField(_("房产人"), max_length=12, choices=Owner, default=Owner.NONE)
    share = models.PositiveSmallIntegerField(_("家庭份额（%）"), default=0)
    title = models.CharField(_("房产凭证"), max_length=14, choices=Title, blank=True)
    title_date = models.DateField(_("凭证日期"), null=True, blank=True)
    residential = models.BooleanField(_("住宅用途"), default=True)
    parents_own_no_home = models.BooleanField(_("父母名下无房"), default=False)
    residence_permit = models.BooleanField(_("居住证"), default=False)
    permit_date = models.DateField(_("居住证签发日"), null=True, blank=True)
    points = models.PositiveSmallIntegerField(_("积分"), null=True, blank=True)
    special_needs = models.BooleanField(_("申请特殊教育安置"), default=False)
    #: What the family says; only a child with the same guardian on record counts (sibling_school).
    sibling_id = SealedField(_("在读兄姐证件号码"), null=True, blank=True)
    #: A brother or sister at a school, once the registry has confirmed it; staff of a school likewise.
    sibling_school = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+"
    )
    staff_school = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+"
    )
    grandparents_agreed = models.BooleanField(_("祖辈已同意查询房产"), default=False)
    #: {"id", "name"} of the grandparent who agreed, while the register of property owes its answer.
    grandparent = SealedField(_("祖辈房产人"), null=True, blank=True)
    #: One key for all who are tied (services/applying `_twin_key`).
    together = models.UUIDField(_("双胞胎同校"), null=True, blank=True)
    twin_wish = models.CharField(
        _("双胞胎（多胞胎）意愿"), max_length=6, choices=TwinWish, blank=True
    )
    #: What must be put right, all at once: [{"code", "note"}].
    faults = models.JSONField(_("须补正"), default=list)
    #: The key of the machine client that handed it in, and the number that it uses there.
    client = models.CharField(max_length=40, blank=True)
    zone_name = models.CharField(_("服务区"), max_length=60, blank=True)
    papers_needed = models.BooleanField(_("须交材料"), default=True)
    submitted_on = models.DateField(_("提交日"))
    settled_on = models.DateField(_("核验日"), null=True, blank=True)

    objects: ClassVar = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("入学登记")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(APPLICATION.states)), name="application_state_known"
            ),
            models.UniqueConstraint(
                fields=["entry"],
                condition=~Q(state__in=["withdrawn", "void", "declined"]),
                name="one_live_application",
            ),
        ]
        indexes = [models.Index(fields=["season", "state"], name="application_by_state")]

    def __str__(self) -> str:
        return self.case.number


class Party(models.Model):
    """A guardian of an application.  The first is the one who submitted.

    Two guardians who both register a child meet here: `confirmed` is set by a verifier who has seen the
    custody paper; until then the second learns nothing but the reference.  No address is kept here, so
    that neither learns the other's.
    """

    SENSITIVE_FIELDS: ClassVar = ("name", "id_number", "phone")

    application = models.ForeignKey(Application, models.CASCADE, related_name="parties")
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(_("监护人姓名"), max_length=60)
    id_number = SealedField(_("证件号码"), null=True, blank=True)
    phone = SealedField(_("手机号码"), null=True, blank=True)
    relation = models.CharField(_("关系"), max_length=2, choices=Guardianship.Relation)
    main = models.BooleanField(_("申请人"), default=False)
    confirmed = models.BooleanField(_("监护关系已确认"), default=False)
    added_at = models.DateTimeField(_("加入时间"), auto_now_add=True)

    class Meta:
        verbose_name = _("申请监护人")
        ordering = ["-main", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(main=True), name="one_main_party"
            ),
            models.UniqueConstraint(
                fields=["application", "user"],
                condition=Q(user__isnull=False),
                name="party_user_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.relation}"


class Choice(models.Model):
    """A school on the list: put there by the family, or by rule (zone school, redirection)."""

    SENSITIVE_FIELDS: ClassVar = ()

    application = models.ForeignKey(Application, models.CASCADE, related_name="choices")
    intake = models.ForeignKey(Intake, models.PROTECT, related_name="choices")
    rank = models.PositiveSmallIntegerField(_("志愿"))
    by_rule = models.BooleanField(_("按规则列入"), default=False)

    class Meta:
        verbose_name = _("志愿")
        ordering = ["application", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["application", "rank"], name="choice_rank_once"),
            models.UniqueConstraint(fields=["application", "intake"], name="choice_school_once"),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.rank}"


class Check(models.Model):
    """A question to another department's register and its answer."""

    SENSITIVE_FIELDS: ClassVar = ("answer",)

    class Register(models.TextChoices):
        POLICE = "police", _("公安户籍")
        PROPERTY = "property", _("不动产登记")
        LABOUR = "labour", _("人社参保")
        CIVIL = "civil", _("民政婚姻")

    class State(models.TextChoices):
        ASKED = "asked", _("查询中")
        CONFIRMED = "confirmed", _("已核实")
        DIFFERENT = "different", _("与登记不一致")
        NOT_FOUND = "not_found", _("未查到")
        NO_ANSWER = "no_answer", _("对方未响应")

    application = models.ForeignKey(Application, models.CASCADE, related_name="checks")
    register = models.CharField(_("数据来源"), max_length=10, choices=Register)
    state = models.CharField(_("结果"), max_length=10, choices=State, default=State.ASKED)
    attempts = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField(_("查询时间"))
    answered_at = models.DateTimeField(null=True)
    answer = SealedField(max_length=4000, default="{}")

    class Meta:
        verbose_name = _("数据核验")
        ordering = ["register"]
        constraints = [
            models.UniqueConstraint(fields=["application", "register"], name="check_once")
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.register}"


class PaperKind(models.TextChoices):
    """Papers that a failed check may call for."""

    REGISTER = "register", _("户口簿")
    DEED = "deed", _("不动产权证")
    CONTRACT = "contract", _("购房合同和付款发票")
    DEMOLITION = "demolition", _("拆迁安置协议")
    RENTAL = "rental", _("租赁备案证明")
    NO_HOME = "no_home", _("无房证明")
    PERMIT = "permit", _("居住证")
    CUSTODY = "custody", _("监护权证明")
    BIRTH = "birth", _("亲子关系证明")
    ASSESSMENT = "assessment", _("残疾评估材料")
    OTHER = "other", _("其他")


class Paper(models.Model):
    """A paper that the family sent, because a check could not answer."""

    SENSITIVE_FIELDS: ClassVar = ("file",)

    application = models.ForeignKey(Application, models.CASCADE, related_name="papers")
    kind = models.CharField(_("材料"), max_length=16, choices=PaperKind)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(_("提交时间"), auto_now_add=True)

    class Meta:
        verbose_name = _("材料")
        ordering = ["kind", "added_at"]

    def __str__(self) -> str:
        return f"{self.application_id} {self.kind}"


class Standing(models.Model):
    """Where the child stands at a school of its list: tier, order inside it, what the rung above asks."""

    SENSITIVE_FIELDS: ClassVar = ()

    choice = models.OneToOneField(Choice, models.CASCADE, primary_key=True, related_name="standing")
    tier = models.PositiveSmallIntegerField(_("顺位"))
    code = models.CharField(_("顺位代码"), max_length=12)
    order = models.JSONField(_("同顺位次序"), default=list)
    missed = models.JSONField(default=list)

    class Meta:
        verbose_name = _("录取顺位")

    def __str__(self) -> str:
        return f"{self.choice_id} {self.code}"


class Rating(models.Model):
    """Five grades of satisfaction with the service (GB/T 39735-2020), once per application."""

    SENSITIVE_FIELDS: ClassVar = ("text",)

    application = models.OneToOneField(
        Application, models.CASCADE, primary_key=True, related_name="rating"
    )
    grade = models.PositiveSmallIntegerField(_("评价"))
    text = models.CharField(_("意见"), max_length=300, blank=True)
    given_on = models.DateField(_("评价日"))
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("服务评价")
        constraints = [
            models.CheckConstraint(condition=Q(grade__range=(1, 5)), name="rating_one_to_five")
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.grade}"

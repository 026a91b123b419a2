"""Pupils with their placements, guardians, residences; staff with their employments.

Identity, telephone and pupil-status numbers are sealed columns (kernel/access/ciphers.py); the last
four characters are searched by keyed tokens.  Row-level policies (migration 0002) hide the rows of
children that are out of reach even from a query that forgot `visible_to`.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import SealedField, tail_token, tail_tokens
from xuezheng.kernel.access.models import Organisation, User, in_force
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import BELONGING, CITIZEN_ID, masked, masked_phone
from xuezheng.registry.models.places import Dwelling, SchoolClass
from xuezheng.registry.names import initials, normal_name


class Sex(models.TextChoices):
    """GB/T 2261.1."""

    UNKNOWN = "0", _("未知")
    MALE = "1", _("男")
    FEMALE = "2", _("女")
    UNSAID = "9", _("未说明")


class IdKind(models.TextChoices):
    """身份证件类型 SFZJLX (JY/T 1001), the kinds met among pupils, guardians and staff."""

    CITIZEN = CITIZEN_ID, _("居民身份证")
    HONG_KONG = "6", _("香港身份证明")
    MACAO = "7", _("澳门身份证明")
    TAIWAN = "8", _("台湾居民来往大陆通行证")
    RESIDENCE = "9", _("境外永久居住证")
    PASSPORT = "A", _("护照")
    HOUSEHOLD = "B", _("户口簿")
    OTHER = "Z", _("其他")


class PersonQuerySet(models.QuerySet):
    """Search shared by all people."""

    def live(self) -> "PersonQuerySet":
        """Not merged into another row."""
        return self.filter(merged_into__isnull=True)

    def search(self, words: str) -> "PersonQuerySet":
        """By name, by initials, by the last four of the identity number, or by the whole number.

        A word with a digit is no name: it is looked up by the indexes of numbers alone.
        """
        rows = self
        for word in words.split():
            compact = word.upper()
            if any(char.isdigit() for char in compact):
                found = Q(id_number=compact)
                if len(compact) == 4:
                    found |= Q(id_tail__in=tail_tokens(compact))
            else:
                found = Q(name__contains=normal_name(word))
                if compact.isascii() and compact.isalpha():
                    found |= Q(initials__startswith=compact.lower())
            rows = rows.filter(found)
        return rows


class Person(models.Model):
    """What identifies anybody.  Saved names are normal and carry their initials."""

    #: Made from sealed values with the active key (kernel/access/resealing.py).
    KEYED_FIELDS: ClassVar = ("id_tail",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("姓名"), max_length=60)
    initials = models.CharField(max_length=20, editable=False)
    sex = models.CharField(_("性别"), max_length=1, choices=Sex, default=Sex.UNKNOWN)
    born_on = models.DateField(_("出生日期"), null=True, blank=True)
    id_kind = models.CharField(_("证件类型"), max_length=1, choices=IdKind, default=CITIZEN_ID)
    id_number = SealedField(_("证件号码"), null=True, blank=True)
    id_tail = models.CharField(max_length=24, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged"
    )
    opening_balance = models.BooleanField(_("期初导入"), default=False)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(_("更新时间"), auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

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


class PupilQuerySet(PersonQuerySet):
    def visible_to(self, actor: Actor) -> "PupilQuerySet":
        """Pupils of the sites that the actor may see; all, also placeless ones, for who sees all."""
        scope = actor.scope(Permission.PUPIL_SEE)
        return self if scope.everything else self.filter(organisation__within=scope.organisations)

    def unplaced(self) -> "PupilQuerySet":
        """Those who by their status belong to a school and are at none."""
        return self.filter(organisation__isnull=True, status__in=BELONGING)


class Pupil(Person):
    """A child in the district's schools and kindergartens, or on its rolls.

    `organisation` and `school_class` repeat the placement in force, so that lists and row-level
    policies need no join; `services.placing` keeps them in step.  Merged rows stay.
    """

    SENSITIVE_FIELDS: ClassVar = (
        "id_number", "student_number", "ethnicity", "born_on", "register_division",
    )  # fmt: skip

    former_name = models.CharField(_("曾用名"), max_length=60, blank=True)
    student_number = SealedField(_("学籍号"), null=True, blank=True)
    ethnicity = models.CharField(_("民族"), max_length=2, blank=True)
    nationality = models.CharField(_("国籍"), max_length=3, default="CHN")
    register_division = models.CharField(_("户籍区划"), max_length=6, blank=True)
    status = models.CharField(_("学生状态"), max_length=2, default="01")
    boarding = models.CharField(_("就读方式"), max_length=1, default="1")
    entered_on = models.DateField(_("入学日期"), null=True, blank=True)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="pupils"
    )
    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, null=True, blank=True, related_name="pupils"
    )

    objects: ClassVar = PupilQuerySet.as_manager()

    class Meta:
        verbose_name = _("学生")
        ordering = ["initials", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["id_kind", "id_number"],
                condition=Q(merged_into__isnull=True, id_number__isnull=False),
                name="pupil_id_once",
            ),
            models.UniqueConstraint(
                fields=["student_number"],
                condition=Q(merged_into__isnull=True, student_number__isnull=False),
                name="pupil_student_number_once",
            ),
        ]
        indexes = [
            # Holds all that a list by name or a search asks: pages and counts need no row.
            models.Index(
                fields=["initials", "name", "id"],
                include=["organisation", "status"],
                condition=Q(merged_into__isnull=True),
                name="pupil_by_name",
            ),
            models.Index(fields=["organisation", "school_class"], name="pupil_by_place"),
            models.Index(fields=["id_tail"], name="pupil_by_tail"),
            models.Index(fields=["born_on", "name"], name="pupil_by_birth"),
        ]

    def get_absolute_url(self) -> str:
        """The pupil's page; its address is a random number."""
        return reverse("pupil_detail", args=[self.pk])

    @property
    def student_number_masked(self) -> str:
        """The pupil-status number as lists show it: it may hold the identity number."""
        return masked(self.student_number) if self.student_number else ""


class Placement(models.Model):
    """A pupil at a school, in a class, from a day, perhaps to a day; why it began and ended.

    Codes of 学籍异动类别 XJYDLB (JY/T 1001): 21 out, 22 in, 29 other class, 11 suspended, 51 died ...;
    empty for the usual entry and leaving.
    """

    SENSITIVE_FIELDS: ClassVar = ()

    pupil = models.ForeignKey(Pupil, models.CASCADE, related_name="placements")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="placements")
    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, null=True, blank=True, related_name="placements"
    )
    valid_from = models.DateField(_("起始日"))
    valid_to = models.DateField(_("截止日"), null=True, blank=True)
    entry_code = models.CharField(_("进入方式"), max_length=2, blank=True)
    exit_code = models.CharField(_("离开方式"), max_length=2, blank=True)

    class Meta:
        verbose_name = _("就读经历")
        ordering = ["-valid_from", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["pupil"], condition=Q(valid_to__isnull=True), name="one_open_placement"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="placement_forward",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "valid_from"], name="placement_by_place")]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.valid_from}"


class GuardianQuerySet(PersonQuerySet):
    def visible_to(self, actor: Actor) -> "GuardianQuerySet":
        """Guardians of visible pupils."""
        scope = actor.scope(Permission.PUPIL_SEE)
        if scope.everything:
            return self
        held = Guardianship.objects.filter(
            guardian=models.OuterRef("pk"), pupil__organisation__within=scope.organisations
        )
        return self.filter(models.Exists(held))


class Guardian(Person):
    """A parent or other guardian.  Not unique by number: two schools may each have entered one.

    `find_duplicates` finds such pairs and the registrar merges them.
    """

    SENSITIVE_FIELDS: ClassVar = ("id_number", "phone")

    phone = SealedField(_("手机号码"), null=True, blank=True)
    user = models.OneToOneField(
        User, models.PROTECT, null=True, blank=True, related_name="guardian"
    )

    objects: ClassVar = GuardianQuerySet.as_manager()

    class Meta:
        verbose_name = _("监护人")
        ordering = ["initials", "name", "id"]
        indexes = [
            models.Index(
                fields=["initials", "name", "id"],
                condition=Q(merged_into__isnull=True),
                name="guardian_by_name",
            ),
            models.Index(fields=["id_number"], name="guardian_by_number"),
            # At each sign-in by telephone, among all guardians of the district.
            models.Index(
                fields=["phone"],
                condition=Q(merged_into__isnull=True, phone__isnull=False),
                name="guardian_by_phone",
            ),
            models.Index(fields=["id_tail"], name="guardian_by_tail"),
        ]

    @property
    def phone_masked(self) -> str:
        """The telephone number as lists show it."""
        return masked_phone(self.phone) if self.phone else ""


class Guardianship(models.Model):
    """Who answers for a pupil, and how they are related (GB/T 4761)."""

    SENSITIVE_FIELDS: ClassVar = ()

    class Relation(models.TextChoices):
        FATHER = "51", _("父亲")
        MOTHER = "52", _("母亲")
        GRANDFATHER = "61", _("祖父")
        GRANDMOTHER = "62", _("祖母")
        MATERNAL_GRANDFATHER = "63", _("外祖父")
        MATERNAL_GRANDMOTHER = "64", _("外祖母")
        RELATIVE = "97", _("其他亲属")
        NO_RELATIVE = "99", _("非亲属")

    pupil = models.ForeignKey(Pupil, models.CASCADE, related_name="guardianships")
    guardian = models.ForeignKey(Guardian, models.PROTECT, related_name="guardianships")
    relation = models.CharField(_("关系"), max_length=2, choices=Relation)
    main = models.BooleanField(_("第一监护人"), default=False)
    valid_from = models.DateField(_("起始日"))
    valid_to = models.DateField(_("截止日"), null=True, blank=True)

    class Meta:
        verbose_name = _("监护关系")
        ordering = ["-main", "relation"]
        constraints = [
            models.UniqueConstraint(
                fields=["pupil", "guardian"],
                condition=Q(valid_to__isnull=True),
                name="guardianship_once",
            ),
            models.UniqueConstraint(
                fields=["pupil"],
                condition=Q(valid_to__isnull=True, main=True),
                name="one_main_guardian",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pupil_id} {self.relation}"


class Residence(models.Model):
    """Where a pupil is registered or lives, from a day."""

    SENSITIVE_FIELDS: ClassVar = ("dwelling",)

    class Kind(models.TextChoices):
        REGISTER = "register", _("户籍地")
        ACTUAL = "actual", _("居住地")

    pupil = models.ForeignKey(Pupil, models.CASCADE, related_name="residences")
    dwelling = models.ForeignKey(Dwelling, models.PROTECT, related_name="residences")
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    valid_from = models.DateField(_("起始日"))
    valid_to = models.DateField(_("截止日"), null=True, blank=True)

    class Meta:
        verbose_name = _("学生住址")
        ordering = ["kind", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["pupil", "kind"],
                condition=Q(valid_to__isnull=True),
                name="one_residence_of_a_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pupil_id} {self.kind}"


class StaffQuerySet(PersonQuerySet):
    def visible_to(self, actor: Actor) -> "StaffQuerySet":
        """Staff of the sites that the actor may see, and the person's own record."""
        scope = actor.scope(Permission.STAFF_SEE)
        if scope.everything:
            return self
        seen = Q(organisation__within=scope.organisations)
        if actor.user:
            seen |= Q(user=actor.user)
        return self.filter(seen)


class StaffMember(Person):
    """A teacher or other member of staff; may be linked to the account that signs in."""

    SENSITIVE_FIELDS: ClassVar = ("id_number", "phone", "born_on")

    class Category(models.TextChoices):
        TEACHING = "teaching", _("专任教师")
        ADMIN = "admin", _("行政人员")
        ASSISTANT = "assistant", _("教辅人员")
        CARE = "care", _("保育员")
        SUPPORT = "support", _("工勤人员")

    work_number = models.CharField(_("工号"), max_length=20, null=True, blank=True, unique=True)
    phone = SealedField(_("手机号码"), null=True, blank=True)
    education = models.CharField(_("学历"), max_length=2, blank=True)
    category = models.CharField(_("人员类别"), max_length=10, choices=Category)
    subject = models.CharField(_("任教学科"), max_length=20, blank=True)
    employed_on = models.DateField(_("参加工作日"), null=True, blank=True)
    user = models.OneToOneField(
        User, models.PROTECT, null=True, blank=True, related_name="staff_member"
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="staff"
    )

    objects: ClassVar = StaffQuerySet.as_manager()

    class Meta:
        verbose_name = _("教职工")
        ordering = ["initials", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["id_kind", "id_number"],
                condition=Q(merged_into__isnull=True, id_number__isnull=False),
                name="staff_id_once",
            )
        ]
        indexes = [
            models.Index(fields=["initials", "name", "id"], name="staff_by_name"),
            models.Index(fields=["organisation", "category"], name="staff_by_place"),
            models.Index(fields=["id_tail"], name="staff_by_tail"),
        ]

    def get_absolute_url(self) -> str:
        """The person's page."""
        return reverse("staff_detail", args=[self.pk])

    @property
    def phone_masked(self) -> str:
        """The telephone number as lists show it."""
        return masked_phone(self.phone) if self.phone else ""


class EmploymentQuerySet(models.QuerySet["Employment"]):
    def current(self, day: dt.date) -> "EmploymentQuerySet":
        """Employments in force on a day."""
        return self.filter(in_force(day))


class Employment(models.Model):
    """A member of staff at a site from a day, perhaps to a day.  At most one is the main one."""

    SENSITIVE_FIELDS: ClassVar = ()

    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="employments")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="employments")
    established = models.BooleanField(_("在编"), default=True)
    main = models.BooleanField(_("主要任职"), default=True)
    valid_from = models.DateField(_("起始日"))
    valid_to = models.DateField(_("截止日"), null=True, blank=True)

    objects: ClassVar = EmploymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("任职经历")
        ordering = ["-valid_from", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["staff"],
                condition=Q(valid_to__isnull=True, main=True),
                name="one_main_employment",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="employment_forward",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.valid_from}"

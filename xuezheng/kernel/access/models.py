"""Organisations with dated, kinded edges; users; the posts that they hold."""

import datetime as dt

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _


def in_force(day: dt.date, prefix: str = "") -> Q:
    """Condition for rows whose span (`valid_from`, `valid_to`) covers a day."""
    return Q(**{f"{prefix}valid_from__lte": day}) & (
        Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gte": day})
    )


class Organisation(models.Model):
    """A bureau, an office of it, a town, a school, an outside unit.

    `code` is the national or local code and the identity across installations.  `kind` is a value
    of the registry's list; the kernel does not interpret it.
    """

    code = models.CharField(_("单位代码"), max_length=32, unique=True)
    name = models.CharField(_("单位名称"), max_length=100)
    name_en = models.CharField(_("英文名称"), max_length=150, blank=True)
    short_name = models.CharField(_("简称"), max_length=40, blank=True)
    kind = models.CharField(_("类别"), max_length=24, db_index=True)
    opened = models.DateField(_("设立日"), null=True, blank=True)
    closed = models.DateField(_("撤销日"), null=True, blank=True)
    order = models.PositiveIntegerField(_("排序"), default=0)
    # The outline on the district's sketch map: a list of polygons, each a list of [x, y], in the
    # sketch's own units (0..1000 by 0..600).  Not a survey: no real boundary is kept here.
    map_shape = models.JSONField(_("示意图轮廓"), null=True, blank=True)
    map_x = models.FloatField(_("示意图横坐标"), null=True, blank=True)
    map_y = models.FloatField(_("示意图纵坐标"), null=True, blank=True)

    class Meta:
        verbose_name = _("单位")
        ordering = ["order", "code"]

    def __str__(self) -> str:
        if get_language() == "en" and self.name_en:
            return self.name_en
        return self.name


class EdgeKind(models.TextChoices):
    """Why one organisation stands over another."""

    AUTHORITY = "authority", _("主管")
    AREA = "area", _("属地")


class OrganisationEdge(models.Model):
    """`parent` stands over `child` in one respect, from a day, perhaps to a day."""

    parent = models.ForeignKey(Organisation, models.PROTECT, related_name="edges_down")
    child = models.ForeignKey(Organisation, models.PROTECT, related_name="edges_up")
    kind = models.CharField(_("关系"), max_length=16, choices=EdgeKind)
    valid_from = models.DateField(_("起始日"))
    valid_to = models.DateField(_("截止日"), null=True, blank=True)

    class Meta:
        verbose_name = _("单位关系")
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "child", "kind", "valid_from"], name="edge_once_per_day"
            ),
            models.CheckConstraint(condition=~Q(parent=F("child")), name="edge_not_to_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.parent_id} > {self.child_id} ({self.kind})"


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields) -> "User":
        """A user; without a password the account cannot sign in."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """A person who signs in.  What they may do follows from their posts alone."""

    username = models.CharField(_("用户名"), max_length=64, unique=True)
    name = models.CharField(_("姓名"), max_length=60)
    name_en = models.CharField(_("英文姓名"), max_length=80, blank=True)
    is_active = models.BooleanField(pgettext_lazy("account", "启用"), default=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        verbose_name = _("用户")

    def __str__(self) -> str:
        if get_language() == "en" and self.name_en:
            return self.name_en
        return self.name


class PostQuerySet(models.QuerySet["Post"]):
    def current(self, day: dt.date) -> "PostQuerySet":
        """Posts held on a day by active users."""
        return self.filter(in_force(day), user__is_active=True)


class Post(models.Model):
    """A user holds a role in an organisation from a day, perhaps to a day."""

    user = models.ForeignKey(User, models.PROTECT, related_name="posts")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="posts")
    role = models.CharField(_("岗位"), max_length=32)
    title = models.CharField(_("职务"), max_length=60, blank=True)
    title_en = models.CharField(_("英文职务"), max_length=80, blank=True)
    valid_from = models.DateField(_("任职日"))
    valid_to = models.DateField(_("离任日"), null=True, blank=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = _("岗位任职")
        ordering = ["organisation__order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role", "valid_from"], name="post_once_per_day"
            )
        ]

    def __str__(self) -> str:
        if get_language() == "en" and self.title_en:
            return self.title_en
        return self.title or self.role

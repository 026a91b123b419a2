"""Organisations with dated, kinded edges; users; the posts that they hold; how they sign in.

What stands here of passwords, codes and addresses are hashes and sealed values only.
"""

import datetime as dt
import uuid
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.ciphers import SealedField


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
    """A person who signs in.  What they may do follows from their posts; families hold none."""

    username = models.CharField(_("用户名"), max_length=64, unique=True)
    name = models.CharField(_("姓名"), max_length=60)
    name_en = models.CharField(_("英文姓名"), max_length=80, blank=True)
    is_active = models.BooleanField(pgettext_lazy("account", "启用"), default=True)
    password_changed_at = models.DateTimeField(_("密码设定时间"), db_default=Now())
    # A first or new password from the security administrator: random, so SHA-256 is enough.
    one_time_digest = models.CharField(max_length=64, blank=True, editable=False)
    one_time_until = models.DateTimeField(null=True, editable=False)
    # Somebody else took the second factor away; told at the next sign-in.
    factor_reset_at = models.DateTimeField(null=True, editable=False)
    # Whoever made their own account by proving a telephone; empty for staff, whose number the
    # registry keeps.
    phone = SealedField(_("手机号码"), null=True, unique=True, editable=False)
    # Of the demo district: its second factor is no secret.
    is_sample = models.BooleanField(default=False, editable=False)
    #: False when it is known that the person holds and held no post; not a column.
    holds_posts = True

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        verbose_name = _("用户")

    def __str__(self) -> str:
        if get_language() == "en" and self.name_en:
            return self.name_en
        return self.name or gettext("个人用户")

    def set_password(self, raw_password: str | None) -> None:
        """A new password; a one-time password that waited is void."""
        super().set_password(raw_password)
        self.password_changed_at = timezone.now()
        self.one_time_digest, self.one_time_until = "", None


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


class Session(AbstractBaseSession):
    """A signed-in browser.  Beside Django's columns: whose it is, since when, and from which device.

    `handle` names it on the person's own page, where its key must not stand.
    """

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    # Not unique: while the key is changed, the old and the new row hold the same data.
    handle = models.UUIDField(null=True)
    signed_in_at = models.DateTimeField(_("登录时间"), null=True)
    seen_at = models.DateTimeField(_("最近使用"), null=True)
    device = models.CharField(_("设备"), max_length=60, blank=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("登录会话")

    @classmethod
    def get_session_store_class(cls) -> Any:
        """The engine of settings.SESSION_ENGINE."""
        from xuezheng.kernel.access.signin.sessions import SessionStore

        return SessionStore

    def fill(self, data: dict[str, Any]) -> None:
        """Take over what the session's own data say (signin/sessions.py names the keys)."""

        def moment(seconds: int | None) -> dt.datetime | None:
            return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None

        self.user_id = data.get(SESSION_KEY)
        self.handle = uuid.UUID(data["handle"]) if "handle" in data else None
        self.signed_in_at, self.seen_at = moment(data.get("signed_in")), moment(data.get("seen"))
        self.device = data.get("device", "")


class AttemptKind(models.TextChoices):
    """What failed attempts are counted by."""

    NAME = "name", _("用户名")
    ADDRESS = "address", _("网络地址")
    FACTOR = "factor", _("动态验证码")
    NUMBER = "number", _("手机号码")
    SENDER = "sender", _("发送短信的网络地址")
    LOOKUP = "lookup", _("公开查询次数")


class Attempts(models.Model):
    """Failed attempts under one user name, address or number; all known as keyed hashes only.

    `user` is there when the name is somebody's, so that the security administrator sees whom it locks.
    """

    kind = models.CharField(_("按什么计数"), max_length=8, choices=AttemptKind)
    digest = models.CharField(max_length=64)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="attempts")
    failures = models.PositiveIntegerField(_("失败次数"), default=0)
    first_at = models.DateTimeField(_("首次失败"))
    last_at = models.DateTimeField(_("最近失败"))
    locked_until = models.DateTimeField(_("锁定至"), null=True)

    class Meta:
        verbose_name = _("登录失败计数")
        constraints = [
            models.UniqueConstraint(fields=["kind", "digest"], name="attempts_once_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:8]}"


class PastPassword(models.Model):
    """The hash of a password that a user had, so that it is not taken again."""

    user = models.ForeignKey(User, models.CASCADE, related_name="past_passwords")
    password = models.CharField(max_length=128)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("历史密码")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%Y-%m-%d}"


class SecondFactor(models.Model):
    """The secret of a user's code generator.  `last_step`: a code of this or an older step is spent."""

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    secret = SealedField()
    enrolled_at = models.DateTimeField(_("绑定时间"), db_default=Now())
    last_step = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("动态验证码绑定")

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """A keyed hash of a code that stands in for the generator, once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(_("使用时间"), null=True)

    class Meta:
        verbose_name = _("恢复码")
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.digest[:8]}"


class SmsChallenge(models.Model):
    """A code sent to a telephone: keyed hash, five minutes, a few tries, one use."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = SealedField(_("手机号码"))
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField(_("失效时间"))
    tries = models.PositiveIntegerField(_("已试次数"), default=0)
    used = models.BooleanField(_("已使用"), default=False)

    class Meta:
        verbose_name = _("短信验证码")

    def __str__(self) -> str:
        return str(self.id)

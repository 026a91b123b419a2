"""Programs that may call, by token.  Of a token only the hash is kept."""

import datetime as dt
import hashlib
import secrets
from typing import ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xuezheng.api.access import Permission
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.registry.services.common import allowed


class Scope(models.TextChoices):
    """What a client may do."""

    LOOK_UP = "admissions.look_up", _("查批次和服务区")
    SUBMIT = "admissions.submit", _("提交入学登记")
    FOLLOW = "admissions.follow", _("查自己提交的登记")


def digest_of(token: str) -> str:
    """What is kept of a token.  It is random and long, so that one SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


class ClientQuerySet(models.QuerySet["Client"]):
    def by_token(self, token: str, now: dt.datetime) -> "Client | None":
        """The client of a token that is neither revoked nor expired."""
        live = self.filter(revoked_at__isnull=True, expires_on__gte=timezone.localdate(now))
        return live.filter(digest=digest_of(token)).first()

    def in_state(self, state: str, today: dt.date) -> "ClientQuerySet":
        """Those that may call today (live), whose term is over (expired), that were closed (revoked)."""
        if state == "revoked":
            return self.filter(revoked_at__isnull=False)
        term = {"expires_on__gte": today} if state == "live" else {"expires_on__lt": today}
        return self.filter(revoked_at__isnull=True, **term)


class Client(models.Model):
    """One program: its name, what it may do, until when."""

    SENSITIVE_FIELDS: ClassVar = ("digest",)

    name = models.SlugField(_("名称"), max_length=20)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("权限"), default=list)
    expires_on = models.DateField(_("有效期至"))
    made_at = models.DateTimeField(_("开通时间"))
    revoked_at = models.DateTimeField(_("停用时间"), null=True)

    objects: ClassVar = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("接口客户端")
        ordering = ["name", "-made_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(revoked_at__isnull=True), name="one_live_client"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope_labels(self) -> str:
        """What it may do, in words."""
        return "、".join(str(Scope(scope).label) for scope in self.scopes)

    @property
    def expired(self) -> bool:
        """Whether its term is over."""
        return self.expires_on < timezone.localdate()


@transaction.atomic
def add_client(
    *, name: str, scopes: list[str], days: int, by: Actor, reason: str = ""
) -> tuple[Client, str]:
    """Open access for a program; the token is told once.

    Raises PermissionDenied; ValueError for an unknown scope, no scope, a term of less than a day, or a
    name in use.
    """
    post = allowed(by, Permission.CLIENTS, None)
    unknown = set(scopes) - set(Scope.values)
    if unknown or not scopes:
        raise ValueError(f"scopes: {', '.join(Scope.values)}")
    if days < 1:
        raise ValueError("at least one day")
    if Client.objects.filter(name=name, revoked_at__isnull=True).exists():
        raise ValueError(f"{name} is in use: revoke it first")
    token = f"xz_{secrets.token_urlsafe(32)}"
    now = timezone.now()
    client = Client.objects.create(
        name=name,
        digest=digest_of(token),
        scopes=sorted(scopes),
        expires_on=timezone.localdate(now) + dt.timedelta(days=days),
        made_at=now,
    )
    detail = {"scopes": client.scopes, "until": client.expires_on.isoformat()}
    record(
        "client.add", by=by, post=post, object_type="client", object_id=name, reason=reason,
        detail=detail,
    )  # fmt: skip
    return client, token


@transaction.atomic
def revoke_client(*, name: str, by: Actor, reason: str = "") -> bool:
    """Close a program's access at once.  Returns whether there was any.  Raises PermissionDenied."""
    post = allowed(by, Permission.CLIENTS, None)
    live = Client.objects.filter(name=name, revoked_at__isnull=True)
    gone = live.update(revoked_at=timezone.now()) > 0
    if gone:
        record(
            "client.revoke", by=by, post=post, object_type="client", object_id=name, reason=reason
        )
    return gone

"""The case, its clocks, its moves, its attachments."""

import datetime as dt
from collections import defaultdict
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, Post, User
from xuezheng.kernel.access.permissions import PERSON, grants
from xuezheng.kernel.cases.flows import FLOWS, Flow, Phase, State, Step, owed_permissions
from xuezheng.kernel.files.models import StoredFile


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> "CaseQuerySet":
        """Cases not yet closed."""
        return self.exclude(phase=Phase.CLOSED)

    def overdue(self, day: dt.date) -> "CaseQuerySet":
        """Open cases one of whose running clocks ended before the day."""
        return self.open().filter(due__lt=day)

    def owed_by(self, actor: Actor) -> "CaseQuerySet":
        """The inbox: open cases whose next step the actor may and must take.

        A case handed to one named handler stands in that person's inbox only; the handler belongs to
        the present state and narrows the inbox, not the permission.  Four eyes: whoever did a step
        that bars them from the next one does not owe it.  What a family owes is no duty of an office:
        a step of a permission of PERSON stands in no inbox.
        """
        # Most people hold all their permissions in one scope, so this is one condition, not thirty.
        held = defaultdict(list)
        for permission in sorted(owed_permissions() - grants()[PERSON]):
            if actor.can(permission):
                held[actor.scope(permission).organisations].append(permission)
        if not held:
            return self.none()
        by_permission = Q()
        for organisations, permissions in held.items():
            by_permission |= Q(awaits__in=permissions, organisation__within=organisations)
        user_id = actor.user.id if actor.user else None
        barred = Move.objects.filter(case=OuterRef("pk"), user=user_id, bars_next=True)
        return (
            self.open()
            .filter(by_permission)
            .filter(Q(handler__isnull=True) | Q(handler=user_id))
            .filter(~Exists(barred))
        )


class Case(models.Model):
    """The envelope.  `state` repeats the typed row's state for lists that mix systems.

    `awaits` is the permission of the step that somebody owes now; `due` is the earliest end of the
    running clocks.
    """

    number = models.CharField(pgettext_lazy("case", "编号"), max_length=32, unique=True)
    kind = models.CharField(_("类别"), max_length=32)
    title = models.CharField(_("事项"), max_length=200)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="cases", verbose_name=_("责任单位")
    )
    state = models.CharField(_("状态"), max_length=24)
    phase = models.CharField(max_length=12, choices=[(p.value, p.value) for p in Phase])
    awaits = models.CharField(max_length=60, blank=True)
    handler = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    due = models.DateField(_("期限"), null=True, blank=True)
    opened_at = models.DateTimeField(_("立案时间"))
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    urged_at = models.DateTimeField(_("催办时间"), null=True, blank=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    version = models.PositiveIntegerField(default=1)
    idempotency_key = models.UUIDField(null=True, blank=True, unique=True)

    objects: ClassVar = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("办件")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["awaits", "organisation", "due"],
                condition=~Q(phase="closed"),
                name="case_inbox",
            ),
            models.Index(fields=["kind", "state"], name="case_by_state"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def flow(self) -> Flow:
        """The flow of the case's kind."""
        return FLOWS[self.kind]

    @property
    def state_info(self) -> State:
        """Label, phase and clock of the present state."""
        return self.flow.states[self.state]

    @property
    def duty(self) -> Step | None:
        """The step that somebody owes now."""
        return self.flow.duty(self.state)

    @property
    def is_open(self) -> bool:
        """Not yet closed."""
        return self.phase != Phase.CLOSED

    @property
    def days_left(self) -> int | None:
        """Calendar days until the due date; negative when overdue; None without a running clock."""
        if self.due is None or not self.is_open:
            return None
        return (self.due - timezone.localdate()).days

    @property
    def is_overdue(self) -> bool:
        """Whether the running clock has ended."""
        return self.days_left is not None and self.days_left < 0

    def get_absolute_url(self) -> str:
        """The page of the typed row."""
        return reverse(self.flow.url_name, args=[self.number])


class CaseClock(models.Model):
    """A term that runs: what for, on what basis, until when; stopped when met or cancelled."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="clocks")
    kind = models.CharField(_("时限"), max_length=32)
    basis = models.CharField(_("依据"), max_length=300)
    started = models.DateField(_("起算日"))
    due = models.DateField(_("届满日"))
    stopped = models.DateField(_("停止日"), null=True, blank=True)

    class Meta:
        verbose_name = _("时限")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind"], condition=Q(stopped__isnull=True), name="one_running_clock"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.due}"


class Move(models.Model):
    """One step taken: from, to, by whom under which post, with what note."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="moves")
    at = models.DateTimeField(_("时间"))
    step = models.CharField(_("步骤"), max_length=32)
    source = models.CharField(max_length=24, blank=True)
    target = models.CharField(max_length=24, blank=True)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    post = models.ForeignKey(Post, models.PROTECT, null=True, related_name="+")
    note = models.TextField(_("说明"), blank=True)
    # True while whoever made this move may not take the step that the case now awaits.
    bars_next = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("办理记录")
        ordering = ["at", "id"]
        indexes = [
            models.Index(
                fields=["user", "case"], condition=Q(bars_next=True), name="move_bars_next"
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.step}"


class Attachment(models.Model):
    """A stored file that belongs to a case, and to the move with which it came."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="attachments")
    move = models.ForeignKey(Move, models.CASCADE, related_name="attachments")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("附件")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.file_id)

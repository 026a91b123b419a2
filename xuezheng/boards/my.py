"""Cards of the reader's own page (`/my/`): one function each, in the order of the page."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xuezheng.domains.workplan.access import Permission as PlanPermission
from xuezheng.kernel.notices.models import Notice


@dataclass(frozen=True)
class Card:
    """A card: what it leads to and why one would go there.  `first`: what most people come for."""

    title: str
    text: str
    url: str
    icon: str
    first: bool = False


def inbox(request: HttpRequest) -> Card | None:
    """What the posts owe; families owe nothing there."""
    if not request.actor.posts:
        return None
    return Card(_("待办"), _("等您办理的事，最急的在前。"), reverse("inbox"), "inbox")


def decisions(request: HttpRequest) -> Card | None:
    """What waits for a leader's word."""
    if not request.actor.can(PlanPermission.DECIDE):
        return None
    return Card(_("等我定的事"), _("延期等审批、红灯任务、批示。"), reverse("leader"), "gavel")


def messages(request: HttpRequest) -> Card:
    """What one was told."""
    unread = Notice.objects.visible_to(request.actor).unread().count()
    text = (
        ngettext("%d 条未读。", "%d 条未读。", unread) % unread
        if unread
        else _("系统给您的通知都在这里。")
    )
    return Card(_("消息"), text, reverse("message_list"), "bell")


def admissions(request: HttpRequest) -> Card:
    """One's own children's registrations; what families come for."""
    text = _("登记入学、看进度、确认结果。")
    is_first = not request.actor.posts
    return Card(_("孩子入学"), text, reverse("my_admissions"), "graduation-cap", is_first)


def account(request: HttpRequest) -> Card:
    """Where one is signed in."""
    text = _("在哪里登录着，退出别处的登录。")
    return Card(_("我的账号"), text, reverse("account"), "user-round")


def looked(request: HttpRequest) -> Card:
    """Who looked at one's data."""
    text = _("谁在什么时候看过、改过，都有记录。")
    return Card(_("谁看过我的档案"), text, reverse("my_looked"), "eye")


#: A system's card is a function here; None leaves it out.
CARDS: list[Callable[[HttpRequest], Card | None]] = [
    inbox,
    decisions,
    messages,
    admissions,
    account,
    looked,
]


def cards(request: HttpRequest) -> list[Card]:
    """The reader's cards."""
    return [card for make in CARDS if (card := make(request)) is not None]

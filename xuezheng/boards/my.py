"""Cards of the reader's own page (`/my/`): one function each, in the order of the page."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _


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
CARDS: list[Callable[[HttpRequest], Card | None]] = [inbox, admissions, account, looked]


def cards(request: HttpRequest) -> list[Card]:
    """The reader's cards."""
    return [card for make in CARDS if (card := make(request)) is not None]

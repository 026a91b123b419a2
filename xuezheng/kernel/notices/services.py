"""Telling people; reading what one was told; choosing where one is told."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.notices.models import Contact, Notice


def notify(
    user_ids: Iterable[int], *, key: str, title: str, path: str = "", urgent: bool = False
) -> int:
    """Write a notice for each person who has not had one of that key; returns how many were tried.

    `title` (120 characters) holds nothing personal; `path` is an address of ours.  `urgent` ones also
    go out at once, by SMS.  One statement in the running transaction: undone with it.
    """
    return notify_each(((user_id, key, path) for user_id in user_ids), title=title, urgent=urgent)


def notice(user_id: int, *, key: str, title: str, path: str = "", urgent: bool = False) -> Notice:
    """A notice that is not yet written, of a key that nobody can have had."""
    return Notice(
        user_id=user_id, key=key, title=title, path=path, at=timezone.now(), urgent=urgent
    )


def notify_each(
    notices: Iterable[tuple[int, str, str]], *, title: str, urgent: bool = False
) -> int:
    """One title to many people, each with a key and a path of their own: (user id, key, path)."""
    now = timezone.now()
    rows = [
        Notice(user_id=user_id, key=key, title=title, path=path, at=now, urgent=urgent)
        for user_id, key, path in notices
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)
    return len(rows)


def read_notice(notice: Notice, *, by: Actor) -> None:
    """The person has opened a notice of their own; the first time counts.  Raises PermissionDenied."""
    if by.user is None or notice.user_id != by.user.pk:
        raise PermissionDenied("notice of somebody else")
    Notice.objects.filter(pk=notice.pk, read_at__isnull=True).update(read_at=timezone.now())


def read_all(*, by: Actor) -> int:
    """All of one's own notices are read; returns how many were not before."""
    return Notice.objects.visible_to(by).unread().update(read_at=timezone.now())


def choose_channels(
    *, by_sms: bool, by_mail: bool, by_chat: bool, email: str, chat_id: str, by: Actor
) -> Contact:
    """Where the person wants to be reached from now on.  Raises PermissionDenied for nobody.

    The trail has which channels, no address.
    """
    if by.user is None:
        raise PermissionDenied("nobody's channels")
    contact, _made = Contact.objects.update_or_create(
        user=by.user,
        defaults={
            "by_sms": by_sms,
            "by_mail": by_mail,
            "by_chat": by_chat,
            "email": email.strip() or None,
            "chat_id": chat_id.strip() or None,
        },
    )
    record(
        "contact.choose",
        by=by,
        object_type="user",
        object_id=by.user.pk,
        detail={"sms": by_sms, "mail": by_mail, "chat": by_chat},
    )
    return contact

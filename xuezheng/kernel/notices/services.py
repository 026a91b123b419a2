"""Telling people."""

from collections.abc import Iterable

from django.utils import timezone

from xuezheng.kernel.notices.models import Notice


def notify(user_ids: Iterable[int], *, key: str, title: str, path: str = "") -> int:
    """Write a notice for each person who has not had one of that key; returns how many were tried.

    `title` (120 characters) holds nothing personal; `path` is an address of ours.  One statement in
    the running transaction: undone with it.
    """
    now = timezone.now()
    rows = [
        Notice(user_id=user_id, key=key, title=title, path=path, at=now) for user_id in user_ids
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2000)
    return len(rows)


def notify_each(notices: Iterable[tuple[int, str, str]], *, title: str) -> int:
    """One title to many people, each with a key and a path of their own: (user id, key, path)."""
    now = timezone.now()
    rows = [
        Notice(user_id=user_id, key=key, title=title, path=path, at=now)
        for user_id, key, path in notices
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)
    return len(rows)

"""Writing the trail."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Post
from xuezheng.kernel.audit.models import Entry


def entry(
    action: str,
    *,
    by: Actor,
    post: Post | None = None,
    organisation_id: int | None = None,
    object_type: str = "",
    object_id: object = "",
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> Entry:
    """An entry that is not yet written.  `detail`: codes, numbers, ISO dates only."""
    # A person is named by the user's key, never copied as text; `actor` is for what is no person.
    return Entry(
        action=action,
        actor="" if by.user else by.name,
        user=by.user,
        post=post,
        organisation_id=organisation_id,
        object_type=object_type,
        object_id=str(object_id),
        reason=reason[:300],
        detail=detail or {},
    )


def record(action: str, **fields: Any) -> None:
    """Append an entry in the running transaction: what `entry` takes."""
    entry(action, **fields).save(force_insert=True)


def record_many(entries: Iterable[Mapping[str, Any]], *, by: Actor) -> None:
    """Append many entries at once: each the columns that `record` takes, fit to be kept as they are."""
    Entry.objects.bulk_create(
        (Entry(actor="" if by.user else by.name, user=by.user, **entry) for entry in entries),
        batch_size=5000,
    )


def record_read(request: HttpRequest, action: str, **fields: Any) -> None:
    """Note that the request shows or exports something; written after the read-only fence.

    If it cannot be written, the request fails and nothing is shown.
    """
    actor = request.actor
    request.after_fence.append(lambda: record(action, by=actor, **fields))

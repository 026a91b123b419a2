"""Carrying texts outside: urgent notices become deliveries, deliveries are handed to their channels.

A batch of deliveries is sent and marked in one transaction that holds their rows: two workers never
send the same one, and after kill -9 at most one batch goes out again, under the same ids.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.utils import timezone

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.notices.channels import Channel, ChannelFailed, Message, configured
from xuezheng.kernel.notices.channels.base import link
from xuezheng.kernel.notices.models import Contact, Delivery, Notice

#: User ids -> telephone of each that has one.  The registry knows them; the kernel asks.
Telephones = Callable[[Collection[int]], Mapping[int, str]]
#: Deliveries of one transaction.  A killed worker's batch is sent again.
BATCH = 40
#: Texts on their way at a time: a gateway takes its tenth of a second for each.
HANDS = 8
#: Minutes until the next try after the first, second, third failure; after the fourth it is given up.
WAITS = (5, 30, 120)
#: Urgent notices that are taken up in one transaction.
TAKEN = 2000


@dataclass
class Sent:
    """What came of one run."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


def addresses(
    user_ids: Collection[int], channels: Collection[str], telephones: Telephones
) -> dict[int, dict[str, str]]:
    """User id -> channel -> address, of those channels that the person wants and has (two queries
    and the registry's)."""
    found: dict[int, dict[str, str]] = {user_id: {} for user_id in user_ids}
    contacts = Contact.objects.in_bulk(list(user_ids))
    if "sms" in channels:
        wanting = [u for u in user_ids if u not in contacts or contacts[u].by_sms]
        for user_id, number in telephones(wanting).items():
            found[user_id]["sms"] = number
    for user_id, contact in contacts.items():
        if "mail" in channels and contact.by_mail and contact.email:
            found[user_id]["mail"] = contact.email
        if "chat" in channels and contact.by_chat and contact.chat_id:
            found[user_id]["chat"] = contact.chat_id
    return found


def put(key: str, texts: Iterable[tuple[int, str, str, str]]) -> int:
    """Deliveries of one key: (user id, channel, text, path).  Those that exist stay as they are."""
    now = timezone.now()
    rows = [
        Delivery(
            user_id=user_id,
            channel=channel,
            key=key,
            text=text,
            path=path,
            made_at=now,
            next_at=now,
        )
        for user_id, channel, text, path in texts
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)
    return len(rows)


def take_urgent(telephones: Telephones, *, by: Actor) -> int:
    """Make a delivery by SMS of every urgent notice that waits; returns how many notices were taken.

    Whoever has read it already, or has no telephone, gets no text.
    """
    taken, channels = 0, set(configured()) & {"sms"}
    while True:
        with fenced(by=by):
            waiting = Notice.objects.filter(urgent=True, sent_at__isnull=True).order_by("at")
            rows = list(waiting.select_for_update(skip_locked=True)[:TAKEN])
            unread = [row for row in rows if row.read_at is None]
            reach = addresses({row.user_id for row in unread}, channels, telephones)
            now = timezone.now()
            Delivery.objects.bulk_create(
                (
                    Delivery(
                        user_id=row.user_id,
                        channel=channel,
                        key=f"notice.{row.pk}",
                        text=row.title,
                        path=row.path,
                        made_at=now,
                        next_at=now,
                    )
                    for row in unread
                    for channel in reach[row.user_id]
                ),
                ignore_conflicts=True,
                batch_size=5000,
            )
            Notice.objects.filter(pk__in=[row.pk for row in rows]).update(sent_at=now)
        taken += len(rows)
        if len(rows) < TAKEN:
            return taken


def send_due(telephones: Telephones, *, by: Actor) -> Sent:
    """Hand over everything that is due, batch by batch, each committed; must not run in a transaction
    of its own if a crash is to lose no more than a batch.  The trail has one entry, without any text.
    """
    channels, total = configured(), Sent()
    started = timezone.now()
    with ThreadPoolExecutor(HANDS) as hands:
        while _send_batch(channels, telephones, started, hands, total, by):
            pass
    if total.sent or total.failed or total.given_up:
        with fenced(by=by):
            record(
                "notices.send",
                by=by,
                object_type="delivery",
                detail={
                    "sent": total.sent,
                    "failed": total.failed,
                    "given_up": total.given_up,
                },
            )
    return total


def _send_batch(
    channels: Mapping[str, Channel],
    telephones: Telephones,
    started: dt.datetime,
    hands: ThreadPoolExecutor,
    total: Sent,
    by: Actor,
) -> bool:
    """One batch; False when nothing was due.  What fails in this run is not due in it again."""
    with fenced(by=by):
        due = Delivery.objects.filter(
            sent_at__isnull=True, gave_up_at__isnull=True, next_at__lte=started
        )
        rows = list(
            due.order_by("next_at", "id").select_for_update(skip_locked=True, of=("self",))[:BATCH]
        )
        if not rows:
            return False
        reach = addresses({row.user_id for row in rows}, channels, telephones)
        results = list(
            hands.map(
                lambda row: _hand_over(
                    channels.get(row.channel), reach[row.user_id].get(row.channel, ""), row
                ),
                rows,
            )
        )
        _mark(rows, results, total)
    return True


def _hand_over(channel: Channel | None, address: str, row: Delivery) -> bool | None:
    """True: sent; False: failed, try again; None: there is nowhere to send it any more.

    Runs in a thread: touches no database.
    """
    if channel is None or not address:
        return None
    try:
        channel.send(address, Message(str(row.pk), row.text, link(row.path)))
    except ChannelFailed:
        return False
    return True


def _mark(rows: list[Delivery], results: list[bool | None], total: Sent) -> None:
    now = timezone.now()
    sent = [row.pk for row, result in zip(rows, results, strict=True) if result]
    Delivery.objects.filter(pk__in=sent).update(sent_at=now)
    ended = [row.pk for row, result in zip(rows, results, strict=True) if result is None]
    Delivery.objects.filter(pk__in=ended).update(gave_up_at=now)
    total.sent += len(sent)
    failed = [row for row, result in zip(rows, results, strict=True) if result is False]
    for row in failed:
        row.tries += 1
        if row.tries > len(WAITS):
            row.gave_up_at = now
            total.given_up += 1
        else:
            row.next_at = now + dt.timedelta(minutes=WAITS[row.tries - 1])
            total.failed += 1
    Delivery.objects.bulk_update(failed, ["tries", "gave_up_at", "next_at"])


def send_again(*, by: Actor) -> int:
    """Whatever was given up in the last day after failures is due once more; returns how many."""
    since = timezone.now() - dt.timedelta(days=1)
    with fenced(by=by):
        given_up = Delivery.objects.filter(gave_up_at__gte=since, tries__gt=0, sent_at__isnull=True)
        return given_up.update(gave_up_at=None, next_at=timezone.now(), tries=0)


def purge(days: int) -> None:
    """Delete texts and read notices older than so many days."""
    before = timezone.now() - dt.timedelta(days=days)
    Delivery.objects.filter(made_at__lt=before).delete()
    Notice.objects.filter(read_at__lt=before).delete()

"""The day's digest for 3,000 people with posts: counted, written, handed over; against one COPY of the texts.

The reference is the least that any program must do: COPY as many rows of deliveries.  What each person
owes is compared with that person's inbox for a sample.
"""

import datetime as dt
import io
import tempfile
import time
from pathlib import Path

PEOPLE = 3_000
#: The issue's limit, for counting, writing and handing over to a channel that takes no time.
MOST_SECONDS = 30.0
#: Counting everybody's inbox and handing over one by one; so many times the raw COPY is fair.
MOST_TIMES_COPY = 100
SAMPLE = 60


def run() -> bool:
    """Make the people on top of the demo, run the digest twice, compare; everything is rolled back."""
    from django.conf import settings
    from django.db import connection, transaction
    from django.utils import timezone

    from xuezheng.boards import digest
    from xuezheng.kernel.access.actors import JobActor, StaffActor
    from xuezheng.kernel.access.models import Organisation, Post, User
    from xuezheng.kernel.cases.models import Case
    from xuezheng.kernel.notices import sending
    from xuezheng.kernel.notices.models import Delivery, Notice

    today, by = timezone.localdate(), JobActor("bench")
    folder = Path(tempfile.mkdtemp(prefix="xz-digest-"))
    settings.PUBLIC_URL = "https://bench.example"
    settings.NOTICE_CHANNELS = {"sms": {"address": str(folder / "sms.tsv")}}
    given = list(Post.objects.values_list("role", flat=True).distinct())
    places = list(Organisation.objects.values_list("id", flat=True))
    with transaction.atomic():
        users = User.objects.bulk_create(
            User(username=f"digest{n}", name="x", password="!", phone=f"100{n:08d}")
            for n in range(PEOPLE)
        )
        Post.objects.bulk_create(
            Post(
                user=user,
                organisation_id=places[n % len(places)],
                role=given[n % len(given)],
                valid_from=dt.date(2020, 1, 1),
            )
            for n, user in enumerate(users)
        )
        Notice.objects.bulk_create(
            Notice(user=user, key=f"bench{n}", title="x", at=timezone.now())
            for user in users
            for n in range(3)
        )
        cases = Case.objects.open().count()

        began = time.perf_counter()
        counted = digest.waiting(today)
        counting = time.perf_counter() - began
        began = time.perf_counter()
        told = digest.compose(today, by=by)
        composing = time.perf_counter() - began
        began = time.perf_counter()
        sent = sending.send_due(digest.telephones_of, by=by).sent
        handing = time.perf_counter() - began

        began = time.perf_counter()
        again = digest.compose(today, by=by) + sending.send_due(digest.telephones_of, by=by).sent
        repeating = time.perf_counter() - began

        wrong = 0
        for user in users[:: PEOPLE // SAMPLE]:
            owed = Case.objects.owed_by(StaffActor(user)).count()
            wrong += owed != counted[user.pk].owed
        copying = _copy(connection, list(Delivery.objects.filter(key=digest.key_of(today))))
        transaction.set_rollback(True)
    total = composing + handing
    ratio = total / copying
    print(
        f"digest: {told} people told of {cases} open cases and their messages, {sent} texts in"
        f" {total:.1f} s (counting {counting:.2f} s, handing over {handing:.1f} s),"
        f" {ratio:.0f} times COPY ({copying * 1000:.0f} ms); again {repeating:.2f} s, {again} texts;"
        f" {wrong} of {SAMPLE} inboxes counted otherwise"
    )
    return (
        total < MOST_SECONDS
        and ratio < MOST_TIMES_COPY
        and told >= PEOPLE
        and sent >= PEOPLE
        and not again
        and not wrong
    )


def _copy(connection, rows: list) -> float:
    """Seconds that COPY takes for the same rows, into a table of their kind with its indexes."""
    text = io.StringIO()
    for row in rows:
        moment = row.made_at.isoformat()
        text.write(
            f"{row.user_id}\tcopied\t{row.key}\t{row.text}\t{row.path}\t{moment}\t{moment}\t0\n"
        )
    began = time.perf_counter()
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY notices_delivery (user_id, channel, key, text, path, made_at, next_at, tries)"
            " FROM STDIN"
        ) as copy:
            copy.write(text.getvalue())
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return time.perf_counter() - began

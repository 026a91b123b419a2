"""Sealing and verifying the trail, against hashing the same bytes alone."""

import hashlib
import time

from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import User
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.audit.seal import COLUMNS, canonical, seal_next, verify

ENTRIES = 20_000
#: Rows a second below which the nightly verification of a year (5 million) would not end in a night.
LEAST_PER_SECOND = 200


def run() -> bool:
    """Print rows per second of both; whether verifying is fast enough."""
    user = StaffActor(User.objects.first()).user
    Entry.objects.bulk_create(
        [
            Entry(user=user, action="bench.done", object_id=str(n), detail={"n": n})
            for n in range(ENTRIES)
        ],
        batch_size=2000,
    )
    began = time.perf_counter()
    while seal_next():
        continue
    sealed = time.perf_counter() - began
    began = time.perf_counter()
    result = verify()
    verified = time.perf_counter() - began
    rows = list(Entry.objects.values_list(*COLUMNS))
    texts = [canonical(row).encode() for row in rows]
    began = time.perf_counter()
    hasher = hashlib.sha256()
    for text in texts:
        hasher.update(text)
    alone = time.perf_counter() - began
    print(
        f"audit: sealed {result.entries / sealed:,.0f}/s, verified {result.entries / verified:,.0f}/s,"
        f" problems {len(result.problems)}; verifying takes {verified / alone:,.0f} x the hashing alone"
    )
    return not result.problems and result.entries / verified > LEAST_PER_SECOND

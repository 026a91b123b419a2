"""Whatever is altered, removed or reordered in the trail is found."""

import threading
from pathlib import Path

import pytest
from django.db import connection, connections, transaction

from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import User
from xuezheng.kernel.audit.models import Entry, Seal
from xuezheng.kernel.audit.seal import seal_next, verify
from xuezheng.kernel.audit.trail import record

pytestmark = pytest.mark.usefixtures("own_database", "files_dir")


def write(count: int) -> None:
    user, _new = User.objects.get_or_create(username="writer", defaults={"name": "甲"})
    for number in range(count):
        record("thing.done", by=StaffActor(user), object_id=number, detail={"n": number})


@pytest.fixture
def sealed() -> None:
    for _ in range(3):
        write(4)
        assert seal_next() is not None
    assert seal_next() is None
    assert verify().problems == []


def test_a_whole_trail_is_whole(sealed: None) -> None:
    result = verify()
    assert (result.seals, result.entries, result.unsealed) == (3, 12, 0)


@pytest.mark.parametrize("column", ["action", "object_id", "reason", "actor"])
def test_altered_text_is_found(sealed: None, column: str) -> None:
    row = Entry.objects.order_by("id")[5]
    Entry.objects.filter(id=row.id).update(**{column: "altered"})
    assert verify().problems


def test_altered_detail_time_or_number_is_found(sealed: None) -> None:
    row = Entry.objects.order_by("id")[5]
    with connection.cursor() as cursor:
        for change in (
            "detail = '{\"n\": 99}'",
            "at = at + interval '1 microsecond'",
            "transaction = transaction + 1",
        ):
            with transaction.atomic():
                cursor.execute(f"UPDATE audit_entry SET {change} WHERE id = %s", [row.id])
                assert verify().problems, change
                transaction.set_rollback(True)
    assert not verify().problems


def test_removed_entry_is_found(sealed: None) -> None:
    Entry.objects.order_by("id")[7].delete()
    assert any("应有 4 条" in problem for problem in verify().problems)


def test_reordered_entries_are_found(sealed: None) -> None:
    first, second = Entry.objects.order_by("id")[4:6]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_entry SET id = -1 WHERE id = %s", [first.id])
        cursor.execute("UPDATE audit_entry SET id = %s WHERE id = %s", [first.id, second.id])
        cursor.execute("UPDATE audit_entry SET id = %s WHERE id = -1", [second.id])
    assert verify().problems


def test_entry_moved_to_another_batch_is_found(sealed: None) -> None:
    row = Entry.objects.order_by("id")[4]
    row.seal_id = Seal.objects.order_by("id").last().id
    row.save()
    assert len(verify().problems) >= 2


def test_removed_tail_is_found_by_the_heads_kept_elsewhere(sealed: None) -> None:
    last = Seal.objects.order_by("id").last()
    last.entries.all().delete()
    number = last.id
    last.delete()
    assert verify().problems == [f"封存头 {number} 与数据库不符 / head differs"]


def test_rebuilt_chain_is_found_by_the_heads(sealed: None, settings) -> None:
    Entry.objects.filter(id=Entry.objects.order_by("id")[5].id).update(action="altered")
    Entry.objects.update(seal=None)
    Seal.objects.all().delete()
    heads = Path(settings.AUDIT_HEAD_FILE)
    kept = heads.read_text()
    while seal_next():
        continue
    heads.write_text(kept)
    assert len(verify().problems) == 3


def test_an_entry_of_a_running_transaction_waits_for_its_commit() -> None:
    """Ids commit out of order: the earlier id must not be missed."""
    write(0)
    begun, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            write(1)
            begun.set()
            may_commit.wait(10)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(10)
    write(1)
    first = seal_next()
    assert first.count == 1
    may_commit.set()
    thread.join()
    second = seal_next()
    assert second.count == 1
    assert second.entries.get().id < first.entries.get().id
    assert verify().problems == []

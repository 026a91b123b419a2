"""Deliveries: who is reached, once, again after failures, and after a kill.  Against PostgreSQL."""

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from tests.district import District, make_district
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.notices import sending, services
from xuezheng.kernel.notices.channels import ChannelFailed, base
from xuezheng.kernel.notices.models import Contact, Delivery, Notice

JOB = JobActor("test")
PHONES: dict[int, str] = {}


def telephones(user_ids: Collection[int]) -> dict[int, str]:
    return {user: PHONES[user] for user in user_ids if user in PHONES}


@pytest.fixture(autouse=True)
def channels(settings, tmp_path: Path) -> Path:
    PHONES.clear()
    settings.PUBLIC_URL = "https://x.example"
    settings.NOTICE_CHANNELS = {
        key: {"address": str(tmp_path / f"{key}.tsv")} for key in ("sms", "mail", "chat")
    }
    return tmp_path


def lines(folder: Path, channel: str = "sms") -> list[str]:
    path = folder / f"{channel}.tsv"
    return path.read_text().splitlines() if path.exists() else []


def send() -> sending.Sent:
    return sending.send_due(telephones, by=JOB)


def text(user_id: int, channel: str = "sms") -> tuple[int, str, str, str]:
    return user_id, channel, "学政：您有 1 件待办。", "/inbox/"


def test_people_are_reached_where_they_want(district: District) -> None:
    a, b, c = (district.users[name].pk for name in ("plan", "base", "safety"))
    PHONES.update({a: "10000000001", b: "10000000002"})
    services.choose_channels(
        by_sms=False, by_mail=True, by_chat=True, email="a@x.example", chat_id="", by=district.actor("plan"),
    )  # fmt: skip
    assert sending.addresses([a, b, c], {"sms", "mail", "chat"}, telephones) == {
        a: {"mail": "a@x.example"},
        b: {"sms": "10000000002"},
        c: {},
    }
    entry = Entry.objects.get(action="contact.choose")
    assert entry.detail == {"sms": False, "mail": True, "chat": True}
    assert sending.addresses([b], {"mail"}, telephones) == {b: {}}


def test_a_text_is_made_and_sent_once(district: District, channels: Path) -> None:
    user = district.users["plan"].pk
    PHONES[user] = "10000000001"
    for _again in range(2):
        sending.put("digest.x", [text(user)])
        send()
    row = Delivery.objects.get()
    link = "https://x.example/inbox/"
    assert lines(channels) == [f"{row.pk}\t10000000001\t学政：您有 1 件待办。 {link}"]
    assert row.sent_at
    entry = Entry.objects.get(action="notices.send")
    assert entry.detail == {"sent": 1, "failed": 0, "given_up": 0}


def test_what_fails_is_tried_again_and_given_up(district: District, channels: Path) -> None:
    user = district.users["plan"].pk
    PHONES[user] = "10000000001"
    sending.put("digest.x", [text(user)])
    broken = base.FileChannel(channels / "none" / "x.tsv")
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "configured", lambda: {"sms": broken})
        for _try in range(5):
            seen.append((send().failed, Delivery.objects.get().tries))
            Delivery.objects.update(next_at=timezone.now())
    assert seen == [(1, 1), (1, 2), (1, 3), (0, 4), (0, 4)]
    assert Delivery.objects.get().gave_up_at
    assert sending.send_again(by=JOB) == 1
    assert send().sent == 1
    assert len(lines(channels)) == 1


def test_a_failure_waits_its_minutes(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    user = district.users["plan"].pk
    PHONES[user] = "10000000001"
    sending.put("digest.x", [text(user)])
    monkeypatch.setattr(base.FileChannel, "send", _fail)
    send()
    wait = Delivery.objects.get().next_at - timezone.now()
    assert dt.timedelta(minutes=4) < wait <= dt.timedelta(minutes=5)
    assert send() == sending.Sent(), "not due yet"


def _fail(*_args: object) -> None:
    raise ChannelFailed("x")


def test_whoever_has_no_telephone_any_more_is_left(district: District, channels: Path) -> None:
    sending.put("digest.x", [text(district.users["plan"].pk)])
    assert send() == sending.Sent()
    assert Delivery.objects.get().gave_up_at
    assert not lines(channels)


def test_urgent_notices_go_by_sms_at_once_and_only_once(district: District, channels: Path) -> None:
    known, unknown, read = (district.users[name] for name in ("plan", "base", "safety"))
    PHONES.update({known.pk: "10000000001", read.pk: "10000000003"})
    people = [known.pk, unknown.pk, read.pk]
    services.notify(people, key="result", title="录取结果已公布", path="/my/", urgent=True)
    services.notify(people, key="received", title="已收到")
    services.read_notice(Notice.objects.get(user=read, key="result"), by=district.actor("safety"))
    assert sending.take_urgent(telephones, by=JOB) == 3
    assert sending.take_urgent(telephones, by=JOB) == 0
    send()
    assert [line.split("\t")[1:] for line in lines(channels)] == [
        ["10000000001", "录取结果已公布 https://x.example/my/"]
    ]
    assert Notice.objects.filter(key="received", sent_at__isnull=False).count() == 0


def test_reading_is_ones_own(district: District) -> None:
    services.notify([district.users["plan"].pk], key="k", title="x")
    notice = Notice.objects.get()
    with pytest.raises(PermissionDenied):
        services.read_notice(notice, by=district.actor("base"))
    assert services.read_all(by=district.actor("base")) == 0
    services.read_notice(notice, by=district.actor("plan"))
    first = Notice.objects.get().read_at
    services.read_notice(notice, by=district.actor("plan"))
    assert Notice.objects.get().read_at == first


def test_old_ones_go(district: District) -> None:
    user, long_ago = district.users["plan"].pk, timezone.now() - dt.timedelta(days=200)
    services.notify([user], key="unread", title="x")
    services.notify([user], key="read", title="x")
    sending.put("digest.x", [text(user)])
    Notice.objects.update(at=long_ago)
    Notice.objects.filter(key="read").update(read_at=long_ago)
    Delivery.objects.update(made_at=long_ago)
    sending.purge(180)
    assert list(Notice.objects.values_list("key", flat=True)) == ["unread"]
    assert not Delivery.objects.exists()
    assert Contact.objects.count() == 0


class Killed(BaseException):
    """As sudden as a signal: nothing catches it."""


def test_a_killed_worker_repeats_one_batch_at_most_and_loses_none(
    own_database: str, channels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [user.pk for user in make_district().users.values()]
    PHONES.update({user: f"1{user:010d}" for user in users})
    sending.put("digest.x", [text(user) for user in users])
    monkeypatch.setattr(sending, "BATCH", 5)
    calls = []

    def dying(*_args: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise Killed

    with monkeypatch.context() as patch:
        real = sending._mark
        patch.setattr(sending, "_mark", lambda *args: dying() or real(*args))
        with pytest.raises(Killed):
            send()
    assert Delivery.objects.filter(sent_at__isnull=False).count() == 5
    send()
    ids = [line.split("\t")[0] for line in lines(channels)]
    assert len(set(ids)) == len(users)
    assert len(ids) == len(users) + 5, "the batch in flight goes out again, under the same ids"

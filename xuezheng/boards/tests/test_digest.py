"""The digest: what each inbox shows, counted for everybody at once; one text a day."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django import app

from tests.district import District, photo
from xuezheng.boards import digest, jobs
from xuezheng.domains.oversight import services as hazards
from xuezheng.domains.oversight.rules import Grade
from xuezheng.kernel.access.actors import JobActor, StaffActor
from xuezheng.kernel.access.models import User
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.notices.models import Contact, Delivery, Notice
from xuezheng.kernel.notices.services import notify, read_all
from xuezheng.registry import roles

pytestmark = pytest.mark.usefixtures("files_dir")
TODAY = timezone.localdate()
JOB = JobActor("test")


@pytest.fixture(autouse=True)
def channels(settings, tmp_path: Path) -> Path:
    settings.PUBLIC_URL = "https://x.example"
    settings.NOTICE_CHANNELS = {
        "sms": {"address": str(tmp_path / "sms.tsv")},
        "mail": {"address": str(tmp_path / "mail.tsv")},
    }
    return tmp_path


@pytest.fixture
def world(district: District) -> District:
    """Hazards in each open state at two schools, one handed to somebody by name, days of all kinds."""
    by = district.actor

    def version(row) -> int:
        return Case.objects.get(pk=row.pk).version

    for school, reporter in (("S1", "sec1"), ("S1", "head1"), ("S2", "head2")):
        for until in range(4):
            row = hazards.report_hazard(
                organisation_id=district.orgs[school].id, category="fire", place="走廊",
                description="x", immediate_danger=False, photos=[photo()], key=None,
                by=by(reporter),
            )  # fmt: skip
            if until > 0:
                grade = Grade.MAJOR if until == 3 else Grade.GENERAL
                hazards.grade_hazard(
                    row, grade=grade, category="fire", version=version(row), by=by("safety")
                )
            if until > 1:
                hazards.rectify_hazard(
                    row, note="x", photos=[photo()], version=version(row), by=by(reporter)
                )
            if until > 2:
                hazards.recheck_hazard(row, passed=True, version=version(row), by=by("inspector"))
    for number, case in enumerate(Case.objects.order_by("id")):
        case.due = TODAY + dt.timedelta(days=number % 3 - 1)
        case.handler = district.users["inspector"] if number % 5 == 2 else None
        case.save(update_fields=["due", "handler"])
    # Somebody with two posts, whose reaches overlap.
    district.hold("inspector", roles.SAFETY_OFFICER, "B-SAFE")
    district.hold("head1", roles.SITE_HEAD, "S2")
    return district


def test_everybody_is_counted_as_their_inbox_counts(world: District) -> None:
    found = digest.waiting(TODAY)
    some = 0
    for name, user in world.users.items():
        owed = Case.objects.owed_by(StaffActor(user))
        made = found.get(user.pk, digest.Waiting())
        expected = (owed.count(), owed.overdue(TODAY).count(), owed.filter(due=TODAY).count())
        assert (made.owed, made.overdue, made.today) == expected, name
        some += bool(expected[0])
    assert some >= 5


def test_counting_takes_the_same_queries_for_more_people(world: District) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            digest.waiting(TODAY)
        return len(seen)

    few = queries()
    for number in range(30):
        world.hold(f"more{number}", roles.SITE_HEAD, "S1")
    assert queries() == few


def write_to(district: District, *names: str) -> None:
    for name in names:
        Contact.objects.create(user=district.users[name], email=f"{name}@x.example")


def lines(folder: Path, channel: str = "mail") -> list[list[str]]:
    path = folder / f"{channel}.tsv"
    return [line.split("\t")[1:] for line in path.read_text().splitlines()] if path.exists() else []


def send() -> None:
    jobs.sending.take_urgent(digest.telephones_of, by=JOB)
    jobs.sending.send_due(digest.telephones_of, by=JOB)


def test_one_text_a_day_and_none_where_nothing_waits(world: District, channels: Path) -> None:
    write_to(world, "safety", "teacher1", "deputy")
    for _again in range(2):
        digest.compose(TODAY, by=JOB)
        send()
    sent = lines(channels)
    owed = Case.objects.owed_by(world.actor("safety"))
    late, now = owed.overdue(TODAY).count(), owed.filter(due=TODAY).count()
    mine = [words for to, words in sent if to == "safety@x.example"]
    assert mine == [
        f"学政：您有 {owed.count()} 件待办（逾期 {late}，今天到期 {now}）。 https://x.example/inbox/"
    ]
    assert not [to for to, _words in sent if to == "teacher1@x.example"]
    entry = Entry.objects.get(action="notices.digest")
    assert entry.detail["told"] == len(sent)
    assert entry.detail["people"] > len(sent), "the others find it in the program"
    digest.compose(TODAY + dt.timedelta(days=1), by=JOB)
    assert Delivery.objects.filter(user=world.users["safety"]).count() == 2


def test_unread_messages_of_staff_are_told_each_day_until_read(
    district: District, channels: Path
) -> None:
    write_to(district, "teacher1")
    teacher = district.users["teacher1"]
    notify([teacher.pk], key="k", title="x")
    Notice.objects.update(at=timezone.now() - dt.timedelta(days=3))
    assert digest.waiting(TODAY)[teacher.pk] == digest.Waiting(unread=1)
    digest.compose(TODAY, by=JOB)
    send()
    assert lines(channels) == [
        ["teacher1@x.example", "学政：您有 1 条未读消息。 https://x.example/messages/"]
    ]
    read_all(by=district.actor("teacher1"))
    assert teacher.pk not in digest.waiting(TODAY)


def test_families_hear_of_new_ones_once_and_of_urgent_ones_at_once(
    district: District, channels: Path
) -> None:
    parent = User.objects.create(username="p-1", name="家长", phone="10000000009")
    notify([parent.pk], key="result", title="录取结果已公布，请查看", path="/my/", urgent=True)
    send()
    assert lines(channels, "sms") == [
        ["10000000009", "录取结果已公布，请查看 https://x.example/my/"]
    ]
    assert parent.pk not in digest.waiting(TODAY), "told already"
    notify([parent.pk], key="received", title="x")
    assert digest.waiting(TODAY)[parent.pk].unread == 1
    Notice.objects.update(at=timezone.now() - dt.timedelta(days=2))
    assert parent.pk not in digest.waiting(TODAY)


def test_a_closed_account_hears_nothing(district: District) -> None:
    teacher = district.users["teacher1"]
    notify([teacher.pk], key="k", title="x")
    User.objects.filter(pk=teacher.pk).update(is_active=False)
    assert teacher.pk not in digest.waiting(TODAY)


def test_leaders_are_led_to_their_page(world: District) -> None:
    assert digest.Waiting(owed=1, decides=True).path == "/leader/"
    assert digest.Waiting(owed=1).path == "/inbox/"


@pytest.mark.parametrize(("now", "made"), [(7, 0), (8, 1), (14, 1)])
def test_the_digest_waits_for_its_hour(
    district: District, monkeypatch: pytest.MonkeyPatch, now: int, made: int
) -> None:
    write_to(district, "teacher1")
    notify([district.users["teacher1"].pk], key="k", title="x")
    moment = timezone.localtime().replace(hour=now)
    monkeypatch.setattr(jobs.timezone, "now", lambda: moment)
    jobs.make_digest(0)
    assert Delivery.objects.count() == made


def test_without_channels_nothing_is_made(district: District, settings) -> None:
    settings.NOTICE_CHANNELS = {}
    notify([district.users["teacher1"].pk], key="k", title="x")
    assert digest.compose(TODAY, by=JOB) == 0
    assert not Delivery.objects.exists()


def test_jobs_are_on_the_clock() -> None:
    names = {name for name, _id in app.periodic_registry.periodic_tasks}
    assert {"notices.send", "notices.digest", "notices.purge"} <= names

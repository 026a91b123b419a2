"""Figures of admissions: boundary days, what counts, proof, and both engines say the same."""

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.season import SeasonRoom, child_id
from tests.statistics.test_golden import compare
from xuezheng.domains.admissions.models import (
    Allocation,
    Application,
    Choice,
    FollowUp,
    Offer,
    Paper,
    Rating,
    RollEntry,
    Standing,
)
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.cases.models import Case, CaseClock
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.models import Reading
from xuezheng.kernel.indicators.proof import prove, row_words
from xuezheng.registry import roles

TODAY = timezone.localdate()
KEYS = (
    "enrolment_registered",
    "enrolment_traced",
    "enrolment_no_visit",
    "enrolment_days",
    "enrolment_verified_in_time",
    "enrolment_in_area",
    "enrolment_satisfied",
    "enrolment_rated",
    "enrolment_followed_in_time",
)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def entry(room: SeasonRoom, number: int, outcome: str = "", on: dt.date | None = None) -> RollEntry:
    born = dt.date(TODAY.year - 6, 3, 5)
    return RollEntry.objects.create(
        season=room.season, code=f"C{number:03d}", name="周小禾", id_number=child_id(number, born),
        born_on=born, sex="1", sources=["police"], town=room.district.orgs["T1"],
        school=room.district.orgs["S1"], outcome=outcome, outcome_on=on,
    )  # fmt: skip


def application(
    room: SeasonRoom, number: int, submitted: dt.date, settled: dt.date | None, due: dt.date,
    *, channel: str = "online", state: str = "verified", papers: int = 0, grade: int = 0,
) -> Application:  # fmt: skip
    row = entry(room, number, "registered", submitted)
    at = timezone.make_aware(dt.datetime.combine(submitted, dt.time(9)))
    case = Case.objects.create(
        number=f"RX-{number}", kind="application", title="小学入学登记", state=state,
        organisation=room.district.orgs["S1"], phase="checking", opened_at=at,
    )  # fmt: skip
    CaseClock.objects.create(case=case, kind="verification", basis="x", started=submitted, due=due)
    made = Application.objects.create(
        case=case, entry=row, season=room.season, state=state, channel=channel,
        child_name=row.name, born_on=row.born_on, sex="1", submitted_on=submitted,
        settled_on=settled,
    )  # fmt: skip
    for _ in range(papers):
        stored = StoredFile.objects.create(
            sha256="0" * 64,
            size=1,
            media_type="image/png",
            name="x",
            organisation=case.organisation,
        )
        Paper.objects.create(application=made, kind="deed", file=stored)
    if grade:
        Rating.objects.create(
            application=made, grade=grade, given_on=settled, organisation=case.organisation
        )
    return made


def place(room: SeasonRoom, made: Application, code: str, day: dt.date) -> None:
    """A published place at S3 under the tier of that code."""
    at = timezone.make_aware(dt.datetime.combine(day, dt.time(9)))
    allocation, _new = Allocation.objects.get_or_create(
        season=room.season, defaults={"given": {}, "result": {}, "sha256": "x", "published_at": at}
    )
    intake = room.intakes["S3"]
    choice = Choice.objects.create(application=made, intake=intake, rank=1)
    Standing.objects.create(choice=choice, tier=1, code=code)
    Offer.objects.create(allocation=allocation, application=made, intake=intake)


def follow_up(room: SeasonRoom, number: int, due: dt.date, settled: dt.date | None) -> None:
    closed = settled and timezone.make_aware(dt.datetime.combine(settled, dt.time(23, 59)))
    case = Case.objects.create(
        number=f"ZX-{number}", kind="enrolment_follow_up", title="x",
        organisation=room.district.orgs["T1"], state="settled" if settled else "contacting",
        phase="closed" if settled else "acting", opened_at=timezone.now(), closed_at=closed,
    )  # fmt: skip
    CaseClock.objects.create(case=case, kind="contact", basis="x", started=ago(9), due=due)
    FollowUp.objects.create(
        case=case, entry=entry(room, number), state=case.state, cause="unregistered"
    )


def reading(room: SeasonRoom, key: str, org: str = "B") -> Reading:
    """The figure of the period of twelve months around today."""
    period = (ago(180), TODAY + dt.timedelta(days=180))
    compute(period=period, as_of=TODAY, keys=[key])
    return Reading.objects.get(
        indicator=key, organisation=room.district.orgs[org], period_from=period[0]
    )


def pair(row: Reading) -> tuple[int, int | None]:
    return row.numerator, row.denominator


@pytest.mark.parametrize(
    ("outcome", "on", "registered", "traced"),
    [
        ("registered", ago(0), 1, 1),
        ("registered", TODAY + dt.timedelta(days=1), 0, 0),
        ("elsewhere", ago(1), 0, 1),
        ("deferred", ago(1), 0, 1),
        ("untraceable", ago(1), 0, 0),
        ("", None, 0, 0),
    ],
)
def test_registered_and_traced(room: SeasonRoom, outcome, on, registered: int, traced: int) -> None:
    entry(room, 1, outcome, on)
    assert pair(reading(room, "enrolment_registered")) == (registered, 1)
    row = reading(room, "enrolment_traced")
    assert pair(row) == (traced, 1)
    proof = prove(row, JobActor("tests"))
    assert proof.agrees
    assert [one.counted for one in proof.rows] == [bool(traced)]


def test_a_kindergarten_is_not_compulsory(room: SeasonRoom) -> None:
    entry(room, 1)
    room.season.level = "kindergarten"
    room.season.save()
    assert pair(reading(room, "enrolment_traced")) == (0, 0)


@pytest.mark.parametrize(
    ("channel", "papers", "counted"),
    [("online", 0, 1), ("portal", 0, 1), ("online", 1, 0), ("counter", 0, 0), ("paper", 0, 0)],
)
def test_no_visit_means_online_and_without_paper(room, channel: str, papers: int, counted) -> None:
    application(room, 1, ago(3), ago(1), ago(-2), channel=channel, papers=papers)
    assert pair(reading(room, "enrolment_no_visit")) == (counted, 1)


def test_days_are_summed_and_their_proof_adds_up(room: SeasonRoom) -> None:
    application(room, 1, ago(3), ago(3), ago(-2))
    application(room, 2, ago(9), ago(1), ago(-2))
    application(room, 3, ago(9), None, ago(-2), state="submitted")
    row = reading(room, "enrolment_days")
    assert (*pair(row), row.value) == (8, 2, 4.0)
    proof = prove(row, JobActor("tests"))
    assert proof.agrees
    assert {one.row_id: one.reason for one in proof.rows} == {"RX-1": "same_day", "RX-2": "longer"}
    Application.objects.filter(case__number="RX-2").update(settled_on=ago(2))
    assert not prove(row, JobActor("tests")).agrees


@pytest.mark.parametrize(
    ("settled", "due", "state", "expected"),
    [
        (ago(1), ago(1), "verified", (1, 1)),
        (ago(1), ago(2), "verified", (0, 1)),
        (None, ago(0), "submitted", (0, 1)),
        (None, ago(-1), "submitted", (0, 0)),
        (None, ago(1), "correcting", (0, 0)),
        (ago(3), ago(1), "withdrawn", (0, 0)),
    ],
)
def test_checked_by_the_due_day_itself(room: SeasonRoom, settled, due, state, expected) -> None:
    application(room, 1, ago(9), settled, due, state=state)
    assert pair(reading(room, "enrolment_verified_in_time")) == expected


def test_a_child_sent_on_is_not_in_its_area(room: SeasonRoom) -> None:
    place(room, application(room, 1, ago(9), ago(8), ago(5)), "A", ago(1))
    place(room, application(room, 2, ago(9), ago(8), ago(5)), "RA", ago(1))
    assert pair(reading(room, "enrolment_in_area")) == (1, 2)
    assert pair(reading(room, "enrolment_in_area", "S3")) == (1, 2)
    Allocation.objects.update(published_at=None)
    assert pair(reading(room, "enrolment_in_area")) == (0, 0)


def test_satisfaction_and_how_many_answered(room: SeasonRoom) -> None:
    for number, grade in enumerate((5, 4, 3, 2, 0), start=1):
        application(room, number, ago(9), ago(8), ago(5), grade=grade)
    assert pair(reading(room, "enrolment_satisfied")) == (2, 4)
    assert pair(reading(room, "enrolment_rated")) == (4, 5)


@pytest.mark.parametrize(
    ("due", "settled", "expected"),
    [(ago(1), ago(1), (1, 1)), (ago(2), ago(1), (0, 1)), (ago(0), None, (0, 1)), (ago(-1), None, (0, 0))],
)  # fmt: skip
def test_follow_ups_settled_by_the_due_day(room: SeasonRoom, due, settled, expected) -> None:
    follow_up(room, 1, due, settled)
    assert pair(reading(room, "enrolment_followed_in_time")) == expected


def test_towns_follow_up_and_schools_have_no_figure_of_it(room: SeasonRoom) -> None:
    follow_up(room, 1, ago(1), ago(1))
    town = reading(room, "enrolment_followed_in_time", "T1")
    assert pair(town) == (1, 1)
    codes = Reading.objects.filter(indicator=town.indicator, denominator__gt=0)
    assert set(codes.values_list("organisation__code", flat=True)) == {"B", "T1"}
    client = Client()
    client.force_login(room.district.actor("admit").user)
    page = client.get(reverse("indicator_detail", args=[town.indicator])).content.decode()
    assert "学校没有这项读数" in page


def test_both_engines_say_the_same(room: SeasonRoom, tmp_path: Path) -> None:
    for number in range(1, 13):
        settled = ago(number) if number % 4 else None
        made = application(
            room, number, ago(number + number % 5), settled, ago(number % 6),
            channel=("online", "counter", "portal")[number % 3], papers=number % 2,
            state="verified" if settled else "submitted", grade=number % 6 if settled else 0,
        )  # fmt: skip
        if settled:
            place(room, made, "A" if number % 3 else "RA", ago(1))
    for number in range(20, 26):
        follow_up(room, number, ago(number % 4), ago(number % 3) if number % 2 else None)
    assert compare(room.district, tmp_path / "a", TODAY, KEYS) >= len(KEYS)


def world(room: SeasonRoom) -> None:
    """Something behind each figure, at both schools and in a town."""
    room.district.hold("boss", roles.DIRECTOR, "B")
    for number in range(1, 8):
        made = application(
            room, number, ago(9), ago(8), ago(5), channel=("online", "paper")[number % 2],
            grade=5 - number % 3,
        )  # fmt: skip
        place(room, made, "A" if number % 3 else "RA", ago(1))
    follow_up(room, 20, ago(1), ago(1))
    follow_up(room, 21, ago(2), None)


@pytest.mark.parametrize("key", KEYS)
def test_a_figure_opens_on_pseudonyms_for_who_sees_no_child(room: SeasonRoom, key: str) -> None:
    world(room)
    row = reading(room, key)
    boss, client = room.district.actor("boss"), Client()
    with fenced(read_only=True, by=boss):
        assert not Application.objects.exists(), "the children themselves stay out of reach"
        proof = prove(row, boss)
        words = row_words(row.definition, proof.rows, boss)
        assert not Application.objects.exists(), "the reach is back after the pseudonyms"
    assert proof.agrees
    assert (proof.hidden, len(proof.rows)) == (0, row.denominator if key != "enrolment_days" else 7)
    codes = set(RollEntry.objects.values_list("code", flat=True))
    assert {words.of(one.row_id) for one in proof.rows} <= codes
    assert key == "enrolment_followed_in_time" or not words.live
    client.force_login(boss.user)
    page = client.get(reverse("indicator_proof", args=[row.pk]))
    text = page.content.decode()
    assert {shown["name"] for shown in page.context["rows"]} <= codes
    assert all(f"<code>{code}</code>" in text for code in map(words.of, words.coded))
    assert "周小禾" not in text and "RX-" not in text


@pytest.mark.parametrize("key", KEYS)
def test_who_keeps_the_season_opens_the_rows(room: SeasonRoom, key: str) -> None:
    world(room)
    row, client = reading(room, key), Client()
    client.force_login(room.district.actor("admit").user)
    rows = client.get(reverse("indicator_proof", args=[row.pk])).context["rows"]
    assert rows
    assert all(one["name"] for one in rows)
    for one in rows:
        if one["url"]:
            assert client.get(one["url"]).status_code in (200, 302)
    assert any(one["url"] for one in rows)


def test_a_head_opens_the_rows_of_the_own_school_only(room: SeasonRoom) -> None:
    world(room)
    row = reading(room, "enrolment_no_visit", "S1")
    whole = Reading.objects.get(indicator=row.indicator, organisation=room.district.orgs["B"],
                                period_from=row.period_from)  # fmt: skip
    neighbour, client = room.district.actor("head2"), Client()
    client.force_login(room.district.actor("head1").user)
    page = client.get(reverse("indicator_proof", args=[row.pk]))
    assert {one["name"] for one in page.context["rows"]} == {f"RX-{n}" for n in range(1, 8)}
    assert client.get(page.context["rows"][0]["url"]).status_code == 200
    assert client.get(reverse("indicator_proof", args=[whole.pk])).status_code == 404
    client.force_login(neighbour.user)
    assert client.get(reverse("indicator_proof", args=[row.pk])).status_code == 404


def test_no_page_ranks_schools_by_them() -> None:
    assert [key for key in KEYS if INDICATORS[key].ranked] == []


@pytest.mark.parametrize(
    ("actor", "answer"), [("admit", 302), ("sec1", 302), ("sec3", 404), ("plan", 403), ("mum", 403)]
)
def test_a_row_opens_for_whom_it_is_in_reach(room: SeasonRoom, actor: str, answer: int) -> None:
    made = application(room, 1, ago(3), None, ago(-2), state="submitted")
    client = Client()
    who = room.family("mum") if actor == "mum" else room.district.actor(actor)
    client.force_login(who.user)
    url = reverse("enrolment_row", args=[made.entry_id])
    opened = client.get(url)
    assert opened.status_code == answer
    if answer == 302:
        assert opened["Location"] == reverse("application_detail", args=["RX-1"])

"""From a frozen roll to a published result: every step on PostgreSQL, inside the fence."""

import datetime as dt
import json
import random
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.season import SeasonRoom
from xuezheng.config.commands import run_admissions_export
from xuezheng.domains.admissions.models import (
    Allocation,
    Application,
    Draw,
    DrawStep,
    DwellingLock,
    Freeze,
    Leaf,
    Offer,
    Season,
)
from xuezheng.domains.admissions.services import drawing, freezing, proving, publishing
from xuezheng.domains.admissions.services.allocating import (
    AreaChange,
    Reasons,
    WhatIf,
    allocate_season,
    figures,
    free_places,
    round_of,
    try_what_if,
    what_is_wrong,
)
from xuezheng.domains.admissions.services.explaining import Words, reason_sentence, sentence
from xuezheng.domains.admissions.tests.test_applying import answers, send
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.flows import Term
from xuezheng.kernel.cases.models import Case, CaseClock, Move
from xuezheng.kernel.cases.service import StepRefused, advance, advance_many
from xuezheng.kernel.notices.models import Notice
from xuezheng.registry.models import Pupil

CLOCK = ("kind", "basis", "started", "due", "stopped")
NOW = "xuezheng.kernel.cases.service.timezone.now"
MOVE = ("at", "step", "source", "target", "user", "post", "note", "bars_next")
ENTRY = ("action", "user", "post", "organisation", "object_type", "object_id", "detail")


def fill(room: SeasonRoom, count: int = 6, *, private: int = 0) -> None:
    """Verified children of 海沿社区, each registered a month after the one before."""
    for n in range(count):
        chosen = (room.intakes["P1"].id,) if n < private else ()
        given = answers(
            n + 1,
            register_date=dt.date(2020, 1 + n, 1),
            intakes=chosen,
            guardian_id="",
            phone="13900000001",
        )
        send(room, f"family{n}", given)
    Application.objects.update(state="verified")
    Case.objects.filter(kind="application").update(state="verified", phase="checking")
    CaseClock.objects.filter(kind="verification").update(kind="result")
    room.season.state = Season.State.CHECKING
    room.season.save()


def freeze(room: SeasonRoom, **more) -> Freeze:
    by = room.district.actor("admit")
    with fenced(by=by):
        return freezing.freeze(room.season, by=by, **more)


def draw(room: SeasonRoom, digits: str = "173754", *, rehearsal: bool = False) -> Draw:
    """The whole ceremony."""
    by = room.district.actor("admit")
    with fenced(by=by):
        made = drawing.commit(
            freezing.freeze_of(room.season), sources=["收盘指数"], rehearsal=rehearsal, by=by
        )
        for place, digit in enumerate(digits):
            drawing.enter_digit(made, place=place, digit=digit, who="3号", witnesses="", by=by)
        drawing.enter_public_value(made, index=0, value="3121.40", by=by)
        return drawing.open_secret(made, witnesses="公证员", by=by)


def allocate(room: SeasonRoom) -> Allocation:
    by = room.district.actor("admit")
    with fenced(by=by):
        return allocate_season(Season.objects.get(pk=room.season.pk), by=by)


def publish(room: SeasonRoom, allocation: Allocation, who: str = "deputy") -> int:
    by = room.district.actor(who)
    with fenced(by=by):
        return publishing.publish(allocation, by=by)


@pytest.fixture
def allocated(room: SeasonRoom) -> Allocation:
    """Six children of one area, two places there, the rest redirected."""
    fill(room)
    freeze(room)
    draw(room)
    return allocate(room)


def test_a_line_says_all_that_decides(room: SeasonRoom) -> None:
    fill(room, 2)
    frozen = freeze(room)
    assert (frozen.count, frozen.season.state) == (2, "frozen")
    texts, tree = freezing.tree_of(frozen)
    assert tree.root == frozen.root
    line = freezing.Line.read(texts[0])
    assert list(line.wishes) == ["S1", "S3"]
    assert line.wishes["S1"][1] == "A"
    assert freezing.line_text(line, texts[0].split(" ")[1]) == texts[0]
    assert "周" not in "".join(texts)
    with fenced(by=room.family("family0")):
        mine = freezing.own_leaf(Application.objects.get())
    assert mine["line"] in texts


def test_freezing_waits_for_checks_or_a_reason(room: SeasonRoom) -> None:
    fill(room, 2)
    Application.objects.filter(applicant=room.families["family0"]).update(state="submitted")
    with pytest.raises(StepRefused):
        freeze(room)
    assert freeze(room, reason="家长来不及补正").count == 1
    with pytest.raises(StepRefused):
        freeze(room)


@pytest.mark.parametrize("who", ["deputy", "head1", "town1", "plan"])
def test_only_the_admissions_officer_freezes(room: SeasonRoom, who: str) -> None:
    fill(room, 1)
    with pytest.raises(PermissionDenied):
        freezing.freeze(room.season, by=room.district.actor(who))


def test_a_wrong_roll_is_voided_and_stays(room: SeasonRoom) -> None:
    fill(room, 2)
    first = freeze(room)
    draw(room)
    by = room.district.actor("admit")
    with pytest.raises(StepRefused):
        freezing.void_freeze(first, reason=" ", by=by)
    freezing.void_freeze(first, reason="漏了一个孩子", by=by)
    room.season.refresh_from_db()
    assert room.season.state == "checking"
    assert Draw.objects.get().state == "void"
    assert freeze(room).root != first.root, "new salts"
    assert Freeze.objects.count() == 2


def test_lines_and_minutes_cannot_be_changed_by_the_web(room: SeasonRoom) -> None:
    fill(room, 1)
    freeze(room)
    draw(room)
    for rows in (Leaf.objects.all(), DrawStep.objects.all()):
        with pytest.raises(DatabaseError), fenced(by=room.district.actor("admit")):
            rows.update(id=1)
        with pytest.raises(DatabaseError), fenced(by=room.district.actor("admit")):
            rows._raw_delete(rows.db)


def test_a_digit_is_entered_once_and_struck_openly(room: SeasonRoom) -> None:
    fill(room, 1)
    frozen = freeze(room)
    by = room.district.actor("admit")
    made = drawing.commit(frozen, sources=[], by=by)
    enter = {"who": "1号", "witnesses": "公证员", "by": by}
    drawing.enter_digit(made, place=0, digit="4", **enter)
    for place, digit in ((0, "4"), (2, "4"), (1, "44"), (1, "x"), (1, "四"), (1, "")):
        with pytest.raises(StepRefused):
            drawing.enter_digit(made, place=place, digit=digit, **enter)
    drawing.strike_digit(made, reason="看错", witnesses="公证员", by=by)
    made.refresh_from_db()
    assert made.digits == ""
    for place, digit in enumerate("12345"):
        drawing.enter_digit(made, place=place, digit=digit, **enter)
    with pytest.raises(StepRefused):
        drawing.open_secret(made, witnesses="公证员", by=by)
    drawing.enter_digit(made, place=5, digit="6", **enter)
    with pytest.raises(StepRefused):
        drawing.open_secret(made, witnesses=" ", by=by)
    drawing.open_secret(made, witnesses="公证员", by=by)
    kinds = [step.kind for step in DrawStep.objects.order_by("id")]
    assert kinds == ["commit", "digit", "strike", *["digit"] * 6, "open"]
    with pytest.raises(StepRefused):
        drawing.enter_digit(made, place=6, digit="7", **enter)


def test_a_rehearsal_counts_for_nothing(room: SeasonRoom) -> None:
    fill(room, 2)
    freeze(room)
    tried = draw(room, rehearsal=True)
    room.season.refresh_from_db()
    assert (tried.state, room.season.state) == ("drawn", "frozen")
    with pytest.raises(StepRefused):
        allocate(room)
    real = draw(room)
    assert real.seed != tried.seed
    by = room.district.actor("admit")
    with pytest.raises(StepRefused):
        drawing.commit(freezing.freeze_of(room.season), sources=[], by=by)
    drawing.void_draw(real, reason="名册有误", witnesses="公证员", by=by)
    room.season.refresh_from_db()
    assert room.season.state == "frozen"
    assert draw(room).state == "drawn"


def test_first_registered_first_placed_and_the_rest_redirected(room, allocated) -> None:
    assert what_is_wrong(allocated) == []
    assert allocated.result["sha256"] == allocated.sha256
    where = {
        row.applicant.name: allocated.result["assignments"][row.entry.code]
        for row in Application.objects.select_related("entry", "applicant")
    }
    assert where == {f"family{n}": "S1" if n < 2 else "S3" for n in range(6)}
    found = figures(allocated)
    assert (found.first, found.unplaced, found.envy) == (2, 0, 0)


def test_publishing_does_all_of_it_once(room, allocated) -> None:
    pupil = Pupil.objects.first() or Pupil.objects.create(
        name="周小禾", born_on=dt.date(2020, 3, 5), sex="1"
    )
    first = Application.objects.get(applicant=room.families["family0"])
    first.entry.pupil = pupil
    first.entry.save()
    assert publish(room, allocated) == 6
    assert publish(room, allocated) == 0, "a retry after success changes nothing"
    assert Offer.objects.count() == 6
    assert set(Application.objects.values_list("state", flat=True)) == {"placed"}
    cases = Case.objects.filter(kind="application").select_related("organisation")
    assert sorted(case.organisation.code for case in cases) == ["S1"] * 2 + ["S3"] * 4
    assert all(case.awaits == "admissions.school" and case.due for case in cases)
    assert Notice.objects.filter(key__startswith="application.result").count() == 6
    lock = DwellingLock.objects.get()
    assert (lock.pupil, lock.until_year - lock.from_year) == (pupil, 6)
    moves = Entry.objects.filter(action="application.place")
    assert {entry.user.username for entry in moves} == {"deputy"}
    room.season.refresh_from_db()
    assert room.season.state == "published"
    with fenced(by=room.district.actor("sec3")):
        assert Application.objects.count() == 4, "the placing school sees its children"


def test_the_sentence_has_the_numbers(room, allocated) -> None:
    publish(room, allocated)
    words = Words(room.season)
    offer = Offer.objects.get(application__applicant=room.families["family3"])
    text = reason_sentence(offer, words)
    assert text.startswith(
        "东澳小学计划 2 人，按次序录取到落户 2020-02-01；您家落户 2020-04-01，排在第 4 位；"
    )
    assert "因此到南礁小学，该校计划 20 人" in text
    first = Offer.objects.get(application__applicant=room.families["family0"])
    assert reason_sentence(first).endswith("排在第 1 位，录取。")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"cutoff": []}, "东澳小学本轮没有学位"),
        ({"passed": True}, "双胞胎要同校"),
        ({"cutoff": [1, 0, 0, 9]}, "录取到第 1 顺位；您家是第 2 顺位"),
        ({"cutoff": [2, 737000, 0, 9]}, "抽签录取到 9 号；您家是 41 号"),
    ],
)
def test_sentences_of_other_refusals(room, step: dict, words: str) -> None:
    known = Words(room.season)
    base = {
        "school": "S1", "tier": 2, "code": "B", "order": [737000, 0], "places": 80, "place": 93,
        "asked": 100, "admits": False, "passed": False, "cutoff": None,
    }  # fmt: skip
    reason = {"school": None, "draw": 41, "list": [base | step]}
    assert words in sentence(reason, known)
    assert "统筹" in sentence(reason, known)


@pytest.mark.parametrize("who", ["admit", "head1", "plan"])
def test_who_may_not_publish(room, allocated, who: str) -> None:
    with pytest.raises(PermissionDenied):
        publish(room, allocated, who)


def test_the_one_who_allocated_does_not_publish(room, allocated) -> None:
    Allocation.objects.update(made_by=room.district.users["deputy"])
    allocated.refresh_from_db()
    with pytest.raises(StepRefused, match="另一人"):
        publish(room, allocated)
    assert publish(room, allocated, "director") == 6


def test_an_altered_result_is_not_published(room, allocated) -> None:
    assigned = allocated.result["assignments"]
    codes = list(assigned)
    for code in codes:
        swapped = assigned | {code: "S1" if assigned[code] != "S1" else "S3"}
        Allocation.objects.update(result=allocated.result | {"assignments": swapped})
        again = Allocation.objects.get()
        assert what_is_wrong(again)
        with pytest.raises(StepRefused, match="复核不通过"):
            publish(room, again)
    assert not Offer.objects.exists()
    given = json.loads(json.dumps(allocated.given))
    given["children"][0]["keys"]["S1"][-1] = 77
    Allocation.objects.update(given=given, result=allocated.result)
    assert "not its drawn number" in " ".join(what_is_wrong(Allocation.objects.get()))


def test_a_what_if_is_compared_and_never_published(room, allocated) -> None:
    by = room.district.actor("admit")
    season = Season.objects.get()
    with fenced(by=by):
        more = try_what_if(season, WhatIf("多两个学位", places={room.intakes["S1"].id: 4}), by=by)
        merged = try_what_if(
            season,
            WhatIf("并片", areas=[AreaChange(room.zones["shore"].id, room.district.orgs["S3"].id)]),
            by=by,
        )
        boston = try_what_if(season, WhatIf("志愿优先", "immediate_acceptance"), by=by)
        assert (figures(more, allocated).first, figures(more, allocated).displaced) == (4, 2)
        assert figures(merged, allocated).children == 6
        assert figures(boston, allocated).envy == 0
    assert merged.given["children"][0]["tiers"]["S3"] == "A", "its own area now"
    with pytest.raises(StepRefused, match="假设"):
        publish(room, more)
    with pytest.raises(DatabaseError), transaction.atomic():
        Allocation.objects.filter(pk=more.pk).update(published_at=timezone.now())


def test_one_withdrawn_between_is_left_out_one_reopened_stops_it(room, allocated) -> None:
    Application.objects.filter(applicant=room.families["family0"]).update(state="submitted")
    with pytest.raises(StepRefused, match="重新核验"):
        publish(room, allocated)
    Application.objects.filter(applicant=room.families["family0"]).update(state="withdrawn")
    by = room.district.actor("deputy")
    with fenced(by=by):
        found = publishing.preview(allocated, by=by)
    assert (found.children, found.withdrawn, found.placed) == (5, 1, 5)
    assert publish(room, allocated) == 5


def test_what_is_not_confirmed_goes_into_the_next_round(room: SeasonRoom) -> None:
    fill(room, 6, private=3)
    room.intakes["S3"].places = 2
    room.intakes["S3"].save()
    freeze(room)
    draw(room)
    first = allocate(room)
    publish(room, first)
    private = Offer.objects.get(intake=room.intakes["P1"])
    assert private.respond_by is not None
    assert Application.objects.filter(state="unplaced").count() == 1
    by = JobActor("tests")
    with fenced(by=by):
        assert publishing.lapse_unanswered(private.respond_by, by=by) == 0
        later = private.respond_by + dt.timedelta(days=1)
        assert publishing.lapse_unanswered(later, by=by) == 1
        assert publishing.lapse_unanswered(later, by=by) == 0
    assert Application.objects.filter(state="unplaced").count() == 2
    assert free_places(room.season) == {"S1": 0, "S3": 0, "P1": 1}
    room.intakes["S3"].places = 9
    room.intakes["S3"].save()
    assert round_of(room.season) == 2
    second = allocate(room)
    waiting = set(second.result["assignments"])
    assert len(waiting) == 2
    lapsed = private.application.entry.code
    assert second.result["assignments"][lapsed] == "S3", "not the school that it let lapse"
    publish(room, second)
    assert Application.objects.filter(state="placed").count() == 6


def test_twins_share_one_list_and_one_fate(room: SeasonRoom) -> None:
    fill(room, 4)
    pair = Application.objects.filter(
        applicant__in=[room.families["family1"], room.families["family2"]]
    )
    pair.update(together="00000000-0000-0000-0000-000000000001")
    freeze(room)
    draw(room)
    made = allocate(room)
    codes = [row.entry.code for row in pair]
    assert len({made.result["assignments"][code] for code in codes}) == 1
    assert what_is_wrong(made) == []
    assert set(made.result["passed_over"]) == set(codes)
    assert any("双胞胎" in sentence(Reasons(made).of(code), Words(room.season)) for code in codes)


def test_the_published_files_replay(room, allocated, tmp_path: Path) -> None:
    assert set(proving.files_of(room.season)) == {"roll.txt", "draw.json", "replay.py"}
    publish(room, allocated)
    with fenced(by=room.family("family0")):
        mine = freezing.own_leaf(Application.objects.get())
    files = proving.files_of(room.season)
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "mine.json").write_text(json.dumps(mine))
    assert mine["line"].split(" ")[1] not in "".join(files.values()), "salts are not published"

    def run(*arguments: str) -> int:
        command = [sys.executable, "-I", "replay.py", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=False, timeout=60).returncode

    names = ("draw.json", "roll.txt", "allocation.json", "result.json")
    assert run(*names) == 0
    assert run("leaf", mine["root"], "mine.json", "allocation.json") == 0
    text = (tmp_path / "result.json").read_text()
    (tmp_path / "result.json").write_text(text.replace('": "S1"', '": "S3"', 1))
    assert run(*names) == 1


def test_before_the_secret_is_opened_nothing_of_it_is_public(room: SeasonRoom) -> None:
    fill(room, 1)
    freeze(room)
    by = room.district.actor("admit")
    made = drawing.commit(freezing.freeze_of(room.season), sources=["收盘指数"], by=by)
    shown = json.loads(proving.files_of(room.season)["draw.json"])
    assert set(shown) == {"root", "commitment", "sources"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM admissions_draw WHERE id = %s", [made.pk])
        assert made.secret not in cursor.fetchone()[0], "sealed"


@pytest.mark.parametrize("seed", range(4))
def test_random_seasons_hold_and_every_swap_fails(room: SeasonRoom, seed: int) -> None:
    chance = random.Random(seed)
    room.intakes["S1"].places = chance.randint(0, 4)
    room.intakes["S1"].save()
    room.season.mechanism = chance.choice(["deferred_acceptance", "serial", "immediate_acceptance"])
    room.season.save()
    fill(room, 7, private=chance.randint(0, 5))
    freeze(room)
    draw(room, "".join(chance.choice("0123456789") for _n in range(8)))
    made = allocate(room)
    assert what_is_wrong(made) == []
    assigned = made.result["assignments"]
    for code in assigned:
        for other in {"S1", "S3", "P1", None} - {assigned[code]}:
            made.result = {**made.result, "assignments": assigned | {code: other}}
            assert what_is_wrong(made)


def test_many_are_advanced_as_one_by_one(room: SeasonRoom) -> None:
    """Whatever `advance` writes for each, `advance_many` writes: row, case, clocks, moves, trail."""
    fill(room, 6)
    by, today = room.district.actor("deputy"), timezone.localdate()
    terms = {"arrival": Term(today + dt.timedelta(days=9), "录取后报到")}
    other, now = room.district.orgs["S3"].id, timezone.now()

    def written(call) -> list[object]:
        with transaction.atomic(), patch(NOW, return_value=now):
            call(list(Application.objects.select_related("case").order_by("pk")))
            seen = [
                list(Application.objects.order_by("pk").values()),
                list(Case.objects.order_by("pk").values()),
                list(CaseClock.objects.order_by("case", "kind").values("case", *CLOCK)),
                list(Move.objects.order_by("case", "id").values("case", *MOVE)),
                sorted(
                    map(str, Entry.objects.filter(action__contains=".place").values(*ENTRY)),
                ),
            ]
            transaction.set_rollback(True)
        return seen

    def one_by_one(rows) -> None:
        for row in rows:
            advance(row, "place", by=by, terms=terms)
            Case.objects.filter(pk=row.pk).update(organisation=other)

    def together(rows) -> None:
        given = {row.pk: other for row in rows}
        assert advance_many(rows, "place", by=by, terms=terms, organisations=given) == 6

    Case.objects.filter(pk=Application.objects.first().pk).update(
        handler=by.user, urged_at=timezone.now()
    )
    assert written(one_by_one) == written(together)


def test_many_move_in_as_many_statements_as_few(room: SeasonRoom) -> None:
    fill(room, 6)
    by = room.district.actor("deputy")
    by.post_for("admissions.publish", room.district.orgs["S1"].id)
    term = {"arrival": Term(timezone.localdate(), "x")}
    rows = list(Application.objects.order_by("pk"))
    counts = []
    for some in (rows[:1], rows[1:]):
        with CaptureQueriesContext(connection) as seen:
            advance_many(some, "place", by=by, terms=term)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_many_are_moved_all_or_none(room: SeasonRoom) -> None:
    fill(room, 3)
    by = room.district.actor("deputy")
    rows = list(Application.objects.order_by("pk"))
    Case.objects.filter(pk=rows[1].pk).update(state="withdrawn")
    with pytest.raises(StepRefused):
        advance_many(rows, "place", by=by, terms={"arrival": Term(timezone.localdate(), "x")})
    with pytest.raises(ValueError, match="clocks"):
        advance_many(rows[:1], "place", by=by)
    with pytest.raises(PermissionDenied):
        advance_many(rows[:1], "place", by=room.district.actor("admit"))
    assert not Move.objects.filter(step="place").exists()
    assert advance_many([], "place", by=by) == 0


def test_a_publication_broken_off_leaves_nothing_and_can_be_done_again(room, allocated) -> None:
    with (
        patch.object(publishing, "_tell", side_effect=RuntimeError("killed")),
        pytest.raises(RuntimeError),
    ):
        publish(room, allocated)
    assert not Offer.objects.exists()
    assert not Move.objects.filter(step="place").exists()
    assert Season.objects.get().state == "allocated"
    assert publish(room, allocated) == 6
    assert Notice.objects.filter(key__startswith="application.result").count() == 6


def test_the_command_writes_the_files_of_the_page(room, allocated, tmp_path: Path, capsys) -> None:
    options = Namespace(season=room.season.pk, round=1, out=tmp_path / "proof")
    publish(room, allocated)
    assert run_admissions_export(options) == 0
    written = {path.name: path.read_text() for path in options.out.iterdir()}
    assert written == proving.files_of(room.season)
    options.season = 0
    assert run_admissions_export(options) == 1
    assert "nothing to export" in capsys.readouterr().err


def test_what_is_published_of_a_child_is_its_place_and_no_date(allocated) -> None:
    made = allocated
    family_day = dt.date(2020, 6, 1).toordinal()
    used = [key for child in made.given["children"] for key in child["keys"].values()]
    assert used
    assert all(number < family_day - 10_000 for key in used for number in key)
    files = proving.allocation_files(made)
    assert "orders" not in json.loads(files[proving.GIVEN])
    told = [
        step["order"]
        for code in made.result["assignments"]
        for step in Reasons(made).of(code)["list"]
    ]
    assert any(number > 700_000 for order in told for number in order), "the family is told its day"

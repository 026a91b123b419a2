"""The demo district's seasons: the story adds up, and what it claims can be proved again."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.utils import timezone

from xuezheng.demo.district import build_district
from xuezheng.demo.load import SEED, read
from xuezheng.domains.admissions.allocation import Problem, Result, problems_of
from xuezheng.domains.admissions.demo import Kept, load_seasons
from xuezheng.domains.admissions.models import (
    Allocation,
    Application,
    Check,
    Choice,
    DwellingLock,
    FollowUp,
    Intake,
    Offer,
    PathRequest,
    RollEntry,
    Season,
    Zone,
    ZonePart,
)
from xuezheng.domains.admissions.registers.base import Question
from xuezheng.domains.admissions.registers.files import whom
from xuezheng.domains.admissions.rules.draw import Tree, commitment, draw_numbers, seed
from xuezheng.domains.admissions.rules.zones import survey
from xuezheng.domains.admissions.selectors import atlas, place_of
from xuezheng.kernel.access.models import User
from xuezheng.kernel.cases.flows import FLOWS
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.registry.codes import citizen_id_problem
from xuezheng.registry.demo import Scale, load_people
from xuezheng.registry.models import Dwelling, Pupil

TODAY = timezone.localdate()


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker) -> Iterator[Kept]:
    """Organisations, people and seasons of the small scale, once for all tests of this file."""
    with django_db_blocker.unblock(), transaction.atomic():
        users = build_district(read("district"), read("towns"), random.Random(SEED), TODAY, "x")
        load_people(read("people"), Scale.SMALL, random.Random(SEED), TODAY)
        kept = load_seasons(
            read("seasons"), read("people"), users, Scale.SMALL, random.Random(SEED), TODAY
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield kept
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def loaded(told: Kept) -> None:
    """Every test reads it."""


def test_three_seasons_run_and_two_are_history() -> None:
    states = {(s.level, s.state) for s in Season.objects.all()}
    assert states == {
        ("primary", "published"), ("junior", "checking"), ("kindergarten", "open"),
        ("primary", "finished"), ("junior", "finished"),
    }  # fmt: skip
    assert Season.objects.get(state="open").takes_applications()


def test_every_case_has_gone_its_flow() -> None:
    """Each move leaves the state that the one before reached, and the row says where it ended."""
    last: dict[int, str] = {}
    for move in Move.objects.filter(case__kind__in=("application", "enrolment_follow_up")):
        assert move.source == last.get(move.case_id, "")
        last[move.case_id] = move.target
    cases = {case.id: case for case in Case.objects.filter(id__in=last)}
    for case in cases.values():
        state = FLOWS[case.kind].states[case.state]
        assert (case.state, case.phase) == (last[case.id], state.phase)
        assert case.awaits == FLOWS[case.kind].awaited(case.state)
    for row in [*Application.objects.all(), *FollowUp.objects.all()]:
        assert row.state == cases[row.pk].state


def test_every_address_lies_in_one_area() -> None:
    """No gap and no overlap, at every level."""
    places = {place_of(d) for d in Dwelling.objects.select_related("community")}
    for season in Season.objects.all():
        found = survey(places, atlas(season))
        assert not found.gaps
        assert not found.overlaps
    assert ZonePart.objects.filter(side="odd").exists()
    assert all(zone.schools.exists() for zone in Zone.objects.all())


def test_the_published_result_can_be_proved_again() -> None:
    allocation = Allocation.objects.get(season__state="published")
    problem = Problem.from_json(allocation.given)
    assert problems_of(problem, Result.from_json(allocation.result)) == []
    assert allocation.published_by != allocation.made_by
    freeze, draw = allocation.freeze, allocation.draw
    leaves = list(freeze.leaves.order_by("index").values_list("text", flat=True))
    assert Tree.of(leaves).root == freeze.root
    assert commitment(draw.secret) == draw.commitment
    assert seed(freeze.root, draw.digits, draw.public_values, draw.secret) == draw.seed
    numbers = draw_numbers(draw.seed, [text.split()[0] for text in leaves])
    for child in allocation.given["children"]:
        assert {key[-1] for key in child["keys"].values()} == {numbers[child["code"]]}
    offers = Offer.objects.filter(allocation=allocation)
    assert offers.count() == len(leaves)
    for offer in offers.select_related("application__case", "intake"):
        assert offer.application.state == ("placed" if offer.intake else "unplaced")
        if offer.intake:
            assert offer.application.case.organisation_id == offer.intake.school_id


def test_a_full_school_sent_children_on_and_a_private_one_drew() -> None:
    rules = Counter(
        o.reason["rule"] for o in Offer.objects.filter(intake__season__state="published")
    )
    assert rules["redirected"] > 0
    assert rules["ladder"] > rules["redirected"]
    full = Intake.objects.get(redirections__rank=1, season__state="published")
    assert full.offers.count() == full.places
    sent_on = Offer.objects.filter(reason__rule="redirected")
    place = ("application__choices__standing__tier", "application__choices__standing__order")
    admitted, over = (
        list(rows.filter(application__choices__intake=full).values_list(*place))
        for rows in (full.offers.all(), sent_on)
    )
    assert max(admitted) <= min(over), "tier, then the day of registration decided"
    private = Intake.objects.get(draw_when_over=True)
    asked = Choice.objects.filter(intake=private).count()
    assert asked > private.offers.count() == private.places


def test_the_roll_has_every_child_once_with_its_outcome() -> None:
    for entry in RollEntry.objects.all():
        assert not citizen_id_problem(entry.id_number)
        assert (entry.outcome == "") == (entry.outcome_on is None)
        applied = entry.applications.exists()
        assert applied == (entry.outcome == RollEntry.Outcome.REGISTERED)


def test_last_years_children_are_the_registrys_first_grades() -> None:
    for level in ("primary", "junior"):
        season = Season.objects.get(state="finished", level=level)
        came = Application.objects.filter(season=season, state="arrived").select_related(
            "entry__pupil", "case"
        )
        grade = Pupil.objects.live().filter(
            status="01", school_class__stage=level, school_class__entry_year=season.year
        )
        assert 0.9 * grade.count() < came.count() <= grade.count()
        seats = dict(grade.values_list("id", "organisation_id"))
        assert all(seats[row.entry.pupil_id] == row.case.organisation_id for row in came)


def test_two_families_can_sign_in_and_their_checks_answer_as_told(told: Kept) -> None:
    assert len(told.signins) == 2
    first, second = (User.objects.get(phone=phone) for phone, _zh, _en in told.signins)
    assert Application.objects.filter(applicant=first, state="placed").exists()
    faulty = Application.objects.get(applicant=second)
    assert faulty.state == "correcting"
    assert faulty.faults
    small = RollEntry.objects.filter(season__state="open", outcome="", name__endswith="禾苗").get()
    party = Application.objects.get(applicant=first).parties.get(main=True)
    question = Question("1", small.id_number, small.name, party.id_number or "", party.name)
    for register in (Check.Register.POLICE, Check.Register.PROPERTY):
        number, name = whom(question, register)
        assert told.files[f"{register}/{number}.json"]["name"] == name


def test_ways_beside_the_regular_one_stand_on_the_roll_and_homes_are_locked() -> None:
    granted = PathRequest.objects.get(state="granted")
    assert granted.entry.outcome == RollEntry.Outcome.HOME
    assert granted.case.moves.get(step="grant").user != granted.case.moves.get(step="examine").user
    assert PathRequest.objects.get(state="examined").entry is None
    assert PathRequest.objects.get(state="asked").kind == PathRequest.Kind.TRANSFER
    for lock in DwellingLock.objects.select_related("pupil"):
        assert lock.pupil.organisation_id == lock.school_id
        assert lock.until_year > TODAY.year
    assert DwellingLock.objects.count() > 50

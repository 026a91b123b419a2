"""The envelope: clocks, handler, four eyes, refusal without trace."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.oversight.flows import HAZARD
from xuezheng.domains.oversight.models import Hazard
from xuezheng.kernel.access.permissions import PERSON, grants
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases import models
from xuezheng.kernel.cases.flows import FLOWS, Term, owed_permissions
from xuezheng.kernel.cases.models import Case, CaseClock, Move
from xuezheng.kernel.cases.service import advance, barred, open_case
from xuezheng.kernel.files.models import StoredFile
from xuezheng.registry import roles

pytestmark = pytest.mark.usefixtures("files_dir")
TODAY = timezone.localdate()


def term(days: int) -> Term:
    return Term(TODAY + dt.timedelta(days=days), "测试")


@pytest.fixture
def hazard(district: District) -> Hazard:
    row, is_new = open_case(
        HAZARD,
        Hazard,
        organisation_id=district.orgs["S1"].id,
        title="走廊",
        by=district.actor("sec1"),
        terms={"grading": term(1)},
        fields={
            "category": "fire",
            "place": "走廊",
            "description": "x",
            "reported_on": TODAY,
        },
    )
    assert is_new
    return row


def grade(district: District, row: Hazard, **more) -> Move:
    fields = {"grade": "general", "due_on": TODAY + dt.timedelta(days=7)}
    return advance(
        row,
        "grade",
        by=district.actor("safety"),
        terms={"rectification": term(7)},
        fields=fields,
        **more,
    )


def clocks(row: Hazard) -> dict[str, bool]:
    return {c.kind: c.stopped is None for c in CaseClock.objects.filter(case=row.pk)}


def test_a_step_stops_the_old_clock_and_starts_the_new(district: District, hazard: Hazard) -> None:
    assert clocks(hazard) == {"grading": True}
    grade(district, hazard)
    assert clocks(hazard) == {"grading": False, "rectification": True}
    assert Case.objects.get(pk=hazard.pk).due == TODAY + dt.timedelta(days=7)


def test_a_forgotten_or_foreign_term_is_an_error(district: District, hazard: Hazard) -> None:
    by = district.actor("safety")
    fields = {"grade": "general", "due_on": TODAY}
    with pytest.raises(ValueError, match="clocks"):
        advance(hazard, "grade", by=by, fields=fields)
    with pytest.raises(ValueError, match="clocks"):
        advance(
            hazard,
            "grade",
            by=by,
            fields=fields,
            terms={"rectification": term(7), "grading": term(1)},
        )
    assert Case.objects.get(pk=hazard.pk).state == "reported"


def state_of_everything() -> tuple[int, ...]:
    return tuple(
        model.objects.count() for model in (Case, Move, CaseClock, Entry, StoredFile)
    ) + tuple(Case.objects.values_list("state", "version", "due"))


def test_a_refused_upload_leaves_nothing(district: District, hazard: Hazard) -> None:
    grade(district, hazard)
    before = state_of_everything()
    with pytest.raises(ValidationError):
        advance(
            hazard,
            "rectify",
            by=district.actor("sec1"),
            note="x",
            terms={"recheck": term(3)},
            fields={"rectified_on": TODAY},
            uploads=[photo(), SimpleUploadedFile("x.exe", b"MZ")],
        )
    assert state_of_everything() == before
    assert Hazard.objects.get(pk=hazard.pk).rectified_on is None


def owed(district: District, who: str) -> bool:
    return Case.objects.owed_by(district.actor(who)).exists()


def test_a_handler_narrows_the_inbox_of_one_state_only(district: District, hazard: Hazard) -> None:
    grade(district, hazard, handler=district.users["head1"])
    assert owed(district, "head1")
    assert not owed(district, "sec1")
    advance(
        hazard,
        "rectify",
        by=district.actor("sec1"),  # the handler narrows the inbox, not the permission
        note="x",
        terms={"recheck": term(3)},
        fields={"rectified_on": TODAY},
    )
    assert owed(district, "inspector")
    assert owed(district, "safety")


@pytest.mark.parametrize(
    ("rectifies_in", "teaches_in", "expected"),
    [("S1", "K1", True), ("K1", "S1", False), ("K1", "K1", False), ("S1", "S1", True)],
)
def test_each_post_counts_only_where_it_is_held(
    district: District, hazard: Hazard, rectifies_in: str, teaches_in: str, expected: bool
) -> None:
    # S1 owes the rectification; a teacher there owes nothing.
    grade(district, hazard)
    district.hold("both", roles.SITE_SECRETARY, rectifies_in)
    district.hold("both", roles.TEACHER, teaches_in)
    assert Case.objects.owed_by(district.actor("both")).exists() is expected


def test_what_nobody_owes_is_asked_for_by_nobody() -> None:
    steps = [step for flow in FLOWS.values() for step in flow.steps]
    assert owed_permissions() == {step.permission for step in steps if step.duty}
    assert HAZARD.step("grade").permission in owed_permissions()
    assert HAZARD.opening.permission not in owed_permissions()


def test_barred_are_the_last_doers(district: District, hazard: Hazard) -> None:
    grade(district, hazard)
    step = HAZARD.step("pass")
    assert barred(hazard.case, step) == set()
    rectified = {"rectified_on": TODAY}
    for who in ("sec1", "head1"):
        advance(
            hazard,
            "rectify",
            by=district.actor(who),
            note="x",
            terms={"recheck": term(3)},
            fields=rectified,
        )
        assert barred(hazard.case, step) == {district.users[who].id}
        flagged = Move.objects.filter(bars_next=True).values_list("user__username", flat=True)
        assert list(flagged) == [who]
        if who == "sec1":
            advance(
                hazard,
                "fail",
                by=district.actor("inspector"),
                note="x",
                terms={"rectification": term(7)},
                fields={"rectified_on": None},
            )


def test_inbox_takes_the_same_queries_for_more_cases(district: District, hazard: Hazard) -> None:
    with CaptureQueriesContext(connection) as few:
        assert len(Case.objects.owed_by(district.actor("safety"))) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_case (number, kind, title, organisation_id, state, phase, awaits,"
            " opened_at, version) SELECT 'N' || n, kind, title, organisation_id, state, phase,"
            " awaits, opened_at, 1 FROM cases_case, generate_series(1, 50) n"
        )
    with CaptureQueriesContext(connection) as many:
        assert len(Case.objects.owed_by(district.actor("safety"))) == 51
    assert len(many) == len(few) <= 5


def test_what_a_family_owes_stands_in_no_inbox(
    district: District, hazard: Hazard, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert owed(district, "safety")
    awaited = grants() | {PERSON: frozenset({hazard.case.awaits})}
    monkeypatch.setattr(models, "grants", lambda: awaited)
    assert not owed(district, "safety")

"""The circle of a hazard, against PostgreSQL."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.oversight import services
from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.oversight.rules import Grade
from xuezheng.kernel.access.actors import OutOfScope
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.cases.service import Conflict, StepRefused
from xuezheng.kernel.reference.calendar import due_after

pytestmark = pytest.mark.usefixtures("files_dir")


def report(district: District, who: str = "sec1", org: str = "S1", key=None) -> Hazard:
    return services.report_hazard(
        organisation_id=district.orgs[org].id,
        category="fire",
        place="三楼走廊",
        description="疏散指示灯不亮",
        immediate_danger=False,
        photos=[photo()],
        key=key,
        by=district.actor(who),
    )


def fresh(hazard: Hazard) -> Hazard:
    return Hazard.objects.select_related("case").get(pk=hazard.pk)


def grade(district: District, hazard: Hazard, grade: Grade = Grade.GENERAL, **more) -> Hazard:
    services.grade_hazard(
        hazard,
        grade=grade,
        category="fire",
        version=fresh(hazard).case.version,
        by=district.actor("safety"),
        **more,
    )
    return fresh(hazard)


def rectify(district: District, hazard: Hazard, who: str = "sec1") -> Hazard:
    services.rectify_hazard(
        hazard,
        note="已更换",
        photos=[photo(colour="green")],
        version=fresh(hazard).case.version,
        by=district.actor(who),
    )
    return fresh(hazard)


def recheck(district: District, hazard: Hazard, passed: bool, who: str = "inspector") -> Hazard:
    services.recheck_hazard(
        hazard,
        passed=passed,
        note="看过现场",
        version=fresh(hazard).case.version,
        by=district.actor(who),
    )
    return fresh(hazard)


def owed(district: District, who: str) -> list[str]:
    return list(Case.objects.owed_by(district.actor(who)).values_list("number", flat=True))


def test_full_circle_of_a_general_hazard(district: District) -> None:
    hazard = report(district)
    number = hazard.case.number
    today = timezone.localdate()
    assert owed(district, "safety") == [number]
    assert owed(district, "sec1") == []
    assert fresh(hazard).case.due == due_after(today, 1)

    hazard = grade(district, hazard)
    assert hazard.due_on == due_after(today, 7) == hazard.case.due
    assert owed(district, "sec1") == [number]
    assert owed(district, "head2") == []

    hazard = rectify(district, hazard)
    assert hazard.rectified_on == today
    assert owed(district, "inspector") == [number]

    hazard = recheck(district, hazard, passed=True)
    assert (hazard.state, hazard.closed_on) == ("closed", today)
    assert not hazard.case.is_open
    assert hazard.case.due is None
    assert owed(district, "safety") == owed(district, "sec1") == []
    actions = list(Entry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["hazard.report", "hazard.grade", "hazard.rectify", "hazard.pass"]
    assert all(Entry.objects.values_list("post", flat=True))


def test_major_hazard_needs_release_by_a_third_hand(district: District) -> None:
    hazard = grade(district, report(district), Grade.MAJOR)
    assert hazard.supervised
    assert hazard.stop_use
    hazard = rectify(district, hazard)
    hazard = recheck(district, hazard, passed=True, who="safety_head")
    assert hazard.state == "verified"
    version = hazard.case.version
    with pytest.raises(StepRefused):
        services.release_hazard(hazard, version=version, by=district.actor("safety_head"))
    with pytest.raises(PermissionDenied):
        services.release_hazard(hazard, version=version, by=district.actor("safety"))
    other = district.hold("safety_head_2", "safety_head", "B-SAFE")
    services.release_hazard(hazard, version=version, by=other)
    assert fresh(hazard).state == "closed"


def test_failed_recheck_gives_no_extra_time_and_forgets_the_rectification(
    district: District,
) -> None:
    hazard = grade(district, report(district))
    due = hazard.due_on
    hazard = recheck(district, rectify(district, hazard), passed=False)
    assert (hazard.state, hazard.due_on, hazard.case.due) == ("rectifying", due, due)
    assert hazard.rectified_on is None


def test_four_eyes(district: District) -> None:
    both = district.hold("both", "site_secretary", "S1")
    district.hold("both", "inspector", "B")
    hazard = rectify(district, grade(district, report(district)), who="both")
    assert owed(district, "both") == []
    with pytest.raises(StepRefused, match="另一人"):
        recheck(district, hazard, passed=True, who="both")
    # After a failed re-check a colleague rectifies: now the first one may check.
    hazard = recheck(district, hazard, passed=False)
    hazard = rectify(district, hazard, who="sec1")
    assert owed(district, "both") == [hazard.case.number]
    assert recheck(district, hazard, passed=True, who=both.user.username).state == "closed"


def test_scope_and_permission(district: District) -> None:
    with pytest.raises(OutOfScope):
        report(district, who="head2", org="S1")
    hazard = report(district)
    with pytest.raises(PermissionDenied):
        services.dismiss_hazard(hazard, note="x", version=1, by=district.actor("sec1"))
    hazard = grade(district, hazard)
    with pytest.raises(OutOfScope):
        services.rectify_hazard(
            hazard,
            note="x",
            photos=[photo()],
            version=hazard.case.version,
            by=district.actor("head2"),
        )
    assert fresh(hazard).state == "rectifying"


@pytest.mark.parametrize(
    ("who", "expected"),
    [("sec1", 1), ("head2", 0), ("town1", 1), ("safety", 1), ("base", 0), ("teacher1", 0)],
)
def test_who_sees_it(district: District, who: str, expected: int) -> None:
    report(district)
    assert Hazard.objects.visible_to(district.actor(who)).count() == expected


def test_a_teacher_sees_what_she_reported(district: District) -> None:
    hazard = report(district, who="teacher1")
    report(district, who="sec1")
    assert list(Hazard.objects.visible_to(district.actor("teacher1"))) == [hazard]


def test_same_key_is_one_hazard(district: District) -> None:
    key = uuid.uuid4()
    assert report(district, key=key) == report(district, key=key)
    assert Hazard.objects.count() == 1
    with pytest.raises(PermissionDenied):
        report(district, who="head1", key=key)


def test_stale_form_is_a_conflict(district: District) -> None:
    hazard = report(district)
    seen = hazard.case.version
    grade(district, hazard)
    with pytest.raises(Conflict):
        services.dismiss_hazard(hazard, note="晚了", version=seen, by=district.actor("safety"))


@pytest.mark.parametrize(("days", "note", "refused"), [(0, "", 0), (1, "", 1), (1, "台风停工", 0)])
def test_longer_term_needs_a_reason(
    district: District, days: int, note: str, refused: bool
) -> None:
    hazard = report(district)
    due = due_after(timezone.localdate(), 7) + dt.timedelta(days=days)
    if refused:
        with pytest.raises(StepRefused):
            grade(district, hazard, due_on=due, note=note)
    else:
        assert grade(district, hazard, due_on=due, note=note).due_on == due


def test_rectification_needs_a_photo(district: District) -> None:
    hazard = grade(district, report(district))
    with pytest.raises(StepRefused, match="照片"):
        services.rectify_hazard(
            hazard,
            note="好了",
            photos=[],
            version=hazard.case.version,
            by=district.actor("sec1"),
        )


def test_urging_puts_it_on_top_once_a_day(district: District) -> None:
    hazard = grade(district, report(district))
    services.urge_hazard(hazard, by=district.actor("safety"))
    assert fresh(hazard).case.urged_at is not None
    with pytest.raises(StepRefused, match="今天"):
        services.urge_hazard(hazard, by=district.actor("safety"))
    assert rectify(district, hazard).case.urged_at is None

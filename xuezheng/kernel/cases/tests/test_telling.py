"""Notices that follow from steps, and whom they reach."""

import pytest

from tests.district import District, photo
from xuezheng.domains.oversight import services as hazards
from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.oversight.rules import Grade
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.cases.telling import owners
from xuezheng.kernel.notices.models import Notice

pytestmark = pytest.mark.usefixtures("files_dir")


@pytest.fixture
def hazard(district: District) -> Hazard:
    return hazards.report_hazard(
        organisation_id=district.orgs["S1"].id,
        category="fire",
        place="走廊",
        description="x",
        immediate_danger=False,
        photos=[photo()],
        key=None,
        by=district.actor("sec1"),
    )


def version(row: Hazard) -> int:
    return Case.objects.get(pk=row.pk).version


def told(key: str) -> set[str]:
    return set(Notice.objects.filter(key__startswith=key).values_list("user__username", flat=True))


def agree(district: District, row: Hazard) -> set[str]:
    """`owners` names exactly those in whose inbox the case stands."""
    case = Case.objects.get(pk=row.pk)
    inboxes = {
        name
        for name in district.users
        if Case.objects.owed_by(district.actor(name)).filter(pk=case.pk).exists()
    }
    names = {name for name, user in district.users.items() if user.pk in owners(case)}
    assert names == inboxes
    return names


def test_owners_are_those_whose_inbox_has_the_case(district: District, hazard: Hazard) -> None:
    assert agree(district, hazard)
    hazards.grade_hazard(
        hazard, grade=Grade.GENERAL, category="fire", version=version(hazard), by=district.actor("safety"),
    )  # fmt: skip
    assert "sec1" in agree(district, hazard)
    hazards.rectify_hazard(
        hazard, note="x", photos=[photo()], version=version(hazard), by=district.actor("sec1")
    )
    assert "inspector" in agree(district, hazard)
    Case.objects.filter(pk=hazard.pk).update(handler=district.users["inspector"])
    assert agree(district, hazard) == {"inspector"}


def test_a_failed_recheck_is_told_to_whoever_reported(district: District, hazard: Hazard) -> None:
    hazards.grade_hazard(
        hazard, grade=Grade.GENERAL, category="fire", version=version(hazard), by=district.actor("safety"),
    )  # fmt: skip
    assert not Notice.objects.exists(), "only an answer tells"
    hazards.rectify_hazard(
        hazard, note="x", photos=[photo()], version=version(hazard), by=district.actor("head1")
    )
    hazards.recheck_hazard(
        hazard,
        passed=False,
        note="门仍锁着",
        version=version(hazard),
        by=district.actor("inspector"),
    )
    notice = Notice.objects.get()
    assert notice.user.username == "head1"
    assert notice.path == f"/hazards/{hazard.case.number}/"
    assert "门" not in notice.title, "the reason stands on the page only"


def test_a_refusal_that_ends_the_case_is_told_to_who_opened_it(
    district: District, hazard: Hazard
) -> None:
    hazards.dismiss_hazard(hazard, note="x", version=version(hazard), by=district.actor("safety"))
    assert told("answer.") == {"sec1"}


def test_urging_tells_the_owners(district: District, hazard: Hazard) -> None:
    expected = agree(district, hazard)
    hazards.urge_hazard(hazard, note="", by=district.actor("deputy"))
    assert told("urge.") == expected - {"deputy"}

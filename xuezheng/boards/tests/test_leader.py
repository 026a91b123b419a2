"""The leader's page: signatures of rounds in place, one and many, and what is sent back."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.district import District
from xuezheng.domains.workplan.models import Milestone, Plan, RoundReport
from xuezheng.domains.workplan.services import rounds
from xuezheng.domains.workplan.tests.test_rounds import live, opened, plan

pytestmark = pytest.mark.usefixtures("files_dir")
__all__ = ["live", "plan"]


@pytest.fixture
def waiting(district: District, live: Plan) -> list[RoundReport]:
    """Reports that wait for the deputy's signature."""
    live.commitments.update(lead_office=district.orgs["B-BASE"], leader=district.users["deputy"])
    opened(district, live)
    rows = list(
        RoundReport.objects.filter(
            case__organisation=district.orgs["B-BASE"], commitment__leader=district.users["deputy"]
        )
        .select_related("case", "commitment")
        .order_by("commitment__order")
    )
    for row in rows:
        rounds.report_progress(row, text=f"进展 {row.commitment.code}", by=district.actor("base"))
    return rows


def client(district: District, who: str) -> Client:
    made = Client()
    made.force_login(district.users[who])
    return made


def states(rows: list[RoundReport]) -> list[str]:
    return [RoundReport.objects.get(pk=row.pk).state for row in rows]


def test_signs_one_sends_one_back(district: District, waiting: list[RoundReport]) -> None:
    deputy, address = client(district, "deputy"), reverse("leader_sign")
    first, second = waiting[:2]
    page = deputy.get(reverse("leader")).text
    assert all(f"进展 {row.commitment.code}" in page for row in waiting)
    assert page.count(first.commitment.title) == 3, "once, not among the other cases too"
    deputy.post(address, {"report": first.case.number})
    assert states([first, second]) == ["signed", "confirmed"]
    second.case.refresh_from_db()
    back = {"granted": "no", "version": second.case.version}
    decide = reverse("leader_decide", args=[second.case.number])
    assert "理由" in deputy.post(decide, back, follow=True).text
    assert states([second]) == ["confirmed"], "a reason is needed"
    deputy.post(decide, back | {"note": "数字不对"})
    assert states([second]) == ["filling"]
    assert "没有等您签字的" in deputy.post(address, follow=True).text or len(waiting) > 2


def test_signs_all_at_once_and_nobody_elses(district: District, waiting: list[RoundReport]) -> None:
    director = client(district, "director")
    director.post(reverse("leader_sign"), {"report": waiting[0].case.number})
    assert set(states(waiting)) == {"confirmed"}, "another leader's"
    decide = reverse("leader_decide", args=[waiting[0].case.number])
    assert director.post(decide, {"granted": "yes", "version": 1}).status_code == 404
    answer = client(district, "deputy").post(reverse("leader_sign"), follow=True)
    assert set(states(waiting)) == {"signed"}
    assert f"已签 {len(waiting)} 份" in answer.text


def test_the_page_asks_as_much_for_many_as_for_one(
    district: District, waiting: list[RoundReport]
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client(district, "deputy").get(reverse("leader")).status_code == 200
        return len(found)

    many = asked()
    for row in waiting[1:]:
        client(district, "deputy").post(reverse("leader_sign"), {"report": row.case.number})
    assert asked() == many


def test_a_sheet_is_filled_beforehand_from_milestone_and_commitment(
    district: District, live: Plan
) -> None:
    office = client(district, "plan")
    milestone = Milestone.objects.filter(commitment__plan=live, state="planned").first()
    late = timezone.localdate() - dt.timedelta(days=4)
    Milestone.objects.filter(pk=milestone.pk).update(due_on=late)
    number = milestone.case.number
    address = f"{reverse('supervision_add')}?milestone={number}"
    assert f'href="{address}"' in office.get(reverse("milestone_detail", args=[number])).text
    deputy = client(district, "deputy").get(reverse("milestone_detail", args=[number]))
    assert address not in deputy.text, "only who may issue one"
    page = office.get(address).text
    assert "已超过 4 天" in page and "并附佐证材料" in page
    assert f'<option value="{milestone.case.organisation_id}" selected' in page
    of_task = f"{reverse('supervision_add')}?commitment={milestone.commitment_id}"
    task = office.get(milestone.commitment.get_absolute_url()).text
    assert of_task in task and "并附佐证材料" in office.get(of_task).text

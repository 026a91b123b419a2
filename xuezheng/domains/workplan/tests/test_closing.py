"""Closing with evidence; outside units by a link that works once."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.district import District, photo
from xuezheng.domains.workplan.models import Closing, Commitment, OutsideRequest, Plan
from xuezheng.domains.workplan.services import closing, outside, rounds
from xuezheng.domains.workplan.tests.test_rounds import (  # noqa: F401
    live,
    of,
    opened,
    plan,
)
from xuezheng.kernel.access.actors import JobActor, OutOfScope
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.cases.service import StepRefused

# ruff: noqa: F811
pytestmark = pytest.mark.usefixtures("files_dir")


@pytest.fixture
def done(live: Plan) -> Commitment:
    """A commitment without open milestones."""
    return live.commitments.select_related("plan__organisation").get(code="1.1-02")


def applied(district: District, row: Commitment) -> Closing:
    return closing.apply_closing(
        row, statement="都办完了", evidence=[photo()], by=district.actor("safety_office")
    )


def test_applied_checked_approved_by_three_people(district: District, done: Commitment) -> None:
    row = applied(district, done)
    with pytest.raises(StepRefused, match="在办"):
        applied(district, done)
    assert list(Case.objects.owed_by(district.actor("plan")).filter(kind="closing"))
    closing.check_closing(row, by=district.actor("plan"))
    assert row.case.handler == district.users["deputy"]
    with pytest.raises(PermissionDenied):
        closing.approve_closing(row, by=district.actor("plan"))
    closing.approve_closing(row, by=district.actor("deputy"))
    done.refresh_from_db()
    assert (done.accepted_on, done.light) == (timezone.localdate(), "blue")
    with pytest.raises(StepRefused, match="未销号"):
        applied(district, done)


def test_what_is_missing_is_said(district: District, live: Plan, done: Commitment) -> None:
    by = district.actor("safety_office")
    with pytest.raises(StepRefused, match="佐证"):
        closing.apply_closing(done, statement="x", evidence=[], by=by)
    with pytest.raises(StepRefused, match="完成情况"):
        closing.apply_closing(done, statement=" ", evidence=[photo()], by=by)
    document = live.commitments.select_related("plan__organisation").get(code="1.2-01")
    with pytest.raises(StepRefused, match="节点"):
        closing.apply_closing(
            document, statement="x", evidence=[photo()], by=district.actor("base")
        )
    with pytest.raises(OutOfScope):
        closing.apply_closing(done, statement="x", evidence=[photo()], by=district.actor("base"))
    with pytest.raises(PermissionDenied):
        closing.apply_closing(done, statement="x", evidence=[photo()], by=district.actor("plan"))


def test_sent_back_and_declined_may_be_asked_again(district: District, done: Commitment) -> None:
    row = applied(district, done)
    with pytest.raises(StepRefused, match="说明"):
        closing.refuse_closing(row, note="", by=district.actor("plan"))
    closing.refuse_closing(row, note="材料不全", by=district.actor("plan"))
    again = applied(district, done)
    closing.check_closing(again, by=district.actor("plan"))
    closing.decline_closing(again, note="再看看", by=district.actor("director"))
    done.refresh_from_db()
    assert done.accepted_on is None
    assert applied(district, done).state == "applied"


def client(district: District, who: str) -> Client:
    found = Client()
    found.force_login(district.users[who])
    return found


def test_pages_of_closing(district: District, done: Commitment) -> None:
    office = client(district, "safety_office")
    url = reverse("closing_apply", args=[done.plan_id, done.code])
    assert url in office.get(done.get_absolute_url()).content.decode()
    assert office.post(url, {"statement": "x"}).status_code == 422
    assert client(district, "plan").get(url).status_code == 403
    key = "11111111-1111-4111-8111-111111111111"
    answer = office.post(url, {"statement": "完成", "evidence": [photo()], "key": key})
    assert answer.status_code == 302
    case = Closing.objects.get().case
    page = client(district, "inspector").get(answer.url)
    assert page.status_code == 200
    evidence = case.attachments.get().file_id
    file = client(district, "plan").get(reverse("closing_file", args=[case.number, evidence]))
    assert b"".join(file.streaming_content).startswith(b"\xff\xd8")
    assert client(district, "head1").get(answer.url).status_code == 403
    step = reverse("closing_step", args=[case.number, "check"])
    assert client(district, "base").post(step, {"version": case.version}).status_code == 403
    client(district, "plan").post(step, {"version": case.version})
    assert Closing.objects.get().state == "checked"


def asked(district: District, row: Plan) -> tuple[OutsideRequest, str]:
    report = of(opened(district, row), "1.2-01")
    return outside.ask_outside(
        report, unit="自然资源分局", question="用地批到哪一步", by=district.actor("base")
    )


def test_a_link_works_once_and_shows_one_task(district: District, live: Plan) -> None:
    row, token = asked(district, live)
    assert token not in row.token_hash
    anybody, url = Client(), reverse("outside_answer", args=[token])
    page = anybody.get(url)
    words = page.content.decode()
    assert "用地批到哪一步" in words
    assert live.commitments.get(code="1.2-01").title in words
    assert live.commitments.get(code="1.1-01").title not in words
    assert "no-store" in page.headers["Cache-Control"]
    assert anybody.post(url, {"text": " "}).status_code == 422
    assert "收到" in anybody.post(url, {"text": "已批复"}).content.decode()
    assert anybody.get(url).status_code == 410
    assert anybody.post(url, {"text": "再来"}).status_code == 410
    row.refresh_from_db()
    assert (row.answer, row.on_behalf) == ("已批复", None)
    trail = Entry.objects.filter(action="outside.answer").get()
    assert token not in str(trail.detail)
    detail = reverse("round_report", args=[row.report.case.number])
    assert "已批复" in client(district, "base").get(detail).content.decode()


def test_old_wrong_and_late_links_say_the_same(district: District, live: Plan) -> None:
    row, token = asked(district, live)
    wrong = Client().get(reverse("outside_answer", args=["nothing-like-it"]))
    OutsideRequest.objects.filter(pk=row.pk).update(
        expires_at=timezone.now() - dt.timedelta(seconds=1)
    )
    old = Client().get(reverse("outside_answer", args=[token]))
    assert (wrong.status_code, old.status_code) == (410, 410)
    assert wrong.content.decode().split("csrf")[0] == old.content.decode().split("csrf")[0]
    OutsideRequest.objects.filter(pk=row.pk).update(
        expires_at=timezone.now() + dt.timedelta(days=1)
    )
    assert outside.request_of(token) == row
    rounds.report_progress(of(row.report.round, "1.2-01"), text="好", by=district.actor("base"))
    with pytest.raises(outside.LinkGone):
        outside.answer_by_link(token=token, text="x", by=JobActor("test"))


def test_the_office_answers_on_behalf_and_the_page_says_so(district: District, live: Plan) -> None:
    row, token = asked(district, live)
    with pytest.raises(OutOfScope), transaction.atomic():
        outside.answer_on_behalf(row, text="x", by=district.actor("safety_office"))
    number = row.report.case.number
    head = client(district, "base")
    head.post(reverse("outside_behalf", args=[number, row.pk]), {"text": "电话答复：已批"})
    row.refresh_from_db()
    assert row.on_behalf == district.users["base"]
    page = head.get(reverse("round_report", args=[number])).content.decode()
    assert "科室代为登记" in page
    with pytest.raises(outside.LinkGone):
        outside.request_of(token)
    with pytest.raises(OutOfScope):
        outside.ask_outside(row.report, unit="x", question="y", by=district.actor("safety_office"))


def test_the_link_is_shown_once_to_whoever_asked(district: District, live: Plan) -> None:
    report = of(opened(district, live), "1.2-01")
    head, url = client(district, "base"), reverse("outside_ask", args=[report.case.number])
    page = head.post(url, {"unit": "卫健局", "question": "体检进度"})
    assert "/outside/" in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    detail = head.get(reverse("round_report", args=[report.case.number])).content.decode()
    assert "/outside/" not in detail.replace(f"/rounds/reports/{report.case.number}/outside/", "")
    assert client(district, "plan").post(url, {}).status_code == 403
    assert head.post(url, {"unit": "", "question": ""}).status_code == 302
    assert OutsideRequest.objects.count() == 1


def test_the_page_of_links_is_limited(district: District, live: Plan) -> None:
    url = reverse("outside_answer", args=["x"])
    statuses = [Client().get(url).status_code for _n in range(31)]
    assert statuses[:30] == [410] * 30
    assert statuses[30] == 429

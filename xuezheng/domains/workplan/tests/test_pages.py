"""Pages of the work plan: a task table comes in whole, refusals keep what was typed, queries stay few."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook

from tests.district import District
from xuezheng.domains.workplan.models import Plan
from xuezheng.domains.workplan.services import importing
from xuezheng.domains.workplan.tests.test_services import adopted, parsed, plan

pytestmark = pytest.mark.usefixtures("files_dir")
__all__ = ["plan"]
YEAR = timezone.localdate().year
HEADER = ["序号", "重点任务", "工作举措", "完成时限", "责任领导", "牵头科室", "配合科室", "责任人"]


def client_of(district: District, username: str) -> Client:
    client = Client()
    client.force_login(district.users[username])
    return client


def workbook(rows: list[list[str]], merge: str = "") -> SimpleUploadedFile:
    book = Workbook()
    sheet = book.active
    sheet.append([f"{YEAR}年重点任务分解表"])
    sheet.append(HEADER)
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile(f"屿州区教育局{YEAR}年任务分解表.xlsx", out.getvalue())


def send(client: Client, **data: object):
    page = client.get(reverse("plan_import"))
    form = page.context["form"]
    hidden = {"organisation": form["organisation"].initial.pk, "key": str(form["key"].initial)}
    return client.post(reverse("plan_import"), hidden | data)


def test_task_table_brings_people_offices_and_days(district: District) -> None:
    deputy, officer = district.users["deputy"], district.users["safety_office"]
    answer = send(
        client_of(district, "plan"),
        file=workbook(
            [
                ["1", "平安校园", "隐患整改率不低于95%。", "9月底前", f"{deputy.name}副局长",
                 "安全管理科", "基础教育科、天文台", officer.name],
                ["", "", "开展演练三场。", "长期坚持", "", "安全管理科", "", "无此人"],
            ],
            merge="B3:B4",
        ),
    )  # fmt: skip
    made = Plan.objects.get()
    assert answer.status_code == 302
    first, second = made.commitments.order_by("order")
    assert (first.due_on.isoformat(), first.leader, first.handler) == (
        f"{YEAR}-09-30",
        deputy,
        officer,
    )
    assert first.lead_office == second.lead_office == district.orgs["B-SAFE"]
    assert [s.organisation for s in first.supports.all()] == [district.orgs["B-BASE"]]
    assert second.due_on is None and second.handler is None
    doubts = list(made.review_items.values_list("code", "message"))
    assert {code for code, _m in doubts} >= {"unknown_unit", "due_unclear", "unknown_person"}
    for words in ("天文台", "长期坚持", "无此人"):
        assert any(words in message for _code, message in doubts), words


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("计划.docx", b"PK\x03\x04broken", "Word"),
        ("计划.pdf", b"%PDF-1.4 nothing", "PDF"),
        ("计划.txt", b"", "空"),
        ("照片.jpg", b"\xff\xd8\xff", ".docx"),
    ],
)
def test_a_file_that_is_no_plan_gets_a_message(
    district: District, name: str, content: bytes, says: str
) -> None:
    answer = send(client_of(district, "plan"), file=SimpleUploadedFile(name, content), year="2031")
    assert answer.status_code == 422
    text = answer.content.decode()
    assert says in text and "2031" in text
    assert not Plan.objects.exists()


def test_pasted_text_without_a_plan_is_kept(district: District) -> None:
    words = "今天天气很好，适合出门。"
    answer = send(client_of(district, "plan"), text=words)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Plan.objects.exists()


def edit_data(client: Client, address: str) -> dict[str, str]:
    form = client.get(address).context["form"]
    return {name: "" if form[name].value() is None else form[name].value() for name in form.fields}


def test_second_officer_overwrites_nothing_and_loses_nothing(
    district: District, plan: Plan
) -> None:
    row = plan.commitments.first()
    address = reverse("commitment_edit", args=[plan.id, row.code])
    one, two = client_of(district, "plan"), client_of(district, "plan")
    first, second = edit_data(one, address), edit_data(two, address)
    assert one.post(address, first | {"title": "第一人改的"}).status_code == 302
    answer = two.post(address, second | {"title": "第二人改的"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "第二人改的" in text and "别人" in text
    row.refresh_from_db()
    assert row.title == "第一人改的"


def test_refused_edit_keeps_the_words(district: District, plan: Plan) -> None:
    row = plan.commitments.first()
    client = client_of(district, "plan")
    address = reverse("commitment_edit", args=[plan.id, row.code])
    data = edit_data(client, address) | {"title": "改过的事项", "due_on": "2026-02-31"}
    answer = client.post(address, data)
    assert answer.status_code == 422
    assert "改过的事项" in answer.content.decode()
    assert answer.context["form"].errors["due_on"]
    row.refresh_from_db()
    assert row.title != "改过的事项"


def test_amendment_needs_reason_and_meeting(district: District, plan: Plan) -> None:
    plan = adopted(district, plan)
    row = plan.commitments.first()
    client = client_of(district, "plan")
    address = reverse("commitment_edit", args=[plan.id, row.code])
    data = edit_data(client, address) | {"title": "会后调整的事项"}
    answer = client.post(address, data | {"reason": "", "meeting_number": ""})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"reason", "meeting_number"}
    good = data | {"reason": "工期顺延", "meeting_number": "局务会〔2〕号"}
    assert client.post(address, good).status_code == 302
    versions = client.get(reverse("plan_versions", args=[plan.id])).content.decode()
    assert "工期顺延" in versions and "局务会〔2〕号" in versions
    assert plan.versions.count() == 2


def many(district: District, count: int, year: int) -> Plan:
    """A draft with so many commitments."""
    base = parsed()
    item = base["commitments"][0]
    return importing.import_plan(
        base
        | {
            "year": year,
            "commitments": [item] * (count - 1) + base["commitments"][2:],
            "targets": base["targets"],
        },
        organisation=district.orgs["B"],
        year=year,
        source_text="x" * 100,
        source_file=None,
        by=district.actor("plan"),
    )


@pytest.mark.parametrize("name", ["plan_review", "plan_source", "plan_detail", "board"])
def test_queries_do_not_grow_with_rows(district: District, name: str) -> None:
    counts, shapes = [], []
    for number, rows in enumerate((5, 50)):
        made = many(district, rows, YEAR)
        if name in {"plan_detail", "board"}:
            adopted(district, made)
        client = client_of(district, "plan" if name != "board" else "director")
        address = reverse(name, args=[] if name == "board" else [made.id])
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            answer = client.get(address)
        assert answer.status_code == 200, number
        counts.append(len(seen))
        shapes.append([query["sql"][:90] for query in seen])
        if number == 0:
            Plan.objects.filter(id=made.id).update(year=YEAR - 5)
    extra = [sql for sql in shapes[1] if shapes[1].count(sql) > shapes[0].count(sql)]
    assert counts[0] == counts[1], extra[:10]

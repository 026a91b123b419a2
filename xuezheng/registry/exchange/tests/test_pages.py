"""The pages of imports and of the first month, through the client."""

import datetime as dt
import io

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django import app as queue

from tests.district import District
from tests.people import search
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.exchange import jobs, services
from xuezheng.kernel.exchange.models import Batch
from xuezheng.registry import exchange
from xuezheng.registry.exchange.tests.files import classes, number, send, workbook
from xuezheng.registry.models import Pupil, SiteAlias, SystemSwitch

HEADINGS = ("姓名", "身份证件号", "学校", "入学年", "班号")


@pytest.fixture
def school(district: District) -> District:
    classes(district, "S1")
    return district


def client(district: District, username: str) -> Client:
    made = Client()
    made.force_login(district.users[username])
    return made


def test_the_whole_way(school: District) -> None:
    secretary = client(school, "sec1")
    assert secretary.get(reverse("batch_list")).status_code == 200
    template = secretary.get(reverse("batch_template", args=["pupils"]))
    assert template.content.startswith(b"PK")
    upload = reverse("batch_upload")
    assert secretary.get(upload + "?table=pupils").status_code == 200
    rows = [("童一", number(1), "", 2022, 1), ("童二", "12", "", 2022, 1)]
    answer = secretary.post(upload, {"table": "pupils", "file": workbook(HEADINGS, rows)})
    assert answer.status_code == 302
    page = secretary.get(answer.url)
    text = page.content.decode()
    assert "身份证号应为18位" in text and "写入 1 行" in text
    assert Entry.objects.filter(action="import.read").exists()

    wrong = secretary.get(answer.url + "wrong-rows/")
    sheet = openpyxl.load_workbook(io.BytesIO(wrong.content)).worksheets[0]
    assert sheet.max_row == 3

    # All or nothing is not offered, and refused, while a row is wrong.
    assert secretary.post(answer.url + "confirm/", {"mode": "all"}).status_code == 409
    assert not Pupil.objects.exists()
    assert secretary.post(answer.url + "confirm/", {"mode": "valid"}).status_code == 302
    assert Pupil.objects.get().name == "童一"
    assert secretary.post(answer.url + "confirm/", {"mode": "valid"}).status_code == 409
    for tab in ("new", "error", "changed", "unchanged", "left", "nonsense"):
        assert secretary.get(answer.url + f"?rows={tab}").status_code == 200
    assert number(1) not in secretary.get(answer.url + "?rows=new").content.decode()
    assert secretary.post(answer.url + "undo/").status_code == 302
    assert not Pupil.objects.exists()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.xlsx", b"", "空的"),
        ("x.xlsx", b"PK\x03\x04 broken", "已损坏"),
        ("x.pdf", b"%PDF-1.4", "只接受"),
        ("x.xls", b"<html><table></table></html>", "其实是网页"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    school: District, name: str, data: bytes, words: str
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    answer = client(school, "sec1").post(
        reverse("batch_upload"), {"table": "pupils", "file": SimpleUploadedFile(name, data)}
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Batch.objects.exists()


def test_a_long_file_is_for_the_worker(school: District) -> None:
    rows = [
        (f"童{n}", number(n % 500, dt.date(2015, 1, 1 + n // 500)), "", 2022, 1)
        for n in range(1200)
    ]
    secretary = client(school, "sec1")
    with queue.replace_connector(_memory()) as later:
        answer = secretary.post(
            reverse("batch_upload"), {"table": "pupils", "file": workbook(HEADINGS, rows)}
        )
        batch = Batch.objects.get()
        assert (batch.state, batch.total) == ("reading", 0)
        assert batch.parts.filter(of_file=True).exists()
        page = secretary.get(answer.url).content.decode()
        assert "正在读取" in page
        assert secretary.get(answer.url + "progress/").status_code == 200
        assert next(iter(later.connector.jobs.values()))["args"] == {"batch": str(batch.pk)}

        jobs.stage(str(batch.pk))
        jobs.stage(str(batch.pk))  # a second worker finds it done
        batch.refresh_from_db()
        assert (batch.state, batch.new, batch.error) == ("ready", 1200, 0)
        assert not batch.parts.filter(of_file=True).exists()
        assert secretary.get(answer.url + "progress/").headers["HX-Refresh"] == "true"
        second = secretary.get(answer.url + "?rows=new&page=24").content.decode()
        assert "童1199" in second

        assert secretary.post(answer.url + "confirm/", {"mode": "all"}).status_code == 302
        batch.refresh_from_db()
        assert batch.state == "confirmed"
        assert not Pupil.objects.exists()
        jobs.apply(str(batch.pk))
        jobs.apply(str(batch.pk))
        assert Pupil.objects.count() == 1200
        secretary.post(answer.url + "undo/")
        jobs.undo(str(batch.pk))
        jobs.undo(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.left) == ("undone", 0)
    assert not Pupil.objects.exists()


def _memory():
    from procrastinate.testing import InMemoryConnector

    return InMemoryConnector()


def test_lists_keep_their_query_count(school: District) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    registrar = client(school, "registrar")
    counts = []
    for many in (5, 15):
        for n in range(many):
            send(school, "sec1", exchange.PUPILS, HEADINGS, [(f"童{n}", number(n), "", 2022, 1)])
        with CaptureQueriesContext(connection) as seen:
            registrar.get(reverse("batch_list"))
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_neighbours_do_not_see_it(school: District) -> None:
    batch = send(school, "sec1", exchange.PUPILS, HEADINGS, [("童一", number(1), "", 2022, 1)])
    for name in ("batch_detail", "batch_progress"):
        assert client(school, "head2").get(reverse(name, args=[batch.pk])).status_code == 404
        assert client(school, "director").get(reverse(name, args=[batch.pk])).status_code == 403
    assert client(school, "head2").post(batch.get_absolute_url() + "confirm/").status_code == 404
    assert client(school, "sec1").get(reverse("batch_template", args=["sites"])).status_code == 403
    assert client(school, "sec1").get(reverse("batch_template", args=["none"])).status_code == 404


# -- the first month --------------------------------------------------------------------------------
def test_names_are_matched_on_their_page(school: District) -> None:
    registrar = client(school, "registrar")
    assert registrar.get(reverse("opening")).status_code == 200
    rows = [("童一", number(1), "屿州区东澳小学校", 2022, 1)]
    batch = send(school, "registrar", exchange.PUPILS, HEADINGS, rows, opening=True)
    page = registrar.get(batch.get_absolute_url()).content.decode()
    assert "屿州区东澳小学校" in page and "去指定" in page
    match = reverse("opening_match") + f"?batch={batch.pk}"
    page = registrar.get(match)
    form = page.context["form"]
    (field,) = form.fields
    assert form.fields[field].initial == str(school.orgs["S1"].id), "the likeliest is proposed"
    answer = registrar.post(match, {field: school.orgs["S1"].id})
    assert answer.url == batch.get_absolute_url()
    registrar.post(batch.get_absolute_url() + "compare/")
    batch.refresh_from_db()
    assert (batch.new, batch.unmatched) == (1, {})
    alias = SiteAlias.objects.get()
    registrar.post(reverse("opening_unmatch", args=[alias.pk]))
    assert not SiteAlias.objects.exists()
    assert client(school, "sec1").get(reverse("opening_match")).status_code == 403


def test_a_system_is_switched_school_by_school(school: District) -> None:
    registrar, secretary = client(school, "registrar"), client(school, "sec1")
    hazards, here = reverse("hazard_list"), reverse("opening_switches") + "?system=oversight"
    assert registrar.get(here).status_code == 200
    assert secretary.get(hazards).status_code == 200
    today = dt.date.today().isoformat()
    site = school.orgs["S1"].id
    assert registrar.post(here, {"on": "off", "day": today}).status_code == 422
    assert registrar.post(here, {"units": [site], "on": "off", "day": today}).status_code == 302
    refused = secretary.get(hazards)
    assert refused.status_code == 403
    assert "还没有启用" in refused.content.decode()
    assert f'href="{hazards}"' not in secretary.get(reverse("inbox")).content.decode()
    assert client(school, "head2").get(hazards).status_code == 200, "another school"
    assert client(school, "safety").get(hazards).status_code == 200, "the bureau"
    registrar.post(here, {"units": [site], "on": "on", "day": "2999-01-01"})
    assert secretary.get(hazards).status_code == 403
    registrar.post(here, {"units": [site], "on": "on", "day": today})
    assert secretary.get(hazards).status_code == 200
    assert SystemSwitch.objects.count() == 1
    assert Entry.objects.filter(action="opening.switch").count() == 3


def test_an_export_says_how_much_and_why(school: District) -> None:
    services.confirm(
        send(school, "sec1", exchange.PUPILS, HEADINGS, [("童一", number(1), "", 2022, 1)]),
        mode="all",
        by=school.actor("sec1"),
    )
    secretary = client(school, "sec1")
    pupils = reverse("pupil_list")
    found = search(secretary, pupils, "童")
    masked = secretary.get(pupils + found.context["export_url"])
    assert b"".join(masked.streaming_content).startswith(b"PK")
    entry = Entry.objects.get(action="list.export")
    assert entry.detail == {"rows": 1, "filters": ["w"]}
    assert secretary.get(pupils + "?export=reveal").status_code == 200
    assert secretary.post(pupils + "?export=reveal", {"reason": ""}).status_code == 422
    whole = secretary.post(pupils + "?export=reveal", {"reason": "核对学籍"})
    data = b"".join(whole.streaming_content)
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert number(1) in [cell.value for cell in sheet[4]]
    assert Entry.objects.get(action="list.reveal").reason == "核对学籍"


def test_one_time_passwords_are_for_who_opens_accounts(school: District) -> None:
    batch = services.confirm(
        send(
            school,
            "security",
            exchange.ACCOUNTS,
            ("用户名", "姓名", "单位", "岗位"),
            [("dao.shi1", "师一", "东澳小学", "教师")],
        ),
        mode="all",
        by=school.actor("security"),
    )
    handout = batch.get_absolute_url() + "handout/"
    assert client(school, "registrar").post(handout).status_code == 404
    assert client(school, "director").post(handout).status_code == 403
    answer = client(school, "security").post(handout)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert sheet["C2"].value == "dao.shi1"
    assert len(sheet["D2"].value) >= 12
    assert Entry.objects.filter(action="import.handout").exists()
